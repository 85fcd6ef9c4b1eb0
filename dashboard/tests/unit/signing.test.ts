import assert from "node:assert/strict";
import { test } from "node:test";
import { metadata } from "@polkadot-api/substrate-bindings";
import { getPolkadotSigner } from "polkadot-api/signer";
import { type Teller, overMetadata, sign } from "../../src/chain/pay";
import { toHex } from "../../src/format/hex";

const unit = { docs: [] };
const field = (type: number, name?: string) => ({ name, type, typeName: undefined, docs: [] });
const kind = (id: number, def: unknown, path: string[] = []) => ({ id, path, params: [], def, ...unit });
const primitive = (tag: string) => ({ tag: "primitive", value: { tag, value: undefined } });
const variant = (name: string, index: number, ...types: number[]) => ({ name, index, fields: types.map((type) => field(type)), docs: [] });

/** The metadata of a chain with one call. */
function of(call: string): Uint8Array {
  const lookup = [
    kind(0, primitive("u8")),
    kind(1, primitive("u32")),
    kind(2, primitive("str")),
    kind(3, { tag: "composite", value: [field(2, "spec_name"), field(1, "spec_version")] }, ["sp_version", "RuntimeVersion"]),
    kind(4, primitive("u16")),
    kind(5, { tag: "variant", value: [variant(call, 0, 1)] }, ["chain", "Call"]),
    kind(6, { tag: "array", value: { len: 32, type: 0 } }),
    kind(7, { tag: "variant", value: [variant("Disabled", 0), variant("Enabled", 1)] }, ["Mode"]),
    kind(8, { tag: "variant", value: [variant("None", 0), variant("Some", 1, 6)] }, ["Option"]),
    kind(9, { tag: "tuple", value: [] }),
  ];
  const constants = [
    // "hydraai", version 7; prefix 42.
    { name: "Version", type: 3, value: "0x1c687964726161690700" + "0000", docs: [] },
    { name: "SS58Prefix", type: 4, value: "0x2a00", docs: [] },
  ];
  const system = { name: "System", storage: undefined, calls: 5, events: undefined, constants, errors: undefined, index: 0, docs: [] };
  const value = {
    lookup,
    pallets: [system],
    extrinsic: {
      version: 4,
      address: 6,
      call: 5,
      signature: 6,
      extra: 9,
      signedExtensions: [{ identifier: "CheckMetadataHash", type: 7, additionalSigned: 8 }],
    },
    type: 9,
    apis: [],
    outerEnums: { call: 5, event: 9, error: 9 },
    custom: [],
  };
  return metadata.enc({ magicNumber: 0x6174656d, metadata: { tag: "v15", value } } as unknown as Parameters<typeof metadata.enc>[0]);
}

/** What is signed for a call, as the node says the chain is. */
async function signedOver(chain: Uint8Array): Promise<string> {
  let seen = "";
  const signer = getPolkadotSigner(new Uint8Array(32), "Sr25519", (message) => {
    seen = toHex(message);
    return new Uint8Array(64);
  });
  const off = { identifier: "CheckMetadataHash", value: Uint8Array.of(0), additionalSigned: Uint8Array.of(0) };
  const signed = overMetadata(signer).signTx(Uint8Array.of(0, 9, 0, 0, 0), { CheckMetadataHash: off }, chain, 1);
  // To be sent it would need more of a chain than this one has.
  await signed.catch(() => {});
  return seen;
}

test("a signature is over the metadata, so that a node that shows another call gets one that the chain refuses", async () => {
  const honest = await signedOver(of("transfer"));
  // The call, mode 1, and that the hash is there: 32 bytes.
  assert.match(honest, /^0x0009000000(01)(01)[0-9a-f]{64}$/);
  assert.equal(await signedOver(of("transfer")), honest);
  // The same bytes, under another name: whoever has the node's port would have them shown as harmless.
  const forged = await signedOver(of("remark"));
  assert.equal(forged.slice(0, 16), honest.slice(0, 16));
  assert.notEqual(forged, honest);
});

/** A node whose blocks become final one after the other, and polkadot-api before it, which lets go of those before the last. */
class Finality {
  last = 1;
  private readonly held = new Map<string, number>();
  answer: () => Promise<number> = async () => 5;
  signs: (at: string) => Promise<Uint8Array> = async () => Uint8Array.of(4, 0);

  moves() {
    this.last += 1;
  }
  isHeld(hash: string) {
    return (this.held.get(hash) ?? 0) > 0;
  }
  isKnown(hash: string) {
    return hash === `0x${this.last}` || this.isHeld(hash);
  }
  link(): Teller {
    const call = {
      getEstimatedFees: async () => 1n,
      decodedCall: { type: "", value: { type: "" } },
      sign: async (_: unknown, { at }: { at: string }) => {
        if (!this.isKnown(at)) throw new Error(`Uknown block ${at}`);
        return this.signs(at);
      },
    };
    return {
      request: async <T>() => (await this.answer()) as T,
      client: {
        getFinalizedBlock: async () => ({ hash: `0x${this.last}`, number: this.last, parent: "0x", hasNewRuntime: false }),
        hodlBlock: (hash) => {
          if (!this.isKnown(hash)) throw new Error(`${hash} is not pinned`);
          this.held.set(hash, (this.held.get(hash) ?? 0) + 1);
          return () => void this.held.set(hash, (this.held.get(hash) ?? 0) - 1);
        },
      },
      api: { tx: { Balances: { transfer_keep_alive: () => call }, HydraToken: { pay_query: () => call } } },
    };
  }
}

const signer = getPolkadotSigner(new Uint8Array(32), "Sr25519", () => new Uint8Array(64));
const signed = (chain: Finality) =>
  sign(chain.link(), "0x0", { kind: "send", to: "bob", amount: 1n }, signer, "alice", { loose: undefined, block: 1 });

test("a payment is signed though blocks become final meanwhile, and its block is let go of afterwards", async () => {
  const chain = new Finality();
  // While the node tells the account's number, and while the signature is made.
  chain.answer = async () => {
    chain.moves();
    return 5;
  };
  let seen = "";
  chain.signs = async (at) => {
    chain.moves();
    await Promise.resolve();
    assert(chain.isKnown(at));
    seen = at;
    return Uint8Array.of(4, 0);
  };
  const { sent, bytes } = await signed(chain);
  assert.deepEqual([seen, sent.born, sent.dies, sent.nonce, bytes], ["0x2", 2, 66, 5, "0x0400"]);
  assert(!chain.isHeld(seen));

  chain.signs = async (at) => {
    seen = at;
    throw new Error("the key was locked");
  };
  await assert.rejects(signed(chain), /the key was locked/);
  assert(!chain.isHeld(seen));
});
