// The first view: each panel's fields beside what chain and trainer say.
import assert from "node:assert/strict";
import { fields, live, picture, table } from "./browser.mjs";
import { HYDRA, short } from "./chain.mjs";

const ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

/** Fields and the block they are of, read at one moment. */
async function reading(page) {
  const read = await fields(page);
  const hash = await page.getAttribute("[data-field=height] a", "title");
  // A block came between the two: read again.
  return (await fields(page))["network.height"] === read["network.height"] ? { read, hash } : reading(page);
}

const percent = (share, digits) => `${(share * 100).toFixed(digits)} %`;

export async function the_first_view_is_painted_within_a_second({ browser }) {
  const page = await browser.open();
  await live(page);
  const paint = await page.evaluate(
    () => performance.getEntriesByType("paint").find((entry) => entry.name === "first-contentful-paint")?.startTime,
  );
  assert(paint < 1000, `${paint} ms`);
  // All that came for it, packed as it came.
  const size = await page.evaluate(() =>
    performance
      .getEntries()
      .filter(({ entryType }) => entryType === "resource" || entryType === "navigation")
      .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0),
  );
  assert(size > 50_000 && size < 300_000, `${size} bytes`);
  console.log(`first paint after ${Math.round(paint)} ms, ${size} bytes`);
  await page.done();
}

export async function every_panel_says_what_chain_and_trainer_say({ browser, chain, page: address }) {
  const page = await browser.open();
  await live(page);
  await page.waitForFunction(() => document.querySelector("#wallet [data-field=earned]")?.textContent?.match(/\d/));
  const { read, hash } = await reading(page);
  const at = await chain.at(hash);
  const model = await at.model(0);

  assert.equal(read["network.height"], Number(await heightOf(chain, hash)).toLocaleString("en"));
  const electorate = await at.electorate();
  assert.equal(read["network.size"], `${electorate.registered.toNumber()} PCs`);
  assert.equal(read["network.session"], electorate.session.toNumber().toLocaleString("en"));
  assert.equal(read["network.committee"], `${(await at.committee()).length} PCs`);
  assert(Number(read["network.finalised"].replaceAll(",", "")) <= Number(read["network.height"].replaceAll(",", "")));

  const score = model.score.unwrap();
  assert.equal(read["model.accuracy"], percent(score.correct.toNumber() / score.total.toNumber(), 2));
  assert.equal(read["model.version"], model.confirmedVersion.toNumber().toLocaleString("en"));
  const share = Number(((await at.shares(0, ALICE)) * 1_000_000n) / (await at.allShares(0))) / 1_000_000;
  assert.equal(read["model.share"], percent(share, 1));
  assert.equal(read["this-pc.contribution"], percent(share, 1));

  const member = await at.member(ALICE);
  assert.equal(read["wallet.balance"], short(await at.free(ALICE)));
  assert.equal(read["wallet.stake"], short(member.stake.toBigInt()));
  assert.equal(read["this-pc.room"], `${member.busy.toNumber()} of ${member.room.toNumber()}`);
  assert(read["this-pc.rest"].startsWith("To rest without losing anything, type hydra pause"), read["this-pc.rest"]);
  assert.equal(read["this-pc.score"], (member.reputation.toNumber() / 1e9).toFixed(3));
  assert(read["wallet.address"].includes(ALICE));
  // Nobody has asked yet, so that nothing is owed of questions.
  assert.equal(await at.paidIn(0), 0n);
  const pending = await at.underWay(0, ALICE);
  assert.equal(read["wallet.pending"], pending > 0n ? `+${short(pending)}` : "0");
  const phase = { Pause: "Pausing", Train: "Training", Verify: "Checking" }[model.phase.type];
  assert.equal(read["this-pc.round"], `${model.round.toNumber().toLocaleString("en")} · ${phase}`);
  assert.equal(read["network.node-peers"], (await chain.api.rpc.system.health()).peers.toString());

  // The records of the network's few minutes, all of today.
  const earned = (await at.rounds(0))
    .flatMap((round) => [...round.places])
    .filter((place) => place.holder.toString() === ALICE)
    .reduce((sum, place) => sum + place.reward.toBigInt(), 0n);
  const shown = BigInt(Math.round(Number(read["wallet.earned"].replaceAll(",", "")) * 1e6)) * 10n ** 6n;
  // The list of rounds is read a moment after the block.
  assert(earned - shown >= 0n && earned - shown <= 2n * HYDRA, `${earned} ${shown}`);

  const status = await (await fetch(new URL("/v1/status", address))).json();
  assert.equal(status.genesis, chain.api.genesisHash.toHex());
  assert.equal(read["network.peers"], String(status.peers.length));
  assert.equal(Number(/\d+/.exec(read["this-pc.version"])?.[0]) <= status.models[0].version, true);
  const peers = await table(page, "peers");
  assert.deepEqual(peers.map(([name]) => name).sort(), ["Bob", "Charlie", "Dave"]);
  for (const [, latency, way, state, score] of peers) {
    assert.match(latency, /^(< 1|\d+) ms$/);
    assert.match(way, /^direct, (QUIC|TCP)$/);
    assert.equal(state, "connected, taking part");
    assert(Number(score) > 0);
  }
  assert.equal((await page.$$(".picture .edge")).length, 3);
  await picture(page, "dashboard");
  await page.done();
}

