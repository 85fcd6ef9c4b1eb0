/** What became of a result, and by what, as a sentence. */
import type { Draw, Outcome, Place, Seats, Waiting } from "../chain/types";
import { count } from "../format/number";

/** Seats of the later draws: `primitives/src/electorate.rs`. */
const SEATS = { Appeal: 256, Last: 1_024 };

export const DRAWS: Record<Draw, string> = { First: "the first draw", Appeal: "the appeal", Last: "the last draw" };

/** Who decided: in a first draw all that answered are of one mind, in later ones more than half of the seats. */
function deciders(draw: Draw, seats: Seats | undefined): string {
  if (draw !== "First") return `more than half of the ${count(SEATS[draw])} seats of ${DRAWS[draw]}`;
  return seats ? `${count(seats.given)} of ${count(seats.seats)} seats` : "all seats of the first draw that gave a digest";
}

export const acceptedBecause = (draw: Draw, seats: Seats | undefined): string => `${deciders(draw, seats)} computed the same`;

export const rejectedBecause = (draw: Draw, seats: Seats | undefined): string => `${deciders(draw, seats)} computed another result`;

export const UNDECIDED = "no draw was decided: too few seats gave a digest, or they were of several minds";
export const DROPPED = "it was made from other weights than the confirmed ones, so nobody looked at it, and its holder missed a duty";
export const NOTHING = "nothing was proposed in time";

export const OUTCOMES: Record<Outcome, string> = {
  Accepted: "accepted",
  Rejected: "rejected",
  Undecided: "undecided",
  Dropped: "dropped",
};

/** Why a place ended as it did. */
export function because(place: Pick<Place, "outcome" | "draw">, seats: Seats | undefined): string {
  switch (place.outcome) {
    case "Accepted":
      return acceptedBecause(place.draw, seats);
    case "Rejected":
      return rejectedBecause(place.draw, seats);
    case "Undecided":
      return UNDECIDED;
    case "Dropped":
      return DROPPED;
    case undefined:
      return NOTHING;
  }
}

/** Why no round goes on now. */
export const WAITING: Record<Waiting, string> = {
  Participants: "too few PCs take part to ask them anything",
  Room: "fewer than nine tenths of the weight have room for its tasks",
  Progress: "rounds brought nothing new, so the pause grows until one does",
  Turn: "all duties together would take more than a quarter of the blocks, so it waits for its turn",
  Payer: "who pays for it has nothing left, or gave notice",
};

/** The same for a reason that is newer than this page. */
export const waitsBecause = (why: string): string => (WAITING as Record<string, string>)[why] ?? `there is a reason that this page does not know (${why})`;
