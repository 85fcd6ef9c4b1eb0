/** What was seen of polls in the blocks so far: what each is about, and how many of its seats gave a digest. */
import { subjectOf, drawOf } from "./polls";
import { hexOf, numberOf, stringOf } from "./raw";
import type { Draw, Seats, Subject } from "./types";

/** Whoever leaves the page open for a year still has a small book. */
const KEPT = 2_048;

interface Seen {
  subject: Subject;
  closed: Partial<Record<Draw, Seats>>;
}

export class PollBook {
  private readonly polls = new Map<string, Seen>();

  note(name: string, fields: Record<string, unknown>): void {
    if (name === "StakeVoting.PollAsked") {
      const poll = hexOf(fields["poll"], "poll");
      // An older block that somebody looks at says nothing new of it.
      if (this.polls.has(poll)) return;
      const claimant = fields["claimant"] === undefined ? undefined : stringOf(fields["claimant"], "claimant");
      this.polls.set(poll, { subject: subjectOf(fields["purpose"], claimant), closed: {} });
      for (const key of this.polls.keys()) {
        if (this.polls.size <= KEPT) break;
        this.polls.delete(key);
      }
    }
    if (name === "StakeVoting.DigestsClosed") {
      const seen = this.polls.get(hexOf(fields["poll"], "poll"));
      if (!seen) return;
      seen.closed[drawOf(fields["draw"])] = { given: numberOf(fields["given"], "seats"), seats: numberOf(fields["seats"], "seats") };
    }
  }

  /** What this poll is about, if the page saw it asked. */
  about(poll: string): Subject | undefined {
    return this.polls.get(poll)?.subject;
  }

  /** How many seats of this draw gave a digest, of the last poll on a place. */
  seatsOf(of: { model: number; round: number; place: number }, draw: Draw): Seats | undefined {
    let found: Seats | undefined;
    for (const { subject, closed } of this.polls.values()) {
      if (subject.is === "place" && subject.model === of.model && subject.round === of.round && subject.place === of.place) {
        found = closed[draw];
      }
    }
    return found;
  }
}
