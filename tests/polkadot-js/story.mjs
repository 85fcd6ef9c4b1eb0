// Tells the story of one settled round from a chain's events, with an unmodified polkadot-js and nothing but the
// chain's own metadata: no custom types, no knowledge of the pallets beyond names of events and fields.
//
//   node story.mjs --url ws://127.0.0.1:9944 [--model 0] [--round N] [--timeout 600] [--suri //Eve]
//
// Waits until a round is settled, its version confirmed and its work paid, and sends a transaction as a hardware wallet does, with the
// account of --suri. Ends with 0 when the story is complete, and with 1 when a chapter is missing, numbers disagree, time
// runs out, or polkadot-js logs a warning or an error: whatever it has to warn about, a user of polkadot-js Apps would
// stumble over, too.

import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    url: { type: 'string', default: 'ws://127.0.0.1:9944' },
    model: { type: 'string', default: '0' },
    round: { type: 'string' },
    timeout: { type: 'string', default: '600' },
    suri: { type: 'string', default: '//Eve' },
  },
});
const MODEL = Number(options.model);
const WANTED = options.round === undefined ? undefined : Number(options.round);
// Nodes keep the state, and with it the events, of the last 256 blocks.
const LOOK_BACK = 200;

// In place before polkadot-js loads, so that it can't keep the originals.
const complaints = [];
for (const level of ['warn', 'error']) {
  console[level] = (...words) => complaints.push(`${level}: ${words.map(String).join(' ')}`);
}
// Standard methods of every polkadot-sdk node that polkadot-js does not know yet, and the one that only our command line
// asks; any other one is ours to explain.
const STANDARD = /^((chainHead|chainSpec|transaction|transactionWatch|archive|bitswap)_v1_|author_rotateKeysWithOwner$|state_callRecorded$|hydra_clock$)/;
function isStandard(words) {
  const methods = / RPC methods not decorated: (.*)$/.exec(words)?.[1].split(', ');
  return methods !== undefined && methods.every((method) => STANDARD.test(method));
}

/** Runs `attempt`, which is meant to fail, and forgets what polkadot-js logs about that. */
async function quietly(attempt) {
  const before = complaints.length;
  const outcome = await attempt();
  const heard = complaints.splice(before);
  complaints.push(...heard.filter((words) => !words.includes(outcome)));
  return outcome;
}

const { ApiPromise, WsProvider } = await import('@polkadot/api');
const { formatBalance, isHex } = await import('@polkadot/util');
const { signLikeAHardwareWallet } = await import('./hardware-wallet.mjs');

/** An event with its fields by name, from metadata. */
function understand({ event }, block) {
  const fields = {};
  event.meta.fields.forEach((field, i) => {
    const name = field.name.unwrapOr(String(i)).toString();
    fields[name] = { value: event.data[i].toJSON(), balance: /Balance/.test(field.typeName.unwrapOr('')) };
  });
  return {
    block,
    name: `${event.section}.${event.method}`,
    docs: event.meta.docs.map(String).join(' ').trim(),
    fields,
    get: (name) => fields[name]?.value,
  };
}

/** Whether an event names this round, itself or through the place it is about. */
function isAbout(event, model, round) {
  const key = event.get('round') === undefined ? event.get('place') : { model: event.get('model'), round: event.get('round') };
  return key?.model === model && key?.round === round;
}

/** What a poll is asked for, if it is asked about this model: `verification` with its round and place, or `attestation`. */
function purposeOf(event, kind) {
  const purpose = event.get('purpose')?.[kind];
  return purpose?.model === MODEL ? purpose : undefined;
}

function show(value, balance) {
  if (balance) return formatBalance(value, { withSi: false, forceUnit: '-', withUnit: 'HYDRA' });
  if (typeof value === 'string' && isHex(value) && value.length > 20) return `${value.slice(0, 14)}…`;
  if (Array.isArray(value)) return `[${value.map((one) => show(one)).join(', ')}]`;
  if (value !== null && typeof value === 'object') {
    return `{ ${Object.entries(value).map(([name, one]) => `${name}: ${show(one)}`).join(', ')} }`;
  }
  return String(value);
}

