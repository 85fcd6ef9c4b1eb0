//! What the pallets say to one another. Each is implemented by the pallet that owns the state.

use alloc::vec::Vec;
use sp_weights::{Weight, WeightMeter};

use crate::{
    AccountBytes, Balance, BlockNumber, H256, ModelId, Perbill, Version,
    electorate::{Purpose, SessionIndex},
    model::SizeClass,
    poll::{Decision, Draw, Opening, PollId},
    reputation::Deed,
    status::{ElectorateStatus, PollStatus},
};

/// Owned by the runtime: the sessions that the electorate lives by.
pub trait Sessions {
    /// The session now.
    fn current() -> SessionIndex;
    /// Whether heartbeats still count for the next session. They end while an eighth of the session is left, so that nobody who
    /// already knows the next session's randomness can change its electorate.
    fn takes_heartbeats() -> bool;
    /// Where in the stretch in which heartbeats count this block is, in 65,536ths: each account has its own time.
    fn heartbeat_progress() -> u16;
    /// How many sessions a day has, at least 1.
    fn per_day() -> u32;
    /// How many blocks a session has, if each of its slots has one.
    fn blocks() -> BlockNumber;
}

/// Owned by `reputation`: who is registered, who is there, and how well they did.
pub trait Nodes<AccountId> {
    /// Whether the account is registered.
    fn is_registered(who: &AccountId) -> bool;
    /// How well it did its duties lately; zero for accounts that are not registered.
    fn score(who: &AccountId) -> Perbill;
    /// Whether a point that falls on it counts: it is registered, staked, not paused, and has not left for this session.
    fn is_in(who: &AccountId) -> bool;
    /// Whether it takes on tasks of this size.
    fn fits(who: &AccountId, size: SizeClass) -> bool;
    /// Whether it has room for one more task.
    fn has_room(who: &AccountId) -> bool;
    /// It was drawn for a duty.
    fn take_on(who: &AccountId);
    /// A duty that it was drawn for is over, and this is how it ended. `None`: nobody is judged, or it acted and how well isn't
    /// known yet.
    /// `since` is the block in which the duty began: what was under way when an account came back belongs to the absence before.
    fn finish(who: &AccountId, deed: Option<Deed>, since: BlockNumber);
    /// It leaves until the next session at the earliest: it forfeited, or takes stake away.
    fn leave(who: &AccountId);
    /// The data-plane identity of a registered account.
    fn peer_id(who: &AccountId) -> Option<Vec<u8>>;
    /// How many accounts are registered.
    fn count() -> u32;
    /// What else is known of a registered account.
    fn entry(who: &AccountId) -> Option<NodeEntry>;
    /// Up to `limit` registered accounts, in the order of storage: the first ones, or those after `from`.
    fn registered(from: Option<&AccountId>, limit: u32) -> Vec<AccountId>;
}

/// What else is known of a registered account: for its duty sheet, and for people.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NodeEntry {
    /// The session in which it registered.
    pub joined: SessionIndex,
    /// The session of its last heartbeat.
    pub heartbeat: SessionIndex,
    /// Whether its owner paused it.
    pub paused: bool,
    /// How many tasks it takes on at a time.
    pub room: u8,
    /// How many it has.
    pub busy: u8,
    /// How large they may be.
    pub size_class: SizeClass,
}

/// Owned by `reputation`: what an account says to take part in the next session.
pub trait Heartbeats<AccountId> {
    /// Why a heartbeat is refused.
    type Error;
    /// The session whose heartbeat the account owes in this block; `None` if it owes none (yet).
    fn owed(who: &AccountId) -> Option<SessionIndex>;
    /// The account is there.
    fn beat(who: &AccountId, session: SessionIndex) -> Result<(), Self::Error>;
}

