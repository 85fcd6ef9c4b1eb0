//! What the pallets say to one another. Each is implemented by the pallet that owns the state.

use alloc::vec::Vec;

use crate::{
    Balance, BlockNumber, ModelId, Perbill, Version,
    proposal::ProposalKey,
    reputation::Deed,
    status::BallotView,
    tally::{Outcome, Tally},
};

/// Owned by `reputation`: who is registered, who shows up, and how well they did.
pub trait Reputation<AccountId> {
    /// Share of the account's recent deeds that turned out well; zero for accounts that are not registered.
    fn score(who: &AccountId) -> Perbill;
    /// Records what settlement found. Ignored for accounts that are not registered.
    fn record(who: &AccountId, deed: Deed);
    /// Whether the account is registered.
    fn is_registered(who: &AccountId) -> bool;
    /// Whether the account shows up: it is counted as expected to propose and vote.
    fn is_active(who: &AccountId) -> bool;
    /// The account did something: it is active (again).
    fn showed_up(who: &AccountId);
    /// Whether the account did something in block `block` or later.
    fn seen_since(who: &AccountId, block: BlockNumber) -> bool;
    /// The account did nothing in a whole round: after a few of them in a row it counts as inactive.
    fn was_absent(who: &AccountId);
    /// It acted too late or not at all where others were waiting for it.
    fn kept_others_waiting(who: &AccountId);
    /// Whether it kept others waiting in block `block` or later.
    fn delayed_since(who: &AccountId, block: BlockNumber) -> bool;
    /// It revealed a vote.
    fn voted(who: &AccountId);
    /// Whether it revealed a vote in block `block` or later.
    fn voted_since(who: &AccountId, block: BlockNumber) -> bool;
    /// It did all that a round asks for without keeping anyone waiting.
    fn kept_pace(who: &AccountId);
    /// Whether others wait for it. One that kept them waiting too often may still act, but a phase ends without it.
    fn is_waited_for(who: &AccountId) -> bool;
    /// All registered accounts, sorted.
    fn registered() -> Vec<AccountId>;
    /// The active ones among them, sorted.
    fn active() -> Vec<AccountId>;
    /// The ones among them, sorted, that showed up within the last day or so, active or not.
    fn remembered() -> Vec<AccountId>;
    /// The most accounts that [`Reputation::registered`] can return.
    fn max_nodes() -> u32;
    /// The data-plane identity of a registered account.
    fn peer_id(who: &AccountId) -> Option<Vec<u8>>;
}

/// Owned by `stake-voting`: what an account's vote weighs.
pub trait VotingWeight<AccountId> {
    /// Stake up to the cap, times reputation. Zero without the minimum stake.
    fn weight(who: &AccountId) -> u128;
    /// The account's bond.
    fn bonded(who: &AccountId) -> Balance;
    /// Whether the account has bonded at least the minimum stake.
    fn is_staked(who: &AccountId) -> bool;
}

/// What a closed poll decided.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PollResult<AccountId> {
    /// The decision.
    pub outcome: Outcome,
    /// The weights it rests on.
    pub tally: Tally,
    /// What each member of the committee did.
    pub ballots: Vec<(AccountId, BallotView)>,
}

/// Owned by `stake-voting`: one commit-reveal poll per proposal.
pub trait Polls<AccountId> {
    /// Why a poll can't be opened.
    type Error: core::fmt::Debug;
    /// The most members a committee may have.
    fn max_committee() -> u32;
    /// Opens a poll for commitments. The weights of the committee and of the proposer, whose claim counts as a vote to
    /// accept, are fixed now.
    fn open(key: &ProposalKey<AccountId>, committee: Vec<AccountId>) -> Result<(), Self::Error>;
    /// From now on votes are revealed, and no more are committed.
    fn begin_reveal(key: &ProposalKey<AccountId>);
    /// Whether the stage (commit or reveal) can end early: everyone who can still act has, or nobody is missing whom the
    /// others wait for and at least 2/3 of the weight has acted, with the proposer's claim as its vote.
    fn is_complete(key: &ProposalKey<AccountId>) -> bool;
    /// Who kept the others waiting in this stage: members who can still act. Nobody as long as no more than half of the
    /// weight has acted: then something larger is wrong, and those who are there are not to be left alone.
    fn laggards(key: &ProposalKey<AccountId>) -> Vec<AccountId>;
    /// What `who` did in this poll so far; `None` when it is not on the committee.
    fn ballot(key: &ProposalKey<AccountId>, who: &AccountId) -> Option<BallotView>;
    /// Decides the poll and forgets it. `None` when there is no such poll.
    fn close(key: &ProposalKey<AccountId>) -> Option<PollResult<AccountId>>;
}

/// Owned by `hydra-token`: pays for accepted work.
pub trait Rewards<AccountId> {
    /// Mints the reward for accepted work (sample-parameters) and returns it; less at the end of the emission.
    fn pay(who: &AccountId, work: u64) -> Balance;
    /// Gives `who` more shares of what people will pay to query the model.
    fn add_query_shares(model: ModelId, who: &AccountId, shares: u64);
}

/// Owned by `training-proposals`: which models there are to ask.
pub trait Models {
    /// The model's confirmed version; `None` when there is no such model.
    fn confirmed_version(model: ModelId) -> Option<Version>;
}
