/**
 * What happened, in words: a sentence in parts, so that accounts, blocks, rounds, versions, polls and referenda in it can be links.
 *
 * Plain words and full sentences; chain words only where people search for them.
 */
import { hydra } from "../format/amount";
import { count, percent, several } from "../format/number";
import type { Cause, Found, Happening, Step } from "../chain/types";
import { whyNot } from "./errors";
import { pollOn } from "./polls";
import { DRAWS, DROPPED, UNDECIDED, acceptedBecause, rejectedBecause, waitsBecause } from "./reasons";
import { roomOf } from "./room";
import { type Part, type Said, list, roundPart as round, said, versionPart as version } from "./sentence";

export type { Part, Said } from "./sentence";

const PHASES: Record<string, string> = {
  Pause: "it pauses",
  Train: "the holders of its places train",
  Verify: "drawn seats do each result’s work again",
};

const FOUND: Record<Found, string> = {
  update: "what the task gives",
  version: "the version’s weights",
  "not-finite": "that its weights have values that are no numbers",
};

const GIVEN_UP: Record<Found | "undecided", string> = {
  update: "what was found is no version",
  version: "what was found is another version",
  "not-finite": "its weights have values that are no numbers",
  undecided: "no draw was decided on it",
};

const VERDICTS: Record<"Right" | "Wrong" | "Missed", string> = {
  Right: "was right in ",
  Wrong: "gave a digest of another result in ",
  Missed: "gave no digest in ",
};

const DEEDS: Record<"Right" | "Wrong" | "Missed", string> = {
  Right: "did a duty right",
  Wrong: "gave a wrong result",
  Missed: "missed a duty",
};

/** What was forfeited for, to go on after the amount. */
function forfeitedFor(cause: Cause | undefined): Part[] {
  switch (cause?.is) {
    case "digest":
      return [": its digest in ", ...pollOn(cause.poll, cause.subject), " was of another result than the network found."];
    case "proposal":
      return [`: its result of place ${count(cause.place)} of `, round(cause), " was rejected."];
    case "offence":
      return [": it signed blocks or votes on finality that exclude each other."];
    case undefined:
      return [", for a wrong result or for signing what excludes each other."];
  }
}

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

