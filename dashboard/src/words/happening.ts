/**
 * What happened, in words: a sentence in parts, so that accounts, blocks, rounds, versions and referenda in it can be links.
 *
 * Plain words and full sentences; chain words only where people search for them.
 */
import { hydra } from "../format/amount";
import { percent } from "../format/number";
import type { Happening, Step } from "../chain/types";
import { acceptedBy, reason, rejectedBecause, undecidedBecause } from "./reasons";

export type Part =
  | string
  | { who: string }
  | { round: number; model: number }
  | { version: number; model: number }
  | { block: number }
  | { referendum: number };

/** How much it matters to a person: news, or the round's ordinary course. */
export type Weight = "news" | "course" | "plumbing";

export interface Said {
  parts: Part[];
  weight: Weight;
  /** Good, bad or neither: shown by a sign that repeats what the words say. */
  mood: "good" | "bad" | "plain";
}

const said = (weight: Weight, mood: Said["mood"], ...parts: Part[]): Said => ({ parts, weight, mood });
const round = (of: { model: number; round: number }): Part => ({ round: of.round, model: of.model });
const version = (of: { model: number; version: number }): Part => ({ version: of.version, model: of.model });

const PHASES: Record<string, string> = {
  Train: "PCs train on their parts of the data",
  Verify: "PCs do each other's work again",
  Reveal: "PCs show their votes",
  Settle: "the votes are counted",
};

const VERDICTS: Record<string, string> = {
  Accept: "found it right",
  Reject: "computed another result",
  Unavailable: "could not get it",
};

/** What became of a referendum, to go on after its name. */
const STEPS: Record<Step, { mood: Said["mood"]; text: string }> = {
  submitted: { mood: "plain", text: " was submitted: see what it asks for, and vote." },
  deciding: { mood: "plain", text: " is being decided from now on." },
  confirming: { mood: "plain", text: " has what it needs to pass, and is approved if it keeps it." },
  unconfirmed: { mood: "plain", text: " no longer has what it needs to pass." },
  approved: { mood: "good", text: " was approved: what it asks for is going to be done." },
  rejected: { mood: "bad", text: " was rejected." },
  "timed-out": { mood: "plain", text: " is over: it was not decided in time." },
  cancelled: { mood: "plain", text: " was cancelled by another one." },
  killed: { mood: "bad", text: " was killed by another one, and its deposits burned." },
};

/** How often a HYDRA counts, where there is a word for it. */
const TIMES: Record<number, string> = { 0.1: "a tenth", 1: "once", 2: "twice" };

/** `10 HYDRA for`, and the like, of all that a vote has. */
function ballot(it: Extract<Happening, { kind: "voted" }>): string {
  const sides: [bigint, string][] = [
    [it.aye, "for"],
    [it.nay, "against"],
    [it.abstain, "neither for nor against"],
  ];
  const said = sides.filter(([amount]) => amount > 0n).map(([amount, side]) => `${hydra(amount)} ${side}`);
  return said.join(", ") || "nothing";
}

/** `Alice, Bob and Charlie` */
const list = (who: string[]): Part[] =>
  who.flatMap((one, index): Part[] => {
    const before = index === 0 ? [] : [index === who.length - 1 ? " and " : ", "];
    return [...before, { who: one }];
  });

