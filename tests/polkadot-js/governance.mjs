// Changes the rules of a running chain as people do it in polkadot-js Apps, with an unmodified polkadot-js: preimage,
// referendum, deposit, votes, and then waiting.
//
//   node governance.mjs --url ws://127.0.0.1:9944 --initial-weights 0x… [--timeout 300]
//   node governance.mjs --url ws://127.0.0.1:9944 --upgrade runtime.wasm [--timeout 300]
//
// The first asks the track `root` to write a value into the state, and the track `models` to add a model like the first one
// but for a longer phase, which starts from the weights with that BLAKE3. The second asks `root` to replace the runtime. //Eve
// proposes; //Alice, //Bob and //Charlie vote with nearly all they have, what they have bonded as stake included. Ends with 0 when everything was
// approved, made and is seen in the state, and with 1 and a sentence otherwise.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    url: { type: 'string', default: 'ws://127.0.0.1:9944' },
    'initial-weights': { type: 'string' },
    upgrade: { type: 'string' },
    timeout: { type: 'string', default: '300' },
  },
});

// In place before polkadot-js loads, so that it can't keep the originals. Whatever it complains about, people who use
// polkadot-js Apps would stumble over, too.
const complaints = [];
for (const level of ['warn', 'error']) {
  console[level] = (...words) => complaints.push(`${level}: ${words.map(String).join(' ')}`);
}

const { ApiPromise, Keyring, WsProvider } = await import('@polkadot/api');
const { stringToHex, u8aToHex } = await import('@polkadot/util');
const { blake2AsHex } = await import('@polkadot/util-crypto');

const MARK = { key: stringToHex('governance was here'), value: stringToHex('by referendum') };
const LOCKED_1X = 'Locked1x';

function fail(sentence) {
  throw new Error(sentence);
}

/** What a failed dispatch says, by the name that people know it by. */
function reason(api, error) {
  if (!error.isModule) return error.toString();
  const { section, name, docs } = api.registry.findMetaError(error.asModule);
  return `${section}.${name}: ${docs.join(' ')}`;
}

/** Every event of the finalised chain from now on, and functions that wait for one of them. */
async function follow(api) {
  const seen = [];
  const waiting = new Set();
  let last;
  let reading = Promise.resolve();
  async function readUpTo(number) {
    for (let block = last === undefined ? number : last + 1; block <= number; block += 1) {
      const at = await api.at(await api.rpc.chain.getBlockHash(block));
      for (const { event } of await at.query.system.events()) {
        seen.push({ block, event, name: `${event.section}.${event.method}` });
      }
      last = block;
    }
    for (const look of waiting) look();
  }
  const stop = await api.rpc.chain.subscribeFinalizedHeads((head) => {
    // One after the other: heads may come faster than events are read.
    reading = reading.then(() => readUpTo(head.number.toNumber()));
    reading.catch((error) => {
      for (const look of waiting) look(error);
    });
  });
  /** The first event of this name that `fits`, past or to come. */
  function event(name, fits, about) {
    return new Promise((resolve, reject) => {
      let from = 0;
      const look = (error) => {
        if (error) return reject(error);
        for (; from < seen.length; from += 1) {
          const one = seen[from];
          if (one.name === name && fits(one.event.data)) {
            waiting.delete(look);
            const docs = one.event.meta.docs.map(String).join(' ').trim();
            if (docs === '') return reject(new Error(`${name} has no documentation in the metadata`));
            console.log(`block ${one.block}  ${name} (${about}): ${docs}`);
            return resolve(one);
          }
        }
        return undefined;
      };
      waiting.add(look);
      look();
    });
  }
  return { event, stop };
}

/** Waits for the next block. */
function nextBlock(api) {
  return new Promise((resolve, reject) => {
    let blocks = 0;
    const unsubscribe = api.rpc.chain.subscribeNewHeads(() => {
      blocks += 1;
      // The first one is the newest there was.
      if (blocks === 2) resolve(unsubscribe.then((stop) => stop()));
    });
    unsubscribe.catch(reject);
  });
}

// What was said of transactions that were sent again. polkadot-js logs it as an error, too.
const retried = [];
// The transaction was not taken, because the account's own trainer sent one with the same number first, or because the pool looked at
// it in a block on a branch that had just ended.
const OVERTAKEN = /priority is too low|outdated|stale|Usurped|Invalid|Dropped|no block has it|State already discarded/i;
// A pool needs not say that a transaction was overtaken in a block that came from elsewhere.
const SILENT_BLOCKS = 10;
// In a network of four, an account's trainer sends something in two blocks of three.
const TRIES = 20;

