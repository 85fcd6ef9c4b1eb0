/** Accounts, blocks, rounds, hashes and figures as links to what they come from. */
import type { ComponentChildren } from "preact";
import { type Route, href } from "../app/router";
import { useStore } from "../app/store";
import { shortHash } from "../format/hex";
import { named, who } from "../format/names";
import { count } from "../format/number";

interface ToProps {
  to: Route;
  /** What it is exactly, where less is shown. */
  title?: string | undefined;
  /** In a row that has the same link already: the Tab key needs not stop here, too. */
  again?: boolean;
  children: ComponentChildren;
}

/** A figure as a link to what it comes from. */
export function To({ to, title, again = false, children }: ToProps) {
  return (
    <a class="num" href={href(to)} title={title} {...(again ? { tabIndex: -1 } : {})}>
      {children}
    </a>
  );
}

export function Who({ address }: { address: string }) {
  useStore(named);
  return (
    <a class="who" href={href({ view: "account", address })} title={address}>
      {who(address)}
    </a>
  );
}

export function BlockLink({ number, hash, children }: { number: number; hash?: string; children?: ComponentChildren }) {
  return (
    <a class="num" href={href({ view: "block", id: hash ?? String(number) })} title={hash}>
      {children ?? count(number)}
    </a>
  );
}

export function RoundLink({ model, round, children }: { model: number; round: number; children?: ComponentChildren }) {
  return <a href={href({ view: "round", model, round })}>{children ?? `round ${count(round)}`}</a>;
}

/** The beginning of a hash, the whole of it on hover, and in what is copied by hand from the page of the thing itself. */
export function Hash({ hash, whole = false }: { hash: string; whole?: boolean }) {
  return (
    <code class={whole ? "hash whole" : "hash"} title={hash}>
      {whole ? hash : shortHash(hash)}
    </code>
  );
}
