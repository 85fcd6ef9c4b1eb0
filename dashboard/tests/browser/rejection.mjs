// A result that was made up: why the others turned it down, wherever people look. It needs a network with a trainer that cheats:
// tests/network/tests/all/cheat.rs.
import assert from "node:assert/strict";
import { live, picture, table, visit } from "./browser.mjs";

const EVE = "5HGjWAeFDfFCWPsjFQdVV2Msvz2XtMktvgocEZcCj68kUMaw";
/** Rounds until one of its results is voted down. */
const LIMIT = { timeout: 360_000 };

/** What PCs said of this result, as the chain's events have it. */
async function votesOn(chain, record) {
  const votes = { members: 0, reject: 0 };
  const round = record.round.toNumber();
  for (let number = record.openedAt.toNumber(); number <= record.settledAt.toNumber(); number++) {
    const at = await chain.api.at(await chain.block(number));
    for (const { event } of await at.query.system.events()) {
      if (event.section !== "stakeVoting" || !["PollOpened", "VoteRevealed"].includes(event.method)) continue;
      const { proposal, members, vote } = event.data;
      if (proposal.round.toNumber() !== round || proposal.proposer.toString() !== EVE) continue;
      if (event.method === "PollOpened") votes.members = members.toNumber();
      else if (vote.isReject) votes.reject += 1;
    }
  }
  return votes;
}

export async function a_made_up_result_is_told_with_why_it_was_rejected({ browser, chain }) {
  const page = await browser.open();
  await live(page);
  // One whose vote was seen from the beginning: of others only the weights are known.
  const found = await page.waitForFunction(
    () =>
      [...document.querySelectorAll("#happened [data-kind=rejected]")]
        .map(({ textContent }) => textContent)
        .find((text) => text.includes(" computed another result: ")),
    undefined,
    LIMIT,
  );
  const said = await found.jsonValue();
  const parts = /^✕(Eve’s result of round ([\d,]+) was rejected: ((\d+) of (\d+) PCs computed another result: .+)\.)$/.exec(said);
  assert(parts, said);
  const [, sentence, numbered, why, rejecting, members] = parts;
  const round = Number(numbered.replaceAll(",", ""));
  // A reason in words, not by its name.
  assert(!why.includes("a check failed"), why);
  await picture(page, "rejected");

  const records = await (await chain.at(await chain.block(await chain.newest()))).rounds(0);
  const record = records.find((one) => one.round.toNumber() === round);
  const proposal = record.proposals.find(({ proposer }) => proposer.toString() === EVE);
  assert.equal(proposal.outcome.type, "Rejected");
  assert.deepEqual(await votesOn(chain, record), { members: Number(members), reject: Number(rejecting) });

  const { committee, reject } = proposal.tally;
  const disagreed = `${(Number((reject.toBigInt() * 1_000_000n) / committee.toBigInt()) / 10_000).toFixed(0)} %`;
  await visit(page, `#/round/0/${round}`, `Round ${numbered}`);
  await page.waitForSelector("[data-table=proposals] tbody tr");
  const row = (await table(page, "proposals")).find(([who]) => who === "Eve");
  assert.deepEqual([row[1], row[2], row[4], row[5]], ["rejected", why, disagreed, "0"]);
  assert(await page.$(`.happened [data-kind=rejected] a[href="#/account/${EVE}"]`));

  await visit(page, `#/account/${EVE}`, "Eve");
  await page.waitForSelector("[data-table=results] tbody tr");
  const mine = (await table(page, "results")).find(([number]) => number === numbered);
  assert.deepEqual(mine.slice(1, 4), ["rejected", why, "0"]);
  const lately = await page.$$eval(".happened [data-kind=rejected]", (all) => all.map(({ textContent }) => textContent));
  assert(lately.includes(`✕${sentence}`), lately.join(" | "));
  await page.done();
}
