//! A poll that isn't over, as far as those who have seats in it have to know it.

use hydra_primitives::{
    BlockNumber, ModelId, RoundNumber,
    electorate::{Draw, Purpose},
    poll::PollId,
    task::PlaceIndex,
    traits::Polls as _,
};
use hydra_runtime::{AccountId, Runtime, StakeVoting};
use pallet_stake_voting::{
    Polls, Seats,
    poll::{Poll, Stage as ChainStage},
};
use pallet_training_proposals::{Places, Rounds};
use std::collections::{BTreeMap, BTreeSet};

use super::{
    duties::{Form, Owed},
    question::Question,
    view::{self, View},
};
use crate::{
    duty::{Duty, Kind},
    symbol::{Answer, Symbol},
};

/// A poll.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    /// The model.
    pub model: ModelId,
    /// The place that it is about; none if it is about a version.
    pub place: Option<PlaceIndex>,
    /// The draw it is at.
    pub draw: Draw,
    round: RoundNumber,
    question: Question,
    /// Whose claim it is about, and what that is.
    claim: Option<(AccountId, Symbol)>,
    work: u64,
    first_seats: u32,
    /// The block since which it is as it is.
    since: BlockNumber,
    /// Whether it waits for an opening.
    opening: bool,
    /// Who has seats in this draw, and how many.
    seats: BTreeMap<AccountId, u32>,
    /// Who has seats in any draw.
    accounts: BTreeSet<AccountId>,
    /// Who owes a digest.
    pending: BTreeSet<AccountId>,
    /// Which plain copies decide this draw, as far as somebody asked.
    decide: BTreeMap<Answer, bool>,
}

impl Asked {
    /// Reads a poll, in the state after the block `now`.
    pub fn load(id: &PollId, view: &View, learns: bool, now: BlockNumber) -> Option<Self> {
        let poll = Polls::<Runtime>::get(id)?;
        let (model, place, question, claim) = match poll.purpose {
            Purpose::Verification { model, place, .. } => {
                let index = PlaceIndex::try_from(place).ok()?;
                let (place, round) = (
                    Places::<Runtime>::get(model, index)?,
                    Rounds::<Runtime>::get(model)?,
                );
                let question = view::task(model, &round, index, &view.confirmed);
                let claim = question.behind(&place.claim?.update.hash);
                (model, Some(index), question, Some((place.holder, claim)))
            }
            Purpose::Attestation { model, .. } => {
                let (version, recipe) = view.newest?;
                let question = Question::version(version, recipe, learns);
                (model, None, question, None)
            }
            Purpose::Places { .. } | Purpose::Committee { .. } => return None,
        };
        let work = if place.is_some() {
            view.work
        } else {
            view.measuring
        };
        let mut asked = Self {
            model,
            place,
            draw: poll.draw,
            round: round_of(&poll),
            question,
            claim,
            work,
            first_seats: poll.first_seats,
            since: now,
            opening: false,
            seats: BTreeMap::new(),
            accounts: BTreeSet::new(),
            pending: BTreeSet::new(),
            decide: BTreeMap::new(),
        };
        match poll.stage {
            ChainStage::Digests { closes_at } => {
                asked.drawn(id, poll.draw, closes_at.saturating_sub(poll.window));
            }
            ChainStage::Opening { closed_at } => {
                asked.drawn(id, poll.draw, closed_at);
                asked.closed(closed_at);
            }
            ChainStage::Drawing(_) | ChainStage::Judging(_) => {}
        }
        Some(asked)
    }

    /// The seats of a draw are drawn.
    pub fn drawn(&mut self, id: &PollId, draw: Draw, now: BlockNumber) {
        self.draw = draw;
        self.since = now;
        self.opening = false;
        self.decide.clear();
        self.seats.clear();
        self.pending.clear();
        for (who, seat) in Seats::<Runtime>::iter_prefix(id) {
            let seats = u32::from(*seat.seats.get(draw));
            let claimant = self.claim.as_ref().is_some_and(|(claimant, _)| *claimant == who);
            if seats > 0 {
                self.seats.insert(who.clone(), seats);
                if seat.digest.is_none() && !claimant {
                    self.pending.insert(who.clone());
                }
            }
            self.accounts.insert(who);
        }
    }

    /// Who has seats of this draw, and how many.
    pub fn seats(&self) -> impl Iterator<Item = (&AccountId, u32)> {
        self.seats.iter().map(|(who, seats)| (who, *seats))
    }

    /// How many seats the draw has that it is at, and what is claimed, if it is about a claim.
    pub fn contested(&self) -> (u32, Option<Symbol>) {
        let claim = self.claim.as_ref().map(|(_, claim)| *claim);
        (self.draw.seats(self.first_seats), claim)
    }

    /// An account gave its digest.
    pub fn given(&mut self, who: &AccountId) {
        self.pending.remove(who);
    }

    /// No more digests are taken.
    pub fn closed(&mut self, now: BlockNumber) {
        self.pending.clear();
        self.opening = true;
        self.since = now;
    }

    /// Whether a plain copy of this answer, by this account, decides it now.
    pub fn is_decided_by(&mut self, id: &PollId, who: &AccountId, answer: Answer) -> bool {
        let (draw, opening) = (self.draw, self.question.opening(answer));
        StakeVoting::has_found(id, who, &opening)
            && *self
                .decide
                .entry(answer)
                .or_insert_with(|| StakeVoting::would_decide(id, who, draw, &opening))
    }

    /// Who owes a digest, and what.
    pub fn digests(&self, id: PollId) -> impl Iterator<Item = (AccountId, Owed)> {
        let kind = if self.place.is_some() {
            Kind::Check
        } else {
            Kind::Fold
        };
        let owed = Owed {
            duty: self.duty(kind, self.work),
            form: Form::Digest {
                poll: id,
                question: self.question,
                claimant: self.claim.as_ref().map(|(who, _)| super::bytes(who)),
            },
        };
        self.pending.iter().map(move |who| (who.clone(), owed.clone()))
    }

    /// Who may show a plain copy, if it is its turn.
    pub fn openings(&self, id: PollId) -> impl Iterator<Item = (AccountId, Owed)> {
        let owed = Owed {
            duty: self.duty(Kind::Open, 0),
            form: Form::Open {
                poll: id,
                draw: self.draw,
                question: self.question,
                place: self.place,
            },
        };
        let accounts = self.accounts.iter().filter(|_| self.opening);
        accounts.map(move |who| (who.clone(), owed.clone()))
    }

    fn duty(&self, kind: Kind, work: u64) -> Duty {
        let (seats, claim) = self.contested();
        // The names of blobs tell what a version is, if somebody publishes it too soon.
        let said = claim.unwrap_or(Symbol::Right);
        Duty {
            kind,
            model: self.model,
            round: self.round,
            since: self.since,
            said: Some(said),
            told: None,
            shown: None,
            seats: [seats, 0],
            work,
        }
    }
}

fn round_of(poll: &Poll<AccountId>) -> RoundNumber {
    match poll.purpose {
        Purpose::Places { round, .. }
        | Purpose::Verification { round, .. }
        | Purpose::Attestation { round, .. } => round,
        Purpose::Committee { .. } => 0,
    }
}
