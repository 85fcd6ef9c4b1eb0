/**
 * How this PC is, in words: what it does, what is next, and what a person should do about anything that is wrong.
 *
 * Every state that lasts has a sentence, and each failure says what to do.
 */
import type { Route } from "../app/router";
import { timeOf } from "../chain/clock";
import type * as Chain from "../chain/types";
import type { Condition as ChainCondition } from "../chain";
import type { Condition as TrainerCondition, ModelWork, TrainerStatus } from "../trainer";
import { duration, roughTime, timeOfDay } from "../format/time";
import { hydra } from "../format/amount";
import { count, percent, several } from "../format/number";
import { deedOf, rulesToCome } from "./governance";
import { reachAdvice } from "./reach";
import { waitsBecause } from "./reasons";

/** A notice above everything else. */
export interface Notice {
  /** Names it for tests and styles. */
  kind:
    | "starting"
    | "syncing"
    | "node-away"
    | "trainer-away"
    | "other-chain"
    | "update-needed"
    | "rules-change"
    | "wrong-clock"
    | "no-coins"
    | "paused"
    | "unreachable"
    | "quiet"
    | "warning";
  mood: "bad" | "plain";
  head: string;
  text: string;
  /** Where there is more about it. */
  more?: { text: string; to: Route };
}

export interface Seen {
  chain: ChainCondition;
  trainer: TrainerCondition;
  snapshot: Chain.Snapshot | undefined;
  governance: Chain.Governance | "strange" | undefined;
  status: TrainerStatus | undefined;
  /** Whether the trainer is another release than when the page was opened. */
  replaced: boolean;
  now: number;
}

/** What a person types to rest and to go on: the page has no key of the PC’s account, so it can’t do it. */
export const PAUSE = "hydra pause";
export const RESUME = "hydra resume";

/** Whether this PC’s account is paused: as the chain has it, and as its trainer heard where the chain isn’t there. */
export const isPaused = ({ snapshot, status }: Pick<Seen, "snapshot" | "status">): boolean =>
  snapshot?.me?.member?.paused ?? status?.standing === "paused";

/** A clock that is off by more than this costs blocks. */
const CLOCK_LIMIT = 2_000;
/** The stake that taking part needs, and something for fees. */
const NEEDED = 1_200_000_000_000n;
/** What is nearer than this has no better time than that. */
const SOON = 3_600_000;
/** After so many slots without a block something is wrong. */
const QUIET_SLOTS = 15;

/** Everything that a person should know of first, the most important first. */
export function notices(seen: Seen): Notice[] {
  const { chain, trainer, snapshot, status, now } = seen;
  const list: Notice[] = [];
  if (trainer.is === "away") {
    list.push({
      kind: "trainer-away",
      mood: "bad",
      head: `The trainer is away since ${timeOfDay(trainer.since)}`,
      text: "This PC trains and checks nothing now. Start it again: the network goes on meanwhile, and this page finds it by itself.",
    });
  }
  if (chain.is === "away") {
    const last = snapshot ? ` What is grey here is from block ${count(snapshot.best.number)}.` : "";
    list.push({
      kind: "node-away",
      mood: "bad",
      head: `The node is away since ${timeOfDay(chain.since)}`,
      text: `Nothing new comes from the network now.${last} Start the node again: this page finds it by itself.`,
    });
  }
  if (chain.is === "other") {
    list.push({
      kind: "other-chain",
      mood: "bad",
      head: "What answers as the node is of another chain",
      text: `At 127.0.0.1:${status?.node_rpc_port ?? "–"} is another chain than the one that this PC’s trainer works for, so nothing of it is shown. See which program has that port, or give the trainer the node’s with --node-rpc-port.`,
    });
  }
  if (chain.is === "strange") {
    list.push({
      kind: "update-needed",
      mood: "bad",
      head: "An update is needed",
      text: `The node speaks for another release: ${chain.reason}. Update HydraAI on this PC, then reload the page.`,
    });
  } else if (status?.errors.some((sentence) => /use a node and a trainer of one release/.test(sentence))) {
    list.push({
      kind: "update-needed",
      mood: "bad",
      head: "An update is needed",
      text: "Node and trainer are of different releases. Update HydraAI on this PC.",
    });
  }
  if (seen.replaced) {
    list.push({
      kind: "update-needed",
      mood: "plain",
      head: "The trainer was updated",
      text: "This page is of the release before. Reload it.",
    });
  }
  if ((chain.is === "starting" || !snapshot) && chain.is !== "away" && chain.is !== "strange" && chain.is !== "other") {
    list.push({ kind: "starting", mood: "plain", head: "Starting", text: startingText(trainer, status) });
  }
  if (snapshot?.syncing && chain.is === "up") {
    list.push({ kind: "syncing", mood: "plain", head: "Catching up with the network", text: syncingText(snapshot) });
  }
  if (snapshot && chain.is !== "other") list.push(...rulesChange(snapshot, seen.governance));
  const clock = wrongClock(seen);
  if (clock) list.push(clock);
  if (chain.is === "up" && snapshot) {
    const quiet = quietNetwork(snapshot, now);
    if (quiet) list.push(quiet);
    const coins = noCoins(snapshot);
    if (coins) list.push(coins);
  }
  if (isPaused(seen)) {
    const busy = snapshot?.me?.member?.busy ?? 0;
    const left = busy > 0 ? ` What it was drawn for before, ${several(busy, "task")} now, it still does.` : "";
    list.push({
      kind: "paused",
      mood: "plain",
      head: "Paused",
      text: `This PC is drawn for nothing new. It keeps its stake and its score.${left} To go on: \`${RESUME}\``,
    });
  }
  const unreachable = trainer.is === "up" ? nobodyGetsIn(status) : undefined;
  if (unreachable) list.push(unreachable);
  for (const warning of trainer.is === "up" ? (status?.warnings ?? []) : []) {
    if (clock && /clock/.test(warning)) continue;
    list.push({ kind: "warning", mood: "bad", head: "Needs your attention", text: sentence(warning) });
  }
  return list;
}

