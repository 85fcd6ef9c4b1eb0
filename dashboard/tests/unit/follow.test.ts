import assert from "node:assert/strict";
import { test } from "node:test";
import { type Books, Following } from "../../src/chain/follow";

const SENT = { transaction: "0xmine", genesis: "0x0", born: 10, dies: 14, nonce: 3 };

/** A chain that is written by hand: per height the block on the best branch, with its transactions. */
class Chain implements Books {
  readonly blocks = new Map<number, { hash: string; transactions: string[] }>();
  finalised = 10;
  failure: string | undefined;
  problem: Error | undefined;

  put(number: number, hash: string, ...transactions: string[]): void {
    this.blocks.set(number, { hash, transactions });
  }

  async heads() {
    return { best: Math.max(10, ...this.blocks.keys()), finalised: this.finalised };
  }

  async hashAt(number: number) {
    return this.blocks.get(number)?.hash;
  }

  async transactions(hash: string) {
    return [...this.blocks.values()].find((block) => block.hash === hash)?.transactions ?? [];
  }

  async outcome() {
    if (this.problem) throw this.problem;
    return { fee: 7n, failure: this.failure };
  }
}

test("a payment is found in its block, and is final when that is", async () => {
  const chain = new Chain();
  const following = new Following(SENT, chain);
  assert.deepEqual(await following.look(), { is: "waiting" });
  chain.put(11, "0xa", "0xtime", "0xmine");
  const receipt = { block: { hash: "0xa", number: 11, index: 1 }, fee: 7n, unknown: false, failure: undefined, finalised: false };
  assert.deepEqual(await following.look(), { is: "there", receipt });
  chain.finalised = 11;
  assert.deepEqual(await following.look(), { is: "there", receipt: { ...receipt, finalised: true } });
});

test("a payment in a block that is replaced is followed to its end", async () => {
  const chain = new Chain();
  const following = new Following(SENT, chain);
  chain.put(11, "0xa", "0xmine");
  assert.equal((await following.look()).is, "there");
  // Another block at this height, without it.
  chain.put(11, "0xb", "0xother");
  assert.deepEqual(await following.look(), { is: "waiting" });
  chain.put(12, "0xc", "0xmine");
  const found = await following.look();
  assert(found.is === "there" && found.receipt.block.hash === "0xc");
  // And back again, below what was looked at before.
  chain.put(12, "0xd");
  chain.put(11, "0xa", "0xmine");
  const again = await following.look();
  assert(again.is === "there" && again.receipt.block.number === 11);
});

test("that it is in no block is said only when every block that could have it is final", async () => {
  const chain = new Chain();
  const following = new Following(SENT, chain);
  for (const number of [11, 12, 13, 14, 15]) chain.put(number, `0x${number}`, "0xother");
  assert.deepEqual(await following.look(), { is: "waiting" });
  chain.finalised = 13;
  assert.deepEqual(await following.look(), { is: "waiting" });
  // The last one is replaced, and has it.
  chain.put(14, "0xlast", "0xmine");
  assert.equal((await following.look()).is, "there");
  chain.put(14, "0x14", "0xother");
  chain.finalised = 14;
  assert.deepEqual(await following.look(), { is: "never" });
});

test("a block that the node does not show yet is no proof", async () => {
  const chain = new Chain();
  const following = new Following(SENT, chain);
  for (const number of [12, 13, 14, 15]) chain.put(number, `0x${number}`);
  chain.finalised = 15;
  assert.deepEqual(await following.look(), { is: "waiting" });
});

test("a payment that failed in its block is there, with its reason and its fee", async () => {
  const chain = new Chain();
  chain.failure = "Token: FundsUnavailable";
  chain.put(11, "0xa", "0xmine");
  const found = await new Following(SENT, chain).look();
  assert(found.is === "there" && found.receipt.failure === "Token: FundsUnavailable" && found.receipt.fee === 7n);
});

test("a payment that is found when its block's state is gone ends as that, and not before", async () => {
  const chain = new Chain();
  chain.problem = new Error("State already discarded");
  chain.put(11, "0xa", "0xmine");
  chain.put(211, "0xnewest");
  chain.finalised = 208;
  // Young enough to be known: the node is away, or busy.
  await assert.rejects(new Following(SENT, chain).look(), /State already discarded/);
  chain.put(212, "0xnewest");
  const receipt = { block: { hash: "0xa", number: 11, index: 0 }, fee: undefined, failure: undefined, unknown: true, finalised: true };
  assert.deepEqual(await new Following(SENT, chain).look(), { is: "there", receipt });
});

test("a node that went away knows nothing, however old the block is", async () => {
  const chain = new Chain();
  chain.put(11, "0xa", "0xmine");
  chain.put(300, "0xnewest");
  chain.outcome = async () => {
    chain.hashAt = async () => {
      throw new Error("the node did not answer");
    };
    throw new Error("the node did not answer");
  };
  await assert.rejects(new Following(SENT, chain).look(), /did not answer/);
});
