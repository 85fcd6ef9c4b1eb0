/** Why this PC's trainer can't answer a question now, in words: said before anything is paid. */
import type { Model } from "../chain/types";
import type { Condition, TrainerStatus } from "../trainer";

/** Versions that the trainer may be behind: it folds the newest one while this is asked. */
const LAG = 1;

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
