/** Bytes and their hexadecimal digits. */

export function toHex(bytes: Uint8Array): string {
  let text = "0x";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

/** The bytes that the digits name; an error if they are none. */
export function fromHex(text: string): Uint8Array {
  const digits = text.startsWith("0x") ? text.slice(2) : text;
  if (digits.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(digits)) throw new Error("not hexadecimal digits");
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index]);

/** Enough of a hash to compare by eye. */
export function shortHash(hash: string): string {
  const digits = hash.replace(/^0x/, "");
  return digits.length > 14 ? `${digits.slice(0, 8)}…${digits.slice(-4)}` : digits;
}
