/**
 * Payments of this page: each is signed once, followed to its end, and kept until the person has seen how it ended.
 *
 * They belong to the page and not to a dialog: whoever closes one, looks elsewhere, or loads the page again finds the payment
 * as it stands, and the answer that was paid for. While one is on its way there is no second of its kind. Must never say that
 * nothing was sent once something may have been.
 */
import { type Store, createStore } from "../app/store";
import type { Found, Order, Receipt, Sent, Signed } from "../chain";
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
  sign(order: Order, signer: Signer, from: string): Promise<Signed>;
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
const KINDS: Kind[] = ["send", "ask"];

const textOf = (reason: unknown): string => (reason instanceof Error ? reason.message : String(reason));

/** Whether there is nothing left to wait for: neither a block, nor finality, nor an answer. */
export function isSettled({ stage, question, answer, problem }: Payment): boolean {
  if (stage.is === "refused" || stage.is === "never") return true;
  if (stage.is !== "there" || !stage.receipt.finalised) return false;
  return question === undefined || stage.receipt.failure !== undefined || answer !== undefined || problem?.passing === false;
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

  constructor(private readonly world: World<Signer>) {}

  /** Begins a payment, unless one of its kind is on its way. Resolves when it was handed over, or could not be. */
  async pay(order: Order, signer: Signer, account: string, question?: string): Promise<void> {
    const store = this.of[order.kind];
    const before = store.get();
    if (before && isOnItsWay(before)) return;
    store.set({ order, account, question, sent: undefined, stage: { is: "signing" }, answer: undefined, problem: undefined });
    let signed: Signed;
    try {
      signed = await this.world.sign(order, signer, account);
    } catch (reason) {
      this.stage(store, { is: "refused", problem: `It could not be signed: ${textOf(reason)}. Nothing was sent.` });
      return;
    }
    // Kept before it is handed over: from now on it may be in a block.
    this.change(store, { sent: signed.sent, stage: { is: "sent" } });
    try {
      await this.world.submit(signed);
    } catch (reason) {
      if (this.world.isRefusal(reason)) {
        this.stage(store, { is: "refused", problem: `The network did not take it (${textOf(reason)}). Nothing was sent.` });
        return;
      }
      this.stage(store, { is: "sent", doubt: textOf(reason) });
    }
    this.follow(store, signed.sent);
  }

  /** The person has seen how it ended. What is on its way stays. */
  putAway(kind: Kind): void {
    const store = this.of[kind];
    const payment = store.get();
    if (!payment || isOnItsWay(payment)) return;
    store.set(undefined);
    this.keep();
  }

  /** Goes on with what was on its way when the page was loaded anew. */
  restore(): void {
    const text = this.world.kept?.getItem(KEY);
    for (const payment of text ? parse(text) : []) {
      const store = this.of[payment.order.kind];
      if (store.get() || !payment.sent || !this.world.isOurs(payment.sent)) continue;
      store.set(payment);
      this.follow(store, payment.sent);
    }
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
    if (found.is === "never") this.stage(store, { is: "never" });
    // What was in a block is on its way again when that block is replaced.
    else if (found.is === "waiting") {
      if (now.stage.is === "there") this.stage(store, { is: "sent" });
    } else {
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
    try {
      if (kept.length > 0) this.world.kept?.setItem(KEY, written(kept));
      else this.world.kept?.removeItem(KEY);
    } catch {
      // A browser that keeps nothing: then a reload loses it, and nothing else does.
    }
  }
}

const written = (payments: Payment[]): string =>
  JSON.stringify(payments, (_, value: unknown) => (typeof value === "bigint" ? { n: value.toString() } : value));

function parse(text: string): Payment[] {
  try {
    const said: unknown = JSON.parse(text, (_, value: unknown) => {
      const n = (value as { n?: unknown } | null)?.n;
      return typeof n === "string" ? BigInt(n) : value;
    });
    return Array.isArray(said) ? (said as Payment[]).filter(({ order }) => KINDS.includes(order?.kind)) : [];
  } catch {
    return [];
  }
}
