/**
 * What became of a transaction, from the blocks alone.
 *
 * A block may be replaced until it is final, so a transaction is followed until its block is, or until it can be in none any
 * more. Must never say that it is in no block before every block that could have it is final and was looked at.
 */

/** A transaction that was signed: it can be in blocks after `born`, up to `dies`. */
export interface Sent {
  transaction: string;
  /** Of the chain it is for. */
  genesis: string;
  born: number;
  dies: number;
  /** The account's number for it: a chain takes one transaction with it. */
  nonce: number;
}

export interface Receipt {
  block: { hash: string; number: number; index: number };
  /** Not known where the outcome isn't. */
  fee: bigint | undefined;
  /** Whether the node no longer knows what became of it in its block: the block's state is gone. */
  unknown: boolean;
  /** Why it did nothing but cost its fee, if so. */
  failure: string | undefined;
  finalised: boolean;
}

/** Blocks after which a node may have no state any more: it keeps 256, and drops them when it likes. */
const STATES = 200;

export type Found =
  /** In no block so far. */
  | { is: "waiting" }
  | { is: "there"; receipt: Receipt }
  /** In no block, for ever. */
  | { is: "never" };

/** The chain, as far as this needs it. */
export interface Books {
  /** The newest block's number, and the newest final one's. */
  heads(): Promise<{ best: number; finalised: number }>;
  /** The hash of the block with this number on the best branch. */
  hashAt(number: number): Promise<string | undefined>;
  /** The hashes of a block's transactions, in order. */
  transactions(hash: string): Promise<string[]>;
  /** What became of one. */
  outcome(hash: string, index: number): Promise<{ fee: bigint; failure: string | undefined }>;
}

export class Following {
  private receipt: Receipt | undefined;
  /** The last block that is final and does not have it. */
  private searched: number;

  constructor(
    private readonly sent: Sent,
    private readonly books: Books,
  ) {
    this.searched = sent.born;
  }

  /** How it stands now. */
  async look(): Promise<Found> {
    const { best, finalised } = await this.books.heads();
    if (this.receipt) {
      const { block } = this.receipt;
      if ((await this.books.hashAt(block.number)) === block.hash) {
        this.receipt = { ...this.receipt, finalised: block.number <= finalised };
        return { is: "there", receipt: this.receipt };
      }
      // Another block has taken its place.
      this.receipt = undefined;
    }
    const { transaction, dies } = this.sent;
    for (let number = this.searched + 1; number <= Math.min(best, dies); number++) {
      const hash = await this.books.hashAt(number);
      if (hash === undefined) return { is: "waiting" };
      const index = (await this.books.transactions(hash)).indexOf(transaction);
      if (index >= 0) {
        const outcome = await this.outcome({ hash, number, index }, best);
        this.receipt = { block: { hash, number, index }, ...outcome, finalised: number <= finalised };
        return { is: "there", receipt: this.receipt };
      }
      if (number <= finalised) this.searched = number;
    }
    return this.searched >= dies ? { is: "never" } : { is: "waiting" };
  }

  private async outcome({ hash, number, index }: Receipt["block"], best: number): Promise<Pick<Receipt, "fee" | "failure" | "unknown">> {
    try {
      return { ...(await this.books.outcome(hash, index)), unknown: false };
    } catch (reason) {
      // A node that is away tells later. One that is there and knows the block has lost its state, and never will.
      if (best - number <= STATES || (await this.books.hashAt(number)) !== hash) throw reason;
      return { fee: undefined, failure: undefined, unknown: true };
    }
  }
}
