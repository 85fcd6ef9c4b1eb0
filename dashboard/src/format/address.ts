/**
 * Addresses (SS58). An account is shown as its address on this network, whatever it was typed as.
 *
 * Must never take an address whose check does not fit: money would go to nobody.
 */
import { blake2b } from "@noble/hashes/blake2.js";
import { decodeBase58, encodeBase58 } from "./base58";
import { fromHex } from "./hex";

/** What HydraAI's addresses begin with: Substrate's general prefix. */
export const PREFIX = 42;

const check = (prefixed: Uint8Array): Uint8Array => {
  const salt = new TextEncoder().encode("SS58PRE");
  return blake2b(Uint8Array.from([...salt, ...prefixed]), { dkLen: 64 }).subarray(0, 2);
};

export function encodeAddress(account: Uint8Array): string {
  const prefixed = Uint8Array.from([PREFIX, ...account]);
  return encodeBase58(Uint8Array.from([...prefixed, ...check(prefixed)]));
}

/** The account behind an address of this network; `undefined` if it is none. */
export function decodeAddress(address: string): Uint8Array | undefined {
  const bytes = decodeBase58(address.trim());
  if (!bytes || bytes.length !== 35 || bytes[0] !== PREFIX) return undefined;
  const [first, second] = check(bytes.subarray(0, 33));
  return bytes[33] === first && bytes[34] === second ? bytes.slice(1, 33) : undefined;
}

export const isAddress = (text: string): boolean => decodeAddress(text) !== undefined;

/** The address of an account that is given as 64 hexadecimal digits; `undefined` if it isn't one. */
export function addressOfHex(hex: string): string | undefined {
  try {
    const bytes = fromHex(hex);
    return bytes.length === 32 ? encodeAddress(bytes) : undefined;
  } catch {
    return undefined;
  }
}

/** Enough of an address to recognise it. */
export const shortAddress = (address: string): string =>
  address.length > 16 ? `${address.slice(0, 6)}…${address.slice(-4)}` : address;
