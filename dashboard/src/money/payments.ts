/**
 * Payments of this page: each is signed once, followed to its end, and kept until the person has seen how it ended.
 *
 * They belong to the page and not to a dialog: whoever closes one, looks elsewhere, or loads the page again finds the payment
 * as it stands, and the answer that was paid for. While one is on its way there is no second of its kind. Must never say that
 * nothing was sent once something may have been. That it says so of what the node refused is the node's word: the next payment
 * of its kind has the same number, for as long as that one could be in a block.
 */
import { type Store, createStore } from "../app/store";
import type { Found, Loose, Order, Receipt, Sent, Signed } from "../chain";
import type { Answer } from "../trainer";

export type Stage =
  | { is: "signing" }
  /** Nothing was sent. */
  | { is: "refused"; problem: string }
  /** Handed to the node; `doubt` says why that isn't certain. */
  | { is: "sent"; doubt?: string }
  | { is: "there"; receipt: Receipt }
  /** Too late for any block: nothing was paid. */
  | { is: "never" };

export interface Payment {
  order: Order;
  account: string;
  /** What is paid for, where that is a question. */
  question: string | undefined;
  sent: Sent | undefined;
  stage: Stage;
  answer: Answer | undefined;
  /** Why there is no answer yet, or why there won't be one. */
  problem: { text: string; passing: boolean } | undefined;
}

/** Chain and trainer, as far as a payment needs them. */
export interface World<Signer> {
  /** `loose`: a transaction that the node said is nowhere, of the chain with this genesis. */
  sign(order: Order, signer: Signer, from: string, loose: (genesis: string) => Loose | undefined): Promise<Signed>;
  submit(signed: Signed): Promise<void>;
  /** Whether this error says that the node has not taken it. */
  isRefusal(reason: unknown): boolean;
  follow(sent: Sent): { look(): Promise<Found> };
  /** Whether it is for the chain that is there. */
  isOurs(sent: Sent): boolean;
  /** Calls back at each new block, until the returned function is called. */
  onBlock(told: () => void): () => void;
  answer(question: string, block: () => string | null | undefined, hears: (problem: string) => void): Promise<Answer>;
  /** Where what is on its way survives a reload of the page. */
  kept: Pick<Storage, "getItem" | "setItem" | "removeItem"> | undefined;
}

export type Kind = Order["kind"];
const KEY = "hydra-payments";
const LOOSE_KEY = "hydra-refused-payments";
/** Accounts and chains are few. */
const MAX_LOOSE = 16;
const KINDS: Kind[] = ["send", "ask"];

/** Why nothing is paid before it is known what was. */
const UNKNOWN =
  "Nothing was sent: this PC’s node hasn’t said yet which chain it follows, so this page can’t tell what was paid before. Try again in a moment.";

const textOf = (reason: unknown): string => (reason instanceof Error ? reason.message : String(reason));

/** Whether there is nothing left to wait for: neither a block, nor finality, nor an answer. */
export function isSettled({ stage, question, answer, problem }: Payment): boolean {
  if (stage.is === "refused" || stage.is === "never") return true;
  if (stage.is !== "there") return false;
  // Nothing more will be known.
  if (stage.receipt.unknown && question === undefined) return true;
  if (!stage.receipt.finalised) return false;
  return question === undefined || stage.receipt.failure !== undefined || answer !== undefined || problem?.passing === false;
}

/** A transaction that the node said is nowhere. */
interface LooseOne extends Loose {
  kind: Kind;
  account: string;
  genesis: string;
}

/** Whether another one of its kind would be a second payment by accident: this one may still go through, or is not answered. */
export function isOnItsWay(payment: Payment): boolean {
  const { stage, question, answer, problem } = payment;
  if (stage.is === "signing" || stage.is === "sent") return true;
  if (stage.is !== "there" || stage.receipt.failure !== undefined) return false;
  return question !== undefined && answer === undefined && problem?.passing !== false;
}

export class Payments<Signer> {
  /** The last payment of each kind that the person has not put away. */
  readonly of: Record<Kind, Store<Payment | undefined>> = { send: createStore(undefined), ask: createStore(undefined) };
  private readonly answering = new Set<string>();
  private readonly loose: LooseOne[];
  /** What was kept of other chains. */
  private foreign: Payment[] = [];
  private restored = false;

