/**
 * How the rules change: the referenda that are under way, those that were decided last, and what was approved and isn't done yet.
 *
 * Rules change, and so may what is read here: a referendum that this page can't read is named as one, and takes none of the others
 * with it. Must never leave one out because there are many: who wants to hide a change would only have to submit others.
 */
import type { HydraApi, Variant } from "./api";
import { read } from "./calls";
import { NotUnderstood, bigintOf, bytesOf, hexOf, listOf, numberOf, record, share, stringOf, tagOf } from "./raw";
import { taskName } from "./tasks";
import { threshold } from "./thresholds";
import type { Asked, BlockRef, Decided, Governance, Needs, Ongoing, Planned, Stage, Verdict } from "./types";

/** Referenda asked for at once. */
const PAGE = 100;
/** More that aren't over than this are read anew only now and then. */
const MANY = 40;
const EVERY = 10;
/** Decided ones that are told of. */
const SHOWN = 10;
/** Blocks after which a node may have no state any more: it keeps 256. */
const STATES = 200;
/** The longest call that is read: as long as a preimage may be. */
const LONGEST = 4 * 1024 * 1024;
/** Calls that are kept. */
const KEPT = 500;

const VERDICTS = ["Approved", "Rejected", "Cancelled", "TimedOut", "Killed"];
/** What referenda have the scheduler do for themselves. */
const OWN = ["Referenda.nudge_referendum", "Referenda.one_fewer_deciding"];

/** What the chain says of a track, and of the time. */
export interface Terms {
  tracks: Map<number, Track>;
  /** Blocks after its submission in which a referendum that nobody decides is over. */
  timeout: number;
  /** All HYDRA that counts. */
  issuance: bigint;
  now: number;
}

export interface Track {
  name: string;
  prepare: number;
  decision: number;
  deposit: bigint;
  approval: Variant;
  support: Variant;
}

/** The tracks by number: as the metadata has them, with the lengths that are in the state, which a referendum may have changed. */
export function tracksOf(constants: unknown, lengths: unknown): Map<number, Track> {
  const tracks = new Map<number, Track>();
  for (const entry of listOf(constants, "tracks")) {
    try {
      const [id, info] = listOf(entry, "track");
      const said = record(info, "track");
      // Of a fixed length, filled up with zeros.
      const name = stringOf(said["name"], "track").replace(/\0+$/, "");
      tracks.set(numberOf(id, "track"), {
        name,
        prepare: lengthOf(lengths, name, "prepare") ?? numberOf(said["prepare_period"], "track"),
        decision: lengthOf(lengths, name, "decision") ?? numberOf(said["decision_period"], "track"),
        deposit: bigintOf(said["decision_deposit"], "track"),
        approval: said["min_approval"] as Variant,
        support: said["min_support"] as Variant,
      });
    } catch {
      // Then its referenda are shown without what they need.
    }
  }
  return tracks;
}

function lengthOf(lengths: unknown, track: string, name: string): number | undefined {
  try {
    return numberOf(record(record(lengths, "lengths")[track], "lengths")[name], "lengths");
  } catch {
    return undefined;
  }
}

type Status = Record<string, unknown>;

function stage(status: Status, track: Track | undefined, terms: Terms): Stage {
  const submitted = numberOf(status["submitted"], "referendum");
  if (status["deciding"] !== undefined) {
    const deciding = record(status["deciding"], "referendum");
    if (deciding["confirming"] !== undefined) return { is: "confirming", until: numberOf(deciding["confirming"], "referendum") };
    if (!track) throw new NotUnderstood("track");
    return { is: "deciding", until: numberOf(deciding["since"], "referendum") + track.decision };
  }
  if (status["in_queue"] === true) return { is: "queued" };
  if (status["decision_deposit"] === undefined) return { is: "waiting", until: submitted + terms.timeout };
  return { is: "preparing", until: submitted + (track?.prepare ?? 0) };
}

function needs(track: Track, since: number | undefined, now: number): Ongoing["needs"] {
  const at = (x: number): Needs | undefined => {
    const [approval, support] = [threshold(track.approval, x), threshold(track.support, x)];
    return approval === undefined || support === undefined ? undefined : { approval, support };
  };
  const passed = since === undefined ? 0 : Math.min(1, Math.max(0, now - since) / Math.max(1, track.decision));
  const [first, last] = [at(passed), at(1)];
  return first && last && { now: first, last };
}

