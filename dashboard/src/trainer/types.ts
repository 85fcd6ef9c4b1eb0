/** What the trainer says of itself: `offchain-trainer/api/src/status.rs`. */

export interface TrainerPeer {
  peer_id: string;
  address: string;
  latency_ms: number | null;
  agent: string | null;
  /** Which way the connection takes: `direct`, `punched` or `relayed`. */
  path?: string | null;
  /** What slot it has: `long_term`, `exploratory`, `inbound` or `none`. */
  slot?: string | null;
  /** What carries it: `tcp`, `quic` or `wss`. */
  transport?: string | null;
}

export interface ModelWork {
  model: number;
  version: number | null;
  weights: string | null;
  state: "idle" | "fetching" | "folding" | "training" | "verifying";
  round: number;
  phase: string;
  task: string | null;
  /** How far the task is, if that is known. */
  progress?: { done: number; total: number } | null;
  /** What is owed and not done yet, what is being done included. */
  waiting?: { measure: number; train: number; verify: number };
}

/** How other trainers reach this one. */
export interface Reachability {
  /** `unknown`, `public`, `mapped`, `punched`, `relayed` or `unreachable`. */
  state: string;
  /** Where others get in by themselves. The reason has it, too, and before it no more than the state says. */
  at?: string | null;
  /** A sentence for people. */
  reason: string;
  /** What a person can do: `open_ports`, `open_by_hand`, `open_outer_router`, or what only a later trainer knows. */
  advice?: string | null;
}

export interface TrainerStatus {
  version: string;
  account: string | null;
  standing: "unregistered" | "unstaked" | "paused" | "joining" | "ready" | null;
  peer_id: string;
  listen: string[];
  peers: TrainerPeer[];
  reachability?: Reachability | null;
  engine: { state: "starting" | "ready" | "failed"; reason: string | null; instructions: string | null };
  models: ModelWork[];
  last_sheet: { block: number; seconds_ago: number } | null;
  clock: { offset_ms: number; peers: number } | null;
  warnings: string[];
  errors: string[];
  /** Where the node's JSON-RPC is on 127.0.0.1. */
  node_rpc_port?: number;
  /** The genesis hash of the chain that its node follows, once it has heard from the node. */
  genesis?: string | null;
}

export interface Answer {
  model: number;
  version: number;
  weights: string;
  truth: number | null;
  label: number;
  probabilities: number[];
}
