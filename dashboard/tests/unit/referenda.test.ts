import assert from "node:assert/strict";
import { test } from "node:test";
import type { HydraApi, RawEvent, Variant } from "../../src/chain/api";
import { callsIn } from "../../src/chain/calls";
import { PollBook } from "../../src/chain/book";
import { events } from "../../src/chain/events";
import { Pace } from "../../src/chain/pace";
import { Referenda, type Terms, ongoing, tracksOf } from "../../src/chain/referenda";
import { referendumOf, taskName } from "../../src/chain/tasks";
import { threshold } from "../../src/chain/thresholds";
import type { Asked, Stage } from "../../src/chain/types";
import { deedOf, needed } from "../../src/words/governance";

const PERCENT = 10_000_000;
const HYDRA = 1_000_000_000_000n;
const linear = (ceil: number, floor: number) => ({
  type: "LinearDecreasing",
  value: { length: 100 * PERCENT, ceil: ceil * PERCENT, floor: floor * PERCENT },
});
/** As the metadata has it, whose lengths are those of a chain without a state. */
const TRACKS = [
  [
    0,
    {
      name: "root".padEnd(25, "\0"),
      decision_deposit: 100n * HYDRA,
      prepare_period: 720,
      decision_period: 120_960,
      min_approval: linear(66, 66),
      min_support: linear(50, 10),
    },
  ],
];
const LENGTHS = { root: { prepare: 2, decision: 60, confirm: 5, enactment: 5 }, vote_locking: 30 };
const terms: Terms = { tracks: tracksOf(TRACKS, LENGTHS), timeout: 1_000, issuance: 600n * HYDRA, now: 120 };

const CALL = { type: "Lookup", value: { hash: "0xaa", len: 7 } };
const status = (change: Record<string, unknown> = {}) => ({
  track: 0,
  origin: { type: "system", value: { type: "Root" } },
  proposal: CALL,
  submitted: 100,
  submission_deposit: { who: "eve", amount: HYDRA },
  decision_deposit: undefined,
  deciding: undefined,
  tally: { ayes: 30n * HYDRA, nays: 10n * HYDRA, support: 60n * HYDRA },
  in_queue: false,
  ...change,
});

test("how a referendum stands is read with the lengths of the state, not of the metadata", () => {
  const deposit = { who: "eve", amount: 100n * HYDRA };
  const stages: [Record<string, unknown>, Stage][] = [
    [{}, { is: "waiting", until: 1_100 }],
    [{ decision_deposit: deposit }, { is: "preparing", until: 102 }],
    [{ decision_deposit: deposit, in_queue: true }, { is: "queued" }],
    [{ decision_deposit: deposit, deciding: { since: 105, confirming: undefined } }, { is: "deciding", until: 165 }],
    [{ decision_deposit: deposit, deciding: { since: 105, confirming: 131 } }, { is: "confirming", until: 131 }],
  ];
  for (const [change, stage] of stages) assert.deepEqual(ongoing(3, status(change), terms).stage, stage);
  const read = ongoing(3, status({ decision_deposit: deposit, deciding: { since: 105, confirming: undefined } }), terms);
  assert.equal(read.track, "root");
  assert.equal(read.by, "eve");
  assert.equal(read.approval, 0.75);
  assert.equal(read.supportShare, 0.1);
  // A quarter of the time is over.
  assert.deepEqual(read.needs, { now: { approval: 0.66, support: 0.4 }, last: { approval: 0.66, support: 0.1 } });
  assert.equal(ongoing(3, status({ tally: { ayes: 0n, nays: 0n, support: 0n } }), terms).approval, undefined);
});

test("a track that is new leaves out what is needed, and nothing else", () => {
  const read = ongoing(3, status({ track: 7 }), terms);
  assert.equal(read.track, "7");
  assert.equal(read.needs, undefined);
  assert.equal(read.ayes, 30n * HYDRA);
});

test("thresholds fall as the pallet has them", () => {
  assert.equal(threshold(linear(50, 10), 0), 0.5);
  assert.equal(threshold(linear(50, 10), 0.5), 0.3);
  assert.equal(threshold(linear(50, 10), 1), 0.1);
  const half = { type: "LinearDecreasing", value: { length: 50 * PERCENT, ceil: 50 * PERCENT, floor: 10 * PERCENT } };
  assert.equal(threshold(half, 0.75), 0.1);
  const steps = { begin: 50 * PERCENT, end: 20 * PERCENT, step: 10 * PERCENT, period: 25 * PERCENT };
  assert.deepEqual([0, 0.3, 0.6, 1].map((x) => threshold({ type: "SteppedDecreasing", value: steps }, x)), [0.5, 0.4, 0.3, 0.2]);
  const curve = { factor: 100_000_000n, x_offset: 100_000_000n, y_offset: 0n };
  assert.equal(threshold({ type: "Reciprocal", value: curve }, 0), 1);
  assert.equal(threshold({ type: "Reciprocal", value: curve }, 0.9), 0.1);
  assert.equal(threshold({ type: "Wavy", value: {} }, 0.5), undefined);
  assert.equal(threshold({ type: "LinearDecreasing", value: undefined }, 0.5), undefined);
});