/** What an event is in words. */
export function say(it: Happening): Said {
  switch (it.kind) {
    case "accepted":
      return it.also
        ? said("news", "good", ...list([it.who, ...it.also]), ` earned ${hydra(it.reward)} each: their results of `, round(it), ` were accepted, each ${acceptedBy(it.tally, it.votes)}.`)
        : said("news", "good", { who: it.who }, ` earned ${hydra(it.reward)}: its result of `, round(it), ` was accepted, ${acceptedBy(it.tally, it.votes)}.`);
    case "rejected":
      return said("news", "bad", { who: it.who }, "’s result of ", round(it), ` was rejected: ${rejectedBecause(it.tally, it.votes)}.`);
    case "undecided":
      return said("news", "plain", { who: it.who }, "’s result of ", round(it), ` stays undecided: ${undecidedBecause(it.tally, it.votes)}. Nobody is paid or blamed.`);
    case "confirmed":
      return said("news", "good", "", version(it), ` is confirmed: ${it.score.correct} of ${it.score.total} held-out samples right (${percent(it.score.correct / Math.max(1, it.score.total))}).`);
    case "settled":
      return said("course", "plain", "", round(it), ` is settled: ${it.accepted} accepted, ${it.rejected} rejected, ${it.undecided} undecided.`);
    case "opened":
      return said("course", "plain", "", round(it), " began, from ", version(it), ".");
    case "extended":
      return said("news", "plain", "", round(it), " waits until block ", { block: it.until }, ": nobody proposed yet, or the version to train from is not confirmed.");
    case "phase":
      return said("course", "plain", "", round(it), `: ${PHASES[it.phase] ?? it.phase}, until block `, { block: it.until }, " at the latest.");
    case "proposed":
      return said("course", "plain", { who: it.who }, ` proposed a result of `, round(it), `, trained on shard ${it.shard}.`);
    case "attested":
      return said("course", "plain", { who: it.who }, " attested ", version(it), ".");
    case "committed":
      return said("plumbing", "plain", { who: it.who }, " voted, hidden for now, on ", { who: it.proposer }, "’s result of ", round(it), ".");
    case "revealed":
      return said("course", it.verdict === "Reject" ? "bad" : "plain", { who: it.who }, ` ${VERDICTS[it.verdict] ?? it.verdict} (`, { who: it.proposer }, ", ", round(it), it.verdict === "Reject" ? `): ${reason(it.reason)}.` : ").");
    case "asked":
      return said("news", "plain", { who: it.who }, ` paid ${hydra(it.price)} to ask `, version(it), ".");
    case "claimed":
      return said("news", "good", { who: it.who }, ` received ${hydra(it.amount)} of what questions paid.`);
    case "sent":
      return said("news", "plain", { who: it.from }, ` sent ${hydra(it.amount)} to `, { who: it.to }, ".");
    case "registered":
      return said("news", "good", { who: it.who }, " registered as a PC of the network.");
    case "bonded":
      return said("news", "plain", { who: it.who }, ` bonded ${hydra(it.amount)}; its stake is ${hydra(it.total)} now.`);
    case "inactive":
      return said("news", "bad", { who: it.who }, " is away: nobody waits for it any more.");
    case "active":
      return said("news", "good", { who: it.who }, " is back.");
    case "displaced":
      return said("news", "plain", { who: it.who }, " lost its place to a new PC, since the network is full.");
    case "referendum":
      return said("news", STEPS[it.step].mood, "", { referendum: it.index }, STEPS[it.step].text);
    case "deposited":
      return said("news", "plain", { who: it.who }, ` laid down ${hydra(it.amount)} for a decision on `, { referendum: it.index }, ".");
    case "voted":
      return said("course", "plain", { who: it.who }, " voted on ", { referendum: it.index }, ` with ${ballot(it)}; each counts ${TIMES[it.times] ?? `${it.times} times`}.`);
    case "enacted": {
      const what: Part[] = it.index === undefined ? ["What was planned"] : ["What ", { referendum: it.index }, " asked for"];
      return it.failure === undefined
        ? said("news", "good", ...what, " was done.")
        : said("news", "bad", ...what, ` could not be done: ${it.failure}.`);
    }
    case "upgraded":
      return said("news", "good", "The runtime was replaced: from the next block on the chain has its rules.");
    case "model-added":
      return said("news", "good", `Model ${it.model} was added: PCs train it from now on.`);
    case "failed":
      return said("news", "bad", `A transaction failed: ${it.reason}.`);
    case "other":
      return said("plumbing", "plain", it.name);
  }
}

/** Of what accepted results have in common there is one sentence. */
function together(news: Happening[]): Happening[] {
  const told: Happening[] = [];
  for (const it of news) {
    const same = told.findIndex(
      (one) =>
        one.kind === "accepted" &&
        it.kind === "accepted" &&
        one.model === it.model &&
        one.round === it.round &&
        one.reward === it.reward &&
        acceptedBy(one.tally, one.votes) === acceptedBy(it.tally, it.votes),
    );
    const first = told[same];
    if (first?.kind === "accepted" && it.kind === "accepted") {
      told[same] = { ...first, also: [...(first.also ?? []), it.who] };
    } else {
      told.push(it);
    }
  }
  return told;
}

/** The events of a block that are news, without those that only repeat others. */
export function newsOf(happenings: Happening[]): Happening[] {
  // The pot's own transfers are told by what they are for.
  const questions = happenings.some((it) => it.kind === "asked" || it.kind === "claimed");
  return together(happenings.filter((it) => say(it).weight === "news" && !(questions && it.kind === "sent")));
}
