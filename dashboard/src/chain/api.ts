/**
 * The entries of the runtime that this page uses, as polkadot-api hands them out: the only place that names them.
 *
 * There are no generated descriptors: the codecs come from the node's own metadata, so a runtime that changes what this
 * page does not look at needs no new page. What it does look at is checked when it is read (`read.ts`).
 */
import type { PolkadotSigner } from "polkadot-api";

export interface At {
  at: string;
}

type Query<Args extends unknown[], T> = { getValue(...args: [...Args, At]): Promise<T> };
type Entries<Args extends unknown[], T> = Query<Args, T> & {
  getValues(keys: Args[], options: At): Promise<T[]>;
  getEntries(options: At): Promise<{ keyArgs: Args; value: T }[]>;
};
/** A map whose first key is the model. */
type PerModel<Args extends [number, ...unknown[]], T> = Query<Args, T | undefined> & {
  getEntries(model: number, options: At): Promise<{ keyArgs: Args; value: T }[]>;
};
type Call<Args extends unknown[], T> = (...args: [...Args, At]) => Promise<T>;

/** A SCALE enum. */
export interface Variant {
  type: string;
  value?: unknown;
}

export interface RawEvent {
  phase: { type: string; value?: number };
  event: { type: string; value: Variant };
}

export interface RawAccount {
  nonce: number;
  data: { free: bigint; reserved: bigint; frozen: bigint };
}

export interface RawPool {
  per_share: bigint[];
  shares: bigint;
}

export interface RawShare {
  shares: bigint;
  settled_at: bigint[];
}

export interface RawScore {
  correct: number;
  total: number;
}

export interface RawModelStatus {
  model: number;
  spec: {
    architecture: Variant;
    profile: Variant;
    task: { steps: number; batch_size: number; learning_rate: number; momentum: number };
    aggregator: Variant;
    phases: { train: number; verify: number };
    roster: number;
    first_seats: number;
  };
  dataset: { name: unknown; kind: Variant; shards: { size: bigint }[]; validation: { size: bigint } };
  round: number;
  phase: Variant;
  waiting: Variant | undefined;
  phase_ends_at: number;
  places: number;
  proposals: number;
  decided: number;
  version: number;
  version_poll: unknown;
  confirmed_version: number;
  weights: unknown;
  score: RawScore | undefined;
}

export interface RawRound {
  round: number;
  opened_at: number;
  settled_at: number;
  places: { place: number; holder: string; outcome: Variant | undefined; draw: Variant; reward: bigint; verifiers: bigint }[];
  version: number;
  weights: unknown;
  score: RawScore | undefined;
  given_up: boolean;
}

/** A place of the current round, in storage. */
export interface RawPlace {
  holder: string;
  claim: unknown;
  poll: unknown;
  outcome: Variant | undefined;
  quoted: bigint;
}

/** What an accepted place earns once its version is confirmed. */
export interface RawPayout {
  holder: string;
  reward: bigint;
  right: [string, number][];
}

export interface RawPoll {
  poll: unknown;
  draw: Variant;
  stage: Variant;
  ends_at: number;
  seats: number;
  given: number;
  accounts: [string, number, boolean][];
}

/** An account's seats in a poll. */
export interface RawSeat {
  seats: { first: number; appeal: number; last: number };
  digest: unknown;
}

export interface RawNodeStatus {
  registered: boolean;
  active: boolean;
  paused: boolean;
  heartbeat: number;
  peer_id: unknown;
  reputation: number;
  stake: bigint;
  unbonding: bigint;
  weight: bigint;
  room: number;
  busy: number;
  size_class: number;
}

/** What decides whether a registered account is out. */
export interface RawNode {
  heartbeat: number | undefined;
  since: number;
  away: boolean;
  away_until: number;
  absences: [session: number, times: number] | undefined;
  out_until: number;
}

export interface RawElectorate {
  session: number;
  accounts: number;
  weight: bigint;
  next_accounts: number;
  registered: number;
  largest: bigint;
}

export interface Transaction {
  getEstimatedFees(from: string): Promise<bigint>;
  sign(
    from: PolkadotSigner,
    options: { at: string; nonce: number; mortality: { mortal: true; period: number } },
  ): Promise<Uint8Array>;
  decodedCall: { type: string; value: Variant };
}

export interface HydraApi {
  apis: {
    TrainingApi: {
      models: Call<[], number[]>;
      model_status: Call<[number], RawModelStatus | undefined>;
      rounds: Call<[number, number, number], RawRound[]>;
      registered: Call<[string | undefined, number], string[]>;
      node_status: Call<[string], RawNodeStatus>;
      poll_status: Call<[string], RawPoll | undefined>;
      electorate: Call<[], RawElectorate>;
    };
  };
  query: {
    System: { Account: Query<[string], RawAccount>; Events: Query<[], RawEvent[]> };
    Timestamp: { Now: Query<[], bigint> };
    HydraToken: {
      Bucket: Query<[], unknown>;
      Sponsors: Query<[number], unknown>;
      Pools: Query<[number], RawPool>;
      Shares: Query<[number, string], RawShare>;
    };
    Reputation: { Nodes: Query<[string], RawNode | undefined> };
    Session: { Validators: Query<[], string[]> };
    StakeVoting: { Polls: Query<[string], unknown>; Seats: Query<[string, string], RawSeat | undefined> };
    TrainingProposals: {
      Payouts: PerModel<[number, number], RawPayout>;
      Places: PerModel<[number, number], RawPlace>;
    };
    // Of governance nothing is taken for granted: `referenda.ts` checks each value.
    Balances: { TotalIssuance: Query<[], unknown>; InactiveIssuance: Query<[], unknown> };
    Governance: { Lengths: Query<[], unknown> };
    Preimage: { RequestStatusFor: Query<[string], unknown>; PreimageFor: Query<[[string, number]], unknown> };
    Referenda: { ReferendumCount: Query<[], unknown>; ReferendumInfoFor: Entries<[number], unknown> };
    Scheduler: { Agenda: Entries<[number], unknown> };
  };
  constants: {
    Balances: { ExistentialDeposit(options?: At): Promise<bigint> };
    Babe: { ExpectedBlockTime(options?: At): Promise<bigint> };
    HydraToken: { EmissionCap(options?: At): Promise<bigint>; QueryPrice(options?: At): Promise<bigint> };
    TrainingProposals: { HistoryDepth(options?: At): Promise<unknown> };
    Referenda: { Tracks(options?: At): Promise<unknown>; UndecidingTimeout(options?: At): Promise<unknown> };
  };
  tx: {
    Balances: { transfer_keep_alive(data: { dest: Variant; value: bigint }): Transaction };
    HydraToken: { pay_query(data: { model: number; request_hash: string }): Transaction };
  };
  txFromCallData(call: Uint8Array, options?: At): Promise<Transaction>;
}