/// Owned by `stake-voting`: bonds.
pub trait Stakes<AccountId> {
    /// What is bonded and not unbonding.
    fn bonded(who: &AccountId) -> Balance;
    /// What is unbonding.
    fn unbonding(who: &AccountId) -> Balance;
    /// Blocks after which what is unbonding can be withdrawn.
    fn unbonding_delay() -> BlockNumber;
    /// Whether at least the minimum stake is bonded.
    fn is_staked(who: &AccountId) -> bool;
    /// The least an account may bond now: it grows with the number of registered accounts.
    fn minimum() -> Balance;
    /// Bonds `amount` of the account's free balance.
    fn bond(who: &AccountId, amount: Balance) -> Result<(), BondError>;
    /// Burns up to `amount` of what is bonded or unbonding, what is bonded first, and says how much that was.
    fn forfeit(who: &AccountId, amount: Balance) -> Balance;
}

/// Why a bond failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BondError {
    /// The account owns less than that.
    NotEnough,
    /// The bond would stay below the minimum stake.
    BelowMinimum,
}

/// Owned by `stake-voting`: the accounts that draws are made from.
pub trait Electorate<AccountId> {
    /// Enters an account into the next session's electorate.
    fn enter(who: &AccountId, size: SizeClass, room: u8) -> Result<(), ElectorateFull>;
    /// Seats of a draw that belongs to `purpose`, from this session's electorate: `k` of them, `None` where five points in a row fell
    /// on accounts that are out or have no room for a task of this size. Whoever gets a seat takes on a task ([`Nodes::take_on`]) with each,
    /// and has that much less room for the next. The work is `k` times a constant.
    fn draw(purpose: &Purpose, randomness: &H256, k: u32, size: SizeClass) -> Vec<Option<AccountId>>;
    /// Up to `n` different accounts of the session *before* this one (of this one in session 0), each as likely as its weight, of those
    /// that `eligible` says are now. That electorate was made before the randomness which is known at a session's beginning was; it
    /// is there until the first heartbeat of this session. Fewer where [`crate::electorate::LOOKS_PER_ACCOUNT`] times `n` looks find no more.
    fn distinct(
        purpose: &Purpose,
        randomness: &H256,
        n: u32,
        eligible: impl FnMut(&AccountId) -> bool,
    ) -> Vec<AccountId>;
    /// How many accounts this session's electorate has.
    fn accounts() -> u32;
    /// Whether enough of the weight takes part to ask anything: more than a third of the largest of the last day.
    fn may_ask() -> bool;
    /// Whether at least nine tenths of this session's weight take on tasks of this size.
    fn has_room(size: SizeClass) -> bool;
    /// What a person wants to see of it.
    fn status() -> ElectorateStatus;
}

/// The next session's electorate has no slot left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ElectorateFull;

/// What is asked in a poll.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Question<AccountId> {
    /// What its first draw is made for; later draws differ in the draw only.
    pub purpose: Purpose,
    /// Seats of the first draw.
    pub first_seats: u32,
    /// Blocks that the seats of each draw have to give their digests.
    pub window: BlockNumber,
    /// How large the task is.
    pub size: SizeClass,
    /// Whose claim is asked about, and the result that it stands for: it counts as the digest of that account's seats.
    pub claimant: Option<(AccountId, H256)>,
    /// What a wrong digest costs, for each seat.
    pub forfeit: Balance,
}

/// What a poll came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PollOutcome<AccountId> {
    /// The decision.
    pub decision: Decision,
    /// The draw that decided, or the last one.
    pub draw: Draw,
    /// Who was right in the first draw, with how many seats, the claimant's own seats left out; [`MAX_FIRST`] accounts at most.
    pub right: Vec<(AccountId, u32)>,
}

/// The most accounts that can be right in a first draw.
pub const MAX_FIRST: u32 = crate::electorate::SEATS_FIRST_MAX;

/// How far a poll is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PollProgress<AccountId> {
    /// It goes on.
    Open,
    /// It is over and forgotten.
    Over(PollOutcome<AccountId>),
}

