/** Blocks as people look at them: by number or hash, with extrinsics and what happened. */
import { toHex } from "../format/hex";
import type { HydraApi, RawEvent, Variant } from "./api";
import { BATCHES, submitted } from "./calls";
import type { PollBook } from "./book";
import { events } from "./events";
import { hashOf, open } from "./extrinsic";
import type { Link } from "./link";
import { record, written } from "./raw";
import type { Block, BlockNews, Extrinsic } from "./types";

/** The hash of the block with this number or hash; `undefined` if the node knows none. */
export async function find(link: Link, id: string): Promise<string | undefined> {
  if (id.startsWith("0x")) return id;
  const hash = await link.request<string | null>("chain_getBlockHash", [Number(id)]);
  return hash ?? undefined;
}

/** The hashes of a block's transactions. */
export const transactions = async (link: Link, hash: string): Promise<string[]> =>
  (await link.client.getBlockBody(hash)).map(hashOf);

async function decoded(api: HydraApi, call: Uint8Array, at: string): Promise<Pick<Extrinsic, "call" | "inner" | "input">> {
  try {
    const { type, value } = (await api.txFromCallData(call, { at })).decodedCall;
    return { call: `${type}.${value.type}`, inner: inner(value), input: written(value.value) };
  } catch {
    // Of a runtime that had other calls, or too old for its metadata to be there.
    return { call: "unknown", inner: [], input: toHex(call) };
  }
}

function inner(value: Variant): string[] {
  if (BATCHES.includes(value.type)) {
    const calls = record(value.value, "batch")["calls"];
    return Array.isArray(calls)
      ? calls.map((one: Variant) => `${one.type}.${(one.value as Variant | undefined)?.type ?? ""}`)
      : [];
  }
  return submitted(value);
}

async function extrinsic(api: HydraApi, bytes: Uint8Array, index: number, at: string): Promise<Extrinsic> {
  const opened = open(bytes);
  return {
    index,
    hash: opened.hash,
    signer: opened.signer,
    nonce: opened.nonce,
    tip: opened.tip,
    bytes: bytes.length,
    ...(await decoded(api, opened.call, at)),
  };
}

/** The time that an extrinsic sets, if it is the one that does. */
export async function timeOfInherent(api: HydraApi, bytes: Uint8Array, at: string): Promise<number | undefined> {
  return timeIn([await extrinsic(api, bytes, 0, at)]);
}

/** The time in a block's body, which is there when its state is long gone. */
export function timeIn(extrinsics: Extrinsic[]): number | undefined {
  const set = extrinsics.find((one) => one.call === "Timestamp.set");
  const digits = set && /now: (\d+)/.exec(set.input)?.[1];
  return digits ? Number(digits) : undefined;
}

/** `book` knows what the polls of recent blocks are about. */
export async function block(link: Link, hash: string, book: PollBook): Promise<Block> {
  const { client, api } = link;
  const header = await client.getBlockHeader(hash);
  // Genesis has no body worth the name, and old blocks may have lost it.
  const body = await client.getBlockBody(hash);
  const extrinsics = await Promise.all(body.map((bytes, index) => extrinsic(api, bytes, index, hash)));
  const raw = await state(api, hash);
  return {
    hash,
    number: header.number,
    parent: header.parentHash,
    time: timeIn(extrinsics),
    extrinsics,
    events: raw && events(raw, book),
  };
}

/** The events, if the node still keeps that block's state. */
async function state(api: HydraApi, at: string): Promise<RawEvent[] | undefined> {
  try {
    return await api.query.System.Events.getValue({ at });
  } catch {
    return undefined;
  }
}

/** What the list of recent blocks shows. */
export async function news(api: HydraApi, ref: { hash: string; number: number }, book: PollBook): Promise<BlockNews> {
  const [raw, time] = await Promise.all([
    api.query.System.Events.getValue({ at: ref.hash }),
    api.query.Timestamp.Now.getValue({ at: ref.hash }),
  ]);
  const seen = events(raw, book);
  const extrinsics = new Set(seen.map((event) => event.extrinsic).filter((index) => index !== undefined));
  return { ...ref, time: time > 0n ? Number(time) : undefined, extrinsics: extrinsics.size, events: seen };
}
