/** A region of the page with a heading; grey while what it shows is old. */
import type { ComponentChildren } from "preact";

interface Props {
  id: string;
  title: string;
  /** Beside the title: a state in a word. */
  aside?: ComponentChildren;
  /** What it shows is not of now. */
  stale?: boolean;
  wide?: boolean;
  children: ComponentChildren;
}

export function Panel({ id, title, aside, stale = false, wide = false, children }: Props) {
  return (
    <section id={id} class={`panel${stale ? " stale" : ""}${wide ? " wide" : ""}`} aria-labelledby={`${id}-title`}>
      <header>
        <h2 id={`${id}-title`}>{title}</h2>
        {aside && <div class="aside">{aside}</div>}
      </header>
      {children}
    </section>
  );
}

/** A figure with its name; `hook` names it for tests. */
export function Figure(props: { name: string; hook: string; big?: boolean; note?: ComponentChildren; children: ComponentChildren }) {
  return (
    <div class={props.big ? "figure big" : "figure"}>
      <dt>{props.name}</dt>
      <dd data-field={props.hook}>
        {props.children}
        {props.note && <span class="note"> {props.note}</span>}
      </dd>
    </div>
  );
}
