import assert from "node:assert/strict";
import { test } from "node:test";
import type { RawEvent } from "../../src/chain/api";
import { earned, firstBlockSince } from "../../src/chain/earned";
import { PollBook } from "../../src/chain/book";
import { filled } from "../../src/chain/bucket";
import { submitted } from "../../src/chain/calls";
import { events, failure } from "../../src/chain/events";
import { open } from "../../src/chain/extrinsic";
import { finished } from "../../src/chain/live";
import { absenceOf } from "../../src/chain/read";
import { share, wordsOf, written } from "../../src/chain/raw";
import type { Round } from "../../src/chain/types";
import { fromHex } from "../../src/format/hex";

const event = (pallet: string, name: string, value: unknown): RawEvent => ({
  phase: { type: "ApplyExtrinsic", value: 1 },
  event: { type: pallet, value: { type: name, value } },
});
const [POLL, OTHER] = [`0x${"11".repeat(32)}`, `0x${"22".repeat(32)}`];
const key = { model: 0, round: 3, place: 7 };
const verification = { type: "Verification", value: { ...key, extension: 0, draw: { type: "First" } } };
const asked = (poll: string, purpose: unknown, claimant?: string) =>
  event("StakeVoting", "PollAsked", { poll, purpose, claimant, seats: 20, window: 5, forfeit: 1n });
const closed = (poll: string, draw: string, given: number, seats: number) =>
  event("StakeVoting", "DigestsClosed", { poll, draw: { type: draw }, given, seats });
const settled = (outcome: string, draw: string, forfeited = 0n) =>
  event("TrainingProposals", "PlaceSettled", { place: key, holder: "bob", outcome: { type: outcome }, draw: { type: draw }, forfeited });

test("the sentence about a result has the seats of the draw that decided it", () => {
  const book = new PollBook();
  events([asked(OTHER, { ...verification, value: { ...verification.value, place: 8 } }, "eve"), asked(POLL, verification, "bob")], book);
  // In later blocks.
  events([closed(OTHER, "First", 3, 20), closed(POLL, "First", 12, 20)], book);
  const [first] = events([settled("Accepted", "First")], book);
  assert.deepEqual(first?.happening, { kind: "accepted", ...key, who: "bob", draw: "First", seats: { given: 12, seats: 20 } });
  events([closed(POLL, "Appeal", 200, 256)], book);
  const [later] = events([settled("Rejected", "Appeal", 5n)], book);
  assert.deepEqual(later?.happening, { kind: "rejected", ...key, who: "bob", draw: "Appeal", seats: { given: 200, seats: 256 }, forfeited: 5n });
  const [unseen] = events([settled("Undecided", "Last")], new PollBook());
  assert.deepEqual(unseen?.happening, { kind: "undecided", ...key, who: "bob", draw: "Last", seats: undefined });
});

test("what somebody did in a poll says what that is about, where the page saw it asked", () => {
  const book = new PollBook();
  const given = event("StakeVoting", "DigestGiven", { poll: POLL, who: "a" });
  assert.deepEqual(events([given], book)[0]?.happening, { kind: "digest", poll: POLL, subject: undefined, who: "a" });
  events([asked(POLL, { type: "Attestation", value: { model: 0, round: 3, extension: 0, draw: { type: "First" } } })], book);
  const about = { is: "version", model: 0, round: 3 };
  assert.deepEqual(events([given], book)[0]?.happening, { kind: "digest", poll: POLL, subject: about, who: "a" });
  // Whoever looks at the block in which it was asked once more takes nothing away.
  events([closed(POLL, "First", 4, 20), asked(POLL, verification, "bob")], book);
  assert.deepEqual(book.about(POLL), about);
});

test("each forfeit says what it was for", () => {
  const book = new PollBook();
  events([asked(POLL, verification, "bob")], book);
  const forfeited = (who: string) => event("StakeVoting", "Forfeited", { who, amount: 1n });
  const score = (who: string) => event("Reputation", "ScoreChanged", { who, deed: { type: "Wrong" }, score: 100_000_000 });
  const judged = (who: string) => event("StakeVoting", "SeatJudged", { poll: POLL, who, verdict: { type: "Wrong" } });
  const causes = (raw: RawEvent[]) =>
    events(raw, book).flatMap(({ happening: it }) => (it.kind === "forfeited" ? [it.cause] : []));
  const subject = { is: "place", ...key, holder: "bob" };
  assert.deepEqual(
    causes([forfeited("a"), score("a"), judged("a"), forfeited("bob"), score("bob"), settled("Rejected", "First", 1n)]),
    [{ is: "digest", poll: POLL, subject }, { is: "proposal", ...key }],
  );
  // Who signs what excludes each other forfeits without any verdict.
  assert.deepEqual(causes([forfeited("a"), forfeited("b")]), [{ is: "offence" }, { is: "offence" }]);
  assert.deepEqual(causes([forfeited("a"), forfeited("a"), score("a"), judged("a")]), [
    { is: "offence" },
    { is: "digest", poll: POLL, subject },
  ]);
});

test("an event that this page has no words for, or that has changed, keeps its name", () => {
  const [fresh, changed] = events(
    [event("Treasury", "Spent", { index: 1 }), event("HydraToken", "QueryPaid", { asker: "a" })],
    new PollBook(),
  );
  assert.deepEqual(fresh?.happening, { kind: "other", name: "Treasury.Spent" });
  assert.deepEqual(changed?.happening, { kind: "other", name: "HydraToken.QueryPaid" });
  assert.equal(fresh?.fields, "{ index: 1 }");
});

