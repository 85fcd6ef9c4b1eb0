/** What happened: the last blocks, each with what is news in it, newest first. */
import * as chain from "../chain";
import { href } from "../app/router";
import { useStore } from "../app/store";
import { several } from "../format/number";
import { Ago } from "../parts/ago";
import { BlockLink, To } from "../parts/links";
import { Panel } from "../parts/panel";
import { Sentence } from "../parts/sentence";
import { useSteady } from "../parts/steady";
import { newsOf } from "../words/happening";

/** As many blocks with news as fit without scrolling far. */
const SHOWN = 10;

export function Happened() {
  const blocks = useStore(chain.recent);
  const condition = useStore(chain.condition);
  const list = useSteady<HTMLOListElement>();
  const withNews = blocks
    .map((block) => ({ block, news: newsOf(block.events.map((event) => event.happening)) }))
    .filter(({ news }, index) => news.length > 0 || index === 0)
    .slice(0, SHOWN);

  return (
    <Panel id="happened" title="What happened" stale={condition.is === "away"} aside={<a href={href({ view: "blocks" })}>All blocks</a>}>
      {withNews.length === 0 && <p class="note">Nothing yet. News comes with the next block.</p>}
      <ol class="happened" ref={list}>
        {withNews.map(({ block, news }) => (
          <li key={block.hash} data-block={block.number}>
            <span class="when">
              <BlockLink number={block.number} hash={block.hash} />
              <Ago time={block.time} />
            </span>
            <span class="what">
              {news.length === 0 ? (
                <span class="muted">
                  <To to={{ view: "block", id: block.hash }} again>
                    {several(block.extrinsics, "transaction")}
                  </To>
                  , no news
                </span>
              ) : (
                news.map((happening, index) => <Sentence key={index} of={happening} />)
              )}
            </span>
          </li>
        ))}
      </ol>
    </Panel>
  );
}
