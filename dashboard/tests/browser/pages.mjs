// The explorer: every page by its address, and from the search box.
import assert from "node:assert/strict";
import { live, picture, table, visit } from "./browser.mjs";

const BOB = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";

export async function a_round_says_why_each_result_was_accepted({ browser, chain }) {
  const page = await browser.open();
  await live(page);
  await visit(page, "#/rounds/0", "Rounds of");
  await page.waitForSelector("[data-table=rounds] tbody tr");
  const [newest] = await table(page, "rounds");
  const number = Number(newest[0]);
  await visit(page, `#/round/0/${number}`, `Round ${number}`);
  await page.waitForSelector("[data-table=proposals] tbody tr");
  const shown = await table(page, "proposals");
  const records = await (await chain.at(await chain.block(await chain.newest()))).rounds(0);
  const record = records.find((round) => round.round.toNumber() === number);
  assert.equal(shown.length, record.proposals.length);
  for (const [, outcome, why] of shown) {
    assert.equal(outcome, "accepted");
    assert.match(why, /of the voting weight agreed$/);
  }
  await page.done();
}

export async function a_block_and_its_extrinsics_are_those_of_the_chain({ browser, chain }) {
  const number = (await chain.newest()) - 3;
  // A deep link, opened in a new window.
  const page = await browser.open({ path: `#/block/${number}` });
  await page.waitForSelector("[data-table=extrinsics] tbody tr");
  const hash = await chain.block(number);
  assert((await page.textContent("main")).includes(hash));
  const { block } = await chain.api.rpc.chain.getBlock(hash);
  const shown = await table(page, "extrinsics");
  assert.equal(shown.length, block.extrinsics.length);
  for (const [index, extrinsic] of block.extrinsics.entries()) {
    const { section, method } = extrinsic.method;
    const snake = method.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    assert.equal(shown[index][1].split(" ")[0].toLowerCase(), `${section}.${snake}`.toLowerCase());
  }
  const last = block.extrinsics.length - 1;
  await page.click(`[data-table=extrinsics] tbody tr:nth-child(${last + 1}) a`);
  await page.waitForFunction(() => document.querySelector("h1")?.textContent === "Extrinsic");
  await page.waitForFunction((wanted) => document.querySelector("main")?.textContent?.includes(wanted), block.extrinsics[last].hash.toHex());
  await page.done();
}

export async function the_first_block_and_one_that_is_not_there_are_told_apart({ browser }) {
  const page = await browser.open();
  await live(page);
  await visit(page, "#/block/0", "Block 0");
  await page.waitForFunction(() => document.querySelector("main")?.textContent?.includes("the first block has none"));
  await visit(page, "#/block/99999999", "Block 99,999,999");
  await page.waitForFunction(() => document.querySelector("main")?.textContent?.includes("knows no such block"));
  await page.done();
}

export async function one_box_finds_accounts_blocks_and_rounds({ browser }) {
  const page = await browser.open();
  await live(page);
  const search = async (text) => {
    await page.fill("input[type=search]", text);
    await page.press("input[type=search]", "Enter");
  };
  await search(BOB);
  await page.waitForFunction(() => document.querySelector("h1")?.textContent === "Bob");
  await page.waitForSelector("[data-table=results] tbody tr");
  await search("round 0");
  await page.waitForFunction(() => document.querySelector("h1")?.textContent === "Round 0");
  await search("3");
  await page.waitForFunction(() => document.querySelector("h1")?.textContent === "Block 3");
  await search(BOB.replace("FHne", "FHnf"));
  await page.waitForFunction(() => document.querySelector("[role=search] .problem")?.textContent?.includes("wrong letter"));
  await page.done();
}

export async function the_model_card_has_the_weights_of_the_chain({ browser, chain }) {
  const page = await browser.open({ path: "#/model/0" });
  await live_card(page);
  const text = await page.textContent("main");
  const at = await chain.at(await chain.block(await chain.newest()));
  const model = await at.model(0);
  assert(text.includes("4,810 parameters"), text);
  const records = await at.rounds(0);
  const known = [model.weights.toHex(), ...records.map((round) => round.weights.unwrapOr(undefined)?.toHex())];
  assert(known.some((weights) => weights && text.includes(weights)), "the weights are those of a version of the chain");
  await picture(page, "model-card");
  await page.done();
}

const live_card = (page) => page.waitForFunction(() => document.querySelector("main")?.textContent?.includes("parameters"));
