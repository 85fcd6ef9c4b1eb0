/**
 * The chain, for the rest of the page: everything that reads it, or sends something to it, goes through here.
 *
 * The code behind it (polkadot-api, 100 kB) comes after the first view is painted: `start` fetches it.
 */
import { createStore } from "../app/store";
import { startOfDay } from "./earned";
import type { Earned } from "./earned";
import type { Books, Found, Sent } from "./follow";
import { Genesis } from "./genesis";
import type { Loose, Order, Signed } from "./pay";
import type { PolkadotSigner } from "polkadot-api";
import type { AskedPoll, Block, BlockNews, Duties, Funds, Governance, Member, OpenPlace, Part, Round, Snapshot } from "./types";

export { timeOf } from "./clock";
export type { Earned } from "./earned";
export type { Found, Receipt, Sent } from "./follow";
export type { Loose, Order, Signed } from "./pay";
export * from "./types";

export type Condition =
  | { is: "starting" }
  | { is: "up" }
  /** Not there since then. */
  | { is: "away"; since: number }
  /** There, and not understood. */
  | { is: "strange"; reason: string }
  /** There, and of another chain than this PC's trainer works for. */
  | { is: "other" };

export const condition = createStore<Condition>({ is: "starting" });
export const snapshot = createStore<Snapshot | undefined>(undefined);
export const recent = createStore<BlockNews[]>([]);
export const rounds = createStore<ReadonlyMap<number, Round[]>>(new Map());
/** How the rules change; `"strange"` where this page can't read that, `undefined` before it is known. */
export const governance = createStore<Governance | "strange" | undefined>(undefined);
export const earnedToday = createStore<Earned | undefined>(undefined);

type Working = Awaited<ReturnType<typeof load>>;
let working: Promise<Working> | undefined;
let account: string | undefined;
/** The genesis hash of the chain that the node follows, and of the one that the trainer works for. */
let [followed, expected]: (string | undefined)[] = [];

/** The newest block that the trainer heard of from its node, and when. Only that node knows the trainer's token. */
let told: { block: number; at: number } | undefined;
/** Whoever waits for the chain. */
const waiting = new Set<() => void>();
/** The longest that the trainer may not have heard from its node while something is signed. */
const HEARD = 60_000;

/** Whether what answers as the node is not this PC's: another program may have its port. */
const isOther = (): boolean => followed !== undefined && expected !== undefined && followed !== expected;

/** Nothing of another chain is shown as if it were this PC's. */
function forget(): void {
  condition.set({ is: "other" });
  snapshot.set(undefined);
  recent.set([]);
  rounds.set(new Map());
  governance.set(undefined);
  earnedToday.set(undefined);
}

async function load(port: number) {
  const { blocks, connect, duties, earned, firstBlockSince, Following, Live, patiently, pay, polls, read } = await import("./working");
  let live: InstanceType<typeof Live> | undefined;
  const link = connect(port, (there) => {
    if (there) void arrived();
    else condition.update((now) => (now.is === "away" ? now : { is: "away", since: Date.now() }));
  });

  let leaving = false;
  const chain = new Genesis(
    () => link.request<string>("chain_getBlockHash", [0]),
    (genesis) => {
      // It was away for a reason: perhaps it has another chain now, of which this page knows nothing.
      if (followed !== undefined && genesis !== followed) {
        leaving = true;
        location.reload();
        return;
      }
      followed = genesis;
      if (isOther()) forget();
      for (const tell of waiting) tell();
      waiting.clear();
    },
  );

  /** The node is there. */
  async function arrived(): Promise<void> {
    await chain.connected();
    // It is there again when it has said how things are.
    if (!leaving && !isOther()) live?.reconnected();
  }

  let today: { day: number; block: number } | undefined;
  live = new Live(link, {
    snapshot(now) {
      void chain.look();
      if (leaving || isOther()) return;
      snapshot.set(now);
      condition.set({ is: "up" });
      void countEarnings();
    },
    blocks(now) {
      if (!isOther()) recent.set(now);
    },
    rounds(model, now) {
      if (isOther()) return;
      rounds.update((all) => new Map(all).set(model, now));
      void countEarnings();
    },
    governance(now) {
      if (!isOther()) governance.set(now ?? "strange");
    },
    failed(reason) {
      if (isOther()) return;
      // Away is said by the connection; whatever else goes wrong while it stands is this page's misunderstanding.
      if (condition.get().is !== "away" && reason instanceof Error && reason.name === "NotUnderstood") {
        condition.set({ is: "strange", reason: reason.message });
      }
    },
  });
  live.mine(account);

  const timeOf = async (number: number) => {
    const hash = await blocks.find(link, String(number));
    if (!hash) return undefined;
    const opened = await link.client.getBlockBody(hash);
    const calls = await Promise.all(opened.slice(0, 1).map((bytes) => blocks.timeOfInherent(link.api, bytes, hash)));
    return calls[0];
  };

  async function countEarnings(): Promise<void> {
    const seen = snapshot.get();
    // Until every model's rounds are there nothing is known, and 0 would say that something is.
    if (!seen?.me || !seen.models.every(({ model }) => rounds.get().has(model))) return;
    // The day is this PC's, not that of the newest block, which may be an old one.
    const day = startOfDay(Date.now());
    try {
      if (today?.day !== day) today = { day, block: await firstBlockSince(day, seen.best.number, timeOf) };
    } catch {
      return;
    }
    const mine = [...rounds.get().values()].map((all) => earned(all, seen.me?.address ?? "", today?.block ?? 0));
    earnedToday.set(
      mine.reduce<Earned>(
        (sum, one) => ({
          amount: sum.amount + one.amount,
          accepted: sum.accepted + one.accepted,
          sinceBlock: Math.max(sum.sinceBlock, one.sinceBlock),
          complete: sum.complete && one.complete,
        }),
        { amount: 0n, accepted: 0, sinceBlock: 0, complete: true },
      ),
    );
  }
  const books: Books = {
    async heads() {
      const now = snapshot.get();
      if (!now || condition.get().is !== "up") throw new Error("the node is away");
      // What is final in a chain that the trainer's node hasn't seen is so in nobody's but the port's.
      return { best: now.best.number, finalised: Math.min(now.finalised.number, told?.block ?? 0) };
    },
    hashAt: (number) => blocks.find(link, String(number)),
    transactions: (hash) => patiently(blocks.transactions(link, hash), "a block"),
    outcome: (hash, index) => patiently(read.outcome(link.api, hash, index), "a block's events"),
  };
  return { link, live, blocks, books, duties, polls, read, patiently, pay, Following };
}

