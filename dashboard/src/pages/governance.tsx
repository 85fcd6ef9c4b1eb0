/** How the rules change: what is planned, what is being voted on, and what was decided last; or one referendum by itself. */
import type { ComponentChildren } from "preact";
import * as chain from "../chain";
import { useStore } from "../app/store";
import { exactHydra, hydra } from "../format/amount";
import { count, percent } from "../format/number";
import { Ago } from "../parts/ago";
import { Copy } from "../parts/copy";
import { BlockLink, To, Who } from "../parts/links";
import * as trainer from "../trainer";
import { VERDICTS, deedOf, needed, standing } from "../words/governance";
import { sentence } from "../words/state";
import { Page } from "./page";

/** A block that is to come, and when, as far as anybody can say. */
function When({ block }: { block: number }) {
  const snapshot = useStore(chain.snapshot);
  const time = snapshot && chain.timeOf(snapshot, block);
  return (
    <>
      <BlockLink number={block} />
      {time !== undefined && (
        <>
          {" "}
          (expected <Ago time={time} />)
        </>
      )}
    </>
  );
}

/** Where people vote: this page can't, since it has no key that may stay unlocked for it. */
function Vote() {
  const port = useStore(trainer.status)?.node_rpc_port ?? 9944;
  const place = `https://polkadot.js.org/apps/?rpc=${encodeURIComponent(`ws://127.0.0.1:${port}`)}#/referenda`;
  return (
    <>
      <h2>To vote</h2>
      <p>
        Open this address in a browser on this PC, with the polkadot-js extension that has your key: it shows the same referenda, through
        this PC’s node. HYDRA that is bonded as stake votes, too. Leave some out for fees: what votes is locked until the decision, and longer
        with conviction.
      </p>
      <p>
        <code class="hash whole" data-field="vote">
          {place}
        </code>{" "}
        <Copy text={place} />
      </p>
    </>
  );
}

const Line = ({ name, hook, children }: { name: string; hook: string; children: ComponentChildren }) => (
  <>
    <dt>{name}</dt>
    <dd data-field={hook}>{children}</dd>
  </>
);

/** `alone`: on its own page, whose heading has its number. */
function UnderWay({ one, alone = false }: { one: chain.Ongoing; alone?: boolean }) {
  const { before, after } = standing(one.stage, one.deposit === undefined ? undefined : hydra(one.deposit));
  const { needs } = one;
  return (
    <section class="referendum" data-referendum={one.index} aria-labelledby={`referendum-${one.index}`}>
      {alone ? (
        <h2 id={`referendum-${one.index}`}>Under way</h2>
      ) : (
        <h3 id={`referendum-${one.index}`}>
          <To to={{ view: "referendum", index: one.index }}>Referendum {count(one.index)}</To>
        </h3>
      )}
      <dl class="lines">
        <Line name="If approved, it" hook="asked">
          {deedOf(one.asked)}
        </Line>
        <Line name="How it stands" hook="stage">
          {before}
          {one.stage.is !== "queued" && <When block={one.stage.until} />}
          {after}
        </Line>
        <Line name="Ayes" hook="ayes">
          <span class="num">{exactHydra(one.ayes)}</span>, times conviction
        </Line>
        <Line name="Nays" hook="nays">
          <span class="num">{exactHydra(one.nays)}</span>, times conviction
        </Line>
        <Line name="Approval" hook="approval">
          <span class="num">{percent(one.approval)}</span> of votes are aye; {needed(needs?.now.approval, needs?.last.approval)}
        </Line>
        <Line name="Support" hook="support">
          <span class="num">{exactHydra(one.support)}</span>, <span class="num">{percent(one.supportShare)}</span> of all HYDRA;{" "}
          {needed(needs?.now.support, needs?.last.support)}
        </Line>
        <Line name="Track" hook="track">
          {one.track}
        </Line>
        <Line name="Submitted" hook="submitted">
          in block <BlockLink number={one.submitted} /> by <Who address={one.by} />
        </Line>
      </dl>
    </section>
  );
}

