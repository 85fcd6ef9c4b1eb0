/**
 * What the page knows of a chain, in its own words. Everything else in the page sees these types only, never the node's
 * answers: what a later protocol says differently is changed in this folder.
 */

export interface BlockRef {
  hash: string;
  number: number;
}

export type Phase = "Pause" | "Train" | "Verify";

/** Why a model is not trained now. */
export type Waiting = "Participants" | "Room" | "Progress" | "Turn" | "Payer";

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
  phases: { train: number; verify: number };
  /** Places of a round, if there are as many accounts. */
  roster: number;
  /** Seats of the first draw that does a task again. */
  firstSeats: number;
  image: { height: number; width: number; classes: number; maxValue: number };
  shards: number;
  dataBytes: number;
  round: number;
  phase: Phase;
  waiting: Waiting | undefined;
  phaseEndsAt: number;
  /** Of the current round; of its polls, those that are over. */
  places: number;
  proposals: number;
  decided: number;
  version: number;
  /** The poll on the newest version, while it is not confirmed. */
  versionPoll: string | undefined;
  confirmedVersion: number;
  weights: string;
  score: Score | undefined;
  /** Who pays for its rounds; `undefined`: they are paid from the bucket. */
  sponsor: Sponsor | undefined;
}

export interface Sponsor {
  address: string;
  /** What is left of its deposit. */
  left: bigint;
  /** From this block on it may take that back, since it gave notice. */
  endsAt: number | undefined;
}

export type Outcome = "Accepted" | "Rejected" | "Undecided" | "Dropped";

/** Which of a poll's draws. */
export type Draw = "First" | "Appeal" | "Last";

/** A place of a round on record. */
export interface Place {
  place: number;
  holder: string;
  /** `undefined`: nothing was proposed. */
  outcome: Outcome | undefined;
  /** The draw that decided. */
  draw: Draw;
  /** What its holder was paid; 0 before its version is confirmed. */
  reward: bigint;
  /** What those were paid together who verified it. */
  verifiers: bigint;
}

export interface Round {
  round: number;
  openedAt: number;
  settledAt: number;
  places: Place[];
  version: number;
  weights: string | undefined;
  score: Score | undefined;
  /** Whether the version that it made was given up. */
  givenUp: boolean;
}

/** A place of the round that is under way. */
export interface OpenPlace {
  place: number;
  holder: string;
  proposed: boolean;
  outcome: Outcome | undefined;
  /** The poll on what was proposed, once it is asked. */
  poll: string | undefined;
  /** How that poll is, while it is not over. */
  asked: Poll | undefined;
}

/** What a poll asks: what a place’s task gives, or which weights the version has that a round made. */
export type Subject =
  | { is: "place"; model: number; round: number; place: number; holder: string | undefined }
  | { is: "version"; model: number; round: number };

export type PollStage = "Drawing" | "Digests" | "Opening" | "Judging";

export interface Poll {
  poll: string;
  draw: Draw;
  stage: PollStage;
  /** The block in which the stage ends at the latest. */
  endsAt: number;
  /** Seats of this draw, empty ones included, and those that gave their digest. */
  seats: number;
  given: number;
  /** Who has seats, the first 64: in all draws so far, and whether the digest is given. */
  accounts: { address: string; seats: number; given: boolean }[];
}

/** A poll by itself. */
export interface AskedPoll extends Poll {
  subject: Subject;
  /** What a wrong digest costs, for each seat. */
  forfeit: bigint;
}

/** A place of a current round that an account holds. */
export interface HeldPlace {
  model: number;
  round: number;
  place: number;
  proposed: boolean;
}

/** An account’s seats in a poll. */
export interface OwnSeats {
  poll: string;
  model: number;
  round: number;
  /** Whose proposal it is on; `undefined`: it is on the newest version. */
  place: number | undefined;
  version: number;
  /** In all draws so far. */
  seats: number;
  /** Whether its digest is given. */
  given: boolean;
}

/** What an account is drawn for now. */
export interface Duties {
  places: HeldPlace[];
  seats: OwnSeats[];
}

/** An account that registered as a PC. */
export interface Member {
  address: string;
  peerId: string;
  /** Whether a point of a draw that falls on it counts. */
  active: boolean;
  /** Whether its owner paused it. */
  paused: boolean;
  /** The session of its last heartbeat. */
  heartbeat: number;
  /** From 0 to 1. */
  score: number;
  stake: bigint;
  unbonding: bigint;
  /** Stake × score, in millionths of a HYDRA. */
  weight: bigint;
  /** How many tasks it takes on at a time, how many it has, and how large they may be. */
  room: number;
  busy: number;
  sizeClass: number;
  /** Why it is out, where that was looked for. */
  absence: Absence | undefined;
}

export type Absence =
  /** It missed a duty: until its next heartbeat; if it did so several times in a session, until the next from this block on. */
  | { is: "missed"; from: number | undefined }
  /** Until this session: it forfeited, or took stake away. */
  | { is: "until"; session: number }
  /** It gave its heartbeat, and is drawn from the next session on. */
  | { is: "joining" }
  /** It gave none in time. */
  | { is: "silent" };

