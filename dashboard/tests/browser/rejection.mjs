// A result that was made up: why the others turned it down and what it cost, wherever people look. It needs a network with a
// trainer that cheats: tests/network/tests/all/cheat.rs.
import assert from "node:assert/strict";
import { live, picture, table, visit } from "./browser.mjs";
import { short } from "./chain.mjs";

const EVE = "5HGjWAeFDfFCWPsjFQdVV2Msvz2XtMktvgocEZcCj68kUMaw";
/** Rounds until one of its results is rejected. */
const LIMIT = { timeout: 360_000 };
const SEATS = { Appeal: "256", Last: "1,024" };
const DRAWS = { First: "the first draw", Appeal: "the appeal", Last: "the last draw" };

/** What became of Eve's rejected places of a round, as the chain's events have it: place, draw, forfeit, and who decided. */
async function rejections(chain, record) {
  const [polls, found] = [new Map(), []];
  const round = record.round.toNumber();
  for (let number = record.openedAt.toNumber(); number <= record.settledAt.toNumber(); number++) {
    const at = await chain.api.at(await chain.block(number));
    for (const { event } of await at.query.system.events()) {
      const name = `${event.section}.${event.method}`;
      const { data } = event;
      if (name === "stakeVoting.PollAsked" && data.purpose.isVerification && data.purpose.asVerification.round.toNumber() === round) {
        polls.set(data.poll.toHex(), { place: data.purpose.asVerification.place.toNumber(), given: {} });
      }
      if (name === "stakeVoting.DigestsClosed" && polls.has(data.poll.toHex())) {
        polls.get(data.poll.toHex()).given[data.draw.type] = `${data.given.toNumber()} of ${data.seats.toNumber()}`;
      }
      if (name !== "trainingProposals.PlaceSettled" || data.place.round.toNumber() !== round) continue;
      if (data.holder.toString() !== EVE || !data.outcome.isRejected) continue;
      const [place, draw] = [data.place.place.toNumber(), data.draw.type];
      const { given } = [...polls.values()].find((poll) => poll.place === place);
      const deciders = draw === "First" ? `${given.First} seats` : `more than half of the ${SEATS[draw]} seats of ${DRAWS[draw]}`;
      found.push({ place, draw, forfeited: data.forfeited.toBigInt(), why: `${deciders} computed another result` });
    }
  }
  return found;
}

export async function a_made_up_result_is_told_with_why_it_was_rejected({ browser, chain }) {
  const page = await browser.open();
  await live(page);
  const found = await page.waitForFunction(
    () =>
      [...document.querySelectorAll("#happened [data-kind=rejected]")]
        .map(({ textContent }) => textContent)
        .find((text) => text.startsWith("✕Eve’s result of round ")),
    undefined,
    LIMIT,
  );
  const said = await found.jsonValue();
  const parts = /^✕(Eve’s result of round ([\d,]+) was rejected: (.+ computed another result)\.( It forfeited ([\d.,]+) HYDRA\.)?)$/.exec(said);
  assert(parts, said);
  const [, sentence, numbered, why, , forfeited] = parts;
  const round = Number(numbered.replaceAll(",", ""));
  await picture(page, "rejected");

  // The round is on record when its other places are settled, too.
  await visit(page, `#/round/0/${round}`, `Round ${numbered}`);
  await page.waitForSelector("[data-table=places] tbody tr");
  const records = await (await chain.at(await chain.block(await chain.newest()))).rounds(0);
  const record = records.find((one) => one.round.toNumber() === round);
  const all = await rejections(chain, record);
  const known = all.find((one) => one.why === why);
  assert(known, `${why}: ${JSON.stringify(all, (_, value) => (typeof value === "bigint" ? `${value}` : value))}`);
  assert.equal(forfeited ?? "0", short(known.forfeited));
  const row = (await table(page, "places")).find(([place]) => Number(place) === known.place);
  assert.deepEqual(row.slice(1), ["Eve", "rejected", why, DRAWS[known.draw], "0", "0"]);
  assert(await page.$(`.happened [data-kind=rejected] a[href="#/account/${EVE}"]`));

  await visit(page, `#/account/${EVE}`, "Eve");
  await page.waitForSelector("[data-table=results] tbody tr");
  const mine = (await table(page, "results")).find(([number, place]) => number === numbered && Number(place) === known.place);
  assert.deepEqual(mine.slice(2, 5), ["rejected", why, "0"]);
  const lately = await page.$$eval(".happened [data-kind=rejected]", (all) => all.map(({ textContent }) => textContent));
  assert(lately.includes(`✕${sentence}`), lately.join(" | "));
  // What it forfeited is told by itself, too, with what for.
  if (known.forfeited > 0n) await page.waitForSelector(".happened [data-kind=forfeited]:has-text('was rejected')");
  await page.done();
}
