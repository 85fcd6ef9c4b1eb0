/** Reads the chain's state at a block. Must never guess: what does not look as expected is an error. */
import { encodeBase58 } from "../format/base58";
import type { HydraApi, RawElectorate, RawModelStatus, RawNode, RawNodeStatus, RawPlace, RawRound, Variant } from "./api";
import { filled } from "./bucket";
import { holdersPart } from "./earned";
import { failure } from "./events";
import * as polls from "./polls";
import { NotUnderstood, bigintOf, bytesOf, hexOf, numberOf, record, stringOf, textOf, wordsOf } from "./raw";
import type { Absence, Electorate, Funds, Me, Member, Model, OpenPlace, Outcome, Part, Phase, Round, Sponsor, Waiting } from "./types";

/** Rounds asked for at once. */
const PAGE = 50;
/** Accounts that are read one by one: whoever wants to see another one looks for its address. */
export const MEMBERS = 256;
/** Places of a round whose polls are looked at. */
const POLLS = 64;

const PHASES = ["Pause", "Train", "Verify"];
const WAITING = ["Participants", "Room", "Progress", "Turn", "Payer"];
const OUTCOMES = ["Accepted", "Rejected", "Undecided", "Dropped"];

/** The name of a value that this page knows. */
function known<T extends string>(value: Variant, names: string[], what: string): T {
  if (names.includes(value.type)) return value.type as T;
  throw new NotUnderstood(what);
}

const outcomeOf = (value: Variant | undefined): Outcome | undefined => value && known<Outcome>(value, OUTCOMES, "outcome");

const permill = (value: number): number => value / 1_000_000;

function layersOf(architecture: Variant): number[] {
  const layers = record(architecture.value, "architecture")["layers"];
  if (!Array.isArray(layers)) throw new NotUnderstood("architecture");
  return layers.map((layer) => numberOf(layer, "architecture"));
}

const parametersOf = (layers: number[]): number =>
  layers.slice(1).reduce((sum, size, index) => sum + size * ((layers[index] ?? 0) + 1), 0);

export function model(raw: RawModelStatus, sponsor: Sponsor | undefined): Model {
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
    roster: raw.spec.roster,
    firstSeats: raw.spec.first_seats,
    image: {
      height: numberOf(kind["height"], "data set"),
      width: numberOf(kind["width"], "data set"),
      classes: numberOf(kind["classes"], "data set"),
      maxValue: numberOf(kind["max_value"], "data set"),
    },
    shards: raw.dataset.shards.length,
    dataBytes: blobs.reduce((sum, blob) => sum + Number(blob.size), 0),
    round: raw.round,
    phase: known<Phase>(raw.phase, PHASES, "phase"),
    waiting: raw.waiting && known<Waiting>(raw.waiting, WAITING, "reason to wait"),
    phaseEndsAt: raw.phase_ends_at,
    places: raw.places,
    proposals: raw.proposals,
    decided: raw.decided,
    version: raw.version,
    versionPoll: raw.version_poll === undefined ? undefined : hexOf(raw.version_poll, "poll"),
    confirmedVersion: raw.confirmed_version,
    weights: hexOf(raw.weights, "weights"),
    score: raw.score,
    sponsor,
  };
}

function aggregator(raw: Variant): string {
  const values = Object.entries(raw.value === undefined ? {} : record(raw.value, "aggregator"));
  const said = values.map(([name, value]) =>
    typeof value === "number" ? `${name.replaceAll("_", " ")} ${permill(value)}` : name.replaceAll("_", " "),
  );
  return said.length > 0 ? `${raw.type} (${said.join(", ")})` : raw.type;
}

function sponsorOf(raw: unknown): Sponsor | undefined {
  if (raw === undefined) return undefined;
  const said = record(raw, "sponsor");
  return {
    address: stringOf(said["account"], "sponsor"),
    left: bigintOf(said["left"], "sponsor"),
    endsAt: said["ends_at"] === undefined ? undefined : numberOf(said["ends_at"], "sponsor"),
  };
}

export async function models(api: HydraApi, at: string): Promise<Model[]> {
  const ids = await api.apis.TrainingApi.models({ at });
  const all = await Promise.all(
    ids.map(async (id) => {
      const [raw, sponsor] = await Promise.all([
        api.apis.TrainingApi.model_status(id, { at }),
        api.query.HydraToken.Sponsors.getValue(id, { at }),
      ]);
      return raw && model(raw, sponsorOf(sponsor));
    }),
  );
  return all.filter((one) => one !== undefined);
}

function round(raw: RawRound): Round {
  return {
    round: raw.round,
    openedAt: raw.opened_at,
    settledAt: raw.settled_at,
    places: raw.places.map(({ place, holder, outcome, draw, reward, verifiers }) => ({
      place,
      holder,
      outcome: outcomeOf(outcome),
      draw: polls.drawOf(draw),
      reward,
      verifiers,
    })),
    version: raw.version,
    weights: raw.weights === undefined ? undefined : hexOf(raw.weights, "weights"),
    score: raw.score,
    givenUp: raw.given_up,
  };
}

/** The places of the round that is under way, in order, with the polls on what was proposed. */
export async function places(api: HydraApi, model: number, at: string): Promise<OpenPlace[]> {
  const entries = await api.query.TrainingProposals.Places.getEntries(model, { at });
  const all = entries.map(({ keyArgs: [, place], value }) => openPlace(place, value)).sort((a, b) => a.place - b.place);
  const open = all.filter(({ poll, outcome }) => poll !== undefined && outcome === undefined).slice(0, POLLS);
  await Promise.all(open.map(async (one) => (one.asked = await polls.standing(api, one.poll ?? "", at))));
  return all;
}

