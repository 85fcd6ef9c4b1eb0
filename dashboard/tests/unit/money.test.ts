import assert from "node:assert/strict";
import { test } from "node:test";
import type { Found, Loose, Model, Order, Receipt, Sent, Snapshot } from "../../src/chain";
import { numberFor, submit } from "../../src/chain/pay";
import { type Bank, offer, stillHolds, transfer } from "../../src/money/offer";
import { Payments, type World, isOnItsWay, isSettled } from "../../src/money/payments";
import { heldOut, question } from "../../src/money/question";
import type { Answer } from "../../src/trainer";
import { PRICE, cantCost, cantPay } from "../../src/words/asking";

const HYDRA = 1_000_000_000_000n;
const ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
const BOB = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";
const ORDER: Order = { kind: "send", to: BOB, amount: HYDRA };
const ASK: Order = { kind: "ask", model: 0, requestHash: "0x11" };

const receipt = (hash: string, more: Partial<Receipt> = {}): Found => ({
  is: "there",
  receipt: { block: { hash, number: 11, index: 1 }, fee: 7n, unknown: false, failure: undefined, finalised: false, ...more },
});
const ANSWER: Answer = { model: 0, version: 3, weights: "0x", truth: null, label: 4, probabilities: [] };

/** Chain and trainer, as the test says they are. */
class Told implements World<string> {
  found: Found = { is: "waiting" };
  submitted = 0;
  nonce = 3;
  /** What the last one that was signed had to beware of. */
  loose: Loose | undefined;
  problem: { refused: boolean; text: string } | undefined;
  answers: ((answer: Answer | Error) => void)[] = [];
  blocksAsked: (() => string | null | undefined)[] = [];
  private readonly listeners = new Set<() => void>();
  private readonly stored = new Map<string, string>();
  readonly kept = {
    getItem: (key: string) => this.stored.get(key) ?? null,
    setItem: (key: string, value: string) => void this.stored.set(key, value),
    removeItem: (key: string) => void this.stored.delete(key),
  };
  signs = async (order: Order) => ({
    bytes: "0x00",
    sent: { transaction: `0x${order.kind}${this.submitted}`, genesis: "0x0", born: 10, dies: 74, nonce: this.nonce },
  });

  sign(order: Order, _: string, __: string, loose: (genesis: string) => Loose | undefined) {
    this.loose = loose("0x0");
    return this.signs(order);
  }
  async submit() {
    this.submitted += 1;
    if (this.problem) throw Object.assign(new Error(this.problem.text), { refused: this.problem.refused });
  }
  isRefusal(reason: unknown) {
    return (reason as { refused?: boolean }).refused === true;
  }
  isOurs(sent: Sent) {
    return sent.genesis === "0x0";
  }
  follow() {
    return { look: async () => this.found };
  }
  onBlock(told: () => void) {
    this.listeners.add(told);
    return () => this.listeners.delete(told);
  }
  answer(_: string, block: () => string | null | undefined) {
    this.blocksAsked.push(block);
    return new Promise<Answer>((resolve, reject) =>
      this.answers.push((answer) => (answer instanceof Error ? reject(answer) : resolve(answer))),
    );
  }
  /** A new block, at which things are so. */
  async block(found: Found) {
    this.found = found;
    for (const told of [...this.listeners]) told();
    await this.quiet();
  }
  /** Until all that was waiting for each other is done. */
  async quiet() {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  }
}

/** The payments of a page that has looked at what was kept. */
function paymentsOf(world: Told): Payments<string> {
  const payments = new Payments(world);
  payments.restore();
  return payments;
}

