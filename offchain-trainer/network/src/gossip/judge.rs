//! Which announcements are passed on. Knows no socket and no clock of its own.
//!
//! Three answers (see [`Verdict`]), and one rule for choosing: whoever passed an announcement on pays for it only if any honest PC would
//! have seen that it is wrong. What the chain says of an author, what the author said before and how much is going on, one PC knows sooner
//! than another; such announcements end here, and nobody is blamed.

use super::message::{Announcement, Message, Unreadable};
use crate::{
    allowance::{Allowance, Allowances, Rate},
    members::Members,
};
use libp2p::PeerId;
use std::{collections::HashMap, time::Duration};
use tokio::time::Instant;

/// Of one author.
const AUTHOR: Rate = Rate {
    each_second: 0.2,
    burst: 24.0,
};
/// Of all authors together; an announcement takes some 250 bytes, and comes from about four peers.
const ALL: Rate = Rate {
    each_second: 50.0,
    burst: 500.0,
};
/// New ones that one peer may bring: more than any honest one passes on.
const PEER: Rate = Rate {
    each_second: 100.0,
    burst: 1000.0,
};
/// Authors whose last numbers are remembered.
const AUTHORS: usize = 8192;
/// An author who has said nothing for so long may begin with a lower number: its clock was put right.
const FORGOTTEN: Duration = Duration::from_secs(600);

/// What becomes of an announcement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is told, and passed on.
    Accept {
        sequence: u64,
        announcement: Announcement,
    },
    /// It ends here.
    Ignore(Why),
    /// It ends here, and should never have come this far.
    Reject,
}

/// Why an announcement ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// It is of a later version.
    Later,
    /// The author isn't registered, as far as is known here.
    Stranger,
    /// The author has said something newer.
    Old,
    /// The author says too much.
    Author,
    /// All together say too much.
    Crowd,
    /// The peer brings more than anybody passes on: that can only be its own making.
    Flood,
}

pub(super) struct Judge {
    authors: HashMap<PeerId, Author>,
    peers: Allowances<PeerId>,
    all: Option<Allowance>,
}

struct Author {
    sequence: u64,
    allowance: Allowance,
    heard: Instant,
}

impl Default for Judge {
    fn default() -> Self {
        Self {
            authors: HashMap::new(),
            peers: Allowances::new(PEER),
            all: None,
        }
    }
}

impl Judge {
    /// Judges what `via` brought, which `author` has signed.
    pub(super) fn judge(
        &mut self,
        author: PeerId,
        via: PeerId,
        of_blobs: bool,
        bytes: &[u8],
        members: &Members,
        now: Instant,
    ) -> Verdict {
        if !self.peers.take(via, now) {
            return Verdict::Ignore(Why::Flood);
        }
        let message = match Message::read(bytes) {
            Ok(message) if message.announcement.is_of_blobs() == of_blobs => message,
            Err(Unreadable::Later) => return Verdict::Ignore(Why::Later),
            Ok(_) | Err(Unreadable::Wrong) => return Verdict::Reject,
        };
        if !members.know_none() && !members.contains(&author) {
            return Verdict::Ignore(Why::Stranger);
        }
        if let Some(known) = self.authors.get_mut(&author)
            && now.saturating_duration_since(known.heard) < FORGOTTEN
        {
            if message.sequence <= known.sequence {
                return Verdict::Ignore(Why::Old);
            }
            if !known.allowance.take(AUTHOR, now) {
                return Verdict::Ignore(Why::Author);
            }
        }
        let all = self.all.get_or_insert_with(|| Allowance::full(ALL, now));
        if !all.take(ALL, now) {
            return Verdict::Ignore(Why::Crowd);
        }
        self.remember(author, message.sequence, now);
        Verdict::Accept {
            sequence: message.sequence,
            announcement: message.announcement,
        }
    }

