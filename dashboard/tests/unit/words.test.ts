import assert from "node:assert/strict";
import { test } from "node:test";
import type { Asked, Happening, Snapshot } from "../../src/chain/types";
import type { TrainerStatus } from "../../src/trainer";
import { type Part, newsOf, say } from "../../src/words/happening";
import { type Seen, doing, nextOf, notices, taskOf } from "../../src/words/state";

const HYDRA = 1_000_000_000_000n;
const tally = { accept: 0.25, reject: 0.75, unavailable: 0 };
const piece = (part: Part): string => {
  if (typeof part === "string") return part;
  if ("who" in part) return `@${part.who}`;
  if ("block" in part) return `block:${part.block}`;
  if ("referendum" in part) return `referendum:${part.referendum}`;
  return "version" in part ? `version:${part.version}` : `#${part.round}`;
};
const text = (it: Happening) => say(it).parts.map(piece).join("");

test("why a result was rejected is one sentence with numbers of PCs, where they were seen", () => {
  const rejected = { kind: "rejected", who: "bob", model: 0, round: 12, tally } as const;
  const votes = { members: 20, accept: 6, unavailable: 0, reject: { LossAfterDiffers: 13, ScoreDiffers: 1 } };
  assert.equal(
    text({ ...rejected, votes }),
    "@bob’s result of #12 was rejected: 14 of 20 PCs computed another result: its loss after training is another one than they computed.",
  );
  assert.equal(text(rejected), "@bob’s result of #12 was rejected: 75 % of the voting weight computed another result.");
  assert.match(text({ ...rejected, votes: { ...votes, reject: { NewReason: 14 } } }), /a check failed \(NewReason\)/);
});

test("what somebody earned says for what and who checked it", () => {
  const votes = { members: 3, accept: 3, unavailable: 0, reject: {} };
  const accepted: Happening = { kind: "accepted", who: "alice", model: 0, round: 4, reward: HYDRA, tally, votes };
  assert.equal(text(accepted), "@alice earned 1 HYDRA: its result of #4 was accepted, checked by 3 of 3 PCs.");
});

test("what several earned is one right sentence, whether single votes were seen or not", () => {
  const accepted = { kind: "accepted", model: 0, round: 4, reward: HYDRA, tally: { accept: 1, reject: 0, unavailable: 0 } } as const;
  const votes = { members: 3, accept: 3, unavailable: 0, reject: {} };
  const [unseen] = newsOf([{ ...accepted, who: "a" }, { ...accepted, who: "b" }]);
  const [seen] = newsOf([{ ...accepted, who: "a", votes }, { ...accepted, who: "b", votes }]);
  assert(unseen && seen);
  assert.equal(
    text(unseen),
    "@a and @b earned 1 HYDRA each: their results of #4 were accepted, each with 100 % of the voting weight in favour.",
  );
  assert.equal(text(seen), "@a and @b earned 1 HYDRA each: their results of #4 were accepted, each checked by 3 of 3 PCs.");
  assert.equal(
    text({ ...accepted, who: "a" }),
    "@a earned 1 HYDRA: its result of #4 was accepted, with 100 % of the voting weight in favour.",
  );
});

