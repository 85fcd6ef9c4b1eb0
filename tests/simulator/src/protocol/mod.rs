//! Protocol 2: what a duty is, what an answer becomes on chain, and what the chain's events mean. The only part of the simulator
//! that knows the pallets; another protocol is another folder like this.
//!
//! Start with [`Watch`], what everybody owes. Everything here reads the state and must be called within the chain's externalities.

mod asked;
mod duties;
mod facts;
mod question;
mod view;
mod watch;

pub use duties::{Form, Owed, Sheet, submission};
pub use question::Question;
pub use watch::Watch;

use frame_support::traits::Get;
use hydra_primitives::{
    AccountBytes, BlockNumber, H256, ModelId,
    duty::DutyResult,
    electorate::{Draw, Purpose},
    poll::PollId,
    task::PlaceIndex,
    traits::{Electorate as _, Nodes as _},
};
use hydra_runtime::{
    AccountId, Balance, HydraToken, Reputation, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin,
    StakeVoting,
};
use pallet_stake_voting::{Event as InPolls, Polls, Seats};
use pallet_training_proposals::{Models, Rounds};
use sp_runtime::DispatchResult;

use crate::strategy::Extra;

/// For how many blocks an account sends nothing else while something of it is in flight.
pub const IN_FLIGHT: BlockNumber = pallet_training_proposals::IN_FLIGHT_BLOCKS;

/// The account as the types that cross boundaries have it.
fn bytes(who: &AccountId) -> AccountBytes {
    who.clone().into()
}

/// One transaction for all that an account gives.
pub fn submit(results: Vec<DutyResult>) -> RuntimeCall {
    RuntimeCall::TrainingProposals(pallet_training_proposals::Call::submit {
        results: results.try_into().unwrap_or_default(),
    })
}

/// Whether it is what an account gives of its duties.
pub fn is_submission(call: &RuntimeCall) -> bool {
    matches!(
        call,
        RuntimeCall::TrainingProposals(pallet_training_proposals::Call::submit { .. })
    )
}

/// The polls that somebody gives or shows something in.
pub fn polls_of(call: &RuntimeCall) -> Vec<PollId> {
    let RuntimeCall::TrainingProposals(pallet_training_proposals::Call::submit { results }) = call else {
        return Vec::new();
    };
    let polls = results.iter().filter_map(|result| match result {
        DutyResult::Digest { poll, .. } | DutyResult::Open { poll, .. } => Some(*poll),
        DutyResult::Heartbeat { .. } | DutyResult::Propose { .. } => None,
    });
    polls.collect()
}

/// A transaction beside an account's duties.
pub fn extra(who: &AccountId, extra: Extra) -> RuntimeCall {
    match extra {
        Extra::Transfers { count, .. } => {
            let transfer = || {
                RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive {
                    dest: who.clone().into(),
                    value: 1,
                })
            };
            let calls = std::iter::repeat_with(transfer).take(count as usize);
            RuntimeCall::Utility(pallet_utility::Call::force_batch {
                calls: calls.collect(),
            })
        }
        Extra::Junk => submit(vec![DutyResult::Digest {
            poll: H256::zero(),
            digest: H256::zero(),
        }]),
        Extra::Pause => RuntimeCall::Reputation(pallet_reputation::Call::pause {}),
        Extra::Resume => RuntimeCall::Reputation(pallet_reputation::Call::resume {}),
        Extra::Bond(amount) => RuntimeCall::StakeVoting(pallet_stake_voting::Call::bond { amount }),
    }
}

/// What its sender pays for being first.
pub fn tip(extra: Extra) -> Balance {
    match extra {
        Extra::Transfers { tip, .. } => tip,
        Extra::Junk | Extra::Pause | Extra::Resume | Extra::Bond(_) => 0,
    }
}

/// Who got seats in a block, and how many, by its events.
pub fn drawn(events: &[RuntimeEvent]) -> Vec<(AccountId, u32)> {
    let draws = events.iter().filter_map(|event| match event {
        RuntimeEvent::StakeVoting(InPolls::SeatsDrawn { poll, draw, .. }) => Some((*poll, *draw)),
        _ => None,
    });
    draws
        .flat_map(|(poll, draw)| {
            Seats::<Runtime>::iter_prefix(poll)
                .map(move |(who, seat)| (who, u32::from(*seat.seats.get(draw))))
        })
        .filter(|(_, seats)| *seats > 0)
        .collect()
}

/// What a first draw on a claim gave.
pub struct Drawn {
    /// The model.
    pub model: ModelId,
    /// The place that the claim is for.
    pub place: PlaceIndex,
    /// Seats of the draw, empty ones included.
    pub seats: u32,
    /// Who got some, and how many.
    pub accounts: Vec<(AccountId, u32)>,
}

/// The first draws on claims in a block, by its events.
pub fn drawn_on_claims(events: &[RuntimeEvent]) -> Vec<Drawn> {
    let draws = events.iter().filter_map(|event| {
        let RuntimeEvent::StakeVoting(InPolls::SeatsDrawn {
            poll,
            draw: Draw::First,
            ..
        }) = event
        else {
            return None;
        };
        let asked = Polls::<Runtime>::get(poll)?;
        let Purpose::Verification { model, place, .. } = asked.purpose else {
            return None;
        };
        let seats = Seats::<Runtime>::iter_prefix(poll);
        Some(Drawn {
            model,
            place: place.try_into().ok()?,
            seats: Draw::First.seats(asked.first_seats),
            accounts: seats.map(|(who, seat)| (who, seat.seats.first.into())).collect(),
        })
    });
    draws.collect()
}

/// The last block that takes claims for sure, while a model trains.
pub fn claims_until(model: ModelId) -> BlockNumber {
    Rounds::<Runtime>::get(model).map_or(0, |round| round.phase_ends_at)
}

/// Somebody pays for a model's rounds from now on, with this deposit.
pub fn sponsor(model: ModelId, who: &AccountId, deposit: Balance) -> DispatchResult {
    HydraToken::set_sponsor(RuntimeOrigin::root(), model, Some(who.clone()))?;
    HydraToken::sponsor(RuntimeOrigin::signed(who.clone()), model, deposit)
}

/// What the account weighs in draws of the next session.
pub fn weight(who: &AccountId) -> u128 {
    u128::from(StakeVoting::weight_of(who.clone()))
}

/// Whether a point that falls on the account counts.
pub fn takes_part(who: &AccountId) -> bool {
    Reputation::is_in(who)
}

/// How many accounts are drawn from in this session.
pub fn electorate() -> u32 {
    StakeVoting::accounts()
}

/// How well the account did, from 0 to 1.
pub fn score(who: &AccountId) -> f64 {
    f64::from(Reputation::score(who).deconstruct()) / 1e9
}

/// How many nodes there may be.
pub fn max_nodes() -> u32 {
    <Runtime as pallet_reputation::Config>::MaxNodes::get()
}

/// The work of a model's task, in sample-parameters.
pub fn task_work(model: ModelId) -> u64 {
    Models::<Runtime>::get(model).map_or(0, |model| model.spec.work())
}
