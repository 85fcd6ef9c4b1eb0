/** What one account is drawn for now: the places that it holds, and its seats in polls that are not over. */
import type { HydraApi, RawSeat } from "./api";
import { hexOf } from "./raw";
import type { Duties, HeldPlace, Model, OwnSeats } from "./types";

/** In all draws. */
const countOf = ({ seats }: RawSeat): number => seats.first + seats.appeal + seats.last;

/** Of one model. */
async function ofModel(api: HydraApi, address: string, model: Model, at: string): Promise<Duties> {
  const entries = await api.query.TrainingProposals.Places.getEntries(model.model, { at });
  const places: HeldPlace[] = [];
  const polls: { poll: string; place: number | undefined; own: boolean }[] = [];
  for (const { keyArgs: [, place], value } of entries.sort((a, b) => a.keyArgs[1] - b.keyArgs[1])) {
    const own = value.holder === address;
    if (own) places.push({ model: model.model, round: model.round, place, proposed: value.claim !== undefined });
    if (value.poll !== undefined && value.outcome === undefined) polls.push({ poll: hexOf(value.poll, "poll"), place, own });
  }
  if (model.versionPoll !== undefined) polls.push({ poll: model.versionPoll, place: undefined, own: false });
  const found = await Promise.all(
    polls.map(async ({ poll, place, own }): Promise<OwnSeats | undefined> => {
      const raw = await api.query.StakeVoting.Seats.getValue(poll, address, { at });
      // What it claims counts as the digest of whose result is asked about.
      return raw && { poll, model: model.model, round: model.round, place, version: model.version, seats: countOf(raw), given: own || raw.digest !== undefined };
    }),
  );
  return { places, seats: found.filter((one) => one !== undefined) };
}

export async function duties(api: HydraApi, address: string, models: Model[], at: string): Promise<Duties> {
  const all = await Promise.all(models.map((model) => ofModel(api, address, model, at)));
  return { places: all.flatMap(({ places }) => places), seats: all.flatMap(({ seats }) => seats) };
}