test("nothing was sent is said of what was not signed or not taken, and of nothing else", async () => {
  const world = new Told();
  const payments = paymentsOf(world);
  world.signs = async () => {
    throw new Error("the key was locked again");
  };
  await payments.pay(ORDER, "key", ALICE);
  const refused = payments.of.send.get()?.stage;
  assert(refused?.is === "refused" && /Nothing was sent/.test(refused.problem) && world.submitted === 0);

  const taken = new Told();
  taken.problem = { refused: true, text: "1010: Invalid Transaction" };
  const others = paymentsOf(taken);
  await others.pay(ORDER, "key", ALICE);
  const not = others.of.send.get()?.stage;
  assert(not?.is === "refused" && /Nothing was sent/.test(not.problem));

  // The connection broke while it was handed over: it may have arrived, and has.
  const broken = new Told();
  broken.problem = { refused: false, text: "the node did not answer" };
  const doubtful = paymentsOf(broken);
  await doubtful.pay(ORDER, "key", ALICE);
  const unknown = doubtful.of.send.get()?.stage;
  assert(unknown?.is === "sent" && unknown.doubt === "the node did not answer");
  await broken.block(receipt("0xa"));
  assert.equal(doubtful.of.send.get()?.stage.is, "there");
});

/** What handing over ends with, where the node answers so; `broke`: the connection did meanwhile. */
async function handedOver(answer: unknown, broke = false): Promise<string> {
  let breaks = 0;
  const request = async <T>(): Promise<T> => {
    if (broke) breaks += 1;
    if (typeof answer === "string") return answer as T;
    throw answer;
  };
  const sent = { transaction: "0x1", genesis: "0x0", born: 1, dies: 65, nonce: 0 };
  return submit({ request, breaks: () => breaks }, { bytes: "0x00", sent }).then(
    () => "taken",
    (reason: Error) => `${reason.name}: ${reason.message}`,
  );
}

test("only the pool's own refusal, over one connection, says that the node has not taken it", async () => {
  const pool = (code: number, data = "") => Object.assign(new Error("Invalid Transaction"), { code, data });
  assert.equal(await handedOver("0x11"), "taken");
  assert.equal(await handedOver(pool(1013)), "taken");
  assert.equal(await handedOver(pool(1010, "Inability to pay some fees")), "NotTaken: Invalid Transaction: Inability to pay some fees");
  // Handed over again after a break, it may be stale because it is in a block.
  assert.equal(await handedOver(pool(1010, "Transaction is outdated"), true), "Error: Invalid Transaction");
  assert.equal(await handedOver(pool(-32603)), "Error: Invalid Transaction");
  assert.equal(await handedOver(new Error("the node did not answer")), "Error: the node did not answer");
});

test("while a payment is on its way there is no second one, whoever opens the dialog again", async () => {
  const world = new Told();
  const payments = paymentsOf(world);
  await Promise.all([payments.pay(ORDER, "key", ALICE), payments.pay(ORDER, "key", ALICE)]);
  payments.putAway("send");
  await payments.pay(ORDER, "key", ALICE);
  assert.equal(world.submitted, 1);
  await world.block(receipt("0xa", { finalised: true }));
  const paid = payments.of.send.get();
  assert(paid && isSettled(paid) && !isOnItsWay(paid));
  payments.putAway("send");
  assert.equal(payments.of.send.get(), undefined);
  await payments.pay(ORDER, "key", ALICE);
  assert.equal(world.submitted, 2);
});

test("a payment whose block is replaced is on its way again, and may be in none in the end", async () => {
  const world = new Told();
  const payments = paymentsOf(world);
  await payments.pay(ORDER, "key", ALICE);
  await world.block(receipt("0xa"));
  assert.equal(payments.of.send.get()?.stage.is, "there");
  await world.block({ is: "waiting" });
  assert.equal(payments.of.send.get()?.stage.is, "sent");
  await payments.pay(ORDER, "key", ALICE);
  assert.equal(world.submitted, 1);
  await world.block({ is: "never" });
  const never = payments.of.send.get();
  assert(never?.stage.is === "never" && isSettled(never));
});