/** Of everything that root is going to do, which is what changes rules. */
function rulesChange(snapshot: Chain.Snapshot, governance: Seen["governance"]): Notice[] {
  if (governance === undefined || governance === "strange") return [];
  return rulesToCome(governance.planned, snapshot.best.number).map(({ block, asked, referendum }) => {
    const time = timeOf(snapshot, block);
    const who = referendum === undefined ? "What is planned" : `Referendum ${count(referendum)} was approved. It`;
    const when = time === undefined ? "" : time - (snapshot.time ?? time) < SOON ? ", within the hour" : `, about ${roughTime(time)}`;
    const to: Route = referendum === undefined ? { view: "governance" } : { view: "referendum", index: referendum };
    return {
      kind: "rules-change",
      mood: "plain",
      head: `The rules change at block ${count(block)}${when}`,
      text: sentence(`${who} ${deedOf(asked)}`),
      more: { text: "What is decided, and by whom", to },
    };
  });
}

/** Not even with a relay’s help: it can only connect to others. */
function nobodyGetsIn(status: TrainerStatus | undefined): Notice | undefined {
  const said = status?.reachability;
  const advice = reachAdvice(status);
  if (said?.state !== "unreachable" || advice === undefined) return undefined;
  return {
    kind: "unreachable",
    mood: "plain",
    head: "Others can’t reach this PC",
    text: `${sentence(said.reason === "" ? "nobody could connect to it" : said.reason)} It takes part all the same, by what it connects to itself. To be reached: ${advice}.`,
  };
}

function startingText(trainer: TrainerCondition, status: TrainerStatus | undefined): string {
  if (trainer.is === "starting") return "Waiting for the trainer’s first word.";
  if (status?.node_rpc_port === undefined) return "The trainer does not say where its node is: update HydraAI on this PC.";
  return `Waiting for the node at 127.0.0.1:${status.node_rpc_port}.`;
}

function syncingText(snapshot: Chain.Snapshot): string {
  const { best, highest, reached = best.number, syncLeftMs, time } = snapshot;
  const missing = highest !== undefined && highest > reached ? `${several(highest - reached, "block is", "blocks are")} missing` : "";
  const left = syncLeftMs === undefined ? "" : `, about ${duration(syncLeftMs)} at this speed`;
  const behind = missing && `${missing}${left}. `;
  const age = time === undefined ? "" : ` The newest block here is from ${timeOfDay(time)}.`;
  return `${behind}Until then balances and versions are old, and this PC does no work.${age}`;
}

function wrongClock({ snapshot, status }: Seen): Notice | undefined {
  const told = snapshot?.clock?.warning;
  const offset = snapshot?.clock?.offsetMs ?? status?.clock?.offset_ms;
  if (!told && (offset === undefined || Math.abs(offset) <= CLOCK_LIMIT)) return undefined;
  const by =
    offset === undefined
      ? sentence(told ?? "")
      : `It is about ${duration(Math.abs(offset))} ${offset > 0 ? "ahead of" : "behind"} the network’s, so this PC’s blocks and results come too late, or too early.`;
  return {
    kind: "wrong-clock",
    mood: "bad",
    head: "This PC’s clock is wrong",
    text: `${by} Set it: sudo timedatectl set-ntp true`,
  };
}

function quietNetwork(snapshot: Chain.Snapshot, now: number): Notice | undefined {
  if (snapshot.time === undefined || snapshot.syncing) return undefined;
  const age = now - snapshot.time;
  if (age < Math.max(30_000, QUIET_SLOTS * snapshot.slotMs)) return undefined;
  return {
    kind: "quiet",
    mood: "bad",
    head: `No new block since ${timeOfDay(snapshot.time)}`,
    text: "The network makes none now, or this node has lost it, or this PC’s clock is wrong.",
  };
}

function noCoins({ me }: Chain.Snapshot): Notice | undefined {
  if (!me || me.member?.stake || me.funds.free + me.funds.held >= NEEDED) return undefined;
  return {
    kind: "no-coins",
    mood: "plain",
    head: `${hydra(me.funds.free)}: not enough to take part`,
    text: `Taking part needs ${hydra(NEEDED)}: 1 as stake, which stays yours, and fees. Send it to this PC’s address, below under Receive. Ask a member for \`hydra invite ADDRESS\`, or on a test network start with \`hydra up --faucet\`.`,
  };
}

