//! What the other pallets ask and tell about accounts: who takes part and has room, how duties ended, and heartbeats.

use alloc::vec::Vec;
use frame_support::pallet_prelude::*;
use hydra_primitives::{
    BlockNumber, Perbill,
    electorate::SessionIndex,
    model::SizeClass,
    reputation::{self, Deed},
    traits::{self, Electorate as _, ElectorateFull, NodeEntry, Sessions as _, Stakes as _, bytes_of},
};

use crate::{Config, Error, Event, Node, Nodes, Pallet, node::heartbeat_time};

impl<T: Config> traits::Nodes<T::AccountId> for Pallet<T> {
    fn is_registered(who: &T::AccountId) -> bool {
        Nodes::<T>::contains_key(who)
    }

    fn score(who: &T::AccountId) -> Perbill {
        Nodes::<T>::get(who).map_or(Perbill::zero(), |node| node.score)
    }

    fn is_in(who: &T::AccountId) -> bool {
        Nodes::<T>::get(who).is_some_and(|node| node.takes_part(T::Sessions::current()))
            && T::Stakes::is_staked(who)
    }

    fn fits(who: &T::AccountId, size: SizeClass) -> bool {
        Nodes::<T>::get(who).is_some_and(|node| size <= node.size_class)
    }

    fn has_room(who: &T::AccountId) -> bool {
        Nodes::<T>::get(who).is_some_and(|node| node.busy < node.room)
    }

    fn take_on(who: &T::AccountId) {
        Nodes::<T>::mutate(who, |node| {
            if let Some(node) = node {
                node.busy = node.busy.saturating_add(1);
            }
        });
    }

    fn finish(who: &T::AccountId, deed: Option<Deed>, since: BlockNumber) {
        let session = T::Sessions::current();
        let judged = Nodes::<T>::mutate(who, |node| {
            let node = node.as_mut()?;
            node.busy = node.busy.saturating_sub(1);
            let deed = deed?;
            node.score = reputation::after(node.score, deed);
            let left = match deed {
                Deed::Right => None,
                Deed::Missed => node
                    .miss(session, Self::now(), T::Sessions::blocks(), since)
                    .then_some(None),
                Deed::Wrong => node.leave(session).map(Some),
            };
            Some((deed, node.score, left))
        });
        let Some((deed, score, left)) = judged else {
            return;
        };
        Self::deposit_event(Event::ScoreChanged {
            who: who.clone(),
            deed,
            score,
        });
        if let Some(until) = left {
            Self::deposit_event(Event::Left {
                who: who.clone(),
                until,
            });
        }
    }

    fn leave(who: &T::AccountId) {
        let left = Nodes::<T>::mutate(who, |node| node.as_mut()?.leave(T::Sessions::current()));
        if let Some(until) = left {
            Self::deposit_event(Event::Left {
                who: who.clone(),
                until: Some(until),
            });
        }
    }

    fn peer_id(who: &T::AccountId) -> Option<Vec<u8>> {
        Nodes::<T>::get(who).map(|node| node.peer_id.into_inner())
    }

    fn count() -> u32 {
        Nodes::<T>::count()
    }

    fn entry(who: &T::AccountId) -> Option<NodeEntry> {
        Nodes::<T>::get(who).map(|node| node.entry())
    }

    fn registered(from: Option<&T::AccountId>, limit: u32) -> Vec<T::AccountId> {
        let nodes = match from {
            Some(from) => Nodes::<T>::iter_from(Nodes::<T>::hashed_key_for(from)),
            None => Nodes::<T>::iter(),
        };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        nodes.take(limit).map(|(who, _)| who).collect()
    }
}

impl<T: Config> traits::Heartbeats<T::AccountId> for Pallet<T> {
    type Error = DispatchError;

    fn owed(who: &T::AccountId) -> Option<SessionIndex> {
        let node = Nodes::<T>::get(who)?;
        Self::owed_by(who, &node)
    }

    fn beat(who: &T::AccountId, session: SessionIndex) -> DispatchResult {
        let mut node = Nodes::<T>::get(who).ok_or(Error::<T>::NotRegistered)?;
        ensure!(
            Self::owed_by(who, &node) == Some(session),
            Error::<T>::NoHeartbeatOwed
        );
        if T::Sessions::takes_heartbeats() && node.enters(session) {
            T::Electorate::enter(who, node.size_class, node.room)
                .map_err(|ElectorateFull| Error::<T>::ElectorateIsFull)?;
            node.enter(session);
        }
        let returned = node.heard(Self::now());
        Nodes::<T>::insert(who, node);
        Self::deposit_event(Event::Heartbeat {
            who: who.clone(),
            session,
        });
        if returned {
            Self::deposit_event(Event::Returned { who: who.clone() });
        }
        Ok(())
    }
}

impl<T: Config> Pallet<T> {
    /// The session whose heartbeat the account owes now. Whoever went away owes it as soon as it brings it back; all others when it is
    /// their time, once a session.
    fn owed_by(who: &T::AccountId, node: &Node) -> Option<SessionIndex> {
        let session = T::Sessions::current();
        let due = || {
            T::Sessions::takes_heartbeats()
                && node.enters(session)
                && T::Sessions::heartbeat_progress() >= heartbeat_time(&bytes_of(who), session)
        };
        let owes = !node.paused && (node.returns(session, Self::now()) || due()) && T::Stakes::is_staked(who);
        owes.then_some(session)
    }
}