const call = (pallet: string, name: string, value: unknown = {}): Variant => ({ type: pallet, value: { type: name, value } });
const known = (...calls: Variant[]): Asked => ({ is: "known", calls: calls.flatMap((one) => callsIn(one)), there: true });

test("what a referendum asks for is said in words, and by its name where there are none", () => {
  const batch = call("Utility", "batch_all", {
    calls: [call("System", "set_code", { code: new Uint8Array(9) }), call("Referenda", "cancel", { index: 4 })],
  });
  assert.equal(deedOf(known(batch)), "replaces the runtime, which has the rules, then cancels referendum 4");
  const added = call("TrainingProposals", "add_model", { dataset: { name: new TextEncoder().encode("fashion") } });
  assert.equal(deedOf(known(added)), "adds a model, which learns “fashion”");
  // Its arguments are others than this page knows.
  assert.equal(deedOf(known(call("TrainingProposals", "add_model", { data: 1 }))), "adds a model");
  assert.equal(deedOf(known(call("Treasury", "spend"))), "calls Treasury.spend");
  assert.match(deedOf({ is: "missing" }), /only its hash/);
  assert.match(deedOf({ is: "known", calls: [{ name: "System.set_code", about: undefined }], there: false }), /were taken from the chain/);
  assert.equal(needed(0.4, 0.1), "needed: 40.0 % now, 10.0 % in the last block");
  assert.equal(needed(0.66, 0.66), "needed: 66.0 %");
});

const event = (pallet: string, name: string, value: unknown): RawEvent => ({
  phase: { type: "Finalization" },
  event: { type: pallet, value: { type: name, value } },
});
const happened = (pallet: string, name: string, value: unknown) => events([event(pallet, name, value)], new PollBook())[0]?.happening;

test("what happens to referenda is read from their events", () => {
  assert.deepEqual(happened("Referenda", "Confirmed", { index: 3, tally: {} }), { kind: "referendum", step: "approved", index: 3 });
  const standard = { type: "Standard", value: { vote: 0x81, balance: HYDRA } };
  assert.deepEqual(happened("ConvictionVoting", "Voted", { who: "a", vote: standard, poll_index: 3 }), {
    kind: "voted",
    who: "a",
    index: 3,
    aye: HYDRA,
    nay: 0n,
    abstain: 0n,
    times: 1,
  });
  const done = (id: unknown, result: unknown) => happened("Scheduler", "Dispatched", { task: [9, 0], id, result });
  const ok = { success: true, value: undefined };
  assert.deepEqual(done(taskName(3), ok), { kind: "enacted", index: 3, failure: undefined });
  const bad = { success: false, value: { type: "BadOrigin" } };
  assert.deepEqual(done(taskName(3), bad), { kind: "enacted", index: 3, failure: "BadOrigin" });
  // An alarm that referenda set for themselves.
  assert.deepEqual(done(undefined, ok), { kind: "other", name: "Scheduler.Dispatched" });
  assert.deepEqual(happened("System", "CodeUpdated", undefined), { kind: "upgraded" });
  assert.equal(referendumOf(taskName(1_234)), 1_234);
});

/** A chain that has these referenda and tasks, and counts what it is asked. */
function chainWith(infos: unknown[], agenda: { keyArgs: [number]; value: unknown }[] = [], before: unknown[] = infos) {
  const asked: number[][] = [];
  const status: { noted: boolean } = { noted: true };
  const value = <T>(it: T) => ({ getValue: async () => it });
  const api = {
    query: {
      Balances: { TotalIssuance: value(600n * HYDRA), InactiveIssuance: value(0n) },
      Governance: { Lengths: value(LENGTHS) },
      Preimage: {
        RequestStatusFor: { getValue: async () => (status.noted ? { type: "Unrequested", value: {} } : undefined) },
        PreimageFor: value(Uint8Array.of(1, 2, 3)),
      },
      Referenda: {
        ReferendumCount: value(infos.length),
        ReferendumInfoFor: {
          getValue: async (index: number) => before[index],
          getValues: async (keys: [number][]) => {
            asked.push(keys.map(([index]) => index));
            return keys.map(([index]) => infos[index]);
          },
        },
      },
      Scheduler: { Agenda: { getEntries: async () => agenda } },
    },
    constants: { Referenda: { Tracks: async () => TRACKS, UndecidingTimeout: async () => 1_000 } },
    txFromCallData: async (bytes: Uint8Array) => {
      if (bytes.length === 1) return { decodedCall: call("Referenda", "nudge_referendum", { index: 0 }) };
      return { decodedCall: call("System", "set_storage") };
    },
  };
  return { referenda: new Referenda(api as unknown as HydraApi, async () => "before"), asked, status };
}
const best = { hash: "0x1", number: 120 };
const underWay = { type: "Ongoing", value: status() };
const approved = { type: "Approved", value: [115, undefined, undefined] };

