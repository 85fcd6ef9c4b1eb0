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
