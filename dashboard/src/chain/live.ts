/**
 * Follows the chain: a snapshot at every new block, the recent blocks with what happened in them, the rounds.
 *
 * Blocks come when they come; nothing here polls, but for how far a node is that catches up: it tells of no block then. One look
 * at the chain runs at a time, and what came meanwhile is looked at afterwards, once.
 */
import type { BlockInfo } from "polkadot-api";
import { named } from "../format/names";
import type { HydraApi } from "./api";
import { find, news } from "./blocks";
import { PollBook } from "./book";
import { type Link, patiently } from "./link";
import { Pace } from "./pace";
import { NotUnderstood } from "./raw";
import * as read from "./read";
import { Referenda } from "./referenda";
import type { BlockNews, BlockRef, Governance, Model, Round, Snapshot } from "./types";

/** Blocks that the page keeps. */
const KEPT = 60;
/** Blocks before the newest that are read when the page opens. */
const FIRST = 12;
/** More PCs than this are read anew only now and then. */
const MANY = 40;
const EVERY = 10;
/** How often a node that catches up is asked how far it is. */
const SYNCING = 2_000;

interface Fixed {
  chain: string;
  local: boolean;
  slotMs: number;
}

export interface Hears {
  snapshot(now: Snapshot): void;
  blocks(recent: BlockNews[]): void;
  rounds(model: number, rounds: Round[]): void;
  /** How the rules change; `undefined` where this page can't read that. */
  governance(now: Governance | undefined): void;
  /** The node is there, and can't be understood. */
  failed(reason: unknown): void;
}

/** How many of the records change no more. The last is being paid perhaps; one in question from long ago was forgotten. */
export function finished(rounds: Round[]): number {
  const open = rounds.findIndex((round) => round.weights === undefined && !round.givenUp);
  return Math.max(0, Math.min(open < 0 ? rounds.length : Math.max(open, rounds.length - 3), rounds.length - 1));
}

const written = (rounds: Round[]): string =>
  JSON.stringify(rounds, (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value));

/** Whether the records say the same. Most blocks change nothing, and then nothing is drawn anew. */
const same = (a: Round[], b: Round[]): boolean => a.length === b.length && written(a.slice(-3)) === written(b.slice(-3));

interface Health {
  peers: number;
  isSyncing: boolean;
}

interface SyncState {
  currentBlock?: number;
  highestBlock?: number;
}

export class Live {
  private finalised: BlockRef = { hash: "", number: 0 };
  private newest: BlockInfo[] = [];
  /** The look that is under way; another number means that nobody waits for it any more. */
  private turn = 0;
  private looking = false;
  private again = false;
  private stopped = false;
  private fixed: Fixed | undefined;
  private recent: BlockNews[] = [];
  /** What the polls that were seen are about. */
  readonly book = new PollBook();
  private readonly known = new Map<number, Round[]>();
  private members: Snapshot["members"] = [];
  private membersAt = -EVERY;
  private readonly subscriptions: { unsubscribe(): void }[] = [];
  /** This PC's account, once the trainer has said which. */
  private account: string | undefined;
  private readonly referenda: Referenda;
  /** Whether referenda are being read. */
  private reading = false;
  private readonly pace = new Pace();
  private syncing: ReturnType<typeof setTimeout> | undefined;
  /** What was told last. */
  private told: Snapshot | undefined;

