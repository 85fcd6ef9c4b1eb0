/** What referenda ask for and how they stand, in words. */
import type { Asked, Call, Planned, Stage, Verdict } from "../chain/types";
import { shortHash } from "../format/hex";
import { percent } from "../format/number";

/** What a call does; of `what` more is known than its name. */
const DOES: Record<string, (what: string | undefined) => string> = {
  "System.set_code": () => "replaces the runtime, which has the rules",
  "System.set_code_without_checks": () => "replaces the runtime, which has the rules, unchecked",
  "System.authorize_upgrade": (hash) => `lets a runtime${ofHash(hash)} replace this one, once somebody brings it`,
  "System.authorize_upgrade_without_checks": (hash) => `lets a runtime${ofHash(hash)} replace this one, unchecked, once somebody brings it`,
  "System.set_storage": () => "writes into the chain’s state",
  "System.kill_storage": () => "deletes from the chain’s state",
  "System.kill_prefix": () => "deletes from the chain’s state",
  "System.remark": () => "leaves a remark, and changes nothing",
  "System.remark_with_event": () => "leaves a remark, and changes nothing",
  "TrainingProposals.add_model": (name) => `adds a model${name === undefined ? "" : `, which learns “${name}”`}`,
  "Referenda.cancel": (index) => `cancels referendum ${index ?? "–"}`,
  "Referenda.kill": (index) => `kills referendum ${index ?? "–"}, whose deposits are burned`,
  "Scheduler.schedule": () => "has a call made later, which this page does not show",
  "Scheduler.schedule_after": () => "has a call made later, which this page does not show",
  "Scheduler.schedule_named": () => "has a call made later, which this page does not show",
  "Scheduler.schedule_named_after": () => "has a call made later, which this page does not show",
  "Scheduler.cancel": () => "cancels a call that is planned",
  "Scheduler.cancel_named": () => "cancels a call that is planned",
};

const ofHash = (hash: string | undefined): string => (hash === undefined ? "" : ` with the hash ${shortHash(hash)}`);

const does = ({ name, about }: Call): string => DOES[name]?.(about) ?? `calls ${name}`;

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
