//! What the runtime API tells.

use alloc::vec::Vec;
use frame_support::traits::Get;
use hydra_primitives::{
    ModelId, RoundNumber,
    poll::PollId,
    reputation,
    status::{ElectorateStatus, ModelStatus, NodeStatus, PollStatus, RoundSummary},
    traits::{Electorate as _, Nodes as _, Polls as _, Stakes as _},
};

use crate::{Config, Confirmed, History, Models, Pallet, Rounds, Versions};

/// The most rounds that one question is answered with.
const MAX_ROUNDS: u32 = 256;
/// The most accounts that one question is answered with.
const MAX_ACCOUNTS: u32 = 1_000;

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
        let newest = Versions::<T>::get(model).map(|version| version.version);
        Some(ModelStatus {
            model,
            spec: info.spec,
            dataset: info.dataset,
            round: round.number,
            phase: round.phase,
            waiting: round.waiting,
            phase_ends_at: round.phase_ends_at,
            places: u32::from(round.places),
            proposals: u32::from(round.proposed),
            decided: u32::from(round.decided),
            version: newest.unwrap_or(confirmed.version),
            version_poll: round.question,
            confirmed_version: confirmed.version,
            weights: confirmed.weights,
            score: confirmed.score,
        })
    }

    /// Up to `limit` settled rounds, oldest first: those from `from` on, or from the oldest that is still on record if that is later.
    pub fn rounds(model: ModelId, from: RoundNumber, limit: u32) -> Vec<RoundSummary<T::AccountId>> {
        let current = Rounds::<T>::get(model).map_or(0, |round| round.number);
        let from = from.max(current.saturating_sub(T::HistoryDepth::get()));
        (from..from.saturating_add(limit.min(MAX_ROUNDS)))
            .filter_map(|round| {
                let record = History::<T>::get(model, round)?;
                Some(RoundSummary {
                    round,
                    opened_at: record.opened_at,
                    settled_at: record.settled_at,
                    places: record.places.into_inner(),
                    version: record.version,
                    weights: record.weights,
                    score: record.score,
                    given_up: record.given_up,
                })
            })
            .collect()
    }

    /// A page of the registered accounts: the first ones, or those after `from`.
    pub fn registered(from: Option<&T::AccountId>, limit: u32) -> Vec<T::AccountId> {
        T::Nodes::registered(from, limit.min(MAX_ACCOUNTS))
    }

    /// One account's part in the network.
    pub fn node_status(who: &T::AccountId) -> NodeStatus {
        let (entry, stake, score) = (T::Nodes::entry(who), T::Stakes::bonded(who), T::Nodes::score(who));
        NodeStatus {
            registered: T::Nodes::is_registered(who),
            active: T::Nodes::is_in(who),
            paused: entry.is_some_and(|entry| entry.paused),
            heartbeat: entry.map(|entry| entry.heartbeat).unwrap_or_default(),
            peer_id: T::Nodes::peer_id(who).unwrap_or_default(),
            reputation: score,
            stake,
            unbonding: T::Stakes::unbonding(who),
            weight: reputation::weight(stake, score),
            room: entry.map(|entry| entry.room).unwrap_or_default(),
            busy: entry.map(|entry| entry.busy).unwrap_or_default(),
            size_class: entry.map(|entry| entry.size_class).unwrap_or_default(),
        }
    }

    /// A poll and those who have seats in it, while it is asked.
    pub fn poll_status(poll: &PollId) -> Option<PollStatus<T::AccountId>> {
        T::Polls::status(poll)
    }

    /// The electorate.
    pub fn electorate() -> ElectorateStatus {
        T::Electorate::status()
    }
}
