// A real Chromium, which notes whatever it should not have to: requests that leave this PC, broken policies, errors.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

const CHROMIUM = process.env.HYDRA_TEST_CHROMIUM ?? "/usr/bin/chromium";
/** The longest that anything on the page may take to appear. */
export const PATIENCE = 60_000;

/** The longest that a page may take to say how it stands, once a story has failed. */
const LAST_WORDS = 5_000;

const LOOPBACK = /^(https?|wss?):\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?\//;

export class Browser {
  static async launch(address) {
    const args = ["--no-sandbox", "--host-resolver-rules=MAP evil.example 127.0.0.1"];
    return new Browser(await chromium.launch({ executablePath: CHROMIUM, args }), address);
  }

  constructor(browser, address) {
    this.browser = browser;
    this.address = address;
    /** What each open page has complained of. */
    this.complaints = new Map();
  }

  /** A new window on the page, in light or dark, that must not misbehave. */
  async open({ path = "", colorScheme = "light", width = 1280, height = 900, quiet = true } = {}) {
    const context = await this.browser.newContext({ colorScheme, viewport: { width, height }, reducedMotion: "reduce" });
    const page = await context.newPage();
    const complaints = [];
    this.complaints.set(page, complaints);
    page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
    page.on("console", (message) => {
      // A question that is paid is put again until the trainer has time for it.
      if (message.location().url.endsWith("/v1/paid-question") && message.text().includes("503")) return;
      if (["error", "warning"].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`);
    });
    page.on("request", (request) => {
      if (!LOOPBACK.test(request.url())) complaints.push(`a request left this PC: ${request.url()}`);
    });
    page.on("websocket", (socket) => {
      if (!LOOPBACK.test(socket.url())) complaints.push(`a connection left this PC: ${socket.url()}`);
    });
    // Whoever leaves while a question is on its way is asked.
    page.on("dialog", (dialog) => void dialog.accept());
    page.setDefaultTimeout(PATIENCE);
    await page.goto(new URL(path, this.address).href);
    return Object.assign(page, {
      done: async () => {
        await context.close();
        this.complaints.delete(page);
        if (quiet) assert.deepEqual(complaints, []);
      },
    });
  }

  /** How each open page stands, for whoever looks why a story failed. */
  async standing() {
    const told = [...this.complaints].map(async ([page, complaints]) => {
      const said = page.evaluate(() => ({
        height: document.querySelector("[data-field=height]")?.textContent,
        dialogs: [...document.querySelectorAll("dialog[open]")].map((dialog) => dialog.innerText),
        payments: sessionStorage["hydra-payments"],
      }));
      const late = new Promise((resolve) => setTimeout(resolve, LAST_WORDS, "it says nothing").unref());
      const standing = await Promise.race([said, late]).catch((error) => `it can't be asked: ${error.message}`);
      return { page: page.url(), standing, complaints };
    });
    return JSON.stringify(await Promise.all(told), undefined, 2);
  }

  async close() {
    await this.browser.close();
  }
}

/** Waits until the page shows the chain. */
export async function live(page) {
  await page.waitForSelector(".pulse.up");
  await page.waitForFunction(() => document.querySelector("[data-field=height] a") !== null);
}

/** Every named field of the panels, read at one moment, by `panel.field`. */
export const fields = (page) =>
  page.evaluate(() =>
    Object.fromEntries(
      [...document.querySelectorAll("[data-field]")].map((element) => {
        const copy = element.cloneNode(true);
        // Remarks beside the figure are another field's matter.
        for (const note of copy.querySelectorAll(".note")) note.remove();
        const panel = element.closest("section")?.id ?? "";
        return [`${panel}.${element.dataset.field}`, copy.textContent.trim()];
      }),
    ),
  );

/** What a table shows, a row per line. */
export const table = (page, name) =>
  page.$$eval(`[data-table=${name}] tbody tr`, (rows) =>
    rows.map((row) => [...row.children].map((cell) => cell.textContent.trim())),
  );

/** Waits until a view has all that it asks the node for. */
export const settled = (page) =>
  page.waitForFunction(
    () => ![...document.querySelectorAll("main [role=status]")].some((said) => /^(Asking|Waiting for) the node/.test(said.textContent)),
  );

/** Goes to a view, and waits for its heading. */
export async function visit(page, hash, heading) {
  await page.evaluate((to) => {
    location.hash = to;
  }, hash);
  await page.waitForFunction((wanted) => document.querySelector("h1")?.textContent?.includes(wanted), heading);
}

/** A picture for the documentation, if somebody wants one. */
export async function picture(page, name) {
  const folder = process.env.HYDRA_SCREENSHOTS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}
