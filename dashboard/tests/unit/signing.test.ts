import assert from "node:assert/strict";
import { test } from "node:test";
import { metadata } from "@polkadot-api/substrate-bindings";
import { getPolkadotSigner } from "polkadot-api/signer";
import { overMetadata } from "../../src/chain/pay";
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
