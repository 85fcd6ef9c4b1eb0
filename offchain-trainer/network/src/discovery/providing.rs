//! Which large blobs this PC tells others that it has, and searches for who has one. Knows no socket and no clock of its own.

use super::store::OWN;
use hydra_blobs::H256;
use libp2p::{PeerId, kad::RecordKey};
use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    time::Duration,
};
use tokio::{sync::oneshot, time::Instant};

/// Who keeps it comes and goes, and forgets it after a day.
const EACH: Duration = Duration::from_secs(8 * 3600);
/// Blobs that are told of at a time.
const AT_A_TIME: usize = 2;
/// Between two: where all are each other's neighbours everybody is told of each, and takes one a second from one peer.
const PACE: Duration = Duration::from_millis(1500);
/// Searches at a time, and those that wait.
const SEARCHES: usize = 4;
const QUEUE: usize = 64;
/// More aren't of use.
const ENOUGH: usize = 16;

/// Where it lies who has a blob.
pub(super) fn key(blob: H256) -> RecordKey {
    let mut key = b"hydra/blob/1\0".to_vec();
    key.extend_from_slice(blob.as_bytes());
    RecordKey::from(key)
}

/// Whether a key is one of [`key`]'s.
pub(super) fn is_key(key: &RecordKey) -> bool {
    let key: &[u8] = key.as_ref();
    key.len() == 13 + 32 && key.starts_with(b"hydra/blob/1\0")
}

/// The blobs that this PC tells others of.
pub(super) struct Providing<Id> {
    /// The next one first.
    blobs: VecDeque<(Instant, H256)>,
    running: HashMap<Id, H256>,
    /// Somebody is there who could keep it.
    in_network: bool,
    /// The next one not before.
    not_before: Option<Instant>,
}

impl<Id: Hash + Eq> Providing<Id> {
    pub(super) fn new() -> Self {
        Self {
            blobs: VecDeque::new(),
            running: HashMap::new(),
            in_network: false,
            not_before: None,
        }
    }

    /// Somebody is there who could keep it.
    pub(super) fn in_network(&mut self) {
        self.in_network = true;
    }

    /// Tells of a blob from now on. Of too many, the one told of longest ago isn't told of any more: it is returned.
    pub(super) fn add(&mut self, blob: H256, now: Instant) -> Option<H256> {
        if self.blobs.iter().any(|(_, other)| *other == blob) {
            return None;
        }
        let dropped = if self.blobs.len() >= OWN {
            self.blobs.pop_back()
        } else {
            None
        };
        self.blobs.push_front((now, blob));
        dropped.map(|(_, blob)| blob)
    }

    pub(super) fn remove(&mut self, blob: H256) {
        self.blobs.retain(|(_, other)| *other != blob);
    }

    pub(super) fn due(&self) -> Option<Instant> {
        let may = self.in_network && self.running.len() < AT_A_TIME;
        let (due, _) = self.blobs.front().filter(|_| may)?;
        Some(self.not_before.map_or(*due, |not_before| not_before.max(*due)))
    }

    /// The blob to tell of now.
    pub(super) fn next(&mut self, now: Instant) -> Option<H256> {
        self.due().filter(|due| *due <= now)?;
        let (_, blob) = self.blobs.pop_front()?;
        self.blobs.push_back((now + EACH, blob));
        self.not_before = Some(now + PACE);
        Some(blob)
    }

    pub(super) fn started(&mut self, id: Id, blob: H256) {
        self.running.insert(id, blob);
    }

    /// Returns whether it was one of these.
    pub(super) fn ended(&mut self, id: &Id) -> bool {
        self.running.remove(id).is_some()
    }
}

/// Searches for who has a blob.
pub(super) struct Searches<Id> {
    queue: VecDeque<(H256, oneshot::Sender<Vec<PeerId>>)>,
    running: HashMap<Id, (Vec<PeerId>, oneshot::Sender<Vec<PeerId>>)>,
}

impl<Id: Hash + Eq> Searches<Id> {
    pub(super) fn new() -> Self {
        Self {
            queue: VecDeque::new(),
            running: HashMap::new(),
        }
    }

    /// Too many: whoever asks hears nothing at once.
    pub(super) fn ask(&mut self, blob: H256, asker: oneshot::Sender<Vec<PeerId>>) {
        if self.queue.len() < QUEUE {
            self.queue.push_back((blob, asker));
        }
    }

