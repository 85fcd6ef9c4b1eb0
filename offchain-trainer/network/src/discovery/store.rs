//! What this PC keeps for others: their records, and who has which large blob.
//!
//! Identities cost nothing, so anybody can make as many valid records and provide as many blobs as there is room for. What stays when there
//! is no room is what this PC is close to, what members say before what strangers do; and of each peer only so much. Must never take a
//! record that wasn't checked ([`Store::keep`]); what Kademlia itself puts here is this PC's own.

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
    collections::{BTreeMap, HashMap},
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
    providers: HashMap<RecordKey, Vec<Provider>>,
    /// How many pairs there are of each peer.
    provided_by: HashMap<PeerId, usize>,
    /// All pairs, the worst one last: no two blobs are equally far.
    pairs: BTreeMap<(Rank, PeerId), RecordKey>,
    provided: Vec<ProviderRecord>,
}

struct Kept {
    record: Record,
    peer: PeerId,
    sequence: u64,
    rank: Rank,
}

struct Provider {
    record: ProviderRecord,
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
            pairs: BTreeMap::new(),
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
        let rank = self.rank(&record.key, member);
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

    /// Keeps that a peer has a blob, if there is room or somebody worse gives way. It has said so itself.
    pub(super) fn keep_provider(
        &mut self,
        record: ProviderRecord,
        member: bool,
    ) -> std::result::Result<(), Refused> {
        let rank = self.rank(&record.key, member);
        let of_blob = self.providers.get_mut(&record.key);
        let before = of_blob.and_then(|all| {
            all.iter_mut()
                .find(|kept| kept.record.provider == record.provider)
        });
        if let Some(kept) = before {
            // It may have become a member, or be one no longer.
            self.pairs.remove(&(kept.rank, record.provider));
            self.pairs.insert((rank, record.provider), record.key.clone());
            *kept = Provider { record, rank };
            return Ok(());
        }
        let count = self.provided_by.get(&record.provider).copied().unwrap_or(0);
        if count >= BLOBS_OF_ONE {
            return Err(Refused::Full);
        }
        let of_blob = self.providers.get(&record.key).map_or(&[][..], Vec::as_slice);
        let gives_way = if of_blob.len() >= PROVIDERS {
            // One that has expired, or the stranger who hasn't said it again for longest.
            let now = Instant::now();
            let expired = of_blob.iter().find(|kept| kept.record.is_expired(now));
            let worse = of_blob.iter().filter(|kept| kept.rank > rank);
            let worst = expired.or_else(|| worse.min_by_key(|kept| kept.record.expires));
            let worst = worst.ok_or(Refused::Full)?;
            Some((record.key.clone(), worst.record.provider))
        } else if self.pairs.len() >= PAIRS {
            match self.pairs.last_key_value() {
                Some(((worst, provider), key)) if *worst > rank => Some((key.clone(), *provider)),
                _ => return Err(Refused::Full),
            }
        } else {
            None
        };
        if let Some((key, provider)) = gives_way {
            self.remove_provider(&key, &provider);
        }
        *self.provided_by.entry(record.provider).or_default() += 1;
        self.pairs.insert((rank, record.provider), record.key.clone());
        let of_blob = self.providers.entry(record.key.clone()).or_default();
        of_blob.push(Provider { record, rank });
        Ok(())
    }

    fn rank(&self, key: &RecordKey, member: bool) -> Rank {
        Rank {
            stranger: !member,
            distance: self.local.distance(&KBucketKey::new(key.clone())),
        }
    }

