//! # Polls
//!
//! One kind of question for everything the network must know. Seats are drawn from the electorate; whoever has one computes the
//! result and gives it hidden; one plain copy opens all of them, and judges everybody.
//!
//! A poll goes through at most three draws, and each draw through three stages: its seats are drawn, their digests are taken, and when
//! these are closed it waits for an opening that decides. Then the accounts are judged, whatever draw they are of. Where no draw is
//! decided, nobody is.
//!
//! No draw begins while the guard says no: a part of the network that is cut off must not decide alone what the whole has begun. It
//! waits for that for a day at most; then nobody has seats in the draw.
//!
//! Every stage ends by itself: drawing with the session at the latest, digests and opening with a block. A poll has at most
//! [`MAX_ACCOUNTS`] accounts, each a storage entry of its own, so that giving a digest costs the same in all draws. What may take
//! longer than a block, drawing and judging, stops where the meter says so and goes on in a later block.
//!
//! Start with [`Polls::advance`]; `draw`, `digests`, `opening` and `judging` are the stages in their order.

mod digests;
pub(crate) mod draw;
pub(crate) mod judging;
mod opening;

use crate::{Config, Error, Event, Pallet, Polls as Stored, Seats, weights::WeightInfo};
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{
    pallet_prelude::{BoundedVec, ConstU32, TypeInfo},
    weights::{Weight, WeightMeter},
};
use hydra_primitives::{
    Balance, BlockNumber, H256,
    electorate::{Purpose, SEATS_APPEAL, SEATS_FIRST_MAX, SEATS_LAST, SessionIndex},
    model::SizeClass,
    poll::{Decision, Draw, OPENING_BLOCKS, Opening, PollId},
    status::{MAX_SHOWN, PollStage, PollStatus},
    traits::{MAX_FIRST, PollOutcome, PollProgress, Polls, Question, Sessions as _},
};

/// The most accounts that can have seats in a poll: each seat of each draw another's.
pub const MAX_ACCOUNTS: u32 = SEATS_FIRST_MAX + SEATS_APPEAL + SEATS_LAST;

/// Something for each draw of a poll.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct PerDraw<Value> {
    /// Of the first draw.
    pub first: Value,
    /// Of the appeal.
    pub appeal: Value,
    /// Of the last draw.
    pub last: Value,
}

impl<Value> PerDraw<Value> {
    /// That of a draw.
    pub fn get(&self, draw: Draw) -> &Value {
        match draw {
            Draw::First => &self.first,
            Draw::Appeal => &self.appeal,
            Draw::Last => &self.last,
        }
    }

    /// That of a draw, to change it.
    pub fn get_mut(&mut self, draw: Draw) -> &mut Value {
        match draw {
            Draw::First => &mut self.first,
            Draw::Appeal => &mut self.appeal,
            Draw::Last => &mut self.last,
        }
    }
}

/// The draws in their order.
pub(crate) const DRAWS: [Draw; 3] = [Draw::First, Draw::Appeal, Draw::Last];

/// An account's seats in a poll, and what it gave for all of them.
#[derive(Clone, Default, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Seat {
    /// How many seats it has in each draw.
    pub seats: PerDraw<u16>,
    /// How many accounts came before it in the newest draw in which it has a seat.
    pub order: u16,
    /// Its digest.
    pub digest: Option<H256>,
}

impl Seat {
    /// Its seats in the draw that first drew it.
    pub(crate) fn first_drawn(&self) -> u16 {
        let seats = DRAWS.map(|draw| *self.seats.get(draw));
        seats.into_iter().find(|seats| *seats > 0).unwrap_or(0)
    }
}

/// What is counted of a draw, until its digests are closed.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Tally {
    /// Accounts that have seats.
    pub accounts: u16,
    /// Those of them that gave a digest. The claimant did so with its claim.
    pub given: u16,
    /// Seats that accounts have; the others are empty.
    pub taken: u16,
    /// Those of them whose account gave a digest.
    pub acted: u16,
    /// Seats that are empty because whoever they fell on had enough to do.
    pub busy: u16,
}

/// A draw of seats that has begun.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Begun {
    /// The session from whose electorate it is made.
    pub session: SessionIndex,
    /// Seats that were drawn, empty ones included.
    pub drawn: u32,
}

