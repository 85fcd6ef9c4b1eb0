/** A time, relative; the exact one on hover, on focus, and for who listens. */
import { useId } from "preact/hooks";
import { now } from "../app/clock";
import { useStore } from "../app/store";
import { ago, exactTime } from "../format/time";

export function Ago({ time }: { time: number | undefined }) {
  const current = useStore(now);
  const id = useId();
  if (time === undefined) return <span class="muted">–</span>;
  return (
    <time
      class="ago"
      dateTime={new Date(time).toISOString()}
      tabIndex={0}
      aria-describedby={id}
      onKeyDown={(event) => {
        // What is shown may be in front of what somebody wants to read.
        if (event.key === "Escape") event.currentTarget.blur();
      }}
    >
      {ago(time, current)}
      <span id={id} class="exact">
        {exactTime(time)}
      </span>
    </time>
  );
}
