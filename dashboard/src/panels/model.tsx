/** The model: how good it is and was, and a question to it. */
import { useState } from "preact/hooks";
import * as chain from "../chain";
import { type Route, href } from "../app/router";
import { useStore } from "../app/store";
import { Ask } from "../dialogs/ask";
import { exact } from "../format/amount";
import { count, percent } from "../format/number";
import { payments } from "../money";
import { isOnItsWay } from "../money/payments";
import { Chart, type Point } from "../parts/chart";
import { To } from "../parts/links";
import { Figure, Panel } from "../parts/panel";
import { shareOf } from "./share";

/** One point for each confirmed version. */
export function pointsOf(rounds: chain.Round[]): Point[] {
  const points = new Map<number, Point>();
  for (const { version, score, round } of rounds) {
    if (!score || score.total === 0 || points.has(version)) continue;
    points.set(version, { x: version, y: score.correct / score.total, round, ...score });
  }
  return [...points.values()].sort((a, b) => a.x - b.x);
}

/** Where a version comes from: the round that made it, if it is on record. */
export function originOf(model: number, version: number, rounds: chain.Round[]): Route {
  const made = rounds.find((round) => round.version === version && round.score !== undefined);
  return made ? { view: "round", model, round: made.round } : { view: "model", model };
}

export function ModelPanel() {
  const snapshot = useStore(chain.snapshot);
  const condition = useStore(chain.condition);
  const rounds = useStore(chain.rounds);
  const asked = useStore(payments.of.ask);
  const [asking, ask] = useState(false);
  const [chosen, choose] = useState(0);
  const models = snapshot?.models ?? [];
  const model = models.find((one) => one.model === chosen) ?? models[0];
  const records = rounds.get(model?.model ?? 0) ?? [];
  const points = pointsOf(records);
  const origin = model && originOf(model.model, model.confirmedVersion, records);
  const share = model && snapshot?.me && shareOf(snapshot.me, model.model);
  const ready = model !== undefined && model.confirmedVersion > 0;

  return (
    <Panel
      id="model"
      title={model ? `Model: ${model.dataset}` : "Model"}
      wide
      stale={condition.is === "away"}
      aside={
        models.length > 1 && (
          <label>
            Model{" "}
            <select value={model?.model} onChange={(event) => choose(Number(event.currentTarget.value))}>
              {models.map((one) => (
                <option key={one.model} value={one.model}>
                  {one.dataset}
                </option>
              ))}
            </select>
          </label>
        )
      }
    >
      <div class="model-body">
        <Chart points={points} model={model?.model ?? 0} />
        <div>
          <dl class="figures">
            <Figure name="Accuracy" hook="accuracy" big note={model?.score && `${model.score.correct} of ${model.score.total}`}>
              {origin && model.score ? <To to={origin}>{percent(model.score.correct / Math.max(1, model.score.total))}</To> : "–"}
            </Figure>
            <Figure name="Version" hook="version" note={
                model?.versionPoll !== undefined && (
                  <>
                    {count(model.version)} is in question, in a <To to={{ view: "poll", id: model.versionPoll }}>poll</To>
                  </>
                )
              }>
              {origin ? <To to={origin}>{count(model.confirmedVersion)}</To> : "–"}
            </Figure>
            <Figure name="My share" hook="share">
              {model && share !== undefined ? <To to={{ view: "model", model: model.model }}>{percent(share, 1)}</To> : "–"}
            </Figure>
          </dl>
          <p class="actions">
            <button
              type="button"
              class="primary"
              onClick={() => ask(true)}
              disabled={asked === undefined && (!ready || condition.is !== "up" || snapshot?.price === undefined || snapshot.syncing)}
            >
              {asked ? "See your question" : `Draw a digit and ask · ${snapshot?.price === undefined ? "–" : exact(snapshot.price)} HYDRA`}
            </button>
          </p>
          {asked && isOnItsWay(asked) && <p class="note">Your question is on its way: the answer comes here.</p>}
          {model && !ready && <p class="note">Nobody has trained this model yet. It can be asked from its first confirmed version on.</p>}
          <p class="links">
            <a href={href({ view: "model", model: model?.model ?? 0 })}>Model card</a>
            <a href={href({ view: "rounds", model: model?.model ?? 0 })}>Rounds</a>
          </p>
        </div>
      </div>
      {asking && (asked || model) && <Ask model={model} onClose={() => ask(false)} />}
    </Panel>
  );
}
