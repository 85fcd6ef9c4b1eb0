/** That nothing our pallets say is without words here: what they say is read in their sources. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { PollBook } from "../../src/chain/book";
import { READINGS, events } from "../../src/chain/events";
import { DOES, does } from "../../src/words/calls";
import { ERRORS } from "../../src/words/errors";
import { type Part, say } from "../../src/words/happening";

const PALLETS = { Reputation: "reputation", StakeVoting: "stake-voting", TrainingProposals: "training-proposals", HydraToken: "hydra-token" };

const sourceOf = (folder: string): string => readFileSync(`${process.env["HYDRA_PALLETS"] ?? "../pallets"}/${folder}/src/lib.rs`, "utf8");

/** What is between the braces of an enum of a pallet. */
function bodyOf(source: string, head: string): string {
  const begin = source.indexOf(head);
  assert(begin >= 0, `no ${head}`);
  return source.slice(begin, source.indexOf("\n    }", begin));
}

interface Declared {
  name: string;
  fields: [name: string, type: string][];
}

/** The events of a pallet, with their fields. */
function eventsOf(source: string): Declared[] {
  const body = bodyOf(source, "pub enum Event<T: Config> {");
  return [...body.matchAll(/^ {8}([A-Z]\w+)(?: \{\n([\s\S]*?)\n {8}\})?,$/gm)].map(([, name = "", inside = ""]) => ({
    name,
    fields: [...inside.matchAll(/^ {12}(\w+): (.+),$/gm)].map(([, field = "", type = ""]): [string, string] => [field, type]),
  }));
}

const errorsOf = (source: string): string[] =>
  [...bodyOf(source, "pub enum Error<T> {").matchAll(/^ {8}([A-Z]\w+),$/gm)].map(([, name = ""]) => name);

const callsOf = (source: string): string[] =>
  [...source.matchAll(/#\[pallet::call_index\(\d+\)\][\s\S]*?pub fn (\w+)\(/g)].map(([, name = ""]) => name);

const HASH = `0x${"ab".repeat(32)}`;
const score = { correct: 9, total: 10, loss: 1 };
const tagged = (type: string, value?: unknown) => ({ type, value });

/** A value of each type that our events have, as the node's metadata has it decoded. */
const SAMPLES: Record<string, unknown> = {
  "T::AccountId": "alice",
  Balance: 5_000_000_000_000n,
  BlockNumber: 12,
  Claim: { base: HASH, update: { hash: HASH, size: 4n } },
  Decision: tagged("Found", tagged("Version", { weights: HASH, score })),
  Deed: tagged("Missed"),
  DispatchError: tagged("Module", tagged("Reputation", tagged("NoHeartbeatOwed"))),
  Draw: tagged("Appeal"),
  Finding: tagged("NotFinite"),
  H256: HASH,
  ModelId: 0,
  Outcome: tagged("Rejected"),
  PeerIdBytes: Uint8Array.of(0, 36),
  Perbill: 900_000_000,
  Permill: 900_000,
  Phase: tagged("Verify"),
  PlaceIndex: 3,
  PlaceKey: { model: 0, round: 4, place: 3 },
  PollId: HASH,
  Purpose: tagged("Verification", { model: 0, round: 4, extension: 0, place: 3, draw: tagged("First") }),
  RoundNumber: 4,
  Score: score,
  SeatVerdict: tagged("Wrong"),
  SessionIndex: 7,
  SizeClass: 8,
  Version: 5,
  Waiting: tagged("Room"),
  u32: 2,
  u64: 4_617_600n,
  u8: 64,
};

/** The value, and for what may be missing that it is. */
function samplesOf(type: string): unknown[] {
  const inner = /^Option<(.+)>$/.exec(type)?.[1];
  const name = inner ?? type;
  assert(name in SAMPLES, `a new type of field: ${name}`);
  return inner === undefined ? [SAMPLES[name]] : [SAMPLES[name], undefined];
}

const piece = (part: Part): string => (typeof part === "string" ? part : "X");

test("every event of our pallets has its sentence, in the fields that it has", () => {
  const declared: string[] = [];
  for (const [pallet, folder] of Object.entries(PALLETS)) {
    const all = eventsOf(sourceOf(folder));
    assert(all.length > 5, `the events of ${pallet} were found`);
    for (const { name, fields } of all) {
      declared.push(`${pallet}.${name}`);
      for (const which of [0, -1]) {
        const value = Object.fromEntries(fields.map(([field, type]) => [field, samplesOf(type).at(which)]));
        const raw = { phase: tagged("Finalization"), event: tagged(pallet, tagged(name, value)) };
        const [told] = events([raw as never], new PollBook());
        assert(told && told.happening.kind !== "other", `${pallet}.${name} has no sentence`);
        const sentence = say(told.happening).parts.map(piece).join("");
        assert.match(sentence, /^[^!]+\.$/);
        assert(!/undefined|NaN|\[object/.test(sentence), sentence);
      }
    }
  }
  // None is of an event that is no more.
  const ours = Object.keys(READINGS).filter((name) => (name.split(".")[0] ?? "") in PALLETS);
  assert.deepEqual(ours.sort(), declared.sort());
});

test("every error of our pallets has its words", () => {
  const declared = Object.entries(PALLETS).flatMap(([pallet, folder]) => errorsOf(sourceOf(folder)).map((name) => `${pallet}: ${name}`));
  assert(declared.length > 40);
  assert.deepEqual(Object.keys(ERRORS).sort(), declared.sort());
  for (const words of Object.values(ERRORS)) assert.match(words, /^[a-z`].*[^.!]$/);
});

test("every call of our pallets has its words", () => {
  const declared = Object.entries(PALLETS).flatMap(([pallet, folder]) => callsOf(sourceOf(folder)).map((name) => `${pallet}.${name}`));
  assert(declared.length > 10);
  const ours = Object.keys(DOES).filter((name) => (name.split(".")[0] ?? "") in PALLETS);
  assert.deepEqual(ours.sort(), declared.sort());
  for (const name of declared) assert.match(does({ name, about: undefined }), /^[a-z].*[^.!]$/);
});
