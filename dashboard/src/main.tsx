/**
 * The page's beginning: first what can be shown at once, then the trainer's first word, then the chain.
 *
 * Must never make a request that leaves this PC: to the trainer that served it, and to the node that the trainer names.
 */
import { render } from "preact";
import { startClock } from "./app/clock";
import { startRouter } from "./app/router";
import { Shell } from "./app/shell";
import { startTheme } from "./app/theme";
import * as chain from "./chain";
import { addressOfHex } from "./format/address";
import { payments } from "./money";
import * as trainer from "./trainer";

startTheme();
startRouter();
startClock();

// Which node, and whose account, is for the trainer to say.
trainer.status.subscribe(() => {
  const status = trainer.status.get();
  if (status?.node_rpc_port !== undefined) chain.start(status.node_rpc_port);
  // A trainer that was just started doesn't know it yet.
  if (status?.genesis) chain.expect(status.genesis);
  const sheet = status?.last_sheet;
  if (sheet) chain.heard(sheet.block, Date.now() - sheet.seconds_ago * 1000);
  chain.mine(status?.account ? addressOfHex(status.account) : undefined);
});
trainer.start();
// Follows them as soon as there is a chain.
chain.whenThere(() => payments.restore());
// The tab's memory has the question that is paid for: nobody else could have it answered.
addEventListener("beforeunload", (event) => {
  if (!payments.areOnTheirWay()) return;
  event.preventDefault();
  // For browsers of before 2024.
  event.returnValue = true;
});

const app = document.getElementById("app");
if (app) {
  app.textContent = "";
  render(<Shell />, app);
}
