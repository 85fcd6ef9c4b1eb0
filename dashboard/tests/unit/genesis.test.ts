import assert from "node:assert/strict";
import { test } from "node:test";
import { Genesis } from "../../src/chain/genesis";

/** A node that answers when the test says so. */
function asked() {
  const open: { answer: (genesis: string) => void; fail: () => void }[] = [];
  const told: string[] = [];
  const genesis = new Genesis(
    () => new Promise<string>((answer, reject) => open.push({ answer, fail: () => reject(new Error("no answer")) })),
    (said) => told.push(said),
  );
  return { genesis, open, told };
}

test("a node that didn't say which chain it follows is asked again, and one that did isn't", async () => {
  const { genesis, open, told } = asked();
  const first = genesis.connected();
  // One question at a time.
  await genesis.look();
  assert.equal(open.length, 1);
  open[0]?.fail();
  await first;
  assert.deepEqual(told, []);
  const second = genesis.look();
  open[1]?.answer("0x1");
  await second;
  await genesis.look();
  assert.deepEqual([told, open.length], [["0x1"], 2]);
});

test("after the connection broke the chain is asked for anew, and an answer from before counts no more", async () => {
  const { genesis, open, told } = asked();
  const before = genesis.connected();
  const after = genesis.connected();
  open[0]?.answer("0xbefore");
  await before;
  // Nor does it stand in the way of another question.
  await genesis.look();
  assert.deepEqual([told, open.length], [[], 2]);
  open[1]?.answer("0xafter");
  await after;
  assert.deepEqual(told, ["0xafter"]);
});