    /// The blob to search for now, and who wants to know.
    pub(super) fn next(&mut self) -> Option<(H256, oneshot::Sender<Vec<PeerId>>)> {
        if self.running.len() >= SEARCHES {
            return None;
        }
        self.queue.pop_front()
    }

    pub(super) fn started(&mut self, id: Id, asker: oneshot::Sender<Vec<PeerId>>) {
        self.running.insert(id, (Vec::new(), asker));
    }

    /// Takes providers that somebody named: those that are new, and whether there are enough.
    pub(super) fn named<'a>(
        &mut self,
        id: &Id,
        peers: impl Iterator<Item = &'a PeerId>,
    ) -> (Vec<PeerId>, bool) {
        let Some((found, _)) = self.running.get_mut(id) else {
            return (Vec::new(), false);
        };
        let before = found.len();
        for peer in peers {
            if found.len() < ENOUGH && !found.contains(peer) {
                found.push(*peer);
            }
        }
        (
            found.get(before..).unwrap_or_default().to_vec(),
            found.len() >= ENOUGH,
        )
    }

    /// Tells whoever asked.
    pub(super) fn ended(&mut self, id: &Id) {
        if let Some((found, asker)) = self.running.remove(id) {
            // It may have gone.
            let _ = asker.send(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_are_told_of_in_turns_and_again_after_hours() {
        let (mut providing, now) = (Providing::new(), Instant::now());
        let blob = |byte| H256::repeat_byte(byte);
        for byte in [1, 2, 3, 3] {
            assert_eq!(providing.add(blob(byte), now), None);
        }
        assert_eq!(providing.next(now), None, "nobody is there");
        providing.in_network();
        let (start, mut now) = (now, now);
        let mut told = Vec::new();
        for id in 0..2 {
            let next = providing.next(now).unwrap();
            providing.started(id, next);
            told.push(next);
            assert_eq!(providing.next(now), None, "one after the other");
            now += PACE;
        }
        assert_eq!(
            (providing.due(), providing.next(now)),
            (None, None),
            "two at a time"
        );
        assert!(providing.ended(&0) && !providing.ended(&0));
        told.push(providing.next(now).unwrap());
        told.sort();
        assert_eq!(told, [blob(1), blob(2), blob(3)]);
        assert_eq!(providing.next(now), None);
        assert_eq!(providing.due(), Some(start + EACH));
        for byte in 1..4 {
            providing.remove(blob(byte));
        }
        assert_eq!(providing.due(), None);
    }

    #[test]
    fn too_many_blobs_push_out_one_that_was_told_of() {
        let (mut providing, now) = (Providing::<u32>::new(), Instant::now());
        let blob = |n: usize| H256::from_low_u64_be(n as u64);
        for n in 0..OWN {
            assert_eq!(providing.add(blob(n), now), None);
        }
        assert_eq!(providing.add(blob(OWN), now), Some(blob(0)));
        assert_eq!(providing.blobs.len(), OWN);
    }

    #[test]
    fn a_search_collects_providers_once_and_not_too_many() {
        let mut searches = Searches::new();
        let (ask, mut answer) = oneshot::channel();
        searches.ask(H256::zero(), ask);
        let (_, asker) = searches.next().unwrap();
        searches.started(1, asker);
        let peers: Vec<PeerId> = (0..2 * ENOUGH).map(|_| PeerId::random()).collect();
        assert_eq!(
            searches.named(&1, peers[..2].iter()),
            (peers[..2].to_vec(), false)
        );
        assert_eq!(searches.named(&1, peers[..3].iter()), (vec![peers[2]], false));
        let (new, enough) = searches.named(&1, peers.iter());
        assert_eq!((new.len(), enough), (ENOUGH - 3, true));
        searches.ended(&1);
        assert_eq!(answer.try_recv().unwrap().len(), ENOUGH);
        let (ask, _answer) = oneshot::channel();
        assert_eq!(searches.named(&9, peers.iter()), (vec![], false));
        searches.ask(H256::zero(), ask);
    }

    #[test]
    fn a_blobs_key_is_told_from_a_peers() {
        assert!(is_key(&key(H256::zero())));
        assert!(!is_key(&super::super::record::key(&PeerId::random(), 0)));
        assert!(!is_key(&b"hydra/blob/1\0".to_vec().into()));
    }
}