/** Begins to follow the chain through the node on this port. */
export function start(port: number): void {
  working ??= load(port);
}

/** Which account is this PC's: an address. */
export function mine(address: string | undefined): void {
  if (address === account) return;
  account = address;
  earnedToday.set(undefined);
  void working?.then(({ live }) => live.mine(address));
}

/** Which chain this PC's trainer works for: its genesis hash. */
export function expect(genesis: string): void {
  if (genesis === expected) return;
  expected = genesis;
  if (isOther()) forget();
  else if (condition.get().is === "other") {
    condition.set({ is: "starting" });
    void working?.then(({ live }) => live.anew());
  }
}

/** What the trainer last heard from its node, and when. */
export function heard(block: number, at: number): void {
  told = { block, at };
}

/** Calls back once it is known which chain is there, before anything of it is shown as this PC's. */
export function whenThere(tell: () => void): void {
  if (followed !== undefined) tell();
  else waiting.add(tell);
}

/** Whether a transaction is for the chain that is there. */
export const isOurs = (sent: Sent): boolean => sent.genesis === followed;

async function there(): Promise<Working> {
  if (!working) throw new Error("the trainer hasn't said where its node is yet");
  return working;
}

const best = (): string => {
  const now = snapshot.get();
  if (!now) throw new Error("the node hasn't answered yet");
  return now.best.hash;
};

/** A block by number or hash; `undefined` if there is none. */
export async function block(id: string): Promise<Block | undefined> {
  const { link, live, blocks, patiently } = await there();
  const hash = await blocks.find(link, id);
  return hash === undefined ? undefined : patiently(blocks.block(link, hash, live.book), "this block");
}

/** An account's money, and what it is in the network. */
export async function accountOf(address: string): Promise<{ funds: Funds; member: Member | undefined; part: Part }> {
  const { link, read, patiently } = await there();
  const at = best();
  const asked = Promise.all([
    read.funds(link.api, address, at),
    read.memberOf(link.api, address, at),
    read.part(link.api, 0, address, at),
  ]);
  const [funds, member, part] = await patiently(asked, "this account");
  return { funds, member, part };
}

/** The places of the round of a model that is under way, and how the polls on them stand. */
export async function placesOf(model: number): Promise<OpenPlace[]> {
  const { link, read, patiently } = await there();
  return patiently(read.places(link.api, model, best()), "this round");
}

/** A poll; `undefined` if it is over, or never was. */
export async function pollOf(id: string): Promise<AskedPoll | undefined> {
  const { link, polls, patiently } = await there();
  return patiently(polls.asked(link.api, id, best()), "this poll");
}

/** What an account is drawn for now. */
export async function dutiesOf(address: string): Promise<Duties> {
  const { link, duties, patiently } = await there();
  return patiently(duties(link.api, address, snapshot.get()?.models ?? [], best()), "what this account is drawn for");
}

/** The fee that a transaction costs in all likelihood. */
export async function feeOf(order: Order, from: string): Promise<bigint> {
  const { link, pay } = await there();
  return pay.fee(link, order, from);
}

/** Signs a transaction, if what answers as the node is of the chain that this PC's trainer works for. */
export async function sign(
  order: Order,
  signer: PolkadotSigner,
  from: string,
  loose: (genesis: string) => Loose | undefined,
): Promise<Signed> {
  const { link, pay } = await there();
  if (followed === undefined || followed !== expected) {
    throw new Error("the trainer has not said yet that this node is its own");
  }
  if (!told || Date.now() - told.at > HEARD) {
    throw new Error("the trainer hasn’t heard from its node in the last minute: see whether the node runs, and makes or gets blocks");
  }
  return pay.sign(link, followed, order, signer, from, { loose: loose(followed), block: told.block });
}

/** Hands it to the node. */
export async function submit(signed: Signed): Promise<void> {
  const { link, pay } = await there();
  return pay.submit(link, signed);
}

/** Looks what became of a transaction. */
export function follow(sent: Sent): { look(): Promise<Found> } {
  const following = there().then(({ books, Following }) => new Following(sent, books));
  // Told by the first look.
  following.catch(() => {});
  return { look: async () => (await following).look() };
}
