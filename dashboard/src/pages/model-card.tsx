/** A model's card: what it is, what it learns from, how it is trained, and how good it is. */
import * as chain from "../chain";
import { href } from "../app/router";
import { useStore } from "../app/store";
import { bytes, count, percent, several } from "../format/number";
import { exact, short } from "../format/amount";
import { Chart } from "../parts/chart";
import { Copy } from "../parts/copy";
import { Hash, To, Who } from "../parts/links";
import { originOf, pointsOf } from "../panels/model";
import { Page } from "./page";

/** Profiles in words. */
const PROFILES: Record<string, string> = {
  ArithmeticV1: "version 1: every bit defined, the same on every processor",
};

export function ModelCard({ model: number }: { model: number }) {
  const snapshot = useStore(chain.snapshot);
  const rounds = useStore(chain.rounds).get(number) ?? [];
  const model = snapshot?.models.find((one) => one.model === number);
  if (!model) {
    return (
      <Page title={`Model ${count(number)}`}>
        <p role="status">{snapshot ? "This chain has no such model." : "Waiting for the node…"}</p>
      </Page>
    );
  }
  const origin = originOf(number, model.confirmedVersion, rounds);
  const paid = rounds.flatMap((round) => round.places).reduce((sum, place) => sum + place.reward, 0n);
  return (
    <Page title={`Model: ${model.dataset}`}>
      <Chart points={pointsOf(rounds)} model={number} />
      <dl class="lines">
        <dt>Accuracy</dt>
        <dd class="num">
          {model.score ? (
            <>
              <To to={origin}>{percent(model.score.correct / Math.max(1, model.score.total))}</To>, {model.score.correct} of{" "}
              {model.score.total} held-out samples
            </>
          ) : (
            "not measured yet"
          )}
        </dd>
        <dt>Version</dt>
        <dd class="num">
          <To to={origin}>{count(model.confirmedVersion)}</To>, confirmed
          {model.versionPoll !== undefined && (
            <>
              ; {count(model.version)} is in question, in a <To to={{ view: "poll", id: model.versionPoll }}>poll</To>
            </>
          )}
        </dd>
        <dt>Weights</dt>
        <dd>
          <Hash hash={model.weights} whole /> <Copy text={model.weights} />
        </dd>
        <dt>Architecture</dt>
        <dd>
          {model.architecture} {model.layers.join("–")}, {count(model.parameters)} parameters
        </dd>
        <dt>Data set</dt>
        <dd>
          “{model.dataset}”: images of {model.image.height} × {model.image.width} pixels in {model.image.classes} classes;{" "}
          {count(model.shards)} shards, {bytes(model.dataBytes)} with the held-out part
        </dd>
        <dt>A PC’s task</dt>
        <dd>
          {count(model.steps)} steps of {count(model.batchSize)} samples, learning rate {model.learningRate}, momentum {model.momentum}
        </dd>
        <dt>Results become a version by</dt>
        <dd>{model.aggregator}</dd>
        <dt>Arithmetic</dt>
        <dd>{PROFILES[model.profile] ?? model.profile}</dd>
        <dt>A round</dt>
        <dd class="num">
          {model.phases.train} blocks at most to train in up to {several(model.roster, "place")}; {model.phases.verify} for each draw of seats
          that check, of which the first has {model.firstSeats}
        </dd>
        <dt>Paid from</dt>
        <dd>
          {model.sponsor === undefined ? (
            <>the bucket that new coin flows into{snapshot?.bucket !== undefined && `, with ${short(snapshot.bucket)} HYDRA in it`}</>
          ) : (
            <>
              the deposit of <Who address={model.sponsor.address} />, of which {short(model.sponsor.left)} HYDRA are left
              {model.sponsor.endsAt !== undefined && ", and which gave notice"}
            </>
          )}
        </dd>
        <dt>Paid for work on record</dt>
        <dd class="num">
          <To to={{ view: "rounds", model: number }}>{exact(paid)}</To> HYDRA
        </dd>
      </dl>
      <p class="links">
        <a href={href({ view: "rounds", model: number })}>All rounds on record</a>
      </p>
      <p class="note">
        The weights as a file: <code>hydra model export --out {model.dataset}.safetensors</code>
      </p>
    </Page>
  );
}
