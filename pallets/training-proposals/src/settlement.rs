//! What follows from a round's polls: rewards, query shares, reputation, and the next version. One proposal at a time, so
//! that a round which has much to settle does it over several blocks.

use alloc::vec::Vec;
use frame_support::{BoundedVec, pallet_prelude::*, weights::WeightMeter};
use hydra_primitives::{
    BlockNumber, ModelId,
    proposal::{Proposal, ProposalKey},
    reputation::Deed,
    rewards::{VERIFIER_SHARES, proposer_shares},
    status::{BallotView, ProposalSummary},
    tally::Outcome,
    traits::{PollResult, Polls as _, Reputation as _, Rewards as _},
    vote::Vote,
};

use crate::{
    Attestations, Config, Event, FoldedUpdate, History, Model, Pallet, Proposals, Round, RoundRecord, Rounds,
    Settled, VersionInfo, Versions,
};

impl<T: Config> Pallet<T> {
    /// Settling one proposal: its committee's reputation and query shares.
    pub(crate) fn settle_weight() -> Weight {
        let members = u64::from(T::Polls::max_committee()).saturating_add(1);
        Weight::from_parts(50_000_000, 0).saturating_add(
            T::DbWeight::get().reads_writes(members.saturating_mul(4), members.saturating_mul(4)),
        )
    }

    /// Finishing a round: looks at every participant once more.
    pub(crate) fn finish_weight() -> Weight {
        Weight::from_parts(100_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(
            Self::participants_reads().saturating_mul(2),
            u64::from(T::Reputation::max_nodes()).saturating_add(10),
        ))
    }

    /// The first block whose extrinsics belong to the round: it opened at the end of the one before.
    pub(crate) fn first_block(round: &Round) -> BlockNumber {
        round.opened_at.saturating_add(1)
    }

    /// Counts participants who did nothing since this block, unless that is everybody.
    pub(crate) fn count_absences(since: BlockNumber) {
        let (seen, absent): (Vec<_>, Vec<_>) = Self::participants()
            .into_iter()
            .partition(|who| T::Reputation::seen_since(who, since));
        if !seen.is_empty() {
            absent.iter().for_each(T::Reputation::was_absent);
        }
    }

    /// Settles proposals, in account order, as far as the weight allows; after the last one opens the next round.
    pub(crate) fn settle(model: ModelId, info: &Model, meter: &mut WeightMeter) {
        loop {
            let Some(round) = Rounds::<T>::get(model) else {
                return;
            };
            let last = Proposals::<T>::get(model).is_empty();
            if meter
                .try_consume(if last {
                    Self::finish_weight()
                } else {
                    Self::settle_weight()
                })
                .is_err()
            {
                return;
            }
            let next = Proposals::<T>::mutate(model, |proposals| {
                let first = proposals.keys().next().cloned()?;
                proposals.remove(&first).map(|proposal| (first, proposal))
            });
            match next {
                Some((proposer, proposal)) => Self::settle_proposal(model, info, &round, proposer, proposal),
                None => return Self::finish_round(model, info, round),
            }
        }
    }

    fn settle_proposal(
        model: ModelId,
        info: &Model,
        round: &Round,
        proposer: T::AccountId,
        proposal: Proposal,
    ) {
        let key = ProposalKey {
            model,
            round: round.number,
            proposer: proposer.clone(),
        };
        let result = T::Polls::close(&key);
        let (outcome, tally) = result
            .as_ref()
            .map_or((Outcome::Undecided, Default::default()), |r| (r.outcome, r.tally));
        let reward = match outcome {
            Outcome::Accepted => {
                let reward = T::Rewards::pay(&proposer, info.spec.work());
                T::Rewards::add_query_shares(model, &proposer, proposer_shares(info.spec.work()));
                T::Reputation::record(&proposer, Deed::ProposalAccepted);
                reward
            }
            Outcome::Rejected => {
                T::Reputation::record(&proposer, Deed::ProposalRejected);
                0
            }
            Outcome::Undecided => 0,
        };
        if let Some(result) = result {
            Self::judge_verifiers(model, &proposer, result);
        }
        Self::deposit_event(match outcome {
            Outcome::Accepted => Event::ProposalAccepted {
                proposal: key,
                reward,
                tally,
            },
            Outcome::Rejected => Event::ProposalRejected { proposal: key, tally },
            Outcome::Undecided => Event::ProposalUndecided { proposal: key, tally },
        });
        Settled::<T>::mutate(model, |settled| {
            // As many as there were proposals, whose number is bounded alike.
            let _ = settled.try_push((
                ProposalSummary {
                    proposer,
                    outcome,
                    tally,
                    reward,
                },
                proposal,
            ));
        });
    }

