/**
 * From a block's events to what happened. What this page has no words for keeps its name, and is shown under it: nothing
 * is left out because it is new.
 */
import type { RawEvent } from "./api";
import type { PollBook } from "./book";
import { decisionOf, drawOf, foundOf, subjectOf } from "./polls";
import { NotUnderstood, bigintOf, hexOf, numberOf, record, stringOf, tagOf, written } from "./raw";
import { referendumOf } from "./tasks";
import type { Cause, Event, Happening, Phase, Step, Waiting } from "./types";

type Fields = Record<string, unknown>;
type Reading = (fields: Fields, book: PollBook) => Happening;

const modelOf = (fields: Fields) => ({ model: numberOf(fields["model"], "model") });
const ofRound = (fields: Fields) => ({ ...modelOf(fields), round: numberOf(fields["round"], "round") });
const placeOf = (fields: Fields) => {
  const key = record(fields["place"], "place");
  return { ...ofRound(key), place: numberOf(key["place"], "place") };
};
const whoOf = (fields: Fields, name = "who") => ({ who: stringOf(fields[name], "account") });
const amountOf = (fields: Fields, name = "amount") => bigintOf(fields[name], name);
const blockOf = (fields: Fields, name: string) => ({ until: numberOf(fields[name], "block") });
const roomOf = (fields: Fields) => ({ sizeClass: numberOf(fields["size_class"], "size"), room: numberOf(fields["room"], "room") });
const inPoll = (fields: Fields, book: PollBook) => {
  const poll = hexOf(fields["poll"], "poll");
  return { poll, subject: book.about(poll) };
};
const seatsOf = (fields: Fields) => numberOf(fields["seats"], "seats");

const OUTCOMES = { Accepted: "accepted", Rejected: "rejected", Undecided: "undecided", Dropped: "dropped" } as const;
const VERDICTS = ["Right", "Wrong", "Missed"] as const;

/** One of the names that this page knows. */
function oneOf<T extends string>(names: readonly T[], value: unknown, what: string): T {
  const tag = tagOf(value, what);
  const found = names.find((name) => name === tag);
  if (found === undefined) throw new NotUnderstood(what);
  return found;
}

const placeSettled: Reading = (fields, book) => {
  const [place, draw] = [placeOf(fields), drawOf(fields["draw"])];
  const kind = OUTCOMES[oneOf(Object.keys(OUTCOMES) as (keyof typeof OUTCOMES)[], fields["outcome"], "outcome")];
  const common = { ...place, ...whoOf(fields, "holder"), draw, seats: book.seatsOf(place, draw) };
  return kind === "rejected" ? { kind, ...common, forfeited: amountOf(fields, "forfeited") } : { kind, ...common };
};

const stepOf =
  (step: Step): Reading =>
  (f) => ({ kind: "referendum", step, index: numberOf(f["index"], "referendum") });

/** The referendum that a task of the scheduler is of; what has no name of its own is something else. */
function taskOf(fields: Fields): number | undefined {
  if (fields["id"] === undefined || fields["id"] === null) throw new NotUnderstood("task");
  return referendumOf(hexOf(fields["id"], "task"));
}

/** A vote on a referendum: `AccountVote` of `pallet-conviction-voting`. */
function ballotOf(fields: Fields): { aye: bigint; nay: bigint; abstain: bigint; times: number } {
  const { type, value } = record(fields["vote"], "vote") as { type?: unknown; value?: unknown };
  const said = record(value, "vote");
  if (type === "Standard") {
    // The highest bit is the side, the rest how long it is locked for.
    const vote = numberOf(said["vote"], "vote");
    const [balance, conviction] = [amountOf(said, "balance"), vote & 0x7f];
    const [aye, nay] = (vote & 0x80) === 0 ? [0n, balance] : [balance, 0n];
    return { aye, nay, abstain: 0n, times: conviction === 0 ? 0.1 : conviction };
  }
  const abstain = said["abstain"] === undefined ? 0n : amountOf(said, "abstain");
  return { aye: amountOf(said, "aye"), nay: amountOf(said, "nay"), abstain, times: 0.1 };
}

