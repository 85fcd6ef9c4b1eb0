/** Amounts of HYDRA: never through floating point. */

export const HYDRA = 1_000_000_000_000n;
const DECIMALS = 12;

const grouped = (digits: string): string => digits.replace(/\B(?=(\d{3})+$)/g, ",");

/** Exactly, without trailing zeros: `1,000,000.5`. */
export function exact(amount: bigint): string {
  if (amount < 0n) return `−${exact(-amount)}`;
  const fraction = (amount % HYDRA).toString().padStart(DECIMALS, "0").replace(/0+$/, "");
  return grouped((amount / HYDRA).toString()) + (fraction && `.${fraction}`);
}

/** To four decimals, rounded down, so that nobody seems to own more than they do; tiny amounts exactly. */
export function short(amount: bigint): string {
  if (amount < 0n) return `−${short(-amount)}`;
  const shown = HYDRA / 10_000n;
  return exact(amount > 0n && amount < shown ? amount : amount - (amount % shown));
}

/** With its unit. */
export const hydra = (amount: bigint): string => `${short(amount)} HYDRA`;
export const exactHydra = (amount: bigint): string => `${exact(amount)} HYDRA`;
