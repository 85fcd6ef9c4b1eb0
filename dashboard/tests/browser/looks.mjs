// How it looks and reads: no barrier that a machine can find, in light and dark, wide and narrow, and with the keyboard.
import assert from "node:assert/strict";
import { hasNoBarrier, scrollsOneWayOnly } from "./barriers.mjs";
import { live, picture, settled, visit } from "./browser.mjs";

const BOB = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";

const VIEWS = [
  ["#/", "Dashboard"],
  ["#/blocks", "Blocks"],
  ["#/block/2", "Block 2"],
  ["#/accounts", "Accounts"],
  [`#/account/${BOB}`, "Bob"],
  ["#/rounds/0", "Rounds of"],
  ["#/round/0/0", "Round 0"],
  ["#/model/0", "Model"],
  [`#/poll/0x${"00".repeat(32)}`, "Poll"],
  ["#/extrinsic/2/0", "Extrinsic"],
  ["#/governance", "Governance"],
  ["#/referendum/0", "Referendum 0"],
];

export async function no_view_has_a_barrier_in_light_or_dark({ browser }) {
  for (const colorScheme of ["light", "dark"]) {
    const page = await browser.open({ colorScheme });
    await live(page);
    for (const [hash, heading] of VIEWS) {
      await visit(page, hash, heading);
      await settled(page);
      await hasNoBarrier(page, `${hash}, ${colorScheme}`);
    }
    await visit(page, "#/", "Dashboard");
    for (const [button, dialog] of [
      ["#wallet button:text('Send')", "#send"],
      ["#wallet button:text('Receive')", "#receive"],
      ["button:text('Draw a digit and ask')", "#ask"],
      ["button:text('Add a peer')", "#add-peer"],
    ]) {
      await page.click(button);
      await page.waitForSelector(dialog);
      if (dialog === "#receive") await page.waitForSelector("svg.qr");
      await hasNoBarrier(page, `${dialog}, ${colorScheme}`);
      await page.keyboard.press("Escape");
      await page.waitForSelector(dialog, { state: "detached" });
    }
    if (colorScheme === "dark") await picture(page, "dashboard-dark");
    await page.done();
  }
}

export async function light_and_dark_can_be_chosen_and_are_remembered({ browser }) {
  const page = await browser.open({ colorScheme: "light" });
  await live(page);
  const paper = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await paper();
  await page.click("button:text('Light or dark')");
  const dark = await paper();
  assert.notEqual(light, dark);
  await page.reload();
  await live(page);
  assert.equal(await paper(), dark);
  await page.done();
}

export async function narrow_screens_scroll_one_way_only({ browser }) {
  const page = await browser.open({ width: 360, height: 740 });
  await live(page);
  for (const [hash, heading] of VIEWS) {
    await visit(page, hash, heading);
    await settled(page);
    await scrollsOneWayOnly(page, hash);
  }
  await visit(page, "#/", "Dashboard");
  await picture(page, "dashboard-narrow");
  await page.done();
}

export async function the_keyboard_reaches_everything_and_sees_where_it_is({ browser }) {
  const page = await browser.open();
  await live(page);
  const reached = [];
  for (let press = 0; press < 250; press++) {
    await page.keyboard.press("Tab");
    const seen = await page.evaluate(() => {
      const element = document.activeElement;
      const outline = getComputedStyle(element).outlineStyle;
      if (element === document.body) return undefined;
      return { text: (element.getAttribute("aria-label") ?? element.textContent ?? "").trim(), outline };
    });
    // Past the end.
    if (!seen) break;
    assert.notEqual(seen.outline, "none", `no mark on “${seen.text}”`);
    reached.push(seen.text);
  }
  for (const wanted of ["Skip to the content", "Accounts", "Send", "Receive", "Draw a digit and ask · 0.5 HYDRA", "Accuracy over versions", "Add a peer", "Licences of what this page is made of"]) {
    assert(reached.includes(wanted), `${wanted} is not among ${reached.join(", ")}`);
  }
  await page.focus("[role=slider]");
  const reading = () => page.getAttribute("[role=slider]", "aria-valuetext");
  const newest = await reading();
  await page.keyboard.press("Home");
  assert.notEqual(await reading(), newest);
  await page.done();
}

export async function exact_times_come_on_focus_and_go_with_escape({ browser, chain }) {
  const page = await browser.open();
  await live(page);
  // The two newest blocks stay only while they are that, unless something happened in them.
  const time = await page.waitForSelector("#happened li:nth-child(3) time");
  const exact = await time.$(".exact");
  assert(!(await exact.isVisible()));
  await time.focus();
  assert(await exact.isVisible());
  // For who listens.
  const described = await time.evaluate((element) => document.getElementById(element.getAttribute("aria-describedby")).textContent);
  assert.equal(described, await exact.textContent());
  await page.keyboard.press("Escape");
  assert(!(await exact.isVisible()));
  const block = Number(await time.evaluate((element) => element.closest("li").dataset.block));
  const made = (await (await chain.api.at(await chain.block(block))).query.timestamp.now()).toNumber();
  assert.equal(Date.parse(described.replace(" ", "T")), made - (made % 1000));
  await time.focus();
  await hasNoBarrier(page, "an exact time");
  await page.done();
}
