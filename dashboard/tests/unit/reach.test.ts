import assert from "node:assert/strict";
import { test } from "node:test";
import type { Snapshot } from "../../src/chain/types";
import { peersOf } from "../../src/panels/peers";
import type { TrainerPeer, TrainerStatus } from "../../src/trainer";
import { reachAdvice, reachInFull, reachOf, wayOf } from "../../src/words/reach";

const OPEN = ["/ip4/192.168.1.5/tcp/30400/p2p/12D3", "/ip4/192.168.1.5/udp/30400/quic-v1/p2p/12D3"];
const peer = (peer_id: string, more: Partial<TrainerPeer> = {}): TrainerPeer => ({ peer_id, address: "a", latency_ms: 7, agent: null, ...more });
const status = (state: string, listen = OPEN, peers: TrainerPeer[] = []): TrainerStatus => ({
  version: "0.1.0",
  account: null,
  standing: "ready",
  peer_id: "12D3",
  listen,
  peers,
  reachability: { state, reason: "UPnP opened port 30400." },
  engine: { state: "ready", reason: null, instructions: "avx2" },
  models: [],
  last_sheet: null,
  clock: null,
  warnings: [],
  errors: [],
});

test("how others reach this PC is a sentence with its reason", () => {
  assert.equal(reachInFull(status("mapped")), "others reach this PC through its router: UPnP opened port 30400");
  assert.equal(reachOf(status("mapped")), "through the router");
  for (const state of ["unknown", "public", "punched", "relayed", "unreachable"]) {
    assert.match(reachInFull(status(state)) ?? "", /others.*: UPnP opened port 30400$/);
    assert.notEqual(reachOf(status(state)), state);
  }
  const reachability = { state: "public", reason: "" };
  assert.equal(reachInFull({ ...status("public"), reachability }), "others reach this PC directly");
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
  for (const state of ["relayed", "unreachable"]) {
    assert.match(reachAdvice(status(state)) ?? "", /router pass port 30400, TCP and UDP, on to this PC/);
    assert.match(reachAdvice(status(state, [])) ?? "", /the trainer’s port/);
    assert.equal(reachAdvice(status(state, ["/ip4/127.0.0.1/tcp/30412", "/ip6/::1/udp/30412/quic-v1"])), undefined);
    assert.match(reachAdvice(status(state, ["/ip4/0.0.0.0/tcp/443/tls/ws", ...OPEN])) ?? "", /port 30400/);
  }
  for (const state of ["unknown", "public", "mapped", "punched", "carried"]) assert.equal(reachAdvice(status(state)), undefined);
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
