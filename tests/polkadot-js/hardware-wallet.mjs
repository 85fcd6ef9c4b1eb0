// Signs as a Ledger does: over the hash of the metadata that it shows a transaction with (`CheckMetadataHash`, mode 1). The
// chain must take it with the right hash, which proves that what was shown is what was signed, and must not with another.

import { merkleizeMetadata } from '@polkadot-api/merkleize-metadata';
import { Keyring } from '@polkadot/api';
import { u8aToHex } from '@polkadot/util';

/** The hash of the chain's metadata, from nothing but what the chain and its properties say. */
async function metadataHash(api) {
  const metadata = (await api.call.metadata.metadataAtVersion(15)).unwrap().toU8a(true);
  const [decimals] = api.registry.chainDecimals;
  const [tokenSymbol] = api.registry.chainTokens;
  return merkleizeMetadata(metadata, { decimals, tokenSymbol }).digest();
}

/** Waits until a block has the transaction; returns the block's hash. */
function included(transaction) {
  return new Promise((resolve, reject) => {
    transaction
      .send(({ status, dispatchError }) => {
        if (dispatchError) reject(new Error(`a hardware wallet's transaction failed: ${dispatchError.toString()}`));
        else if (status.isInBlock) resolve(status.asInBlock.toHex());
        else if (status.isError) reject(new Error(`a hardware wallet's transaction was lost (${status.type})`));
      })
      .catch(reject);
  });
}

/**
 * Sends the same transaction twice, signed over a wrong hash and over the right one. `quietly` runs a function whose one
 * complaint is expected, and returns that complaint.
 */
export async function signLikeAHardwareWallet(api, suri, quietly) {
  const who = new Keyring({ type: 'sr25519', ss58Format: api.registry.chainSS58 }).addFromUri(suri);
  const signed = (hash) => api.tx.system.remark('0x68656c6c6f').signAsync(who, { mode: 1, metadataHash: u8aToHex(hash) });

  const right = await metadataHash(api);
  const wrong = right.map((byte) => byte ^ 1);
  const refusal = await quietly(async () => {
    const transaction = await signed(wrong);
    return api.rpc.author.submitExtrinsic(transaction).then(
      () => 'accepted',
      (error) => error.message,
    );
  });
  if (!/bad signature/.test(refusal)) {
    throw new Error(`a transaction signed over another metadata hash should have a bad signature, and was: ${refusal}`);
  }
  return { hash: u8aToHex(right), refusal, block: await included(await signed(right)) };
}
