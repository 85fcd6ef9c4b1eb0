//! The duty sheet: everything an account owes at this block, derived from state alone.

use alloc::vec::Vec;
use frame_system::pallet_prelude::BlockNumberFor;
use hydra_primitives::{
    AccountBytes, H256, ModelId,
    duty::{
        AcceptedUpdate, DUTY_PROTOCOL, Duty, DutySheet, ModelDuties, Standing, VerifyDuty, VersionRecipe,
    },
    proposal::{Proposal, ProposalKey},
    sortition,
    status::{BallotView, Phase},
    traits::{Polls as _, Reputation as _, VotingWeight as _},
};
use sp_runtime::traits::Zero;

use crate::{Attestations, Config, Model, Models, Pallet, Proposals, Round, Rounds, Versions};

impl<T: Config> Pallet<T> {
    /// Everything `who` owes now, and the models, which anyone may ask. Whoever is not ready owes nothing.
    pub fn duty_sheet(who: &T::AccountId) -> DutySheet {
        let standing = if !T::Reputation::is_registered(who) {
            Standing::Unregistered
        } else if T::VotingWeight::is_staked(who) {
            Standing::Ready
        } else {
            Standing::Unstaked
        };
        let providers: Vec<_> = Self::participants()
            .iter()
            .filter_map(T::Reputation::peer_id)
            .collect();
        let models = (0..Models::<T>::count())
            .filter_map(|model| Self::model_duties(model, who, standing, providers.clone()))
            .collect();
        DutySheet {
            protocol: DUTY_PROTOCOL,
            genesis: H256::from_slice(
                frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero()).as_ref(),
            ),
            block: Self::now(),
            account: who.clone().into(),
            standing,
            models,
        }
    }

    fn model_duties(
        model: ModelId,
        who: &T::AccountId,
        standing: Standing,
        providers: Vec<Vec<u8>>,
    ) -> Option<ModelDuties> {
        let info = Models::<T>::get(model)?;
        let round = Rounds::<T>::get(model)?;
        let version = Versions::<T>::get(model)?;
        let mut duties = Vec::new();
        if standing == Standing::Ready {
            if version.version > 0 && !Attestations::<T>::get(model).contains_key(who) {
                duties.push(Duty::Attest);
            }
            let proposals = Proposals::<T>::get(model);
            match round.phase {
                Phase::Train if !proposals.contains_key(who) => duties.push(Duty::Train {
                    shard: Self::shard_of(model, &info, &round, who),
                    task_seed: Self::task_seed_of(model, &round, who),
                }),
                Phase::Verify | Phase::Reveal => {
                    for (proposer, proposal) in proposals {
                        duties.extend(Self::vote_duty(
                            model,
                            &info,
                            &round,
                            who,
                            proposer,
                            proposal,
                            version.weights,
                        ));
                    }
                }
                Phase::Train | Phase::Settle => {}
            }
        }
        let updates = version
            .updates
            .iter()
            .map(|folded| AcceptedUpdate {
                proposer: folded.proposer.clone().into(),
                peer_id: T::Reputation::peer_id(&folded.proposer).unwrap_or_default(),
                update: folded.update,
                shard: folded.shard,
            })
            .collect();
        Some(ModelDuties {
            model,
            spec: info.spec,
            dataset: info.dataset,
            round: round.number,
            phase: round.phase,
            phase_ends_at: round.phase_ends_at,
            version: VersionRecipe {
                version: version.version,
                base: version.base,
                updates,
                weights: version.weights,
            },
            providers,
            duties,
        })
    }

    fn vote_duty(
        model: ModelId,
        info: &Model,
        round: &Round,
        who: &T::AccountId,
        proposer: T::AccountId,
        proposal: Proposal,
        base: Option<H256>,
    ) -> Option<Duty> {
        let key = ProposalKey {
            model,
            round: round.number,
            proposer: proposer.clone(),
        };
        let ballot = T::Polls::ballot(&key, who)?;
        let (verifier, trainer): (AccountBytes, AccountBytes) = (who.clone().into(), proposer.clone().into());
        let verify = VerifyDuty {
            proposal,
            peer_id: T::Reputation::peer_id(&proposer).unwrap_or_default(),
            base,
            shard: Self::shard_of(model, info, round, &proposer),
            task_seed: Self::task_seed_of(model, round, &proposer),
            segment: sortition::segment_of(
                &round.verify_seed?,
                &key.id(),
                &verifier,
                info.spec.task.segments(),
            ),
            key: ProposalKey {
                model,
                round: round.number,
                proposer: trainer,
            },
        };
        match (round.phase, ballot) {
            (Phase::Verify, BallotView::Absent) => Some(Duty::Verify(verify)),
            (Phase::Reveal, BallotView::Committed(commitment)) => Some(Duty::Reveal { verify, commitment }),
            _ => None,
        }
    }
}
