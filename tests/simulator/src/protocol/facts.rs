//! What the chain's events mean.

use hydra_primitives::reputation::Deed;
use hydra_runtime::{Runtime, RuntimeEvent};
use pallet_reputation::Event as InReputation;
use pallet_training_proposals::{Event as InTraining, Rounds, Versions};
use pallet_transaction_payment::Event as InPayment;

use crate::{
    fact::{Fact, Verdict},
    symbol::Symbol,
};

/// The facts in a block's events, read in the state after it.
pub fn facts(events: &[RuntimeEvent]) -> Vec<Fact> {
    events.iter().filter_map(fact).collect()
}

fn fact(event: &RuntimeEvent) -> Option<Fact> {
    match event {
        RuntimeEvent::TrainingProposals(event) => in_training(event),
        RuntimeEvent::Reputation(InReputation::DeedRecorded { who, deed, .. }) => match deed {
            Deed::ProposalAccepted | Deed::VotedWithOutcome => None,
            Deed::ProposalRejected | Deed::VotedAgainstOutcome | Deed::DidNotReveal => {
                Some(Fact::Blamed { who: who.clone() })
            }
        },
        RuntimeEvent::TransactionPayment(InPayment::TransactionFeePaid { who, actual_fee, .. }) => {
            Some(Fact::FeePaid {
                who: who.clone(),
                fee: *actual_fee,
            })
        }
        _ => None,
    }
}

fn in_training(event: &InTraining<Runtime>) -> Option<Fact> {
    Some(match event {
        InTraining::Proposed {
            model,
            round,
            proposer,
            proposal,
            ..
        } => {
            let current = Rounds::<Runtime>::get(model).filter(|current| current.number == *round)?;
            let version = Versions::<Runtime>::get(model)?;
            Fact::Claimed {
                model: *model,
                who: proposer.clone(),
                claim: super::claim(*model, &current, &version, proposer, proposal),
            }
        }
        InTraining::ProposalAccepted { proposal, reward, .. } => Fact::Decided {
            model: proposal.model,
            who: proposal.proposer.clone(),
            verdict: Verdict::Accepted,
            pay: *reward,
        },
        InTraining::ProposalRejected { proposal, .. } => Fact::Decided {
            model: proposal.model,
            who: proposal.proposer.clone(),
            verdict: Verdict::Rejected,
            pay: 0,
        },
        InTraining::ProposalUndecided { proposal, .. } => Fact::Decided {
            model: proposal.model,
            who: proposal.proposer.clone(),
            verdict: Verdict::Undecided,
            pay: 0,
        },
        InTraining::RoundSettled { model, accepted, .. } => Fact::RoundEnded {
            model: *model,
            accepted: *accepted,
        },
        InTraining::RoundExtended { model, .. } => Fact::RoundExtended { model: *model },
        InTraining::VersionConfirmed { model, weights, .. } => {
            let version = Versions::<Runtime>::get(model)?;
            Fact::Confirmed {
                model: *model,
                version: Symbol::behind(weights, &super::recipe(&version)),
            }
        }
        _ => return None,
    })
}