  constructor(
    private readonly link: Link,
    private readonly hears: Hears,
  ) {
    const { api, client } = link;
    this.referenda = new Referenda(api, (number) => find(link, String(number)));
    const failed = { error: (reason: unknown) => this.hears.failed(reason) };
    this.subscriptions.push(
      client.finalizedBlock$.subscribe({ next: (block) => (this.finalised = block), ...failed }),
      client.bestBlocks$.subscribe({ next: (blocks) => this.arrived(blocks), ...failed }),
    );
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.syncing);
    for (const subscription of this.subscriptions) subscription.unsubscribe();
  }

  mine(account: string | undefined): void {
    if (account === this.account) return;
    this.account = account;
    this.look();
  }

  /** The connection is another one: what was asked over the last one is never answered. */
  reconnected(): void {
    this.turn += 1;
    this.looking = false;
    this.reading = false;
    this.fixed = undefined;
    this.pace.forget();
    this.look();
  }

  /** Tells everything again, from the beginning. */
  anew(): void {
    this.recent = [];
    this.known.clear();
    this.look();
  }

  private arrived(blocks: BlockInfo[]): void {
    this.newest = blocks;
    this.look();
  }

  private look(): void {
    if (this.looking) {
      this.again = true;
      return;
    }
    this.looking = true;
    this.turn += 1;
    void this.lookOn(this.turn);
  }

  private async lookOn(turn: number): Promise<void> {
    do {
      this.again = false;
      const best = this.newest[0];
      if (!best) break;
      try {
        await patiently(this.at(best, () => turn === this.turn), "how things are");
      } catch (reason) {
        // A block that was replaced meanwhile, or a node that is just going: the next block tells.
        if (!this.stopped && !this.again && turn === this.turn) this.hears.failed(reason);
      }
    } while (this.again && !this.stopped && turn === this.turn);
    if (turn === this.turn) this.looking = false;
  }

  private async at(best: BlockInfo, isWanted: () => boolean): Promise<void> {
    const { api } = this.link;
    const at = best.hash;
    this.fixed ??= await this.constants(api);
    const models = await read.models(api, at);
    const [time, network, bucket, price, health, clock, me] = await Promise.all([
      api.query.Timestamp.Now.getValue({ at }),
      read.network(api, at),
      read.bucket(api, best),
      read.price(api),
      this.link.request<Health>("system_health", []),
      this.clock(),
      this.account ? read.me(api, this.account, models, at) : undefined,
    ]);
    const sync = health.isSyncing ? await this.syncState() : undefined;
    await this.readMembers(api, best);
    if (!isWanted()) return;
    this.tell({
      best: { hash: best.hash, number: best.number },
      finalised: { hash: this.finalised.hash, number: this.finalised.number },
      time: time > 0n ? Number(time) : undefined,
      ...this.fixed,
      peers: health.peers,
      syncing: health.isSyncing,
      highest: sync?.highestBlock,
      reached: sync?.currentBlock,
      syncLeftMs: this.pace.left(sync?.highestBlock),
      clock,
      models,
      members: this.members,
      ...network,
      bucket,
      price,
      me,
    });
    void this.readGovernance(best);
    await this.readRounds(api, models, at);
    await this.readNews(api, best);
  }

  private tell(now: Snapshot): void {
    this.told = now;
    this.hears.snapshot(now);
    if (now.syncing) this.watchAgain();
    else this.pace.forget();
  }

  private watchAgain(): void {
    clearTimeout(this.syncing);
    this.syncing = setTimeout(() => void this.watchSync(), SYNCING);
  }

  /** How far a node is that catches up. When it is done, everything is looked at again. */
  private async watchSync(): Promise<void> {
    const { told } = this;
    try {
      const [health, state] = await Promise.all([this.link.request<Health>("system_health", []), this.syncState()]);
      // What came meanwhile is newer, and is watched in its turn.
      if (this.stopped || !told?.syncing || told !== this.told) return;
      if (!health.isSyncing) return this.look();
      const { currentBlock: reached, highestBlock: highest } = state;
      if (reached !== undefined) this.pace.note(reached, Date.now());
      this.tell({ ...told, peers: health.peers, highest, reached, syncLeftMs: this.pace.left(highest) });
    } catch {
      // It is away, and everything is looked at again when it is back; or it was only slow.
      if (!this.stopped && told === this.told) this.watchAgain();
    }
  }

  /** Beside everything else: what is asked for there may be as large as a runtime. */
  private async readGovernance(best: BlockRef): Promise<void> {
    if (this.reading) return;
    this.reading = true;
    try {
      this.hears.governance(await patiently(this.referenda.at(best, this.finalised.number), "referenda"));
    } catch (reason) {
      // A chain without referenda, or with others than this page knows. Whatever else went wrong, the next block tells.
      const message = reason instanceof Error ? reason.message : "";
      if (reason instanceof NotUnderstood || /^(Runtime entry .* not found|Incompatible)/.test(message)) this.hears.governance(undefined);
    } finally {
      this.reading = false;
    }
  }

  private async constants(api: HydraApi): Promise<Fixed> {
    const [chain, kind, slot] = await Promise.all([
      this.link.request<string>("system_chain", []),
      this.link.request<unknown>("system_chainType", []),
      api.constants.Babe.ExpectedBlockTime(),
    ]);
    const local = kind === "Local" || kind === "Development";
    named.set(local);
    return { chain, local, slotMs: Number(slot) };
  }

  private async clock(): Promise<Snapshot["clock"]> {
    try {
      const said = await this.link.request<{ offset_ms: number | null; warning: string | null }>("hydra_clock", []);
      return { offsetMs: said.offset_ms ?? undefined, warning: said.warning ?? undefined };
    } catch {
      // A node that does not watch it.
      return undefined;
    }
  }

  private async syncState(): Promise<SyncState> {
    try {
      return await this.link.request<SyncState>("system_syncState", []);
    } catch {
      // A node that does not say.
      return {};
    }
  }

  private async readMembers(api: HydraApi, best: BlockRef): Promise<void> {
    if (this.members.length > MANY && best.number < this.membersAt + EVERY) return;
    this.members = await read.members(api, best.hash);
    this.membersAt = best.number;
  }

  /** The records of rounds change when one is settled, when its version is confirmed or given up, and while it is paid. */
  private async readRounds(api: HydraApi, models: Model[], at: string): Promise<void> {
    for (const { model, round } of models) {
      const known = this.known.get(model) ?? [];
      const keep = finished(known);
      const newer = await read.rounds(api, model, known[keep]?.round ?? (await read.firstRecord(api, round)), at);
      const all = [...known.slice(0, keep), ...newer];
      if (this.known.has(model) && same(known, all)) continue;
      this.known.set(model, all);
      this.hears.rounds(model, all);
    }
  }

  /** Events of the blocks of the best branch that were not read yet. */
  private async readNews(api: HydraApi, best: BlockInfo): Promise<void> {
    const wanted: { hash: string; number: number }[] = [];
    const read = new Map(this.recent.map((block) => [block.hash, block]));
    let next: { hash: string; number: number; parent: string } | undefined = best;
    while (next && !read.has(next.hash) && next.number > 0 && wanted.length < FIRST) {
      wanted.push({ hash: next.hash, number: next.number });
      next = await this.before(next);
    }
    if (wanted.length === 0) return;
    const lowest = wanted.at(-1)?.number ?? 0;
    // What a reorganisation replaced goes.
    let kept = this.recent.filter((block) => block.number < lowest);
    for (const ref of wanted.reverse()) {
      kept = [await news(api, ref, this.book), ...kept].slice(0, KEPT);
    }
    this.recent = kept;
    this.hears.blocks(kept);
  }

  private async before(block: { parent: string; number: number }) {
    const pinned = this.newest.find((one) => one.hash === block.parent);
    if (pinned) return pinned;
    if (block.number <= 1) return undefined;
    try {
      const header = await this.link.client.getBlockHeader(block.parent);
      return { hash: block.parent, number: header.number, parent: header.parentHash };
    } catch {
      return undefined;
    }
  }
}