const heightOf = async (chain, hash) => (await chain.api.rpc.chain.getHeader(hash)).number.toNumber();

/** What the trainer says as it happens, as the page hears it, until something is true of it. */
async function toldBy(address, holds) {
  const end = AbortSignal.timeout(90_000);
  const { body } = await fetch(new URL("/v1/events", address), { signal: end });
  let text = "";
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const events = text.split("\n\n");
    text = events.pop();
    for (const event of events) {
      const [, data] = /^data: (.*)$/m.exec(event) ?? [];
      if (data && holds(JSON.parse(data))) return;
    }
  }
  throw new Error("the trainer's events ended");
}

export async function this_pc_says_what_its_trainer_is_doing({ browser }) {
  const page = await browser.open();
  await live(page);
  // Both go on meanwhile: at some moment of a task they must agree.
  await page.waitForFunction(
    async () => {
      const { models } = await (await fetch("/v1/status")).json();
      const work = models.find(({ state }) => state !== "idle");
      const field = (name) => document.querySelector(`#this-pc [data-field=${name}]`)?.textContent;
      const first = (text) => text.charAt(0).toUpperCase() + text.slice(1);
      return (
        work?.task &&
        field("task").startsWith(first(work.task)) &&
        field("pending") === String(work.waiting.verify) &&
        field("version") === `version ${work.version}`
      );
    },
    undefined,
    { polling: 50, timeout: 90_000 },
  );
  await page.done();
}

export async function the_task_moves_on_without_a_reload({ browser }) {
  const page = await browser.open();
  await live(page);
  // Rounds take some 15 seconds; each has training and checking in it. The page notes them itself, so that none is missed.
  await page.evaluate(() => {
    const field = document.querySelector("[data-field=state]");
    globalThis.seen = new Set([field.textContent]);
    new MutationObserver(() => globalThis.seen.add(field.textContent)).observe(field, {
      characterData: true,
      childList: true,
      subtree: true,
    });
  });
  await page.waitForFunction(
    () => globalThis.seen.has("Training") && globalThis.seen.has("Checking others’ results"),
    undefined,
    { timeout: 90_000 },
  );
  await page.done();
}

export async function the_trainer_tells_how_far_its_training_is({ page }) {
  await toldBy(page, ({ models }) =>
    models.some(({ state, progress }) => state === "training" && progress?.done > 0 && progress.done <= progress.total),
  );
}

export async function what_happened_grows_at_the_top_and_says_who_earned_what({ browser }) {
  const page = await browser.open();
  await live(page);
  await page.waitForSelector("#happened [data-kind=earned]");
  const first = await page.getAttribute("#happened li:first-child", "data-block");
  await page.waitForFunction(
    (before) => Number(document.querySelector("#happened li")?.dataset.block) > Number(before),
    first,
  );
  const said = await page.textContent("#happened [data-kind=earned]");
  assert.match(said, /(Alice|Bob|Charlie|Dave).* earned [\d.]+ HYDRA.* is confirmed\./);
  for (const kind of ["accepted", "confirmed"]) await page.waitForSelector(`#happened [data-kind=${kind}]`);
  const numbers = await page.$$eval("#happened li", (rows) => rows.map((row) => Number(row.dataset.block)));
  assert.deepEqual(numbers, [...numbers].sort((a, b) => b - a));
  await page.done();
}
