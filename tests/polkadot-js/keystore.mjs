// Key files as @polkadot/keyring reads and writes them, for the tests of `hydra wallet`. No network is needed.
//
//   node keystore.mjs write   < {"suri", "password", "name"}            prints the account's key file
//   node keystore.mjs batch   < {"accounts", "watched", "password"}     prints one file with all of them
//                               accounts: [{"suri", "password", "name", "type"}], watched: [{"address", "meta"}]
//   node keystore.mjs sign    < {"file", "password", "message"}         prints {"address", "publicKey", "signature"}
//   node keystore.mjs verify  < {"address", "message", "signature"}     prints {"valid"}

import { readFileSync } from 'node:fs';
import { Keyring } from '@polkadot/keyring';
import { hexToU8a, stringToU8a, u8aToHex } from '@polkadot/util';
import { cryptoWaitReady, jsonEncrypt, signatureVerify } from '@polkadot/util-crypto';

await cryptoWaitReady();
const input = JSON.parse(readFileSync(0, 'utf8'));
const keyring = new Keyring({ type: 'sr25519', ss58Format: 42 });

/** As the extension exports an account. */
function written(suri, password, name, type = 'sr25519') {
  const pair = keyring.addFromUri(suri, { name, whenCreated: Date.now() }, type);
  return pair.toJson(password);
}

const commands = {
  write: ({ suri, password, name }) => written(suri, password, name),
  // As @polkadot/ui-keyring's `backupAccounts` does it: the accounts' files as they are stored, each with its own password, and
  // the password of the export around them.
  batch: ({ accounts, watched, password }) => {
    const stored = accounts.map(({ suri, password, name, type }) => written(suri, password, name, type)).concat(watched);
    return {
      ...jsonEncrypt(stringToU8a(JSON.stringify(stored)), ['batch-pkcs8'], password),
      accounts: stored.map(({ address, meta }) => ({ address, meta })),
    };
  },
  sign: ({ file, password, message }) => {
    const pair = keyring.createFromJson(file);
    if (!pair.isLocked) throw new Error('the file is not encrypted');
    pair.decodePkcs8(password);
    return {
      address: pair.address,
      publicKey: u8aToHex(pair.publicKey),
      signature: u8aToHex(pair.sign(stringToU8a(message))),
      name: pair.meta.name,
    };
  },
  verify: ({ address, message, signature }) => ({
    valid: signatureVerify(stringToU8a(message), hexToU8a(signature), address).isValid,
  }),
};

const command = commands[process.argv[2]];
if (!command) throw new Error(`usage: node keystore.mjs ${Object.keys(commands).join('|')}`);
console.log(JSON.stringify(command(input)));