    /// Forgets what has expired.
    pub(super) fn tidy(&mut self) {
        let now = Instant::now();
        self.records.retain(|_, kept| !kept.record.is_expired(now));
        let all = self.providers.values().flatten().map(|kept| &kept.record);
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
        self.pairs.len()
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
        let others = others.map(|kept| &kept.record);
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
        let Some(at) = of_blob.iter().position(|kept| kept.record.provider == *provider) else {
            return;
        };
        let gone = of_blob.swap_remove(at);
        if of_blob.is_empty() {
            self.providers.remove(key);
        }
        self.pairs.remove(&(gone.rank, *provider));
        match self.provided_by.get_mut(provider) {
            Some(count) if *count > 1 => *count -= 1,
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

    fn pair(blob: usize, provider: PeerId) -> ProviderRecord {
        ProviderRecord::new(blob.to_le_bytes().to_vec(), provider, vec![])
    }

    /// The pairs are those that each blob has, and each peer.
    fn adds_up(store: &Store) {
        let all: usize = store.providers.values().map(Vec::len).sum();
        assert_eq!(all, store.pairs_kept());
        assert_eq!(all, store.provided_by.values().sum::<usize>());
        for ((rank, provider), key) in &store.pairs {
            let mut of_blob = store.providers[key].iter();
            assert!(of_blob.any(|kept| kept.record.provider == *provider && kept.rank == *rank));
        }
    }

    #[test]
    fn one_peer_and_one_blob_have_their_share_of_providers() {
        let mut store = Store::new(PeerId::random());
        let provider = PeerId::random();
        for blob in 0..2 * BLOBS_OF_ONE {
            assert_eq!(
                store.keep_provider(pair(blob, provider), true).is_ok(),
                blob < BLOBS_OF_ONE
            );
        }
        assert_eq!(
            (store.pairs_kept(), store.providers.len()),
            (BLOBS_OF_ONE, BLOBS_OF_ONE)
        );
        store.keep_provider(pair(0, provider), true).unwrap();
        assert_eq!(store.pairs_kept(), BLOBS_OF_ONE, "said again");
        let one: RecordKey = 0usize.to_le_bytes().to_vec().into();
        for _ in 0..2 * PROVIDERS {
            let _ = store.keep_provider(pair(0, PeerId::random()), false);
        }
        assert_eq!(store.providers(&one).len(), PROVIDERS);
        store.remove_provider(&one, &provider);
        assert_eq!(store.providers(&one).len(), PROVIDERS - 1);
        store
            .keep_provider(pair(2 * BLOBS_OF_ONE, provider), true)
            .unwrap();
        // An expired one makes room.
        let mut expired = pair(0, PeerId::random());
        expired.expires = Some(Instant::now());
        store.keep_provider(expired, false).unwrap();
        store.keep_provider(pair(0, PeerId::random()), false).unwrap();
        assert_eq!(store.providers(&one).len(), PROVIDERS);
        adds_up(&store);
    }

    #[test]
    fn a_blob_that_strangers_say_they_have_is_open_to_members_as_long_as_there_is_one_of_them() {
        let mut store = Store::new(PeerId::random());
        let mut strangers = Vec::new();
        for nth in 0..PROVIDERS as u64 {
            let mut said = pair(0, PeerId::random());
            said.expires = Some(Instant::now() + Duration::from_secs(3600 + nth));
            strangers.push(said.provider);
            store.keep_provider(said, false).unwrap();
        }
        let another = pair(0, PeerId::random());
        assert_eq!(store.keep_provider(another, false), Err(Refused::Full));
        let one: RecordKey = 0usize.to_le_bytes().to_vec().into();
        for stranger in &strangers {
            let member = PeerId::random();
            store.keep_provider(pair(0, member), true).unwrap();
            let kept = store.providers(&one);
            assert_eq!(kept.len(), PROVIDERS);
            assert!(kept.iter().any(|kept| kept.provider == member));
            assert!(
                kept.iter().all(|kept| kept.provider != *stranger),
                "who said it longest ago goes first"
            );
        }
        let another = pair(0, PeerId::random());
        assert_eq!(store.keep_provider(another, true), Err(Refused::Full));
        adds_up(&store);
    }

    #[test]
    fn who_becomes_a_member_or_ceases_to_be_one_counts_as_that_from_the_next_time_it_says_so() {
        let mut store = Store::new(PeerId::random());
        let peers: Vec<_> = (0..PROVIDERS).map(|_| PeerId::random()).collect();
        for peer in &peers {
            store.keep_provider(pair(0, *peer), false).unwrap();
        }
        for peer in &peers {
            store.keep_provider(pair(0, *peer), true).unwrap();
        }
        assert!(store.keep_provider(pair(0, PeerId::random()), true).is_err());
        store.keep_provider(pair(0, peers[3]), false).unwrap();
        store.keep_provider(pair(0, PeerId::random()), true).unwrap();
        let one: RecordKey = 0usize.to_le_bytes().to_vec().into();
        assert!(store.providers(&one).iter().all(|kept| kept.provider != peers[3]));
        adds_up(&store);
    }

    #[test]
    fn strangers_who_fill_it_give_way_to_members_and_to_nearer_blobs_and_nobody_else() {
        let mut store = Store::new(PeerId::random());
        let member = PeerId::random();
        for blob in 0..20 {
            store.keep_provider(pair(blob, member), true).unwrap();
        }
        let mut blobs = 1000..;
        let mut refused = 0;
        for _ in 0..2 * PAIRS / BLOBS_OF_ONE {
            let stranger = PeerId::random();
            for blob in blobs.by_ref().take(BLOBS_OF_ONE) {
                refused += usize::from(store.keep_provider(pair(blob, stranger), false).is_err());
            }
        }
        assert_eq!(store.pairs_kept(), PAIRS);
        assert!(refused > 0, "some were farther than all that are kept");
        let farthest = store.pairs.last_key_value().map(|((rank, _), _)| *rank).unwrap();
        let stranger = PeerId::random();
        for blob in blobs.by_ref().take(BLOBS_OF_ONE) {
            let nearer = store.rank(&pair(blob, stranger).key, false) < farthest;
            let kept = store.keep_provider(pair(blob, stranger), false).is_ok();
            assert!(nearer || !kept, "what is farther than all is refused");
        }
        assert!((0..20).all(|blob| store.providers(&pair(blob, member).key).len() == 1));
        let another = PeerId::random();
        for blob in blobs.take(BLOBS_OF_ONE) {
            store.keep_provider(pair(blob, another), true).unwrap();
        }
        assert_eq!(store.provided_by[&another], BLOBS_OF_ONE);
        assert_eq!(store.pairs_kept(), PAIRS);
        adds_up(&store);
    }

    #[test]
    fn what_has_expired_is_forgotten() {
        let mut store = Store::new(PeerId::random());
        let (mut kept, peer) = made(1);
        kept.expires = Some(Instant::now());
        store.keep(kept, &peer, true).unwrap();
        let mut pair = ProviderRecord::new(vec![1], PeerId::random(), vec![]);
        pair.expires = Some(Instant::now());
        store.keep_provider(pair, true).unwrap();
        store.tidy();
        assert!(store.records.is_empty() && store.providers.is_empty());
        assert!(store.provided_by.is_empty() && store.pairs.is_empty());
    }
}