const openPlace = (place: number, raw: RawPlace): OpenPlace => ({
  place,
  holder: raw.holder,
  proposed: raw.claim !== undefined,
  outcome: outcomeOf(raw.outcome),
  poll: raw.poll === undefined ? undefined : hexOf(raw.poll, "poll"),
  asked: undefined,
});

/** The first round that the chain can still have on record, where `now` is under way. */
export async function firstRecord(api: HydraApi, now: number): Promise<number> {
  const depth = numberOf(await api.constants.TrainingProposals.HistoryDepth(), "records");
  return Math.max(0, now - depth);
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

function member(address: string, raw: RawNodeStatus, absence: Absence | undefined): Member {
  return {
    address,
    peerId: encodeBase58(bytesOf(raw.peer_id, "PeerId")),
    active: raw.active,
    paused: raw.paused,
    heartbeat: raw.heartbeat,
    score: raw.reputation / 1_000_000_000,
    stake: raw.stake,
    unbonding: raw.unbonding,
    weight: raw.weight,
    room: raw.room,
    busy: raw.busy,
    sizeClass: raw.size_class,
    absence,
  };
}

/** Why an account is out that has stake and is not paused: `Node::takes_part` of `pallets/reputation`. */
export function absenceOf(node: RawNode, session: number): Absence {
  if (session < node.out_until) return { is: "until", session: node.out_until };
  if (node.away) return { is: "missed", from: (node.absences?.[1] ?? 0) > 1 ? node.away_until : undefined };
  return node.heartbeat === session ? { is: "joining" } : { is: "silent" };
}

/** A registered account, with why it is out if it is; `undefined` if it isn't registered. */
export async function memberOf(api: HydraApi, address: string, at: string): Promise<Member | undefined> {
  const raw = await api.apis.TrainingApi.node_status(address, { at });
  if (!raw.registered) return undefined;
  if (raw.active || raw.paused) return member(address, raw, undefined);
  const [node, { session }] = await Promise.all([
    api.query.Reputation.Nodes.getValue(address, { at }),
    api.apis.TrainingApi.electorate({ at }),
  ]);
  return member(address, raw, node && absenceOf(node, session));
}

/** The first registered accounts. */
export async function members(api: HydraApi, at: string): Promise<Member[]> {
  const addresses = await api.apis.TrainingApi.registered(undefined, MEMBERS, { at });
  const all = await Promise.all(
    addresses.map(async (address) => {
      const raw = await api.apis.TrainingApi.node_status(address, { at });
      return raw.registered ? member(address, raw, undefined) : undefined;
    }),
  );
  return all.filter((one) => one !== undefined);
}

const electorateOf = (raw: RawElectorate): Electorate => ({
  session: raw.session,
  accounts: raw.accounts,
  weight: raw.weight,
  nextAccounts: raw.next_accounts,
  registered: raw.registered,
  largest: raw.largest,
});

/** Who is drawn from, and who makes blocks. */
export async function network(api: HydraApi, at: string): Promise<{ electorate: Electorate; committee: string[] }> {
  const [raw, committee] = await Promise.all([api.apis.TrainingApi.electorate({ at }), api.query.Session.Validators.getValue({ at })]);
  return { electorate: electorateOf(raw), committee };
}

/** What is in the bucket at this block; `undefined` where that is of another shape than this page knows. */
export async function bucket(api: HydraApi, { hash: at, number }: { hash: string; number: number }): Promise<bigint | undefined> {
  const [level, cap] = await Promise.all([api.query.HydraToken.Bucket.getValue({ at }), api.constants.HydraToken.EmissionCap()]);
  try {
    return filled(level, number, bigintOf(cap, "cap"));
  } catch (reason) {
    if (reason instanceof NotUnderstood) return undefined;
    throw reason;
  }
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

/** What an account’s results and checks earn that are not paid yet: fixed when each result’s poll is asked. */
async function underWay(api: HydraApi, address: string, model: number, at: string): Promise<bigint> {
  const [payouts, open] = await Promise.all([
    api.query.TrainingProposals.Payouts.getEntries(model, { at }),
    api.query.TrainingProposals.Places.getEntries(model, { at }),
  ]);
  let sum = 0n;
  for (const { value } of payouts) {
    if (value.holder === address) sum += holdersPart(value.reward);
    const all = value.right.reduce((seats, [, its]) => seats + its, 0);
    const mine = value.right.find(([who]) => who === address)?.[1] ?? 0;
    if (mine > 0) sum += ((value.reward / 5n) * BigInt(mine)) / BigInt(all);
  }
  for (const { value } of open) {
    const waits = value.claim !== undefined && value.outcome === undefined;
    if (waits && value.holder === address) sum += holdersPart(value.quoted);
  }
  return sum;
}

export async function me(api: HydraApi, address: string, models: Model[], at: string): Promise<Me> {
  const [mine, registered, earning, parts] = await Promise.all([
    funds(api, address, at),
    memberOf(api, address, at),
    Promise.all(models.map((one) => underWay(api, address, one.model, at))),
    Promise.all(models.map(async (one) => [one.model, await part(api, one.model, address, at)] as const)),
  ]);
  return { address, funds: mine, member: registered, parts: new Map(parts), underWay: earning.reduce((sum, one) => sum + one, 0n) };
}
