/** Why a result was turned down, as a sentence. */
import { percent, several } from "../format/number";
import type { Tally, Votes } from "../chain/types";

/** What each check that failed means: `RejectReason` of `primitives/src/vote.rs`. */
const REASONS: Record<string, string> = {
  WrongBase: "it was trained from other weights than the round's",
  WrongSize: "its update has another size than the model's",
  Undecodable: "its update can't be read as weights of this model",
  NotFinite: "its update has values that are no numbers",
  WrongSteps: "it took another number of steps than the task has",
  LossBeforeDiffers: "its loss before training is another one than they computed",
  LossAfterDiffers: "its loss after training is another one than they computed",
  ScoreDiffers: "its score on the held-out samples is another one than they computed",
  TraceMalformed: "the record of its training does not begin where it had to",
  TraceEndDiffers: "the record of its training ends in other weights than its update",
  SegmentDiffers: "a part of its training, done again, gave other weights",
};

export const reason = (name: string): string => REASONS[name] ?? `a check failed (${name})`;

const rejections = (votes: Votes): number => Object.values(votes.reject).reduce((sum, count) => sum + count, 0);

const revealed = (votes: Votes): number => votes.accept + votes.unavailable + rejections(votes);

/** The reason that most gave. */
function mostGiven(votes: Votes): string | undefined {
  const [first] = Object.entries(votes.reject).sort(([, a], [, b]) => b - a);
  return first && reason(first[0]);
}

const checkedBy = (votes: Votes | undefined): string | undefined =>
  votes && votes.accept > 0 ? `checked by ${votes.accept} of ${several(votes.members, "PC")}` : undefined;

/** To go on after `was accepted,`: by how many, or, where single votes were not seen, with which weight behind it. */
export const acceptedBy = (tally: Tally, votes: Votes | undefined): string =>
  checkedBy(votes) ?? `with ${percent(tally.accept, 0)} of the voting weight in favour`;

/** The same by itself. */
export const acceptedBecause = (tally: Tally, votes: Votes | undefined): string =>
  checkedBy(votes) ?? `${percent(tally.accept, 0)} of the voting weight agreed`;

export function rejectedBecause(tally: Tally, votes: Votes | undefined): string {
  if (!votes || rejections(votes) === 0) {
    return `${percent(tally.reject, 0)} of the voting weight computed another result`;
  }
  const why = mostGiven(votes);
  const head = `${rejections(votes)} of ${several(votes.members, "PC")} computed another result`;
  return why ? `${head}: ${why}` : head;
}

export function undecidedBecause(tally: Tally, votes: Votes | undefined): string {
  if (votes && revealed(votes) > 0) {
    const said = [
      votes.accept > 0 && `${votes.accept} agreed`,
      rejections(votes) > 0 && `${rejections(votes)} disagreed`,
      votes.unavailable > 0 && `${votes.unavailable} could not get it`,
    ].filter(Boolean);
    return `of ${several(votes.members, "PC")}, ${said.join(", ")}, which is no majority`;
  }
  const said = tally.accept + tally.reject + tally.unavailable;
  return `only ${percent(said, 0)} of the voting weight said anything, or it was of two minds`;
}
