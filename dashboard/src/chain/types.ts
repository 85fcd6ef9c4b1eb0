/**
 * What the page knows of a chain, in its own words. Everything else in the page sees these types only, never the node's
 * answers: what a later protocol says differently is changed in this folder.
 */

export interface BlockRef {
  hash: string;
  number: number;
}

export type Phase = "Train" | "Verify" | "Reveal" | "Settle";

export interface Score {
  correct: number;
  total: number;
}

export interface Model {
  model: number;
  dataset: string;
  architecture: string;
  layers: number[];
  parameters: number;
  profile: string;
  aggregator: string;
  steps: number;
  batchSize: number;
  learningRate: number;
  momentum: number;
  phases: { train: number; verify: number; reveal: number };
  image: { height: number; width: number; classes: number; maxValue: number };
  shards: number;
  dataBytes: number;
  round: number;
  phase: Phase;
  phaseEndsAt: number;
  proposals: number;
  participants: number;
  version: number;
  confirmedVersion: number;
  weights: string;
  score: Score | undefined;
}

export type Outcome = "Accepted" | "Rejected" | "Undecided";

/** Voting weights, as shares of the whole committee's. */
export interface Tally {
  accept: number;
  reject: number;
  unavailable: number;
}

export interface Proposal {
  proposer: string;
  outcome: Outcome;
  tally: Tally;
  reward: bigint;
}

export interface Round {
  round: number;
  openedAt: number;
  settledAt: number;
  proposals: Proposal[];
  version: number;
  weights: string | undefined;
  score: Score | undefined;
  attestations: { who: string; weights: string }[];
}

/** An account that registered as a PC. */
export interface Member {
  address: string;
  peerId: string;
  active: boolean;
  /** From 0 to 1. */
  reputation: number;
  stake: bigint;
  weight: bigint;
}

export interface Funds {
  /** Not on hold. */
  free: bigint;
  /** On hold as stake. */
  held: bigint;
  /** What can be sent without the account ceasing to exist. */
  spendable: bigint;
}

/** An account's part in what a model's questions pay. */
export interface Part {
  shares: bigint;
  of: bigint;
  /** What it could claim now. */
  owed: bigint;
}

/** What PCs said of one proposal, as far as this page has seen it. */
export interface Votes {
  members: number;
  accept: number;
  unavailable: number;
  /** Verdicts against it, by reason. */
  reject: Record<string, number>;
}

/** Something that happened in a block, as far as anybody should hear of it. */
export type Happening =
  | {
      kind: "accepted";
      who: string;
      /** Others of whom the same is true, where several are told of together. */
      also?: string[];
      model: number;
      round: number;
      reward: bigint;
      tally: Tally;
      votes?: Votes;
    }
  | { kind: "rejected"; who: string; model: number; round: number; tally: Tally; votes?: Votes }
  | { kind: "undecided"; who: string; model: number; round: number; tally: Tally; votes?: Votes }
  | { kind: "confirmed"; model: number; version: number; score: Score }
  | { kind: "settled"; model: number; round: number; accepted: number; rejected: number; undecided: number }
  | { kind: "opened"; model: number; round: number; version: number }
  | { kind: "extended"; model: number; round: number; until: number }
  | { kind: "phase"; model: number; round: number; phase: Phase; until: number }
  | { kind: "proposed"; who: string; model: number; round: number; shard: number }
  | { kind: "attested"; who: string; model: number; version: number }
  | { kind: "committed"; who: string; proposer: string; model: number; round: number }
  | { kind: "revealed"; who: string; proposer: string; model: number; round: number; verdict: string; reason: string }
  | { kind: "asked"; who: string; model: number; version: number; price: bigint; request: string }
  | { kind: "claimed"; who: string; model: number; amount: bigint }
  | { kind: "sent"; from: string; to: string; amount: bigint }
  | { kind: "registered"; who: string }
  | { kind: "bonded"; who: string; amount: bigint; total: bigint }
  | { kind: "inactive"; who: string }
  | { kind: "active"; who: string }
  | { kind: "displaced"; who: string }
  | { kind: "referendum"; index: number; step: Step }
  | { kind: "deposited"; who: string; index: number; amount: bigint }
  | { kind: "voted"; who: string; index: number; aye: bigint; nay: bigint; abstain: bigint; times: number }
  | { kind: "enacted"; index: number | undefined; failure: string | undefined }
  | { kind: "upgraded" }
  | { kind: "model-added"; model: number }
  | { kind: "failed"; reason: string }
  | { kind: "other"; name: string };

/** What became of a referendum in a block. */
export type Step =
  | "submitted"
  | "deciding"
  | "confirming"
  | "unconfirmed"
  | "approved"
  | "rejected"
  | "timed-out"
  | "cancelled"
  | "killed";

