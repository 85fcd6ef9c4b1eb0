/**
 * Sending HYDRA, in two steps: who and how much; then what it costs and what happens, which has to be confirmed.
 */
import { useState } from "preact/hooks";
import * as chain from "../chain";
import { useStore } from "../app/store";
import { exact } from "../format/amount";
import { nameOf } from "../format/names";
import { payments } from "../money";
import { offer, transfer } from "../money/offer";
import { type Payment, isSettled } from "../money/payments";
import { Dialog } from "../parts/dialog";
import { takesFocus } from "../parts/focus";
import { Who } from "../parts/links";
import { cantPay } from "../words/asking";
import { useConfirm } from "./confirm";
import { Receipt } from "./receipt";
import { Payer } from "./unlock";

function Sent({ payment }: { payment: Payment }) {
  return (
    <>
      <Receipt payment={payment}>
        {payment.order.kind === "send" && (
          <p>
            {exact(payment.order.amount)} HYDRA to <Who address={payment.order.to} />
          </p>
        )}
      </Receipt>
      {isSettled(payment) && (
        <p class="actions">
          <button type="button" onClick={() => payments.putAway("send")}>
            Send another
          </button>
        </p>
      )}
    </>
  );
}

export function Send({ onClose }: { onClose: () => void }) {
  const payment = useStore(payments.of.send);
  const { key, offer: offered, problem, say, working, review, confirm, change } = useConfirm();
  const [to, typeTo] = useState("");
  const [amount, typeAmount] = useState("");

  const submit = (event: Event) => {
    event.preventDefault();
    const wanted = transfer(to, amount, key?.address ?? "");
    if (typeof wanted === "string") return say(wanted);
    return void review(
      async (account) => cantPay(chain.snapshot.get()) ?? offer(chain, { kind: "send", ...wanted }, wanted.amount, account),
    );
  };
  const close = () => {
    if (payment && isSettled(payment)) payments.putAway("send");
    onClose();
  };

  return (
    <Dialog id="send" title="Send HYDRA" onClose={close}>
      {payment ? (
        <Sent payment={payment} />
      ) : (
        <>
          <Payer />
          {key && !offered && (
            <form onSubmit={submit}>
              <label>
                Receiver’s address
                <input
                  type="text"
                  name="to"
                  autocomplete="off"
                  spellcheck={false}
                  value={to}
                  onInput={(event) => typeTo(event.currentTarget.value)}
                />
              </label>
              <label>
                Amount in HYDRA
                <input
                  type="text"
                  name="amount"
                  inputMode="decimal"
                  autocomplete="off"
                  class="num"
                  value={amount}
                  onInput={(event) => typeAmount(event.currentTarget.value)}
                />
              </label>
              <p class="actions">
                <button type="submit" class="primary" disabled={working}>
                  {working ? "Asking for the fee…" : "Review"}
                </button>
              </p>
            </form>
          )}
          {offered?.order.kind === "send" && (
            <div class="review" tabIndex={-1} role="group" aria-label="Check before you pay" ref={takesFocus}>
              <dl class="lines">
                <dt>Amount</dt>
                <dd class="num">{exact(offered.amount)} HYDRA</dd>
                <dt>Fee</dt>
                <dd class="num">{exact(offered.fee)} HYDRA</dd>
                <dt>Receiver</dt>
                <dd>
                  {nameOf(offered.order.to) && <strong>{nameOf(offered.order.to)} </strong>}
                  <code class="hash whole">{offered.order.to}</code>
                </dd>
                <dt>Left afterwards</dt>
                <dd class="num">{exact(offered.left)} HYDRA</dd>
              </dl>
              <p>
                The transaction goes to the network and is in one of the next blocks. It can’t be taken back: check the
                receiver’s address.
              </p>
              <p class="actions">
                <button type="button" class="primary" disabled={working} onClick={() => void confirm()}>
                  Send {exact(offered.amount)} HYDRA
                </button>
                <button type="button" disabled={working} onClick={change}>
                  Change
                </button>
              </p>
            </div>
          )}
          <p class="problem" role="alert">
            {problem}
          </p>
        </>
      )}
    </Dialog>
  );
}
