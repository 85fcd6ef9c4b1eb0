/**
 * From a block's events to what happened. What this page has no words for keeps its name, and is shown under it: nothing
 * is left out because it is new.
 */
import type { RawEvent, RawTally } from "./api";
import { NotUnderstood, bigintOf, hexOf, numberOf, record, stringOf, tagOf, written } from "./raw";
import { tally } from "./read";
import { referendumOf } from "./tasks";
import type { Event, Happening, Phase, Step, Votes } from "./types";

type Fields = Record<string, unknown>;

const proposalOf = (fields: Fields) => {
  const key = record(fields["proposal"], "proposal");
  return {
    model: numberOf(key["model"], "proposal"),
    round: numberOf(key["round"], "proposal"),
    who: stringOf(key["proposer"], "proposal"),
  };
};
const keyOf = (p: { model: number; round: number; who: string }) => `${p.model}/${p.round}/${p.who}`;
const ofRound = (fields: Fields) => ({
  model: numberOf(fields["model"], "model"),
  round: numberOf(fields["round"], "round"),
});
const whoOf = (fields: Fields) => stringOf(fields["who"], "account");
const amountOf = (fields: Fields, name = "amount") => bigintOf(fields[name], name);

/** Verdict and reason of a vote. */
function verdictOf(fields: Fields): { verdict: string; reason: string } {
  const vote = record(fields["vote"], "vote");
  const verdict = tagOf(vote, "vote");
  return { verdict, reason: vote["value"] === undefined ? "" : tagOf(vote["value"], "vote") };
}

/** What PCs said of each proposal of the blocks that were seen, oldest first. */
export class VoteBook {
  private readonly votes = new Map<string, Votes>();

  note(name: string, fields: Fields): void {
    if (name === "StakeVoting.PollOpened") {
      const members = numberOf(fields["members"], "committee");
      this.votes.set(keyOf(proposalOf(fields)), { members, accept: 0, unavailable: 0, reject: {} });
      // Whoever leaves the page open for a year still has a small book.
      for (const key of this.votes.keys()) {
        if (this.votes.size <= 512) break;
        this.votes.delete(key);
      }
    }
    if (name === "StakeVoting.VoteRevealed") {
      const votes = this.votes.get(keyOf(proposalOf(fields)));
      if (!votes) return;
      const { verdict, reason } = verdictOf(fields);
      if (verdict === "Accept") votes.accept += 1;
      else if (verdict === "Reject") votes.reject[reason] = (votes.reject[reason] ?? 0) + 1;
      else votes.unavailable += 1;
    }
  }

  /** Known only where the whole vote was seen. */
  of(proposal: { model: number; round: number; who: string }): { votes?: Votes } {
    const votes = this.votes.get(keyOf(proposal));
    return votes ? { votes: { ...votes, reject: { ...votes.reject } } } : {};
  }
}

type Reading = (fields: Fields, book: VoteBook) => Happening;

