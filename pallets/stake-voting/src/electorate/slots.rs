//! Which account has which slot. A slot that was given back waits in a ring, first in, first out, until a later session. It
//! must never be given to another account while a draw can still find the old one's weight there.

use super::error::Error;
use codec::{Decode, Encode, MaxEncodedLen};
use hydra_primitives::electorate::{SLOTS, SessionIndex};
use scale_info::TypeInfo;

/// How many slots were used, and where the free ones wait.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct SlotBook {
    /// Slots that were ever used: those below this number.
    pub used: u32,
    /// Where in the ring the slot stands that is free the longest.
    pub first: u32,
    /// How many slots are free again.
    pub freed: u32,
}

/// A slot that was given back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Freed {
    /// The slot.
    pub slot: u32,
    /// The session in which it was given back. In a later one it may be used again.
    pub session: SessionIndex,
}

/// Where slots and their owners are kept.
pub trait Slots {
    /// An account.
    type Account: Clone + PartialEq;
    /// The counts; the default ones at first.
    fn book(&self) -> SlotBook;
    /// Sets the counts.
    fn set_book(&mut self, book: SlotBook);
    /// The free slot at this place in the ring.
    fn freed(&self, place: u32) -> Option<Freed>;
    /// Sets, or removes, the free slot at this place in the ring.
    fn set_freed(&mut self, place: u32, freed: Option<Freed>);
    /// The slot of an account that is in.
    fn slot(&self, who: &Self::Account) -> Option<u32>;
    /// Sets, or removes, the slot of an account.
    fn set_slot(&mut self, who: &Self::Account, slot: Option<u32>);
    /// Whose points fall on the slot: the last account that had it.
    fn owner(&self, slot: u32) -> Option<Self::Account>;
    /// Sets whose points fall on the slot.
    fn set_owner(&mut self, slot: u32, who: &Self::Account);
}

/// The place in the ring that is `ahead` of the first.
pub(super) fn place(book: &SlotBook, ahead: u32) -> Option<u32> {
    book.first.checked_add(ahead)?.checked_rem(SLOTS)
}

/// A slot for a newcomer, not stored yet.
pub(super) struct Grant {
    slot: u32,
    book: SlotBook,
    /// Its place in the ring, where it was used before.
    from: Option<u32>,
}

/// The slot that the next account gets in `session`.
pub(super) fn grant<S: Slots>(slots: &S, session: SessionIndex) -> Result<Grant, Error> {
    let book = slots.book();
    if let Some(freed) = book.freed.checked_sub(1) {
        let oldest = slots.freed(book.first).ok_or(Error::Book)?;
        if oldest.session < session {
            let first = place(&book, 1).ok_or(Error::Book)?;
            return Ok(Grant {
                slot: oldest.slot,
                book: SlotBook { first, freed, ..book },
                from: Some(book.first),
            });
        }
    }
    let slot = book.used;
    if slot >= SLOTS {
        return Err(Error::Full);
    }
    let used = slot.checked_add(1).ok_or(Error::Full)?;
    Ok(Grant {
        slot,
        book: SlotBook { used, ..book },
        from: None,
    })
}

impl Grant {
    /// The slot.
    pub(super) fn slot(&self) -> u32 {
        self.slot
    }

    /// Stores that it is the slot of `who`.
    pub(super) fn store<S: Slots>(self, slots: &mut S, who: &S::Account) {
        if let Some(place) = self.from {
            slots.set_freed(place, None);
        }
        slots.set_book(self.book);
        slots.set_slot(who, Some(self.slot));
        slots.set_owner(self.slot, who);
    }
}

/// A slot that is given back, not stored yet.
pub(super) struct Release {
    freed: Freed,
    book: SlotBook,
    to: u32,
}

/// Gives a slot back in `session`.
pub(super) fn release<S: Slots>(slots: &S, slot: u32, session: SessionIndex) -> Result<Release, Error> {
    let book = slots.book();
    if book.freed >= book.used || book.used > SLOTS {
        return Err(Error::Book);
    }
    let to = place(&book, book.freed).ok_or(Error::Book)?;
    let freed = book.freed.checked_add(1).ok_or(Error::Book)?;
    Ok(Release {
        freed: Freed { slot, session },
        book: SlotBook { freed, ..book },
        to,
    })
}

impl Release {
    /// Stores that `who` has no slot any more. Its points of this session still find it.
    pub(super) fn store<S: Slots>(self, slots: &mut S, who: &S::Account) {
        slots.set_freed(self.to, Some(self.freed));
        slots.set_book(self.book);
        slots.set_slot(who, None);
    }
}
