/**
 * What an account earned by its own results since a time, from the records of rounds: who was paid what, and in which block.
 *
 * The chain keeps the last few hundred rounds only, so the answer says since when it counts. What checking others’ results
 * earns is on no record.
 */
import type { Round } from "./types";

/** Of what a place was quoted, what its holder gets: all but a fifth, which is its verifiers’. */
export const holdersPart = (reward: bigint): bigint => reward - reward / 5n;

export interface Earned {
  amount: bigint;
  accepted: number;
  /** The first block that counts. */
  sinceBlock: number;
  /** Whether the records go back to the time that was asked for. */
  complete: boolean;
}

/** Of rounds that were settled in block `since` or later. */
export function earned(rounds: Round[], who: string, since: number): Earned {
  let [amount, accepted] = [0n, 0];
  for (const round of rounds) {
    if (round.settledAt < since) continue;
    for (const place of round.places) {
      if (place.holder !== who || place.outcome !== "Accepted") continue;
      amount += place.reward;
      accepted += 1;
    }
  }
  const first = rounds[0];
  const complete = !first || first.round === 0 || first.settledAt <= since;
  return { amount, accepted, sinceBlock: complete ? since : first.openedAt, complete };
}

/**
 * The first block that was made at `time` or later, by halving: blocks' times only grow. `timeOf` gives a block's time,
 * `undefined` where it isn't known, which counts as long ago.
 */
export async function firstBlockSince(
  time: number,
  newest: number,
  timeOf: (number: number) => Promise<number | undefined>,
): Promise<number> {
  let [low, high] = [1, newest + 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const made = await timeOf(middle);
    if (made !== undefined && made >= time) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** When today began on this PC. */
export function startOfDay(now: number): number {
  const date = new Date(now);
  date.setHours(0, 0, 0, 0);
  return date.getTime();
}
