//! The duty sheet: everything an account owes at this block, derived from state alone.

use alloc::vec::Vec;
use codec::Encode;
use hydra_primitives::{
    H256, ModelId,
    duty::{
        AcceptedUpdate, Asks, ConfirmedWeights, DUTY_PROTOCOL, Duty, DutySheet, MAX_BODY, MAX_PROVIDERS,
        ModelDescription, ModelDuties, Standing, Task, VersionRecipe,
    },
    status::Phase,
    task::PlaceIndex,
    traits::{Heartbeats as _, Nodes as _, Polls as _, Sessions as _, Stakes as _},
};

use crate::{
    Config, Confirmed, ModelTerms, Models, Pallet, Place, Places, Round, Rounds, Terms, VersionInfo, Versions,
};

/// So many providers are left, step by step, where a sheet is too large.
const FEWER: [usize; 3] = [4, 2, 1];

/// One model as its duties are derived from it.
struct View<AccountId> {
    model: ModelId,
    terms: Terms,
    round: Round,
    /// The confirmed weights, unless a newer version is in question.
    base: Option<H256>,
    places: Vec<(PlaceIndex, Place<AccountId>)>,
}

impl<T: Config> Pallet<T> {
    /// Everything `who` owes now, and the models, which anyone may ask. It is never larger than a trainer takes.
    pub fn duty_sheet(who: &T::AccountId) -> DutySheet {
        let registered = T::Nodes::is_registered(who);
        let models = (0..Models::<T>::count())
            .filter_map(|model| Self::model_duties(model, registered.then_some(who)))
            .collect();
        let mut sheet = DutySheet {
            protocol: DUTY_PROTOCOL,
            genesis: Self::genesis(),
            block: Self::now(),
            account: who.clone().into(),
            standing: Self::standing(who),
            heartbeat: T::Heartbeats::owed(who),
            models,
            described: Vec::new(),
        };
        shrink(&mut sheet, MAX_BODY);
        sheet
    }

    /// Adds what never changes about the models that the trainer doesn't know, as far as there is room.
    pub(crate) fn describe(sheet: &mut DutySheet, unknown: &[ModelId]) {
        let mut size = sheet.encoded_size();
        for duties in &sheet.models {
            if !unknown.contains(&duties.model) {
                continue;
            }
            let Some(info) = Models::<T>::get(duties.model) else {
                continue;
            };
            let description = ModelDescription {
                model: duties.model,
                spec: info.spec,
                dataset: info.dataset,
            };
            // The length of the list takes up to four bytes more.
            let more = description.encoded_size().saturating_add(4);
            if size.saturating_add(more) <= MAX_BODY {
                size = size.saturating_add(more);
                sheet.described.push(description);
            }
        }
    }

    fn standing(who: &T::AccountId) -> Standing {
        let Some(entry) = T::Nodes::entry(who) else {
            return Standing::Unregistered;
        };
        let session = T::Sessions::current();
        // Who is named in a genesis takes part from its first block on.
        let new = entry.joined == session && session > 0;
        if !T::Stakes::is_staked(who) {
            Standing::Unstaked
        } else if entry.paused {
            Standing::Paused
        } else if new || !T::Nodes::is_in(who) {
            Standing::Joining
        } else {
            Standing::Ready
        }
    }

    /// A model's state, and what `who` owes to it, if there is somebody who may.
    fn model_duties(model: ModelId, who: Option<&T::AccountId>) -> Option<ModelDuties> {
        let terms = ModelTerms::<T>::get(model)?;
        let round = Rounds::<T>::get(model)?;
        let confirmed = Confirmed::<T>::get(model)?;
        let newest = Versions::<T>::get(model);
        let places = who.map_or(0, |_| round.places);
        let view = View {
            model,
            terms,
            base: newest.is_none().then_some(confirmed.weights),
            places: (0..places)
                .filter_map(|index| Some((index, Places::<T>::get(model, index)?)))
                .collect(),
            round,
        };
        Some(ModelDuties {
            model,
            description: view.terms.description,
            round: view.round.number,
            phase: view.round.phase,
            phase_ends_at: view.round.phase_ends_at,
            confirmed: ConfirmedWeights {
                version: confirmed.version,
                weights: confirmed.weights,
                providers: Self::peers(&confirmed.providers),
            },
            newest: newest.map(Self::recipe),
            duties: who.map(|who| Self::duties(&view, who)).unwrap_or_default(),
        })
    }

    /// What `who` owes: first what others wait for the longest.
    fn duties(view: &View<T::AccountId>, who: &T::AccountId) -> Vec<Duty> {
        let question = view.round.question;
        let polls = || view.places.iter().filter(|(_, place)| place.outcome.is_none());
        let mut duties = Vec::new();
        duties.extend(question.and_then(|poll| Self::opening(poll, who, Asks::Version)));
        duties.extend(question.and_then(|poll| {
            let closes_at = T::Polls::owes_digest(&poll, who)?;
            Some(Duty::Attest { poll, closes_at })
        }));
        duties.extend(polls().filter_map(|(index, place)| {
            let asks = Asks::Task(Self::task(view, *index));
            Self::opening(place.poll?, who, asks)
        }));
        duties.extend(polls().filter_map(|(index, place)| {
            let poll = place.poll?;
            Some(Duty::Verify {
                closes_at: T::Polls::owes_digest(&poll, who)?,
                poll,
                task: Self::task(view, *index),
                claim: place.claim?.update.hash,
            })
        }));
        if view.round.phase == Phase::Train {
            let own = polls().filter(|(_, place)| place.holder == *who && place.claim.is_none());
            duties.extend(own.map(|(index, _)| Duty::Train {
                place: *index,
                task: Self::task(view, *index),
            }));
        }
        duties
    }