test("a question that is paid is put once, about the block that has it then", async () => {
  const world = new Told();
  const payments = paymentsOf(world);
  await payments.pay(ASK, "key", ALICE, "the question");
  await world.block(receipt("0xa"));
  await world.block(receipt("0xb"));
  assert.equal(world.answers.length, 1);
  const block = world.blocksAsked[0];
  assert.equal(block?.(), "0xb");
  await world.block({ is: "waiting" });
  assert.equal(block?.(), undefined);
  await world.block(receipt("0xc", { finalised: true }));
  assert.equal(block?.(), "0xc");
  const asked = payments.of.ask.get();
  assert(asked && !isSettled(asked));
  // Not answered yet: it can't be put away.
  payments.putAway("ask");
  assert(payments.of.ask.get());
  world.answers[0]?.(ANSWER);
  await world.quiet();
  const answered = payments.of.ask.get();
  assert.deepEqual(answered?.answer, ANSWER);
  assert(answered && isSettled(answered));
});

test("a question that failed to be paid is not put, and one that is refused for good ends", async () => {
  const world = new Told();
  const payments = paymentsOf(world);
  await payments.pay(ASK, "key", ALICE, "the question");
  await world.block(receipt("0xa", { failure: "HydraToken: NothingToAsk", finalised: true }));
  assert.equal(world.answers.length, 0);
  payments.putAway("ask");
  world.found = { is: "waiting" };
  await payments.pay(ASK, "key", ALICE, "the question");
  await world.block(receipt("0xb", { finalised: true }));
  world.answers[0]?.(new Error("there is no image 7"));
  await world.quiet();
  const refused = payments.of.ask.get();
  assert.deepEqual(refused?.problem, { text: "there is no image 7", passing: false });
  assert(refused && isSettled(refused));
});

test("a page that is loaded again goes on with what was paid, and is still no second payment", async () => {
  const world = new Told();
  const before = paymentsOf(world);
  await before.pay(ASK, "key", ALICE, "the question");
  await before.pay(ORDER, "key", ALICE);

  const payments = new Payments(world);
  // Nothing is paid before it is known what was.
  assert.match(String(await payments.pay(ORDER, "key", ALICE)), /^Nothing was sent: .* Try again/);
  assert.equal(payments.of.send.get(), undefined);
  payments.restore();
  // That one is shown already.
  assert.equal(await payments.pay(ORDER, "key", ALICE), undefined);
  assert.equal(world.submitted, 2);
  const kept = payments.of.send.get();
  assert(kept?.order.kind === "send" && kept.order.amount === HYDRA);
  await world.block(receipt("0xa", { finalised: true }));
  assert.equal(payments.of.ask.get()?.stage.is, "there");
  world.answers.at(-1)?.(ANSWER);
  await world.quiet();
  assert.deepEqual(payments.of.ask.get()?.answer, ANSWER);
  payments.putAway("ask");
  payments.putAway("send");
  assert.equal(world.kept.getItem("hydra-payments"), null);
});

test("what was kept of another chain, or is damaged, is not gone on with", () => {
  const world = new Told();
  const payments = paymentsOf(world);
  const sent = { transaction: "0x1", genesis: "0xother", born: 1, dies: 65, nonce: 0 };
  const other = { order: ASK, account: ALICE, question: "q", sent, stage: { is: "sent" } };
  for (const text of [JSON.stringify([other]), "{", "7", '[{"order":null}]']) {
    world.kept.setItem("hydra-payments", text);
    payments.restore();
    assert.equal(payments.of.ask.get(), undefined, text);
  }
});

test("what was kept of another chain is still kept when something is paid here", async () => {
  const world = new Told();
  const sent = { transaction: "0x1", genesis: "0xother", born: 1, dies: 65, nonce: 0 };
  const other = { order: ASK, account: ALICE, question: "q", sent, stage: { is: "sent" } };
  world.kept.setItem("hydra-payments", JSON.stringify([other]));
  const payments = paymentsOf(world);
  await payments.pay(ORDER, "key", ALICE);
  await world.block(receipt("0xa", { finalised: true }));
  payments.putAway("send");
  assert.deepEqual(JSON.parse(world.kept.getItem("hydra-payments") ?? ""), [other]);
});

