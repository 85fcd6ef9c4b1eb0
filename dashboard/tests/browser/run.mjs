// Looks at the dashboard of a running PC in a real Chromium, as a person would, and compares it with what chain and
// trainer say. Started by tests/network/tests/all/dashboard.rs.
//
//   node run.mjs --page http://127.0.0.1:9948/ --rpc ws://127.0.0.1:9944 --node-pid 123 --trainer-pid 124 --node PROGRAM --node-args JSON
//
// With HYDRA_SCREENSHOTS=DIR, pictures of it go there. Each story is named after what it shows; the first that fails ends it.
import { parseArgs } from "node:util";
import { Browser } from "./browser.mjs";
import { Chain } from "./chain.mjs";
import * as panels from "./panels.mjs";
import * as pages from "./pages.mjs";
import * as money from "./money.mjs";
import * as strangers from "./strangers.mjs";
import * as looks from "./looks.mjs";
import * as away from "./away.mjs";

const { values: options } = parseArgs({
  options: {
    page: { type: "string" },
    rpc: { type: "string" },
    only: { type: "string" },
    "node-pid": { type: "string" },
    "trainer-pid": { type: "string" },
    node: { type: "string" },
    "node-args": { type: "string" },
  },
});

const chain = await Chain.connect(options.rpc);
const browser = await Browser.launch(options.page);
const context = { options, chain, browser, page: options.page, rpc: options.rpc };
// The last one takes the node away for good. A module's exports come in the order of the alphabet, so it is named.
const { a_node_that_goes_is_missed_and_found_again: last, ...others } = away;
const stories = {
  ...strangers,
  ...panels,
  ...pages,
  ...looks,
  ...money,
  ...others,
  a_node_that_goes_is_missed_and_found_again: last,
};
try {
  for (const [name, story] of Object.entries(stories)) {
    if (options.only && !name.includes(options.only)) continue;
    const started = Date.now();
    try {
      await story(context);
    } catch (error) {
      console.error(`failed: ${name}`);
      throw error;
    }
    console.log(`ok: ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  }
} finally {
  await browser.close();
  await chain.disconnect();
}
