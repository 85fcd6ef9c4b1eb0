/**
 * What a person is asked to confirm: what is paid, by whom, and what it costs.
 *
 * An offer is made for one key and one moment. Before anything is signed it is made again; only if it still says the same
 * may it be paid.
 */
import type { Funds, Order } from "../chain";
import { isAddress } from "../format/address";
import { exactHydra, parseAmount } from "../format/amount";
import { byName } from "../format/names";

export interface Offer {
  order: Order;
  /** Who pays. */
  account: string;
  /** Without the fee. */
  amount: bigint;
  fee: bigint;
  left: bigint;
}

/** What the chain is asked. */
export interface Bank {
  feeOf(order: Order, from: string): Promise<bigint>;
  accountOf(address: string): Promise<{ funds: Funds }>;
}

/** What this order costs now, or why it can't be paid. */
export async function offer(bank: Bank, order: Order, amount: bigint, account: string): Promise<Offer | string> {
  const [fee, { funds }] = await Promise.all([bank.feeOf(order, account), bank.accountOf(account)]);
  const cost = amount + fee;
  if (funds.spendable < cost) {
    return `The account can spend ${exactHydra(funds.spendable)}; this costs ${exactHydra(cost)}, the fee included.`;
  }
  return { order, account, amount, fee, left: funds.free - cost };
}

/** Whether what was confirmed is still what would be paid: the same payer and price, and no higher fee. */
export const stillHolds = (confirmed: Offer, now: Offer): boolean =>
  confirmed.account === now.account && confirmed.amount === now.amount && now.fee <= confirmed.fee;

/** What the person typed, as an order, or what is wrong with it. */
export function transfer(typedTo: string, typedAmount: string, account: string): { to: string; amount: bigint } | string {
  const text = typedTo.trim();
  const to = byName(text) ?? text;
  if (!isAddress(to)) return "This is no address of this network: it has a wrong letter, or is cut off.";
  if (to === account) return "This is the account that pays. Choose another receiver.";
  const amount = parseAmount(typedAmount);
  if (typeof amount === "string") return amount;
  if (amount === 0n) return "Type an amount above 0.";
  return { to, amount };
}