function line(event) {
  const fields = Object.entries(event.fields).map(([name, { value, balance }]) => `${name} ${show(value, balance)}`);
  return `  block ${event.block}  ${event.name}: ${fields.join(', ')}`;
}

/** The latest complete round in these events (or the one asked for), as chapters; undefined while there is none. */
function story(events) {
  const named = (name) => events.filter((event) => event.name === name && event.get('model') === MODEL);
  const confirmed = named('trainingProposals.VersionConfirmed');
  const settled = named('trainingProposals.RoundSettled').filter((event) => {
    const round = event.get('round');
    if (WANTED !== undefined && round !== WANTED) return false;
    const opened = named('trainingProposals.RoundOpened').some((opened) => opened.get('round') === round);
    const paid = named('trainingProposals.RoundPaid').some((one) => one.get('round') === round);
    const done = event.get('accepted') === 0 || (paid && confirmed.some((one) => one.get('version') === event.get('version')));
    // Without --round, a round that was not in vain makes the better story.
    return opened && done && (WANTED !== undefined || event.get('accepted') > 0);
  });
  const end = settled.at(-1);
  if (end === undefined) return undefined;

  const round = end.get('round');
  const ofRound = events.filter((event) => isAbout(event, MODEL, round));
  const pick = (...names) => ofRound.filter((event) => names.includes(event.name));
  const version = end.get('version');
  const ofVersion = (name) => (version === null ? [] : named(name).filter((event) => event.get('version') === version));
  // Polls are named by a hash: what each is about stands where it is asked.
  const asked = events.filter((event) => event.name === 'stakeVoting.PollAsked');
  const aboutPlaces = asked.filter((event) => purposeOf(event, 'verification')?.round === round);
  // That on the version is asked in the block in which the round is settled.
  const aboutVersion = asked.filter((event) => event.block === end.block && purposeOf(event, 'attestation') !== undefined);
  const ofPolls = (polls, ...names) => {
    const ids = new Set(polls.map((event) => event.get('poll')));
    return events.filter((event) => names.includes(event.name) && ids.has(event.get('poll')));
  };
  // Paid when the version is confirmed, in that block or a few later: until the round says that all of it is.
  const paid = named('trainingProposals.RoundPaid').find((event) => event.get('round') === round);
  const first = ofVersion('trainingProposals.VersionConfirmed')[0];
  const isPaidFor = (event) => paid !== undefined && first !== undefined && event.block >= first.block && event.block <= paid.block;
  return {
    round,
    end,
    chapters: {
      'The round opens': pick('trainingProposals.RoundOpened'),
      'Trainers propose': pick('trainingProposals.Proposed'),
      'Seats are drawn': ofPolls(aboutPlaces, 'stakeVoting.SeatsDrawn'),
      'Seats give digests of what they found': ofPolls(aboutPlaces, 'stakeVoting.DigestGiven'),
      'One plain copy opens each poll': ofPolls(aboutPlaces, 'stakeVoting.PollOpened', 'stakeVoting.PollDecided'),
      'The network decides': [...pick('trainingProposals.PlaceSettled'), end],
      'The version is computed by drawn seats': ofPolls(aboutVersion, 'stakeVoting.SeatsDrawn', 'stakeVoting.DigestGiven', 'stakeVoting.PollOpened'),
      'The version is confirmed': ofVersion('trainingProposals.VersionConfirmed'),
      'Work is paid': events.filter((event) => ['hydraToken.Rewarded', 'hydraToken.VerifierRewarded'].includes(event.name) && isPaidFor(event)).concat(paid ?? []),
    },
  };
}