  constructor(private readonly world: World<Signer>) {
    this.loose = parse(world.kept?.getItem(LOOSE_KEY) ?? "").filter(isLoose);
  }

  /** Whether the person would miss something by leaving. */
  areOnTheirWay(): boolean {
    return KINDS.some((kind) => {
      const payment = this.of[kind].get();
      return payment !== undefined && isOnItsWay(payment);
    });
  }

  /**
   * Begins a payment, unless there is one of its kind that isn't settled, which is then the one that is shown, or may be:
   * what was kept is not looked at yet. Then it says so. Resolves when it was handed over, or could not be.
   */
  async pay(order: Order, signer: Signer, account: string, question?: string): Promise<string | undefined> {
    const store = this.of[order.kind];
    const before = store.get();
    if (!this.restored) return UNKNOWN;
    if (before && !isSettled(before)) return undefined;
    store.set({ order, account, question, sent: undefined, stage: { is: "signing" }, answer: undefined, problem: undefined });
    let signed: Signed;
    try {
      signed = await this.world.sign(order, signer, account, (genesis) => this.looseOf(order.kind, account, genesis));
    } catch (reason) {
      this.stage(store, { is: "refused", problem: `It could not be signed: ${textOf(reason)}. Nothing was sent.` });
      return undefined;
    }
    // Kept before it is handed over: from now on it may be in a block.
    this.change(store, { sent: signed.sent, stage: { is: "sent" } });
    try {
      await this.world.submit(signed);
    } catch (reason) {
      if (this.world.isRefusal(reason)) {
        this.loosen(order.kind, account, signed.sent);
        this.stage(store, { is: "refused", problem: `The network did not take it (${textOf(reason)}). Nothing was sent.` });
        return undefined;
      }
      this.stage(store, { is: "sent", doubt: textOf(reason) });
    }
    this.follow(store, signed.sent);
    return undefined;
  }

  /** The person has seen how it ended. What is on its way stays. */
  putAway(kind: Kind): void {
    const store = this.of[kind];
    const payment = store.get();
    if (!payment || !isSettled(payment)) return;
    store.set(undefined);
    this.keep();
  }

  /** Puts a question again that is paid, and was refused. */
  askAgain(): void {
    const store = this.of.ask;
    const payment = store.get();
    if (payment?.stage.is !== "there" || payment.problem?.passing !== false) return;
    this.change(store, { problem: undefined });
    void this.ask(store);
  }

  /** Goes on with what was on its way when the page was loaded anew. */
  restore(): void {
    const kept = parse(this.world.kept?.getItem(KEY) ?? "").filter(isPayment);
    this.foreign = kept.filter(({ sent }) => sent && !this.world.isOurs(sent));
    for (const payment of kept) {
      const store = this.of[payment.order.kind];
      if (store.get() || !payment.sent || !this.world.isOurs(payment.sent)) continue;
      store.set(payment);
      this.follow(store, payment.sent);
    }
    this.restored = true;
  }

  private looseOf(kind: Kind, account: string, genesis: string): Loose | undefined {
    return this.loose.find((one) => one.kind === kind && one.account === account && one.genesis === genesis);
  }

  /** The node says that this one is nowhere. */
  private loosen(kind: Kind, account: string, { genesis, nonce, dies }: Sent): void {
    this.tie((one) => one.kind === kind && one.account === account && one.genesis === genesis);
    this.loose.push({ kind, account, genesis, nonce, until: dies });
    this.loose.splice(0, this.loose.length - MAX_LOOSE);
    this.write(LOOSE_KEY, this.loose);
  }

  /** These can be in no block any more. */
  private tie(which: (one: LooseOne) => boolean): void {
    const left = this.loose.filter((one) => !which(one));
    if (left.length === this.loose.length) return;
    this.loose.splice(0, this.loose.length, ...left);
    this.write(LOOSE_KEY, this.loose);
  }

  private stage(store: Store<Payment | undefined>, stage: Stage): void {
    this.change(store, { stage });
  }

  private change(store: Store<Payment | undefined>, changed: Partial<Payment>): void {
    store.update((now) => now && { ...now, ...changed });
    this.keep();
  }

