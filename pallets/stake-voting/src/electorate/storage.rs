//! The electorate in this pallet's storage: the only part of it that knows FRAME. It must hold no rule of its own.

use super::{
    Electorate,
    store::{Length, Node, NodeId, Parity, Store},
};
use crate::{Config, ElectorateAccounts, ElectorateLengths, ElectorateNodes};
use core::marker::PhantomData;
use hydra_primitives::electorate::SessionIndex;

/// The maps of this pallet.
pub(crate) struct Stored<T>(PhantomData<T>);

/// A session's electorate, as this pallet stores it.
pub(crate) fn electorate<T: Config>(session: SessionIndex) -> Electorate<Stored<T>> {
    Electorate::new(Stored(PhantomData), session)
}

impl<T: Config> Store for Stored<T> {
    type Account = T::AccountId;

    fn node(&self, id: NodeId) -> Node {
        ElectorateNodes::<T>::get(id).unwrap_or_default()
    }

    fn set_node(&mut self, id: NodeId, node: Node) {
        ElectorateNodes::<T>::insert(id, node);
    }

    fn length(&self, parity: Parity) -> Length {
        ElectorateLengths::<T>::get(parity)
    }

    fn set_length(&mut self, parity: Parity, length: Length) {
        ElectorateLengths::<T>::insert(parity, length);
    }

    fn account(&self, parity: Parity, slot: u32) -> Option<T::AccountId> {
        ElectorateAccounts::<T>::get((parity, slot))
    }

    fn set_account(&mut self, parity: Parity, slot: u32, who: &T::AccountId) {
        ElectorateAccounts::<T>::insert((parity, slot), who);
    }
}

/// Makes `accounts`, 4,096 at most, the whole electorate of `session`, each with this weight in a leaf of its own, and the first 64 below
/// middle nodes of their own: as much is read for each as can be. Slots between them are used and empty. For benchmarks.
#[cfg(feature = "runtime-benchmarks")]
pub(crate) fn spread<T: Config>(session: SessionIndex, accounts: &[T::AccountId], weight: u64) {
    use super::{parity, tree};
    use hydra_primitives::electorate::{FAN_OUT, SLOTS};

    let _ = ElectorateNodes::<T>::clear(u32::MAX, None);
    let mut store = Stored::<T>(PhantomData);
    let mut slots = (0..FAN_OUT).flat_map(|leaf| {
        (0..FAN_OUT).map(move |middle| {
            middle
                .saturating_mul(FAN_OUT)
                .saturating_add(leaf)
                .saturating_mul(FAN_OUT)
        })
    });
    for who in accounts {
        let slot = slots.next().expect("there is a leaf for each");
        let changed = tree::with_weight(&store, session, slot, weight).expect("the slot is free");
        for (id, node) in changed {
            store.set_node(id, node);
        }
        store.set_account(parity(session), slot, who);
    }
    store.set_length(
        parity(session),
        Length {
            session,
            slots: SLOTS,
        },
    );
}

/// [`Electorate::check`] of both electorates that are stored. It reads everything: for tests and `try-runtime`.
#[cfg(any(feature = "std", feature = "try-runtime"))]
pub(crate) fn check<T: Config>() -> Result<(), super::Error> {
    for parity in 0..2u8 {
        electorate::<T>(ElectorateLengths::<T>::get(parity).session).check()?;
    }
    Ok(())
}
