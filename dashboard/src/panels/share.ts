/** An account's part in the work that made a model, from 0 to 1. */
import type { Me } from "../chain";

export function shareOf(me: Me, model: number): number | undefined {
  const part = me.parts.get(model);
  return !part || part.of === 0n ? undefined : Number((part.shares * 1_000_000n) / part.of) / 1_000_000;
}
