// Money: a key unlocked in the page, a question drawn and paid for, HYDRA sent; each compared with the chain's books.
import assert from "node:assert/strict";
import { hasNoBarrierInEitherTheme } from "./barriers.mjs";
import { live, picture } from "./browser.mjs";
import { HYDRA, amountIn } from "./chain.mjs";

const PASSWORD = "correct horse battery staple";
const EVE = "5HGjWAeFDfFCWPsjFQdVV2Msvz2XtMktvgocEZcCj68kUMaw";

async function unlock(page, chain, name, password = PASSWORD) {
  await page.setInputFiles("dialog input[type=file]", {
    name: `${name}.json`,
    mimeType: "application/json",
    buffer: Buffer.from(chain.keystore(name, PASSWORD)),
  });
  await page.fill("dialog input[type=password]", password);
  await page.click("dialog .unlock button[type=submit]");
}

/** The receipt's figures, once nothing can change them: block, and fee in the smallest unit. What the dialog complains of is thrown. */
async function receipt(page) {
  const ended = await page.waitForFunction(() => {
    const complaint = [...document.querySelectorAll("dialog [role=alert]")].map((alert) => alert.textContent.trim()).find((text) => text !== "");
    if (complaint) return { complaint };
    return document.querySelector(".receipt")?.textContent?.includes("final: it can’t be undone") ? { complaint: undefined } : undefined;
  });
  const { complaint } = await ended.jsonValue();
  if (complaint) throw new Error(`the payment ended otherwise: ${complaint}`);
  const block = Number(await page.getAttribute(".receipt", "data-receipt"));
  const text = await page.textContent(".receipt");
  const [fee] = /Fee[\d.,]+ HYDRA/.exec(text);
  const link = await page.getAttribute(".receipt a[href^='#/extrinsic/']", "href");
  return { block, fee: amountIn(fee), hash: link.split("/")[2] };
}

/** Until what has the focus is in this. */
const focused = (page, selector) =>
  page.waitForFunction((wanted) => Boolean(document.activeElement?.closest(wanted)), selector);

export async function a_wrong_password_opens_nothing({ browser, chain }) {
  const page = await browser.open();
  await live(page);
  await page.click("#wallet button:text('Send')");
  // What to type for the file of the account that this PC earns for.
  await page.waitForSelector("dialog .unlock code:text-is('hydra wallet backup --this-pc --out this-pc.json')");
  await unlock(page, chain, "Ferdie", "wrong");
  await page.waitForFunction(() => [...document.querySelectorAll("dialog [role=alert]")].some(({ textContent }) => textContent === "The password is wrong."));
  assert.equal(await page.$("dialog input[name=to]"), null);
  await page.done();
}

export async function hydra_is_sent_in_two_steps_with_a_receipt_that_the_books_confirm({ browser, chain }) {
  const page = await browser.open();
  await live(page);
  const ferdie = chain.pair("Ferdie").address;
  await page.click("#wallet button:text('Send')");
  await unlock(page, chain, "Ferdie");
  await page.waitForSelector("dialog .payer strong:text('Ferdie')");

  await page.fill("dialog input[name=to]", EVE.replace("HGj", "HGk"));
  await page.fill("dialog input[name=amount]", "2,5");
  await page.click("dialog button:text('Review')");
  await page.waitForFunction(() => document.querySelector("#send > [role=alert]")?.textContent?.includes("no address"));
  await page.fill("dialog input[name=to]", EVE);
  await page.click("dialog button:text('Review')");
  await page.waitForFunction(() => document.querySelector("#send > [role=alert]")?.textContent?.includes("without a comma"));
  await page.fill("dialog input[name=amount]", "2.5");
  await page.click("dialog button:text('Review')");
  const review = await page.waitForSelector("dialog .review");
  // What has the focus is what is to be read next.
  await focused(page, ".review");
  const text = await review.textContent();
  // What was checked for one key says nothing of another, or of none.
  await page.click("dialog button:text('Lock')");
  await page.waitForSelector("dialog .review", { state: "detached" });
  await unlock(page, chain, "Eve");
  await page.waitForSelector("dialog .payer strong:text('Eve')");
  assert.equal(await page.$("dialog .review"), null);
  await page.click("dialog button:text('Lock')");
  await unlock(page, chain, "Ferdie");
  await page.waitForSelector("dialog .review");
  for (const said of ["Amount2.5 HYDRA", "Fee0.", "Eve", EVE, "can’t be taken back"]) assert(text.includes(said), text);
  await picture(page, "send");
  await hasNoBarrierInEitherTheme(page, "what is to be confirmed");
  await page.click("dialog button:text('Send 2.5 HYDRA')");
  const { hash, fee } = await receipt(page);
  await focused(page, ".receipt");
  await hasNoBarrierInEitherTheme(page, "a receipt");
  const [before, after] = [await chain.at(await chain.parent(hash)), await chain.at(hash)];
  const sent = (5n * HYDRA) / 2n;
  assert.equal((await after.free(EVE)) - (await before.free(EVE)), sent);
  assert.equal((await before.free(ferdie)) - (await after.free(ferdie)), sent + fee);
  // Signed over the metadata's hash: the chain took it, so the page showed what the chain understood.
  const { block } = await chain.api.rpc.chain.getBlock(hash);
  const signed = block.extrinsics.filter((extrinsic) => extrinsic.isSigned && extrinsic.signer.toString() === ferdie);
  assert.deepEqual(signed.map((extrinsic) => extrinsic.mode.toNumber()), [1]);
  await page.keyboard.press("Escape");
  await page.waitForSelector("#send", { state: "detached" });
  await page.done();
}

