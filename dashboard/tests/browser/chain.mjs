// What the chain says, through a client that shares no code with the page: @polkadot/api.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// It is installed for the client test; the page does without it.
const require = createRequire(new URL("../../../tests/polkadot-js/package.json", import.meta.url));
const { ApiPromise, Keyring, WsProvider } = await import(pathToFileURL(require.resolve("@polkadot/api")).href);

export const HYDRA = 10n ** 12n;

/** As the page writes an amount to four decimals. */
export function short(amount) {
  const shown = amount > 0n && amount < HYDRA / 10_000n ? amount : amount - (amount % (HYDRA / 10_000n));
  const fraction = (shown % HYDRA).toString().padStart(12, "0").replace(/0+$/, "");
  const whole = (shown / HYDRA).toString().replace(/\B(?=(\d{3})+$)/g, ",");
  return fraction ? `${whole}.${fraction}` : whole;
}

/** The first amount in a text, in the smallest unit. */
export function amountIn(text) {
  const [, whole, fraction = ""] = /([\d,]+)(?:\.(\d+))? HYDRA/.exec(text);
  return BigInt(whole.replaceAll(",", "")) * HYDRA + BigInt(fraction.padEnd(12, "0"));
}

/** Of what is paid for a place, what its holder gets. */
export const holdersPart = (reward) => reward - reward / 5n;

/** What an account's results and checks earn that are not paid yet. */
async function underWay(api, id, address) {
  const { payouts, places } = api.query.trainingProposals;
  let sum = 0n;
  for (const [, payout] of await payouts.entries(id)) {
    const { holder, reward, right } = payout.unwrap();
    if (holder.toString() === address) sum += holdersPart(reward.toBigInt());
    const seats = [...right].map(([who, its]) => [who.toString(), its.toBigInt()]);
    const all = seats.reduce((sum, [, its]) => sum + its, 0n);
    for (const [who, its] of seats) {
      if (who === address) sum += ((reward.toBigInt() / 5n) * its) / all;
    }
  }
  for (const [, stored] of await places.entries(id)) {
    const { holder, claim, outcome, quoted } = stored.unwrap();
    if (holder.toString() === address && claim.isSome && outcome.isNone) sum += holdersPart(quoted.toBigInt());
  }
  return sum;
}

/** A transaction was not taken, because the account's own trainer sent one with the same number first. */
const OVERTAKEN = /priority is too low|outdated|stale|Usurped|Invalid|Dropped|State already discarded|no block has it/i;
/** A pool needs not say that a transaction was overtaken in a block that came from elsewhere. */
const SILENT_BLOCKS = 10;
/** In a network of four, an account's trainer sends something in two blocks of three. */
const TRIES = 20;

export class Chain {
  static async connect(url) {
    const api = await ApiPromise.create({ provider: new WsProvider(url), throwOnConnect: true, noInitWarn: true });
    return new Chain(api);
  }

  constructor(api) {
    this.api = api;
    this.keyring = new Keyring({ type: "sr25519", ss58Format: api.registry.chainSS58 });
  }

  async disconnect() {
    await this.api.disconnect();
  }

  /** A development account, by its name. */
  pair(name) {
    return this.keyring.addFromUri(`//${name}`, { name });
  }

  /** Its keystore file, as a wallet exports it. */
  keystore(name, password) {
    return JSON.stringify(this.pair(name).toJson(password));
  }

  /** The chain as it was at a block. */
  async at(hash) {
    const api = await this.api.at(hash);
    const { trainingApi } = api.call;
    return {
      model: async (id) => (await trainingApi.modelStatus(id)).unwrap(),
      rounds: async (id) => [...(await trainingApi.rounds(id, 0, 500))],
      member: (address) => trainingApi.nodeStatus(address),
      electorate: () => trainingApi.electorate(),
      committee: async () => [...(await api.query.session.validators())].map(String),
      bucket: () => api.query.hydraToken.bucket(),
      poll: async (id) => (await trainingApi.pollStatus(id)).unwrapOr(undefined),
      places: async (id) => (await api.query.trainingProposals.places.entries(id)).map(([, place]) => place.unwrap()),
      underWay: (id, address) => underWay(api, id, address),
      free: async (address) => (await api.query.system.account(address)).data.free.toBigInt(),
      shares: async (id, address) => (await api.query.hydraToken.shares(id, address)).shares.toBigInt(),
      allShares: async (id) => (await api.query.hydraToken.pools(id)).shares.toBigInt(),
      paidIn: async (id) => (await api.query.hydraToken.pools(id)).paidIn.toBigInt(),
    };
  }

  async parent(hash) {
    return (await this.api.rpc.chain.getHeader(hash)).parentHash.toHex();
  }

  async block(number) {
    return (await this.api.rpc.chain.getBlockHash(number)).toHex();
  }

  /** Waits for so many blocks more. */
  blocks(number) {
    return new Promise((resolve, reject) => {
      let seen = 0;
      const subscribed = this.api.rpc.chain.subscribeNewHeads(() => {
        seen += 1;
        // The first one is the newest there was.
        if (seen === number + 1) resolve(subscribed.then((stop) => stop()));
      });
      subscribed.catch(reject);
    });
  }

  /** Sends a call, once; its events, when a block has it. */
  send(call, who) {
    const { section, method } = call.method;
    return new Promise((resolve, reject) => {
      const failed = (reason) => reject(new Error(`${section}.${method} by ${who.meta.name}: ${reason}`));
      call
        .signAndSend(who, { nonce: -1 }, ({ status, events, dispatchError }) => {
          if (dispatchError) failed(dispatchError.toString());
          else if (status.isInBlock) resolve(events.map(({ event }) => event));
          else if (status.isError) failed(status.type);
        })
        .catch((error) => failed(error.message));
    });
  }

  /** The same with a call that may be made twice, by an account whose trainer sends transactions, too. */
  async sendAgainIfLost(call, who) {
    for (let tries = 1; ; tries += 1) {
      const late = this.blocks(SILENT_BLOCKS).then(() => Promise.reject(new Error("no block has it")));
      // It comes anyway, when nobody waits for it any more.
      late.catch(() => {});
      try {
        return await Promise.race([this.send(call, who), late]);
      } catch (error) {
        if (tries === TRIES || !OVERTAKEN.test(error.message)) throw error;
        // Every second time at once: the pool has the trainer's by now, and gives the number after it; with a new block the trainer
        // may be first again. Else there is nothing to be gained before the next block.
        if (tries % 2 === 0) await this.blocks(1);
      }
    }
  }

  async newest() {
    return (await this.api.rpc.chain.getHeader()).number.toNumber();
  }
}
