/**
 * A question to the model, in two steps: what to look at; then what it costs and what happens, which has to be confirmed.
 *
 * Nothing may be paid before everything that can be checked has been: the drawing or the held-out digit's number, the trainer,
 * its model, the price, the balance; at the first step, and again at the second.
 */
import { useState } from "preact/hooks";
import * as chain from "../chain";
import { useStore } from "../app/store";
import { Pad, SIDE } from "../draw/pad";
import { Pixels } from "../draw/pixels";
import { reading, readings } from "../draw/readings";
import { type Stroke, isEnough } from "../draw/strokes";
import { exact } from "../format/amount";
import { duration } from "../format/time";
import { payments } from "../money";
import { type Offer, offer } from "../money/offer";
import { type Payment, isSettled } from "../money/payments";
import { type Image, heldOut, question } from "../money/question";
import { Dialog } from "../parts/dialog";
import { takesFocus } from "../parts/focus";
import * as trainer from "../trainer";
import { PRICE, cantAnswer, cantCost, cantPay } from "../words/asking";
import { Answer } from "./answer";
import { useConfirm } from "./confirm";
import { Receipt } from "./receipt";
import { Payer } from "./unlock";

/** Blocks for which a payment counts: `VALID` of the trainer's `server/paid.rs`. */
const COUNTS = 200;

/** What this question costs the account now, or why it can't be asked. */
async function offerFor(model: number, image: Image, hash: string, account: string): Promise<Offer | string> {
  const seen = chain.snapshot.get();
  const early = cantPay(seen) ?? cantCost(seen?.price);
  if (early !== undefined) return early;
  const now = seen?.models.find((one) => one.model === model);
  if (!now) return "The node hasn’t told of this model yet.";
  if ("ValidationIndex" in image) {
    const index = heldOut(String(image.ValidationIndex), now);
    if (typeof index === "string") return index;
  }
  const reason = cantAnswer(now, trainer.status.get(), trainer.condition.get());
  return reason ?? offer(chain, { kind: "ask", model, requestHash: hash }, PRICE, account);
}

function Asked({ payment }: { payment: Payment }) {
  const { answer, problem, stage } = payment;
  const paid = stage.is === "there" && stage.receipt.failure === undefined;
  return (
    <>
      {answer && <Answer answer={answer} />}
      {paid && !answer && problem?.passing !== false && (
        <p role="status">Paid. Asking the trainer…{problem && ` Not yet: ${problem.text}.`}</p>
      )}
      {paid && !answer && problem?.passing === false && (
        <>
          <p class="problem" role="alert">
            The question is paid, and the trainer does not answer it: {problem.text}.
          </p>
          <p class="actions">
            <button type="button" onClick={() => payments.askAgain()}>
              Ask again
            </button>
          </p>
        </>
      )}
      <Receipt payment={payment} />
      {isSettled(payment) && (
        <p class="actions">
          <button type="button" onClick={() => payments.putAway("ask")}>
            Ask another
          </button>
        </p>
      )}
    </>
  );
}

/** Of `model`, or of the one that was asked. */
export function Ask({ model, onClose }: { model: chain.Model | undefined; onClose: () => void }) {
  const payment = useStore(payments.of.ask);
  const snapshot = useStore(chain.snapshot);
  const close = () => {
    if (payment && isSettled(payment)) payments.putAway("ask");
    onClose();
  };
  const asked = payment?.order.kind === "ask" ? payment.order.model : model?.model;
  const name = snapshot?.models.find((one) => one.model === asked)?.dataset ?? `number ${asked ?? "–"}`;
  return (
    <Dialog id="ask" title={`Ask the model: ${name}`} onClose={close}>
      {payment ? <Asked payment={payment} /> : model && <Question model={model} />}
    </Dialog>
  );
}

function Question({ model }: { model: chain.Model }) {
  const { key, offer: offered, problem, say, working, review, confirm, change } = useConfirm();
  const [strokes, draw] = useState<Stroke[]>([]);
  const [typed, choose] = useState("");
  const drawn = isEnough(strokes, SIDE);
  const fixed = offered !== undefined || working;
  const slot = useStore(chain.snapshot)?.slotMs;

  const look = () => {
    const index = typed.trim() === "" ? undefined : heldOut(typed, model);
    if (typeof index === "string") return say(index);
    if (index === undefined && !drawn) {
      return say(strokes.length > 0 ? "Draw the digit larger: it should fill the pad." : "Draw a digit, or type a number.");
    }
    const image: Image = index !== undefined ? { ValidationIndex: index } : { Readings: readings(strokes, model.image) };
    const asked = question(model.model, image);
    return void review((account) => offerFor(model.model, image, asked.hash, account), asked.text);
  };

  return (
    <>
      <div class="ask-body">
        <div class="pad-box">
          <Pad
            strokes={strokes}
            disabled={fixed}
            onDraw={(next) => {
              choose("");
              draw(next);
            }}
          />
          <p class="actions">
            <button type="button" class="quiet" disabled={fixed || strokes.length === 0} onClick={() => draw([])}>
              Clear
            </button>
          </p>
        </div>
        <div>
          {drawn ? (
            <>
              <p>As the model sees it:</p>
              <Pixels values={reading(strokes, model.image)} grid={model.image} />
            </>
          ) : (
            <p>Draw one digit from 0 to 9, as large as the pad.</p>
          )}
          <label>
            Or take a held-out digit, by its number
            <input
              type="text"
              inputMode="numeric"
              name="index"
              class="num"
              autocomplete="off"
              disabled={fixed || strokes.length > 0}
              value={typed}
              onInput={(event) => choose(event.currentTarget.value)}
            />
          </label>
        </div>
      </div>
      <Payer />
      {key && !offered && (
        <p class="actions">
          <button type="button" class="primary" disabled={working} onClick={look}>
            {working ? "Asking for the fee…" : "Review"}
          </button>
        </p>
      )}
      {offered && (
        <div class="review" tabIndex={-1} role="group" aria-label="Check before you pay" ref={takesFocus}>
          <dl class="lines">
            <dt>Price</dt>
            <dd class="num">{exact(offered.amount)} HYDRA</dd>
            <dt>Fee</dt>
            <dd class="num">{exact(offered.fee)} HYDRA</dd>
            <dt>Receiver</dt>
            <dd>Those whose work made version {model.confirmedVersion} of “{model.dataset}”, by their shares</dd>
            <dt>Left afterwards</dt>
            <dd class="num">{exact(offered.left)} HYDRA</dd>
          </dl>
          <p>
            The payment goes into one of the next blocks; then this PC’s own trainer answers. The network learns that you
            asked, and not what. Leave this PC on: the payment counts for {COUNTS} blocks
            {slot !== undefined && ` (about ${duration(COUNTS * slot)})`}.
          </p>
          <p class="actions">
            <button type="button" class="primary" disabled={working} onClick={() => void confirm()}>
              Pay {exact(offered.amount)} HYDRA and ask
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
  );
}
