/** The rounds of a model that are on record, newest first. */
import * as chain from "../chain";
import { useStore } from "../app/store";
import { short } from "../format/amount";
import { count, percent } from "../format/number";
import { BlockLink, Hash, RoundLink, To, Who } from "../parts/links";
import { useSteady } from "../parts/steady";
import { Page } from "./page";
import { Stands } from "./round";

const tally = (round: chain.Round, outcome: chain.Outcome): number =>
  round.places.filter((place) => place.outcome === outcome).length;

/** What those who held places earned by them, by account. */
function earnedIn(round: chain.Round): Map<string, bigint> {
  const all = new Map<string, bigint>();
  for (const { holder, reward } of round.places) {
    if (reward > 0n) all.set(holder, (all.get(holder) ?? 0n) + reward);
  }
  return all;
}

/** What there is to say of a round in figures, in the order of the table's columns. */
const figures = (round: chain.Round): string[] => [
  count(round.version),
  percent(round.score && round.score.correct / Math.max(1, round.score.total)),
  count(round.places.length),
  count(tally(round, "Accepted")),
  count(tally(round, "Rejected")),
  count(tally(round, "Undecided")),
];

export function Rounds({ model }: { model: number }) {
  const snapshot = useStore(chain.snapshot);
  const all = useStore(chain.rounds).get(model) ?? [];
  const now = snapshot?.models.find((one) => one.model === model);
  const lines = useSteady<HTMLTableSectionElement>();
  const [first] = all;
  return (
    <Page title={`Rounds of ${now?.dataset ?? `model ${model}`}`}>
      {now && (
        <p>
          <RoundLink model={model} round={now.round}>
            Round {count(now.round)}
          </RoundLink>{" "}
          <Stands model={now} />.
        </p>
      )}
      {all.length === 0 && <p>No round is settled yet.</p>}
      {first && first.round > 0 && (
        <p class="note">
          Rounds 0 to {count(first.round - 1)} are no longer on record: the chain keeps the last {count(all.length)}.
        </p>
      )}
      <div class="scroll">
        <table data-table="rounds">
          <thead>
            <tr>
              <th scope="col" class="right">
                Round
              </th>
              <th scope="col" class="right">
                Version
              </th>
              <th scope="col" class="right">
                Accuracy
              </th>
              <th scope="col" class="right">
                Places
              </th>
              <th scope="col" class="right">
                Accepted
              </th>
              <th scope="col" class="right">
                Rejected
              </th>
              <th scope="col" class="right">
                Undecided
              </th>
              <th scope="col">Weights</th>
              <th scope="col">Earned (HYDRA)</th>
              <th scope="col" class="right">
                Settled in block
              </th>
            </tr>
          </thead>
          <tbody ref={lines}>
            {[...all].reverse().map((round) => (
              <tr key={round.round}>
                <th scope="row" class="right num">
                  <RoundLink model={model} round={round.round}>
                    {count(round.round)}
                  </RoundLink>
                </th>
                {figures(round).map((figure, index) => (
                  <td key={index} class="right num">
                    <To to={{ view: "round", model, round: round.round }} again>
                      {figure}
                    </To>
                  </td>
                ))}
                <td>{round.weights ? <Hash hash={round.weights} /> : <span class="muted">{round.givenUp ? "given up" : "not confirmed yet"}</span>}</td>
                <td>
                  {[...earnedIn(round)].map(([holder, amount], index) => (
                    <span key={holder}>
                      {index > 0 && ", "}
                      <Who address={holder} /> <span class="num">{short(amount)}</span>
                    </span>
                  ))}
                </td>
                <td class="right num">
                  <BlockLink number={round.settledAt} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Page>
  );
}
