/** What polls ask and how they stand, in words. */
import type { Poll, Subject } from "../chain/types";
import { shortHash } from "../format/hex";
import { count } from "../format/number";
import { DRAWS } from "./reasons";
import type { Part } from "./sentence";

/** A poll by what it is about, where that is known: `the poll on place 3 of round 12, held by Alice`. */
export function pollOn(poll: string, subject: Subject | undefined): Part[] {
  if (!subject) return [{ poll, text: `poll ${shortHash(poll)}` }];
  const of: Part[] = [" of ", { round: subject.round, model: subject.model }];
  if (subject.is === "version") return ["the ", { poll, text: "poll" }, " on the version", ...of];
  return ["the ", { poll, text: "poll" }, ` on place ${count(subject.place)}`, ...of];
}

/** What the seats of a poll compute. */
export function asksFor(subject: Subject): Part[] {
  const of: Part[] = [" of ", { round: subject.round, model: subject.model }];
  if (subject.is === "version") return ["Which weights the version", ...of, " has, and how good they are"];
  const holder: Part[] = subject.holder === undefined ? [] : [", which ", { who: subject.holder }, " holds"];
  return [`What the task of place ${count(subject.place)}`, ...of, " gives", ...holder];
}

/** How a poll stands, in words before the block in which that ends. */
export function stageOf({ stage, draw, given, seats }: Poll): string {
  switch (stage) {
    case "Drawing":
      return `The seats of ${DRAWS[draw]} are being drawn`;
    case "Digests":
      return `${count(given)} of ${count(seats)} seats of ${DRAWS[draw]} gave their digest`;
    case "Opening":
      return `${count(given)} of ${count(seats)} seats of ${DRAWS[draw]} gave their digest; it waits for one plain copy`;
    case "Judging":
      return `It is decided by ${DRAWS[draw]}, and its seats are being judged`;
  }
}
