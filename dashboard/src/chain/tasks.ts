/**
 * The names under which the scheduler keeps the calls of approved referenda: `schedule_enactment` of `pallet-referenda`.
 */
import { blake2b } from "@noble/hashes/blake2.js";
import { toHex } from "../format/hex";

/** Referenda among which the owner of a name is looked for: so many are looked through in a tenth of a second. */
const LOOKED_AT = 10_000;

/** `assembly`, then the length of the next word and the word, as SCALE has them. */
const HEAD = new TextEncoder().encode("assembly\u0024enactment");

/** The name of the call of the referendum with this number. */
export function taskName(index: number): string {
  const bytes = new Uint8Array(HEAD.length + 4);
  bytes.set(HEAD);
  new DataView(bytes.buffer).setUint32(HEAD.length, index, true);
  return toHex(blake2b(bytes, { dkLen: 32 }));
}

/** The referendum whose call has this name; `undefined` if it is nobody's that is known. */
export function referendumOf(name: string): number | undefined {
  for (let index = 0; index < LOOKED_AT; index++) {
    if (taskName(index) === name) return index;
  }
  return undefined;
}
