/** One round: who holds its places, what became of each and why, and what became of its version. */
import * as chain from "../chain";
import { useStore } from "../app/store";
import { short } from "../format/amount";
import { count, percent } from "../format/number";
import { BlockLink, Hash, RoundLink, To, Who } from "../parts/links";
import { Sentence } from "../parts/sentence";
import { isOfRound } from "../words/happening";
import { stageOf } from "../words/polls";
import { DRAWS, OUTCOMES, because } from "../words/reasons";
import { underWay } from "../words/state";
import { seatsIn } from "./account";
import { Page, Wait, useFetched } from "./page";

export function RoundPage({ model, round: number }: { model: number; round: number }) {
  const snapshot = useStore(chain.snapshot);
  const all = useStore(chain.rounds).get(model);
  const recent = useStore(chain.recent);
  const round = all?.find((one) => one.round === number);
  const now = snapshot?.models.find((one) => one.model === model);
  const lately = recent.flatMap((block) =>
    block.events
      .filter(({ happening }) => isOfRound(happening, model, number))
      .map((event, index) => ({ block, event, index })),
  );
  return (
    <Page title={`Round ${count(number)}`}>
      <p class="links">
        {number > 0 && (
          <RoundLink model={model} round={number - 1}>
            ← {count(number - 1)}
          </RoundLink>
        )}
        <RoundLink model={model} round={number + 1}>
          {count(number + 1)} →
        </RoundLink>
      </p>
      {!all && <p role="status">Waiting for the node…</p>}
      {all && !round && now && number === now.round && <UnderWay model={now} />}
      {all && !round && now && number > now.round && <p>This round is still to come.</p>}
      {all && !round && now && number < now.round && <p>The chain no longer keeps the record of this round.</p>}
      {round && <Settled model={model} round={round} recent={recent} now={now} />}
      {lately.length > 0 && (
        <>
          <h2>What happened</h2>
          <ol class="happened">
            {lately.map(({ block, event, index }) => (
              <li key={`${block.hash}${index}`}>
                <span class="when">
                  <BlockLink number={block.number} hash={block.hash} />
                </span>
                <span class="what">
                  <Sentence of={event.happening} />
                </span>
              </li>
            ))}
          </ol>
        </>
      )}
    </Page>
  );
}

/** How the round of a model stands that is under way, to go on a sentence with. */
export function Stands({ model }: { model: chain.Model }) {
  const { before, after } = underWay(model);
  return (
    <>
      {before}
      <BlockLink number={model.phaseEndsAt} />
      {after}
    </>
  );
}

function UnderWay({ model }: { model: chain.Model }) {
  const snapshot = useStore(chain.snapshot);
  const fetched = useFetched(`${model.model}/${model.round}`, () => chain.placesOf(model.model), snapshot?.best.hash);
  return (
    <>
      <p>
        This round <Stands model={model} />.
      </p>
      <h2>Places</h2>
      <Wait of={fetched} what="its places">
        {(places) => (places.length === 0 ? <p>They are drawn when it begins.</p> : <Open places={places} />)}
      </Wait>
    </>
  );
}

/** How a place stands, in words. */
function standing(place: chain.OpenPlace): string {
  if (place.outcome !== undefined) return OUTCOMES[place.outcome];
  if (place.asked) return stageOf(place.asked);
  return place.proposed ? "proposed" : "nothing proposed yet";
}

function Open({ places }: { places: chain.OpenPlace[] }) {
  return (
    <div class="scroll">
      <table data-table="open-places">
        <thead>
          <tr>
            <th scope="col" class="right">
              Place
            </th>
            <th scope="col">PC</th>
            <th scope="col">Stands</th>
          </tr>
        </thead>
        <tbody>
          {places.map((place) => (
            <tr key={place.place}>
              <th scope="row" class="right num">
                {count(place.place)}
              </th>
              <td>
                <Who address={place.holder} />
              </td>
              <td>{place.asked ? <To to={{ view: "poll", id: place.asked.poll }}>{standing(place)}</To> : standing(place)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Of the version that a round made. */
function whatOfIt(round: chain.Round): string {
  if (round.givenUp) return "given up";
  return round.weights === undefined ? "not confirmed yet" : "not measured";
}

interface SettledProps {
  model: number;
  round: chain.Round;
  recent: chain.BlockNews[];
  now: chain.Model | undefined;
}

function Settled({ model, round, recent, now }: SettledProps) {
  const poll = now && now.version === round.version && round.weights === undefined && !round.givenUp ? now.versionPoll : undefined;
  return (
    <>
      <dl class="lines">
        <dt>Blocks</dt>
        <dd>
          opened in <BlockLink number={round.openedAt} />, settled in <BlockLink number={round.settledAt} />
        </dd>
        <dt>Version</dt>
        <dd class="num" data-field="version">
          <To to={{ view: "model", model }}>{count(round.version)}</To>
          {round.givenUp && ", given up: no draw found its weights, and nothing was paid for it"}
          {poll !== undefined && (
            <>
              , in question, in a <To to={{ view: "poll", id: poll }}>poll</To>
            </>
          )}
        </dd>
        <dt>Accuracy</dt>
        <dd class="num">
          {round.score ? (
            <>
              <To to={{ view: "model", model }}>{percent(round.score.correct / Math.max(1, round.score.total))}</To>, {round.score.correct} of{" "}
              {round.score.total} held-out samples
            </>
          ) : (
            whatOfIt(round)
          )}
        </dd>
        <dt>Weights</dt>
        <dd>{round.weights ? <Hash hash={round.weights} whole /> : whatOfIt(round)}</dd>
      </dl>
      <h2>Places</h2>
      <div class="scroll">
        <table data-table="places">
          <thead>
            <tr>
              <th scope="col" class="right">
                Place
              </th>
              <th scope="col">PC</th>
              <th scope="col">Outcome</th>
              <th scope="col">Why</th>
              <th scope="col">Decided by</th>
              <th scope="col" class="right">
                Earned (HYDRA)
              </th>
              <th scope="col" class="right">
                Verifiers (HYDRA)
              </th>
            </tr>
          </thead>
          <tbody>
            {round.places.map((place) => (
              <tr key={place.place}>
                <th scope="row" class="right num">
                  {count(place.place)}
                </th>
                <td>
                  <Who address={place.holder} />
                </td>
                <td>{place.outcome ? OUTCOMES[place.outcome] : "nothing"}</td>
                <td>{because(place, seatsIn(recent, model, round.round, place.place))}</td>
                <td>{place.outcome === "Accepted" || place.outcome === "Rejected" ? DRAWS[place.draw] : "–"}</td>
                <td class="right num">
                  <To to={{ view: "account", address: place.holder }} again>
                    {short(place.reward)}
                  </To>
                </td>
                <td class="right num">{short(place.verifiers)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="note">Model {model}. What a round earned is paid when its version is confirmed.</p>
    </>
  );
}
