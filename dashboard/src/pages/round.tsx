/** One round: what became of each result and why, and who attested what. */
import * as chain from "../chain";
import { useStore } from "../app/store";
import { short } from "../format/amount";
import { count, percent } from "../format/number";
import { BlockLink, Hash, RoundLink, To, Who } from "../parts/links";
import { Sentence } from "../parts/sentence";
import { PHASE_NAMES } from "../words/state";
import { WORDS, votesIn } from "./account";
import { Page } from "./page";

export function RoundPage({ model, round: number }: { model: number; round: number }) {
  const snapshot = useStore(chain.snapshot);
  const all = useStore(chain.rounds).get(model);
  const recent = useStore(chain.recent);
  const round = all?.find((one) => one.round === number);
  const now = snapshot?.models.find((one) => one.model === model);
  const lately = recent.flatMap((block) =>
    block.events
      .filter(({ happening }) => "round" in happening && happening.round === number && happening.model === model)
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
      {all && !round && now && number === now.round && (
        <p>
          Under way: {PHASE_NAMES[now.phase].toLowerCase()}, {count(now.proposals)} of {count(now.participants)} PCs proposed, until block{" "}
          <BlockLink number={now.phaseEndsAt} /> at the latest.
        </p>
      )}
      {all && !round && now && number > now.round && <p>This round is still to come.</p>}
      {all && !round && now && number < now.round && <p>The chain no longer keeps the record of this round.</p>}
      {round && <Settled model={model} round={round} recent={recent} />}
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

function Settled({ model, round, recent }: { model: number; round: chain.Round; recent: chain.BlockNews[] }) {
  const differ = round.attestations.filter((one) => round.weights !== undefined && one.weights !== round.weights);
  return (
    <>
      <dl class="lines">
        <dt>Blocks</dt>
        <dd>
          opened in <BlockLink number={round.openedAt} />, settled in <BlockLink number={round.settledAt} />
        </dd>
        <dt>Version</dt>
        <dd class="num">
          <To to={{ view: "model", model }}>{count(round.version)}</To>
        </dd>
        <dt>Accuracy</dt>
        <dd class="num">
          {round.score ? (
            <>
              <To to={{ view: "model", model }}>{percent(round.score.correct / Math.max(1, round.score.total))}</To>, {round.score.correct} of{" "}
              {round.score.total} held-out samples
            </>
          ) : (
            "not confirmed"
          )}
        </dd>
        <dt>Weights</dt>
        <dd>{round.weights ? <Hash hash={round.weights} whole /> : "not confirmed"}</dd>
      </dl>
      <h2>Results</h2>
      {round.proposals.length === 0 && <p>Nobody proposed one.</p>}
      <div class="scroll">
        <table data-table="proposals">
          <thead>
            <tr>
              <th scope="col">PC</th>
              <th scope="col">Outcome</th>
              <th scope="col">Why</th>
              <th scope="col" class="right">
                Agreed
              </th>
              <th scope="col" class="right">
                Disagreed
              </th>
              <th scope="col" class="right">
                Earned (HYDRA)
              </th>
            </tr>
          </thead>
          <tbody>
            {round.proposals.map((proposal) => (
              <tr key={proposal.proposer}>
                <th scope="row">
                  <Who address={proposal.proposer} />
                </th>
                <td>{proposal.outcome.toLowerCase()}</td>
                <td>{WORDS[proposal.outcome](proposal, votesIn(recent, model, round.round, proposal.proposer))}</td>
                <td class="right num">{percent(proposal.tally.accept, 0)}</td>
                <td class="right num">{percent(proposal.tally.reject, 0)}</td>
                <td class="right num">
                  <To to={{ view: "account", address: proposal.proposer }} again>
                    {short(proposal.reward)}
                  </To>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <h2>Attestations</h2>
      <p>
        {round.attestations.length === 0 && "Nobody attested the version of this round."}
        {round.attestations.length > 0 &&
          (differ.length === 0
            ? `All ${count(round.attestations.length)} computed the same weights: `
            : `${count(differ.length)} of ${count(round.attestations.length)} computed other weights. Attested by `)}
        {round.attestations.map((one, index) => (
          <span key={one.who}>
            {index > 0 && ", "}
            <Who address={one.who} />
            {differ.includes(one) && " (other weights)"}
          </span>
        ))}
      </p>
      <p class="note">Model {model}. Shares are of the whole voting weight of those who could vote on the result.</p>
    </>
  );
}
