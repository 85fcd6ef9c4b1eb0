/** Reads the chain's state at a block. Must never guess: what does not look as expected is an error. */
import { encodeBase58 } from "../format/base58";
import type { HydraApi, RawModelStatus, RawNodeStatus, RawRound, RawTally, Variant } from "./api";
import { failure } from "./events";
import { NotUnderstood, bigintOf, bytesOf, hexOf, numberOf, record, share, tagOf, textOf, wordsOf } from "./raw";
import type { Funds, Me, Member, Model, Outcome, Part, Phase, Round, Tally } from "./types";

/** Rounds asked for at once. */
const PAGE = 50;
/** What the accepted work of one standard unit earns, and how much work that is: `primitives/src/rewards.rs`. */
const STANDARD_WORK = 30n * 32n * 4_810n;
const REWARD = 1_000_000_000_000n;

const PHASES = ["Train", "Verify", "Reveal", "Settle"];
const OUTCOMES = ["Accepted", "Rejected", "Undecided"];

function phase(value: Variant): Phase {
  if (PHASES.includes(value.type)) return value.type as Phase;
  throw new NotUnderstood("phase");
}

export function tally(raw: RawTally): Tally {
  return {
    accept: share(raw.accept, raw.committee),
    reject: share(raw.reject, raw.committee),
    unavailable: share(raw.unavailable, raw.committee),
  };
}

const permill = (value: number): number => value / 1_000_000;

function layersOf(architecture: Variant): number[] {
  const layers = record(architecture.value, "architecture")["layers"];
  if (!Array.isArray(layers)) throw new NotUnderstood("architecture");
  return layers.map((layer) => numberOf(layer, "architecture"));
}

const parametersOf = (layers: number[]): number =>
  layers.slice(1).reduce((sum, size, index) => sum + size * ((layers[index] ?? 0) + 1), 0);

export function model(raw: RawModelStatus): Model {
  const layers = layersOf(raw.spec.architecture);
  const kind = record(raw.dataset.kind.value, "data set");
  const blobs = [...raw.dataset.shards, raw.dataset.validation];
  return {
    model: raw.model,
    dataset: textOf(raw.dataset.name, "data set"),
    architecture: raw.spec.architecture.type,
    layers,
    parameters: parametersOf(layers),
    profile: raw.spec.profile.type,
    aggregator: aggregator(raw.spec.aggregator),
    steps: raw.spec.task.steps,
    batchSize: raw.spec.task.batch_size,
    learningRate: permill(raw.spec.task.learning_rate),
    momentum: permill(raw.spec.task.momentum),
    phases: raw.spec.phases,
    image: {
      height: numberOf(kind["height"], "data set"),
      width: numberOf(kind["width"], "data set"),
      classes: numberOf(kind["classes"], "data set"),
      maxValue: numberOf(kind["max_value"], "data set"),
    },
    shards: raw.dataset.shards.length,
    dataBytes: blobs.reduce((sum, blob) => sum + Number(blob.size), 0),
    round: raw.round,
    phase: phase(raw.phase),
    phaseEndsAt: raw.phase_ends_at,
    proposals: raw.proposals,
    participants: raw.participants,
    version: raw.version,
    confirmedVersion: raw.confirmed_version,
    weights: hexOf(raw.weights, "weights"),
    score: raw.score,
  };
}

function aggregator(raw: Variant): string {
  const values = Object.entries(raw.value === undefined ? {} : record(raw.value, "aggregator"));
  const said = values.map(([name, value]) =>
    typeof value === "number" ? `${name.replaceAll("_", " ")} ${permill(value)}` : name.replaceAll("_", " "),
  );
  return said.length > 0 ? `${raw.type} (${said.join(", ")})` : raw.type;
}

export async function models(api: HydraApi, at: string): Promise<Model[]> {
  const ids = await api.apis.TrainingApi.models({ at });
  const all = await Promise.all(ids.map((id) => api.apis.TrainingApi.model_status(id, { at })));
  return all.filter((raw) => raw !== undefined).map(model);
}

function round(raw: RawRound): Round {
  return {
    round: raw.round,
    openedAt: raw.opened_at,
    settledAt: raw.settled_at,
    proposals: raw.proposals.map((proposal) => {
      if (!OUTCOMES.includes(proposal.outcome.type)) throw new NotUnderstood("outcome");
      return {
        proposer: proposal.proposer,
        outcome: proposal.outcome.type as Outcome,
        tally: tally(proposal.tally),
        reward: proposal.reward,
      };
    }),
    version: raw.version,
    weights: raw.weights === undefined ? undefined : hexOf(raw.weights, "weights"),
    score: raw.score,
    attestations: raw.attestations.map(([who, weights]) => ({ who, weights: hexOf(weights, "weights") })),
  };
}