test("a payment that isn't final is not put away, and there is no second one beside it", async () => {
  const world = new Told();
  const payments = paymentsOf(world);
  await payments.pay(ORDER, "key", ALICE);
  await world.block(receipt("0xa"));
  payments.putAway("send");
  assert.equal(payments.of.send.get()?.stage.is, "there");
  await payments.pay(ORDER, "key", ALICE);
  assert.equal(world.submitted, 1);
  await world.block(receipt("0xa", { finalised: true }));
  payments.putAway("send");
  assert.equal(payments.of.send.get(), undefined);
});

test("a payment whose outcome the node has forgotten is over, and a question of that kind is put to the trainer", async () => {
  const world = new Told();
  const payments = paymentsOf(world);
  await payments.pay(ORDER, "key", ALICE);
  await payments.pay(ASK, "key", ALICE, "the question");
  await world.block(receipt("0xa", { fee: undefined, unknown: true }));
  const [sent, asked] = [payments.of.send.get(), payments.of.ask.get()];
  assert(sent && isSettled(sent) && !isOnItsWay(sent));
  assert(asked && !isSettled(asked) && world.answers.length === 1);
});

test("a question that was refused after it was paid can be put again", async () => {
  const world = new Told();
  const payments = paymentsOf(world);
  await payments.pay(ASK, "key", ALICE, "the question");
  await world.block(receipt("0xa", { finalised: true }));
  payments.askAgain();
  assert.equal(world.answers.length, 1);
  world.answers[0]?.(new Error("not now"));
  await world.quiet();
  assert.equal(payments.of.ask.get()?.problem?.passing, false);
  payments.askAgain();
  payments.askAgain();
  assert.equal(world.answers.length, 2);
  world.answers[1]?.(ANSWER);
  await world.quiet();
  assert.deepEqual(payments.of.ask.get()?.answer, ANSWER);
});

test("what the node said is nowhere is remembered, until the account's number is used by another of its kind", async () => {
  const world = new Told();
  world.problem = { refused: true, text: "1010: Invalid Transaction" };
  await paymentsOf(world).pay(ORDER, "key", ALICE);
  assert.equal(world.loose, undefined);
  world.problem = undefined;
  // A page that is loaded again, too.
  const payments = paymentsOf(world);
  await payments.pay(ORDER, "key", BOB);
  assert.equal(world.loose, undefined);
  await world.block({ is: "never" });
  world.found = { is: "waiting" };
  await payments.pay(ASK, "key", ALICE, "the question");
  assert.equal(world.loose, undefined);
  await payments.pay(ORDER, "key", ALICE);
  const found = world.loose as Loose | undefined;
  assert.deepEqual([found?.nonce, found?.until], [3, 74]);
  await world.block(receipt("0xa", { finalised: true }));
  payments.putAway("send");
  world.found = { is: "waiting" };
  await payments.pay(ORDER, "key", ALICE);
  assert.equal(world.loose, undefined);
  await world.block(receipt("0xb", { finalised: true }));
  payments.putAway("send");
  // The other account's is in no block that this page was shown.
  await payments.pay(ORDER, "key", BOB);
  const loose = world.loose as Loose | undefined;
  assert.equal(loose?.nonce, 3);
});

test("the next transaction has the number of one that may still be in a block", () => {
  assert.equal(numberFor(4, undefined, 50), 4);
  assert.equal(numberFor(4, { nonce: 4, until: 74 }, 74), 4);
  // Whatever number the node would like better.
  assert.equal(numberFor(3, { nonce: 4, until: 74 }, 50), 4);
  assert.throws(() => numberFor(5, { nonce: 4, until: 74 }, 50), /after block 74/);
  assert.equal(numberFor(5, { nonce: 4, until: 74 }, 75), 5);
});