    fn judge_verifiers(model: ModelId, proposer: &T::AccountId, result: PollResult<T::AccountId>) {
        for (who, ballot) in result.ballots {
            // A network of one: a vote on one's own work earns nothing.
            if who == *proposer {
                continue;
            }
            let deed = match (result.outcome, ballot) {
                (_, BallotView::Committed(_)) => Deed::DidNotReveal,
                (Outcome::Accepted, BallotView::Revealed(Vote::Accept))
                | (Outcome::Rejected, BallotView::Revealed(Vote::Reject(_))) => Deed::VotedWithOutcome,
                (Outcome::Accepted, BallotView::Revealed(Vote::Reject(_)))
                | (Outcome::Rejected, BallotView::Revealed(Vote::Accept)) => Deed::VotedAgainstOutcome,
                _ => continue,
            };
            T::Reputation::record(&who, deed);
            if deed == Deed::VotedWithOutcome && result.outcome == Outcome::Accepted {
                T::Rewards::add_query_shares(model, &who, VERIFIER_SHARES);
            }
        }
    }

    /// Everything is settled: makes the next version of what was accepted, and opens the next round.
    fn finish_round(model: ModelId, info: &Model, round: Round) {
        let settled = Settled::<T>::take(model);
        let Some(newest) = Versions::<T>::get(model) else {
            return;
        };
        let count = |outcome| {
            u32::try_from(settled.iter().filter(|(s, _)| s.outcome == outcome).count()).unwrap_or(u32::MAX)
        };
        let (accepted, rejected, undecided) = (
            count(Outcome::Accepted),
            count(Outcome::Rejected),
            count(Outcome::Undecided),
        );
        let version = match newest.weights {
            Some(base) if accepted > 0 => {
                let updates: Vec<_> = settled
                    .iter()
                    .filter(|(summary, _)| summary.outcome == Outcome::Accepted)
                    .map(|(summary, proposal)| FoldedUpdate {
                        proposer: summary.proposer.clone(),
                        update: proposal.update,
                        shard: Self::shard_of(model, info, &round, &summary.proposer),
                    })
                    .collect();
                let version = newest.version.saturating_add(1);
                Attestations::<T>::remove(model);
                Versions::<T>::insert(
                    model,
                    VersionInfo {
                        version,
                        round: round.number,
                        base,
                        updates: BoundedVec::truncate_from(updates),
                        weights: None,
                        score: None,
                    },
                );
                version
            }
            _ => newest.version,
        };
        let proposers: Vec<_> = settled
            .iter()
            .filter(|(summary, _)| summary.outcome == Outcome::Accepted)
            .map(|(summary, _)| summary.proposer.clone())
            .collect();
        let unchanged = version == newest.version;
        History::<T>::insert(
            model,
            round.number,
            RoundRecord {
                opened_at: round.opened_at,
                settled_at: Self::now(),
                proposals: BoundedVec::truncate_from(
                    settled.into_iter().map(|(summary, _)| summary).collect(),
                ),
                version,
                weights: if unchanged { newest.weights } else { None },
                score: if unchanged { newest.score } else { None },
                attestations: BoundedVec::new(),
            },
        );
        if let Some(old) = round.number.checked_sub(T::HistoryDepth::get()) {
            History::<T>::remove(model, old);
        }
        let since = Self::first_block(&round);
        Self::count_absences(since);
        for who in proposers {
            if T::Reputation::voted_since(&who, since) && !T::Reputation::delayed_since(&who, since) {
                T::Reputation::kept_pace(&who);
            }
        }
        Self::deposit_event(Event::RoundSettled {
            model,
            round: round.number,
            accepted,
            rejected,
            undecided,
            version,
        });
        Self::open_round(model, info, round.number.saturating_add(1), version);
    }
}