test("what is approved and planned is told with what it is, though the chain has forgotten", async () => {
  const root = { type: "system", value: { type: "Root" } };
  const models = { type: "Governance", value: { type: "Models" } };
  const task = { maybe_id: taskName(1), call: CALL, origin: root };
  const alarm = { maybe_id: undefined, call: { type: "Inline", value: Uint8Array.of(9) }, origin: root };
  const { referenda } = chainWith(
    [underWay, approved],
    [{ keyArgs: [140], value: [undefined, { ...task, maybe_id: undefined, origin: models }] }, { keyArgs: [125], value: [alarm, task] }],
    [underWay, underWay],
  );
  const now = await referenda.at(best, 110);
  const asked = { is: "known", calls: [{ name: "System.set_storage", about: undefined }], there: true } as const;
  assert.deepEqual(now.planned, [
    { block: 125, referendum: 1, root: true, asked },
    { block: 140, referendum: undefined, root: false, asked },
  ]);
  assert.deepEqual(now.ongoing.map(({ index, track }) => ({ index, track })), [{ index: 0, track: "root" }]);
  assert.deepEqual(now.ongoing[0]?.asked, asked);
  assert.equal(now.decided[0]?.verdict, "Approved");
  assert.deepEqual(now.decided[0]?.asked, asked);
  // The node has lost the state of the block before: what is planned is still known.
  const later = chainWith([underWay, approved], [{ keyArgs: [400], value: [task] }]).referenda;
  assert.deepEqual((await later.at({ hash: "0x1", number: 390 }, 380)).decided[0]?.asked, asked);
});

test("what a referendum was about is looked for in the block before it was decided", async () => {
  const rejected = { type: "Rejected", value: [115, undefined, undefined] };
  const { referenda } = chainWith([rejected], [], [underWay]);
  const [one] = (await referenda.at(best, 110)).decided;
  assert(one);
  assert.equal(one.track, "root");
  assert.equal(one.asked?.is, "known");
});

test("only what may still change is read again", async () => {
  const killed = { type: "Killed", value: 90 };
  const { referenda, asked } = chainWith([killed, underWay, approved]);
  await referenda.at(best, 110);
  await referenda.at({ hash: "0x2", number: 121 }, 110);
  // The approved one's block isn't final: it may be replaced.
  assert.deepEqual(asked, [[0, 1, 2], [1, 2]]);
});

test("a referendum that this page can't read hides none of the others", async () => {
  const fresh = { type: "Paused", value: {} };
  const broken = { type: "Ongoing", value: { track: 0 } };
  const { referenda } = chainWith([fresh, underWay, broken]);
  const now = await referenda.at(best, 110);
  assert.deepEqual(now.strange, [0, 2]);
  assert.deepEqual(now.ongoing.map(({ index }) => index), [1]);
});

test("bytes that are taken from the chain again are said to be gone", async () => {
  const { referenda, status: preimage } = chainWith([underWay]);
  preimage.noted = false;
  assert.deepEqual((await referenda.at(best, 110)).ongoing[0]?.asked, { is: "missing" });
  preimage.noted = true;
  assert.equal((await referenda.at(best, 110)).ongoing[0]?.asked.is, "known");
  preimage.noted = false;
  const gone = (await referenda.at(best, 110)).ongoing[0]?.asked;
  assert(gone?.is === "known");
  assert.equal(gone.there, false);
});

test("how long catching up takes is said of a steady speed only", () => {
  const pace = new Pace();
  pace.note(0, 0);
  pace.note(200, 2_000);
  // Two seconds are no measure.
  assert.equal(pace.left(10_000), undefined);
  for (let at = 4_000; at <= 20_000; at += 2_000) pace.note(at / 10, at);
  assert.equal(pace.left(10_000), 80_000);
  assert.equal(pace.left(undefined), undefined);
  assert.equal(pace.left(2_000), undefined);
  // It comes to a halt.
  for (let at = 22_000; at <= 34_000; at += 2_000) pace.note(2_000, at);
  assert.equal(pace.left(10_000), undefined);
  // It begins anew, with another chain.
  pace.note(5, 36_000);
  assert.equal(pace.left(10_000), undefined);
});
