// Looks at the dashboard of a running PC in a real Chromium, as a person would, and compares it with what chain and
// trainer say. Started by tests/network/tests/all/dashboard.rs.
//
//   node run.mjs --page http://127.0.0.1:9948/ --rpc ws://127.0.0.1:9944 --node-pid 123 --trainer-pid 124 --node PROGRAM --node-args JSON
//
// With --only TEXT, the stories whose name has that in it. With HYDRA_SCREENSHOTS=DIR, pictures of it go there. Each story is named after what it shows; the first that fails ends it.
import { parseArgs } from "node:util";
import { Browser } from "./browser.mjs";
import { Chain } from "./chain.mjs";
import * as panels from "./panels.mjs";
import * as pages from "./pages.mjs";
import * as money from "./money.mjs";
import * as strangers from "./strangers.mjs";
import * as looks from "./looks.mjs";
import * as governance from "./governance.mjs";
import * as rejection from "./rejection.mjs";
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
  ...governance,
  ...others,
  a_node_that_goes_is_missed_and_found_again: last,
  // Of another network than the one that all the others are of: only when asked for.
  ...(options.only ? rejection : {}),
};
// It counts milliseconds, so nothing else may run beside it.
const first = "the_first_view_is_painted_within_a_second";
// What waits for something rare goes on beside the others, until someone is taken away.
const patient = [
  "the_task_moves_on_without_a_reload",
  "the_trainer_tells_how_far_its_training_is",
  "a_change_of_the_rules_is_told_before_it_happens",
];
let told = 0;

async function tell(name) {
  if (options.only && !name.includes(options.only)) return;
  told += 1;
  const started = Date.now();
  try {
    await stories[name](context);
  } catch (error) {
    console.error(`failed: ${name}`);
    throw error;
  }
  console.log(`ok: ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
}

try {
  await tell(first);
  const waiting = Promise.all(patient.map(tell));
  // It is looked at below; until then it is no error that nobody cares for.
  waiting.catch(() => {});
  for (const name of Object.keys(stories)) {
    if (name === first || patient.includes(name)) continue;
    if (name in away) await waiting;
    await tell(name);
  }
  await waiting;
  if (told === 0) throw new Error(`no story is called “${options.only}”`);
} catch (error) {
  console.error(`open pages: ${await browser.standing()}`);
  throw error;
} finally {
  await browser.close();
  await chain.disconnect();
}
