/** Why nothing can be paid or asked now, in words: said before anything is. */
import type { Model, Snapshot } from "../chain/types";
import { exactHydra } from "../format/amount";
import type { Condition, TrainerStatus } from "../trainer";

/** Versions that the trainer may be behind: it folds the newest one while this is asked. */
const LAG = 1;

/**
 * What a question costs: `primitives/src/rewards.rs`. Trainers look for exactly this, and the node, which may be anybody,
 * could name any price.
 */
export const PRICE = 500_000_000_000n;

/** Why nothing should be paid with what is known of the chain. */
export function cantPay(snapshot: Snapshot | undefined): string | undefined {
  if (!snapshot) return "The node hasn’t told how things are yet.";
  if (snapshot.syncing) return "The node is catching up with the network: balances here are old. Pay when it is done.";
  return undefined;
}

/** Why a question for this price should not be paid. */
export function cantCost(price: bigint | undefined): string | undefined {
  if (price === undefined) return "This network does not say what a question costs, so it can’t be paid here. Use `hydra ask`.";
  if (price === PRICE) return undefined;
  return `The node says that a question costs ${exactHydra(price)}, and this page knows ${exactHydra(PRICE)}: update HydraAI on this PC, or use \`hydra ask\`.`;
}

export function cantAnswer(model: Model, status: TrainerStatus | undefined, condition: Condition): string | undefined {
  if (!status || condition.is !== "up") return "The trainer is away, so nobody here can answer. Nothing was paid.";
  if (status.engine.state === "starting") return "The trainer is still testing its engine. Try again in a minute.";
  if (status.engine.state === "failed") return `This PC’s trainer can’t answer: ${status.engine.reason ?? "its engine failed"}`;
  if (model.confirmedVersion === 0) return "Nobody has trained this model yet. It can be asked from its first confirmed version on.";
  const held = status.models.find((work) => work.model === model.model)?.version;
  if (held == null || held + LAG < model.confirmedVersion) {
    return "This PC doesn’t have the newest weights yet. Try again in a minute.";
  }
  return undefined;
}
