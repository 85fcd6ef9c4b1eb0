/**
 * How others reach this PC, and which way the connection to each takes. `hydra status` says the same: `cli/src/report/reach.rs`.
 *
 * The trainer says it in words of its own; one that is newer than this page is repeated as it is, but for advice, of which nothing can
 * be said then. Its reason is a sentence for people, from which nothing is concluded.
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
  if (!status || state === undefined) return undefined;
  if (isForThisPcOnly(status)) return "by this PC only";
  return isKnown(state) ? BRIEF[state] : state;
}

/** With the reason, without a full stop; `undefined` where the trainer doesn’t say. */
export function reachInFull(status: TrainerStatus | undefined): string | undefined {
  const said = status?.reachability;
  if (!status || !said) return undefined;
  if (isForThisPcOnly(status)) return "only programs of this PC reach its trainer, as it was told";
  const words = isKnown(said.state) ? WORDS[said.state] : `others reach this PC in a way that is newer than this page (${said.state})`;
  const reason = said.reason.trim().replace(/\.+$/, "");
  // Before the place it would say our words again.
  const from = said.at == null ? -1 : reason.indexOf(said.at);
  if (from >= 0) return `${words} at ${reason.slice(from)}`;
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

/** What a person can do so that others reach this PC better, without a full stop; `undefined` where nothing is, or nothing that is known. */
export function reachAdvice(status: TrainerStatus | undefined): string | undefined {
  const said = status?.reachability;
  // Whoever keeps others out on purpose isn’t told to let them in.
  if (!status || !said || isForThisPcOnly(status)) return undefined;
  const isRelayed = said.state === "relayed";
  const port = portOf(status);
  const trainers = port === undefined ? "the trainer’s port" : `port ${port}`;
  const nodes = "TCP, which is 30333 unless you chose another";
  const until = isRelayed ? "; until then it works by relay" : "";
  switch (said.advice) {
    case "open_ports":
      return isRelayed
        ? `switch on UPnP in the router, or pass on ${trainers} of TCP and UDP there; and its node’s port, ${nodes}`
        : `let your router pass ${trainers}, TCP and UDP, on to this PC, and its node’s, ${nodes}; or turn on UPnP in the router; and let this PC’s firewall pass them, too`;
    case "open_by_hand":
      return `let this PC’s firewall pass ${trainers}, TCP and UDP, and its node’s, ${nodes}, and have your router pass them on by hand; if nobody gets in then, either, ask your provider for a public IP address of your own${until}`;
    case "open_outer_router":
      return `let the router between yours and the internet pass ${trainers}, TCP and UDP, on to yours, and the node’s, ${nodes}; if it is your provider’s, ask for a public IP address of your own${until}`;
    default:
      return undefined;
  }
}

/** `direct, QUIC`; what isn’t known is left out. */
export function wayOf({ path, transport }: Pick<TrainerPeer, "path" | "transport">): string | undefined {
  const by = transport ? (TRANSPORTS[transport] ?? transport) : undefined;
  const parts = [path, by].filter((part) => part != null);
  return parts.length === 0 ? undefined : parts.join(", ");
}