    fn opening(poll: H256, who: &T::AccountId, asks: Asks) -> Option<Duty> {
        let (draw, opens_until) = T::Polls::may_open(&poll, who)?;
        Some(Duty::Open {
            poll,
            draw,
            asks,
            opens_until,
        })
    }

    fn task(view: &View<T::AccountId>, place: PlaceIndex) -> Task {
        Task {
            base: view.base,
            shard: Self::shard_of(view.model, &view.terms, &view.round, place),
            task_seed: Self::task_seed_of(view.model, &view.round, place),
        }
    }

    fn recipe(version: VersionInfo<T::AccountId>) -> VersionRecipe {
        let updates = version.updates.into_iter().map(|folded| AcceptedUpdate {
            place: folded.place,
            update: folded.update,
            shard: folded.shard,
            providers: Self::peers(&folded.providers),
        });
        VersionRecipe {
            version: version.version,
            base: version.base,
            updates: updates.collect(),
        }
    }

    fn peers(accounts: &[T::AccountId]) -> Vec<Vec<u8>> {
        let peers = accounts.iter().filter_map(T::Nodes::peer_id);
        peers.take(MAX_PROVIDERS).collect()
    }
}

/// Leaves out what can be done without until the sheet has at most `most` bytes: first providers beyond a few, then models, those to
/// which nothing is owed first. Which ones changes with the block, so that each has its turn.
fn shrink(sheet: &mut DutySheet, most: usize) {
    for providers in FEWER {
        if sheet.encoded_size() <= most {
            return;
        }
        for model in &mut sheet.models {
            model.confirmed.providers.truncate(providers);
            let updates = model.newest.iter_mut().flat_map(|newest| &mut newest.updates);
            updates.for_each(|update| update.providers.truncate(providers));
        }
    }
    while sheet.encoded_size() > most && !sheet.models.is_empty() {
        let idle: Vec<_> = (0..sheet.models.len())
            .filter(|index| {
                sheet
                    .models
                    .get(*index)
                    .is_some_and(|model| model.duties.is_empty())
            })
            .collect();
        let block = usize::try_from(sheet.block).unwrap_or_default();
        let out = match block.checked_rem(idle.len()) {
            Some(turn) => idle.get(turn).copied().unwrap_or_default(),
            None => block.checked_rem(sheet.models.len()).unwrap_or_default(),
        };
        sheet.models.remove(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydra_primitives::BlobRef;

    fn sheet(models: u32, updates: u16) -> DutySheet {
        let update = |place| AcceptedUpdate {
            place,
            update: BlobRef::of(b"update"),
            shard: 0,
            providers: vec![vec![0; 38]; MAX_PROVIDERS],
        };
        let model = |model| ModelDuties {
            model,
            description: H256::zero(),
            round: 0,
            phase: Phase::Train,
            phase_ends_at: 0,
            confirmed: ConfirmedWeights {
                version: 0,
                weights: H256::zero(),
                providers: vec![vec![0; 38]; MAX_PROVIDERS],
            },
            newest: Some(VersionRecipe {
                version: 1,
                base: H256::zero(),
                updates: (0..updates).map(update).collect(),
            }),
            duties: vec![],
        };
        DutySheet {
            protocol: DUTY_PROTOCOL,
            genesis: H256::zero(),
            block: 7,
            account: [0; 32],
            standing: Standing::Ready,
            heartbeat: None,
            models: (0..models).map(model).collect(),
            described: vec![],
        }
    }

    #[test]
    fn a_sheet_that_fits_is_left_as_it_is() {
        let mut small = sheet(2, 32);
        let whole = small.clone();
        shrink(&mut small, MAX_BODY);
        assert_eq!(small, whole);
    }

    #[test]
    fn sixteen_models_at_their_largest_lose_providers_and_no_duty() {
        let mut large = sheet(16, 256);
        assert!(large.encoded_size() > MAX_BODY);
        shrink(&mut large, MAX_BODY);
        assert!(large.encoded_size() <= MAX_BODY);
        assert_eq!(large.models.len(), 16);
        let updates = |model: &ModelDuties| model.newest.as_ref().unwrap().updates.len();
        assert!(large.models.iter().all(|model| updates(model) == 256));
    }

    #[test]
    fn of_more_than_fits_the_models_go_first_that_the_account_owes_nothing() {
        let mut sheet = sheet(4, 10);
        sheet.models[3].duties = vec![Duty::Attest {
            poll: H256::zero(),
            closes_at: 0,
        }];
        let most = sheet.models[3].encoded_size() + 100;
        shrink(&mut sheet, most);
        assert!(sheet.encoded_size() <= most);
        assert!(sheet.models.iter().any(|model| model.model == 3));
        shrink(&mut sheet, 0);
        assert!(sheet.models.is_empty());
    }
}