/// How far the judging is.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Judging<AccountId> {
    /// What the accounts are judged by; `None`: nobody is.
    pub by: Option<Opening>,
    /// Who was right in the first draw so far, with its seats there. The claimant is left out.
    pub right: BoundedVec<(AccountId, u32), ConstU32<MAX_FIRST>>,
    /// The claimant's seats in the first draw, if it was right.
    pub claimed: u32,
    /// What was forfeited so far.
    pub forfeited: Balance,
}

impl<AccountId> Judging<AccountId> {
    /// Nobody is judged yet.
    pub(crate) fn new(by: Option<Opening>) -> Self {
        Self {
            by,
            right: BoundedVec::new(),
            claimed: 0,
            forfeited: 0,
        }
    }
}

/// How far a poll is.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub enum Stage<AccountId> {
    /// Its seats are drawn. `None`: it is not begun yet.
    Drawing(Option<Begun>),
    /// Digests are taken.
    Digests {
        /// The block with which they are closed at the latest.
        closes_at: BlockNumber,
    },
    /// The digests are closed, and it waits for an opening.
    Opening {
        /// The block in which they were closed.
        closed_at: BlockNumber,
    },
    /// Its accounts are judged.
    Judging(Judging<AccountId>),
}

/// A poll.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Poll<AccountId> {
    /// What its first draw is made for.
    pub purpose: Purpose,
    /// Seats of the first draw.
    pub first_seats: u32,
    /// Blocks that the seats of each draw have to give their digests.
    pub window: BlockNumber,
    /// How large the task is.
    pub size: SizeClass,
    /// Whose claim is asked about, and the result that it stands for.
    pub claimant: Option<(AccountId, H256)>,
    /// What a wrong digest costs, for each seat.
    pub forfeit: Balance,
    /// The block in which it was asked.
    pub asked_at: BlockNumber,
    /// The session from which on its current draw may begin.
    pub due_in: SessionIndex,
    /// Which draw it is at.
    pub draw: Draw,
    /// The seed of that draw, once it has begun.
    pub seed: H256,
    /// How far it is.
    pub stage: Stage<AccountId>,
    /// What is counted of each draw.
    pub tallies: PerDraw<Tally>,
}

impl<AccountId: PartialEq> Poll<AccountId> {
    /// Seats of a draw, empty ones included.
    pub(crate) fn seats(&self, draw: Draw) -> u32 {
        draw.seats(self.first_seats)
    }

    /// Whether it is asked about this account's claim.
    pub(crate) fn is_claimant(&self, who: &AccountId) -> bool {
        self.claimant
            .as_ref()
            .is_some_and(|(claimant, _)| claimant == who)
    }
}

/// Whether an account has given a digest of this in a poll, or claimed it.
pub(crate) fn has_found<T: Config>(id: &PollId, who: &T::AccountId, opening: &Opening) -> bool {
    Stored::<T>::get(id).is_some_and(|poll| opening::is_own::<T>(id, &poll, who, opening))
}

/// What comes after a step of a poll.
enum Step<AccountId> {
    /// Another step, in this block.
    Again,
    /// Another block, or another meter.
    Wait,
    /// Nothing: the poll is over.
    Over(PollOutcome<AccountId>),
}

impl<T: Config> Polls<T::AccountId> for Pallet<T> {
    type Error = Error<T>;

    fn ask(id: PollId, question: Question<T::AccountId>) {
        // Its name holds all that it asks: one that is known goes on.
        if Stored::<T>::contains_key(id) {
            return;
        }
        let poll = Poll {
            purpose: question.purpose,
            first_seats: question.first_seats,
            window: question.window,
            size: question.size,
            claimant: question.claimant,
            forfeit: question.forfeit,
            asked_at: Self::now(),
            due_in: T::Sessions::current(),
            draw: Draw::First,
            seed: H256::zero(),
            stage: Stage::Drawing(None),
            tallies: PerDraw::default(),
        };
        Self::deposit_event(Event::PollAsked {
            poll: id,
            purpose: poll.purpose,
            claimant: poll.claimant.as_ref().map(|(who, _)| who.clone()),
            seats: poll.seats(Draw::First),
            window: poll.window,
            forfeit: poll.forfeit,
        });
        Stored::<T>::insert(id, poll);
    }

