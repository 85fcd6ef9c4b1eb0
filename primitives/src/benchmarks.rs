//! What benchmarks need of the chain around the pallet that they measure: states that calls and hooks would take hours to reach.
//!
//! Nothing but benchmarks may use it. The runtime implements it, in native code and in the Wasm that is measured.

use crate::{
    Balance, ModelId,
    electorate::SessionIndex,
    poll::{Draw, Opening, PollId},
};

/// The chain around a pallet that is measured.
pub trait BenchmarkChain<AccountId> {
    /// Gives an account so much free balance, and the least that it must have besides.
    fn endow(who: &AccountId, amount: Balance);
    /// Registers accounts, bonds so much of balance that they are given, and makes them this session's whole electorate. They weigh
    /// alike, have room for everything, and stand as far from one another as the tree allows. To be called in session 0, once.
    fn join(accounts: &[AccountId], bond: Balance);
    /// Goes to that session.
    fn at_session(session: SessionIndex);
    /// Goes to a time of the session at which every account owes its heartbeat.
    fn at_heartbeats();
    /// Gives a model that exists a confirmed version that somebody trained.
    fn confirm(model: ModelId);
    /// Owes each of the accounts a part of a model's query payments.
    fn owe(model: ModelId, accounts: &[AccountId]);
    /// Puts a poll at one of its draws, in which each of the accounts has at least a seat. With an opening, all have given its digest,
    /// digests are closed, and it is everybody's turn to open; without one, nobody has given anything.
    fn put_poll(poll: PollId, draw: Draw, accounts: &[AccountId], opening: Option<&Opening>);
}
