/**
 * Keystore files as polkadot-js and its extension write them (version 3): the secret, encrypted with a password.
 *
 * Opens them in the page. Must never send, store or print what it finds, nor work for longer than an honest file needs.
 */
import { xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import { scryptAsync } from "@noble/hashes/scrypt.js";
import { decodeAddress, encodeAddress } from "../format/address";
import { sameBytes } from "../format/hex";

/** A keystore that is still locked. */
export interface Keystore {
  address: string;
  name: string | undefined;
  encoded: Uint8Array;
}

/** An unlocked one. */
export interface Key {
  address: string;
  publicKey: Uint8Array;
  secretKey: Uint8Array;
}

/** Larger files hold no key. */
export const MAX_FILE = 64 * 1024;
/** What opening one may cost: all that polkadot-js writes or ever wrote, as `cli/src/keys/sealed.rs` has it. More would only keep this PC busy. */
const COSTS = [[13, 10], [14, 5], [15, 3], [15, 1], [16, 2], [17, 1]];
const BLOCKS = 8;

const SALT = 32;
const NONCE = 24;
const HEADER = Uint8Array.of(48, 83, 2, 1, 1, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32);
const DIVIDER = Uint8Array.of(161, 35, 3, 33, 0);
const SECRET = 64;
const PUBLIC = 32;

function bytesOfBase64(text: string): Uint8Array {
  const binary = atob(text.trim());
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}

/** The keystore in a file, or what is wrong with it. */
export function readKeystore(text: string): Keystore | string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return "This file is no keystore: it isn't JSON. Choose the file that your wallet exported.";
  }
  const file = json as {
    address?: unknown;
    encoded?: unknown;
    encoding?: { content?: unknown; type?: unknown; version?: unknown };
    meta?: { name?: unknown };
  } | null;
  const { encoding } = file ?? {};
  const has = (list: unknown, word: string) => (Array.isArray(list) ? list : [list]).includes(word);
  if (typeof file?.encoded !== "string" || typeof file.address !== "string" || !encoding) {
    return "This file is no keystore: it has no encrypted key. Choose the file that your wallet exported.";
  }
  if (String(encoding.version) !== "3" || !has(encoding.type, "scrypt") || !has(encoding.type, "xsalsa20-poly1305")) {
    return "This keystore is not encrypted in the usual way (version 3, scrypt): export it anew from your wallet.";
  }
  if (!has(encoding.content, "sr25519")) return "This key is of another kind: HydraAI's accounts use sr25519.";
  const account = decodeAddress(file.address);
  const name = typeof file.meta?.name === "string" ? file.meta.name.slice(0, 60) : undefined;
  try {
    return { address: account ? encodeAddress(account) : "", name, encoded: bytesOfBase64(file.encoded) };
  } catch {
    return "This keystore is damaged: its key isn't base 64. Export it anew from your wallet.";
  }
}

const DAMAGED = "This keystore is damaged: its key is cut off. Export it anew from your wallet.";

/** The key, or what is wrong. Takes half a second, on purpose: so guessing the password takes long. */
export async function unlock(keystore: Keystore, password: string): Promise<Key | string> {
  const { encoded } = keystore;
  if (encoded.length < SALT + 12 + NONCE + 16) return DAMAGED;
  const view = new DataView(encoded.buffer, encoded.byteOffset);
  const [N, p, r] = [view.getUint32(SALT, true), view.getUint32(SALT + 4, true), view.getUint32(SALT + 8, true)];
  if (r !== BLOCKS || !COSTS.some(([power = 0, parallel]) => N === 1 << power && p === parallel)) {
    return "This keystore asks for more work than any wallet's: it is damaged, or somebody made it to keep this PC busy.";
  }
  const words = new TextEncoder().encode(password);
  let stretched: Uint8Array;
  try {
    stretched = await scryptAsync(words, encoded.subarray(0, SALT), { N, r, p, dkLen: 64, asyncTick: 20 });
  } finally {
    words.fill(0);
  }
  const rest = encoded.subarray(SALT + 12);
  let opened: Uint8Array;
  try {
    opened = xsalsa20poly1305(stretched.subarray(0, 32), rest.subarray(0, NONCE)).decrypt(rest.subarray(NONCE));
  } catch {
    return "The password is wrong.";
  } finally {
    stretched.fill(0);
  }
  const key = parse(opened);
  opened.fill(0);
  if (typeof key === "string") return key;
  if (keystore.address && keystore.address !== key.address) {
    key.secretKey.fill(0);
    return "This keystore is damaged: its key belongs to another address than it says.";
  }
  return key;
}

function parse(opened: Uint8Array): Key | string {
  const [secretAt, dividerAt] = [HEADER.length, HEADER.length + SECRET];
  const publicAt = dividerAt + DIVIDER.length;
  if (opened.length !== publicAt + PUBLIC || !sameBytes(opened.subarray(0, secretAt), HEADER)) return DAMAGED;
  if (!sameBytes(opened.subarray(dividerAt, publicAt), DIVIDER)) return DAMAGED;
  const publicKey = opened.slice(publicAt);
  return { address: encodeAddress(publicKey), publicKey, secretKey: opened.slice(secretAt, dividerAt) };
}
