//! What trainers announce to each other.
//!
//! ```text
//! version u8 = 1 │ sequence u64 │ 0 new blob: hash 32 bytes, size u64, 0 whole or 1 partial
//!                               │ 1 coming │ 2 going │ 3 pausing: bool
//! ```
//!
//! (SCALE.) Gossipsub adds the author's PeerId and signature around it. The sequence rises with each announcement of an author, so that an
//! old one that is told again counts for nothing. There is no time in it: nobody could check it.

use codec::{Decode, DecodeAll, Encode};
use hydra_blobs::H256;
use libp2p::PeerId;

/// Bytes of a message on the wire, all of gossipsub's included.
pub(crate) const LONGEST: usize = 4096;
/// Bytes of an announcement.
const LONGEST_ANNOUNCEMENT: usize = 64;

const VERSION: u8 = 1;

/// How much of a blob its announcer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Have {
    /// All of it.
    Whole,
    /// Some ranges.
    Partial,
}

/// What a trainer announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Announcement {
    /// It has a blob that is new to it.
    NewBlob {
        /// The blob.
        hash: H256,
        /// Its size in bytes, as the announcer says.
        size: u64,
        /// How much of it there is.
        have: Have,
    },
    /// It has started.
    Coming,
    /// It is about to stop.
    Going,
    /// It works or doesn't, as its owner wants.
    Pausing {
        /// Whether it doesn't.
        paused: bool,
    },
}

/// An announcement that came from somebody, and was checked as far as it can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// Whose it is: it has signed it.
    pub author: PeerId,
    /// Who passed it on to this PC.
    pub via: PeerId,
    /// The author's number of it.
    pub sequence: u64,
    /// What it says. It may not be true.
    pub announcement: Announcement,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct Message {
    version: u8,
    pub(super) sequence: u64,
    pub(super) announcement: Announcement,
}

/// Why bytes aren't a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// A later version may have made it, and others may understand it.
    Later,
    /// Nobody can read it, so nobody should have passed it on.
    Wrong,
}

impl Message {
    pub(super) fn new(sequence: u64, announcement: Announcement) -> Self {
        Self {
            version: VERSION,
            sequence,
            announcement,
        }
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        if bytes.len() > LONGEST_ANNOUNCEMENT {
            return Err(match bytes.first() {
                Some(&version) if version > VERSION => Unreadable::Later,
                _ => Unreadable::Wrong,
            });
        }
        match bytes.first() {
            Some(&VERSION) => {}
            Some(&version) if version > VERSION => return Err(Unreadable::Later),
            _ => return Err(Unreadable::Wrong),
        }
        Self::decode_all(&mut &*bytes).map_err(|_| Unreadable::Wrong)
    }
}

impl Announcement {
    /// Which of the two topics it belongs to.
    pub(super) fn is_of_blobs(&self) -> bool {
        matches!(self, Self::NewBlob { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn announcements() -> impl Strategy<Value = Announcement> {
        prop_oneof![
            (any::<[u8; 32]>(), any::<u64>(), any::<bool>()).prop_map(|(hash, size, whole)| {
                Announcement::NewBlob {
                    hash: H256(hash),
                    size,
                    have: if whole { Have::Whole } else { Have::Partial },
                }
            }),
            Just(Announcement::Coming),
            Just(Announcement::Going),
            any::<bool>().prop_map(|paused| Announcement::Pausing { paused }),
        ]
    }

    #[test]
    fn later_versions_are_told_from_nonsense() {
        assert_eq!(Message::read(&[2, 1, 2, 3]), Err(Unreadable::Later));
        assert_eq!(Message::read(&[3; 1000]), Err(Unreadable::Later));
        assert_eq!(Message::read(&[1; 1000]), Err(Unreadable::Wrong));
        assert_eq!(Message::read(&[0]), Err(Unreadable::Wrong));
        assert_eq!(Message::read(&[]), Err(Unreadable::Wrong));
        let mut more = Message::new(1, Announcement::Coming).encode();
        more.push(0);
        assert_eq!(Message::read(&more), Err(Unreadable::Wrong));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(sequence: u64, announcement in announcements()) {
            let message = Message::new(sequence, announcement);
            let bytes = message.encode();
            prop_assert!(bytes.len() <= LONGEST_ANNOUNCEMENT);
            prop_assert_eq!(Message::read(&bytes), Ok(message));
        }

        #[test]
        fn hostile_bytes_are_one_message_or_none(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            if let Ok(message) = Message::read(&bytes) {
                prop_assert_eq!(message.encode(), bytes);
            }
        }
    }
}
