/**
 * A question to a model, as bytes: what is paid for is the hash of exactly these, and these are sent.
 *
 * Everybody sees the hash that was paid for. The salt keeps what was asked from whoever could guess it, and the payment from
 * whoever would use it.
 */
import { blake3 } from "@noble/hashes/blake3.js";
import type { Model } from "../chain";
import { count } from "../format/number";
import { toHex } from "../format/hex";

export type Image = { Readings: number[][] } | { ValidationIndex: number };

export interface Question {
  text: string;
  hash: string;
}

const byChance = (): Uint8Array => crypto.getRandomValues(new Uint8Array(32));

export function question(model: number, image: Image, salt: Uint8Array = byChance()): Question {
  const text = JSON.stringify({ model, image, salt: toHex(salt).slice(2) });
  return { text, hash: toHex(blake3(new TextEncoder().encode(text))) };
}

/** The held-out digit that was typed, if there is one, or what is wrong: nobody pays to ask about one that isn't there. */
export function heldOut(typed: string, model: Model): number | string {
  const text = typed.trim();
  if (!/^\d{1,9}$/.test(text)) return "The number of a held-out digit has figures only, such as 7.";
  // Every version is measured on all of them.
  const there = model.score?.total ?? 0;
  if (there === 0) return "How many held-out digits there are is not known yet. Draw one instead.";
  const index = Number(text);
  return index < there ? index : `There are ${count(there)} held-out digits: choose one from 0 to ${count(there - 1)}.`;
}
