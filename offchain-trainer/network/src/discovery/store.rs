//! What this PC keeps for others: their records, and who has which large blob.
//!
//! Identities cost nothing, so anybody can make as many valid records as there is room for. What stays when there is no room is what this
//! PC is close to, members' records before those of strangers; and of each peer only so much. Must never take a record that wasn't checked
//! ([`Store::keep`]); what Kademlia itself puts here is this PC's own.

use super::record::PeerRecord;
use libp2p::{
    PeerId,
    kad::{
        KBucketDistance, KBucketKey, ProviderRecord, Record, RecordKey,
        store::{Error, RecordStore, Result},
    },
};
use std::{
    borrow::Cow,
    collections::HashMap,
    time::{Duration, Instant},
};

/// Records of others.
const RECORDS: usize = 1024;
/// Providers of one blob.
const PROVIDERS: usize = 20;
/// Blobs that one peer may provide, as far as this PC keeps it.
const BLOBS_OF_ONE: usize = 128;
/// Pairs of blob and provider.
const PAIRS: usize = 8192;
/// Blobs that this PC itself provides.
pub(super) const OWN: usize = 1024;

pub(crate) struct Store {
    local: KBucketKey<PeerId>,
    own: HashMap<RecordKey, Record>,
    records: HashMap<RecordKey, Kept>,
    providers: HashMap<RecordKey, Vec<ProviderRecord>>,
    /// How many pairs there are of each peer.
    provided_by: HashMap<PeerId, usize>,
    pairs: usize,
    provided: Vec<ProviderRecord>,
}

struct Kept {
    record: Record,
    peer: PeerId,
    sequence: u64,
    rank: Rank,
}

/// Who stays: less is better.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    stranger: bool,
    distance: KBucketDistance,
}

/// Why a record isn't kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// There is a newer one.
    Old,
    /// There is no room for it.
    Full,
}

impl Store {
    pub(super) fn new(local: PeerId) -> Self {
        Self {
            local: local.into(),
            own: HashMap::new(),
            records: HashMap::new(),
            providers: HashMap::new(),
            provided_by: HashMap::new(),
            pairs: 0,
            provided: Vec::new(),
        }
    }

    /// Keeps a record that was checked: `checked` is what it says.
    pub(super) fn keep(
        &mut self,
        record: Record,
        checked: &PeerRecord,
        member: bool,
    ) -> std::result::Result<(), Refused> {
        if let Some(kept) = self.records.get(&record.key)
            && kept.peer == checked.peer
            && kept.sequence > checked.sequence
        {
            return Err(Refused::Old);
        }
        let rank = Rank {
            stranger: !member,
            distance: self.local.distance(&KBucketKey::new(record.key.clone())),
        };
        if !self.records.contains_key(&record.key) && self.records.len() >= RECORDS {
            let now = Instant::now();
            self.records.retain(|_, kept| !kept.record.is_expired(now));
            let worst = self.records.iter().max_by_key(|(_, kept)| kept.rank);
            match worst.map(|(key, kept)| (key.clone(), kept.rank)) {
                Some((worst, of_worst)) if self.records.len() >= RECORDS => {
                    if rank >= of_worst {
                        return Err(Refused::Full);
                    }
                    self.records.remove(&worst);
                }
                _ => {}
            }
        }
        let kept = Kept {
            peer: checked.peer,
            sequence: checked.sequence,
            rank,
            record,
        };
        self.records.insert(kept.record.key.clone(), kept);
        Ok(())
    }

    /// Keeps that a peer has a blob, if there is room. It has said so itself.
    pub(super) fn keep_provider(&mut self, record: ProviderRecord) -> std::result::Result<(), Refused> {
        if let Some(of_blob) = self.providers.get_mut(&record.key) {
            if let Some(kept) = of_blob.iter_mut().find(|kept| kept.provider == record.provider) {
                *kept = record;
                return Ok(());
            }
            if of_blob.len() >= PROVIDERS {
                let now = Instant::now();
                let expired = of_blob.iter().find(|kept| kept.is_expired(now)).cloned();
                let expired = expired.ok_or(Refused::Full)?;
                self.remove_provider(&expired.key, &expired.provider);
            }
        }
        let count = self.provided_by.get(&record.provider).copied().unwrap_or(0);
        if count >= BLOBS_OF_ONE || self.pairs >= PAIRS {
            return Err(Refused::Full);
        }
        self.provided_by.insert(record.provider, count + 1);
        self.pairs += 1;
        self.providers.entry(record.key.clone()).or_default().push(record);
        Ok(())
    }

