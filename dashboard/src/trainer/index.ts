/**
 * The trainer, for the rest of the page: how it is, as it changes, and questions that were paid for.
 *
 * Must never send it a secret: it takes none. Everything here goes to the origin that the page came from.
 */
import { createStore } from "../app/store";
import type { Answer, TrainerStatus } from "./types";

export type { Answer, ModelWork, Reachability, TrainerPeer, TrainerStatus } from "./types";

export type Condition = { is: "starting" } | { is: "up" } | { is: "away"; since: number };

export const condition = createStore<Condition>({ is: "starting" });
export const status = createStore<TrainerStatus | undefined>(undefined);
/** Whether the trainer was replaced by another release since this page was opened. */
export const replaced = createStore(false);

const EVENTS = "/v1/events";
const STATUS = "/v1/status";
const PAID = "/v1/paid-question";
const PAID_IN = "x-hydra-paid-in";
/** The longest that one attempt at a paid question may take. */
const ATTEMPT = 90_000;
const RETRY = 1_500;
/** The longest that one answer may take. */
const PATIENCE = 5_000;
/** The trainer says something every five seconds at the latest: who says nothing for so long is gone, or stopped. */
const SILENCE = 12_000;
/** How often that is looked at. */
const WATCH = 1_000;

function isStatus(value: unknown): value is TrainerStatus {
  const said = value as Partial<TrainerStatus> | null;
  return typeof said?.version === "string" && Array.isArray(said.models) && Array.isArray(said.peers);
}

let firstVersion: string | undefined;
let lastHeard = 0;

function heard(said: unknown): void {
  if (!isStatus(said)) return;
  lastHeard = Date.now();
  firstVersion ??= said.version;
  replaced.set(said.version !== firstVersion);
  status.set(said);
  condition.set({ is: "up" });
}

/** Asks once, where events don't come: all places may be taken, or nobody is there. */
async function ask(): Promise<void> {
  try {
    const response = await fetch(STATUS, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
    if (!response.ok) throw new Error(String(response.status));
    heard(await response.json());
  } catch {
    missed();
  }
}

function missed(): void {
  condition.update((now) => (now.is === "away" ? now : { is: "away", since: Date.now() }));
}

/** Listens while the page is seen: a browser has few connections to a server, and hidden pages would use them up. */
export function start(): void {
  let source: EventSource | undefined;
  const close = () => {
    source?.close();
    source = undefined;
  };
  const open = () => {
    if (source || document.visibilityState !== "visible") return;
    lastHeard = Date.now();
    source = new EventSource(EVENTS);
    source.addEventListener("status", (event) => {
      heard(JSON.parse((event as MessageEvent<string>).data));
    });
    source.addEventListener("error", () => {
      // Refused, for want of a place: the browser gives up by itself then.
      if (source?.readyState === EventSource.CLOSED) {
        close();
        setTimeout(open, RETRY * 2);
      }
      // It ends every few minutes by itself, and begins again at once.
      setTimeout(() => {
        if (source?.readyState !== EventSource.OPEN && document.visibilityState === "visible") void ask();
      }, RETRY);
    });
  };
  // A trainer that is stopped, or hangs, ends no connection: silence is all there is to notice.
  let looked = Date.now();
  setInterval(() => {
    const now = Date.now();
    // The whole PC slept, and nobody can have said anything.
    if (now - looked > 3 * WATCH) lastHeard = now;
    looked = now;
    if (document.visibilityState !== "visible" || now - lastHeard < SILENCE) return;
    missed();
    close();
    open();
    void ask();
  }, WATCH);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") open();
    else close();
  });
  open();
}

/** What the trainer refused, in its own words. */
export class Refused extends Error {
  constructor(
    sentence: string,
    readonly passing: boolean,
  ) {
    super(sentence);
    this.name = "Refused";
  }
}

async function put(question: string, block: string): Promise<Answer> {
  const response = await fetch(PAID, {
    method: "POST",
    headers: { "content-type": "application/json", [PAID_IN]: block },
    body: question,
    cache: "no-store",
    signal: AbortSignal.timeout(ATTEMPT),
  });
  const said = (await response.json()) as Answer & { error?: string };
  if (response.ok) return said;
  const { status } = response;
  // 503: busy, starting, or its node is a block behind. 408: this PC was. 404: the trainer is being replaced by another release.
  throw new Refused(said.error ?? `HTTP status ${status}`, status >= 500 || status === 408 || status === 404);
}

/**
 * The answer to a question that was paid for in this block, which may become another one, or none for a while (`undefined`), or
 * for ever (`null`), until it is final. It is paid: a trainer that is busy, away or just starting is asked again, until it says that the payment counts no more.
 */
export async function answer(
  question: string,
  block: () => string | null | undefined,
  hears: (problem: string) => void,
): Promise<Answer> {
  for (;;) {
    const paidIn = block();
    if (paidIn === null) throw new Refused("it was not paid in the end", false);
    try {
      if (paidIn !== undefined) return await put(question, paidIn);
    } catch (reason) {
      const refused = reason instanceof Refused;
      // What was asked about another block may be right about the one that has it now.
      if (refused && !reason.passing && block() === paidIn) throw reason;
      hears(refused ? reason.message : "the trainer does not answer");
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY));
  }
}