/** The first letter large, a full stop at the end. */
export const sentence = (text: string): string => {
  const trimmed = text.trim();
  const whole = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
};

const DOING: Record<ModelWork["state"], string> = {
  idle: "Waiting",
  fetching: "Fetching",
  folding: "Making the next version",
  training: "Training",
  verifying: "Checking others’ results",
};

/** What this PC is doing, in a word or two. */
export function doing(seen: Pick<Seen, "status" | "trainer" | "snapshot">): string {
  const { status, trainer, snapshot } = seen;
  if (trainer.is === "away") return "Away";
  if (!status) return "Starting";
  if (status.engine.state === "failed") return "Can’t train";
  if (status.engine.state === "starting") return "Testing the engine";
  if (snapshot?.syncing) return "Catching up";
  const busy = status.models.find((work) => work.state !== "idle");
  if (busy) return DOING[busy.state];
  if (isPaused({ snapshot, status })) return "Paused";
  if (status.standing === "unregistered") return "Not registered";
  if (status.standing === "unstaked") return "Registered, without enough stake";
  if (status.standing === "joining") return "Takes part from the next session on";
  return status.last_sheet ? "Waiting for the round to go on" : "Waiting for the node";
}

/** The current task in words, with how far it is. */
export function taskOf(work: ModelWork | undefined): string {
  if (!work || work.state === "idle" || !work.task) return "no task right now";
  const share = progressOf(work);
  return share === undefined ? work.task : `${work.task}, ${percent(share, 0)}`;
}

export function progressOf(work: ModelWork | undefined): number | undefined {
  const progress = work?.progress;
  return progress && progress.total > 0 ? Math.min(1, progress.done / progress.total) : undefined;
}

/** What comes next for this PC. */
export function nextOf(work: ModelWork | undefined, model: Chain.Model | undefined, best: number | undefined): string {
  const waiting = work?.waiting;
  if (waiting) {
    const training = work.state === "training" ? 1 : 0;
    const checking = work.state === "verifying" ? 1 : 0;
    if (waiting.measure > 0 && work.state !== "folding") return "measure the newest version";
    if (waiting.train > training) return "train on its part of the data";
    if (waiting.verify > checking) return `check ${several(waiting.verify - checking, "result")} of others`;
  }
  if (!model || best === undefined) return "nothing yet";
  if (model.waiting !== undefined && model.phaseEndsAt <= best) return `a round; it waits, since ${waitsBecause(model.waiting)}`;
  const left = Math.max(0, model.phaseEndsAt - best);
  const blocks = left === 0 ? "in the next block" : `within ${several(left, "block")}`;
  const AFTER: Record<Chain.Phase, string> = {
    Pause: `the next round, ${blocks}`,
    Train: `check others’ results, ${blocks}`,
    Verify: `the next version, ${blocks}`,
  };
  return AFTER[model.phase];
}

export const PHASE_NAMES: Record<Chain.Phase, string> = {
  Pause: "Pausing",
  Train: "Training",
  Verify: "Checking",
};

/** How the round stands that is under way, in words around the block in which its phase ends. */
export function underWay(model: Chain.Model): { before: string; after: string } {
  const proposed = `${count(model.proposals)} of ${several(model.places, "place")} proposed`;
  switch (model.phase) {
    case "Pause": {
      const why = model.waiting === undefined ? "" : `waits, since ${waitsBecause(model.waiting)}; it `;
      return { before: `${why}begins in block `, after: " at the earliest" };
    }
    case "Train":
      return {
        before: `is under way: training, ${proposed}, until block `,
        after: model.versionPoll === undefined ? " at the latest" : `, if version ${count(model.version)} is not in question any more by then`,
      };
    case "Verify":
      return {
        before: `is under way: checking, ${proposed}, ${count(model.decided)} decided, until block `,
        after: ", if no poll needs another draw",
      };
  }
}

/** Whether an account takes part, in a few words. */
export function standingOf(member: Chain.Member): string {
  if (member.paused) return "paused";
  return member.active ? "taking part" : "out";
}

/** The same with why it is out, and until when, where that is known. */
export function standingInFull(member: Chain.Member): string {
  if (member.paused) return "registered, paused by its owner: drawn for nothing new";
  if (member.active) return "registered, taking part";
  if (member.stake === 0n) return "registered, without stake";
  switch (member.absence?.is) {
    case "missed":
      return member.absence.from === undefined
        ? "registered, out until its next heartbeat: it missed a duty"
        : `registered, out until its next heartbeat from block ${count(member.absence.from)} on: it missed duties several times`;
    case "until":
      return `registered, out until session ${count(member.absence.session)}: it had a wrong result, or took stake away`;
    case "joining":
      return "registered, drawn from the next session on";
    case "silent":
      return "registered, drawn again from the session after its next heartbeat on";
    case undefined:
      return "registered, out";
  }
}
