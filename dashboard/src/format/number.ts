/** Figures as people read them. */

/** `182,336` */
export const count = (value: number | bigint): string =>
  value.toString().replace(/\B(?=(\d{3})+$)/g, ",");

/** A share from 0 to 1 as `97.22 %`; a dash where there is none. */
export function percent(share: number | undefined, digits = 2): string {
  return share === undefined || !Number.isFinite(share) ? "–" : `${(share * 100).toFixed(digits)} %`;
}

/** One or several: `1 PC`, `3 PCs`. */
export const several = (value: number, one: string, more = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : more}`;

export function bytes(size: number): string {
  if (size < 1000) return several(size, "byte");
  const units = ["kB", "MB", "GB", "TB"];
  let value = size / 1000;
  let unit = 0;
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toFixed(1)} ${units[unit] ?? ""}`;
}
