/** When a block is going to be made, if one is made in every slot from now on: the earliest that can be said. */
import type { Snapshot } from "./types";

export function timeOf(snapshot: Pick<Snapshot, "best" | "time" | "slotMs">, block: number): number | undefined {
  return snapshot.time === undefined ? undefined : snapshot.time + (block - snapshot.best.number) * snapshot.slotMs;
}
