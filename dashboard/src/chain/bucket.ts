/** What is in the bucket that rewards are paid from: `Level::filled` of `pallets/hydra-token`, and `Emission` of the primitives. */
import { bigintOf, numberOf, record } from "./raw";

/** Halvings after which nothing is left of any amount. */
const HALVINGS = 128;

/** What all blocks from 1 to `block` bring. */
function until(perBlock: bigint, halving: number, block: number): bigint {
  if (halving === 0) return perBlock * BigInt(block);
  const eras = Math.floor(block / halving);
  let sum = 0n;
  for (let era = 0; era < Math.min(eras, HALVINGS); era++) sum += (perBlock >> BigInt(era)) * BigInt(halving);
  return eras >= HALVINGS ? sum : sum + (perBlock >> BigInt(eras)) * BigInt(block % halving);
}

/** What is in it at block `now`, from what storage has of it, of the block in which something was last paid. */
export function filled(raw: unknown, now: number, cap: bigint): bigint {
  const level = record(raw, "bucket");
  const emission = record(level["emission"], "bucket");
  const [perBlock, halving] = [bigintOf(emission["per_block"], "bucket"), numberOf(emission["halving"], "bucket")];
  const at = numberOf(level["at"], "bucket");
  const more = now > at ? until(perBlock, halving, now) - until(perBlock, halving, at) : 0n;
  const left = cap - bigintOf(level["flowed"], "bucket");
  return bigintOf(level["has"], "bucket") + (more < left ? more : left > 0n ? left : 0n);
}
