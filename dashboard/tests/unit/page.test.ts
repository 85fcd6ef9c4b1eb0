import assert from "node:assert/strict";
import { test } from "node:test";
import { type Route, href, parseRoute } from "../../src/app/router";
import { meant } from "../../src/app/search";
import { named } from "../../src/format/names";
import { floorOf, ticks } from "../../src/parts/chart";
import { heldOf, movedBy } from "../../src/parts/steady";

const ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

test("every view has an address that leads back to it", () => {
  const routes: Route[] = [
    { view: "home" },
    { view: "blocks" },
    { view: "block", id: "12" },
    { view: "extrinsic", block: "0xab", index: 3 },
    { view: "accounts" },
    { view: "account", address: ALICE },
    { view: "rounds", model: 1 },
    { view: "round", model: 0, round: 7 },
    { view: "model", model: 2 },
    { view: "poll", id: `0x${"ab".repeat(32)}` },
    { view: "governance" },
    { view: "referendum", index: 3 },
  ];
  for (const route of routes) assert.deepEqual(parseRoute(href(route)), route);
  for (const odd of ["#/round/x/1", "#/nothing", "#/block", "#/referendum/x", "#/poll/12", "#/%E0%A4%A"]) {
    assert.equal(parseRoute(odd).view, "unknown");
  }
});

test("one box finds blocks, extrinsics, accounts, rounds, referenda and models", () => {
  const hash = `0x${"ab".repeat(32)}`;
  assert.deepEqual(meant("#1,234", 0), { view: "block", id: "1234" });
  assert.deepEqual(meant(hash.slice(2).toUpperCase(), 0), { view: "block", id: hash });
  assert.deepEqual(meant("12-3", 0), { view: "extrinsic", block: "12", index: 3 });
  assert.deepEqual(meant("Round 12", 1), { view: "round", model: 1, round: 12 });
  assert.deepEqual(meant("referendum 3", 0), { view: "referendum", index: 3 });
  assert.deepEqual(meant("Governance", 0), { view: "governance" });
  assert.deepEqual(meant("model", 0), { view: "model", model: 0 });
  assert.deepEqual(meant(ALICE, 0), { view: "account", address: ALICE });
  named.set(false);
  assert.equal(typeof meant("alice", 0), "string");
  named.set(true);
  assert.deepEqual(meant("alice", 0), { view: "account", address: ALICE });
  assert.match(String(meant(ALICE.slice(0, -1), 0)), /wrong letter/);
});

test("axes have round numbers", () => {
  assert.deepEqual(ticks(0, 1, 4), [0, 0.5, 1]);
  assert.deepEqual(ticks(0.8, 1, 4), [0.8, 0.85, 0.9, 0.95, 1]);
  assert.deepEqual(ticks(3, 14, 4), [5, 10]);
  const point = { x: 1, round: 0, correct: 1, total: 2 };
  assert.equal(floorOf([{ ...point, y: 0.93 }]), 0.9);
  assert.equal(floorOf([{ ...point, y: 0.05 }]), 0);
});

/** Lines of ten pixels each, the list beginning at `listTop`. */
const boxesFrom = (listTop: number, lines: string[]) => (line: string) => {
  const top = listTop + lines.indexOf(line) * 10;
  return { top, bottom: top + 10 };
};

test("who reads further down stays at their line when others come in above", () => {
  const before = ["c", "b", "a"];
  const held = heldOf(-10, before, 100, boxesFrom(-10, before));
  // The first one is out of the window.
  assert.deepEqual(held, [{ line: "b", top: 0 }, { line: "a", top: 10 }]);
  const after = ["e", "d", ...before];
  const topOf = (line: string) => (after.includes(line) ? boxesFrom(-10, after)(line).top : undefined);
  assert.equal(movedBy(held, topOf), 20);
  // The line itself has gone, since the list keeps only so many: then the next one stays.
  const [, a] = held;
  assert(a);
  assert.equal(movedBy([{ line: "gone", top: 0 }, a], topOf), 20);
  // The browser has held it already.
  assert.equal(movedBy(held, (line) => held.find((one) => one.line === line)?.top), 0);
});

test("who sees the beginning of a list sees new lines come", () => {
  const lines = ["b", "a"];
  assert.deepEqual(heldOf(0, lines, 100, boxesFrom(0, lines)), []);
  assert.deepEqual(heldOf(40, lines, 100, boxesFrom(40, lines)), []);
  assert.equal(movedBy([], () => 5), 0);
});
