/** What time it is, once a second, while anybody looks at the page. */
import { createStore } from "./store";

export const now = createStore(Date.now());

export function startClock(): void {
  const tick = () => {
    if (document.visibilityState === "visible") now.set(Date.now());
  };
  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", tick);
}
