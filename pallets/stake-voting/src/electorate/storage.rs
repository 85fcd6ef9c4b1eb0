//! The electorate in this pallet's storage: the only part of it that knows FRAME. It must hold no rule of its own.

use super::{Electorate, Error, Freed, Node, NodeId, Nodes, SlotBook, Slots};
use crate::{Config, ElectorateNodes, ElectorateSlots, FreedSlots, SlotOf, SlotOwner};
use core::marker::PhantomData;

/// The maps of this pallet.
pub(crate) struct Stored<T>(PhantomData<T>);

impl<T> Default for Stored<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T: Config> Nodes for Stored<T> {
    fn node(&self, id: NodeId) -> Node {
        ElectorateNodes::<T>::get(id).unwrap_or_default()
    }

    fn set_node(&mut self, id: NodeId, node: Node) {
        ElectorateNodes::<T>::insert(id, node);
    }
}

impl<T: Config> Slots for Stored<T> {
    type Account = T::AccountId;

    fn book(&self) -> SlotBook {
        ElectorateSlots::<T>::get()
    }

    fn set_book(&mut self, book: SlotBook) {
        ElectorateSlots::<T>::put(book);
    }

    fn freed(&self, place: u32) -> Option<Freed> {
        FreedSlots::<T>::get(place)
    }

    fn set_freed(&mut self, place: u32, freed: Option<Freed>) {
        FreedSlots::<T>::set(place, freed);
    }

    fn slot(&self, who: &T::AccountId) -> Option<u32> {
        SlotOf::<T>::get(who)
    }

    fn set_slot(&mut self, who: &T::AccountId, slot: Option<u32>) {
        SlotOf::<T>::set(who, slot);
    }

    fn owner(&self, slot: u32) -> Option<T::AccountId> {
        SlotOwner::<T>::get(slot)
    }

    fn set_owner(&mut self, slot: u32, who: &T::AccountId) {
        SlotOwner::<T>::insert(slot, who);
    }
}

/// [`Electorate::check`] of what is stored, and whether every account with a slot owns it. It reads everything: for tests
/// and `try-runtime`.
pub fn check<T: Config>() -> Result<(), Error> {
    // What it checks does not depend on the session.
    Electorate::new(Stored::<T>::default(), 0).check()?;
    match SlotOf::<T>::iter().find(|(who, slot)| SlotOwner::<T>::get(slot).as_ref() != Some(who)) {
        Some((_, slot)) => Err(Error::Slot(slot)),
        None => Ok(()),
    }
}
