/** Times as people say them. */

/** How long: `4 s`, `2 min`, `3 h 5 min`, `2 days`. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.round(hours / 24)} days`;
}

/** `now`, `12 s ago`, `in 5 s` for what a wrong clock puts ahead. */
export function ago(then: number, now: number): string {
  const passed = now - then;
  if (passed < -2000) return `in ${duration(-passed)}`;
  return passed < 1500 ? "now" : `${duration(passed)} ago`;
}

const two = (value: number): string => value.toString().padStart(2, "0");

/** Of this PC's clock: `14:02:11`. */
export function timeOfDay(time: number): string {
  const date = new Date(time);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** With the day, for what may be long ago: `2026-11-28 14:02:11`. */
export function exactTime(time: number): string {
  const date = new Date(time);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${timeOfDay(time)}`;
}

const TEN_MINUTES = 600_000;

/** When something is going to be, to ten minutes: `2026-12-01 14:20`. It is said again when it is another one only. */
export function roughTime(time: number): string {
  return exactTime(Math.round(time / TEN_MINUTES) * TEN_MINUTES).slice(0, -3);
}