/** What an event is in words. */
export function say(it: Happening): Said {
  switch (it.kind) {
    case "accepted":
      return it.also
        ? said("news", "good", "Of ", round(it), ", results of ", ...list([it.who, ...it.also]), ` were accepted: of each, ${acceptedBecause(it.draw, it.seats)}.`)
        : said("news", "good", { who: it.who }, "’s result of ", round(it), ` was accepted: ${acceptedBecause(it.draw, it.seats)}.`);
    case "rejected":
      return said("news", "bad", { who: it.who }, "’s result of ", round(it), ` was rejected: ${rejectedBecause(it.draw, it.seats)}.`, it.forfeited > 0n ? ` It forfeited ${hydra(it.forfeited)}.` : "");
    case "undecided":
      return said("news", "plain", { who: it.who }, "’s result of ", round(it), ` stays undecided: ${UNDECIDED}. Nobody is paid or blamed.`);
    case "dropped":
      return said("course", "plain", { who: it.who }, "’s result of ", round(it), ` is dropped: ${DROPPED}. Nobody is paid or blamed.`);
    case "earned": {
      const verifiers = it.verifiers > 0n ? ` Those who checked ${it.also ? "each" : "it"} got ${hydra(it.verifiers)}.` : "";
      return it.also
        ? said("news", "good", ...list([it.who, ...it.also]), ` earned ${hydra(it.amount)} for each result of theirs: the version that it went into is confirmed.${verifiers}`)
        : said("news", "good", { who: it.who }, ` earned ${hydra(it.amount)}: the version that its result went into is confirmed.${verifiers}`);
    }
    case "verifier-earned":
      return said("course", "good", { who: it.who }, ` earned ${hydra(it.amount)} for checking a result.`);
    case "round-paid":
      return said("course", "plain", `All that `, round(it), ` earned is paid: ${hydra(it.paid)}.`);
    case "duties-paid":
      return said("plumbing", "plain", `${hydra(it.burnt)} was burnt for the block space that a round of model ${it.model} takes.`);
    case "confirmed":
      return said("news", "good", "", version(it), ` is confirmed: ${it.score.correct} of ${it.score.total} held-out samples right (${percent(it.score.correct / Math.max(1, it.score.total))}).`);
    case "given-up":
      return said("news", "bad", "", version(it), ` is given up: ${GIVEN_UP[it.found ?? "undecided"]}. The model goes back to the confirmed version, and nothing is paid for this one.`);
    case "settled":
      return said("course", "plain", "", round(it), ` is settled: ${count(it.accepted)} of ${several(it.places, "result")} accepted`, ...(it.version === undefined ? [", so that there is no new version."] : [", which make ", version({ model: it.model, version: it.version }), "."]));
    case "opened":
      return said("course", "plain", "", round(it), ` began${it.extension > 0 ? " anew" : ""}, with ${several(it.places, "place")}: those who hold them train until block `, { block: it.until }, " at the latest.");
    case "waits":
      return said("news", "plain", "", round(it), ` waits: ${waitsBecause(it.why)}.`);
    case "extended":
      return said("course", "plain", "", round(it), " takes longer, until block ", { block: it.until }, " at the least: a poll needs another draw.");
    case "begins-anew":
      return said("news", "plain", "", round(it), " begins anew: the version that it trained from was given up.");
    case "phase":
      return said("course", "plain", "", round(it), `: ${PHASES[it.phase] ?? it.phase}, until block `, { block: it.until }, " if no poll needs another draw.");
    case "proposed":
      return said("course", "plain", { who: it.who }, ` proposed a result for place ${count(it.place)} of `, round(it), ".");
    case "refused":
      return said("course", "bad", "A result of ", { who: it.who }, ` was refused: ${whyNot(it.reason)}.`);
    case "poll-asked":
      return said("plumbing", "plain", "Asked: ", ...pollOn(it.poll, it.subject), `. ${several(it.seats, "seat")} have ${several(it.window, "block")} for it, and a wrong digest forfeits ${hydra(it.forfeit)} for each.`);
    case "seats-drawn":
      return said("plumbing", "plain", "Drawn for ", ...pollOn(it.poll, it.subject), `: ${several(it.seats, "seat")} of ${DRAWS[it.draw]}, which ${several(it.accounts, "PC has", "PCs have")}.`);
    case "digest":
      return said("plumbing", "plain", { who: it.who }, " gave a digest, hidden for now, in ", ...pollOn(it.poll, it.subject), ".");
    case "digests-closed":
      return said("plumbing", "plain", "Closed: the digests of ", ...pollOn(it.poll, it.subject), `, of ${count(it.given)} of ${several(it.seats, "seat")} of ${DRAWS[it.draw]}.`);
    case "poll-opened":
      return said("course", "plain", { who: it.who }, ` showed ${FOUND[it.found]}, by which ${DRAWS[it.draw]} is decided, in `, ...pollOn(it.poll, it.subject), ".");
    case "poll-decided":
      return it.found === undefined
        ? said("course", "plain", "Undecided: ", ...pollOn(it.poll, it.subject), ". Nobody is judged.")
        : said("plumbing", "plain", "Decided, by ", DRAWS[it.draw], ": ", ...pollOn(it.poll, it.subject), `. The network found ${FOUND[it.found]}.`);
    case "judged":
      return said("course", it.verdict === "Right" ? "good" : "bad", { who: it.who }, ` ${VERDICTS[it.verdict]}`, ...pollOn(it.poll, it.subject), ".");
    case "committee-stays":
      return said("news", "bad", "", `The same ${several(it.present, "PC makes", "PCs make")} blocks in the next session, too: ${it.found === 0 ? "nobody" : `only ${count(it.found)}`} could be found that may take over. More PCs need session keys and a good score.`);
    case "asked":
      return said("news", "plain", { who: it.who }, ` paid ${hydra(it.price)} to ask `, version(it), ".");
    case "claimed":
      return said("news", "good", { who: it.who }, ` received ${hydra(it.amount)} of what questions paid.`);
    case "sent":
      return said("news", "plain", { who: it.from }, ` sent ${hydra(it.amount)} to `, { who: it.to }, ".");
    case "registered":
      return said("news", "good", { who: it.who }, ` registered as a PC of the network: it takes ${roomOf(it)}.`);
    case "deregistered":
      return said("news", "plain", { who: it.who }, " is no longer a PC of the network.");
    case "bonded":
      return said("news", "plain", { who: it.who }, ` bonded ${hydra(it.amount)}; its stake is ${hydra(it.total)} now.`);
    case "unbonding":
      return said("news", "plain", { who: it.who }, ` takes ${hydra(it.amount)} of its stake away. It can be withdrawn from block `, { block: it.until }, " on, and be forfeited until then.");
    case "withdrawn":
      return said("news", "plain", { who: it.who }, ` has back ${hydra(it.amount)} that it had as stake.`);
    case "forfeited":
      return said("news", "bad", { who: it.who }, ` forfeited ${hydra(it.amount)}`, ...forfeitedFor(it.cause));
    case "forfeit-received":
      return said("course", "good", { who: it.who }, ` was right, and received ${hydra(it.amount)} of what others forfeited.`);
    case "forfeit-shared":
      return said("course", "plain", `Of what was forfeited, ${hydra(it.amount)} went to those who were right, and ${hydra(it.burnt)} is burnt.`);
    case "sponsor-set":
      return it.who === undefined
        ? said("news", "plain", `The rounds of model ${it.model} are paid from the bucket from now on.`)
        : said("news", "plain", { who: it.who }, ` pays for the rounds of model ${it.model} from now on, with a deposit of its own.`);
    case "sponsored":
      return said("news", "good", { who: it.who }, ` added ${hydra(it.amount)} to the deposit that the rounds of model ${it.model} are paid from.`);
    case "sponsorship-ending":
      return said("news", "plain", { who: it.who }, ` gave notice: no round of model ${it.model} opens any more. It may take back what is left of its deposit from block `, { block: it.until }, " on.");
    case "sponsorship-withdrawn":
      return said("news", "plain", { who: it.who }, ` has back ${hydra(it.amount)} that was left of its deposit for model ${it.model}.`);
    case "paused":
      return said("news", "plain", { who: it.who }, " rests: it is drawn for nothing new until it resumes.");
    case "resumed":
      return said("news", "good", { who: it.who }, " ended its pause.");
    case "room":
      return said("course", "plain", { who: it.who }, ` takes ${roomOf(it)} from now on.`);
    case "left":
      return it.until === undefined
        ? it.also
          ? said("news", "bad", ...list([it.who, ...it.also]), " are out until they are heard of again: each missed a duty.")
          : said("news", "bad", { who: it.who }, " is out until it is heard of again: it missed a duty.")
        : said("news", "bad", { who: it.who }, ` is out until session ${count(it.until)}: it had a wrong result, or took stake away.`);
    case "returned":
      return it.also
        ? said("news", "good", ...list([it.who, ...it.also]), " were heard of again, and take part.")
        : said("news", "good", { who: it.who }, " was heard of again, and takes part.");
    case "heartbeat":
      return said("plumbing", "plain", { who: it.who }, ` is there in session ${count(it.session)}, and so drawn from in the next.`);
    case "score":
      return said(it.deed === "Right" ? "plumbing" : "course", it.deed === "Right" ? "good" : "bad", { who: it.who }, ` ${DEEDS[it.deed]}; its score is ${it.score.toFixed(3)} now.`);
    case "session":
      return said("course", "plain", `Session ${count(it.session)} began.`);
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
      return said("news", "bad", `A transaction failed: ${whyNot(it.reason)}.`);
    case "other":
      return said("plumbing", "plain", it.name);
  }
}