test("no sentence has an exclamation mark, and each ends", () => {
  const all: Happening[] = [
    { kind: "undecided", who: "a", model: 0, round: 1, tally },
    { kind: "confirmed", model: 0, version: 3, score: { correct: 9, total: 10 } },
    { kind: "settled", model: 0, round: 1, accepted: 1, rejected: 0, undecided: 0 },
    { kind: "opened", model: 0, round: 1, version: 1 },
    { kind: "extended", model: 0, round: 1, until: 9 },
    { kind: "phase", model: 0, round: 1, phase: "Verify", until: 9 },
    { kind: "proposed", who: "a", model: 0, round: 1, shard: 2 },
    { kind: "attested", who: "a", model: 0, version: 1 },
    { kind: "revealed", who: "a", proposer: "b", model: 0, round: 1, verdict: "Accept", reason: "" },
    { kind: "asked", who: "a", model: 0, version: 1, price: HYDRA / 2n, request: "" },
    { kind: "claimed", who: "a", model: 0, amount: HYDRA },
    { kind: "sent", from: "a", to: "b", amount: HYDRA },
    { kind: "registered", who: "a" },
    { kind: "bonded", who: "a", amount: HYDRA, total: HYDRA },
    { kind: "inactive", who: "a" },
    { kind: "failed", reason: "StakeVoting: NothingToBond" },
    ...(["submitted", "deciding", "confirming", "unconfirmed", "approved", "rejected", "timed-out", "cancelled", "killed"] as const).map(
      (step): Happening => ({ kind: "referendum", index: 3, step }),
    ),
    { kind: "deposited", who: "a", index: 3, amount: HYDRA },
    { kind: "voted", who: "a", index: 3, aye: HYDRA, nay: 0n, abstain: 0n, times: 1 },
    { kind: "enacted", index: 3, failure: undefined },
    { kind: "enacted", index: undefined, failure: "BadOrigin" },
    { kind: "upgraded" },
    { kind: "model-added", model: 1 },
  ];
  for (const it of all) {
    assert(!text(it).includes("!"), text(it));
    assert.match(text(it), /\.$/);
  }
});

test("the transfer behind a question is told once, as the question", () => {
  const asked: Happening = { kind: "asked", who: "a", model: 0, version: 1, price: HYDRA / 2n, request: "" };
  const sent: Happening = { kind: "sent", from: "a", to: "pot", amount: HYDRA / 2n };
  assert.deepEqual(newsOf([asked, sent]), [asked]);
  assert.deepEqual(newsOf([sent]), [sent]);
});

const status: TrainerStatus = {
  version: "0.1.0",
  account: null,
  standing: "ready",
  peer_id: "12D3",
  listen: [],
  peers: [],
  engine: { state: "ready", reason: null },
  models: [
    {
      model: 0,
      version: 4,
      weights: null,
      state: "training",
      round: 5,
      phase: "train",
      task: "round 5 on shard 2",
      progress: { done: 19, total: 30 },
      waiting: { measure: 0, train: 1, verify: 0 },
    },
  ],
  last_sheet: { block: 9, seconds_ago: 1 },
  clock: null,
  warnings: [],
  errors: [],
  node_rpc_port: 9944,
};
const [work] = status.models;
const snapshot = {
  best: { hash: "0x1", number: 100 },
  finalised: { hash: "0x0", number: 98 },
  time: 1_000_000,
  slotMs: 2000,
  syncing: false,
  highest: undefined,
  reached: undefined,
  syncLeftMs: undefined,
  clock: undefined,
  me: undefined,
} as unknown as Snapshot;
const seen = (change: Partial<Seen>): Seen => ({
  chain: { is: "up" },
  trainer: { is: "up" },
  snapshot,
  governance: undefined,
  status,
  replaced: false,
  now: 1_001_000,
  ...change,
});
const kinds = (change: Partial<Seen>) => notices(seen(change)).map((notice) => notice.kind);

test("where everything is well nothing is said", () => {
  assert.deepEqual(kinds({}), []);
});

