/** One block: where it stands, its extrinsics, and everything that happened in it. */
import * as chain from "../chain";
import { href } from "../app/router";
import { useStore } from "../app/store";
import { bytes, count } from "../format/number";
import { exactTime } from "../format/time";
import { Ago } from "../parts/ago";
import { Copy } from "../parts/copy";
import { BlockLink, Hash, To, Who } from "../parts/links";
import { Sentence } from "../parts/sentence";
import { Page, Wait, useFetched } from "./page";

export function BlockPage({ id }: { id: string }) {
  const condition = useStore(chain.condition);
  const snapshot = useStore(chain.snapshot);
  const fetched = useFetched(condition.is === "up" ? id : undefined, () => chain.block(id));
  const title = id.startsWith("0x") ? "Block" : `Block ${count(Number(id))}`;
  return (
    <Page title={title}>
      <Wait of={fetched} what="this block">
        {(block) => (block ? <Shown block={block} final={snapshot?.finalised.number} /> : <p>The node knows no such block.</p>)}
      </Wait>
    </Page>
  );
}

function Shown({ block, final }: { block: chain.Block; final: number | undefined }) {
  return (
    <>
      <dl class="lines">
        <dt>Number</dt>
        <dd class="num">
          {count(block.number)}
          {final !== undefined && (block.number <= final ? ", final" : ", not final yet")}
        </dd>
        <dt>Hash</dt>
        <dd>
          <Hash hash={block.hash} whole /> <Copy text={block.hash} />
        </dd>
        <dt>Time</dt>
        <dd>
          {block.time === undefined ? (
            "the first block has none"
          ) : (
            <>
              <span class="num">{exactTime(block.time)}</span>, <Ago time={block.time} />
            </>
          )}
        </dd>
        <dt>Neighbours</dt>
        <dd class="links">
          {block.number > 0 && (
            <BlockLink number={block.number - 1} hash={block.parent}>
              ← {count(block.number - 1)}
            </BlockLink>
          )}
          <BlockLink number={block.number + 1}>{count(block.number + 1)} →</BlockLink>
        </dd>
      </dl>
      <h2>Extrinsics</h2>
      <div class="scroll">
        <table data-table="extrinsics">
          <thead>
            <tr>
              <th scope="col" class="right">
                No.
              </th>
              <th scope="col">Call</th>
              <th scope="col">Signer</th>
              <th scope="col" class="right">
                Size
              </th>
            </tr>
          </thead>
          <tbody>
            {block.extrinsics.map((one) => (
              <tr key={one.index}>
                <th scope="row" class="right num">
                  <a href={href({ view: "extrinsic", block: block.hash, index: one.index })}>
                    {block.number}-{one.index}
                  </a>
                </th>
                <td>
                  <code>{one.call}</code>
                  {one.inner.length > 0 && <span class="note"> {one.inner.join(", ")}</span>}
                </td>
                <td>{one.signer ? <Who address={one.signer} /> : <span class="muted">the block’s author</span>}</td>
                <td class="right num">{bytes(one.bytes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <h2>What happened</h2>
      <Events events={block.events} block={block.hash} />
    </>
  );
}

export function Events({ events, block }: { events: chain.Event[] | undefined; block: string }) {
  if (!events) {
    return <p>This node no longer keeps the state of this block, so what happened in it can’t be told here. Its extrinsics are above.</p>;
  }
  if (events.length === 0) return <p>Nothing.</p>;
  return (
    <div class="scroll">
      <table data-table="events">
        <thead>
          <tr>
            <th scope="col">Event</th>
            <th scope="col">In words</th>
            <th scope="col" class="right">
              Extrinsic
            </th>
          </tr>
        </thead>
        <tbody>
          {events.map((event, index) => (
            <tr key={index}>
              <th scope="row">
                <code>{event.name}</code>
              </th>
              <td>
                {event.happening.kind === "other" ? <code class="fields">{event.fields}</code> : <Sentence of={event.happening} />}
              </td>
              <td class="right num">
                {event.extrinsic === undefined ? "–" : <To to={{ view: "extrinsic", block, index: event.extrinsic }}>{event.extrinsic}</To>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