/** Whether this is told of on a round's page. What its polls' seats do is told of on the polls' own, but for what was wrong. */
export function isOfRound(it: Happening, model: number, round: number): boolean {
  if (it.kind === "judged") return it.subject?.model === model && it.subject.round === round;
  if (it.kind === "forfeited" && it.cause !== undefined && it.cause.is !== "offence") {
    const of = it.cause.is === "digest" ? it.cause.subject : it.cause;
    return of?.model === model && of.round === round;
  }
  return "round" in it && it.round === round && it.model === model;
}

/** Of what several have in common there is one sentence. */
type Shared = Extract<Happening, { also?: string[] }>;

/** What those have in common that are told of together; `undefined` for what is told of one by one. */
function alike(it: Happening): string | undefined {
  switch (it.kind) {
    case "accepted":
      return `accepted ${it.model} ${it.round} ${acceptedBecause(it.draw, it.seats)}`;
    case "earned":
      return `earned ${it.amount} ${it.verifiers}`;
    case "left":
      return it.until === undefined ? "left" : undefined;
    case "returned":
      return "returned";
    default:
      return undefined;
  }
}

function together(news: Happening[]): Happening[] {
  const told = new Map<string, Happening>();
  for (const [index, it] of news.entries()) {
    const key = alike(it);
    const first = key === undefined ? undefined : told.get(key);
    if (key === undefined || first === undefined) {
      told.set(key ?? String(index), it);
      continue;
    }
    const { also = [] } = first as Shared;
    told.set(key, { ...(first as Shared), also: [...also, (it as Shared).who] });
  }
  return [...told.values()];
}

/** The events of a block that are news, without those that only repeat others. */
export function newsOf(happenings: Happening[]): Happening[] {
  // The pot's own transfers are told by what they are for.
  const questions = happenings.some((it) => it.kind === "asked" || it.kind === "claimed");
  // A result that was rejected says itself what it cost.
  const repeats = (it: Happening) => (questions && it.kind === "sent") || (it.kind === "forfeited" && it.cause?.is === "proposal");
  return together(happenings.filter((it) => say(it).weight === "news" && !repeats(it)));
}
