/** What referenda ask for and how they stand, in words. */
import type { Asked, Planned, Stage, Verdict } from "../chain/types";
import { percent } from "../format/number";
import { does } from "./calls";

/** What is asked for, to go on a sentence with: `replaces the runtime`. */
export function deedOf(asked: Asked): string {
  switch (asked.is) {
    case "missing":
      return "does what nobody can read yet: the chain has only its hash";
    case "strange":
      return "makes a call that this page can’t read: look at it in polkadot-js Apps";
    case "known": {
      const deeds = asked.calls.map(does).join(", then ");
      const gone = asked.there ? "" : "; but its bytes were taken from the chain, and nothing is done unless somebody brings them back";
      return `${deeds || "does nothing"}${gone}`;
    }
  }
}

/** What becomes of a referendum as it stands, in words around the block in which it does. */
export function standing(stage: Stage, deposit: string | undefined): { before: string; after: string } {
  switch (stage.is) {
    case "waiting":
      return { before: `Waits for somebody who lays down ${deposit ?? "its deposit"}, which comes back; over in block `, after: " if nobody does" };
    case "preparing":
      return { before: "To be read and voted on; the decision begins in block ", after: " at the earliest" };
    case "queued":
      return { before: "Waits until one of those that are being decided is done", after: "" };
    case "deciding":
      return { before: "Is being decided; rejected in block ", after: " unless it has what it needs before" };
    case "confirming":
      return { before: "Has what it needs; approved in block ", after: " if it keeps it" };
  }
}

export const VERDICTS: Record<Verdict, string> = {
  Approved: "approved",
  Rejected: "rejected",
  Cancelled: "cancelled",
  TimedOut: "timed out",
  Killed: "killed",
};

/** `66.67 % of the votes are aye; needed are more than 66.66 %` */
export function needed(now: number | undefined, last: number | undefined): string {
  if (now === undefined || last === undefined) return "what it needs is not known";
  const first = `needed: ${percent(now, 1)}`;
  return Math.abs(now - last) < 0.0005 ? first : `${first} now, ${percent(last, 1)} in the last block`;
}

/** Those that change the rules, and are still to come. */
export const rulesToCome = (planned: Planned[], best: number): Planned[] => planned.filter((one) => one.root && one.block > best);
