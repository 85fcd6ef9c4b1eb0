/**
 * The key that a person unlocked, for as long as they use it.
 *
 * It lives in this page's memory only: nothing is stored, a reload locks it, and so does a while without use.
 */
import { getPolkadotSigner } from "polkadot-api/signer";
import { getPublicKey, sign } from "@scure/sr25519";
import { sameBytes } from "../format/hex";
import { unlocked } from ".";
import { type Keystore, unlock as open } from "./keystore";

/** Without use for so long, it is locked again. */
const IDLE = 10 * 60_000;
/** How often that is looked at; and when the page is seen again, and before anything is signed. */
const WATCH = 30_000;

let secret: Uint8Array | undefined;
/** When it was last used, by the clock: timers stand still while the PC sleeps. */
let lastUsed = 0;
let watch: ReturnType<typeof setInterval> | undefined;

export function lock(): void {
  clearInterval(watch);
  globalThis.document?.removeEventListener("visibilitychange", lockIfIdle);
  secret?.fill(0);
  secret = undefined;
  unlocked.set(undefined);
}

function lockIfIdle(): void {
  if (Date.now() - lastUsed > IDLE) lock();
}

/** Unlocks a keystore; returns what is wrong if it can't be. */
export async function unlock(keystore: Keystore, password: string): Promise<string | undefined> {
  const key = await open(keystore, password);
  if (typeof key === "string") return key;
  if (!sameBytes(getPublicKey(key.secretKey), key.publicKey)) {
    key.secretKey.fill(0);
    return "This keystore is damaged: its two keys don't belong together.";
  }
  lock();
  const mine = key.secretKey;
  secret = mine;
  lastUsed = Date.now();
  watch = setInterval(lockIfIdle, WATCH);
  globalThis.document?.addEventListener("visibilitychange", lockIfIdle);
  const signer = getPolkadotSigner(key.publicKey, "Sr25519", (message) => {
    lockIfIdle();
    if (secret !== mine) throw new Error("the key was locked again: unlock it");
    lastUsed = Date.now();
    return sign(mine, message);
  });
  unlocked.set({ address: key.address, name: keystore.name, signer });
  return undefined;
}

export { MAX_FILE, readKeystore } from "./keystore";