/** Draws a one. */
async function draw(page) {
  const box = await (await page.waitForSelector("canvas.pad")).boundingBox();
  const at = (x, y) => [box.x + (x / 240) * box.width, box.y + (y / 240) * box.height];
  await page.mouse.move(...at(122, 25));
  await page.mouse.down();
  for (let y = 30; y <= 215; y += 8) await page.mouse.move(...at(122, y));
  await page.mouse.up();
}

export async function a_digit_that_is_drawn_is_paid_for_and_answered({ browser, chain }) {
  const page = await browser.open();
  await live(page);
  const ferdie = chain.pair("Ferdie").address;
  await page.click("button:text('Draw a digit and ask')");
  await draw(page);
  await page.waitForSelector("svg.pixels");
  await unlock(page, chain, "Ferdie");
  await page.waitForSelector("dialog .payer strong:text('Ferdie')");
  await page.click("dialog button:text('Review')");
  const review = await (await page.waitForSelector("dialog .review")).textContent();
  assert(review.includes("Price0.5 HYDRA"), review);
  await hasNoBarrierInEitherTheme(page, "a question that is to be confirmed");
  await page.click("dialog button:text('Pay 0.5 HYDRA and ask')");
  // Left as soon as it is handed over: the dialog, and the page.
  await page.waitForSelector("[data-stage=sent], .receipt");
  await page.keyboard.press("Escape");
  await page.reload();
  await live(page);
  await page.click("button:text('See your question')");
  const answer = await page.waitForSelector(".answer");
  // How good the model is depends on how long this network has trained; that a drawing arrives as it was drawn, unit tests say.
  assert.match(await answer.getAttribute("data-answer"), /^\d$/, await answer.textContent());
  const given = await page.evaluate(() =>
    JSON.parse(sessionStorage.getItem("hydra-payments")).find(({ order }) => order.kind === "ask").answer,
  );
  assert.equal(given.probabilities.length, 10);
  const sum = given.probabilities.reduce((all, one) => all + one, 0);
  assert(Math.abs(sum - 1) < 1e-3, `${sum}`);
  assert.equal(String(given.label), await answer.getAttribute("data-answer"));
  assert.match(await answer.textContent(), /Version \d+ is \d+\.\d\d % sure/);
  await picture(page, "ask");
  await hasNoBarrierInEitherTheme(page, "an answer");
  const { hash, fee } = await receipt(page);
  const [before, after] = [await chain.at(await chain.parent(hash)), await chain.at(hash)];
  assert.equal((await before.free(ferdie)) - (await after.free(ferdie)), HYDRA / 2n + fee);
  assert.equal((await after.paidIn(0)) - (await before.paidIn(0)), HYDRA / 2n);
  await page.done();
}

export async function a_held_out_digit_can_be_asked_about_with_the_keyboard_alone({ browser, chain }) {
  const page = await browser.open();
  await live(page);
  await page.focus("button:text('Draw a digit and ask')");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#ask");
  await unlock(page, chain, "Ferdie");
  await page.waitForSelector("dialog .payer");
  await page.focus("dialog input[name=index]");
  await page.keyboard.type("100000");
  const press = async (label) => {
    await page.focus(`dialog button:text('${label}')`);
    await page.keyboard.press("Enter");
  };
  await press("Review");
  await page.waitForFunction(() => document.querySelector("#ask > [role=alert]")?.textContent?.includes("choose one from 0 to"));
  await page.focus("dialog input[name=index]");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("7");
  await press("Review");
  await page.waitForSelector("dialog .review");
  await press("Pay 0.5 HYDRA and ask");
  const answer = await (await page.waitForSelector(".answer")).textContent();
  assert.match(answer, /, and it is\.|, but it is a \d\./);
  await page.done();
}
