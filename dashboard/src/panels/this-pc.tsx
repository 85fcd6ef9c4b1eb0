/** This PC: what it does, what is next, what it has done, and which version of the model it has. */
import * as chain from "../chain";
import { useStore } from "../app/store";
import { count, percent, several } from "../format/number";
import { Copy } from "../parts/copy";
import { Figure, Panel } from "../parts/panel";
import { Progress } from "../parts/progress";
import { BlockLink, RoundLink, To } from "../parts/links";
import * as trainer from "../trainer";
import { memoryOf } from "../words/room";
import { PAUSE, PHASE_NAMES, RESUME, doing, isPaused, nextOf, progressOf, sentence, standingOf, taskOf } from "../words/state";
import { shareOf } from "./share";

export function ThisPc() {
  const status = useStore(trainer.status);
  const condition = useStore(trainer.condition);
  const snapshot = useStore(chain.snapshot);
  const rounds = useStore(chain.rounds);
  const work = status?.models.find((one) => one.state !== "idle") ?? status?.models[0];
  const model = snapshot?.models.find((one) => one.model === (work?.model ?? 0));
  const me = snapshot?.me;
  const mine = (rounds.get(work?.model ?? 0) ?? []).flatMap((round) => round.places.filter((place) => place.holder === me?.address));
  const accepted = mine.filter((place) => place.outcome === "Accepted").length;
  const rejected = mine.filter((place) => place.outcome === "Rejected").length;
  const progress = progressOf(work);
  const busy = work !== undefined && work.state !== "idle";
  const toCheck = work?.waiting?.verify;
  const behind = model && work?.version != null && work.version < model.version;

  return (
    <Panel id="this-pc" title="This PC" stale={condition.is === "away"}>
      <p class="headline" data-field="state" aria-live="polite">
        {doing({ status, trainer: condition, snapshot })}
      </p>
      <p class="task" data-field="task">
        {sentence(taskOf(work))}
      </p>
      <Progress share={busy ? progress : undefined} label="Progress of the current task" />
      <dl class="figures">
        <Figure name="Next" hook="next">
          {nextOf(work, model, snapshot?.best.number)}
        </Figure>
        <Figure name="Results to check" hook="pending">
          {toCheck === undefined ? "–" : model ? <To to={{ view: "round", model: model.model, round: model.round }}>{count(toCheck)}</To> : count(toCheck)}
        </Figure>
        <Figure name="Own contribution" hook="contribution" note={mine.length > 0 && `${several(accepted, "result")} accepted${rejected > 0 ? `, ${rejected} rejected` : ""}`}>
          {me ? <To to={{ view: "account", address: me.address }}>{percent(shareOf(me, work?.model ?? 0), 1)}</To> : "–"}
        </Figure>
        <Figure name="Model here" hook="version" note={behind ? `the network has ${count(model.version)}` : undefined}>
          {work?.version == null ? "none yet" : <To to={{ view: "model", model: work.model }}>version {count(work.version)}</To>}
        </Figure>
        <Figure name="Round" hook="round" note={model && <>{model.phase === "Pause" ? "begins in" : "until"} block <BlockLink number={model.phaseEndsAt} /></>}>
          {model ? (
            <>
              <RoundLink model={model.model} round={model.round}>
                {count(model.round)}
              </RoundLink>
              {` · ${PHASE_NAMES[model.phase]}`}
            </>
          ) : (
            "–"
          )}
        </Figure>
        <Figure name="Score" hook="score" note={me?.member && standingOf(me.member)}>
          {me?.member ? <To to={{ view: "account", address: me.address }}>{me.member.score.toFixed(3)}</To> : "–"}
        </Figure>
        <Figure name="Tasks" hook="room" note={me?.member && `of up to ${memoryOf(me.member.sizeClass)} each`}>
          {me?.member ? (
            <To to={{ view: "account", address: me.address }}>
              {count(me.member.busy)} of {count(me.member.room)}
            </To>
          ) : (
            "–"
          )}
        </Figure>
      </dl>
      {me?.member && <Rest paused={isPaused({ snapshot, status })} />}
      {status?.engine.state === "failed" && <p class="problem">{sentence(status.engine.reason ?? "The engine failed")}</p>}
      {status && status.errors.length > 0 && (
        <details>
          <summary>{several(status.errors.length, "problem")} lately</summary>
          <ul class="problems">
            {[...status.errors].reverse().map((error, index) => (
              <li key={`${index}${error}`}>{sentence(error)}</li>
            ))}
          </ul>
        </details>
      )}
    </Panel>
  );
}

/** How to rest and to go on. The page can only say it: it has no key of this PC’s account. */
function Rest({ paused }: { paused: boolean }) {
  const command = paused ? RESUME : PAUSE;
  return (
    <p class="note" data-field="rest">
      {paused ? "To go on, type " : "To rest without losing anything, type "}
      <code>{command}</code> <Copy text={command} />
    </p>
  );
}
