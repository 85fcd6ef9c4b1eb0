/** This PC: what it does, what is next, what it has done, and which version of the model it has. */
import * as chain from "../chain";
import { useStore } from "../app/store";
import { count, percent, several } from "../format/number";
import { Figure, Panel } from "../parts/panel";
import { Progress } from "../parts/progress";
import { BlockLink, RoundLink, To } from "../parts/links";
import * as trainer from "../trainer";
import { PHASE_NAMES, doing, nextOf, progressOf, sentence, taskOf } from "../words/state";
import { shareOf } from "./share";

export function ThisPc() {
  const status = useStore(trainer.status);
  const condition = useStore(trainer.condition);
  const snapshot = useStore(chain.snapshot);
  const rounds = useStore(chain.rounds);
  const work = status?.models.find((one) => one.state !== "idle") ?? status?.models[0];
  const model = snapshot?.models.find((one) => one.model === (work?.model ?? 0));
  const me = snapshot?.me;
  const mine = (rounds.get(work?.model ?? 0) ?? []).flatMap((round) =>
    round.proposals.filter((proposal) => proposal.proposer === me?.address),
  );
  const accepted = mine.filter((proposal) => proposal.outcome === "Accepted").length;
  const rejected = mine.filter((proposal) => proposal.outcome === "Rejected").length;
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
        <Figure name="Round" hook="round" note={model && <>until block <BlockLink number={model.phaseEndsAt} /> at the latest</>}>
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
        <Figure name="Reputation" hook="reputation">
          {me?.member ? <To to={{ view: "account", address: me.address }}>{me.member.reputation.toFixed(3)}</To> : "–"}
        </Figure>
      </dl>
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
