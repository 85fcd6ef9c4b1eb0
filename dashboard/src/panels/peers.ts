/** The other PCs: whom the trainer is connected to, beside what the chain says of them. */
import type { Snapshot } from "../chain";
import { nameOf } from "../format/names";
import { shortAddress } from "../format/address";
import type { TrainerStatus } from "../trainer";
import { wayOf } from "../words/reach";
import { standingOf } from "../words/state";

export interface Peer {
  peerId: string;
  name: string;
  /** Its account, if it is registered. */
  address: string | undefined;
  /** Where the connection goes. */
  where: string | undefined;
  connected: boolean;
  /** Which way the connection takes, as far as that is known. */
  way: string | undefined;
  /** Whether that is through a third trainer. */
  relayed: boolean;
  latency: number | undefined;
  status: string;
  /** Whether a draw that falls on it counts; `undefined` for who only looks on. */
  active: boolean | undefined;
  score: number | undefined;
}

export function peersOf(status: TrainerStatus | undefined, snapshot: Snapshot | undefined): Peer[] {
  const members = new Map((snapshot?.members ?? []).map((member) => [member.peerId, member]));
  const own = status?.peer_id;
  const connected = (status?.peers ?? []).map((peer): Peer => {
    const member = members.get(peer.peer_id);
    return {
      peerId: peer.peer_id,
      name: nameOf(member?.address ?? "") ?? shortAddress(member?.address ?? peer.peer_id),
      address: member?.address,
      where: peer.address,
      connected: true,
      way: wayOf(peer),
      relayed: peer.path === "relayed",
      latency: peer.latency_ms ?? undefined,
      status: member ? standingOf(member) : snapshot && snapshot.electorate.registered > snapshot.members.length ? "not looked up" : "only looking on",
      active: member?.active,
      score: member?.score,
    };
  });
  const seen = new Set(connected.map((peer) => peer.peerId));
  const others = [...members.values()]
    .filter((member) => member.peerId !== own && !seen.has(member.peerId))
    .map(
      (member): Peer => ({
        peerId: member.peerId,
        name: nameOf(member.address) ?? shortAddress(member.address),
        address: member.address,
        where: undefined,
        connected: false,
        way: undefined,
        relayed: false,
        latency: undefined,
        status: standingOf(member),
        active: member.active,
        score: member.score,
      }),
    );
  return [...connected, ...others].sort(
    (a, b) => Number(b.connected) - Number(a.connected) || a.name.localeCompare(b.name),
  );
}
