/** What is read of the chain's state, from what a node would answer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { HydraApi, RawPayout, RawPlace, RawPoll, RawSeat } from "../../src/chain/api";
import { duties } from "../../src/chain/duties";
import { asked } from "../../src/chain/polls";
import * as read from "../../src/chain/read";
import type { Model } from "../../src/chain/types";

const [FIRST, SECOND, VERSION] = [`0x${"11".repeat(32)}`, `0x${"22".repeat(32)}`, `0x${"33".repeat(32)}`];
const place = (holder: string, more: Partial<RawPlace> = {}): RawPlace => ({ holder, claim: undefined, poll: undefined, outcome: undefined, quoted: 0n, ...more });

const PLACES: [number, RawPlace][] = [
  [2, place("a", { claim: {}, poll: SECOND, outcome: { type: "Accepted" }, quoted: 1_000n })],
  [0, place("a", { claim: {}, poll: FIRST, quoted: 100n })],
  [1, place("b")],
];
const PAYOUTS: RawPayout[] = [
  { holder: "a", reward: 1_000n, right: [["b", 3]] },
  { holder: "b", reward: 50n, right: [["a", 2], ["c", 3]] },
];
const SEATS: Record<string, RawSeat> = {
  [`${FIRST}/a`]: { seats: { first: 2, appeal: 0, last: 0 }, digest: undefined },
  [`${FIRST}/b`]: { seats: { first: 3, appeal: 9, last: 0 }, digest: undefined },
  [`${VERSION}/b`]: { seats: { first: 5, appeal: 0, last: 0 }, digest: FIRST },
};
const POLLS: Record<string, RawPoll> = {
  [FIRST]: { poll: FIRST, draw: { type: "Appeal" }, stage: { type: "Digests" }, ends_at: 9, seats: 256, given: 14, accounts: [["a", 2, true]] },
};
const stored = {
  purpose: { type: "Verification", value: { model: 0, round: 5, extension: 0, place: 0, draw: { type: "First" } } },
  claimant: ["a", VERSION],
  forfeit: 7n,
};
/** Of rounds 44 to 299. */
const RECORDS = Array.from({ length: 256 }, (_, index) => index + 44);

const entries = <T>(all: [number, T][]) => async () => all.map(([key, value]) => ({ keyArgs: [0, key], value }));
const api = {
  apis: {
    TrainingApi: {
      poll_status: async (id: string) => POLLS[id],
      node_status: async () => ({ registered: false }),
      rounds: async (_: number, from: number, limit: number) =>
        RECORDS.filter((round) => round >= from && round < from + limit).map((round) => ({
          round,
          opened_at: 1,
          settled_at: 2,
          places: [],
          version: 1,
          weights: FIRST,
          score: undefined,
          given_up: false,
        })),
    },
  },
  query: {
    StakeVoting: { Polls: { getValue: async () => stored }, Seats: { getValue: async (poll: string, who: string) => SEATS[`${poll}/${who}`] } },
    System: { Account: { getValue: async () => ({ data: { free: 5n, reserved: 0n, frozen: 0n } }) } },
    HydraToken: {
      Pools: { getValue: async () => ({ per_share: [0n, 0n, 0n, 0n], shares: 0n }) },
      Shares: { getValue: async () => ({ settled_at: [0n, 0n, 0n, 0n], shares: 0n }) },
    },
    TrainingProposals: {
      Places: { getEntries: entries(PLACES) },
      Payouts: { getEntries: entries(PAYOUTS.map((payout, index) => [index, payout])) },
    },
  },
  constants: {
    Balances: { ExistentialDeposit: async () => 1n },
    TrainingProposals: { HistoryDepth: async () => 256 },
  },
} as unknown as HydraApi;
const model = { model: 0, round: 5, version: 8, versionPoll: VERSION } as Model;

test("the places of a round come in order, with the polls that are not over", async () => {
  const [first, second, third] = await read.places(api, 0, "0x");
  assert.deepEqual([first?.asked?.given, first?.asked?.draw, first?.proposed], [14, "Appeal", true]);
  assert.deepEqual([second?.place, second?.proposed, second?.asked], [1, false, undefined]);
  assert.deepEqual([third?.outcome, third?.asked], ["Accepted", undefined]);
});

test("a poll says what it is about and what is at stake; one that is over is none", async () => {
  const poll = await asked(api, FIRST, "0x");
  assert.deepEqual(poll?.subject, { is: "place", model: 0, round: 5, place: 0, holder: "a" });
  assert.equal(poll?.forfeit, 7n);
  assert.equal(await asked(api, SECOND, "0x"), undefined);
});

test("what an account is drawn for are its places, and its seats in polls that are not over", async () => {
  const { places, seats } = await duties(api, "b", [model], "0x");
  assert.deepEqual(places, [{ model: 0, round: 5, place: 1, proposed: false }]);
  const common = { model: 0, round: 5, version: 8 };
  assert.deepEqual(seats, [
    { poll: FIRST, ...common, place: 0, seats: 12, given: false },
    { poll: VERSION, ...common, place: undefined, seats: 5, given: true },
  ]);
  // What it claims counts as its digest.
  assert.deepEqual((await duties(api, "a", [model], "0x")).seats, [{ poll: FIRST, ...common, place: 0, seats: 2, given: true }]);
});

test("what is under way is four fifths of one’s places, and of the fifth of others’ one’s seats", async () => {
  const of = async (who: string) => (await read.me(api, who, [model], "0x")).underWay;
  // 800 that is accepted, 80 that is asked about, and two of five seats of a fifth of 50.
  assert.equal(await of("a"), 800n + 80n + 4n);
  assert.equal(await of("b"), 40n + 200n);
  assert.equal(await of("c"), 6n);
});

test("records begin where the chain’s do, not at round 0", async () => {
  const first = await read.firstRecord(api, 300);
  const rounds = await read.rounds(api, 0, first, "0x");
  assert.deepEqual([rounds.length, rounds[0]?.round, rounds.at(-1)?.round], [256, 44, 299]);
  assert.equal(await read.firstRecord(api, 12), 0);
});