/** What a complete story must have; returns what is wrong. */
function review({ end, chapters }) {
  const wrong = [];
  const named = (chapter, name) => chapters[chapter].filter((event) => event.name === name);
  const count = (chapter, name, least) => {
    const found = named(chapter, name).length;
    if (found < least) wrong.push(`"${chapter}" has ${found} of ${name}, at least ${least} expected`);
  };
  const proposals = chapters['Trainers propose'].length;
  const accepted = end.get('accepted');
  count('The round opens', 'trainingProposals.RoundOpened', 1);
  count('Trainers propose', 'trainingProposals.Proposed', 1);
  count('Seats are drawn', 'stakeVoting.SeatsDrawn', proposals);
  count('Seats give digests of what they found', 'stakeVoting.DigestGiven', proposals);
  count('One plain copy opens each poll', 'stakeVoting.PollDecided', proposals);
  if (accepted > 0) {
    count('The version is computed by drawn seats', 'stakeVoting.PollOpened', 1);
    count('The version is confirmed', 'trainingProposals.VersionConfirmed', 1);
    count('Work is paid', 'hydraToken.Rewarded', accepted);
    count('Work is paid', 'trainingProposals.RoundPaid', 1);
  }
  const outcomes = named('The network decides', 'trainingProposals.PlaceSettled');
  if (outcomes.length !== proposals) wrong.push(`${proposals} proposals, but ${outcomes.length} outcomes`);
  const counted = outcomes.filter((event) => event.get('outcome') === 'Accepted').length;
  if (counted !== accepted) wrong.push(`${accepted} accepted by the round's own count, but ${counted} by its places`);
  for (const event of named('The network decides', 'trainingProposals.PlaceSettled')) {
    if (event.get('outcome') === 'Rejected') wrong.push(`honest work was turned down: ${line(event)}`);
  }
  const opened = named('The version is computed by drawn seats', 'stakeVoting.PollOpened').map((event) => event.get('finding')?.version?.weights);
  for (const event of chapters['The version is confirmed']) {
    if (!opened.includes(event.get('weights'))) wrong.push('the confirmed weights are not those that its poll was opened with');
  }
  for (const event of Object.values(chapters).flat()) {
    if (event.docs === '') wrong.push(`${event.name} has no documentation in the metadata`);
  }
  return wrong;
}

async function main() {
  const provider = new WsProvider(options.url, 1000);
  const api = await ApiPromise.create({ provider, throwOnConnect: true });
  const decimals = api.registry.chainDecimals[0];
  formatBalance.setDefaults({ decimals, unit: api.registry.chainTokens[0] });
  console.log(`${await api.rpc.system.chain()}, ${api.registry.chainTokens[0]} with ${decimals} decimals`);

  const events = [];
  let seen; // the last block whose events are known
  async function readUpTo(number) {
    const from = seen === undefined ? Math.max(0, number - LOOK_BACK) : seen + 1;
    for (let block = from; block <= number; block += 1) {
      const at = await api.at(await api.rpc.chain.getBlockHash(block));
      events.push(...(await at.query.system.events()).map((record) => understand(record, block)));
      seen = block;
    }
  }

  const found = await new Promise((resolve, reject) => {
    const patience = setTimeout(() => {
      reject(new Error(`no round of model ${MODEL} was settled, confirmed and paid within ${options.timeout} s; the last block read is ${seen}`));
    }, Number(options.timeout) * 1000);
    let reading = Promise.resolve();
    api.rpc.chain
      .subscribeFinalizedHeads((head) => {
        // One after the other: heads may come faster than events are read.
        reading = reading
          .then(() => readUpTo(head.number.toNumber()))
          .then(() => {
            const told = story(events);
            if (told !== undefined) {
              clearTimeout(patience);
              resolve(told);
            }
          })
          .catch(reject);
      })
      .catch(reject);
  });

  console.log(`\nThe story of round ${found.round} of model ${MODEL}`);
  for (const [title, chapter] of Object.entries(found.chapters)) {
    console.log(`\n${title}. ${chapter[0]?.docs ?? ''}`);
    for (const event of chapter) console.log(line(event));
  }

  const wallet = await signLikeAHardwareWallet(api, options.suri, quietly);
  console.log('\nA hardware wallet signs over the hash of the metadata');
  console.log(`  another hash: ${wallet.refusal}`);
  console.log(`  ${show(wallet.hash)}: in block ${show(wallet.block)}`);
  await api.disconnect();
  return review(found);
}

let wrong;
try {
  wrong = await main();
} catch (error) {
  wrong = [error.message];
}
wrong.push(...complaints.filter((words) => !isStandard(words)).map((words) => `polkadot-js logged a ${words}`));
if (wrong.length > 0) {
  process.stderr.write(`\nThe story is not right:\n${wrong.map((one) => `  ${one}\n`).join('')}`);
}
process.exit(wrong.length > 0 ? 1 : 0);