/** The settled rounds of a model from number `from` on, as far as the chain keeps them. */
export async function rounds(api: HydraApi, model: number, from: number, at: string): Promise<Round[]> {
  const all: Round[] = [];
  for (let next = from; ; ) {
    const page = (await api.apis.TrainingApi.rounds(model, next, PAGE, { at })).map(round);
    const last = page.reduce((highest, one) => Math.max(highest, one.round), -1);
    if (last < next) break;
    all.push(...page);
    next = last + 1;
  }
  return all.sort((a, b) => a.round - b.round);
}

function member(address: string, raw: RawNodeStatus): Member {
  return {
    address,
    peerId: encodeBase58(bytesOf(raw.peer_id, "PeerId")),
    active: raw.active,
    reputation: raw.reputation / 1_000_000_000,
    stake: raw.stake,
    weight: raw.weight,
  };
}

/** A registered account; `undefined` if it isn't. */
export async function memberOf(api: HydraApi, address: string, at: string): Promise<Member | undefined> {
  const raw = await api.apis.TrainingApi.node_status(address, { at });
  return raw.registered ? member(address, raw) : undefined;
}

export async function members(api: HydraApi, at: string): Promise<Member[]> {
  const addresses = await api.apis.TrainingApi.registered({ at });
  const all = await Promise.all(addresses.map((address) => memberOf(api, address, at)));
  return all.filter((one) => one !== undefined);
}

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);

export async function funds(api: HydraApi, address: string, at: string): Promise<Funds> {
  const [{ data }, minimum] = await Promise.all([
    api.query.System.Account.getValue(address, { at }),
    api.constants.Balances.ExistentialDeposit(),
  ]);
  const locked = larger(data.frozen - data.reserved, minimum);
  return { free: data.free, held: data.reserved, spendable: larger(data.free - locked, 0n) };
}

/** An account's part in a model: `Pool::owed` of `primitives/src/rewards.rs`. */
export async function part(api: HydraApi, model: number, address: string, at: string): Promise<Part> {
  const [pool, mine] = await Promise.all([
    api.query.HydraToken.Pools.getValue(model, { at }),
    api.query.HydraToken.Shares.getValue(model, address, { at }),
  ]);
  const grown = wordsOf(pool.per_share) - wordsOf(mine.settled_at);
  return { shares: mine.shares, of: pool.shares, owed: (larger(grown, 0n) * mine.shares) >> 64n };
}

/** What a question costs. Only the chain knows: where it does not say, nobody is asked to pay. */
export async function price(api: HydraApi): Promise<bigint | undefined> {
  try {
    return bigintOf(await api.constants.HydraToken.QueryPrice(), "price");
  } catch {
    return undefined;
  }
}

/** The fee that a transaction cost, and why it failed, if it did. */
export async function outcome(api: HydraApi, at: string, index: number): Promise<{ fee: bigint; failure: string | undefined }> {
  const raw = await api.query.System.Events.getValue({ at });
  const own = raw.filter(({ phase }) => phase.type === "ApplyExtrinsic" && phase.value === index).map(({ event }) => event);
  const fieldsOf = (pallet: string, name: string) => {
    const found = own.find(({ type, value }) => type === pallet && value.type === name);
    return found && record(found.value.value, name);
  };
  const paid = fieldsOf("TransactionPayment", "TransactionFeePaid");
  const failed = fieldsOf("System", "ExtrinsicFailed");
  return {
    fee: paid ? bigintOf(paid["actual_fee"], "fee") : 0n,
    failure: failed && failure(failed["dispatch_error"]),
  };
}

/** What accepted work on this model earns. */
export const rewardOf = (model: Model): bigint =>
  (BigInt(model.steps) * BigInt(model.batchSize) * BigInt(model.parameters) * REWARD) / STANDARD_WORK;

export async function me(api: HydraApi, address: string, models: Model[], at: string): Promise<Me> {
  const parts = new Map<number, Part>();
  let underVote = 0n;
  const [mine, registered] = await Promise.all([funds(api, address, at), memberOf(api, address, at)]);
  for (const one of models) {
    parts.set(one.model, await part(api, one.model, address, at));
    const proposals = await api.query.TrainingProposals.Proposals.getValue(one.model, { at });
    if (proposals.some(([proposer]) => proposer === address)) underVote += rewardOf(one);
  }
  return { address, funds: mine, member: registered, parts, underVote };
}

export { tagOf };
