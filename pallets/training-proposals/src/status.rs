//! What the runtime API tells, and the pallet's invariants.

use alloc::vec::Vec;
use hydra_primitives::{
    ModelId, RoundNumber,
    status::{ModelStatus, NodeStatus, RoundSummary},
    traits::{Reputation as _, VotingWeight as _},
};

use crate::{Config, Confirmed, History, Models, Pallet, Proposals, Rounds, Versions};

/// The most rounds that one question is answered with.
const MAX_ROUNDS: u32 = 256;

impl<T: Config> Pallet<T> {
    /// The models on this chain.
    pub fn model_ids() -> Vec<ModelId> {
        (0..Models::<T>::count()).collect()
    }

    /// A model and its current round.
    pub fn model_status(model: ModelId) -> Option<ModelStatus> {
        let info = Models::<T>::get(model)?;
        let round = Rounds::<T>::get(model)?;
        let confirmed = Confirmed::<T>::get(model)?;
        Some(ModelStatus {
            model,
            spec: info.spec,
            dataset: info.dataset,
            round: round.number,
            phase: round.phase,
            phase_ends_at: round.phase_ends_at,
            proposals: u32::try_from(Proposals::<T>::get(model).len()).unwrap_or(u32::MAX),
            participants: u32::try_from(Self::participants().len()).unwrap_or(u32::MAX),
            version: Versions::<T>::get(model)?.version,
            confirmed_version: confirmed.version,
            weights: confirmed.weights,
            score: confirmed.score,
        })
    }

    /// Settled rounds `from..from + limit`, oldest first, as far as they are still on record.
    pub fn rounds(model: ModelId, from: RoundNumber, limit: u32) -> Vec<RoundSummary<T::AccountId>> {
        (from..from.saturating_add(limit.min(MAX_ROUNDS)))
            .filter_map(|round| {
                let record = History::<T>::get(model, round)?;
                Some(RoundSummary {
                    round,
                    opened_at: record.opened_at,
                    settled_at: record.settled_at,
                    proposals: record.proposals.into_inner(),
                    version: record.version,
                    weights: record.weights,
                    score: record.score,
                    attestations: record.attestations.into_inner(),
                })
            })
            .collect()
    }

    /// All registered accounts, sorted.
    pub fn registered() -> Vec<T::AccountId> {
        T::Reputation::registered()
    }

    /// One account's part in the network.
    pub fn node_status(who: &T::AccountId) -> NodeStatus {
        NodeStatus {
            registered: T::Reputation::is_registered(who),
            active: T::Reputation::is_active(who),
            peer_id: T::Reputation::peer_id(who).unwrap_or_default(),
            reputation: T::Reputation::score(who),
            stake: T::VotingWeight::bonded(who),
            weight: T::VotingWeight::weight(who),
        }
    }

    /// The pallet's invariants, each with its name.
    #[cfg(any(feature = "std", feature = "try-runtime"))]
    pub fn do_try_state() -> Result<(), &'static str> {
        use crate::{Attestations, Settled};
        use frame_support::{ensure, traits::Get};
        use hydra_primitives::{status::Phase, traits::Polls as _};
        ensure!(
            Models::<T>::count() <= T::MaxModels::get(),
            "training-proposals: no more models than MaxModels"
        );
        for (model, info) in Models::<T>::iter() {
            ensure!(
                model < Models::<T>::count(),
                "training-proposals: models are numbered from 0 without gaps"
            );
            ensure!(
                info.spec.validate(&info.dataset).is_ok(),
                "training-proposals: every model's spec is valid"
            );
            let round = Rounds::<T>::get(model).ok_or("training-proposals: every model has a round")?;
            let version = Versions::<T>::get(model).ok_or("training-proposals: every model has a version")?;
            let confirmed = Confirmed::<T>::get(model)
                .ok_or("training-proposals: every model has a confirmed version")?;
            ensure!(
                match version.weights {
                    Some(weights) => confirmed.version == version.version && confirmed.weights == weights,
                    None =>
                        confirmed.version.saturating_add(1) == version.version
                            && confirmed.weights == version.base,
                },
                "training-proposals: the newest version is the confirmed one or made from it"
            );
            ensure!(
                version.version == 0 || !version.updates.is_empty(),
                "training-proposals: every later version was made of updates"
            );
            ensure!(
                (round.phase == Phase::Train) == round.fixed_at.is_none(),
                "training-proposals: proposals are fixed exactly when the Train phase is over"
            );
            ensure!(
                round.phase == Phase::Verify || (round.phase == Phase::Train) == round.verify_seed.is_none(),
                "training-proposals: the second seed is drawn while proposals are verified"
            );
            ensure!(
                round.phase == Phase::Settle || Settled::<T>::get(model).is_empty(),
                "training-proposals: nothing is settled before its time"
            );
            ensure!(
                !matches!(round.phase, Phase::Verify | Phase::Reveal) || version.weights.is_some(),
                "training-proposals: what is verified was trained from a confirmed version"
            );
            ensure!(
                version.version > 0 || Attestations::<T>::get(model).is_empty(),
                "training-proposals: nobody attests the initial version"
            );
            for key in Self::proposal_keys(model, &round) {
                let open = T::Reputation::registered()
                    .iter()
                    .any(|who| T::Polls::ballot(&key, who).is_some());
                ensure!(
                    open == round.verify_seed.is_some(),
                    "training-proposals: there is a poll on every proposal once the second seed is drawn"
                );
            }
            let records = History::<T>::iter_key_prefix(model).count();
            ensure!(
                u32::try_from(records).is_ok_and(|n| n <= T::HistoryDepth::get()),
                "training-proposals: no more rounds on record than HistoryDepth"
            );
        }
        Ok(())
    }
}
