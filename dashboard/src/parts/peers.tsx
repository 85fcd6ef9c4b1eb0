/** The other PCs as a table. */
import type { Peer } from "../panels/peers";
import { To, Who } from "./links";

const latencyOf = (latency: number | undefined): string =>
  latency === undefined ? "–" : latency === 0 ? "< 1 ms" : `${latency} ms`;

export function PeerTable({ peers }: { peers: Peer[] }) {
  if (peers.length === 0) return <p class="note">No other PC is known yet.</p>;
  return (
    <div class="scroll">
      <table data-table="peers">
        <thead>
          <tr>
            <th scope="col">PC</th>
            <th scope="col" class="right">
              Latency
            </th>
            <th scope="col">Way</th>
            <th scope="col">Status</th>
            <th scope="col" class="right">
              Score
            </th>
          </tr>
        </thead>
        <tbody>
          {peers.map((peer) => (
            <tr key={peer.peerId}>
              <th scope="row" title={`${peer.peerId}${peer.where ? ` at ${peer.where}` : ""}`}>
                {peer.address ? <Who address={peer.address} /> : <code>{peer.name}</code>}
              </th>
              <td class="right num">{latencyOf(peer.latency)}</td>
              <td>{peer.way ?? "–"}</td>
              <td>{peer.connected ? `connected, ${peer.status}` : `not connected, ${peer.status}`}</td>
              <td class="right num">
                {peer.score === undefined || !peer.address ? (
                  "–"
                ) : (
                  <To to={{ view: "account", address: peer.address }} again>
                    {peer.score.toFixed(3)}
                  </To>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