/** Exported for the test that no event of our pallets is without its sentence. */
export const READINGS: Record<string, Reading> = {
  "TrainingProposals.RoundOpened": (f) => ({
    kind: "opened",
    ...ofRound(f),
    extension: numberOf(f["extension"], "extension"),
    places: numberOf(f["places"], "places"),
    ...blockOf(f, "ends_at"),
  }),
  "TrainingProposals.RoundWaits": (f) => ({ kind: "waits", ...ofRound(f), why: tagOf(f["reason"], "reason to wait") as Waiting }),
  "TrainingProposals.Proposed": (f) => ({ kind: "proposed", ...placeOf(f), ...whoOf(f) }),
  "TrainingProposals.PhaseChanged": (f) => ({
    kind: "phase",
    ...ofRound(f),
    phase: tagOf(f["phase"], "phase") as Phase,
    ...blockOf(f, "ends_at"),
  }),
  "TrainingProposals.RoundExtended": (f) => ({ kind: "extended", ...ofRound(f), ...blockOf(f, "ends_at") }),
  "TrainingProposals.PlaceSettled": placeSettled,
  "TrainingProposals.RoundSettled": (f) => ({
    kind: "settled",
    ...ofRound(f),
    accepted: numberOf(f["accepted"], "count"),
    places: numberOf(f["places"], "count"),
    version: f["version"] === undefined ? undefined : numberOf(f["version"], "version"),
  }),
  "TrainingProposals.RoundDropped": (f) => ({ kind: "begins-anew", ...ofRound(f), extension: numberOf(f["extension"], "extension") }),
  "TrainingProposals.VersionConfirmed": (f) => {
    const score = record(f["score"], "score");
    return {
      kind: "confirmed",
      ...modelOf(f),
      version: numberOf(f["version"], "version"),
      score: { correct: numberOf(score["correct"], "score"), total: numberOf(score["total"], "score") },
    };
  },
  "TrainingProposals.VersionGivenUp": (f) => ({
    kind: "given-up",
    ...modelOf(f),
    version: numberOf(f["version"], "version"),
    found: decisionOf(f["decision"]),
  }),
  "TrainingProposals.RoundPaid": (f) => ({ kind: "round-paid", ...ofRound(f), paid: amountOf(f, "paid") }),
  "TrainingProposals.ResultRefused": (f) => ({ kind: "refused", ...whoOf(f), reason: failure(f["reason"]) }),
  "TrainingProposals.ModelAdded": (f) => ({ kind: "model-added", ...modelOf(f) }),
  "StakeVoting.Bonded": (f) => ({ kind: "bonded", ...whoOf(f), amount: amountOf(f), total: amountOf(f, "total") }),
  "StakeVoting.Unbonding": (f) => ({ kind: "unbonding", ...whoOf(f), amount: amountOf(f), ...blockOf(f, "until") }),
  "StakeVoting.Withdrawn": (f) => ({ kind: "withdrawn", ...whoOf(f), amount: amountOf(f) }),
  "StakeVoting.Forfeited": (f) => ({ kind: "forfeited", ...whoOf(f), amount: amountOf(f), cause: undefined }),
  "StakeVoting.PollAsked": (f) => ({
    kind: "poll-asked",
    poll: hexOf(f["poll"], "poll"),
    subject: subjectOf(f["purpose"], f["claimant"] === undefined ? undefined : whoOf(f, "claimant").who),
    seats: seatsOf(f),
    window: numberOf(f["window"], "blocks"),
    forfeit: amountOf(f, "forfeit"),
  }),
  "StakeVoting.SeatsDrawn": (f, book) => ({
    kind: "seats-drawn",
    ...inPoll(f, book),
    draw: drawOf(f["draw"]),
    seats: seatsOf(f),
    accounts: numberOf(f["accounts"], "accounts"),
  }),
  "StakeVoting.DigestGiven": (f, book) => ({ kind: "digest", ...inPoll(f, book), ...whoOf(f) }),
  "StakeVoting.DigestsClosed": (f, book) => ({
    kind: "digests-closed",
    ...inPoll(f, book),
    draw: drawOf(f["draw"]),
    given: numberOf(f["given"], "seats"),
    seats: seatsOf(f),
  }),
  "StakeVoting.PollOpened": (f, book) => ({
    kind: "poll-opened",
    ...inPoll(f, book),
    ...whoOf(f),
    draw: drawOf(f["draw"]),
    found: foundOf(f["finding"]),
  }),
  "StakeVoting.PollDecided": (f, book) => ({
    kind: "poll-decided",
    ...inPoll(f, book),
    draw: drawOf(f["draw"]),
    found: decisionOf(f["decision"]),
  }),
  "StakeVoting.SeatJudged": (f, book) => ({
    kind: "judged",
    ...inPoll(f, book),
    ...whoOf(f),
    verdict: oneOf(VERDICTS, f["verdict"], "verdict"),
  }),
  "StakeVoting.CommitteeStays": (f) => ({
    kind: "committee-stays",
    found: numberOf(f["found"], "accounts"),
    present: numberOf(f["present"], "accounts"),
  }),
  "HydraToken.Rewarded": (f) => ({ kind: "earned", ...whoOf(f), amount: amountOf(f), verifiers: amountOf(f, "verifiers") }),
  "HydraToken.VerifierRewarded": (f) => ({ kind: "verifier-earned", ...whoOf(f), amount: amountOf(f) }),
  "HydraToken.ForfeitReceived": (f) => ({ kind: "forfeit-received", ...whoOf(f), amount: amountOf(f) }),
  "HydraToken.ForfeitShared": (f) => ({ kind: "forfeit-shared", amount: amountOf(f), burnt: amountOf(f, "burnt") }),
  "HydraToken.DutiesPaid": (f) => ({ kind: "duties-paid", ...modelOf(f), burnt: amountOf(f, "burnt") }),
  "HydraToken.SponsorSet": (f) => ({
    kind: "sponsor-set",
    ...modelOf(f),
    who: f["sponsor"] === undefined ? undefined : whoOf(f, "sponsor").who,
  }),
  "HydraToken.Sponsored": (f) => ({ kind: "sponsored", ...modelOf(f), ...whoOf(f), amount: amountOf(f) }),
  "HydraToken.SponsorshipEnding": (f) => ({ kind: "sponsorship-ending", ...modelOf(f), ...whoOf(f), ...blockOf(f, "ends_at") }),
  "HydraToken.SponsorshipWithdrawn": (f) => ({ kind: "sponsorship-withdrawn", ...modelOf(f), ...whoOf(f), amount: amountOf(f) }),
  "HydraToken.QueryPaid": (f) => ({
    kind: "asked",
    ...whoOf(f),
    ...modelOf(f),
    version: numberOf(f["version"], "version"),
    price: amountOf(f),
    request: written(f["request_hash"]),
  }),
  "HydraToken.QueryShareClaimed": (f) => ({ kind: "claimed", ...whoOf(f), ...modelOf(f), amount: amountOf(f) }),
  "Reputation.Registered": (f) => ({ kind: "registered", ...whoOf(f), ...roomOf(f) }),
  "Reputation.Deregistered": (f) => ({ kind: "deregistered", ...whoOf(f) }),
  "Reputation.Paused": (f) => ({ kind: "paused", ...whoOf(f) }),
  "Reputation.Resumed": (f) => ({ kind: "resumed", ...whoOf(f) }),
  "Reputation.RoomChanged": (f) => ({ kind: "room", ...whoOf(f), ...roomOf(f) }),
  "Reputation.Left": (f) => ({
    kind: "left",
    ...whoOf(f),
    until: f["until"] === undefined ? undefined : numberOf(f["until"], "session"),
  }),
  "Reputation.Returned": (f) => ({ kind: "returned", ...whoOf(f) }),
  "Reputation.ScoreChanged": (f) => ({
    kind: "score",
    ...whoOf(f),
    deed: oneOf(VERDICTS, f["deed"], "deed"),
    score: numberOf(f["score"], "score") / 1_000_000_000,
  }),
  "Reputation.Heartbeat": (f) => ({ kind: "heartbeat", ...whoOf(f), session: numberOf(f["session"], "session") }),
  "Session.NewSession": (f) => ({ kind: "session", session: numberOf(f["session_index"], "session") }),
  "Balances.Transfer": (f) => ({
    kind: "sent",
    from: stringOf(f["from"], "account"),
    to: stringOf(f["to"], "account"),
    amount: amountOf(f),
  }),
  "Referenda.Submitted": stepOf("submitted"),
  "Referenda.DecisionStarted": stepOf("deciding"),
  "Referenda.ConfirmStarted": stepOf("confirming"),
  "Referenda.ConfirmAborted": stepOf("unconfirmed"),
  "Referenda.Confirmed": stepOf("approved"),
  "Referenda.Rejected": stepOf("rejected"),
  "Referenda.TimedOut": stepOf("timed-out"),
  "Referenda.Cancelled": stepOf("cancelled"),
  "Referenda.Killed": stepOf("killed"),
  "Referenda.DecisionDepositPlaced": (f) => ({
    kind: "deposited",
    ...whoOf(f),
    index: numberOf(f["index"], "referendum"),
    amount: amountOf(f),
  }),
  "ConvictionVoting.Voted": (f) => ({
    kind: "voted",
    ...whoOf(f),
    index: numberOf(f["poll_index"], "referendum"),
    ...ballotOf(f),
  }),
  "Scheduler.Dispatched": (f) => {
    const { success, value } = record(f["result"], "result");
    return { kind: "enacted", index: taskOf(f), failure: success === true ? undefined : failure(value) };
  },
  "Scheduler.CallUnavailable": (f) => ({ kind: "enacted", index: taskOf(f), failure: "the chain doesn’t have the call’s bytes" }),
  "Scheduler.PermanentlyOverweight": (f) => ({ kind: "enacted", index: taskOf(f), failure: "it is too large for a block" }),
  "System.CodeUpdated": () => ({ kind: "upgraded" }),
  "System.ExtrinsicFailed": (f) => ({ kind: "failed", reason: failure(f["dispatch_error"]) }),
};

