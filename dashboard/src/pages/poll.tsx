/** A poll: what it asks, how it stands, who has seats in it, and what happened in it lately. */
import * as chain from "../chain";
import { useStore } from "../app/store";
import { hydra } from "../format/amount";
import { count } from "../format/number";
import { BlockLink, Hash, Who } from "../parts/links";
import { Sentence, piece } from "../parts/sentence";
import { asksFor, stageOf } from "../words/polls";
import { DRAWS } from "../words/reasons";
import { Page, Wait, useFetched } from "./page";

export function PollPage({ id }: { id: string }) {
  const snapshot = useStore(chain.snapshot);
  const recent = useStore(chain.recent);
  const fetched = useFetched(snapshot ? id : undefined, () => chain.pollOf(id), snapshot?.best.hash);
  const lately = recent.flatMap((block) =>
    block.events
      .filter(({ happening }) => "poll" in happening && happening.poll === id)
      .map((event, index) => ({ block, event, index })),
  );
  return (
    <Page title="Poll">
      <p>
        <Hash hash={id} whole />
      </p>
      <Wait of={fetched} what="this poll">
        {(poll) => (poll ? <Asked poll={poll} /> : <p>This poll is over, or was never asked on this chain.</p>)}
      </Wait>
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
      <p class="note">
        Drawn seats compute the result by themselves and give a digest of it, which says nothing by itself. When the digests are closed, one plain
        copy shows whose match. What no draw decides stays undecided, and then nobody is judged.
      </p>
    </Page>
  );
}

function Asked({ poll }: { poll: chain.AskedPoll }) {
  return (
    <>
      <dl class="lines">
        <dt>Asked</dt>
        <dd>{asksFor(poll.subject).map(piece)}</dd>
        <dt>Now</dt>
        <dd data-field="stage">
          {stageOf(poll)}, until block <BlockLink number={poll.endsAt} /> at the latest
        </dd>
        <dt>A wrong digest forfeits</dt>
        <dd class="num">{hydra(poll.forfeit)} for each seat</dd>
      </dl>
      <h2>Seats</h2>
      <div class="scroll">
        <table data-table="seats">
          <thead>
            <tr>
              <th scope="col">PC</th>
              <th scope="col" class="right">
                Seats
              </th>
              <th scope="col">Digest</th>
            </tr>
          </thead>
          <tbody>
            {poll.accounts.map(({ address, seats, given }) => (
              <tr key={address}>
                <th scope="row">
                  <Who address={address} />
                </th>
                <td class="right num">{count(seats)}</td>
                <td>{given ? "given" : "not given yet"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="note">
        Seats of all draws so far; {DRAWS[poll.draw]} has {count(poll.seats)}, empty ones included. The first 64 PCs are listed. The digest of whose
        result is asked about is its claim.
      </p>
    </>
  );
}
