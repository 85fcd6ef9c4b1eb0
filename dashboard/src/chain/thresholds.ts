/** What a referendum needs, as it falls while it is being decided: the curves of `pallet-referenda`. */
import type { Variant } from "./api";
import { bigintOf, numberOf, record } from "./raw";

const PERBILL = 1_000_000_000;
/** A share, as exactly as the chain has it. */
const within = (value: number): number => Math.round(Math.min(1, Math.max(0, value)) * PERBILL) / PERBILL;

/** The share that a curve asks for where `x` of the decision period is over; `undefined` for a curve that is new. */
export function threshold(curve: Variant, x: number): number | undefined {
  try {
    const given = record(curve.value, "curve");
    const share = (name: string) => numberOf(given[name], "curve") / PERBILL;
    const fixed = (name: string) => Number(bigintOf(given[name], "curve")) / PERBILL;
    switch (curve.type) {
      case "LinearDecreasing": {
        const length = share("length");
        const passed = length === 0 ? 1 : Math.min(x, length) / length;
        return within(share("ceil") - passed * (share("ceil") - share("floor")));
      }
      case "SteppedDecreasing": {
        const steps = Math.floor(x / share("period"));
        return within(Math.max(share("end"), share("begin") - steps * share("step")));
      }
      case "Reciprocal":
        return within(fixed("factor") / (x + fixed("x_offset")) + fixed("y_offset"));
    }
  } catch {
    // Of another shape than this page knows.
  }
  return undefined;
}
