//! Looking for peers by their PeerIds: who waits, who is searched for, what was found. Knows no socket and no clock of its own.
//!
//! A record lies in [`PLACES`] places; they are tried one after the other until it was found in one. What a storing peer gives is as old
//! as it likes, so several are heard before the newest is taken.

use super::record::{Freshness, PLACES, PeerRecord};
use libp2p::PeerId;
use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    time::Duration,
};
use tokio::{sync::oneshot, time::Instant};

/// Searches at a time: each asks some dozens of peers.
const AT_A_TIME: usize = 4;
/// Peers that wait to be searched for.
const QUEUE: usize = 512;
/// So many who keep the record agree, and the rest isn't heard.
const ENOUGH: usize = 6;
/// Nobody is searched for again before; twice as late with each search in a row, since what wasn't there comes soon or not at all.
const AGAIN: Duration = Duration::from_secs(1);
/// And this late at most.
const LATEST: Duration = Duration::from_secs(60);
/// Who was searched for a moment ago is again only while no more wait: a small network's peers are asked everything.
const FEW: usize = 16;
/// Searches that are remembered for this.
const REMEMBERED: usize = 1024;

/// Who is told what was found.
pub(super) type Asker = oneshot::Sender<Option<PeerRecord>>;

pub(super) struct Lookups<Id> {
    queue: VecDeque<(PeerId, u8)>,
    running: HashMap<Id, Search>,
    askers: HashMap<PeerId, Vec<Asker>>,
    ended: VecDeque<Ended>,
}

struct Ended {
    peer: PeerId,
    at: Instant,
    /// From then until it is searched for again.
    pause: Duration,
}

struct Search {
    peer: PeerId,
    place: u8,
    newest: Option<PeerRecord>,
    /// How many gave that one.
    agree: usize,
}

/// What came of a search.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The newest of what was given.
    Record(PeerRecord),
    /// Nobody keeps its record, in no place.
    Nobody(PeerId),
    /// The search goes on elsewhere.
    Open,
}

impl<Id: Hash + Eq> Lookups<Id> {
    pub(super) fn new() -> Self {
        Self {
            queue: VecDeque::new(),
            running: HashMap::new(),
            askers: HashMap::new(),
            ended: VecDeque::new(),
        }
    }

    /// Has somebody searched for, unless that was done a moment ago. Who asks in person waits for no moment. Returns whether it is
    /// searched for because of that.
    pub(super) fn want(&mut self, peer: PeerId, asker: Option<Asker>, now: Instant) -> bool {
        let crowded = self.queue.len() >= FEW;
        let again = asker.is_none()
            && self.ended.iter().any(|ended| {
                let pause = if crowded { LATEST } else { ended.pause };
                ended.peer == peer && now < ended.at + pause
            });
        let known = self.running.values().any(|search| search.peer == peer)
            || self.queue.iter().any(|(other, _)| *other == peer);
        if !known {
            if again || self.queue.len() >= QUEUE {
                return false;
            }
            match asker.is_some() {
                true => self.queue.push_front((peer, 0)),
                false => self.queue.push_back((peer, 0)),
            }
        }
        self.askers.entry(peer).or_default().extend(asker);
        !known
    }

    /// A peer is here: should it move, it is searched for at once.
    pub(super) fn met(&mut self, peer: &PeerId) {
        self.ended.retain(|ended| ended.peer != *peer);
    }

    /// Whom to search for now, and in which place.
    pub(super) fn next(&mut self) -> Option<(PeerId, u8)> {
        if self.running.len() >= AT_A_TIME {
            return None;
        }
        self.queue.pop_front()
    }

    pub(super) fn started(&mut self, id: Id, peer: PeerId, place: u8) {
        let search = Search {
            peer,
            place,
            newest: None,
            agree: 0,
        };
        self.running.insert(id, search);
    }

    pub(super) fn peer(&self, id: &Id) -> Option<PeerId> {
        self.running.get(id).map(|search| search.peer)
    }

    /// Takes a record that somebody gave, and that was checked. Returns whether enough have given theirs.
    pub(super) fn given(&mut self, id: &Id, record: PeerRecord, now_s: u64) -> bool {
        let Some(search) = self.running.get_mut(id) else {
            return false;
        };
        if search.peer != record.peer {
            return false;
        }
        let worth = |record: &PeerRecord| (record.freshness(now_s) == Freshness::Fresh, record.sequence);
        match &search.newest {
            Some(newest) if worth(newest) > worth(&record) => {}
            Some(newest) if worth(newest) == worth(&record) => search.agree += 1,
            _ => {
                search.newest = Some(record);
                search.agree = 1;
            }
        }
        search.agree >= ENOUGH
    }

    /// All have been asked.
    pub(super) fn ended(&mut self, id: &Id, now: Instant) -> Found {
        let Some(search) = self.running.remove(id) else {
            return Found::Open;
        };
        let Search {
            peer, place, newest, ..
        } = search;
        if newest.is_none() && place + 1 < PLACES {
            self.queue.push_front((peer, place + 1));
            return Found::Open;
        }
        let before = self.ended.iter().position(|ended| ended.peer == peer);
        let before = before.and_then(|at| self.ended.remove(at));
        let pause = match before.filter(|before| now < before.at + before.pause + LATEST) {
            Some(before) => (before.pause * 2).min(LATEST),
            None => AGAIN,
        };
        if self.ended.len() >= REMEMBERED {
            self.ended.pop_front();
        }
        self.ended.push_back(Ended { peer, at: now, pause });
        for asker in self.askers.remove(&peer).unwrap_or_default() {
            // It may have gone.
            let _ = asker.send(newest.clone());
        }
        newest.map_or(Found::Nobody(peer), Found::Record)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::record, *};
    use libp2p::identity::Keypair;