function Decided({ all }: { all: chain.Decided[] }) {
  return (
    <div class="scroll">
      <table data-table="decided">
        <thead>
          <tr>
            <th scope="col" class="right">
              Referendum
            </th>
            <th scope="col">Verdict</th>
            <th scope="col">What it asks for</th>
            <th scope="col">Track</th>
            <th scope="col" class="right">
              Block
            </th>
          </tr>
        </thead>
        <tbody>
          {all.map((one) => (
            <tr key={one.index}>
              <th scope="row" class="right num">
                <To to={{ view: "referendum", index: one.index }}>{count(one.index)}</To>
              </th>
              <td>{VERDICTS[one.verdict]}</td>
              <td>{one.asked ? deedOf(one.asked) : <span class="muted">no longer kept by this node</span>}</td>
              <td>{one.track ?? "–"}</td>
              <td class="right num">
                <BlockLink number={one.block} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Planned({ all }: { all: chain.Planned[] }) {
  return (
    <ul class="problems" data-list="planned">
      {all.map((one, index) => (
        <li key={index}>
          Block <When block={one.block} />: {sentence(deedOf(one.asked))}{" "}
          {one.referendum === undefined ? (
            "Planned by a referendum before, or by the chain itself."
          ) : (
            <>
              By <To to={{ view: "referendum", index: one.referendum }}>referendum {count(one.referendum)}</To>.
            </>
          )}
        </li>
      ))}
    </ul>
  );
}

/** The rules; `undefined` while there is nothing to show, and why stands there. */
function Read({ children }: { children: (rules: chain.Governance) => ComponentChildren }) {
  const rules = useStore(chain.governance);
  if (rules === undefined) return <p role="status">Waiting for the node…</p>;
  if (rules === "strange") {
    return <p>This page can’t read how the rules of this chain change: one of the two is newer. See polkadot-js Apps.</p>;
  }
  return <>{children(rules)}</>;
}

export function GovernancePage() {
  return (
    <Page title="Governance">
      <p>
        The rules of this network change by referenda, and in no other way: whoever has HYDRA may propose one, and vote. The track{" "}
        <em>root</em> may change everything, <em>models</em> may add a model.
      </p>
      <Read>
        {({ planned, ongoing, strange, decided }) => (
          <>
            {planned.length > 0 && (
              <>
                <h2>Approved, and to be done</h2>
                <Planned all={planned} />
              </>
            )}
            <h2>Under way</h2>
            {ongoing.length === 0 && strange.length === 0 && <p>No referendum is under way.</p>}
            {ongoing.map((one) => (
              <UnderWay key={one.index} one={one} />
            ))}
            {strange.length > 0 && (
              <p class="problem">
                This page can’t read {strange.length === 1 ? "referendum" : "the referenda"} {strange.map(count).join(", ")}: one of the two is
                newer. See polkadot-js Apps.
              </p>
            )}
            <Vote />
            <h2>Decided last</h2>
            {decided.length === 0 ? <p>None yet.</p> : <Decided all={decided} />}
          </>
        )}
      </Read>
    </Page>
  );
}

export function ReferendumPage({ index }: { index: number }) {
  return (
    <Page title={`Referendum ${count(index)}`}>
      <Read>
        {({ planned, ongoing, strange, decided }) => {
          const now = ongoing.find((one) => one.index === index);
          const over = decided.filter((one) => one.index === index);
          const mine = planned.filter((one) => one.referendum === index);
          return (
            <>
              {mine.length > 0 && <Planned all={mine} />}
              {now && <UnderWay one={now} alone />}
              {now && <Vote />}
              {over.length > 0 && <Decided all={over} />}
              {strange.includes(index) && <p>This page can’t read this referendum: one of the two is newer. See polkadot-js Apps.</p>}
              {!now && over.length === 0 && !strange.includes(index) && <p>It is not under way, nor among those that were decided last.</p>}
            </>
          );
        }}
      </Read>
      <p class="links">
        <To to={{ view: "governance" }}>All referenda</To>
      </p>
    </Page>
  );
}
