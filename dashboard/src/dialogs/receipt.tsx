/** What became of a payment: on its way, or in which block, and whether that block can still be undone. */
import type { ComponentChildren } from "preact";
import { href } from "../app/router";
import { exact } from "../format/amount";
import { count } from "../format/number";
import { Hash } from "../parts/links";
import type { Payment } from "../money/payments";

export function Receipt({ payment, children }: { payment: Payment; children?: ComponentChildren }) {
  const { stage, sent } = payment;
  switch (stage.is) {
    case "signing":
      return <p role="status">Signing…</p>;
    case "refused":
      return (
        <p class="problem" role="alert">
          {stage.problem}
        </p>
      );
    case "never":
      return (
        <p class="problem" role="alert">
          No block has it, and none can have it any more: nothing was paid. You can try again.
        </p>
      );
    case "sent":
      return (
        <div role="status" data-stage="sent">
          {children}
          <p>
            Handed to the node as <Hash hash={sent?.transaction ?? ""} />. Waiting for a block that has it…
          </p>
          {stage.doubt !== undefined && (
            <p class="problem">
              The node did not confirm that it has it ({stage.doubt}). It may be in a block all the same: this page looks at each
              until block {count(sent?.dies ?? 0)}, and then knows.
            </p>
          )}
          <p class="note">This may be closed: the payment goes on, and is shown here again.</p>
        </div>
      );
    case "there": {
      const { receipt } = stage;
      const to = href({ view: "extrinsic", block: receipt.block.hash, index: receipt.block.index });
      return (
        <div class="receipt" role="status" data-receipt={receipt.block.number}>
          <h3>Receipt</h3>
          {receipt.failure === undefined ? (
            children
          ) : (
            <p class="problem">It failed ({receipt.failure}): nothing but the fee was paid.</p>
          )}
          <dl class="lines">
            <dt>Block</dt>
            <dd>
              <a href={to}>{count(receipt.block.number)}</a>
              {receipt.finalised ? ", final: it can’t be undone any more" : ", not final yet"}
            </dd>
            <dt>Fee</dt>
            <dd class="num">{exact(receipt.fee)} HYDRA</dd>
            <dt>Transaction</dt>
            <dd>
              <Hash hash={sent?.transaction ?? ""} />
            </dd>
          </dl>
        </div>
      );
    }
  }
}