    fn remember(&mut self, author: PeerId, sequence: u64, now: Instant) {
        if let Some(known) = self.authors.get_mut(&author) {
            known.sequence = sequence;
            known.heard = now;
            return;
        }
        if self.authors.len() >= AUTHORS {
            self.authors
                .retain(|_, known| now.saturating_duration_since(known.heard) < FORGOTTEN);
        }
        if self.authors.len() >= AUTHORS {
            let oldest = self.authors.iter().min_by_key(|(_, known)| known.heard);
            if let Some(oldest) = oldest.map(|(peer, _)| *peer) {
                self.authors.remove(&oldest);
            }
        }
        let mut allowance = Allowance::full(AUTHOR, now);
        allowance.take(AUTHOR, now);
        let author_of = Author {
            sequence,
            allowance,
            heard: now,
        };
        self.authors.insert(author, author_of);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::members::Member;
    use codec::Encode;

    fn coming(sequence: u64) -> Vec<u8> {
        Message::new(sequence, Announcement::Coming).encode()
    }

    fn accepted(verdict: Verdict) -> bool {
        matches!(verdict, Verdict::Accept { .. })
    }

    #[test]
    fn only_what_is_wrong_for_everybody_is_rejected() {
        let (mut judge, now, members) = (Judge::default(), Instant::now(), Members::default());
        let (author, via) = (PeerId::random(), PeerId::random());
        let mut of = |members: &Members, of_blobs, bytes: &[u8]| {
            judge.judge(author, via, of_blobs, bytes, members, now)
        };
        assert_eq!(of(&members, false, &[1, 2]), Verdict::Reject);
        assert_eq!(
            of(&members, true, &coming(1)),
            Verdict::Reject,
            "it is on the wrong topic"
        );
        assert_eq!(of(&members, false, &[2, 2]), Verdict::Ignore(Why::Later));
        assert!(accepted(of(&members, false, &coming(5))));
        assert_eq!(of(&members, false, &coming(5)), Verdict::Ignore(Why::Old));
        assert_eq!(of(&members, false, &coming(4)), Verdict::Ignore(Why::Old));
        members.set([Member {
            peer: PeerId::random(),
            weight: 1,
        }]);
        assert_eq!(of(&members, false, &coming(6)), Verdict::Ignore(Why::Stranger));
        members.set([Member {
            peer: author,
            weight: 1,
        }]);
        assert!(accepted(of(&members, false, &coming(6))));
    }

    #[test]
    fn an_author_who_was_silent_may_begin_again() {
        let (mut judge, now, members) = (Judge::default(), Instant::now(), Members::default());
        let (author, via) = (PeerId::random(), PeerId::random());
        assert!(accepted(judge.judge(
            author,
            via,
            false,
            &coming(1000),
            &members,
            now
        )));
        let later = now + FORGOTTEN;
        assert!(accepted(judge.judge(
            author,
            via,
            false,
            &coming(1),
            &members,
            later
        )));
    }

    #[test]
    fn floods_end_where_they_begin() {
        let (mut judge, now, members) = (Judge::default(), Instant::now(), Members::default());
        let via = PeerId::random();
        let (one, mut passed) = (PeerId::random(), 0);
        for sequence in 0..100 {
            passed += usize::from(accepted(judge.judge(
                one,
                via,
                false,
                &coming(sequence + 1),
                &members,
                now,
            )));
        }
        assert_eq!(passed, AUTHOR.burst as usize, "of one author");
        for _ in 0..2000 {
            passed += usize::from(accepted(judge.judge(
                PeerId::random(),
                via,
                false,
                &coming(1),
                &members,
                now,
            )));
        }
        assert_eq!(passed, ALL.burst as usize, "of all of them");
        let last = judge.judge(PeerId::random(), via, false, &coming(1), &members, now);
        assert_eq!(last, Verdict::Ignore(Why::Flood), "no honest peer brings so many");
        let honest = judge.judge(
            PeerId::random(),
            PeerId::random(),
            false,
            &coming(1),
            &members,
            now,
        );
        assert_eq!(honest, Verdict::Ignore(Why::Crowd));
    }

    #[test]
    fn authors_are_forgotten_when_there_are_too_many() {
        let (mut judge, mut now, members) = (Judge::default(), Instant::now(), Members::default());
        for _ in 0..AUTHORS + 100 {
            now += Duration::from_millis(20);
            assert!(accepted(judge.judge(
                PeerId::random(),
                PeerId::random(),
                false,
                &coming(1),
                &members,
                now
            )));
        }
        assert!(judge.authors.len() <= AUTHORS);
    }
}
