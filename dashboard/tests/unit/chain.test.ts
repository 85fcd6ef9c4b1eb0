import assert from "node:assert/strict";
import { test } from "node:test";
import type { RawEvent } from "../../src/chain/api";
import { earned, firstBlockSince } from "../../src/chain/earned";
import { VoteBook, events, failure } from "../../src/chain/events";
import { open } from "../../src/chain/extrinsic";
import { share, wordsOf, written } from "../../src/chain/raw";
import type { Round } from "../../src/chain/types";
import { fromHex } from "../../src/format/hex";

const event = (pallet: string, name: string, value: unknown): RawEvent => ({
  phase: { type: "ApplyExtrinsic", value: 1 },
  event: { type: pallet, value: { type: name, value } },
});
const proposal = { model: 0, round: 3, proposer: "bob" };

test("votes that were seen are counted for the sentence about their proposal", () => {
  const book = new VoteBook();
  const vote = (verifier: string, type: string, reason?: string) =>
    event("StakeVoting", "VoteRevealed", {
      proposal,
      who: verifier,
      vote: { type, value: reason && { type: reason } },
      weight: 1n,
    });
  const seen = events(
    [
      event("StakeVoting", "PollOpened", { proposal, members: 3, weight: 4n }),
      vote("a", "Reject", "ScoreDiffers"),
      vote("b", "Reject", "ScoreDiffers"),
      vote("c", "Accept"),
      event("TrainingProposals", "ProposalRejected", {
        proposal,
        tally: { committee: 4n, accept: 2n, reject: 2n, unavailable: 0n },
      }),
    ],
    book,
  );
  const last = seen.at(-1)?.happening;
  assert(last?.kind === "rejected");
  assert.deepEqual(last.votes, { members: 3, accept: 1, unavailable: 0, reject: { ScoreDiffers: 2 } });
  assert.equal(last.tally.reject, 0.5);
});

test("an event that this page has no words for, or that has changed, keeps its name", () => {
  const [fresh, changed] = events(
    [event("Treasury", "Spent", { index: 1 }), event("HydraToken", "QueryPaid", { asker: "a" })],
    new VoteBook(),
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

const round = (number: number, settledAt: number, proposer: string): Round => ({
  round: number,
  openedAt: settledAt - 5,
  settledAt,
  proposals: [{ proposer, outcome: "Accepted", tally: { accept: 1, reject: 0, unavailable: 0 }, reward: 7n }],
  version: number,
  weights: undefined,
  score: undefined,
  attestations: [],
});

test("what was earned counts from a block on, and says if the records begin later", () => {
  const rounds = [round(4, 40, "me"), round(5, 50, "me"), round(6, 60, "other")];
  assert.deepEqual(earned(rounds, "me", 45), { amount: 7n, accepted: 1, sinceBlock: 45, complete: true });
  assert.deepEqual(earned(rounds, "me", 10), { amount: 14n, accepted: 2, sinceBlock: 35, complete: false });
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
