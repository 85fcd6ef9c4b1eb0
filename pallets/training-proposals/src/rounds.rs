//! How a round moves from phase to phase. Every step is bounded and paid for from the block's weight before it is taken.

use alloc::{collections::BTreeSet, vec::Vec};
use frame_support::{BoundedVec, pallet_prelude::*, weights::WeightMeter};
use hydra_primitives::{
    BlockNumber, H256, ModelId, domain_hash,
    proposal::{Proposal, ProposalKey},
    status::Phase,
    traits::{Polls as _, Reputation as _, VotingWeight as _},
};

use crate::{
    Config, Confirmed, ConfirmedVersion, Event, Model, Models, Pallet, Proposals, Round, Rounds, VersionInfo,
    Versions,
};

const SEED: &str = "hydraai 2026 round seed v1";

impl<T: Config> Pallet<T> {
    /// Starts a model from its initial weights, and opens its first round.
    pub(crate) fn start_model(model: ModelId, weights: H256) {
        let initial = VersionInfo {
            version: 0,
            round: 0,
            base: weights,
            updates: BoundedVec::new(),
            weights: Some(weights),
            score: None,
        };
        Versions::<T>::insert(model, initial);
        Confirmed::<T>::insert(
            model,
            ConfirmedVersion {
                version: 0,
                weights,
                score: None,
            },
        );
        if let Some(info) = Models::<T>::get(model) {
            Self::open_round(model, &info, 0, 0);
        }
    }

    fn seed(model: ModelId, round: u32, purpose: &[u8]) -> H256 {
        let randomness = T::Randomness::get();
        domain_hash(
            SEED,
            &[
                randomness.as_bytes(),
                &model.to_le_bytes(),
                &round.to_le_bytes(),
                purpose,
            ],
        )
    }

    pub(crate) fn open_round(model: ModelId, info: &Model, number: u32, version: u32) {
        let now = Self::now();
        let round = Round {
            number,
            phase: Phase::Train,
            opened_at: now,
            phase_ends_at: now.saturating_add(info.spec.phases.train),
            train_seed: Self::seed(model, number, b"train"),
            fixed_at: None,
            verify_seed: None,
        };
        Rounds::<T>::insert(model, round);
        Self::deposit_event(Event::RoundOpened {
            model,
            round: number,
            version,
        });
    }

    fn enter(model: ModelId, mut round: Round, phase: Phase, blocks: u32) {
        round.phase = phase;
        round.phase_ends_at = Self::now().saturating_add(blocks);
        Self::deposit_event(Event::PhaseChanged {
            model,
            round: round.number,
            phase,
            ends_at: round.phase_ends_at,
        });
        Rounds::<T>::insert(model, round);
    }

    /// Reads of all participants with what they weigh: nodes, then bond (twice), evidence and pace of each.
    pub(crate) fn participants_reads() -> u64 {
        u64::from(T::Reputation::max_nodes()).saturating_mul(5)
    }

    /// Looking whether a round can move on: its participants, its proposals, and each poll with its members.
    pub(crate) fn look_weight() -> Weight {
        let polls = u64::from(T::MaxProposals::get());
        let members = polls.saturating_mul(u64::from(T::Polls::max_committee()).saturating_add(1));
        Weight::from_parts(20_000_000, 0).saturating_add(
            T::DbWeight::get().reads(
                Self::participants_reads()
                    .saturating_add(members)
                    .saturating_add(8),
            ),
        )
    }

    /// Moving from one phase to another: opens and writes every poll, and notes who kept the others waiting.
    pub(crate) fn move_weight() -> Weight {
        let polls = u64::from(T::MaxProposals::get());
        let members = u64::from(T::Polls::max_committee());
        let reads = polls.saturating_mul(members.saturating_mul(2).saturating_add(2));
        Weight::from_parts(200_000_000, 0).saturating_add(
            T::DbWeight::get().reads_writes(
                // Those who are there, and those who were there lately.
                Self::participants_reads().saturating_mul(2).saturating_add(reads),
                u64::from(T::Reputation::max_nodes())
                    .saturating_add(polls)
                    .saturating_add(4),
            ),
        )
    }

    pub(crate) fn advance_all(meter: &mut WeightMeter) {
        for model in 0..Models::<T>::count() {
            Self::advance(model, meter);
        }
    }

    pub(crate) fn advance_overdue(now: BlockNumber, meter: &mut WeightMeter) {
        for model in 0..Models::<T>::count() {
            if meter.try_consume(T::DbWeight::get().reads(1)).is_err() {
                return;
            }
            // One block of grace: until then `on_idle` will have done it.
            if Rounds::<T>::get(model).is_some_and(|r| now > r.phase_ends_at.saturating_add(1)) {
                Self::advance(model, meter);
            }
        }
    }

