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
    phases: { train: number; verify: number; reveal: number };
  };
  dataset: { name: unknown; kind: Variant; shards: { size: bigint }[]; validation: { size: bigint } };
  round: number;
  phase: Variant;
  phase_ends_at: number;
  proposals: number;
  participants: number;
  version: number;
  confirmed_version: number;
  weights: unknown;
  score: RawScore | undefined;
}

export interface RawTally {
  committee: bigint;
  accept: bigint;
  reject: bigint;
  unavailable: bigint;
}

export interface RawRound {
  round: number;
  opened_at: number;
  settled_at: number;
  proposals: { proposer: string; outcome: Variant; tally: RawTally; reward: bigint }[];
  version: number;
  weights: unknown;
  score: RawScore | undefined;
  attestations: [string, unknown][];
}

export interface RawNodeStatus {
  registered: boolean;
  active: boolean;
  peer_id: unknown;
  reputation: number;
  stake: bigint;
  weight: bigint;
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
      registered: Call<[], string[]>;
      node_status: Call<[string], RawNodeStatus>;
    };
  };
  query: {
    System: { Account: Query<[string], RawAccount>; Events: Query<[], RawEvent[]> };
    Timestamp: { Now: Query<[], bigint> };
    HydraToken: {
      Emitted: Query<[], bigint>;
      Pools: Query<[number], RawPool>;
      Shares: Query<[number, string], RawShare>;
    };
    TrainingProposals: { Proposals: Query<[number], [string, unknown][]> };
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
    HydraToken: { QueryPrice(options?: At): Promise<bigint> };
    Referenda: { Tracks(options?: At): Promise<unknown>; UndecidingTimeout(options?: At): Promise<unknown> };
  };
  tx: {
    Balances: { transfer_keep_alive(data: { dest: Variant; value: bigint }): Transaction };
    HydraToken: { pay_query(data: { model: number; request_hash: string }): Transaction };
  };
  txFromCallData(call: Uint8Array, options?: At): Promise<Transaction>;
}