    fn advance(id: &PollId, clock: BlockNumber, meter: &mut WeightMeter) -> PollProgress<T::AccountId> {
        if meter.try_consume(T::WeightInfo::look_at_poll()).is_err() {
            return PollProgress::Open;
        }
        let Some(before) = Stored::<T>::get(id) else {
            // Nobody asked, so there is nothing to wait for.
            return PollProgress::Over(PollOutcome {
                decision: Decision::Undecided,
                draw: Draw::First,
                right: Default::default(),
            });
        };
        let mut poll = before.clone();
        loop {
            let step = match poll.stage.clone() {
                Stage::Drawing(begun) => draw::go_on::<T>(id, &mut poll, begun, meter),
                Stage::Digests { closes_at } => digests::close::<T>(id, &mut poll, closes_at, clock),
                Stage::Opening { closed_at } => opening::give_up::<T>(id, &mut poll, closed_at, clock),
                Stage::Judging(judging) => judging::go_on::<T>(id, &mut poll, judging, meter),
            };
            match step {
                Step::Again => {}
                Step::Wait => {
                    if poll != before {
                        Stored::<T>::insert(id, poll);
                    }
                    return PollProgress::Open;
                }
                Step::Over(outcome) => {
                    Stored::<T>::remove(id);
                    return PollProgress::Over(outcome);
                }
            }
        }
    }

    fn weight(seats: u32, blocks: u32) -> Weight {
        // A point that falls on somebody who is out or busy is followed by another one, up to five times: twice where half are.
        let seat = T::WeightInfo::look_at_point()
            .saturating_mul(2)
            .saturating_add(T::WeightInfo::take_seat())
            .saturating_add(T::WeightInfo::judge());
        T::WeightInfo::look_at_poll()
            .saturating_mul(blocks.into())
            .saturating_add(seat.saturating_mul(seats.into()))
    }

    fn give(id: &PollId, who: &T::AccountId, digest: H256) -> Result<(), Error<T>> {
        digests::give::<T>(id, who, digest)
    }

    fn open(id: &PollId, who: &T::AccountId, draw: Draw, opening: &Opening) -> Result<(), Error<T>> {
        opening::open::<T>(id, who, draw, opening)
    }

    fn owes_digest(id: &PollId, who: &T::AccountId) -> Option<BlockNumber> {
        let owed = digests::owed::<T>(id, who).ok();
        owed.map(|(_, _, closes_at)| closes_at)
    }

    fn may_open(id: &PollId, who: &T::AccountId) -> Option<(Draw, BlockNumber)> {
        opening::turn::<T>(id, who)
    }

    fn would_decide(id: &PollId, who: &T::AccountId, draw: Draw, opening: &Opening) -> bool {
        Stored::<T>::get(id).is_some_and(|poll| opening::decides::<T>(id, &poll, who, draw, opening).is_ok())
    }

    fn status(id: &PollId) -> Option<PollStatus<T::AccountId>> {
        let poll = Stored::<T>::get(id)?;
        let now = Self::now();
        let (stage, ends_at) = match poll.stage {
            Stage::Drawing(_) => (PollStage::Drawing, now),
            Stage::Digests { closes_at } => (PollStage::Digests, closes_at),
            Stage::Opening { closed_at } => (PollStage::Opening, closed_at.saturating_add(OPENING_BLOCKS)),
            Stage::Judging(_) => (PollStage::Judging, now),
        };
        let accounts = Seats::<T>::iter_prefix(id).take(MAX_SHOWN).map(|(who, seat)| {
            let seats = DRAWS
                .map(|draw| u32::from(*seat.seats.get(draw)))
                .into_iter()
                .fold(0, u32::saturating_add);
            let given = seat.digest.is_some() || poll.is_claimant(&who);
            (who, seats, given)
        });
        Some(PollStatus {
            poll: *id,
            draw: poll.draw,
            stage,
            ends_at,
            seats: poll.seats(poll.draw),
            given: u32::from(poll.tallies.get(poll.draw).acted),
            accounts: accounts.collect(),
        })
    }
}