/** A happening and the extrinsic that brought it about, if one did. */
export interface Event {
  extrinsic: number | undefined;
  name: string;
  fields: string;
  happening: Happening;
}

export interface Extrinsic {
  index: number;
  hash: string;
  /** `pallet.call` */
  call: string;
  /** Calls inside it, for a batch. */
  inner: string[];
  signer: string | undefined;
  nonce: number | undefined;
  tip: bigint;
  bytes: number;
  /** What the call was given, as text. */
  input: string;
}

export interface Block extends BlockRef {
  parent: string;
  time: number | undefined;
  extrinsics: Extrinsic[];
  /** `undefined` where the node no longer keeps the block's state. */
  events: Event[] | undefined;
}

/** What the list of recent blocks shows of one. */
export interface BlockNews extends BlockRef {
  time: number | undefined;
  extrinsics: number;
  events: Event[];
}

/** How things are at the newest block. */
export interface Snapshot {
  best: BlockRef;
  finalised: BlockRef;
  /** When the newest block says it was made. */
  time: number | undefined;
  chain: string;
  /** Whether the development keys' names may be shown. */
  local: boolean;
  slotMs: number;
  peers: number;
  syncing: boolean;
  /** While syncing: the highest block that peers have told of, and the one that the node is at. */
  highest: number | undefined;
  reached: number | undefined;
  /** While syncing: how long it takes from here, where the speed is steady enough to say. */
  syncLeftMs: number | undefined;
  clock: { offsetMs: number | undefined; warning: string | undefined } | undefined;
  models: Model[];
  members: Member[];
  emitted: bigint;
  /** What a question costs, as the chain says; `undefined` where it does not. */
  price: bigint | undefined;
  /** This PC's account, if it has one. */
  me: Me | undefined;
}

export interface Me {
  address: string;
  funds: Funds;
  member: Member | undefined;
  parts: Map<number, Part>;
  /** What its proposals of the current rounds earn if they are accepted. */
  underVote: bigint;
}

/** A call of the runtime, and what of its arguments says most. */
export interface Call {
  /** `Pallet.call` */
  name: string;
  about: string | undefined;
}

/** What a referendum asks for. */
export type Asked =
  /** `there`: whether the chain has it now. Nothing is done of what has gone, unless somebody brings it back. */
  | { is: "known"; calls: Call[]; there: boolean }
  /** The chain has its hash only. */
  | { is: "missing" }
  /** It is there, and this page can't read it. */
  | { is: "strange" };

export type Stage =
  /** For who lays down the deposit that a decision takes; until this block. */
  | { is: "waiting"; until: number }
  /** To be read, until this block. */
  | { is: "preparing"; until: number }
  /** Until one of those is decided that are before it. */
  | { is: "queued" }
  /** Rejected in this block, if it hasn't enough votes until then. */
  | { is: "deciding"; until: number }
  /** It has enough votes; approved in this block, if it keeps them. */
  | { is: "confirming"; until: number };

/** What a referendum needs to pass, as shares from 0 to 1. */
export interface Needs {
  approval: number;
  support: number;
}

/** A referendum that isn't over. */
export interface Ongoing {
  index: number;
  /** Its track's name; its number, where the chain says none. */
  track: string;
  asked: Asked;
  by: string;
  submitted: number;
  stage: Stage;
  /** What placing the decision deposit costs. */
  deposit: bigint | undefined;
  /** Votes: HYDRA times conviction. */
  ayes: bigint;
  nays: bigint;
  /** HYDRA that says yes or abstains. */
  support: bigint;
  /** Ayes of ayes and nays; `undefined` where nobody has voted. */
  approval: number | undefined;
  /** Support, of all HYDRA. */
  supportShare: number;
  /** Now, and in the last block of the decision; not known for a track that this page can't read. */
  needs: { now: Needs; last: Needs } | undefined;
}

export type Verdict = "Approved" | "Rejected" | "Cancelled" | "TimedOut" | "Killed";

/** A referendum that is over. What it was about is kept by the chain for a while only. */
export interface Decided {
  index: number;
  verdict: Verdict;
  block: number;
  track: string | undefined;
  asked: Asked | undefined;
}

/** A call that is going to be made. */
export interface Planned {
  block: number;
  /** Whether it may do anything: change the rules above all. */
  root: boolean;
  /** The referendum that asked for it, where it was one by itself. */
  referendum: number | undefined;
  asked: Asked;
}

/** How the rules change. */
export interface Governance {
  /** The block that it is of. */
  at: number;
  ongoing: Ongoing[];
  /** Referenda that this page can't read. */
  strange: number[];
  /** Newest first. */
  decided: Decided[];
  /** Next first. */
  planned: Planned[];
}
