/** The recent blocks, newest first, with what happened in each. */
import * as chain from "../chain";
import { useStore } from "../app/store";
import { count } from "../format/number";
import { Ago } from "../parts/ago";
import { BlockLink, Hash, To } from "../parts/links";
import { Sentence } from "../parts/sentence";
import { useSteady } from "../parts/steady";
import { newsOf } from "../words/happening";
import { Page } from "./page";

export function Blocks() {
  const blocks = useStore(chain.recent);
  const snapshot = useStore(chain.snapshot);
  const lines = useSteady<HTMLTableSectionElement>();
  const final = snapshot?.finalised.number ?? 0;
  return (
    <Page title="Blocks">
      {blocks.length === 0 && <p role="status">Waiting for the first block…</p>}
      <div class="scroll">
        <table data-table="blocks">
          <thead>
            <tr>
              <th scope="col" class="right">
                Block
              </th>
              <th scope="col">Time</th>
              <th scope="col" class="right">
                Transactions
              </th>
              <th scope="col">What happened</th>
              <th scope="col">Hash</th>
            </tr>
          </thead>
          <tbody ref={lines}>
            {blocks.map((block) => (
              <tr key={block.hash}>
                <th scope="row" class="right num">
                  <BlockLink number={block.number} hash={block.hash} />
                </th>
                <td class="when">
                  <Ago time={block.time} />
                  {block.number > final && <span class="note">not final yet</span>}
                </td>
                <td class="right num">
                  <To to={{ view: "block", id: block.hash }} again>
                    {count(block.extrinsics)}
                  </To>
                </td>
                <td>
                  {newsOf(block.events.map((event) => event.happening)).map((happening, index) => (
                    <Sentence key={index} of={happening} />
                  ))}
                </td>
                <td>
                  <Hash hash={block.hash} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="note">Older blocks: type a number or a hash into the search box.</p>
    </Page>
  );
}