const judged =
  (kind: "accepted" | "rejected" | "undecided"): Reading =>
  (fields, book) => {
    const proposal = proposalOf(fields);
    const common = {
      ...proposal,
      tally: tally(record(fields["tally"], "tally") as unknown as RawTally),
      ...book.of(proposal),
    };
    return kind === "accepted" ? { kind, ...common, reward: amountOf(fields, "reward") } : { kind, ...common };
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

const READINGS: Record<string, Reading> = {
  "TrainingProposals.RoundOpened": (f) => ({ kind: "opened", ...ofRound(f), version: numberOf(f["version"], "version") }),
  "TrainingProposals.RoundExtended": (f) => ({
    kind: "extended",
    ...ofRound(f),
    until: numberOf(f["ends_at"], "block"),
  }),
  "TrainingProposals.PhaseChanged": (f) => ({
    kind: "phase",
    ...ofRound(f),
    phase: tagOf(f["phase"], "phase") as Phase,
    until: numberOf(f["ends_at"], "block"),
  }),
  "TrainingProposals.Proposed": (f) => ({
    kind: "proposed",
    ...ofRound(f),
    who: stringOf(f["proposer"], "account"),
    shard: numberOf(f["shard"], "shard"),
  }),
  "TrainingProposals.ProposalAccepted": judged("accepted"),
  "TrainingProposals.ProposalRejected": judged("rejected"),
  "TrainingProposals.ProposalUndecided": judged("undecided"),
  "TrainingProposals.RoundSettled": (f) => ({
    kind: "settled",
    ...ofRound(f),
    accepted: numberOf(f["accepted"], "count"),
    rejected: numberOf(f["rejected"], "count"),
    undecided: numberOf(f["undecided"], "count"),
  }),
  "TrainingProposals.Attested": (f) => ({
    kind: "attested",
    who: whoOf(f),
    model: numberOf(f["model"], "model"),
    version: numberOf(f["version"], "version"),
  }),
  "TrainingProposals.VersionConfirmed": (f) => {
    const score = record(f["score"], "score");
    return {
      kind: "confirmed",
      model: numberOf(f["model"], "model"),
      version: numberOf(f["version"], "version"),
      score: { correct: numberOf(score["correct"], "score"), total: numberOf(score["total"], "score") },
    };
  },
  "StakeVoting.VoteCommitted": (f) => {
    const { who: proposer, model, round } = proposalOf(f);
    return { kind: "committed", who: whoOf(f), proposer, model, round };
  },
  "StakeVoting.VoteRevealed": (f) => {
    const { who: proposer, model, round } = proposalOf(f);
    return { kind: "revealed", who: whoOf(f), proposer, model, round, ...verdictOf(f) };
  },
  "StakeVoting.Bonded": (f) => ({
    kind: "bonded",
    who: whoOf(f),
    amount: amountOf(f),
    total: amountOf(f, "total"),
  }),
  "HydraToken.QueryPaid": (f) => ({
    kind: "asked",
    who: whoOf(f),
    model: numberOf(f["model"], "model"),
    version: numberOf(f["version"], "version"),
    price: amountOf(f),
    request: written(f["request_hash"]),
  }),
  "HydraToken.QueryShareClaimed": (f) => ({
    kind: "claimed",
    who: whoOf(f),
    model: numberOf(f["model"], "model"),
    amount: amountOf(f),
  }),
  "Reputation.Registered": (f) => ({ kind: "registered", who: whoOf(f) }),
  "Reputation.BecameInactive": (f) => ({ kind: "inactive", who: whoOf(f) }),
  "Reputation.BecameActive": (f) => ({ kind: "active", who: whoOf(f) }),
  "Reputation.Displaced": (f) => ({ kind: "displaced", who: whoOf(f) }),
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
    who: whoOf(f),
    index: numberOf(f["index"], "referendum"),
    amount: amountOf(f),
  }),
  "ConvictionVoting.Voted": (f) => ({
    kind: "voted",
    who: whoOf(f),
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
  "TrainingProposals.ModelAdded": (f) => ({ kind: "model-added", model: numberOf(f["model"], "model") }),
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

function happening(name: string, fields: unknown, book: VoteBook): Happening {
  const reading = READINGS[name];
  if (!reading) return { kind: "other", name };
  try {
    return reading(fields === undefined ? {} : record(fields, name), book);
  } catch {
    // The event has changed: its name is still true.
    return { kind: "other", name };
  }
}

/** A block's events, in order. `book` hears of the votes among them. */
export function events(raw: RawEvent[], book: VoteBook): Event[] {
  return raw.map(({ phase, event }) => {
    const name = `${event.type}.${event.value.type}`;
    const fields = event.value.value;
    if (typeof fields === "object" && fields !== null && !Array.isArray(fields)) {
      try {
        book.note(name, fields as Fields);
      } catch {
        // Then this vote is not counted, and nothing is said of numbers.
      }
    }
    return {
      extrinsic: phase.type === "ApplyExtrinsic" ? phase.value : undefined,
      name,
      fields: written(fields),
      happening: happening(name, fields, book),
    };
  });
}
