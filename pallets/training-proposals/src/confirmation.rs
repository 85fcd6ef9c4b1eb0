//! When a version counts as the network's: enough nodes computed the same weights.

use alloc::vec::Vec;
use frame_support::pallet_prelude::*;
use hydra_primitives::{ModelId, Permill, traits::VotingWeight as _};

use crate::{
    Attestation, Attestations, Config, Confirmed, ConfirmedVersion, Event, History, Pallet, Versions,
};

impl<T: Config> Pallet<T> {
    /// Counting attestations.
    pub(crate) fn confirm_weight() -> Weight {
        let attestations = u64::from(T::MaxAttestations::get());
        Weight::from_parts(50_000_000, 0).saturating_add(
            T::DbWeight::get().reads_writes(
                Self::participants_reads()
                    .saturating_mul(2)
                    .saturating_add(attestations.saturating_mul(2)),
                4,
            ),
        )
    }

    /// Confirms the newest version when more than half of all weight agrees; or when more than half attested and more
    /// than 2/3 of that agrees. A hostile third of the weight can neither confirm anything nor prevent it.
    pub(crate) fn confirm_if_agreed(model: ModelId) {
        let Some(mut newest) = Versions::<T>::get(model).filter(|version| version.weights.is_none()) else {
            return;
        };
        let mut sides: Vec<(Attestation, u128)> = Vec::new();
        let mut attested = 0u128;
        for (who, attestation) in Attestations::<T>::get(model) {
            let weight = T::VotingWeight::weight(&who);
            attested = attested.saturating_add(weight);
            match sides.iter_mut().find(|(side, _)| *side == attestation) {
                Some((_, sum)) => *sum = sum.saturating_add(weight),
                None => sides.push((attestation, weight)),
            }
        }
        if !Self::enough_take_part() {
            return;
        }
        let all = Self::weight_of(&Self::participants());
        let agreed = sides.into_iter().find(|(_, sum)| {
            let most_of_all = sum.saturating_mul(2) > all;
            let most_of_many =
                attested.saturating_mul(2) > all && sum.saturating_mul(3) > attested.saturating_mul(2);
            most_of_all || most_of_many
        });
        let Some((Attestation { weights, score }, _)) = agreed else {
            return;
        };
        newest.weights = Some(weights);
        newest.score = Some(score);
        let (version, round) = (newest.version, newest.round);
        Versions::<T>::insert(model, newest);
        Confirmed::<T>::insert(
            model,
            ConfirmedVersion {
                version,
                weights,
                score: Some(score),
            },
        );
        History::<T>::mutate(model, round, |record| {
            if let Some(record) = record {
                record.weights = Some(weights);
                record.score = Some(score);
            }
        });
        let accuracy = Permill::from_rational(score.correct, score.total);
        Self::deposit_event(Event::VersionConfirmed {
            model,
            version,
            weights,
            score,
            accuracy,
        });
    }
}
