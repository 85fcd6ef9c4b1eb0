// Rules change by referenda: what is proposed, how it stands and when it happens, beside what the chain says of the same.
import assert from "node:assert/strict";
import { hasNoBarrierInEitherTheme, scrollsOneWayOnly } from "./barriers.mjs";
import { live, picture, settled, table, visit } from "./browser.mjs";
import { HYDRA, amountIn } from "./chain.mjs";

const hex = (text) => `0x${Buffer.from(text).toString("hex")}`;
const MARK = { key: hex("the dashboard was here"), value: hex("by referendum") };
/** The longest that a step of a referendum may take. */
const STEP = { timeout: 120_000 };
/** Blocks from approval to the call: time enough to look. */
const ENACTMENT = 15;

/** Votes aye, with all but 10 HYDRA: what is bonded votes, too. */
async function vote(chain, name, index) {
  const who = chain.pair(name);
  const { data } = await chain.api.query.system.account(who.address);
  const balance = data.free.toBigInt() + data.reserved.toBigInt() - 10n * HYDRA;
  const ballot = { Standard: { vote: { aye: true, conviction: "Locked1x" }, balance } };
  await chain.sendAgainIfLost(chain.api.tx.convictionVoting.vote(index, ballot), who);
}

/** A referendum as the chain has it, when it has it: another branch may need a block for what was in the last one. */
async function referendum(chain, index) {
  for (let left = 10; ; left -= 1) {
    const info = await chain.api.query.referenda.referendumInfoFor(index);
    if (info.isSome || left === 0) return info.unwrap();
    await chain.blocks(1);
  }
}

/** Notes all that is said of what happened, since a line goes when others come. */
const note = (page) =>
  page.evaluate(() => {
    globalThis.said = new Set();
    const panel = document.querySelector("#happened");
    const look = () => {
      for (const { textContent } of panel.querySelectorAll(".said")) globalThis.said.add(textContent);
    };
    look();
    new MutationObserver(look).observe(panel, { childList: true, characterData: true, subtree: true });
  });

