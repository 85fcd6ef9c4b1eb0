/** What every page of its own has: a heading that gets the focus, and words while something is fetched. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

export function Page({ title, children }: { title: string; children: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · HydraAI`;
    // So that a screen reader, and the Tab key, go on here.
    heading.current?.focus();
  }, [title]);
  return (
    <div class="page">
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      {children}
    </div>
  );
}

export type Fetched<T> = { is: "fetching" } | { is: "there"; value: T } | { is: "failed"; problem: string };

/**
 * What `fetch` gives, again whenever `key` is another one. `undefined` as a key waits. When `at` is another one, too, but then
 * what is there stays until the new is, and if that fails: a block that was replaced meanwhile is no reason to show nothing.
 */
export function useFetched<T>(key: string | undefined, fetch: () => Promise<T>, at?: string): Fetched<T> {
  const [state, show] = useState<{ key: string | undefined; fetched: Fetched<T> }>({ key: undefined, fetched: { is: "fetching" } });
  // Of several answers that are on their way the one to the last question counts.
  const asked = useRef(0);
  const answered = useRef(0);
  useEffect(() => {
    if (key === undefined) return;
    asked.current += 1;
    const turn = asked.current;
    const found = (fetched: Fetched<T>) => {
      if (turn < answered.current) return;
      answered.current = turn;
      show((now) => {
        const known = now.key === key && now.fetched.is === "there";
        return known && fetched.is === "failed" ? now : { key, fetched };
      });
    };
    fetch().then(
      (value) => found({ is: "there", value }),
      (reason: unknown) => found({ is: "failed", problem: reason instanceof Error ? reason.message : String(reason) }),
    );
  }, [key, at]);
  // What was fetched for another key isn't shown under this one.
  return state.key === key ? state.fetched : { is: "fetching" };
}

export function Wait<T>({ of, what, children }: { of: Fetched<T>; what: string; children: (value: T) => ComponentChildren }) {
  if (of.is === "fetching") return <p role="status">Asking the node for {what}…</p>;
  if (of.is === "failed") {
    return (
      <p class="problem" role="alert">
        The node could not tell: {of.problem}
      </p>
    );
  }
  return <>{children(of.value)}</>;
}