/** The accounts that draws are made from. Weights are in millionths of a HYDRA. */
export interface Electorate {
  session: number;
  accounts: number;
  weight: bigint;
  /** Of the next session, so far. */
  nextAccounts: number;
  registered: number;
  /** The largest weight of a session within the last day. */
  largest: bigint;
}

export interface Funds {
  /** Not on hold. */
  free: bigint;
  /** On hold: as stake, or as a deposit. */
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

/** Seats of a draw, empty ones included, and those that gave their digest: as far as this page has seen it. */
export interface Seats {
  given: number;
  seats: number;
}

/** What somebody forfeited for, where that was seen. */
export type Cause = { is: "digest"; poll: string; subject: Subject | undefined } | { is: "proposal"; model: number; round: number; place: number } | { is: "offence" };

/** What came out of a poll. */
export type Found = "update" | "version" | "not-finite";

/** What happened in a poll. What it is about is known where the page saw it asked. */
interface InPoll {
  poll: string;
  subject: Subject | undefined;
}

/** What became of a place. */
interface Settled {
  who: string;
  model: number;
  round: number;
  place: number;
  draw: Draw;
  seats: Seats | undefined;
}

/** Something that happened in a block, as far as anybody should hear of it. */
export type Happening =
  | ({
      kind: "accepted";
      /** Others of whom the same is true, where several are told of together. */
      also?: string[];
    } & Settled)
  | ({ kind: "rejected"; forfeited: bigint } & Settled)
  | ({ kind: "undecided" } & Settled)
  | ({ kind: "dropped" } & Settled)
  | { kind: "earned"; who: string; also?: string[]; amount: bigint; verifiers: bigint }
  | { kind: "verifier-earned"; who: string; amount: bigint }
  | { kind: "round-paid"; model: number; round: number; paid: bigint }
  | { kind: "duties-paid"; model: number; burnt: bigint }
  | { kind: "confirmed"; model: number; version: number; score: Score }
  | { kind: "given-up"; model: number; version: number; found: Found | undefined }
  | { kind: "settled"; model: number; round: number; accepted: number; places: number; version: number | undefined }
  | { kind: "opened"; model: number; round: number; extension: number; places: number; until: number }
  | { kind: "waits"; model: number; round: number; why: Waiting }
  | { kind: "extended"; model: number; round: number; until: number }
  | { kind: "begins-anew"; model: number; round: number; extension: number }
  | { kind: "phase"; model: number; round: number; phase: Phase; until: number }
  | { kind: "proposed"; who: string; model: number; round: number; place: number }
  | { kind: "refused"; who: string; reason: string }
  | { kind: "poll-asked"; poll: string; subject: Subject; seats: number; window: number; forfeit: bigint }
  | ({ kind: "seats-drawn"; draw: Draw; seats: number; accounts: number } & InPoll)
  | ({ kind: "digest"; who: string } & InPoll)
  | ({ kind: "digests-closed"; draw: Draw } & InPoll & Seats)
  | ({ kind: "poll-opened"; who: string; draw: Draw; found: Found } & InPoll)
  | ({ kind: "poll-decided"; draw: Draw; found: Found | undefined } & InPoll)
  | ({ kind: "judged"; who: string; verdict: "Right" | "Wrong" | "Missed" } & InPoll)
  | { kind: "committee-stays"; found: number; present: number }
  | { kind: "asked"; who: string; model: number; version: number; price: bigint; request: string }
  | { kind: "claimed"; who: string; model: number; amount: bigint }
  | { kind: "sent"; from: string; to: string; amount: bigint }
  | { kind: "bonded"; who: string; amount: bigint; total: bigint }
  | { kind: "unbonding"; who: string; amount: bigint; until: number }
  | { kind: "withdrawn"; who: string; amount: bigint }
  | { kind: "forfeited"; who: string; amount: bigint; cause: Cause | undefined }
  | { kind: "forfeit-received"; who: string; amount: bigint }
  | { kind: "forfeit-shared"; amount: bigint; burnt: bigint }
  | { kind: "sponsor-set"; model: number; who: string | undefined }
  | { kind: "sponsored"; who: string; model: number; amount: bigint }
  | { kind: "sponsorship-ending"; who: string; model: number; until: number }
  | { kind: "sponsorship-withdrawn"; who: string; model: number; amount: bigint }
  | { kind: "registered"; who: string; sizeClass: number; room: number }
  | { kind: "deregistered"; who: string }
  | { kind: "paused"; who: string }
  | { kind: "resumed"; who: string }
  | { kind: "room"; who: string; sizeClass: number; room: number }
  | { kind: "left"; who: string; also?: string[]; until: number | undefined }
  | { kind: "returned"; who: string; also?: string[] }
  | { kind: "heartbeat"; who: string; session: number }
  | { kind: "score"; who: string; deed: "Right" | "Missed" | "Wrong"; score: number }
  | { kind: "session"; session: number }
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
  /** Calls inside it, for a batch; what a submission brings, each kind with how many. */
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
  /** Registered accounts: the first ones only, where there are many. */
  members: Member[];
  electorate: Electorate;
  /** Who makes blocks in this session. */
  committee: string[];
  /** What new coin flowed into and rewards are paid from; `undefined` where that can’t be read. */
  bucket: bigint | undefined;
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
  /** What its results that are not paid yet earn if they are accepted and their versions confirmed. */
  underWay: bigint;
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
