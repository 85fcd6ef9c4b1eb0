/** The second of two steps: an offer, for the key it was made for, which is made again before it is paid. */
import { useState } from "preact/hooks";
import { useStore } from "../app/store";
import { payments } from "../money";
import { type Offer, stillHolds } from "../money/offer";
import { unlocked } from "../wallet";

/** Makes an offer for this account, or says why there is none. */
export type Make = (account: string) => Promise<Offer | string>;

const textOf = (reason: unknown): string => (reason instanceof Error ? reason.message : String(reason));

export function useConfirm() {
  const key = useStore(unlocked);
  const [made, set] = useState<{ offer: Offer; make: Make; question: string | undefined }>();
  const [problem, say] = useState<string>();
  const [working, work] = useState(false);
  // Another key, or none: what was checked for the one before says nothing.
  const offered = made && made.offer.account === key?.address ? made : undefined;

  const during = async (what: () => Promise<string | undefined>) => {
    if (working) return;
    work(true);
    say(undefined);
    try {
      say(await what());
    } catch (reason) {
      say(`The node could not tell what this costs: ${textOf(reason)}.`);
    } finally {
      work(false);
    }
  };

  /** The first step: what it costs. */
  const review = (make: Make, question?: string) =>
    during(async () => {
      if (!key) return "Unlock your key first.";
      const offer = await make(key.address);
      if (typeof offer === "string") return offer;
      set({ offer, make, question });
      return undefined;
    });

  /** The second: everything that was checked is checked again, and paid if it still holds. */
  const confirm = () =>
    during(async () => {
      if (!offered) return "Unlock your key first.";
      const payer = unlocked.get();
      if (!payer) return "Unlock your key first.";
      const now = await offered.make(payer.address);
      if (typeof now === "string") {
        set(undefined);
        return now;
      }
      if (!stillHolds(offered.offer, now)) {
        set({ ...offered, offer: now });
        return "What this costs is not what was shown any more. Look at it again, then confirm.";
      }
      const reason = await payments.pay(now.order, payer.signer, payer.address, offered.question);
      // What wasn't begun can be confirmed again.
      if (reason === undefined) set(undefined);
      return reason;
    });

  return { key, offer: offered?.offer, problem, say, working, review, confirm, change: () => set(undefined) };
}
