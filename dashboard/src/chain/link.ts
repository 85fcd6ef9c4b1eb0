/**
 * The connection to this PC's node. It comes back by itself when the node does.
 *
 * Must never connect to another address than 127.0.0.1: the page's policy would refuse it, too.
 */
import { type PolkadotClient, createClient } from "polkadot-api";
import { WsEvent, getWsProvider } from "polkadot-api/ws";
import type { HydraApi } from "./api";

/** The longest a single question to the node may take. */
const PATIENCE = 20_000;
/** How long to wait before connecting is tried again. */
const RETRY = 2_000;

export interface Link {
  client: PolkadotClient;
  api: HydraApi;
  /** JSON-RPC as it is, for what polkadot-api has no name for. */
  request<T>(method: string, parameters: unknown[]): Promise<T>;
  /** How often the connection broke. What was asked before is asked again by itself afterwards. */
  breaks(): number;
  close(): void;
}

/** Connects to the node's JSON-RPC on this port. `changed` hears whether it is there. */
export function connect(port: number, changed: (there: boolean) => void): Link {
  let breaks = 0;
  const provider = getWsProvider(`ws://127.0.0.1:${port}`, {
    onStatusChanged: (status) => {
      if (status.type === WsEvent.CONNECTED) changed(true);
      else if (status.type !== WsEvent.CONNECTING) {
        breaks += 1;
        changed(false);
      }
    },
    timeout: RETRY * 2,
  });
  const client = createClient(provider);
  return {
    client,
    api: client.getUnsafeApi() as unknown as HydraApi,
    request: (method, parameters) => patiently(client._request(method, parameters), method),
    breaks: () => breaks,
    close: () => client.destroy(),
  };
}

/** Bounded in time: a node that is stopped in the middle of an answer gives none. */
export async function patiently<T>(answer: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the node did not answer (${what})`)), PATIENCE);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