    fn search(lookups: &mut Lookups<u32>, id: u32) -> (PeerId, u8) {
        let (peer, place) = lookups.next().unwrap();
        lookups.started(id, peer, place);
        (peer, place)
    }

    #[test]
    fn the_newest_of_several_is_taken_and_expired_ones_only_for_want_of_others() {
        let (mut lookups, now) = (Lookups::new(), Instant::now());
        let keypair = Keypair::generate_ed25519();
        let of = |sequence, expires| PeerRecord {
            expires,
            ..record::tests::of(&keypair, sequence)
        };
        let (peer, now_s) = (of(0, 0).peer, 1_000_000);
        let (ask, mut answer) = oneshot::channel();
        lookups.want(peer, Some(ask), now);
        search(&mut lookups, 1);
        assert!(!lookups.given(&1, of(9, 1), now_s), "long expired");
        assert!(!lookups.given(&1, of(2, now_s), now_s));
        assert!(!lookups.given(&1, of(3, now_s), now_s));
        assert!(!lookups.given(&1, of(1, now_s), now_s));
        assert!(!lookups.given(&1, of(9, 1), now_s));
        let other = record::tests::of(&Keypair::generate_ed25519(), 99);
        assert!(!lookups.given(&1, other, now_s), "that is somebody else");
        for _ in 0..ENOUGH - 2 {
            assert!(!lookups.given(&1, of(3, now_s), now_s));
        }
        assert!(lookups.given(&1, of(3, now_s), now_s));
        assert_eq!(lookups.ended(&1, now), Found::Record(of(3, now_s)));
        assert_eq!(answer.try_recv().unwrap(), Some(of(3, now_s)));
    }

    #[test]
    fn all_places_are_tried_before_it_is_nowhere() {
        let (mut lookups, now) = (Lookups::new(), Instant::now());
        let peer = PeerId::random();
        lookups.want(peer, None, now);
        lookups.want(peer, None, now);
        for place in 0..PLACES {
            assert_eq!(search(&mut lookups, 1), (peer, place));
            let found = lookups.ended(&1, now);
            assert_eq!(found == Found::Nobody(peer), place + 1 == PLACES, "{found:?}");
        }
        assert_eq!(lookups.next(), None);
        lookups.want(peer, None, now);
        assert_eq!(lookups.next(), None, "it was just searched for");
        lookups.want(peer, None, now + AGAIN);
        assert_eq!(search(&mut lookups, 1), (peer, 0));
    }

    #[test]
    fn who_is_wanted_all_the_time_is_searched_for_soon_again_and_then_each_minute() {
        let (mut lookups, mut now) = (Lookups::new(), Instant::now());
        let (peer, began) = (PeerId::random(), now);
        let mut searched = Vec::new();
        while now < began + Duration::from_secs(300) {
            lookups.want(peer, None, now);
            if let Some((peer, place)) = lookups.next() {
                searched.push((now - began).as_secs());
                lookups.started(1, peer, place);
                while lookups.ended(&1, now) == Found::Open {
                    search(&mut lookups, 1);
                }
            }
            now += Duration::from_secs(1);
        }
        assert_eq!(searched, [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
        now += 2 * LATEST;
        lookups.want(peer, None, now);
        search(&mut lookups, 1);
        while lookups.ended(&1, now) == Found::Open {
            search(&mut lookups, 1);
        }
        lookups.want(peer, None, now + AGAIN);
        assert_eq!(lookups.next(), Some((peer, 0)), "that was long ago");
        assert_eq!(lookups.ended.len(), 1);
    }

    #[test]
    fn who_was_here_is_searched_for_at_once_and_nobody_soon_again_while_many_wait() {
        let (mut lookups, now) = (Lookups::new(), Instant::now());
        let [peer, other] = [PeerId::random(), PeerId::random()];
        for (id, peer) in [(1, peer), (2, other)] {
            lookups.want(peer, None, now);
            search(&mut lookups, id);
            while lookups.ended(&id, now) == Found::Open {
                search(&mut lookups, id);
            }
        }
        lookups.met(&peer);
        for peer in [peer, other] {
            lookups.want(peer, None, now);
        }
        assert_eq!(search(&mut lookups, 1), (peer, 0));
        for _ in 0..FEW {
            lookups.want(PeerId::random(), None, now);
        }
        lookups.want(other, None, now + AGAIN);
        assert_eq!(lookups.queue.len(), FEW);
        lookups.want(other, None, now + LATEST);
        assert_eq!(lookups.queue.len(), FEW + 1);
    }

    #[test]
    fn searches_and_those_that_wait_are_bounded() {
        let (mut lookups, now) = (Lookups::<u32>::new(), Instant::now());
        for _ in 0..2 * QUEUE {
            lookups.want(PeerId::random(), None, now);
        }
        assert_eq!(lookups.queue.len(), QUEUE);
        for id in 0..AT_A_TIME {
            search(&mut lookups, id as u32);
        }
        assert_eq!(lookups.next(), None);
        assert!(lookups.askers.len() <= QUEUE);
    }
}
