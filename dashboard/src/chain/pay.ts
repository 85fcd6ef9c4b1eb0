/**
 * Transactions: what one costs, signing one, and handing it to the node.
 *
 * A transaction is signed once. What becomes of it is read from the blocks (`follow.ts`): what a node
 * says of its pool is a guess. The signature is over the hash of the metadata, too (`CheckMetadataHash`), so that whoever has
 * the node's port can't have another call signed than the one that is shown: the chain refuses it.
 *
 * Whoever has that port may keep a transaction, say that it was refused, and hand it over when the next one is. So the next
 * one has the same number as the one that is said to be nowhere, for as long as that could be in a block: a chain takes one of them.
 */
import type { PolkadotSigner } from "polkadot-api";
import { withMetadataHash } from "polkadot-api/signer";
import { toHex } from "../format/hex";
import type { HydraApi, Transaction } from "./api";
import { hashOf } from "./extrinsic";
import type { Sent } from "./follow";
import { type Link, patiently } from "./link";

/** How long a transaction stays valid, in blocks. */
export const LIFE = 64;
/** What the chain's money is, which the metadata's hash covers. Not asked of the node: it may be anybody. */
const MONEY = { decimals: 12, tokenSymbol: "HYDRA" };
/** The codes with which a node's pool refuses a transaction, and the one that says that it has it already. */
const REFUSALS = [1000, 1099] as const;
const KNOWN_ALREADY = 1013;

export type Order =
  | { kind: "send"; to: string; amount: bigint }
  | { kind: "ask"; model: number; requestHash: string };

/** A transaction that can be handed over. */
export interface Signed {
  sent: Sent;
  bytes: string;
}

/** A transaction that the node said is nowhere, and that may be in a block up to `until` all the same. */
export interface Loose {
  nonce: number;
  until: number;
}

/** The number for the next transaction: the account's next one, if no loose one could take its place beside it. */
export function numberFor(next: number, loose: Loose | undefined, block: number): number {
  if (!loose || block > loose.until) return next;
  if (loose.nonce >= next) return loose.nonce;
  throw new Error(
    `the payment before may be in a block after all: look at the account, and try again after block ${loose.until}`,
  );
}

/** The node looked at it and did not take it: nobody else has it. */
export class NotTaken extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = "NotTaken";
  }
}

function transaction(api: Pick<HydraApi, "tx">, order: Order): Transaction {
  switch (order.kind) {
    case "send":
      return api.tx.Balances.transfer_keep_alive({ dest: { type: "Id", value: order.to }, value: order.amount });
    case "ask":
      return api.tx.HydraToken.pay_query({ model: order.model, request_hash: order.requestHash });
  }
}

export const fee = (link: Link, order: Order, from: string): Promise<bigint> =>
  patiently(transaction(link.api, order).getEstimatedFees(from), "the fee");

/** The same signer, whose signatures say which metadata they were made with. */
export const overMetadata = (signer: PolkadotSigner): PolkadotSigner => withMetadataHash(MONEY, signer);

/** What signing asks of the node. */
export interface Teller extends Pick<Link, "request"> {
  client: Pick<Link["client"], "getFinalizedBlock" | "hodlBlock">;
  api: Pick<HydraApi, "tx">;
}

export async function sign(
  link: Teller,
  genesis: string,
  order: Order,
  signer: PolkadotSigner,
  from: string,
  { loose, block }: { loose: Loose | undefined; block: number },
): Promise<Signed> {
  const nonce = numberFor(await link.request<number>("system_accountNextIndex", [from]), loose, block);
  const born = await patiently(link.client.getFinalizedBlock(), "the final block");
  // At once: polkadot-api lets go of a block as soon as a later one is final, and signs at none that it has let go of.
  const release = link.client.hodlBlock(born.hash);
  try {
    const bytes = await patiently(
      transaction(link.api, order).sign(overMetadata(signer), {
        at: born.hash,
        nonce,
        mortality: { mortal: true, period: LIFE },
      }),
      "what a transaction needs",
    );
    return {
      bytes: toHex(bytes),
      sent: { transaction: hashOf(bytes), genesis, born: born.number, dies: born.number + LIFE, nonce },
    };
  } finally {
    release();
  }
}

/** Hands it over. After a `NotTaken` it is nowhere; after any other error nobody knows. */
export async function submit(link: Pick<Link, "request" | "breaks">, { bytes }: Signed): Promise<void> {
  const breaks = link.breaks();
  try {
    await link.request<string>("author_submitExtrinsic", [bytes]);
  } catch (reason) {
    const refusal = refusalOf(reason);
    if (refusal?.code === KNOWN_ALREADY) return;
    // After the connection broke it was handed over again: then it may be refused because it is in a block already.
    throw refusal && link.breaks() === breaks ? new NotTaken(refusal.text) : reason;
  }
}

/** What the node's pool said, if it was the pool, and neither a broken connection nor another fault. */
export function refusalOf(reason: unknown): { code: number; text: string } | undefined {
  const said = reason as { code?: unknown; message?: unknown; data?: unknown } | null;
  const [first, last] = REFUSALS;
  if (typeof said?.code !== "number" || said.code < first || said.code > last) return undefined;
  const text = [said.message, said.data].filter((part): part is string => typeof part === "string" && part !== "").join(": ");
  return { code: said.code, text: text || `error ${said.code}` };
}
