// Registers an account with exactly what `hydra registration --json` printed, as whoever copies it into polkadot-js Apps
// does: nothing is computed here.
//
//   node register.mjs --url ws://127.0.0.1:9944 --suri //Ferdie < registration.json

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';

const { values: options } = parseArgs({
  options: { url: { type: 'string' }, suri: { type: 'string' } },
});
const { account, peer_id_hex: peerId, capabilities, nonce } = JSON.parse(readFileSync(0, 'utf8'));

const api = await ApiPromise.create({ provider: new WsProvider(options.url), throwOnConnect: true, noInitWarn: true });
const who = new Keyring({ type: 'sr25519', ss58Format: api.registry.chainSS58 }).addFromUri(options.suri);
if (who.address !== account) throw new Error(`the registration is for ${account}, and this is ${who.address}`);
const block = await new Promise((resolve, reject) => {
  api.tx.reputation
    .register(peerId, capabilities, nonce)
    .signAndSend(who, ({ status, dispatchError }) => {
      if (dispatchError) {
        const error = dispatchError.isModule ? api.registry.findMetaError(dispatchError.asModule).name : dispatchError;
        reject(new Error(`the chain refused the registration: ${error}`));
      } else if (status.isInBlock) resolve(status.asInBlock.toHex());
      else if (status.isError) reject(new Error(`the registration was lost (${status.type})`));
    })
    .catch(reject);
});
console.log(`registered in block ${block}`);
await api.disconnect();
