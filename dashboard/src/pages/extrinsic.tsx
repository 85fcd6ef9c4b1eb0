/** One extrinsic: who signed it, what it asked for, and what came of it. */
import * as chain from "../chain";
import { useStore } from "../app/store";
import { exact } from "../format/amount";
import { bytes, count } from "../format/number";
import { Ago } from "../parts/ago";
import { BlockLink, Hash, Who } from "../parts/links";
import { DOES, does } from "../words/calls";
import { Events } from "./block";
import { Page, Wait, useFetched } from "./page";

export function ExtrinsicPage({ block, index }: { block: string; index: number }) {
  const condition = useStore(chain.condition);
  const fetched = useFetched(condition.is === "up" ? `${block}-${index}` : undefined, () => chain.block(block));
  return (
    <Page title="Extrinsic">
      <Wait of={fetched} what="this extrinsic">
        {(found) => {
          const one = found?.extrinsics[index];
          if (!found || !one) return <p>The node knows no such extrinsic.</p>;
          const events = found.events?.filter((event) => event.extrinsic === index);
          const failed = events?.some((event) => event.happening.kind === "failed");
          return (
            <>
              <dl class="lines">
                <dt>Extrinsic</dt>
                <dd class="num">
                  {found.number}-{index}, in block <BlockLink number={found.number} hash={found.hash} />, <Ago time={found.time} />
                </dd>
                <dt>Hash</dt>
                <dd>
                  <Hash hash={one.hash} whole />
                </dd>
                <dt>Signer</dt>
                <dd>{one.signer ? <Who address={one.signer} /> : "nobody: the block’s author put it there"}</dd>
                <dt>Call</dt>
                <dd>
                  <code>{one.call}</code>
                  {DOES[one.call] && `: ${does({ name: one.call, about: undefined })}`}
                  {one.inner.length > 0 && <span class="note"> {one.inner.join(", ")}</span>}
                </dd>
                <dt>Outcome</dt>
                <dd>{events ? (failed ? "failed; what it cost was paid all the same" : "done") : "no longer kept by this node"}</dd>
                {one.nonce !== undefined && (
                  <>
                    <dt>Nonce, tip, size</dt>
                    <dd class="num">
                      {count(one.nonce)}, {exact(one.tip)} HYDRA, {bytes(one.bytes)}
                    </dd>
                  </>
                )}
                <dt>Input</dt>
                <dd>
                  <code class="fields">{one.input || "none"}</code>
                </dd>
              </dl>
              <h2>What happened</h2>
              <Events events={events} block={found.hash} />
            </>
          );
        }}
      </Wait>
    </Page>
  );
}
