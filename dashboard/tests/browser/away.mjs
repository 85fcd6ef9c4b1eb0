// Trainer and node go away and come back: the page says so, keeps what it knew, and goes on by itself.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { hasNoBarrierInEitherTheme } from "./barriers.mjs";
import { PATIENCE, fields, live, picture } from "./browser.mjs";

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Until a process of somebody else's is gone, and its port with it. */
async function gone(pid) {
  for (const end = Date.now() + PATIENCE; Date.now() < end; await pause(50)) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    // Ended, but its parent has not asked how.
    if (/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))) return;
  }
  throw new Error(`process ${pid} is still there`);
}

/** Pauses Alice, or ends that. Her trainer sends transactions, too, so that hers may be overtaken, or be in a block unnoticed. */
async function rest(chain, wanted) {
  const { reputation } = chain.api.tx;
  const alice = chain.pair("Alice");
  try {
    await chain.sendAgainIfLost(wanted ? reputation.pause() : reputation.resume(), alice);
  } catch (error) {
    const at = await chain.at(await chain.block(await chain.newest()));
    if ((await at.member(alice.address)).paused.isTrue !== wanted) throw error;
  }
}

export async function a_pause_is_shown_with_the_command_that_ends_it({ browser, chain }) {
  const page = await browser.open();
  await live(page);
  assert.equal(await page.$("[data-notice=paused]"), null);
  assert.equal(await page.textContent("#this-pc [data-field=rest] code"), "hydra pause");
  await rest(chain, true);
  try {
    await page.waitForSelector("[data-notice=paused]");
    assert.match(await page.textContent("[data-notice=paused]"), /^Paused\. This PC is drawn for nothing new\. .* To go on: `hydra resume`$/);
    await page.waitForFunction(() => document.querySelector("#this-pc [data-field=rest] code")?.textContent === "hydra resume");
    assert.equal(await page.textContent("#this-pc [data-field=score] .note"), " paused");
    await picture(page, "paused");
    await hasNoBarrierInEitherTheme(page, "this PC is paused");
  } finally {
    await rest(chain, false);
  }
  await page.waitForSelector("[data-notice=paused]", { state: "detached" });
  await page.done();
}

export async function a_trainer_that_hangs_is_missed_and_found_again({ browser, options }) {
  const page = await browser.open({ quiet: false });
  await live(page);
  const trainer = Number(options["trainer-pid"]);
  // It ends no connection: only its silence tells.
  process.kill(trainer, "SIGSTOP");
  try {
    await page.waitForSelector("[data-notice=trainer-away]", { timeout: 30_000 });
    assert(await page.$("#this-pc.stale"));
    await hasNoBarrierInEitherTheme(page, "the trainer is away");
  } finally {
    process.kill(trainer, "SIGCONT");
  }
  await page.waitForSelector("[data-notice=trainer-away]", { state: "detached" });
  await page.done();
}

export async function a_node_that_goes_is_missed_and_found_again({ browser, options }) {
  const page = await browser.open({ quiet: false });
  await live(page);
  const before = await fields(page);
  const killed = Number(options["node-pid"]);
  process.kill(killed, "SIGKILL");
  await page.waitForSelector("[data-notice=node-away]");
  assert.match(await page.textContent("[data-notice=node-away]"), /away since \d\d:\d\d:\d\d\. .*from block [\d,]+\./);
  // What was known stays, in grey.
  assert.equal((await fields(page))["wallet.stake"], before["wallet.stake"]);
  assert(await page.$("#network.stale"));
  assert(await page.isDisabled("#wallet button:text('Send')"));
  assert(await page.isDisabled("#model button.primary"));
  await picture(page, "node-away");
  await hasNoBarrierInEitherTheme(page, "the node is away");

  await gone(killed);
  const node = spawn(options.node, JSON.parse(options["node-args"]), { stdio: "ignore" });
  try {
    const height = Number(before["network.height"].replaceAll(",", ""));
    await page.waitForSelector("[data-notice=node-away]", { state: "detached" });
    await page.waitForFunction(
      (old) => Number(document.querySelector("[data-field=height] a")?.textContent?.replaceAll(",", "")) > old,
      height,
    );
    assert.equal(await page.$("#network.stale"), null);
  } finally {
    const ended = once(node, "exit");
    node.kill("SIGTERM");
    await ended;
  }
  await page.done();
}
