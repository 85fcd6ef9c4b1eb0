// Registers an account with exactly what `hydra registration --json` printed, as whoever copies it into polkadot-js Apps
// does: nothing is computed here.
//
//   node register.mjs --url ws://127.0.0.1:9944 --suri //Ferdie < registration.json
//
// Ends with 0 when it is registered, and with 1 and a sentence otherwise. Whose registration it is is left to the chain to find out.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';

const { values: options } = parseArgs({
  options: { url: { type: 'string' }, suri: { type: 'string' } },
});
const { peer_id_hex: peerId, size_class: sizeClass, room, anchor, signature, nonce, bond_units: bond } = JSON.parse(readFileSync(0, 'utf8'));

const api = await ApiPromise.create({ provider: new WsProvider(options.url), throwOnConnect: true, noInitWarn: true });
const who = new Keyring({ type: 'sr25519', ss58Format: api.registry.chainSS58 }).addFromUri(options.suri);
const done = new Promise((resolve, reject) => {
  api.tx.reputation
    .register(peerId, sizeClass, room, anchor, signature, nonce, bond)
    .signAndSend(who, ({ status, dispatchError }) => {
      if (dispatchError) {
        const { section, name, docs } = dispatchError.isModule
          ? api.registry.findMetaError(dispatchError.asModule)
          : { section: 'chain', name: dispatchError.toString(), docs: [] };
        reject(new Error(`the chain refused the registration: ${section}.${name}: ${docs.join(' ').trim()}`));
      } else if (status.isInBlock) resolve(status.asInBlock.toHex());
      else if (status.isError) reject(new Error(`the registration was lost (${status.type})`));
    })
    .catch(reject);
});
try {
  console.log(`registered in block ${await done}`);
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
await api.disconnect();
