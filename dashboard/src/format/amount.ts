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

/**
 * The amount that a person typed, or what is wrong with it. A comma stands for decimals here and for thousands there: it is
 * taken for neither.
 */
export function parseAmount(typed: string): bigint | string {
  const text = typed.trim().replace(/\s*HYDRA$/i, "");
  if (text === "") return "Type an amount, such as 2.5.";
  if (text.includes(",")) return "Write the decimals after a point, and thousands without a comma: 2.5, or 2500.";
  const parts = /^(\d{1,20})(?:\.(\d+))?$/.exec(text);
  if (!parts) return "An amount has digits and at most one point, such as 2.5.";
  const [, whole = "0", fraction = ""] = parts;
  if (fraction.length > DECIMALS) return "HYDRA has at most 12 decimals.";
  return BigInt(whole) * HYDRA + BigInt(fraction.padEnd(DECIMALS, "0"));
}
