/**
 * How others reach this PC, and which way the connection to each takes. `hydra status` says the same: `cli/src/report/reach.rs`.
 *
 * The trainer says it in words of its own; one that is newer than this page is repeated as it is.
 */
import type { TrainerPeer, TrainerStatus } from "../trainer";

type Known = "unknown" | "public" | "mapped" | "punched" | "relayed" | "unreachable";

const BRIEF: Record<Known, string> = {
  unknown: "not known yet",
  public: "directly",
  mapped: "through the router",
  punched: "by punching",
  relayed: "by relay only",
  unreachable: "not at all",
};

const WORDS: Record<Known, string> = {
  unknown: "it is not known yet how others reach this PC",
  public: "others reach this PC directly",
  mapped: "others reach this PC through its router",
  punched: "others reach this PC through its router once a relay has introduced them",
  relayed: "others reach this PC through a relay only",
  unreachable: "others can’t reach this PC",
};

const TRANSPORTS: Record<string, string> = { tcp: "TCP", quic: "QUIC", wss: "WebSocket" };

const isKnown = (state: string): state is Known => Object.prototype.hasOwnProperty.call(WORDS, state);

/** In a few words; `undefined` where the trainer doesn’t say. */
export function reachOf(status: TrainerStatus | undefined): string | undefined {
  const state = status?.reachability?.state;
  if (state === undefined) return undefined;
  return isKnown(state) ? BRIEF[state] : state;
}

/** With the reason, without a full stop; `undefined` where the trainer doesn’t say. */
export function reachInFull(status: TrainerStatus | undefined): string | undefined {
  const said = status?.reachability;
  if (!said) return undefined;
  const words = isKnown(said.state) ? WORDS[said.state] : `others reach this PC in a way that is newer than this page (${said.state})`;
  const reason = said.reason.trim().replace(/\.+$/, "");
  return reason === "" ? words : `${words}: ${reason}`;
}

/** Whether it listens for nobody but programs of this PC, as in a local network. */
const isForThisPcOnly = ({ listen }: TrainerStatus): boolean =>
  listen.length > 0 && listen.every((address) => address.startsWith("/ip4/127.") || address.startsWith("/ip6/::1/"));

/** The port of TCP and UDP that a router has to pass on. */
function portOf({ listen }: TrainerStatus): string | undefined {
  for (const address of listen) {
    const [, , , transport, port, ...more] = address.split("/");
    const isPlain = !more.some((part) => ["ws", "wss", "tls", "p2p-circuit"].includes(part));
    if ((transport === "tcp" || transport === "udp") && port !== undefined && /^\d+$/.test(port) && isPlain) return port;
  }
  return undefined;
}

/** What a person can do so that others reach this PC better, without a full stop; `undefined` where nothing is to be done. */
export function reachAdvice(status: TrainerStatus | undefined): string | undefined {
  const state = status?.reachability?.state;
  if (!status || (state !== "relayed" && state !== "unreachable") || isForThisPcOnly(status)) return undefined;
  const port = portOf(status);
  const ports = port === undefined ? "the trainer’s port" : `port ${port}`;
  return `let your router pass ${ports}, TCP and UDP, on to this PC, and its node’s, TCP, which is 30333 unless you chose another; or turn on UPnP in the router`;
}

/** `direct, QUIC`; what isn’t known is left out. */
export function wayOf({ path, transport }: Pick<TrainerPeer, "path" | "transport">): string | undefined {
  const by = transport ? (TRANSPORTS[transport] ?? transport) : undefined;
  const parts = [path, by].filter((part) => part != null);
  return parts.length === 0 ? undefined : parts.join(", ");
}
