/** Wallet: what this PC's account has, what is on its way to it, its address, and sending. */
import { useState } from "preact/hooks";
import * as chain from "../chain";
import { useStore } from "../app/store";
import { exactHydra, short } from "../format/amount";
import { addressOfHex } from "../format/address";
import { nameOf, named } from "../format/names";
import { Receive } from "../dialogs/receive";
import { Send } from "../dialogs/send";
import { payments } from "../money";
import { isOnItsWay } from "../money/payments";
import { BlockLink, To, Who } from "../parts/links";
import { Figure, Panel } from "../parts/panel";
import { Copy } from "../parts/copy";
import * as trainer from "../trainer";

/** An amount of this account, as a link to its page, which has it exactly. */
function Amount({ amount, of, sign = "" }: { amount: bigint | undefined; of: string | undefined; sign?: string }) {
  if (amount === undefined || of === undefined) return <>–</>;
  return (
    <To to={{ view: "account", address: of }} title={exactHydra(amount)}>
      {sign}
      {short(amount)}
    </To>
  );
}

export function Wallet() {
  useStore(named);
  const snapshot = useStore(chain.snapshot);
  const condition = useStore(chain.condition);
  const status = useStore(trainer.status);
  const earned = useStore(chain.earnedToday);
  const sent = useStore(payments.of.send);
  const [open, show] = useState<"send" | "receive">();
  const me = snapshot?.me;
  const address = me?.address ?? (status?.account ? addressOfHex(status.account) : undefined);
  const owed = me && [...me.parts.values()].reduce((sum, part) => sum + part.owed, 0n);
  const pending = me && owed !== undefined ? me.underWay + owed : undefined;

  const unbonding = me?.member?.unbonding ?? 0n;

  return (
    <Panel id="wallet" title="Wallet" stale={condition.is === "away"}>
      <dl class="figures">
        <Figure name="Balance" hook="balance" big note="HYDRA">
          <Amount amount={me?.funds.free} of={address} />
        </Figure>
        <Figure name="Pending" hook="pending" note="HYDRA">
          <Amount amount={pending} of={address} sign={pending ? "+" : ""} />
        </Figure>
        <Figure name="Stake" hook="stake" note={unbonding > 0n ? `HYDRA, and ${short(unbonding)} being taken back` : "HYDRA"}>
          <Amount amount={me && (me.member?.stake ?? 0n)} of={address} />
        </Figure>
        <Figure
          name="Earned today"
          hook="earned"
          note={
            <>
              HYDRA by its own results
              {earned && !earned.complete && (
                <>
                  {" "}
                  since block <BlockLink number={earned.sinceBlock} />
                </>
              )}
            </>
          }
        >
          <Amount amount={earned?.amount} of={address} />
        </Figure>
      </dl>
      {pending !== undefined && pending > 0n && (
        <p class="note">
          {me && me.underWay > 0n && `${short(me.underWay)} for results that are not paid yet, if they are accepted and their version is confirmed. `}
          {owed !== undefined && owed > 0n && `${short(owed)} from questions, paid out with the next accepted work.`}
        </p>
      )}
      <p class="address" data-field="address">
        {address ? (
          <>
            {nameOf(address) && (
              <>
                <Who address={address} />{" "}
              </>
            )}
            <code class="hash whole">{address}</code> <Copy text={address} />
          </>
        ) : (
          "This PC has no account yet: its node makes one when it starts."
        )}
      </p>
      <p class="actions">
        <button type="button" onClick={() => show("send")} disabled={sent === undefined && (condition.is !== "up" || snapshot === undefined || snapshot.syncing)}>
          {sent ? "See your payment" : "Send"}
        </button>
        <button type="button" onClick={() => show("receive")} disabled={!address}>
          Receive
        </button>
      </p>
      {sent && isOnItsWay(sent) && <p class="note">A payment of yours is on its way.</p>}
      {open === "send" && <Send onClose={() => show(undefined)} />}
      {open === "receive" && address && <Receive address={address} onClose={() => show(undefined)} />}
    </Panel>
  );
}