test("nothing is paid while the node catches up, and no other price than the one that trainers look for", () => {
  assert.equal(cantPay({ syncing: false } as Snapshot), undefined);
  assert.match(String(cantPay({ syncing: true } as Snapshot)), /catching up.*Pay when it is done\./);
  assert.match(String(cantPay(undefined)), /hasn’t told/);
  assert.equal(cantCost(PRICE), undefined);
  assert.match(String(cantCost(2n * PRICE)), /costs 1 HYDRA, and this page knows 0\.5 HYDRA/);
  assert.match(String(cantCost(undefined)), /does not say/);
});

const bank = (spendable: bigint, fee: bigint): Bank => ({
  feeOf: async () => fee,
  accountOf: async () => ({ funds: { free: spendable, held: 0n, spendable } }),
});

test("what was checked for one key is checked again for another, and for another price or fee", async () => {
  const shown = await offer(bank(10n * HYDRA, 5n), ORDER, HYDRA, ALICE);
  assert(typeof shown !== "string");
  assert.equal(shown.left, 9n * HYDRA - 5n);
  const again = await offer(bank(10n * HYDRA, 4n), ORDER, HYDRA, ALICE);
  assert(typeof again !== "string" && stillHolds(shown, again));
  for (const other of [
    await offer(bank(10n * HYDRA, 5n), ORDER, HYDRA, BOB),
    await offer(bank(10n * HYDRA, 6n), ORDER, HYDRA, ALICE),
    await offer(bank(10n * HYDRA, 5n), ORDER, HYDRA + 1n, ALICE),
  ]) {
    assert(typeof other !== "string" && !stillHolds(shown, other));
  }
  assert.match(String(await offer(bank(HYDRA, 1n), ORDER, HYDRA, ALICE)), /can spend 1 HYDRA; this costs 1.000000000001 HYDRA/);
});

test("a transfer goes to another account of this network, and has an amount", () => {
  assert.deepEqual(transfer(` ${BOB} `, "2.5", ALICE), { to: BOB, amount: (5n * HYDRA) / 2n });
  for (const [to, amount, words] of [
    [BOB.replace("HneW", "HneV"), "1", /no address/],
    [ALICE, "1", /account that pays/],
    [BOB, "0", /above 0/],
    [BOB, "1,5", /comma/],
  ] as const) {
    assert.match(String(transfer(to, amount, ALICE)), words);
  }
});

test("a held-out digit that does not exist is refused before it is paid for", () => {
  const model = { score: { correct: 350, total: 360 } } as Model;
  assert.equal(heldOut(" 359 ", model), 359);
  assert.match(String(heldOut("360", model)), /360 held-out digits: choose one from 0 to 359/);
  assert.match(String(heldOut("999999999", model)), /choose one/);
  for (const bad of ["", "-1", "7.5", "1e2", "1234567890"]) assert.match(String(heldOut(bad, model)), /figures only/);
  assert.match(String(heldOut("0", { score: undefined } as Model)), /not known yet/);
});

test("a question is the bytes whose hash is paid for, and nobody can guess them", () => {
  const asked = question(0, { ValidationIndex: 7 }, new Uint8Array(32).fill(0x5c));
  assert.equal(asked.text, `{"model":0,"image":{"ValidationIndex":7},"salt":"${"5c".repeat(32)}"}`);
  // As the trainer computes it: `offchain-trainer/api/src/question.rs`.
  assert.equal(asked.hash, "0xbeaa6af2ae006d8f81939c16a0078d0e3b1623bab47ae257c8b71410a4c7234b");
  const [one, other] = [question(0, { ValidationIndex: 7 }), question(0, { ValidationIndex: 7 })];
  assert.notEqual(one.hash, other.hash);
  assert.match(one.text, /"salt":"[0-9a-f]{64}"/);
});
