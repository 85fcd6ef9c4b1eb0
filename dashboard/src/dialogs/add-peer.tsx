/**
 * Adding a peer. The page can't make the trainer connect: whoever may open a page on this PC may not tell it whom to talk
 * to. So it checks the address, and says with which option the trainer connects.
 */
import { useState } from "preact/hooks";
import { useStore } from "../app/store";
import { Copy } from "../parts/copy";
import { Dialog } from "../parts/dialog";
import * as trainer from "../trainer";

const HOSTS = "(ip4|ip6|dns|dns4|dns6)/[^/\\s]+";
const ADDRESS = new RegExp(`^/(${HOSTS}/tcp/\\d{1,5}|dnsaddr/[^/\\s]+)(/p2p/12D3[1-9A-HJ-NP-Za-km-z]{40,60})$`);

export function AddPeer({ onClose }: { onClose: () => void }) {
  const status = useStore(trainer.status);
  const [typed, type] = useState("");
  const address = typed.trim();
  const right = ADDRESS.test(address);
  return (
    <Dialog id="add-peer" title="Add a peer" onClose={onClose}>
      <p>PCs find each other through those they know. Give another PC one of this PC’s addresses:</p>
      <ul class="addresses">
        {(status?.listen ?? []).map((listen) => (
          <li key={listen}>
            <code class="hash whole">{listen}</code> <Copy text={listen} />
          </li>
        ))}
      </ul>
      <label>
        Or paste the other PC’s address
        <input
          type="text"
          spellcheck={false}
          autocomplete="off"
          placeholder="/ip4/203.0.113.7/tcp/30400/p2p/12D3…"
          value={typed}
          onInput={(event) => type(event.currentTarget.value)}
        />
      </label>
      {address !== "" && !right && (
        <p class="problem" role="alert">
          An address looks like /ip4/203.0.113.7/tcp/30400/p2p/12D3…: the other PC shows it here.
        </p>
      )}
      {right && (
        <p>
          Start this PC’s trainer with this option, then it stays connected:
          <br />
          <code class="hash whole">--bootstrap {address}</code> <Copy text={`--bootstrap ${address}`} />
        </p>
      )}
    </Dialog>
  );
}