/** The innermost name of an error: `StakeVoting: NothingToBond`. */
export function failure(error: unknown): string {
  const names: string[] = [];
  for (let at = error; typeof at === "object" && at !== null && "type" in at; ) {
    const { type, value } = at as { type: unknown; value?: unknown };
    if (type !== "Module") names.push(String(type));
    at = value;
  }
  return names.join(": ") || "an error that this page does not know";
}

function happening(name: string, fields: unknown, book: PollBook): Happening {
  const reading = READINGS[name];
  if (!reading) return { kind: "other", name };
  try {
    return reading(fields === undefined ? {} : record(fields, name), book);
  } catch {
    // The event has changed: its name is still true.
    return { kind: "other", name };
  }
}

/**
 * What an account forfeited for. A forfeit stands before what it is for: the verdict on a digest, or what became of a place. What
 * has neither in its block was for signing conflicting things.
 */
function causeOf(who: string, after: Event[]): Cause {
  for (const { happening: it } of after) {
    if (it.kind === "judged" && it.who === who) return { is: "digest", poll: it.poll, subject: it.subject };
    if (it.kind === "rejected" && it.who === who) return { is: "proposal", model: it.model, round: it.round, place: it.place };
    if (it.kind === "forfeited" && it.who === who) break;
  }
  return { is: "offence" };
}

/** A block's events, in order. `book` hears of the polls among them. */
export function events(raw: RawEvent[], book: PollBook): Event[] {
  const all = raw.map(({ phase, event }) => {
    const name = `${event.type}.${event.value.type}`;
    const fields = event.value.value;
    if (typeof fields === "object" && fields !== null && !Array.isArray(fields)) {
      try {
        book.note(name, fields as Fields);
      } catch {
        // Then nothing is known of this poll.
      }
    }
    return {
      extrinsic: phase.type === "ApplyExtrinsic" ? phase.value : undefined,
      name,
      fields: written(fields),
      happening: happening(name, fields, book),
    };
  });
  for (const [index, { happening: it }] of all.entries()) {
    if (it.kind === "forfeited") it.cause = causeOf(it.who, all.slice(index + 1));
  }
  return all;
}