export async function a_change_of_the_rules_is_told_before_it_happens({ browser, chain, rpc }) {
  const { tx, query, registry, events } = chain.api;
  const eve = chain.pair("Eve");
  const page = await browser.open({ path: "#/governance" });
  await page.waitForFunction(() => document.querySelector("main")?.textContent?.includes("No referendum is under way."));
  const home = await browser.open();
  await live(home);
  await note(home);

  // Its hash first: nobody can read it yet.
  const { method } = tx.system.setStorage([[MARK.key, MARK.value]]);
  const hash = registry.hash(method.toU8a()).toHex();
  const proposal = { Lookup: { hash, len: method.toU8a().length } };
  const sent = await chain.send(tx.referenda.submit({ system: "Root" }, proposal, { After: ENACTMENT }), eve);
  const index = sent.find((event) => events.referenda.Submitted.is(event)).data.index.toNumber();
  const one = `[data-referendum="${index}"]`;
  const field = (name) => page.textContent(`${one} [data-field=${name}]`);
  const says = (name, text) =>
    page.waitForFunction(
      ([where, wanted]) => document.querySelector(where)?.textContent?.includes(wanted),
      [`${one} [data-field=${name}]`, text],
      STEP,
    );
  await says("asked", "the chain has only its hash");
  assert.match(await field("stage"), /^Waits for somebody who lays down 100 HYDRA, which comes back; over in block [\d,]+ \(expected in /);
  const submitted = async () => (await referendum(chain, index)).asOngoing.submitted.toNumber();
  await says("submitted", `in block ${(await submitted()).toLocaleString("en")} by Eve`);

  await chain.send(tx.preimage.notePreimage(method.toHex()), eve);
  await says("asked", "writes into the chain’s state");
  // Before the vote, which locks nearly everything.
  await chain.send(tx.referenda.placeDecisionDeposit(index), eve);
  await vote(chain, "Eve", index);
  await says("stage", "Is being decided");
  await says("approval", "100.00 %");
  const status = (await referendum(chain, index)).asOngoing;
  assert.equal(amountIn(await field("ayes")), status.tally.ayes.toBigInt());
  assert.equal(amountIn(await field("nays")), 0n);
  assert.equal(amountIn(await field("support")), status.tally.support.toBigInt());
  assert.match(await field("approval"), /^100\.00 % of votes are aye; needed: 66\.7 %$/);
  const [, share, now, last] = /, ([\d.]+) % of all HYDRA; needed: ([\d.]+) % now, ([\d.]+) % in the last block$/.exec(await field("support"));
  const all = (await query.balances.totalIssuance()).toBigInt() - (await query.balances.inactiveIssuance()).toBigInt();
  const near = (shown, right, by) => assert(Math.abs(Number(shown) - right) <= by, `${shown} is not ${right}`);
  near(share, Number((status.tally.support.toBigInt() * 10_000n) / all) / 100, 0.02);
  const since = status.deciding.unwrap().since.toNumber();
  const decision = (await query.governance.lengths()).root.decision.toNumber();
  // It falls evenly, from half to a tenth; page and chain may be some blocks apart.
  near(now, 50 - (40 * ((await chain.newest()) - since)) / decision, 4);
  near(last, 10, 0.05);
  assert.equal(await page.textContent(`${one} [data-field=stage] a`), (since + decision).toLocaleString("en"));
  assert.equal(await field("track"), "root");
  const { port } = new URL(rpc);
  assert.equal((await page.textContent("[data-field=vote]")).trim(), `https://polkadot.js.org/apps/?rpc=ws%3A%2F%2F127.0.0.1%3A${port}#/referenda`);
  await picture(page, "governance");
  await hasNoBarrierInEitherTheme(page, "a referendum");
  const narrow = await browser.open({ path: "#/governance", width: 360, height: 740 });
  await narrow.waitForSelector(one);
  await scrollsOneWayOnly(narrow, "a referendum");
  await narrow.done();

  await Promise.all(["Charlie", "Dave"].map((name) => vote(chain, name, index)));
  // On every page.
  const notice = await (await home.waitForSelector("[data-notice=rules-change]", STEP)).textContent();
  const name = registry.hash(registry.createType("([u8; 8], Text, u32)", [hex("assembly"), "enactment", index]).toU8a());
  const [when] = (await query.scheduler.lookup(name)).unwrap();
  const number = when.toNumber().toLocaleString("en");
  assert.equal(
    notice,
    `The rules change at block ${number}, within the hour. Referendum ${index} was approved. It writes into the chain’s state. What is decided, and by whom`,
  );
  await hasNoBarrierInEitherTheme(home, "a change of the rules");
  await home.click("[data-notice=rules-change] a");
  await home.waitForFunction((wanted) => document.querySelector("h1")?.textContent === wanted, `Referendum ${index}`);
  await settled(home);
  assert((await home.textContent("[data-list=planned]")).startsWith(`Block ${number}`));
  await visit(home, "#/", "Dashboard");
  await note(home);

  // The chain has forgotten what it was; the page has seen it.
  await page.waitForSelector(`[data-table=decided] a[href="#/referendum/${index}"]`, STEP);
  const block = (await referendum(chain, index)).asApproved[0].toNumber();
  const approved = [String(index), "approved", "writes into the chain’s state", "root", block.toLocaleString("en")];
  assert.deepEqual((await table(page, "decided")).find(([number]) => number === approved[0]), approved);
  // A page that comes later asks for the state before.
  const later = await browser.open({ path: `#/referendum/${index}` });
  await later.waitForSelector("[data-table=decided] tbody tr");
  assert.deepEqual(await table(later, "decided"), [approved]);
  await hasNoBarrierInEitherTheme(later, "a referendum that is over");
  await later.done();

  await home.waitForSelector("[data-notice=rules-change]", { ...STEP, state: "detached" });
  const value = (await chain.api.rpc.state.getStorage(MARK.key)).unwrapOr(undefined)?.toHex();
  assert.equal(value, MARK.value);
  await home.waitForFunction((wanted) => [...globalThis.said].some((text) => text.endsWith(wanted)), `What referendum ${index} asked for was done.`, STEP);
  await page.done();
  await home.done();
}

export async function what_happens_to_referenda_is_told_as_it_does({ browser, chain }) {
  const { tx, events } = chain.api;
  const ferdie = chain.pair("Ferdie");
  const page = await browser.open();
  await live(page);
  await note(page);
  const inline = { Inline: tx.system.remark("0x00").method.toHex() };
  const sent = await chain.send(tx.referenda.submit({ system: "Root" }, inline, { After: 0 }), ferdie);
  const index = sent.find((event) => events.referenda.Submitted.is(event)).data.index.toNumber();
  await chain.send(tx.referenda.placeDecisionDeposit(index), ferdie);
  await page.waitForFunction(
    (wanted) => wanted.every((text) => [...globalThis.said].some((said) => said.endsWith(text))),
    [
      `Referendum ${index} was submitted: see what it asks for, and vote.`,
      `Ferdie laid down 100 HYDRA for a decision on referendum ${index}.`,
      `Referendum ${index} is being decided from now on.`,
    ],
    STEP,
  );
  await page.click(`#happened [data-kind=referendum] a[href="#/referendum/${index}"]`);
  await page.waitForFunction((wanted) => document.querySelector("h1")?.textContent === wanted, `Referendum ${index}`);
  await page.waitForFunction(() => document.querySelector("[data-field=asked]")?.textContent === "leaves a remark, and changes nothing");
  await page.done();
}
