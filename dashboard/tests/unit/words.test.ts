import assert from "node:assert/strict";
import { test } from "node:test";
import type { Asked, Happening, Me, Member, Model, Snapshot } from "../../src/chain/types";
import type { TrainerStatus } from "../../src/trainer";
import { type Part, isOfRound, newsOf, say } from "../../src/words/happening";
import { memoryOf, roomOf } from "../../src/words/room";
import { type Seen, doing, nextOf, notices, standingInFull, taskOf, underWay } from "../../src/words/state";

const HYDRA = 1_000_000_000_000n;
const POLL = `0x${"ab".repeat(32)}`;
const seats = { given: 14, seats: 20 };
const piece = (part: Part): string => {
  if (typeof part === "string") return part;
  if ("who" in part) return `@${part.who}`;
  if ("block" in part) return `block:${part.block}`;
  if ("poll" in part) return `[${part.text}]`;
  if ("referendum" in part) return `referendum:${part.referendum}`;
  return "version" in part ? `version:${part.version}` : `#${part.round}`;
};
const text = (it: Happening) => say(it).parts.map(piece).join("");

test("why a result was rejected is one sentence with numbers of seats, where they were seen", () => {
  const rejected = { kind: "rejected", who: "bob", model: 0, round: 12, place: 3, draw: "First", seats, forfeited: HYDRA } as const;
  assert.equal(text(rejected), "@bob’s result of #12 was rejected: 14 of 20 seats computed another result. It forfeited 1 HYDRA.");
  assert.equal(
    text({ ...rejected, seats: undefined, forfeited: 0n }),
    "@bob’s result of #12 was rejected: all seats of the first draw that gave a digest computed another result.",
  );
  // Of a later draw more than half is all that is known: others may have said otherwise.
  const appealed = { ...rejected, draw: "Appeal", seats: { given: 250, seats: 256 } } as const;
  assert.match(text(appealed), /more than half of the 256 seats of the appeal computed another result/);
  assert.match(text({ ...appealed, draw: "Last" }), /more than half of the 1,024 seats of the last draw/);
});

test("what somebody earned says for what, and what those got who checked it", () => {
  const earned: Happening = { kind: "earned", who: "alice", amount: (HYDRA * 4n) / 5n, verifiers: HYDRA / 5n };
  assert.equal(text(earned), "@alice earned 0.8 HYDRA: the version that its result went into is confirmed. Those who checked it got 0.2 HYDRA.");
  assert.equal(text({ ...earned, verifiers: 0n }), "@alice earned 0.8 HYDRA: the version that its result went into is confirmed.");
});

test("what is true of several is one right sentence, and of many the rest is counted", () => {
  const accepted = { kind: "accepted", model: 0, round: 4, place: 0, draw: "First", seats } as const;
  const of = (...who: string[]) => newsOf(who.map((one) => ({ ...accepted, who: one }))).map(text);
  assert.deepEqual(of("a"), ["@a’s result of #4 was accepted: 14 of 20 seats computed the same."]);
  assert.deepEqual(of("a", "b", "a"), ["Of #4, results of @a (2) and @b were accepted: of each, 14 of 20 seats computed the same."]);
  assert.match(of("a", "b", "c", "d", "e")[0] ?? "", /of @a, @b, @c, @d and @e were/);
  assert.match(of("a", "b", "c", "d", "e", "f")[0] ?? "", /of @a, @b, @c, @d and 2 others were/);
  const earned = { kind: "earned", amount: HYDRA, verifiers: 0n } as const;
  assert.deepEqual(newsOf([{ ...earned, who: "a" }, { ...earned, who: "b" }, { ...earned, who: "c", amount: 1n }]).map(text), [
    "@a and @b earned 1 HYDRA for each result of theirs: the version that it went into is confirmed.",
    "@c earned 0.000000000001 HYDRA: the version that its result went into is confirmed.",
  ]);
  assert.deepEqual(newsOf([{ kind: "left", who: "a", until: undefined }, { kind: "left", who: "b", until: undefined }, { kind: "left", who: "c", until: 9 }]).map(text), [
    "@a and @b are out until they are heard of again: each missed a duty.",
    "@c is out until session 9: it had a wrong result, or took stake away.",
  ]);
});