test("an error's innermost name is what is told", () => {
  const error = { type: "Module", value: { type: "StakeVoting", value: { type: "NothingToBond" } } };
  assert.equal(failure(error), "StakeVoting: NothingToBond");
  assert.equal(failure(undefined), "an error that this page does not know");
});

test("an unsigned extrinsic is all call, and one that is cut off is none", () => {
  const opened = open(fromHex("0x280502000b10c5a1d49a01"));
  assert.equal(opened.signer, undefined);
  assert.equal(opened.call.length, 9);
  assert.throws(() => open(fromHex("0x2884")));
});

test("numbers of the chain keep their size", () => {
  assert.equal(wordsOf([1n, 0n, 0n, 0n]), 1n);
  assert.equal(wordsOf([0n, 1n, 0n, 0n]), 1n << 64n);
  assert.equal(share(1n, 3n), 0.333333);
  assert.equal(share(1n, 0n), 0);
  assert.equal(written({ type: "Id", value: Uint8Array.of(1, 255) }), "Id(0x01ff)");
});

const round = (number: number, settledAt: number, holder: string): Round => ({
  round: number,
  openedAt: settledAt - 5,
  settledAt,
  places: [
    { place: 0, holder, outcome: "Accepted", draw: "First", reward: 8n, verifiers: 2n },
    { place: 1, holder, outcome: undefined, draw: "First", reward: 0n, verifiers: 0n },
  ],
  version: number,
  weights: "0xab",
  score: undefined,
  givenUp: false,
});

test("what results earned without their verifiers’ fifth counts from a block on, and says if the records begin later", () => {
  const rounds = [round(4, 40, "me"), round(5, 50, "me"), round(6, 60, "other")];
  assert.deepEqual(earned(rounds, "me", 45), { amount: 8n, accepted: 1, sinceBlock: 45, complete: true });
  assert.deepEqual(earned(rounds, "me", 10), { amount: 16n, accepted: 2, sinceBlock: 35, complete: false });
});

test("the first block of a day is found by halving", async () => {
  let asked = 0;
  const timeOf = async (number: number) => {
    asked += 1;
    return number * 10;
  };
  assert.equal(await firstBlockSince(1234, 100_000, timeOf), 124);
  assert(asked < 20);
  assert.equal(await firstBlockSince(9_999_999, 100, timeOf), 101);
});

test("records of rounds are read again while their version is in question or they are being paid", () => {
  const rounds = [round(4, 40, "a"), round(5, 50, "a"), round(6, 60, "a"), round(7, 70, "a")];
  const [first, second, third, last] = rounds as [Round, Round, Round, Round];
  assert.equal(finished([]), 0);
  assert.equal(finished(rounds), 3);
  assert.equal(finished([first, second, { ...third, weights: undefined }, last]), 2);
  assert.equal(finished([first, second, { ...third, weights: undefined, givenUp: true }, last]), 3);
  // What is in question from long ago was forgotten by the chain.
  assert.equal(finished([{ ...first, weights: undefined }, second, third, last]), 1);
});

test("the bucket fills alike however often it is looked at, and never beyond the cap", () => {
  const level = (has: bigint, flowed: bigint, at: number, halving: number) => ({
    has,
    flowed,
    at,
    emission: { per_block: 8n, halving },
  });
  assert.equal(filled(level(5n, 5n, 0, 0), 10, 1_000n), 85n);
  // Two blocks of 8, ten of 4, and one of 2.
  assert.equal(filled(level(0n, 0n, 8, 10), 21, 1_000n), 2n * 8n + 10n * 4n + 2n);
  const middle = filled(level(0n, 0n, 8, 10), 15, 1_000n);
  assert.equal(filled(level(middle, middle, 15, 10), 21, 1_000n), filled(level(0n, 0n, 8, 10), 21, 1_000n));
  assert.equal(filled(level(3n, 990n, 0, 0), 100, 1_000n), 13n);
  assert.equal(filled(level(3n, 0n, 50, 0), 10, 1_000n), 3n);
  // After 128 halvings nothing comes any more.
  assert.equal(filled(level(0n, 0n, 200, 1), 4_000_000_000, 1_000n), 0n);
  assert.throws(() => filled({ has: 1n }, 1, 1n));
});

test("why an account is out follows from its sessions", () => {
  const node = { heartbeat: 6, since: 3, away: false, away_until: 40, absences: undefined, out_until: 0 };
  assert.deepEqual(absenceOf({ ...node, out_until: 9 }, 7), { is: "until", session: 9 });
  assert.deepEqual(absenceOf({ ...node, away: true }, 7), { is: "missed", from: undefined });
  assert.deepEqual(absenceOf({ ...node, away: true, absences: [7, 1] }, 7), { is: "missed", from: undefined });
  assert.deepEqual(absenceOf({ ...node, away: true, absences: [7, 2] }, 7), { is: "missed", from: 40 });
  assert.deepEqual(absenceOf({ ...node, heartbeat: 7, since: 8 }, 7), { is: "joining" });
  assert.deepEqual(absenceOf({ ...node, heartbeat: 2 }, 7), { is: "silent" });
  assert.deepEqual(absenceOf({ ...node, heartbeat: undefined, since: 8 }, 7), { is: "silent" });
});

test("a submission says how many results of which kind it brings", () => {
  const result = (type: string) => ({ type, value: {} });
  const call = { type: "submit", value: { results: ["Digest", "Heartbeat", "Digest", "New"].map(result) } };
  assert.deepEqual(submitted(call), ["2 digests", "1 heartbeat", "1 New"]);
  assert.deepEqual(submitted({ type: "remark", value: { results: [] } }), []);
});
