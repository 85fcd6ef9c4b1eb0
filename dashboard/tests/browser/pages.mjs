// The explorer: every page by its address, and from the search box.
import assert from "node:assert/strict";
import { live, picture, table, visit } from "./browser.mjs";
import { HYDRA, amountIn } from "./chain.mjs";

const ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
const BOB = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";

const DRAWS = { First: "the first draw", Appeal: "the appeal", Last: "the last draw" };

export async function a_round_says_what_became_of_each_place_and_why({ browser, chain }) {
  const page = await browser.open();
  await live(page);
  await visit(page, "#/rounds/0", "Rounds of");
  await page.waitForSelector("[data-table=rounds] tbody tr");
  const [newest] = await table(page, "rounds");
  const number = Number(newest[0].replaceAll(",", ""));
  await visit(page, `#/round/0/${number}`, `Round ${newest[0]}`);
  await page.waitForSelector("[data-table=places] tbody tr");
  const shown = await table(page, "places");
  const records = await (await chain.at(await chain.block(await chain.newest()))).rounds(0);
  const record = records.find((round) => round.round.toNumber() === number);
  assert.equal(shown.length, record.places.length);
  for (const [index, [place, , outcome, why, draw]] of shown.entries()) {
    const known = record.places[index];
    assert.equal(Number(place), known.place.toNumber());
    assert.equal(outcome, known.outcome.isSome ? known.outcome.unwrap().type.toLowerCase() : "nothing");
    if (outcome !== "accepted") continue;
    // By how many seats, where the page saw the poll.
    assert.match(why, /^(\d+ of \d+ seats|all seats of the first draw that gave a digest|more than half of the [\d,]+ seats of the .+) computed the same$/);
    assert.equal(draw, DRAWS[known.draw.type]);
  }
  assert(shown.some(([, , outcome]) => outcome === "accepted"), JSON.stringify(shown));
  await page.done();
}

/** The address of a poll of the round that is under way, from its page; rounds go on meanwhile. */
async function pollUnderWay(page, chain) {
  for (let tries = 0; tries < 10; tries++) {
    const at = await chain.at(await chain.block(await chain.newest()));
    const round = (await at.model(0)).round.toNumber();
    await visit(page, `#/round/0/${round}`, `Round ${round.toLocaleString("en")}`);
    const found = await page.waitForFunction(() => {
      const link = document.querySelector("[data-table=open-places] a[href^='#/poll/']");
      if (link) return { href: link.getAttribute("href"), stands: link.textContent };
      // It is settled.
      return document.querySelector("[data-table=places]") ? { href: undefined } : undefined;
    });
    const poll = await found.jsonValue();
    if (poll.href) return poll;
  }
  throw new Error("no round showed a poll");
}

export async function the_places_of_the_round_under_way_lead_to_their_polls({ browser, chain }) {
  const page = await browser.open();
  await live(page);
  const { href, stands } = await pollUnderWay(page, chain);
  assert.match(stands, /^(\d+ of [\d,]+ seats of the .+ gave their digest|The seats of the .+ are being drawn|It is decided by )/);
  const id = href.replace("#/poll/", "");
  await visit(page, href, "Poll");
  await page.waitForFunction(
    () => document.querySelector("[data-table=seats]") ?? document.querySelector("main")?.textContent?.includes("This poll is over"),
  );
  for (const [who, seats, digest] of await table(page, "seats")) {
    assert(["Alice", "Bob", "Charlie", "Dave"].includes(who), who);
    assert(Number(seats) > 0);
    assert(["given", "not given yet"].includes(digest), digest);
  }
  await picture(page, "poll");
  // It ends, and what happened in it stays.
  await page.waitForFunction(() => document.querySelector("main")?.textContent?.includes("This poll is over"));
  await page.waitForSelector(".happened [data-kind=poll-decided]");
  assert.equal(await (await chain.at(await chain.block(await chain.newest()))).poll(id), undefined);
  await page.done();
}

export async function an_account_says_what_it_is_drawn_for_now({ browser }) {
  const page = await browser.open({ path: `#/account/${BOB}` });
  await page.waitForSelector("main [data-field=room]");
  assert.match(await page.textContent("main [data-field=room]"), /^up to \d+ tasks? at a time, each of up to \d+ [MG]iB \(size class \d+\); it has \d+ now$/);
  assert.match(await page.textContent("main [data-field=standing]"), /^registered, /);
  // Of four alike, each holds a place and has seats in nearly every round.
  for (const [doing, standing] of [
    ["train place", "proposed"],
    ["check place", "digest given"],
  ]) {
    await page.waitForFunction(
      ([what, how]) =>
        [...document.querySelectorAll("[data-table=duties] tbody tr")].some(
          ({ children: [first, , last] }) => first.textContent.startsWith(what) && last.textContent === how,
        ),
      [doing, standing],
      { timeout: 90_000 },
    );
  }
  await page.done();
}

