import assert from "node:assert/strict";
import { test } from "node:test";
import { verify } from "@scure/sr25519";
import { unlocked } from "../../src/wallet";
import { readKeystore, unlock as open } from "../../src/wallet/keystore";
import { lock, unlock } from "../../src/wallet/session";

/** As polkadot-js wrote it: the command line’s tests have the same. */
const FILE = "{\"encoded\":\"DumgApKCTqoCty1OZW/8WS+sgo6RdpHhCwAkA2IoDBMAgAAAAQAAAAgAAAB6IG/q24EeVf0JqWqcBd5m2tKq5BlyY84IQ8oamLn9DZe9Ouhgunr7i36J1XxUnTI801axqL/ym1gil0U8440Qvj0lFVKwGuxq38zuifgoj0B3Yru0CI6QKEvQPU5xxj4MpyxdSxP+2PnTzYao0HDH0fulaGvlAYXfqtU89xrx2/z9z7IjSwS3oDFPXRQ9kAdDebtyCVreZ9Otw9v3\",\"encoding\":{\"content\":[\"pkcs8\",\"sr25519\"],\"type\":[\"scrypt\",\"xsalsa20-poly1305\"],\"version\":\"3\"},\"address\":\"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY\",\"meta\":{\"genesisHash\":\"\",\"name\":\"Alice\",\"whenCreated\":1718265838755}}";
const PASSWORD = "whoisalice";
const ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

const keystore = () => {
  const read = readKeystore(FILE);
  if (typeof read === "string") throw new Error(read);
  return read;
};

test("a keystore of the extension is opened with its password, and with no other", async () => {
  const key = await open(keystore(), PASSWORD);
  assert(typeof key !== "string" && key.address === ALICE);
  assert.equal(await open(keystore(), `${PASSWORD} `), "The password is wrong.");
});

test("what is no keystore, or would keep this PC busy, is refused with a sentence", async () => {
  for (const bad of ["", "{}", "[]", "null", FILE.replace("scrypt", "none"), FILE.replaceAll("sr25519", "ed25519")]) {
    assert.equal(typeof readKeystore(bad), "string", bad);
  }
  const damaged = keystore();
  // Twice the work that any wallet asks for.
  new DataView(damaged.encoded.buffer).setUint32(32, 1 << 18, true);
  assert.match(String(await open(damaged, PASSWORD)), /more work than any wallet/);
  assert.match(String(await open({ ...keystore(), encoded: new Uint8Array(40) }, PASSWORD)), /cut off/);
});

test("an unlocked key signs as its owner, and a locked one signs nothing more", async () => {
  assert.equal(await unlock(keystore(), PASSWORD), undefined);
  const key = unlocked.get();
  assert(key && key.address === ALICE && key.name === "Alice");
  const message = new TextEncoder().encode("<Bytes>hello</Bytes>");
  const signature = await key.signer.signBytes(new TextEncoder().encode("hello"));
  assert(verify(message, signature, key.signer.publicKey));
  lock();
  assert.equal(unlocked.get(), undefined);
  const refused = await key.signer.signBytes(message).then(
    () => "signed",
    (reason: Error) => reason.message,
  );
  assert.match(refused, /locked again/);
});

test("a key is locked by the clock, which goes on while the PC sleeps", async () => {
  assert.equal(await unlock(keystore(), PASSWORD), undefined);
  const key = unlocked.get();
  const { now } = Date;
  try {
    const later = now() + 10 * 60_000 + 1_000;
    Date.now = () => later;
    await assert.rejects(async () => key?.signer.signBytes(Uint8Array.of(1)), /locked again/);
    assert.equal(unlocked.get(), undefined);
  } finally {
    Date.now = now;
  }
});