test("each state that lasts has its sentence", () => {
  assert.deepEqual(kinds({ chain: { is: "starting" }, snapshot: undefined }), ["starting"]);
  assert.deepEqual(kinds({ snapshot: { ...snapshot, syncing: true, highest: 900 } }), ["syncing"]);
  assert.deepEqual(kinds({ chain: { is: "away", since: 1 } }), ["node-away"]);
  assert.deepEqual(kinds({ chain: { is: "other" }, snapshot: undefined }), ["other-chain"]);
  assert.deepEqual(kinds({ trainer: { is: "away", since: 1 } }), ["trainer-away"]);
  assert.deepEqual(kinds({ chain: { is: "strange", reason: "x" } }), ["update-needed"]);
  assert.deepEqual(kinds({ snapshot: { ...snapshot, clock: { offsetMs: 35_000, warning: undefined } } }), ["wrong-clock"]);
  assert.deepEqual(kinds({ status: { ...status, paused: { since_ms: 1, reason: "You asked for it." } } }), ["paused"]);
  assert.deepEqual(kinds({ now: 1_200_000 }), ["quiet"]);
  assert.deepEqual(kinds({ replaced: true }), ["update-needed"]);
  assert.deepEqual(kinds({ status: { ...status, warnings: ["the disk is nearly full"] } }), ["warning"]);
  const poor = { address: "5", funds: { free: 0n, held: 0n, spendable: 0n }, member: undefined, parts: new Map(), underVote: 0n };
  assert.deepEqual(kinds({ snapshot: { ...snapshot, me: poor } }), ["no-coins"]);
  assert.match(notices(seen({ snapshot: { ...snapshot, me: poor } }))[0]?.text ?? "", /`hydra invite ADDRESS`/);
});

test("how long catching up takes is said where it is known", () => {
  const catching = { ...snapshot, syncing: true, highest: 1_900, reached: 700 };
  const said = (left: number | undefined) => notices(seen({ snapshot: { ...catching, syncLeftMs: left } }))[0]?.text ?? "";
  assert.match(said(240_000), /^1,200 blocks are missing, about 4 min at this speed\. /);
  assert.match(said(undefined), /^1,200 blocks are missing\. /);
});

test("a change of the rules that was approved is told of with its block and what it is", () => {
  const asked: Asked = { is: "known", calls: [{ name: "System.set_code", about: undefined }], there: true };
  const planned = { block: 130, referendum: 3, root: true, asked };
  const governance = { at: 100, ongoing: [], strange: [], decided: [], planned: [planned] };
  const [notice] = notices(seen({ governance }));
  assert(notice);
  assert.equal(notice.kind, "rules-change");
  assert.equal(notice.head, "The rules change at block 130, within the hour");
  assert.equal(notice.text, "Referendum 3 was approved. It replaces the runtime, which has the rules.");
  assert.deepEqual(notice.more?.to, { view: "referendum", index: 3 });
  const days = { ...governance, planned: [{ ...planned, block: 200_100 }] };
  assert.match(notices(seen({ governance: days }))[0]?.head ?? "", /^The rules change at block 200,100, about \d{4}-\d\d-\d\d \d\d:\d0$/);
  // What is over, or has less power than root, changes no rules to come.
  assert.deepEqual(kinds({ governance: { ...governance, planned: [{ ...planned, block: 100 }] } }), []);
  assert.deepEqual(kinds({ governance: { ...governance, planned: [{ ...planned, root: false }] } }), []);
  assert.deepEqual(kinds({ governance: "strange" }), []);
});

test("a node that is away says since when, and from which block the rest is", () => {
  const [notice] = notices(seen({ chain: { is: "away", since: Date.UTC(2026, 0, 1) } }));
  assert.match(notice?.head ?? "", /away since \d\d:\d\d:\d\d/);
  assert.match(notice?.text ?? "", /from block 100\./);
});

test("what this PC does, how far it is and what comes next", () => {
  assert.equal(doing({ status, trainer: { is: "up" }, snapshot }), "Training");
  assert.equal(taskOf(work), "round 5 on shard 2, 63 %");
  assert.equal(doing({ status, trainer: { is: "away", since: 1 }, snapshot }), "Away");
  assert(work);
  const model = { phase: "Train", phaseEndsAt: 103 } as never;
  assert.equal(nextOf(work, model, 100), "check others’ results, within 3 blocks");
  const checking = { ...work, state: "idle" as const, waiting: { measure: 0, train: 0, verify: 2 } };
  assert.equal(nextOf(checking, model, 100), "check 2 results of others");
});
