/**
 * How others reach this PC, and which way the connection to each takes. `hydra status` says the same: `cli/src/report/reach.rs`.
 *
 * The trainer says it in words of its own; one that is newer than this page is repeated as it is. Its reason is a sentence for people:
 * what would repeat our own words is left out of it, and what it advises is told apart.
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

/** How the trainer’s reason begins where others get in: behind it stands where. */
const PLACES = ["this PC's router passes a port on to it, so others reach it at ", "others reach this PC at "];
/** What stands before its advice. */
const ADVICE = "; to be reached directly, ";
/** What it says where ports are open in the router already, and yet nobody gets in. */
const IS_OPEN = "passes a port on";

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
  const [reason] = partsOf(said.reason);
  const beginning = ["public", "mapped"].includes(said.state) ? PLACES.find((words) => reason.startsWith(words)) : undefined;
  if (beginning !== undefined) return `${words} at ${reason.slice(beginning.length)}`;
  return reason === "" ? words : `${words}: ${reason}`;
}

/** What the trainer gives as its reason, and what it advises. */
export function partsOf(reason: string): [string, string | undefined] {
  const [why = "", advice] = reason.trim().replace(/\.+$/, "").split(ADVICE);
  return [why, advice];
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
  if (!status || !said || isForThisPcOnly(status)) return undefined;
  const [why, advice] = partsOf(said.reason);
  // Nobody is told to open what is open; and by relay it works, so that the trainer would say what helps.
  if (!["relayed", "unreachable"].includes(said.state) || why.includes(IS_OPEN)) return undefined;
  if (advice !== undefined) return `${advice}; and its node’s port, TCP, which is 30333 unless you chose another`;
  if (said.state === "relayed") return undefined;
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
