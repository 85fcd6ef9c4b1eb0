import assert from "node:assert/strict";
import { test } from "node:test";
import type { Snapshot } from "../../src/chain/types";
import { peersOf } from "../../src/panels/peers";
import type { Reachability, TrainerPeer, TrainerStatus } from "../../src/trainer";
import { reachAdvice, reachInFull, reachOf, wayOf } from "../../src/words/reach";

const OPEN = ["/ip4/192.168.1.5/tcp/30400/p2p/12D3", "/ip4/192.168.1.5/udp/30400/quic-v1/p2p/12D3"];
const peer = (peer_id: string, more: Partial<TrainerPeer> = {}): TrainerPeer => ({ peer_id, address: "a", latency_ms: 7, agent: null, ...more });
const MAPPED = "this PC's router passes a port on to it, so others reach it at 203.0.113.7:30400: 2 of them got in";
const status = (state: string, listen = OPEN, peers: TrainerPeer[] = [], reachability: Partial<Reachability> = {}): TrainerStatus => ({
  version: "0.1.0",
  account: null,
  standing: "ready",
  peer_id: "12D3",
  listen,
  peers,
  reachability: { state, reason: "so it is.", ...reachability },
  engine: { state: "ready", reason: null, instructions: "avx2" },
  models: [],
  last_sheet: null,
  clock: null,
  warnings: [],
  errors: [],
});

test("how others reach this PC is a sentence with its reason", () => {
  const at = "203.0.113.7:30400";
  const mapped = status("mapped", OPEN, [], { at, reason: MAPPED });
  assert.equal(reachInFull(mapped), "others reach this PC through its router at 203.0.113.7:30400: 2 of them got in");
  const directly = status("public", OPEN, [], { at, reason: "others reach this PC at 203.0.113.7:30400: one of them got in" });
  assert.equal(reachInFull(directly), "others reach this PC directly at 203.0.113.7:30400: one of them got in");
  assert.equal(reachOf(status("mapped")), "through the router");
  for (const state of ["unknown", "public", "punched", "relayed", "unreachable"]) {
    assert.match(reachInFull(status(state)) ?? "", /others.*: so it is$/);
    assert.notEqual(reachOf(status(state)), state);
  }
  assert.equal(reachInFull(status("public", OPEN, [], { reason: "" })), "others reach this PC directly");
  // Where the reason doesn’t have the place, nothing is left out.
  assert.equal(reachInFull(status("public", OPEN, [], { at })), "others reach this PC directly: so it is");
});

test("a word that is newer than this page is repeated, and a trainer that says nothing is no fault", () => {
  for (const state of ["carried", "constructor"]) {
    assert.equal(reachOf(status(state)), state);
    assert.match(reachInFull(status(state)) ?? "", new RegExp(`newer than this page \\(${state}\\)`));
  }
  const { reachability: _, ...silent } = status("public");
  for (const it of [undefined, silent, { ...silent, reachability: null }]) {
    assert.deepEqual([reachOf(it), reachInFull(it), reachAdvice(it)], [undefined, undefined, undefined]);
  }
});

test("who is reached badly is told which ports to open, unless nobody is meant to reach it", () => {
  const advised = (state: string, listen = OPEN) => status(state, listen, [], { advice: "open_ports" });
  assert.match(reachAdvice(advised("unreachable")) ?? "", /router pass port 30400, TCP and UDP, on to this PC/);
  assert.match(reachAdvice(advised("unreachable", [])) ?? "", /the trainer’s port/);
  assert.match(reachAdvice(advised("unreachable", ["/ip4/0.0.0.0/tcp/443/tls/ws", ...OPEN])) ?? "", /port 30400/);
  assert.match(reachAdvice(advised("relayed")) ?? "", /^switch on UPnP in the router, or pass on port 30400 of TCP and UDP there/);
  for (const state of ["relayed", "unreachable", "unknown"]) {
    const here = advised(state, ["/ip4/127.0.0.1/tcp/30412", "/ip6/::1/udp/30412/quic-v1"]);
    assert.equal(reachAdvice(here), undefined);
    assert.equal(reachOf(here), "by this PC only");
    assert.match(reachInFull(here) ?? "", /^only programs of this PC/);
  }
});

test("nobody is told to turn on what the router does already", () => {
  const ways = { open_by_hand: "by hand", open_outer_router: "the router between yours and the internet" };
  for (const [advice, words] of Object.entries(ways)) {
    for (const state of ["relayed", "unreachable"]) {
      const told = reachAdvice(status(state, OPEN, [], { advice })) ?? "";
      assert.equal(told.includes("UPnP"), false, told);
      for (const part of [words, "port 30400, TCP and UDP", "30333", "a public IP address of your own"]) assert.equal(told.includes(part), true, told);
      assert.equal(told.endsWith("until then it works by relay"), state === "relayed", told);
    }
  }
});

test("where the trainer has no advice, or one that is newer than this page, nothing is told", () => {
  for (const state of ["unknown", "public", "mapped", "punched", "relayed", "unreachable", "carried"]) {
    for (const advice of [null, "wait_for_ipv9"]) assert.equal(reachAdvice(status(state, OPEN, [], { advice })), undefined);
    assert.equal(reachAdvice(status(state)), undefined);
  }
});

test("the way to a peer is what is known of it", () => {
  assert.equal(wayOf({ path: "direct", transport: "quic" }), "direct, QUIC");
  assert.equal(wayOf({ path: "relayed", transport: null }), "relayed");
  assert.equal(wayOf({ transport: "carrier" }), "carrier");
  assert.equal(wayOf({}), undefined);
});

test("each peer has its way, and one that isn’t connected has none", () => {
  const snapshot = {
    members: [{ address: "5x", peerId: "away", active: true, paused: false, score: 0.5 }],
    electorate: { registered: 1 },
  } as unknown as Snapshot;
  const said = peersOf(status("public", OPEN, [peer("b", { path: "relayed", transport: "tcp" }), peer("a")]), snapshot);
  assert.deepEqual(said.map(({ peerId, way, relayed }) => [peerId, way, relayed]), [
    ["a", undefined, false],
    ["b", "relayed, TCP", true],
    ["away", undefined, false],
  ]);
});
