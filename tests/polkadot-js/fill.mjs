// Fills the blocks of a running chain with transfers that pay a tip, in batches, from one account to itself, until it is stopped.
//
//   node fill.mjs --url ws://127.0.0.1:9944 --suri //Ferdie [--tip 0.1]
//
// Prints a line of JSON for each block: its number, how much of what blocks have for such transactions it used, and whether that
// is all but what one more of them would have taken. Ends with 1 and a sentence when the node refuses one.

import { parseArgs } from 'node:util';
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';

const { values: options } = parseArgs({
  options: {
    url: { type: 'string', default: 'ws://127.0.0.1:9944' },
    suri: { type: 'string', default: '//Ferdie' },
    tip: { type: 'string', default: '0.1' },
  },
});
// One batch takes this part of a block, and so many blocks' worth of them wait in the pool.
const PART = 1 / 25;
const BLOCKS_AHEAD = 3;

const api = await ApiPromise.create({ provider: new WsProvider(options.url), throwOnConnect: true, noInitWarn: true });
const who = new Keyring({ type: 'sr25519', ss58Format: api.registry.chainSS58 }).addFromUri(options.suri);
const limit = Number(api.consts.system.blockWeights.perClass.normal.maxTotal.unwrap().refTime.toBigInt());
const tip = BigInt(Math.round(Number(options.tip) * 10 ** api.registry.chainDecimals[0]));

const batchOf = (size) => api.tx.utility.batch(Array.from({ length: size }, () => api.tx.balances.transferKeepAlive(who.address, 1)));
const weightOf = async (batch) => Number((await batch.paymentInfo(who)).weight.refTime.toBigInt());
// By what a hundred weigh.
const each = (await weightOf(batchOf(100))) / 100;
const batch = batchOf(Math.max(1, Math.floor((limit * PART) / each)));
const ahead = Math.ceil(BLOCKS_AHEAD / PART);

function fail(error) {
  process.stderr.write(`error: blocks are not filled: ${error.message}\n`);
  process.exit(1);
}

let next = (await api.query.system.account(who.address)).nonce.toNumber();
let working = Promise.resolve();

async function follow(head) {
  const at = await api.at(head.hash);
  const [{ normal }, { nonce }] = await Promise.all([at.query.system.blockWeight(), at.query.system.account(who.address)]);
  const share = Number(normal.refTime.toBigInt()) / limit;
  console.log(JSON.stringify({ block: head.number.toNumber(), share: Math.round(share * 1000) / 1000, full: share >= 1 - 2 * PART }));
  for (; next < nonce.toNumber() + ahead; next += 1) {
    const signed = await batch.signAsync(who, { nonce: next, tip, era: 0 });
    await api.rpc.author.submitExtrinsic(signed);
  }
}

await api.rpc.chain.subscribeNewHeads((head) => {
  // One after the other: heads may come faster than they are followed.
  working = working.then(() => follow(head));
  working.catch(fail);
});