/** Rejects once so many blocks came; `stop` ends the waiting. */
function afterBlocks(api, count) {
  let blocks = 0;
  let unsubscribe;
  const late = new Promise((_, reject) => {
    unsubscribe = api.rpc.chain.subscribeNewHeads(() => {
      blocks += 1;
      // The first one is the newest there was.
      if (blocks > count) reject(new Error(`no block has it after ${count} more`));
    });
    unsubscribe.catch(reject);
  });
  late.catch(() => {});
  return { late, stop: () => unsubscribe.then((stop) => stop()) };
}

/** Sends a transaction that may be sent twice, however silently the first is lost. */
function sendAgainIfLost(api, transaction, who) {
  return send(api, transaction, who, SILENT_BLOCKS);
}

/** Sends a transaction; returns its events once a block has it. With `silent`, it is lost if so many blocks don't have it. */
async function send(api, transaction, who, silent) {
  for (let tries = 1; ; tries += 1) {
    const patience = silent === undefined ? undefined : afterBlocks(api, silent);
    try {
      const included = new Promise((resolve, reject) => {
        transaction
          .signAndSend(who, { nonce: -1 }, ({ status, events, dispatchError }) => {
            if (dispatchError) reject(new Error(reason(api, dispatchError)));
            else if (status.isInBlock) resolve(events.map(({ event }) => event));
            else if (status.isError) reject(new Error(status.type));
          })
          .catch(reject);
      });
      included.catch(() => {});
      return await (patience === undefined ? included : Promise.race([included, patience.late]));
    } catch (error) {
      const call = `${transaction.method.section}.${transaction.method.method}`;
      if (tries === TRIES || !OVERTAKEN.test(error.message)) fail(`${call} by ${who.meta.name}: ${error.message}`);
      retried.push(error.message);
      await nextBlock(api);
    } finally {
      await patience?.stop();
    }
  }
}

/** Whether a complaint is only the refusal of a transaction that was sent again. polkadot-js may log one twice. */
function isRetried(complaint) {
  return complaint.includes('submitAndWatchExtrinsic(') && retried.some((message) => complaint.endsWith(`:: ${message}`));
}

/** Puts a call to the vote on a track; returns the referendum's number. */
async function propose(api, who, origin, call) {
  const encoded = call.method.toU8a();
  const hash = blake2AsHex(encoded);
  await send(api, api.tx.preimage.notePreimage(u8aToHex(encoded)), who);
  const proposal = { Lookup: { hash, len: encoded.length } };
  const events = await send(api, api.tx.referenda.submit(origin, proposal, { After: 0 }), who);
  const submitted = events.find((event) => api.events.referenda.Submitted.is(event)) ?? fail('no event says that a referendum was submitted');
  const index = submitted.data.index.toNumber();
  await send(api, api.tx.referenda.placeDecisionDeposit(index), who);
  console.log(`referendum ${index}: ${call.method.section}.${call.method.method}, ${encoded.length} bytes`);
  return index;
}

/** Votes aye on all of them, with all but 10 HYDRA: part of it is bonded as stake, and can't be spent. */
async function voteAye(api, who, indices) {
  const { data } = await api.query.system.account(who.address);
  const ten = api.createType('Balance', 10n * 10n ** BigInt(api.registry.chainDecimals[0]));
  const balance = data.free.add(data.reserved).sub(ten);
  if (!balance.gt(data.free)) fail(`${who.meta.name} has bonded less than it is to keep`);
  const vote = { Standard: { vote: { aye: true, conviction: LOCKED_1X }, balance } };
  // To vote again is to vote the same.
  try {
    await sendAgainIfLost(api, api.tx.utility.batchAll(indices.map((index) => api.tx.convictionVoting.vote(index, vote))), who);
  } catch (error) {
    // The others' votes were enough, and what is decided takes no more. How it was decided is asked of the chain.
    if (!error.message.includes('convictionVoting.NotOngoing')) throw error;
  }
}

/** The name that the scheduler knows the call of an approved referendum by. */
function taskOf(api, index) {
  return blake2AsHex(api.registry.createType('([u8; 8], Text, u32)', [stringToHex('assembly'), 'enactment', index]).toU8a());
}

