/** What calls do, in words: of referenda, and of everything that is in blocks. */
import type { Call } from "../chain/types";
import { shortHash } from "../format/hex";

const ofHash = (hash: string | undefined): string => (hash === undefined ? "" : ` with the hash ${shortHash(hash)}`);

/** What a call does, to go on a sentence with; of `what` more is known than its name. */
export const DOES: Record<string, (what: string | undefined) => string> = {
  "System.set_code": () => "replaces the runtime, which has the rules",
  "System.set_code_without_checks": () => "replaces the runtime, which has the rules, unchecked",
  "System.authorize_upgrade": (hash) => `lets a runtime${ofHash(hash)} replace this one, once somebody brings it`,
  "System.authorize_upgrade_without_checks": (hash) => `lets a runtime${ofHash(hash)} replace this one, unchecked, once somebody brings it`,
  "System.set_storage": () => "writes into the chain’s state",
  "System.kill_storage": () => "deletes from the chain’s state",
  "System.kill_prefix": () => "deletes from the chain’s state",
  "System.remark": () => "leaves a remark, and changes nothing",
  "System.remark_with_event": () => "leaves a remark, and changes nothing",
  "Timestamp.set": () => "says when the block was made",
  "Balances.transfer_keep_alive": () => "sends HYDRA",
  "Balances.transfer_allow_death": () => "sends HYDRA",
  "Balances.transfer_all": () => "sends all HYDRA of the account",
  "Session.set_keys": () => "names the keys with which the account’s node makes blocks, if it is drawn into the committee",
  "Session.purge_keys": () => "takes back the keys with which the account’s node makes blocks",
  "Reputation.register": () => "registers the account as a PC of the network, and bonds its stake",
  "Reputation.pause": () => "rests: the account is drawn for nothing new, and keeps stake and score",
  "Reputation.resume": () => "ends a pause: the account is drawn again",
  "Reputation.set_room": () => "says how large the tasks are that the account takes on, and how many at a time",
  "Reputation.deregister": () => "leaves the network for good: the score is forgotten, and the PeerId free",
  "Reputation.remove_abandoned": () => "removes an account that has no stake and was not heard of for a day",
  "StakeVoting.bond": () => "bonds HYDRA as stake",
  "StakeVoting.unbond": () => "takes stake away, which can be withdrawn in a while, and be forfeited until then",
  "StakeVoting.withdraw": () => "takes back what has been unbonding for long enough",
  "TrainingProposals.submit": () => "puts results of the account’s duties on chain, for which nothing is paid",
  "TrainingProposals.add_model": (name) => `adds a model${name === undefined ? "" : `, which learns “${name}”`}`,
  "HydraToken.pay_query": () => "pays for a question to a model",
  "HydraToken.claim": () => "takes the account’s part of what questions paid",
  "HydraToken.set_sponsor": (model) => `says who pays for the rounds of ${model === undefined ? "a model" : `model ${model}`}`,
  "HydraToken.sponsor": () => "adds to the deposit that a model’s rounds are paid from",
  "HydraToken.withdraw_sponsorship": () => "gives notice that the account pays no longer for a model, or takes back what is left of its deposit",
  "Referenda.cancel": (index) => `cancels referendum ${index ?? "–"}`,
  "Referenda.kill": (index) => `kills referendum ${index ?? "–"}, whose deposits are burned`,
  "Scheduler.schedule": () => "has a call made later, which this page does not show",
  "Scheduler.schedule_after": () => "has a call made later, which this page does not show",
  "Scheduler.schedule_named": () => "has a call made later, which this page does not show",
  "Scheduler.schedule_named_after": () => "has a call made later, which this page does not show",
  "Scheduler.cancel": () => "cancels a call that is planned",
  "Scheduler.cancel_named": () => "cancels a call that is planned",
};

export const does = ({ name, about }: Call): string => DOES[name]?.(about) ?? `calls ${name}`;
