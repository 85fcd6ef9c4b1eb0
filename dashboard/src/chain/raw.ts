/** From the node's values to plain ones: each function refuses what is not of the shape that it expects. */
import { fromHex, toHex } from "../format/hex";

/** The chain says something this page does not understand: one of the two is newer. */
export class NotUnderstood extends Error {
  constructor(what: string) {
    super(`this page does not understand the chain's ${what}`);
    this.name = "NotUnderstood";
  }
}

export function bytesOf(value: unknown, what: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === "string") return fromHex(value);
  if (Array.isArray(value) && value.every((byte) => typeof byte === "number")) return Uint8Array.from(value);
  throw new NotUnderstood(what);
}

export const hexOf = (value: unknown, what: string): string =>
  typeof value === "string" ? value : toHex(bytesOf(value, what));

export const textOf = (value: unknown, what: string): string =>
  typeof value === "string" && !value.startsWith("0x") ? value : new TextDecoder().decode(bytesOf(value, what));

export function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new NotUnderstood(what);
}

export function numberOf(value: unknown, what: string): number {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  throw new NotUnderstood(what);
}

export function bigintOf(value: unknown, what: string): bigint {
  if (typeof value === "bigint") return value;
  if (typeof value === "number") return BigInt(value);
  throw new NotUnderstood(what);
}

export function listOf(value: unknown, what: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw new NotUnderstood(what);
}

export function stringOf(value: unknown, what: string): string {
  if (typeof value === "string") return value;
  throw new NotUnderstood(what);
}

export function tagOf(value: unknown, what: string): string {
  return stringOf(record(value, what)["type"], what);
}

/** A 256-bit number: four words, the lowest first. */
export const wordsOf = (words: bigint[]): bigint =>
  words.reduceRight((sum, word) => (sum << 64n) | word, 0n);

/** A part of a whole, as a number from 0 to 1. */
export const share = (part: bigint, whole: bigint): number =>
  whole === 0n ? 0 : Number((part * 1_000_000n) / whole) / 1_000_000;

/** A value as one line of text, for people who look closely. */
export function written(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (value instanceof Uint8Array) return toHex(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value)) {
    // Bytes that came as numbers are still bytes.
    return `[${value.map(written).join(", ")}]`;
  }
  const fields = value as Record<string, unknown>;
  const names = Object.keys(fields);
  if (typeof fields["type"] === "string" && names.every((name) => name === "type" || name === "value")) {
    const inner = written(fields["value"]);
    return inner === "" ? fields["type"] : `${fields["type"]}(${inner})`;
  }
  return `{ ${names.map((name) => `${name}: ${written(fields[name])}`).join(", ")} }`;
}
