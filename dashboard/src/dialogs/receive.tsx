/** Receiving HYDRA: the address, to be copied or read by a phone. */
import { useEffect, useState } from "preact/hooks";
import type { FunctionComponent } from "preact";
import { Copy } from "../parts/copy";
import { Dialog } from "../parts/dialog";

type QrProps = { text: string; label: string };

export function Receive({ address, onClose }: { address: string; onClose: () => void }) {
  const [Qr, load] = useState<FunctionComponent<QrProps>>();
  useEffect(() => {
    void import("../parts/qr").then((module) => load(() => module.Qr));
  }, []);
  return (
    <Dialog id="receive" title="Receive HYDRA" onClose={onClose}>
      <p>Whoever sends HYDRA to this address sends it to this PC’s account. It can be shown to anybody.</p>
      <div class="qr-box">{Qr && <Qr text={address} label={`QR code of the address ${address}`} />}</div>
      <p>
        <code class="hash whole">{address}</code> <Copy text={address} label="Copy the address" />
      </p>
    </Dialog>
  );
}