  /** To its end, at each block. */
  private follow(store: Store<Payment | undefined>, sent: Sent): void {
    const following = this.world.follow(sent);
    const isMine = () => store.get()?.sent?.transaction === sent.transaction;
    let [looking, again] = [false, false];
    const look = async () => {
      again = true;
      if (looking) return;
      looking = true;
      while (again && isMine()) {
        again = false;
        try {
          const found = await following.look();
          if (!isMine()) break;
          this.found(store, found);
        } catch {
          // The node is away, or a block was replaced meanwhile: the next block tells.
        }
      }
      looking = false;
      const stage = store.get()?.stage;
      if (!isMine() || stage?.is === "never" || (stage?.is === "there" && stage.receipt.finalised)) stop();
    };
    const stop = this.world.onBlock(() => void look());
    void look();
  }

  private found(store: Store<Payment | undefined>, found: Found): void {
    const now = store.get();
    if (!now) return;
    const { account, order, sent } = now;
    if (found.is === "never") {
      if (sent && now.stage.is !== "never") this.loosen(order.kind, account, sent);
      this.stage(store, { is: "never" });
    }
    // What was in a block is on its way again when that block is replaced.
    else if (found.is === "waiting") {
      if (now.stage.is === "there") this.stage(store, { is: "sent" });
    } else {
      // The account's number is used. Of its own kind only: a port's owner could show another one's block.
      if (sent) {
        this.tie((one) => one.kind === order.kind && one.account === account && one.genesis === sent.genesis && one.nonce <= sent.nonce);
      }
      this.stage(store, { is: "there", receipt: found.receipt });
      if (found.receipt.failure === undefined) void this.ask(store);
    }
  }

  /** Puts a question that is paid to the trainer, once for each payment, in whichever block it is then. */
  private async ask(store: Store<Payment | undefined>): Promise<void> {
    const payment = store.get();
    const transaction = payment?.sent?.transaction;
    if (!payment || payment.question === undefined || payment.answer || transaction === undefined) return;
    if (payment.problem?.passing === false || this.answering.has(transaction)) return;
    this.answering.add(transaction);
    const mine = () => {
      const now = store.get();
      return now?.sent?.transaction === transaction ? now : undefined;
    };
    const block = () => {
      const stage = mine()?.stage;
      if (!stage || stage.is === "never") return null;
      return stage.is === "there" ? stage.receipt.block.hash : undefined;
    };
    const tell = (changed: Partial<Payment>) => {
      if (mine()) this.change(store, changed);
    };
    try {
      const answer = await this.world.answer(payment.question, block, (text) => tell({ problem: { text, passing: true } }));
      tell({ answer, problem: undefined });
    } catch (reason) {
      tell({ problem: { text: textOf(reason), passing: false } });
    } finally {
      this.answering.delete(transaction);
    }
  }

  /** What may be in a block and is not put away outlives the page. No key is in it. */
  private keep(): void {
    const kept = KINDS.flatMap((kind) => this.of[kind].get() ?? []).filter(
      ({ sent, stage }) => sent !== undefined && stage.is !== "refused" && stage.is !== "never",
    );
    this.write(KEY, [...kept, ...this.foreign]);
  }

  private write(key: string, list: unknown[]): void {
    try {
      if (list.length > 0) this.world.kept?.setItem(key, written(list));
      else this.world.kept?.removeItem(key);
    } catch {
      // A browser that keeps nothing: then a reload loses it, and nothing else does.
    }
  }
}

const written = (list: unknown[]): string =>
  JSON.stringify(list, (_, value: unknown) => (typeof value === "bigint" ? { n: value.toString() } : value));

const isPayment = (said: unknown): said is Payment => KINDS.includes((said as Partial<Payment> | null)?.order?.kind as Kind);

function isLoose(said: unknown): said is LooseOne {
  const one = said as Partial<LooseOne> | null;
  return KINDS.includes(one?.kind as Kind) && typeof one?.nonce === "number" && typeof one.until === "number";
}

function parse(text: string): unknown[] {
  try {
    const said: unknown = JSON.parse(text, (_, value: unknown) => {
      const n = (value as { n?: unknown } | null)?.n;
      return typeof n === "string" ? BigInt(n) : value;
    });
    return Array.isArray(said) ? said : [];
  } catch {
    return [];
  }
}