/** Follows a referendum to its end: decided, approved, called. */
async function enacted(api, chain, index, about) {
  const is = (data) => data.index.toNumber() === index;
  await chain.event('referenda.DecisionStarted', is, about);
  await chain.event('referenda.Confirmed', is, about);
  const task = taskOf(api, index);
  const { event } = await chain.event('scheduler.Dispatched', ({ id }) => id.isSome && id.unwrap().toHex() === task, about);
  if (event.data.result.isErr) fail(`the call of ${about} failed: ${reason(api, event.data.result.asErr)}`);
}

async function change(api, [eve, ...voters]) {
  const chain = await follow(api);
  const model = (await api.query.trainingProposals.models(0)).unwrap();
  // Another model than the first one, and phases that leave time to act in.
  model.spec.phases.set('verify', api.createType('u32', 12));
  const root = await propose(api, eve, { system: 'Root' }, api.tx.system.setStorage([[MARK.key, MARK.value]]));
  const models = await propose(
    api,
    eve,
    { Governance: 'Models' },
    api.tx.trainingProposals.addModel(model.spec, model.dataset, options['initial-weights']),
  );
  await Promise.all(voters.map((who) => voteAye(api, who, [root, models])));
  await Promise.all([
    enacted(api, chain, root, 'track root'),
    enacted(api, chain, models, 'track models'),
    chain.event('trainingProposals.ModelAdded', () => true, 'track models'),
  ]);
  const value = (await api.rpc.state.getStorage(MARK.key)).unwrapOr(undefined)?.toHex();
  if (value !== MARK.value) fail(`the state has ${value} where the referendum wrote ${MARK.value}`);
  const added = (await api.query.trainingProposals.models(1)).unwrapOrDefault();
  if (!added.eq(model)) fail('the model that was added is not the one that was voted on');
  chain.stop();
  console.log('the state is what was voted on');
}

async function upgrade(api, [eve, ...voters]) {
  const version = async () => (await api.rpc.state.getRuntimeVersion()).specVersion.toNumber();
  const before = await version();
  const code = u8aToHex(readFileSync(options.upgrade));
  const index = await propose(api, eve, { system: 'Root' }, api.tx.system.setCode(code));
  await Promise.all(voters.map((who) => voteAye(api, who, [index])));
  // No events are read meanwhile: polkadot-js changes the types it reads them with while it reads.
  while ((await version()) === before) await nextBlock(api);
  const after = await version();
  console.log(`upgraded from version ${before} to ${after}`);
  // As people come back to it: with the new types from the beginning.
  const upgraded = await connect();
  const info = (await upgraded.query.referenda.referendumInfoFor(index)).unwrap();
  if (!info.isApproved) fail(`referendum ${index} is ${info.type} and not approved`);
  // A transaction of the new runtime.
  await send(upgraded, upgraded.tx.system.remark('0x68656c6c6f'), eve);
  await upgraded.disconnect();
}

function connect() {
  return ApiPromise.create({ provider: new WsProvider(options.url, 1000), throwOnConnect: true, noInitWarn: true });
}

async function main() {
  if ((options.upgrade === undefined) === (options['initial-weights'] === undefined)) fail('give either --upgrade or --initial-weights');
  const api = await connect();
  const keyring = new Keyring({ type: 'sr25519', ss58Format: api.registry.chainSS58 });
  const people = ['Eve', 'Alice', 'Bob', 'Charlie'].map((name) => keyring.addFromUri(`//${name}`, { name }));
  const late = new Promise((_, reject) => {
    setTimeout(() => reject(new Error(`it was not done within ${options.timeout} s`)), Number(options.timeout) * 1000);
  });
  await Promise.race([options.upgrade === undefined ? change(api, people) : upgrade(api, people), late]);
  await api.disconnect();
}

const wrong = [];
try {
  await main();
} catch (error) {
  wrong.push(error.message);
}
wrong.push(...complaints.filter((words) => !isRetried(words)).map((words) => `polkadot-js logged a ${words}`));
if (wrong.length > 0) {
  process.stderr.write(`\nThe rules were not changed as they should:\n${wrong.map((one) => `  ${one}\n`).join('')}`);
}
process.exit(wrong.length > 0 ? 1 : 0);
