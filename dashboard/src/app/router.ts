/**
 * Addresses of views: `#/block/12`. A link can be kept, sent to oneself and opened again.
 *
 * Behind the `#`, so that the trainer serves one file, and no address of a view ever reaches a server.
 */
import { createStore } from "./store";

export type Route =
  | { view: "home" }
  | { view: "blocks" }
  | { view: "block"; id: string }
  | { view: "extrinsic"; block: string; index: number }
  | { view: "accounts" }
  | { view: "account"; address: string }
  | { view: "rounds"; model: number }
  | { view: "round"; model: number; round: number }
  | { view: "model"; model: number }
  | { view: "poll"; id: string }
  | { view: "governance" }
  | { view: "referendum"; index: number }
  | { view: "unknown"; path: string };

const HASH = /^0x[0-9a-f]{64}$/;
const NUMBER = /^\d{1,10}$/;

const number = (text: string | undefined): number | undefined =>
  text !== undefined && NUMBER.test(text) ? Number(text) : undefined;

export function parseRoute(hash: string): Route {
  const path = hash.replace(/^#\/?/, "");
  const [view = "", first, second] = path.split("/").map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  const [a, b] = [number(first), number(second)];
  switch (view) {
    case "":
      return { view: "home" };
    case "blocks":
    case "accounts":
    case "governance":
      return { view };
    case "block":
      if (first) return { view, id: first };
      break;
    case "extrinsic":
      if (first && b !== undefined) return { view, block: first, index: b };
      break;
    case "poll":
      if (first && HASH.test(first)) return { view, id: first };
      break;
    case "account":
      if (first) return { view, address: first };
      break;
    case "rounds":
    case "model":
      return { view, model: a ?? 0 };
    case "referendum":
      if (a !== undefined) return { view, index: a };
      break;
    case "round":
      if (a !== undefined && b !== undefined) return { view, model: a, round: b };
      break;
  }
  return { view: "unknown", path };
}

export function href(route: Route): string {
  switch (route.view) {
    case "home":
      return "#/";
    case "blocks":
    case "accounts":
    case "governance":
      return `#/${route.view}`;
    case "block":
      return `#/block/${encodeURIComponent(route.id)}`;
    case "extrinsic":
      return `#/extrinsic/${encodeURIComponent(route.block)}/${route.index}`;
    case "account":
      return `#/account/${encodeURIComponent(route.address)}`;
    case "rounds":
    case "model":
      return `#/${route.view}/${route.model}`;
    case "poll":
      return `#/poll/${encodeURIComponent(route.id)}`;
    case "referendum":
      return `#/referendum/${route.index}`;
    case "round":
      return `#/round/${route.model}/${route.round}`;
    case "unknown":
      return `#/${route.path}`;
  }
}

export const route = createStore<Route>({ view: "home" });

export function startRouter(): void {
  const look = () => route.set(parseRoute(location.hash));
  addEventListener("hashchange", look);
  look();
}

export function go(to: Route): void {
  location.hash = href(to).slice(1);
}
