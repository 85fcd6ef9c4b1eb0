/** A time, relative; the exact one on hover and focus. */
import { now } from "../app/clock";
import { useStore } from "../app/store";
import { ago, exactTime } from "../format/time";

export function Ago({ time }: { time: number | undefined }) {
  const current = useStore(now);
  if (time === undefined) return <span class="muted">–</span>;
  return (
    <time dateTime={new Date(time).toISOString()} title={exactTime(time)} class="ago">
      {ago(time, current)}
    </time>
  );
}
