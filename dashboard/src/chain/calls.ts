/** What a call is, by its name, with the one argument that says most. Must never fail over a call that is new. */
import type { HydraApi, Variant } from "./api";
import { NotUnderstood, hexOf, numberOf, record, textOf } from "./raw";
import type { Call } from "./types";

/** What a batch of calls is called. */
export const BATCHES = ["batch", "batch_all", "force_batch"];
/** A batch in a batch in a batch says no more to anybody. */
const DEPTH = 4;
/** Calls of one batch that are named. */
const NAMED = 20;

/** What the results of a duty are called. */
const RESULTS: Record<string, [one: string, more: string]> = {
  Heartbeat: ["heartbeat", "heartbeats"],
  Propose: ["proposal", "proposals"],
  Digest: ["digest", "digests"],
  Open: ["opening", "openings"],
};

/** What a submission brings: `3 digests`, `1 heartbeat`. Nothing for other calls. */
export function submitted(call: Variant): string[] {
  if (call.type !== "submit") return [];
  const results = record(call.value, "submission")["results"];
  if (!Array.isArray(results)) return [];
  const kinds = results.map((one: Variant) => one.type);
  return [...new Set(kinds)].map((kind) => {
    const times = kinds.filter((other) => other === kind).length;
    const [one, more] = RESULTS[kind] ?? [kind, kind];
    return `${times} ${times === 1 ? one : more}`;
  });
}

type Arguments = Record<string, unknown>;

/** By call, what of its arguments people need to know. */
const ABOUT: Record<string, (given: Arguments) => string> = {
  "HydraToken.set_sponsor": (given) => String(numberOf(given["model"], "model")),
  "Referenda.cancel": (given) => String(numberOf(given["index"], "referendum")),
  "Referenda.kill": (given) => String(numberOf(given["index"], "referendum")),
  "System.authorize_upgrade": (given) => hexOf(given["code_hash"], "hash"),
  "System.authorize_upgrade_without_checks": (given) => hexOf(given["code_hash"], "hash"),
  "TrainingProposals.add_model": (given) => textOf(record(given["dataset"], "data set")["name"], "data set"),
};

function about(name: string, given: unknown): string | undefined {
  try {
    return ABOUT[name]?.(record(given, name));
  } catch {
    // Its arguments have changed: its name is still true.
    return undefined;
  }
}

/** The calls that this one makes: itself, or what is in it. */
export function callsIn(call: Variant, depth = 0): Call[] {
  const { type, value } = record(call.value, "call") as unknown as Variant;
  const name = `${call.type}.${type}`;
  const inner = BATCHES.includes(type) && depth < DEPTH ? record(value, name)["calls"] : undefined;
  if (Array.isArray(inner)) {
    return inner.slice(0, NAMED).flatMap((one: Variant) => callsIn(one, depth + 1)).slice(0, NAMED);
  }
  return [{ name, about: about(name, value) }];
}

/** What these bytes call, in the words of the runtime at this block; `undefined` if it knows no such call. */
export async function read(api: HydraApi, bytes: Uint8Array, at: string): Promise<Call[] | undefined> {
  try {
    return callsIn((await api.txFromCallData(bytes, { at })).decodedCall);
  } catch (reason) {
    if (reason instanceof NotUnderstood || (reason instanceof Error && /invalid call data/.test(reason.message))) return undefined;
    // A connection that broke says nothing of the call.
    throw reason;
  }
}
