import assert from "node:assert/strict";
import { test } from "node:test";
import { addressOfHex, decodeAddress, isAddress } from "../../src/format/address";
import { HYDRA, exact, parseAmount, short } from "../../src/format/amount";
import { decodeBase58, encodeBase58 } from "../../src/format/base58";
import { fromHex, shortHash, toHex } from "../../src/format/hex";
import { bytes, count, percent, several } from "../../src/format/number";
import { ago, duration } from "../../src/format/time";

const ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
const ALICE_HEX = "0xd43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d";

test("amounts lose nothing but zeros", () => {
  assert.equal(exact(0n), "0");
  assert.equal(exact(HYDRA / 2n), "0.5");
  assert.equal(exact(1_000_000n * HYDRA + 1n), "1,000,000.000000000001");
  assert.equal(exact(-HYDRA), "−1");
});

test("short amounts are rounded down but never to nothing", () => {
  assert.equal(short(HYDRA - 1n), "0.9999");
  assert.equal(short(1n), "0.000000000001");
  assert.equal(short(45_512_300_000_000n), "45.5123");
});

test("an amount that is typed is taken exactly or refused with a sentence", () => {
  assert.equal(parseAmount("2.5"), (5n * HYDRA) / 2n);
  assert.equal(parseAmount(" 1000.5 HYDRA"), 1000n * HYDRA + HYDRA / 2n);
  assert.equal(parseAmount("0.000000000001"), 1n);
  for (const bad of ["", "abc", "1.2.3", "-1", "1e3", "0.0000000000001", "1 000"]) {
    assert.equal(typeof parseAmount(bad), "string", bad);
  }
});

test("a comma is taken neither for decimals nor for thousands", () => {
  for (const comma of ["2,5", "1,000", "1,500", "1,000.5", "1,00,000", "0,001"]) {
    assert.match(String(parseAmount(comma)), /without a comma/);
  }
});

test("an address survives, and one with a wrong letter is none", () => {
  assert.equal(addressOfHex(ALICE_HEX), ALICE);
  const account = decodeAddress(ALICE);
  assert(account);
  assert.equal(toHex(account), ALICE_HEX);
  assert(!isAddress(ALICE.replace("Grw", "Grv")));
  assert(!isAddress(ALICE.slice(0, -1)));
  // The same account on Polkadot.
  assert(!isAddress("15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5"));
  assert(!isAddress(""));
});

test("base 58 keeps leading zeros", () => {
  for (const sample of [[], [0], [0, 0, 1], [255, 0, 7]]) {
    const text = encodeBase58(Uint8Array.from(sample));
    assert.deepEqual([...(decodeBase58(text) ?? [])], sample);
  }
  assert.equal(decodeBase58("0OIl"), undefined);
});

test("hexadecimal digits are bytes or an error", () => {
  assert.equal(toHex(fromHex("0x00fF")), "0x00ff");
  assert.throws(() => fromHex("0x0"));
  assert.throws(() => fromHex("zz"));
  assert.equal(shortHash(ALICE_HEX), "d43593c7…a27d");
});

test("figures read as people write them", () => {
  assert.equal(count(182_336), "182,336");
  assert.equal(percent(0.972222), "97.22 %");
  assert.equal(percent(undefined), "–");
  assert.equal(percent(Number.NaN), "–");
  assert.equal(several(1, "PC"), "1 PC");
  assert.equal(several(0, "PC"), "0 PCs");
  assert.equal(bytes(999), "999 bytes");
  assert.equal(bytes(123_456), "123.5 kB");
});

test("times are as exact as people need them", () => {
  assert.equal(duration(4_200), "4 s");
  assert.equal(duration(120_000), "2 min");
  assert.equal(duration(11_100_000), "3 h 5 min");
  assert.equal(duration(172_800_000), "2 days");
  assert.equal(ago(1000, 1900), "now");
  assert.equal(ago(1000, 13_000), "12 s ago");
  assert.equal(ago(9000, 1000), "in 8 s");
});