    /// Moves the model's round on as far as what happened and the weight allow.
    fn advance(model: ModelId, meter: &mut WeightMeter) {
        if meter.try_consume(Self::look_weight()).is_err() {
            return;
        }
        if Versions::<T>::get(model).is_some_and(|version| version.weights.is_none())
            && meter.try_consume(Self::confirm_weight()).is_ok()
        {
            Self::confirm_if_agreed(model);
        }
        let (Some(round), Some(info)) = (Rounds::<T>::get(model), Models::<T>::get(model)) else {
            return;
        };
        let overdue = Self::now() >= round.phase_ends_at;
        let drawn = round.verify_seed.is_some();
        let complete = match round.phase {
            Phase::Train => Self::all_proposed(model),
            // The seed is drawn a block after the proposals were fixed.
            Phase::Verify if !drawn => round.fixed_at.is_none_or(|fixed| Self::now() > fixed),
            Phase::Verify | Phase::Reveal => Self::proposal_keys(model, &round)
                .iter()
                .all(T::Polls::is_complete),
            Phase::Settle => true,
        };
        if !(complete || overdue) {
            return;
        }
        if round.phase != Phase::Settle && meter.try_consume(Self::move_weight()).is_err() {
            return;
        }
        match round.phase {
            Phase::Train => Self::fix_proposals(model, &info, round),
            Phase::Verify if !drawn => Self::begin_verification(model, round),
            Phase::Verify => {
                let keys = Self::proposal_keys(model, &round);
                Self::note_laggards(&keys);
                keys.iter().for_each(T::Polls::begin_reveal);
                Self::enter(model, round, Phase::Reveal, info.spec.phases.reveal);
            }
            Phase::Reveal => {
                Self::note_laggards(&Self::proposal_keys(model, &round));
                Self::enter(model, round, Phase::Settle, 0);
                Self::settle(model, &info, meter);
            }
            Phase::Settle => Self::settle(model, &info, meter),
        }
    }

    /// Notes once for each account that it kept the others waiting in this phase, however many votes it owed.
    fn note_laggards(keys: &[ProposalKey<T::AccountId>]) {
        let laggards: BTreeSet<_> = keys.iter().flat_map(T::Polls::laggards).collect();
        laggards.iter().for_each(T::Reputation::kept_others_waiting);
    }

    /// Whether everyone who is waited for has proposed, and those are more than half of the weight: a few who are quick
    /// must not close a round to all others.
    fn all_proposed(model: ModelId) -> bool {
        let proposals = Proposals::<T>::get(model);
        let participants = Self::participants();
        participants
            .iter()
            .all(|who| proposals.contains_key(who) || !T::Reputation::is_waited_for(who))
            && Self::most_proposed(&proposals, &participants)
    }

    /// Whether the proposers have more than half of the weight.
    fn most_proposed(
        proposals: &BoundedBTreeMap<T::AccountId, Proposal, T::MaxProposals>,
        participants: &[T::AccountId],
    ) -> bool {
        let proposed = Self::weight_of(participants.iter().filter(|who| proposals.contains_key(who)));
        proposed > Self::weight_of(participants).saturating_sub(proposed)
    }

    /// What these accounts weigh together.
    pub(crate) fn weight_of<'a>(accounts: impl IntoIterator<Item = &'a T::AccountId>) -> u128
    where
        T::AccountId: 'a,
    {
        let weights = accounts.into_iter().map(T::VotingWeight::weight);
        weights.fold(0, u128::saturating_add)
    }

    /// Whether the active participants have more than a third of the weight that showed up within the last day or so.
    /// Otherwise a few that stay while most are away, in a power cut say, would decide for all of them.
    pub(crate) fn enough_take_part() -> bool {
        let here = Self::weight_of(&Self::participants());
        here.saturating_mul(3) > Self::weight_of(&T::Reputation::remembered())
    }

    pub(crate) fn proposal_keys(model: ModelId, round: &Round) -> Vec<ProposalKey<T::AccountId>> {
        Proposals::<T>::get(model)
            .into_iter()
            .map(|(proposer, _)| ProposalKey {
                model,
                round: round.number,
                proposer,
            })
            .collect()
    }

    /// The time to train is over: no more proposals, if there are any, what they were trained from is confirmed, and enough
    /// of the network is there to judge them.
    fn fix_proposals(model: ModelId, info: &Model, mut round: Round) {
        let now = Self::now();
        let overdue = now >= round.phase_ends_at;
        let proposals = Proposals::<T>::get(model);
        let confirmed = Versions::<T>::get(model).is_some_and(|version| version.weights.is_some());
        if proposals.is_empty() || !confirmed || !Self::enough_take_part() {
            if overdue {
                // Whoever vanished must not count for ever; but when everybody did, nobody is to blame. Nor in a model that never
                // had a proposal: perhaps nobody can train it, because its weights or data are not what was said, and nothing
                // ends it.
                if round.number > 0 || !proposals.is_empty() {
                    Self::count_absences(Self::first_block(&round));
                }
                round.phase_ends_at = now.saturating_add(info.spec.phases.train);
                Self::deposit_event(Event::RoundExtended {
                    model,
                    round: round.number,
                    ends_at: round.phase_ends_at,
                });
                Rounds::<T>::insert(model, round);
            }
            return;
        }
        let participants = Self::participants();
        if overdue && Self::most_proposed(&proposals, &participants) {
            let late = participants.iter().filter(|who| !proposals.contains_key(who));
            late.for_each(T::Reputation::kept_others_waiting);
        }
        round.fixed_at = Some(now);
        Self::enter(model, round, Phase::Verify, info.spec.phases.verify);
    }

    /// Draws the second seed and opens a poll on each proposal.
    fn begin_verification(model: ModelId, mut round: Round) {
        let seed = Self::seed(model, round.number, b"verify");
        round.verify_seed = Some(seed);
        let participants = Self::participants();
        for key in Self::proposal_keys(model, &round) {
            let committee = Self::committee(&key, &participants);
            if let Err(error) = T::Polls::open(&key, committee) {
                // Without a poll the proposal settles as undecided.
                log::error!(target: "hydra::training", "no poll on {key:?}: {error:?}");
            }
        }
        Rounds::<T>::insert(model, round);
    }

    /// Everyone but the proposer. A network of one verifies itself: there is nobody else to lie to.
    fn committee(key: &ProposalKey<T::AccountId>, participants: &[T::AccountId]) -> Vec<T::AccountId> {
        let others = participants.iter().filter(|who| **who != key.proposer);
        let others: Vec<_> = others.cloned().collect();
        if others.is_empty() {
            participants.to_vec()
        } else {
            others
        }
    }
}