    /// Forgets what has expired.
    pub(super) fn tidy(&mut self) {
        let now = Instant::now();
        self.records.retain(|_, kept| !kept.record.is_expired(now));
        let all = self.providers.values().flatten();
        let expired = all.filter(|record| record.is_expired(now)).cloned();
        for record in expired.collect::<Vec<_>>() {
            self.remove_provider(&record.key, &record.provider);
        }
    }

    pub(super) fn records_kept(&self) -> usize {
        self.records.len()
    }

    #[cfg(test)]
    fn pairs_kept(&self) -> usize {
        self.pairs
    }
}

/// How long a record may be kept that expires at `expires`, seconds since 1970, by a clock that shows `now`.
pub(super) fn life(expires: u64, now: u64, longest: Duration) -> Duration {
    // An author whose clock is behind gives less than it means to; an hour lets it be found until it says so again.
    const LEAST: Duration = Duration::from_secs(2 * 3600);
    Duration::from_secs(expires.saturating_sub(now)).clamp(LEAST, longest)
}

impl RecordStore for Store {
    type RecordsIter<'a> = std::iter::Empty<Cow<'a, Record>>;
    type ProvidedIter<'a> = std::iter::Empty<Cow<'a, ProviderRecord>>;

    fn get(&self, key: &RecordKey) -> Option<Cow<'_, Record>> {
        let kept = self.records.get(key).map(|kept| &kept.record);
        self.own.get(key).or(kept).map(Cow::Borrowed)
    }

    fn put(&mut self, record: Record) -> Result<()> {
        if !self.own.contains_key(&record.key) && self.own.len() >= usize::from(super::record::PLACES) {
            return Err(Error::MaxRecords);
        }
        self.own.insert(record.key.clone(), record);
        Ok(())
    }

    fn remove(&mut self, key: &RecordKey) {
        self.own.remove(key);
        self.records.remove(key);
    }

    /// None: Kademlia would spread and renew them by itself. Who made a record renews it.
    fn records(&self) -> Self::RecordsIter<'_> {
        std::iter::empty()
    }

    fn add_provider(&mut self, record: ProviderRecord) -> Result<()> {
        if self.provided.contains(&record) {
            return Ok(());
        }
        if self.provided.len() >= OWN {
            return Err(Error::MaxProvidedKeys);
        }
        self.provided.push(record);
        Ok(())
    }

    fn providers(&self, key: &RecordKey) -> Vec<ProviderRecord> {
        let own = self.provided.iter().filter(|record| record.key == *key);
        let others = self.providers.get(key).into_iter().flatten();
        own.chain(others).cloned().collect()
    }

    /// None, as above.
    fn provided(&self) -> Self::ProvidedIter<'_> {
        std::iter::empty()
    }

    fn remove_provider(&mut self, key: &RecordKey, provider: &PeerId) {
        self.provided
            .retain(|record| record.key != *key || record.provider != *provider);
        let Some(of_blob) = self.providers.get_mut(key) else {
            return;
        };
        let before = of_blob.len();
        of_blob.retain(|record| record.provider != *provider);
        let gone = before - of_blob.len();
        if of_blob.is_empty() {
            self.providers.remove(key);
        }
        self.pairs -= gone;
        match self.provided_by.get_mut(provider) {
            Some(count) if *count > gone => *count -= gone,
            _ => {
                self.provided_by.remove(provider);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::record, *};
    use libp2p::identity::Keypair;

    fn made(sequence: u64) -> (Record, PeerRecord) {
        let keypair = Keypair::generate_ed25519();
        let peer = record::tests::of(&keypair, sequence);
        (Record::new(record::key(&peer.peer, 0), vec![1]), peer)
    }

    #[test]
    fn the_newer_of_two_records_stays() {
        let mut store = Store::new(PeerId::random());
        let (mut kept, mut peer) = made(5);
        store.keep(kept.clone(), &peer, false).unwrap();
        peer.sequence = 4;
        kept.value = vec![2];
        assert_eq!(store.keep(kept.clone(), &peer, false), Err(Refused::Old));
        assert_eq!(store.get(&kept.key).unwrap().value, [1]);
        peer.sequence = 5;
        store.keep(kept.clone(), &peer, false).unwrap();
        assert_eq!(store.get(&kept.key).unwrap().value, [2], "it is said again");
    }

    #[test]
    fn strangers_crowd_out_strangers_that_are_farther_and_nobody_else() {
        let mut store = Store::new(PeerId::random());
        let members: Vec<_> = (0..20).map(made).collect();
        for (kept, peer) in &members {
            store.keep(kept.clone(), peer, true).unwrap();
        }
        let mut refused = 0;
        for _ in 0..2 * RECORDS {
            let (kept, peer) = made(0);
            refused += usize::from(store.keep(kept, &peer, false).is_err());
        }
        assert_eq!(store.records_kept(), RECORDS);
        assert!(refused > 0, "some were farther than all that are kept");
        assert!(members.iter().all(|(kept, _)| store.get(&kept.key).is_some()));
        let worst = store
            .records
            .values()
            .map(|kept| kept.rank.distance)
            .max()
            .unwrap();
        let (kept, peer) = made(0);
        store.keep(kept, &peer, true).unwrap();
        assert!(
            store
                .records
                .values()
                .filter(|kept| kept.rank.stranger)
                .all(|kept| kept.rank.distance <= worst)
        );
    }

    #[test]
    fn one_peer_and_one_blob_have_their_share_of_providers() {
        let mut store = Store::new(PeerId::random());
        let provider = PeerId::random();
        let pair = |blob: usize, provider: PeerId| {
            ProviderRecord::new(blob.to_le_bytes().to_vec(), provider, vec![])
        };
        for blob in 0..2 * BLOBS_OF_ONE {
            assert_eq!(
                store.keep_provider(pair(blob, provider)).is_ok(),
                blob < BLOBS_OF_ONE
            );
        }
        assert_eq!(
            (store.pairs_kept(), store.providers.len()),
            (BLOBS_OF_ONE, BLOBS_OF_ONE)
        );
        store.keep_provider(pair(0, provider)).unwrap();
        assert_eq!(store.pairs_kept(), BLOBS_OF_ONE, "said again");
        let one: RecordKey = 0usize.to_le_bytes().to_vec().into();
        for _ in 0..2 * PROVIDERS {
            let _ = store.keep_provider(pair(0, PeerId::random()));
        }
        assert_eq!(store.providers(&one).len(), PROVIDERS);
        store.remove_provider(&one, &provider);
        assert_eq!(store.providers(&one).len(), PROVIDERS - 1);
        store.keep_provider(pair(2 * BLOBS_OF_ONE, provider)).unwrap();
        // An expired one makes room.
        let mut expired = pair(0, PeerId::random());
        expired.expires = Some(Instant::now());
        store.keep_provider(expired).unwrap();
        store.keep_provider(pair(0, PeerId::random())).unwrap();
        assert_eq!(store.providers(&one).len(), PROVIDERS);
        let all: usize = store.providers.values().map(Vec::len).sum();
        assert_eq!(all, store.pairs_kept());
    }

    #[test]
    fn what_has_expired_is_forgotten() {
        let mut store = Store::new(PeerId::random());
        let (mut kept, peer) = made(1);
        kept.expires = Some(Instant::now());
        store.keep(kept, &peer, true).unwrap();
        let mut pair = ProviderRecord::new(vec![1], PeerId::random(), vec![]);
        pair.expires = Some(Instant::now());
        store.keep_provider(pair).unwrap();
        store.tidy();
        assert!(store.records.is_empty() && store.providers.is_empty() && store.provided_by.is_empty());
    }
}