/// Owned by `stake-voting`: one kind of poll for every question.
pub trait Polls<AccountId> {
    /// Why a digest or an opening is refused.
    type Error;
    /// Asks. Seats are drawn by [`Polls::advance`], in a later block than this: from randomness that was not known while what is
    /// asked about could still change.
    fn ask(poll: PollId, question: Question<AccountId>);
    /// Takes the poll as far as block and weight allow: draws, closes, draws again, judges. Bounded by the meter, and goes on
    /// where it stopped. `clock` is the block whose results all count already: this one at its end, the one before at its beginning.
    /// What ends with a block ends when the clock is there; what begins takes its time from this block on.
    fn advance(poll: &PollId, clock: BlockNumber, meter: &mut WeightMeter) -> PollProgress<AccountId>;
    /// What [`Polls::advance`] takes in all for a poll with so many seats, which its first draw decides, called in so many blocks.
    fn weight(seats: u32, blocks: u32) -> Weight;
    /// Takes a digest.
    fn give(poll: &PollId, who: &AccountId, digest: H256) -> Result<(), Self::Error>;
    /// Takes an opening, if it decides `draw`.
    fn open(poll: &PollId, who: &AccountId, draw: Draw, opening: &Opening) -> Result<(), Self::Error>;
    /// Whether `who` owes a digest now: the block in which they are closed at the latest.
    fn owes_digest(poll: &PollId, who: &AccountId) -> Option<BlockNumber>;
    /// Whether it is the turn of `who` to open now: the draw, and the block until which. Of the draw's accounts one may at once, and
    /// twice as many in each further block, all of them in the last, and those of earlier draws too.
    fn may_open(poll: &PollId, who: &AccountId) -> Option<(Draw, BlockNumber)>;
    /// Whether this opening by `who` would decide that draw now. Only an account whose own digest or claim it matches is told; to all
    /// others it says no. For it, every digest of the draw is read.
    fn would_decide(poll: &PollId, who: &AccountId, draw: Draw, opening: &Opening) -> bool;
    /// What a person wants to see of it.
    fn status(poll: &PollId) -> Option<PollStatus<AccountId>>;
}

/// Owned by `hydra-token`: who pays for work, and where forfeits go.
pub trait Rewards<AccountId> {
    /// What each of so many places of a round with this work would earn now, its verifiers' part included: bounded by what the payer of
    /// the model's rounds has and by the bond of whoever holds the place. Nothing is reserved.
    fn quote(model: ModelId, work: u64, places: u32, bond: Balance) -> Balance;
    /// Whether whoever pays for the model's rounds has enough left: a hundred times what a round's block space costs.
    fn can_pay(model: ModelId, space: Balance) -> bool;
    /// Pays for an accepted place of a confirmed version: four fifths of `reward` to its holder, one fifth to the right seats of the
    /// first draw. Also gives both their shares of later query payments. Says what was paid.
    fn pay(
        model: ModelId,
        holder: &AccountId,
        work: u64,
        reward: Balance,
        right: &[(AccountId, u32)],
    ) -> Paid;
    /// Burns what the block space of a round's duties is worth, from whoever pays.
    fn burn_for_duties(model: ModelId, amount: Balance);
    /// Of what was forfeited (and burnt already) half goes to those who were right in the first draw, by seats.
    fn share_forfeit(amount: Balance, right: &[(AccountId, u32)]);
}

/// What was paid for a place.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Paid {
    /// To its holder.
    pub holder: Balance,
    /// To those who verified it, together.
    pub verifiers: Balance,
}

impl Paid {
    /// Both.
    pub fn all(&self) -> Balance {
        self.holder.saturating_add(self.verifiers)
    }
}

/// Owned by `training-proposals`: which models there are to ask.
pub trait Models {
    /// The model's confirmed version; `None` when there is no such model.
    fn confirmed_version(model: ModelId) -> Option<Version>;
}

/// An account as raw bytes, for digests and seeds.
pub fn bytes_of<AccountId: Clone + Into<AccountBytes>>(who: &AccountId) -> AccountBytes {
    who.clone().into()
}
