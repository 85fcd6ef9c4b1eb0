//! What those of the chain's events mean that need no knowledge of what went before.

use hydra_primitives::{
    electorate::Draw,
    poll::{Decision, SeatVerdict},
    status::Outcome,
};
use hydra_runtime::{Runtime, RuntimeEvent};
use pallet_hydra_token::Event as InToken;
use pallet_stake_voting::Event as InPolls;
use pallet_training_proposals::Event as InTraining;
use pallet_transaction_payment::Event as InPayment;

use crate::fact::{Ending, Fact, Verdict};

/// In polls and bonds.
pub fn in_polls(event: &InPolls<Runtime>) -> Option<Fact> {
    Some(match event {
        InPolls::Forfeited { who, amount } => Fact::Forfeited {
            who: who.clone(),
            amount: *amount,
        },
        InPolls::SeatJudged { who, verdict, .. } => {
            let who = who.clone();
            match verdict {
                SeatVerdict::Right => return None,
                SeatVerdict::Wrong => Fact::Wrong { who },
                SeatVerdict::Missed => Fact::Missed { who },
            }
        }
        InPolls::PollDecided { decision, draw, .. } => Fact::Answered {
            ending: match (decision, draw) {
                (Decision::Undecided, _) => Ending::Open,
                (Decision::Found(_), Draw::First) => Ending::First,
                (Decision::Found(_), Draw::Appeal) => Ending::Appeal,
                (Decision::Found(_), Draw::Last) => Ending::Last,
            },
        },
        _ => return None,
    })
}

/// In rounds.
pub fn in_training(event: &InTraining<Runtime>) -> Option<Fact> {
    Some(match event {
        InTraining::PlaceSettled {
            place,
            holder,
            outcome,
            ..
        } => Fact::Decided {
            model: place.model,
            place: place.place,
            who: holder.clone(),
            verdict: match outcome {
                Outcome::Accepted => Verdict::Accepted,
                Outcome::Rejected => Verdict::Rejected,
                Outcome::Undecided => Verdict::Undecided,
                Outcome::Dropped => Verdict::Dropped,
            },
        },
        InTraining::RoundSettled { model, accepted, .. } => Fact::RoundEnded {
            model: *model,
            accepted: u32::from(*accepted),
        },
        InTraining::RoundDropped { model, .. } => Fact::RoundDropped { model: *model },
        InTraining::VersionGivenUp { model, .. } => Fact::GivenUp { model: *model },
        _ => return None,
    })
}

/// In balances.
pub fn in_money(event: &RuntimeEvent) -> Option<Fact> {
    Some(match event {
        RuntimeEvent::HydraToken(
            InToken::Rewarded { who, amount, .. } | InToken::VerifierRewarded { who, amount },
        ) => Fact::Paid {
            who: who.clone(),
            amount: *amount,
        },
        RuntimeEvent::HydraToken(InToken::ForfeitReceived { who, amount }) => Fact::Received {
            who: who.clone(),
            amount: *amount,
        },
        RuntimeEvent::HydraToken(InToken::DutiesPaid { model, burnt }) => Fact::Burnt {
            model: *model,
            amount: *burnt,
        },
        RuntimeEvent::TransactionPayment(InPayment::TransactionFeePaid { who, actual_fee, .. }) => {
            Fact::FeePaid {
                who: who.clone(),
                fee: *actual_fee,
            }
        }
        _ => return None,
    })
}
