/** How far something is: a bar that only repeats what the words beside it say. */
import { useEffect, useRef } from "preact/hooks";

export function Progress({ share, label }: { share: number | undefined; label: string }) {
  const bar = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // By script: the page's policy allows no style in the markup.
    bar.current?.style.setProperty("--share", String(share ?? 0));
  }, [share]);
  const value = share === undefined ? {} : { "aria-valuenow": Math.round(share * 100) };
  return (
    <div
      ref={bar}
      class={share === undefined ? "progress idle" : "progress"}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      {...value}
    >
      <div />
    </div>
  );
}
