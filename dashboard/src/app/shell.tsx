/** What stands around every view: name, navigation, search, what needs attention, and how the chain is. */
import { useState } from "preact/hooks";
import * as chain from "../chain";
import { AccountPage } from "../pages/account";
import { Accounts } from "../pages/accounts";
import { BlockPage } from "../pages/block";
import { Blocks } from "../pages/blocks";
import { ExtrinsicPage } from "../pages/extrinsic";
import { GovernancePage, ReferendumPage } from "../pages/governance";
import { Home } from "../pages/home";
import { ModelCard } from "../pages/model-card";
import { PollPage } from "../pages/poll";
import { RoundPage } from "../pages/round";
import { Rounds } from "../pages/rounds";
import { Page } from "../pages/page";
import { BlockLink, To } from "../parts/links";
import * as trainer from "../trainer";
import { notices } from "../words/state";
import { now } from "./clock";
import { type Route, go, href, route } from "./router";
import { meant } from "./search";
import { useStore } from "./store";
import { toggleTheme } from "./theme";

const PLACES: { name: string; to: Route }[] = [
  { name: "Dashboard", to: { view: "home" } },
  { name: "Blocks", to: { view: "blocks" } },
  { name: "Accounts", to: { view: "accounts" } },
  { name: "Rounds", to: { view: "rounds", model: 0 } },
  { name: "Model", to: { view: "model", model: 0 } },
  { name: "Governance", to: { view: "governance" } },
];

/** Which place of the navigation a view belongs to. */
const BELONGS: Record<Route["view"], string> = {
  home: "Dashboard",
  blocks: "Blocks",
  block: "Blocks",
  extrinsic: "Blocks",
  accounts: "Accounts",
  account: "Accounts",
  rounds: "Rounds",
  round: "Rounds",
  model: "Model",
  poll: "Rounds",
  governance: "Governance",
  referendum: "Governance",
  unknown: "",
};

function View({ at }: { at: Route }) {
  switch (at.view) {
    case "home":
      return <Home />;
    case "blocks":
      return <Blocks />;
    case "block":
      return <BlockPage id={at.id} key={at.id} />;
    case "extrinsic":
      return <ExtrinsicPage block={at.block} index={at.index} key={`${at.block}-${at.index}`} />;
    case "accounts":
      return <Accounts />;
    case "account":
      return <AccountPage address={at.address} key={at.address} />;
    case "rounds":
      return <Rounds model={at.model} />;
    case "round":
      return <RoundPage model={at.model} round={at.round} />;
    case "model":
      return <ModelCard model={at.model} />;
    case "poll":
      return <PollPage id={at.id} key={at.id} />;
    case "governance":
      return <GovernancePage />;
    case "referendum":
      return <ReferendumPage index={at.index} key={at.index} />;
    case "unknown":
      return (
        <Page title="Nothing here">
          <p>
            This page has no view “{at.path}”. <a href={href({ view: "home" })}>Back to the dashboard</a>
          </p>
        </Page>
      );
  }
}

function Search() {
  const [typed, type] = useState("");
  const [problem, say] = useState<string>();
  const submit = (event: Event) => {
    event.preventDefault();
    const to = meant(typed, 0);
    if (typeof to === "string") {
      say(to);
      return;
    }
    say(undefined);
    type("");
    go(to);
  };
  return (
    <form role="search" onSubmit={submit}>
      <input
        type="search"
        aria-label="Search for a block, an account, a round or a referendum"
        placeholder="Block, address, round 12"
        spellcheck={false}
        autocomplete="off"
        value={typed}
        onInput={(event) => {
          type(event.currentTarget.value);
          say(undefined);
        }}
      />
      <p class="problem" role="alert">
        {problem}
      </p>
    </form>
  );
}

function Notices() {
  const seen = {
    chain: useStore(chain.condition),
    trainer: useStore(trainer.condition),
    snapshot: useStore(chain.snapshot),
    governance: useStore(chain.governance),
    status: useStore(trainer.status),
    replaced: useStore(trainer.replaced),
    now: useStore(now),
  };
  return (
    <div class="notices" role="status">
      {notices(seen).map(({ kind, mood, head, text, more }) => (
        <p key={kind + text} class={`notice ${mood}`} data-notice={kind}>
          <strong>{head}.</strong> {text}
          {more && (
            <>
              {" "}
              <To to={more.to}>{more.text}</To>
            </>
          )}
        </p>
      ))}
    </div>
  );
}

function Pulse() {
  const snapshot = useStore(chain.snapshot);
  const condition = useStore(chain.condition);
  const word = { starting: "starting", up: snapshot?.syncing ? "catching up" : "live", away: "node away", strange: "update needed", other: "another chain" }[condition.is];
  return (
    <p class={`pulse ${condition.is}`}>
      <span aria-hidden="true" class="lamp" />
      {word}
      {snapshot && (
        <span class="num">
          {" · block "}
          <BlockLink number={snapshot.best.number} hash={snapshot.best.hash} />
        </span>
      )}
    </p>
  );
}

export function Shell() {
  const at = useStore(route);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => {
        event.preventDefault();
        document.getElementById("main")?.focus();
      }}>
        Skip to the content
      </a>
      <header class="top">
        <a class="name" href={href({ view: "home" })}>
          HydraAI
        </a>
        <nav aria-label="Pages">
          {PLACES.map(({ name, to }) => (
            <a key={name} href={href(to)} {...(BELONGS[at.view] === name ? { "aria-current": "page" as const } : {})}>
              {name}
            </a>
          ))}
        </nav>
        <Search />
        <Pulse />
        <button type="button" class="quiet" onClick={toggleTheme}>
          Light or dark
        </button>
      </header>
      <Notices />
      <main id="main" tabIndex={-1}>
        <View at={at} />
      </main>
      <footer class="bottom">
        <a href="/licences.txt">Licences of what this page is made of</a>
      </footer>
    </>
  );
}