/** A referendum that is under way, without what it asks for. */
export function ongoing(index: number, status: Status, terms: Terms): Omit<Ongoing, "asked"> {
  const id = numberOf(status["track"], "track");
  const track = terms.tracks.get(id);
  const tally = record(status["tally"], "tally");
  const [ayes, nays, support] = ["ayes", "nays", "support"].map((name) => bigintOf(tally[name], "tally")) as [bigint, bigint, bigint];
  const deciding = status["deciding"] === undefined ? undefined : record(status["deciding"], "referendum");
  return {
    index,
    track: track?.name ?? String(id),
    by: stringOf(record(status["submission_deposit"], "deposit")["who"], "account"),
    submitted: numberOf(status["submitted"], "referendum"),
    stage: stage(status, track, terms),
    deposit: track?.deposit,
    ayes,
    nays,
    support,
    approval: ayes + nays === 0n ? undefined : share(ayes, ayes + nays),
    supportShare: share(support, terms.issuance),
    needs: track && needs(track, deciding && numberOf(deciding["since"], "referendum"), terms.now),
  };
}

/** What became of one that is over, and in which block. */
export function decided(index: number, info: Variant): { index: number; verdict: Verdict; block: number } {
  if (!VERDICTS.includes(info.type)) throw new NotUnderstood("referendum");
  const block: unknown = Array.isArray(info.value) ? info.value[0] : info.value;
  return { index, verdict: info.type as Verdict, block: numberOf(block, "block") };
}

const isRoot = (origin: unknown): boolean => {
  const said = origin as Variant | undefined;
  return said?.type.toLowerCase() === "system" && (said.value as Variant | undefined)?.type === "Root";
};

/** What is known of a referendum beside what the chain says of it at the end. */
type Subject = Pick<Decided, "track" | "asked">;

export class Referenda {
  /** Those that are over, for good. */
  private readonly over = new Map<number, Decided>();
  /** What was read of those that were not. */
  private readonly subjects = new Map<number, Subject>();
  private readonly calls = new Map<string, Exclude<Asked, { is: "missing" }>>();
  private last: Governance | undefined;

  constructor(
    private readonly api: HydraApi,
    /** The hash of the block with this number. */
    private readonly hashAt: (number: number) => Promise<string | undefined>,
  ) {}

  /** How things are at this block. */
  async at(best: BlockRef, finalised: number): Promise<Governance> {
    const { last } = this;
    if (last && last.ongoing.length > MANY && best.number >= last.at && best.number < last.at + EVERY) return last;
    const at = best.hash;
    const terms = await this.terms(best);
    const found: Governance = { at: best.number, ongoing: [], strange: [], decided: [], planned: [] };
    const all = [...this.over.values()];
    for (const [index, raw] of await this.changing(at)) {
      try {
        const info = raw as Variant;
        if (info.type === "Ongoing") found.ongoing.push(await this.underWay(index, record(info.value, "referendum"), terms, at));
        else all.push(this.ended(decided(index, info), finalised));
      } catch (reason) {
        // Anything else, a connection that broke above all, concerns more than this one.
        if (!(reason instanceof NotUnderstood)) throw reason;
        found.strange.push(index);
      }
    }
    found.ongoing.sort((a, b) => b.index - a.index);
    all.sort((a, b) => b.block - a.block || b.index - a.index);
    const approved = new Map(all.filter((one) => one.verdict === "Approved").map((one) => [taskName(one.index), one]));
    found.planned = await this.planned(approved, at);
    found.decided = await Promise.all(all.slice(0, SHOWN).map((one) => this.withSubject(one, found.planned, terms)));
    this.last = found;
    return found;
  }

  private async terms(best: BlockRef): Promise<Terms> {
    const { constants, query } = this.api;
    const at = best.hash;
    const [tracks, lengths, timeout, total, inactive] = await Promise.all([
      constants.Referenda.Tracks({ at }),
      query.Governance.Lengths.getValue({ at }).catch(() => undefined),
      constants.Referenda.UndecidingTimeout({ at }),
      query.Balances.TotalIssuance.getValue({ at }),
      query.Balances.InactiveIssuance.getValue({ at }),
    ]);
    return {
      tracks: tracksOf(tracks, lengths),
      timeout: numberOf(timeout, "timeout"),
      issuance: bigintOf(total, "issuance") - bigintOf(inactive, "issuance"),
      now: best.number,
    };
  }

  /** What the chain says of each referendum that isn't over for good. */
  private async changing(at: string): Promise<[number, unknown][]> {
    const { Referenda } = this.api.query;
    const count = numberOf(await Referenda.ReferendumCount.getValue({ at }), "referenda");
    const wanted: number[] = [];
    for (let index = 0; index < count; index++) if (!this.over.has(index)) wanted.push(index);
    const read: [number, unknown][] = [];
    for (let first = 0; first < wanted.length; first += PAGE) {
      const indices = wanted.slice(first, first + PAGE);
      const values = await Referenda.ReferendumInfoFor.getValues(indices.map((index) => [index]), { at });
      indices.forEach((index, place) => {
        if (values[place] !== undefined) read.push([index, values[place]]);
      });
    }
    return read;
  }