test("a forfeit says what it was for, and is told once", () => {
  const forfeited = { kind: "forfeited", who: "eve", amount: HYDRA } as const;
  const place = { model: 0, round: 4, place: 2 };
  const digest = { is: "digest", poll: POLL, subject: { is: "place", ...place, holder: "bob" } } as const;
  assert.equal(text({ ...forfeited, cause: digest }), "@eve forfeited 1 HYDRA: its digest in the [poll] on place 2 of #4 was of another result than the network found.");
  assert.match(text({ ...forfeited, cause: { ...digest, subject: undefined } }), /its digest in \[poll abababab…abab\] was/);
  assert.equal(text({ ...forfeited, cause: { is: "offence" } }), "@eve forfeited 1 HYDRA: it signed blocks or votes on finality that exclude each other.");
  const rejected: Happening = { kind: "rejected", who: "eve", ...place, draw: "First", seats, forfeited: HYDRA };
  const own: Happening = { ...forfeited, cause: { is: "proposal", ...place } };
  assert.deepEqual(newsOf([own, rejected]), [rejected]);
  assert(isOfRound(own, 0, 4) && isOfRound({ ...forfeited, cause: digest }, 0, 4) && isOfRound(rejected, 0, 4));
  assert(!isOfRound({ ...forfeited, cause: digest }, 0, 5) && !isOfRound({ ...forfeited, cause: { is: "offence" } }, 0, 4));
});