export async function accounts_say_whom_draws_are_made_from_and_who_makes_blocks({ browser, chain }) {
  const page = await browser.open({ path: "#/accounts" });
  await page.waitForSelector("[data-table=accounts] tbody tr");
  const read = () =>
    page.evaluate(() => ({
      hash: document.querySelector(".pulse a").getAttribute("title"),
      session: document.querySelector("main [data-field=session]").textContent,
      electorate: document.querySelector("main [data-field=electorate]").textContent,
      next: document.querySelector("main [data-field=next]").textContent,
      bucket: document.querySelector("main [data-field=bucket]").textContent,
      committee: document.querySelector("main [data-field=committee]").textContent,
      states: [...document.querySelectorAll("[data-table=accounts] tbody tr td:nth-child(2)")].map(({ textContent }) => textContent),
    }));
  const shown = await read();
  const at = await chain.at(shown.hash);
  const electorate = await at.electorate();
  assert.equal(shown.session, electorate.session.toNumber().toLocaleString("en"));
  const accounts = electorate.accounts.toNumber();
  assert(shown.electorate.startsWith(`${accounts} PC${accounts === 1 ? "" : "s"} with a weight of `), shown.electorate);
  assert(shown.next.startsWith(`${electorate.nextAccounts.toNumber()} PC`), shown.next);
  const committee = await at.committee();
  assert(shown.committee.startsWith(`${committee.length} PC`), shown.committee);
  assert.equal(shown.states.filter((state) => state.includes("makes blocks")).length, committee.length);
  // It fills from block to block; what storage has is of the block in which something was last paid.
  const level = await at.bucket();
  const since = BigInt((await chain.api.rpc.chain.getHeader(shown.hash)).number.toNumber()) - level.get("at").toBigInt();
  const [least, bucket] = [level.get("has").toBigInt(), amountIn(shown.bucket)];
  const most = least + since * level.get("emission").get("perBlock").toBigInt();
  assert(bucket > least - HYDRA / 10_000n && bucket <= most, `${least} ${bucket} ${most}`);
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
  await search("referendum 1234");
  await page.waitForFunction(() => document.querySelector("h1")?.textContent === "Referendum 1,234");
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

export async function figures_lead_to_what_they_come_from({ browser }) {
  const page = await browser.open();
  await live(page);
  await page.waitForFunction(() => document.querySelector("#wallet [data-field=earned]")?.textContent?.match(/\d/));
  const account = `#/account/${ALICE}`;
  const made = /^#\/(round\/0\/\d+|model\/0)$/;
  const places = {
    "wallet balance": account,
    "wallet pending": account,
    "wallet stake": account,
    "wallet earned": account,
    "this-pc contribution": account,
    "this-pc score": account,
    "this-pc room": account,
    "this-pc version": "#/model/0",
    "this-pc round": /^#\/round\/0\/\d+$/,
    "this-pc pending": /^#\/round\/0\/\d+$/,
    "model accuracy": made,
    "model version": made,
    "model share": "#/model/0",
    "network peers": "#/accounts",
    "network size": "#/accounts",
    "network session": "#/accounts",
    "network committee": "#/accounts",
    "network height": /^#\/block\/0x/,
    "network finalised": /^#\/block\/0x/,
  };
  for (const [name, place] of Object.entries(places)) {
    const [panel, field] = name.split(" ");
    const to = await page.getAttribute(`#${panel} [data-field=${field}] > a`, "href");
    assert(typeof place === "string" ? to === place : place.test(to), `${name} leads to ${to}`);
  }
  await page.click("#model [data-field=accuracy] > a");
  await page.waitForFunction(() => /^(Round|Model)/.test(document.querySelector("h1")?.textContent ?? ""));
  await page.done();
}

export async function a_reader_of_older_blocks_is_not_scrolled_away_by_new_ones({ browser }) {
  const page = await browser.open({ height: 420 });
  await live(page);
  await visit(page, "#/blocks", "Blocks");
  await page.waitForFunction(() => document.querySelectorAll("[data-table=blocks] tbody tr").length >= 10);
  const line = await page.evaluate(() => {
    const rows = document.querySelectorAll("[data-table=blocks] tbody tr");
    const row = rows[6];
    scrollBy({ top: row.getBoundingClientRect().top - 60, behavior: "instant" });
    return {
      link: row.querySelector("th a").getAttribute("href"),
      top: row.getBoundingClientRect().top,
      beginning: rows[0].getBoundingClientRect().top,
      newest: Number(rows[0].querySelector("th").textContent.replaceAll(",", "")),
    };
  });
  assert(line.beginning < 0, "nobody reads further down");
  await page.waitForFunction(
    (before) => Number(document.querySelector("[data-table=blocks] tbody th").textContent.replaceAll(",", "")) >= before + 2,
    line.newest,
  );
  const top = await page.$eval(`[data-table=blocks] th a[href="${line.link}"]`, (link) => link.closest("tr").getBoundingClientRect().top);
  assert(Math.abs(top - line.top) < 2, `the line went from ${line.top} to ${top}`);
  await page.done();
}
