//! What may happen in a block: typed, for whoever finds words for it.

use hydra_primitives::{
    AccountBytes, Balance, BlockNumber, ModelId, RoundNumber, Version,
    electorate::SessionIndex,
    proposal::Score,
    status::{Outcome, Phase, Waiting},
};

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Happening {
    /// It is known what becomes of what was proposed for a place.
    Settled {
        /// Who holds the place.
        who: AccountBytes,
        /// In which round.
        round: RoundNumber,
        /// What becomes of it.
        outcome: Outcome,
        /// What its holder lost.
        forfeited: Balance,
    },
    /// Work was paid: what an account got in this block, for places and for verifying.
    Earned {
        /// Who.
        who: AccountBytes,
        /// How much.
        amount: Balance,
    },
    /// An account that was right got a part of what others lost.
    Received {
        /// Who.
        who: AccountBytes,
        /// How much.
        amount: Balance,
    },
    /// An account lost stake.
    Forfeited {
        /// Who.
        who: AccountBytes,
        /// How much.
        amount: Balance,
    },
    /// A version is confirmed.
    Confirmed {
        /// The version.
        version: Version,
        /// It on the validation set.
        score: Score,
    },
    /// A version is given up.
    GivenUp {
        /// The version.
        version: Version,
    },
    /// What a round had trained from was given up: it begins anew.
    Dropped {
        /// The round.
        round: RoundNumber,
    },
    /// A round can't go on now.
    Waits {
        /// The round.
        round: RoundNumber,
        /// Why.
        reason: Waiting,
    },
    /// Verification takes longer.
    Extended {
        /// The round.
        round: RoundNumber,
        /// Until this block.
        until: BlockNumber,
    },
    /// A round is over.
    Ended {
        /// The round.
        round: RoundNumber,
        /// Accepted results.
        accepted: u32,
        /// How many places it had.
        places: u32,
    },
    /// A round began.
    Opened {
        /// The round.
        round: RoundNumber,
        /// How many places it has.
        places: u32,
    },
    /// A round is in another phase.
    Moved {
        /// The round.
        round: RoundNumber,
        /// The phase.
        phase: Phase,
    },
    /// A result was proposed.
    Proposed {
        /// By whom.
        who: AccountBytes,
        /// In which round.
        round: RoundNumber,
    },
    /// Seats of a poll were drawn.
    Drawn {
        /// How many somebody has.
        seats: u32,
        /// How many accounts have them.
        accounts: u32,
    },
    /// Somebody gave what it found, hidden for now.
    Given {
        /// Who.
        who: AccountBytes,
    },
    /// Somebody showed what was found, and that decided a poll.
    Shown {
        /// Who.
        who: AccountBytes,
    },
    /// Somebody found something else than the network.
    Wrong {
        /// Who.
        who: AccountBytes,
    },
    /// Somebody was to verify and gave nothing.
    Missed {
        /// Who.
        who: AccountBytes,
    },
    /// A result was refused.
    Refused {
        /// Whose.
        who: AccountBytes,
    },
    /// A model was added.
    Added {
        /// The model.
        model: ModelId,
    },
    /// Stake was bonded.
    Bonded {
        /// By whom.
        who: AccountBytes,
        /// How much.
        amount: Balance,
    },
    /// Stake is on its way back.
    Unbonding {
        /// Whose.
        who: AccountBytes,
        /// How much.
        amount: Balance,
        /// The block from which on it can be withdrawn.
        until: BlockNumber,
    },
    /// Stake is free again.
    Withdrawn {
        /// Whose.
        who: AccountBytes,
        /// How much.
        amount: Balance,
    },
    /// A question was paid.
    Asked {
        /// By whom.
        who: AccountBytes,
        /// For how much.
        price: Balance,
    },
    /// An account received its part of what questions paid.
    Claimed {
        /// Who.
        who: AccountBytes,
        /// How much.
        amount: Balance,
    },
    /// A PC registered.
    Registered {
        /// Its account.
        who: AccountBytes,
    },
    /// A PC left the network for good.
    Deregistered {
        /// Its account.
        who: AccountBytes,
    },
    /// A PC's owner paused it.
    Paused {
        /// Its account.
        who: AccountBytes,
    },
    /// A PC's owner resumed it.
    Resumed {
        /// Its account.
        who: AccountBytes,
    },
    /// A PC is drawn for nothing.
    Left {
        /// Its account.
        who: AccountBytes,
        /// The session in which it may take part again; `None` if that is as soon as it is heard of.
        until: Option<SessionIndex>,
    },
    /// A PC that was away is back.
    Returned {
        /// Its account.
        who: AccountBytes,
    },
    /// A PC said that it is there.
    Beat {
        /// Its account.
        who: AccountBytes,
    },
    /// A session began.
    Session {
        /// The session.
        session: SessionIndex,
    },
    /// Those who make blocks go on, since too few were found who may take over.
    CommitteeStays {
        /// How many were found.
        found: u32,
        /// How many there are.
        present: u32,
    },
    /// HYDRA was sent.
    Sent {
        /// By whom.
        from: AccountBytes,
        /// To whom.
        to: AccountBytes,
        /// How much.
        amount: Balance,
    },
    /// A transaction failed.
    Failed {
        /// Why, as a sentence.
        reason: String,
    },
}
