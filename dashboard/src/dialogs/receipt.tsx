/** What became of a payment: on its way, or in which block, and whether that block can still be undone. */
import type { ComponentChildren } from "preact";
import { href } from "../app/router";
import { exact } from "../format/amount";
import { count } from "../format/number";
import { takesFocus } from "../parts/focus";
import { Hash } from "../parts/links";
import { whyNot } from "../words/errors";
import { type Payment, isSettled } from "../money/payments";

/** What the person may do meanwhile. The question is in this tab's memory, and nowhere else. */
function Meanwhile({ payment }: { payment: Payment }) {
  if (isSettled(payment)) return null;
  return (
    <p class="note">
      You may close this dialog: the payment goes on, and is shown here again. Keep this tab open until it is final
      {payment.question !== undefined && " and answered"}.
    </p>
  );
}

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
        <div role="status" data-stage="sent" tabIndex={-1} ref={takesFocus}>
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
          <Meanwhile payment={payment} />
        </div>
      );
    case "there": {
      const { receipt } = stage;
      const to = href({ view: "extrinsic", block: receipt.block.hash, index: receipt.block.index });
      return (
        <div class="receipt" role="status" data-receipt={receipt.block.number} tabIndex={-1} ref={takesFocus}>
          <h3>Receipt</h3>
          {receipt.failure === undefined ? (
            children
          ) : (
            <p class="problem">It failed, since {whyNot(receipt.failure)}: nothing but the fee was paid.</p>
          )}
          {receipt.unknown && <p class="problem">The node no longer knows whether it succeeded; see the balance.</p>}
          <dl class="lines">
            <dt>Block</dt>
            <dd>
              <a href={to}>{count(receipt.block.number)}</a>
              {receipt.finalised ? ", final: it can’t be undone any more" : ", not final yet"}
            </dd>
            <dt>Fee</dt>
            <dd class="num">{receipt.fee === undefined ? "not known any more" : `${exact(receipt.fee)} HYDRA`}</dd>
            <dt>Transaction</dt>
            <dd>
              <Hash hash={sent?.transaction ?? ""} />
            </dd>
          </dl>
          <Meanwhile payment={payment} />
        </div>
      );
    }
  }
}
