/** What polls are about and how they stand: shared by what reads the chain's state and what reads its events. */
import type { HydraApi, RawPoll, Variant } from "./api";
import { NotUnderstood, bigintOf, hexOf, listOf, numberOf, record, stringOf, tagOf } from "./raw";
import type { AskedPoll, Draw, Found, Poll, PollStage, Subject } from "./types";

const DRAWS = ["First", "Appeal", "Last"];
const STAGES = ["Drawing", "Digests", "Opening", "Judging"];
const FOUND: Record<string, Found> = { Update: "update", Version: "version", NotFinite: "not-finite" };

export function drawOf(value: unknown): Draw {
  const tag = tagOf(value, "draw");
  if (DRAWS.includes(tag)) return tag as Draw;
  throw new NotUnderstood("draw");
}

/** What a finding is. */
export function foundOf(value: unknown): Found {
  const found = FOUND[tagOf(value, "finding")];
  if (found === undefined) throw new NotUnderstood("finding");
  return found;
}

/** What a decision found; `undefined`: nothing. */
export function decisionOf(value: unknown): Found | undefined {
  const tag = tagOf(value, "decision");
  if (tag === "Undecided") return undefined;
  if (tag === "Found") return foundOf((value as Variant).value);
  throw new NotUnderstood("decision");
}

/** What a poll is about: what its first draw is made for, and whose claim it asks about. */
export function subjectOf(purpose: unknown, claimant: string | undefined): Subject {
  const tag = tagOf(purpose, "purpose");
  const asked = record((purpose as Variant).value, "purpose");
  const [model, round] = [numberOf(asked["model"], "model"), numberOf(asked["round"], "round")];
  if (tag === "Attestation") return { is: "version", model, round };
  if (tag === "Verification") return { is: "place", model, round, place: numberOf(asked["place"], "place"), holder: claimant };
  throw new NotUnderstood("purpose");
}

function pollOf(raw: RawPoll): Poll {
  const stage = raw.stage.type;
  if (!STAGES.includes(stage)) throw new NotUnderstood("poll");
  return {
    poll: hexOf(raw.poll, "poll"),
    draw: drawOf(raw.draw),
    stage: stage as PollStage,
    endsAt: raw.ends_at,
    seats: raw.seats,
    given: raw.given,
    accounts: raw.accounts.map(([address, seats, given]) => ({ address, seats, given })),
  };
}

/** How a poll stands; `undefined` if it is over, or never was. */
export async function standing(api: HydraApi, id: string, at: string): Promise<Poll | undefined> {
  const raw = await api.apis.TrainingApi.poll_status(id, { at });
  return raw && pollOf(raw);
}

/** The same with what it is about. */
export async function asked(api: HydraApi, id: string, at: string): Promise<AskedPoll | undefined> {
  const [poll, raw] = await Promise.all([standing(api, id, at), api.query.StakeVoting.Polls.getValue(id, { at })]);
  if (!poll) return undefined;
  const stored = record(raw, "poll");
  const claimant = stored["claimant"] === undefined ? undefined : stringOf(listOf(stored["claimant"], "claimant")[0], "claimant");
  return { ...poll, subject: subjectOf(stored["purpose"], claimant), forfeit: bigintOf(stored["forfeit"], "forfeit") };
}
