/** The network: how large it is, whom this PC is connected to, and how the chain goes on. */
import { useState } from "preact/hooks";
import * as chain from "../chain";
import { useStore } from "../app/store";
import { AddPeer } from "../dialogs/add-peer";
import { nameOf, named } from "../format/names";
import { count, several } from "../format/number";
import { Ago } from "../parts/ago";
import { BlockLink, To } from "../parts/links";
import { Figure, Panel } from "../parts/panel";
import { Picture } from "../parts/picture";
import { PeerTable } from "../parts/peers";
import * as trainer from "../trainer";
import { reachAdvice, reachInFull, reachOf } from "../words/reach";
import { sentence } from "../words/state";
import { peersOf } from "./peers";

export function NetworkPanel() {
  useStore(named);
  const snapshot = useStore(chain.snapshot);
  const condition = useStore(chain.condition);
  const status = useStore(trainer.status);
  const [adding, add] = useState(false);
  const peers = peersOf(status, snapshot);
  const connected = peers.filter((peer) => peer.connected).length;
  const reached = reachInFull(status);
  const advice = reachAdvice(status);
  const me = snapshot?.me ? (nameOf(snapshot.me.address) ?? "this PC") : "this PC";

  return (
    <Panel id="network" title="Network" stale={condition.is === "away"} aside={snapshot?.chain}>
      <dl class="figures">
        <Figure name="Peers" hook="peers" note={`of ${count(peers.length)}`}>
          <To to={{ view: "accounts" }}>{count(connected)}</To>
        </Figure>
        <Figure name="Reached by others" hook="reach">
          {reachOf(status) ?? "–"}
        </Figure>
        <Figure name="Network" hook="size" note={snapshot && `${count(snapshot.electorate.accounts)} drawn from`}>
          {snapshot ? <To to={{ view: "accounts" }}>{several(snapshot.electorate.registered, "PC")}</To> : "–"}
        </Figure>
        <Figure name="Session" hook="session" note={snapshot && `${count(snapshot.electorate.nextAccounts)} there for the next`}>
          {snapshot ? <To to={{ view: "accounts" }}>{count(snapshot.electorate.session)}</To> : "–"}
        </Figure>
        <Figure name="Committee" hook="committee" note="make blocks">
          {snapshot ? <To to={{ view: "accounts" }}>{several(snapshot.committee.length, "PC")}</To> : "–"}
        </Figure>
        <Figure name="Height" hook="height" note={<Ago time={snapshot?.time} />}>
          {snapshot ? <BlockLink number={snapshot.best.number} hash={snapshot.best.hash} /> : "–"}
        </Figure>
        <Figure name="Final" hook="finalised">
          {snapshot ? <BlockLink number={snapshot.finalised.number} hash={snapshot.finalised.hash} /> : "–"}
        </Figure>
        <Figure name="Node’s peers" hook="node-peers">
          {snapshot ? count(snapshot.peers) : "–"}
        </Figure>
      </dl>
      <Picture
        me={me}
        dots={peers.map((peer) => ({
          key: peer.peerId,
          name: peer.name,
          address: peer.address,
          connected: peer.connected,
          relayed: peer.relayed,
          latency: peer.latency,
          away: peer.active === false,
        }))}
      />
      {reached && (
        <p class="note" data-field="reach-reason">
          {sentence(reached)}
          {advice && ` To be reached by all: ${advice}.`}
        </p>
      )}
      <PeerTable peers={peers} />
      <p class="actions">
        <button type="button" onClick={() => add(true)}>
          Add a peer
        </button>
      </p>
      {adding && <AddPeer onClose={() => add(false)} />}
    </Panel>
  );
}