test("no sentence about other things has an exclamation mark, and each ends", () => {
  const all: Happening[] = [
    { kind: "asked", who: "a", model: 0, version: 1, price: HYDRA / 2n, request: "" },
    { kind: "claimed", who: "a", model: 0, amount: HYDRA },
    { kind: "sent", from: "a", to: "b", amount: HYDRA },
    { kind: "failed", reason: "StakeVoting: NothingToBond" },
    ...(["submitted", "deciding", "confirming", "unconfirmed", "approved", "rejected", "timed-out", "cancelled", "killed"] as const).map(
      (step): Happening => ({ kind: "referendum", index: 3, step }),
    ),
    { kind: "deposited", who: "a", index: 3, amount: HYDRA },
    { kind: "voted", who: "a", index: 3, aye: HYDRA, nay: 0n, abstain: 0n, times: 1 },
    { kind: "enacted", index: 3, failure: undefined },
    { kind: "enacted", index: undefined, failure: "BadOrigin" },
    { kind: "upgraded" },
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
  engine: { state: "ready", reason: null, instructions: "avx2" },
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
  assert.deepEqual(kinds({ status: { ...status, standing: "paused" } }), ["paused"]);
  assert.deepEqual(kinds({ now: 1_200_000 }), ["quiet"]);
  assert.deepEqual(kinds({ replaced: true }), ["update-needed"]);
  assert.deepEqual(kinds({ status: { ...status, warnings: ["the disk is nearly full"] } }), ["warning"]);
  const reached = (state: string, listen: string[]) =>
    kinds({ status: { ...status, listen, reachability: { state, reason: "no relay answers", advice: "open_ports" } } });
  assert.deepEqual(reached("unreachable", ["/ip4/192.168.1.5/tcp/30400"]), ["unreachable"]);
  assert.deepEqual(reached("relayed", ["/ip4/192.168.1.5/tcp/30400"]), []);
  assert.deepEqual(reached("unreachable", ["/ip4/127.0.0.1/tcp/30400"]), []);
  const poor = { address: "5", funds: { free: 0n, held: 0n, spendable: 0n }, member: undefined, parts: new Map(), underWay: 0n };
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
  assert.equal(nextOf(work, { phase: "Pause", phaseEndsAt: 105, waiting: "Progress" } as never, 100), "the next round, within 5 blocks");
  assert.match(nextOf(work, { phase: "Pause", phaseEndsAt: 99, waiting: "Room" } as never, 100), /^a round; it waits, since fewer than nine tenths/);
  const checking = { ...work, state: "idle" as const, waiting: { measure: 0, train: 0, verify: 2 } };
  assert.equal(nextOf(checking, model, 100), "check 2 results of others");
});

const member: Member = {
  address: "5",
  peerId: "12D3",
  active: true,
  paused: false,
  heartbeat: 6,
  score: 0.9,
  stake: HYDRA,
  unbonding: 0n,
  weight: 900_000n,
  room: 64,
  busy: 0,
  sizeClass: 8,
  absence: undefined,
};
const me = (change: Partial<Member>): Me => ({
  address: "5",
  funds: { free: HYDRA, held: HYDRA, spendable: HYDRA },
  member: { ...member, ...change },
  parts: new Map(),
  underWay: 0n,
});

test("a pause is the chain’s, and says what is still to be done and how it ends", () => {
  const paused = { ...snapshot, me: me({ paused: true, active: false, busy: 3 }) };
  const [notice] = notices(seen({ snapshot: paused }));
  assert.equal(notice?.kind, "paused");
  assert.match(notice?.text ?? "", /3 tasks now, it still does\. To go on: `hydra resume`$/);
  // It works off what it has, and then rests.
  assert.equal(doing({ status, trainer: { is: "up" }, snapshot: paused }), "Training");
  const idle = { ...status, models: [] };
  assert.equal(doing({ status: idle, trainer: { is: "up" }, snapshot: paused }), "Paused");
  // Who has just resumed is not paused, whatever its trainer heard a block ago.
  assert.deepEqual(kinds({ snapshot: { ...snapshot, me: me({}) }, status: { ...status, standing: "paused" } }), []);
});

test("why an account is out is said, and until when", () => {
  const out = (change: Partial<Member>) => standingInFull({ ...member, active: false, ...change });
  assert.equal(standingInFull(member), "registered, taking part");
  assert.match(out({ paused: true }), /paused by its owner/);
  assert.match(out({ stake: 0n }), /without stake/);
  assert.match(out({ absence: { is: "missed", from: undefined } }), /until its next heartbeat: it missed/);
  assert.match(out({ absence: { is: "missed", from: 1_234 } }), /from block 1,234 on/);
  assert.match(out({ absence: { is: "until", session: 12 } }), /until session 12/);
  assert.match(out({ absence: { is: "joining" } }), /from the next session on/);
  assert.match(out({ absence: { is: "silent" } }), /after its next heartbeat/);
  assert.equal(out({}), "registered, out");
});

test("room is said in tasks and memory", () => {
  assert.equal(memoryOf(0), "4 MiB");
  assert.equal(memoryOf(8), "1 GiB");
  assert.equal(memoryOf(15), "128 GiB");
  assert.equal(roomOf({ room: 1, sizeClass: 7 }), "up to 1 task at a time, each of up to 512 MiB (size class 7)");
});

test("how a round stands has its reason to wait and what may move its end", () => {
  const model = { phase: "Pause", waiting: "Payer", places: 4, proposals: 3, decided: 2, version: 9, versionPoll: undefined } as Model;
  const said = (change: Partial<Model>) => {
    const { before, after } = underWay({ ...model, ...change });
    return `${before}12${after}`;
  };
  assert.equal(said({}), "waits, since who pays for it has nothing left, or gave notice; it begins in block 12 at the earliest");
  assert.equal(said({ waiting: undefined }), "begins in block 12 at the earliest");
  assert.equal(said({ phase: "Train" }), "is under way: training, 3 of 4 places proposed, until block 12 at the latest");
  assert.match(said({ phase: "Train", versionPoll: POLL }), /until block 12, if version 9 is not in question any more by then$/);
  assert.match(said({ phase: "Verify" }), /2 decided, until block 12, if no poll needs another draw$/);
});