  private async underWay(index: number, status: Status, terms: Terms, at: string): Promise<Ongoing> {
    const said = ongoing(index, status, terms);
    const asked = await this.asked(status["proposal"], at);
    this.subjects.set(index, { track: said.track, asked });
    return { ...said, asked };
  }

  private ended(one: Omit<Decided, "track" | "asked">, finalised: number): Decided {
    const known = { ...one, track: undefined, asked: undefined };
    // A block that isn't final may be replaced, and with it what was decided there.
    if (one.block <= finalised) this.over.set(one.index, known);
    return known;
  }

  /** With what it was about: the chain forgets that at once, but for the state of the blocks before, and for what is planned. */
  private async withSubject(one: Decided, planned: Planned[], terms: Terms): Promise<Decided> {
    if (!this.subjects.has(one.index) && terms.now - one.block <= STATES) {
      const subject = await this.before(one, terms);
      if (subject) this.subjects.set(one.index, subject);
    }
    const asked = planned.find(({ referendum }) => referendum === one.index)?.asked;
    return { ...one, asked, ...this.subjects.get(one.index) };
  }

  private async before(one: Decided, terms: Terms): Promise<Subject | undefined> {
    try {
      const at = await this.hashAt(one.block - 1);
      if (at === undefined) return undefined;
      const info = (await this.api.query.Referenda.ReferendumInfoFor.getValue(one.index, { at })) as Variant;
      if (info.type !== "Ongoing") return undefined;
      const status = record(info.value, "referendum");
      return { track: ongoing(one.index, status, terms).track, asked: await this.asked(status["proposal"], at) };
    } catch {
      // The node has lost that state, or is away.
      return undefined;
    }
  }

  /** What the scheduler is going to call, but for what referenda have it do for themselves. */
  private async planned(approved: Map<string, Decided>, at: string): Promise<Planned[]> {
    const planned: Planned[] = [];
    for (const { keyArgs, value } of await this.api.query.Scheduler.Agenda.getEntries({ at })) {
      for (const task of listOf(value, "agenda")) {
        if (task === undefined || task === null) continue;
        const said = record(task, "task");
        const asked = await this.asked(said["call"], at);
        if (asked.is === "known" && asked.calls.every(({ name }) => OWN.includes(name))) continue;
        const id = said["maybe_id"] === undefined ? undefined : hexOf(said["maybe_id"], "task");
        const referendum = id === undefined ? undefined : approved.get(id)?.index;
        planned.push({ block: numberOf(keyArgs[0], "block"), referendum, root: isRoot(said["origin"]), asked });
      }
    }
    return planned.sort((a, b) => a.block - b.block);
  }

  /** What a `Bounded` call is, as it is now: the bytes behind a hash may come and go. */
  private async asked(raw: unknown, at: string): Promise<Asked> {
    const kind = tagOf(raw, "call");
    const value = (raw as Variant).value;
    if (kind === "Inline") {
      const bytes = bytesOf(value, "call");
      return this.known(hexOf(bytes, "call"), async () => bytes, at);
    }
    if (kind !== "Lookup") return { is: "strange" };
    const { hash, len } = record(value, "call");
    const [key, length] = [hexOf(hash, "hash"), numberOf(len, "length")];
    const there = isThere(await this.api.query.Preimage.RequestStatusFor.getValue(key, { at }));
    const before = this.calls.get(key);
    if (!there) return before?.is === "known" ? { ...before, there } : { is: "missing" };
    if (length > LONGEST) return { is: "strange" };
    return this.known(key, async () => bytesOf(await this.api.query.Preimage.PreimageFor.getValue([key, length], { at }), "preimage"), at);
  }

  private async known(key: string, bytes: () => Promise<Uint8Array>, at: string): Promise<Asked> {
    const before = this.calls.get(key);
    if (before) return before;
    const calls = await read(this.api, await bytes(), at);
    const asked: Exclude<Asked, { is: "missing" }> = calls ? { is: "known", calls, there: true } : { is: "strange" };
    for (const old of this.calls.keys()) {
      if (this.calls.size < KEPT) break;
      this.calls.delete(old);
    }
    this.calls.set(key, asked);
    return asked;
  }
}

/** Whether the bytes of a preimage are there, as far as its status says. */
function isThere(status: unknown): boolean {
  if (status === undefined || status === null) return false;
  const { type, value } = status as Variant;
  return type === "Unrequested" || (type === "Requested" && record(value, "preimage")["maybe_len"] !== undefined);
}
