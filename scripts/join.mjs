// Registers an account as a participant and bonds its stake, through any HydraAI node. After scripts/setup --for-tests:
//
//   HYDRA_SURI='twelve or more words' node scripts/join.mjs --url ws://127.0.0.1:9944 --peer-id 12D3Koo… [--stake 1]
//
// The PeerId is the trainer's, as its first line ("ready: peer 12D3Koo… at …") says. What is done already is skipped, so
// that it may be run again. The secret comes from the environment, where other users can't read it.

import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';

const require = createRequire(new URL('../tests/polkadot-js/package.json', import.meta.url));

function fail(sentence) {
  console.error(`error: ${sentence}`);
  process.exit(1);
}

const { values: options } = parseArgs({
  options: {
    url: { type: 'string', default: 'ws://127.0.0.1:9944' },
    'peer-id': { type: 'string' },
    stake: { type: 'string', default: '1' },
  },
});
const suri = process.env.HYDRA_SURI;
if (!suri || !options['peer-id']) fail('set HYDRA_SURI to the secret of the account, and name its trainer with --peer-id');
if (!/^\d+$/.test(options.stake)) fail('--stake is a whole number of HYDRA');

let polkadot;
try {
  polkadot = { ...require('@polkadot/api'), ...require('@polkadot/util-crypto'), ...require('@noble/hashes/blake3') };
} catch {
  fail('@polkadot/api is not installed: run scripts/setup --for-tests');
}
const { ApiPromise, Keyring, WsProvider, base58Decode, blake3 } = polkadot;

const provider = new WsProvider(options.url, false);
const api = new ApiPromise({ provider, noInitWarn: true });
await provider.connect().catch(() => {});
await api.isReadyOrError.catch((error) => fail(`no node answers at ${options.url} (${error.message}): start one, or name it with --url`));
const who = new Keyring({ type: 'sr25519', ss58Format: api.registry.chainSS58 }).addFromUri(suri);
const peer = base58Decode(options['peer-id']);

/** The registration's proof of work: a domain-separated BLAKE3 that begins with enough zero bits. */
function findNonce(difficulty) {
  const sized = (bytes) => {
    const length = new Uint8Array(8);
    new DataView(length.buffer).setBigUint64(0, BigInt(bytes.length), true);
    return [length, bytes];
  };
  const context = 'hydraai 2026 registration proof of work v1';
  const number = new Uint8Array(8);
  for (let nonce = 0n; ; nonce += 1n) {
    new DataView(number.buffer).setBigUint64(0, nonce, true);
    const hash = blake3.create({ context });
    for (const part of [who.publicKey, peer, number].flatMap(sized)) hash.update(part);
    const bits = [...hash.digest()].map((byte) => byte.toString(2).padStart(8, '0')).join('');
    if (bits.indexOf('1') >= difficulty) return nonce;
  }
}

/** Sends a call and waits until a block has it. */
function send(what, call) {
  return new Promise((done) => {
    call
      .signAndSend(who, ({ status, dispatchError }) => {
        if (dispatchError) {
          const { section, name, docs } = dispatchError.isModule
            ? api.registry.findMetaError(dispatchError.asModule)
            : { section: 'chain', name: dispatchError.toString(), docs: [] };
          fail(`the chain refused to ${what}: ${docs.join(' ').trim() || `${section}.${name}`}`);
        }
        // Invalid, dropped, usurped, or not final for too long: nothing more will be heard of it.
        if (status.isError) fail(`the transaction to ${what} was lost (${status.type}): run this again, what is done already is skipped`);
        if (status.isInBlock) done(console.log(`${what}: done in block ${status.asInBlock.toHex()}`));
      })
      .catch((error) => fail(`the node refused to ${what}: ${error.message}`));
  });
}

const node = await api.query.reputation.nodes(who.address);
if (node.isEmpty) {
  console.log(`${who.address}: finding the proof of work …`);
  const nonce = findNonce(api.consts.reputation.workDifficulty.toNumber());
  await send('register', api.tx.reputation.register([...peer], {}, nonce));
} else {
  console.log(`${who.address} is registered already`);
}
const { stake } = (await api.call.trainingApi.nodeStatus(who.publicKey)).toJSON();
const missing = BigInt(options.stake) * 10n ** 12n - BigInt(stake);
if (missing > 0n) await send(`bond ${Number(missing) / 1e12} HYDRA`, api.tx.stakeVoting.bond(missing));
else console.log('its stake is bonded already');
await api.disconnect();
