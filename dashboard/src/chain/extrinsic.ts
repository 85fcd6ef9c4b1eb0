/**
 * What an extrinsic says of itself, from its bytes: who signed it, and which part of it is the call.
 *
 * Knows the transaction extensions of HydraAI's runtime (`TxExtension` in `runtime/src/lib.rs`): era, nonce, tip, and the
 * mode of the metadata hash are the only ones with bytes.
 */
import { blake2b } from "@noble/hashes/blake2.js";
import { encodeAddress } from "../format/address";
import { toHex } from "../format/hex";

/** An extrinsic without its envelope. */
export interface Opened {
  hash: string;
  signer: string | undefined;
  nonce: number | undefined;
  tip: bigint;
  call: Uint8Array;
}

class Reader {
  constructor(
    private readonly bytes: Uint8Array,
    private at = 0,
  ) {}

  take(length: number): Uint8Array {
    if (this.at + length > this.bytes.length) throw new Error("an extrinsic is cut off");
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  byte(): number {
    return this.take(1)[0] ?? 0;
  }

  compact(): bigint {
    const first = this.byte();
    const mode = first & 3;
    if (mode === 3) return little(this.take((first >> 2) + 4));
    const rest = this.take([0, 1, 3][mode] ?? 0);
    return little(Uint8Array.from([first, ...rest])) >> 2n;
  }

  rest(): Uint8Array {
    return this.take(this.bytes.length - this.at);
  }
}

const little = (bytes: Uint8Array): bigint =>
  bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);

/** Bytes of a signature, by its kind: ed25519, sr25519, ecdsa. */
const SIGNATURES = [64, 64, 65];

export const hashOf = (extrinsic: Uint8Array): string => toHex(blake2b(extrinsic, { dkLen: 32 }));

/** `extrinsic` as it stands in a block's body, with its length in front. */
export function open(extrinsic: Uint8Array): Opened {
  const reader = new Reader(extrinsic);
  reader.compact();
  const version = reader.byte();
  const opened: Opened = { hash: hashOf(extrinsic), signer: undefined, nonce: undefined, tip: 0n, call: new Uint8Array() };
  if ((version & 0b1000_0000) !== 0) {
    if (reader.byte() !== 0) throw new Error("a signer that is no account");
    opened.signer = encodeAddress(reader.take(32));
    reader.take(SIGNATURES[reader.byte()] ?? 64);
    if (reader.byte() !== 0) reader.byte();
    opened.nonce = Number(reader.compact());
    opened.tip = reader.compact();
    reader.byte();
  }
  opened.call = reader.rest().slice();
  return opened;
}
