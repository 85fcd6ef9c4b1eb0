//! Where peers were found, so that a PC finds its way back without the bootstrap peers.
//!
//! Must never grow beyond its bounds, whatever peers say about each other, and never believe what it reads from disk.

mod file;
mod trust;

use self::trust::{Nearby, trusted};
use crate::{house::House, scope::is_relayed};
use libp2p::{Multiaddr, PeerId};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::time::Instant;

/// So many peers are in memory at the most.
const MOST: usize = 4096;
/// So many addresses of one peer.
const MOST_ADDRESSES: usize = 8;
/// So many peers wait to be looked up.
const MOST_WANTED: usize = 256;
/// The pause after the first attempt that failed; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);
/// Who failed so often isn't counted among those that can be reached.
const LOST: u32 = 3;

/// Where an address was learnt; of two the later one in this list is believed more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Source {
    /// Somebody said so, in a record that the peer itself signed.
    Record,
    /// The peer said so, over a connection.
    Identify,
    /// Somebody on the local network said so, by multicast or from within our own house.
    Neighbour,
    /// It was remembered from an earlier run.
    Memory,
    /// A connection to it stood.
    Connected,
    /// A person or the network's file said so.
    Bootstrap,
}

impl Source {
    /// Whether it knows who else is in our own house. What was remembered doesn't: that may have been another house.
    fn is_of_our_house(self) -> bool {
        matches!(self, Self::Neighbour | Self::Connected | Self::Bootstrap)
    }
}

/// The addresses. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Book(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    table: Mutex<Table>,
    local: Option<PeerId>,
    house: House,
    path: Option<PathBuf>,
    /// One writer at a time.
    writing: Mutex<()>,
}

#[derive(Debug, Default)]
struct Table {
    peers: BTreeMap<PeerId, Entry>,
    wanted: BTreeSet<PeerId>,
    nearby: Nearby,
    /// Counts what was learnt, for telling the older from the newer.
    learnt: u64,
    /// Something was learnt since the last time it was written.
    changed: bool,
}

#[derive(Debug, Default)]
struct Entry {
    addresses: Vec<Known>,
    capabilities: u32,
    /// When a connection that we made last stood: seconds since 1970.
    reached: Option<u64>,
    /// Attempts that failed since then.
    failures: u32,
    not_before: Option<Instant>,
    learnt: u64,
}

#[derive(Debug)]
struct Known {
    address: Multiaddr,
    source: Source,
    /// Somebody said so who knows who is in our own house.
    of_our_house: bool,
    learnt: u64,
}

/// Somebody who may be dialled.
#[derive(Debug, Clone)]
pub(crate) struct Dialable {
    pub(crate) peer: PeerId,
    /// A connection that we made to it stood at some time.
    pub(crate) reached: bool,
    /// Its best address.
    pub(crate) address: Multiaddr,
}

impl Book {
    /// The book of the peer `local`, who lives in the `house`, kept in the file at `path`, which is read now. An unreadable one is said
    /// so in the log, and left out.
    pub(crate) fn open(local: PeerId, path: Option<PathBuf>, house: House) -> Self {
        let book = Self(Arc::new(Inner {
            local: Some(local),
            house,
            path,
            ..Inner::default()
        }));
        book.read();
        book.lock().changed = false;
        book
    }

    /// Remembers these addresses of a peer, as far as they make sense and are believed.
    pub(crate) fn learn(&self, peer: PeerId, addresses: impl IntoIterator<Item = Multiaddr>, source: Source) {
        if Some(peer) == self.0.local {
            return;
        }
        let mut table = self.lock();
        // What a peer says at once is bounded, too.
        let addresses = addresses.into_iter().take(4 * MOST_ADDRESSES);
        let addresses: Vec<Multiaddr> = trusted(&peer, addresses, source, &table.nearby).collect();
        if addresses.is_empty() {
            return;
        }
        table.make_room_for(&peer);
        table.learnt = table.learnt.wrapping_add(1);
        let learnt = table.learnt;
        let entry = table.peers.entry(peer).or_default();
        let mut news = entry.addresses.is_empty();
        entry.learnt = learnt;
        for address in addresses {
            news |= entry.learn(address, source, learnt);
        }
        table.changed |= news;
        table.wanted.remove(&peer);
    }

    /// Where to try to reach a peer, the best first: those that lead to the peer itself before those that lead to a relay. None that a
    /// stranger said is in our own house. That is looked at now and not when it was said: our house may have been another one then.
    pub(crate) fn addresses(&self, peer: &PeerId) -> Vec<Multiaddr> {
        let table = self.lock();
        let Some(entry) = table.peers.get(peer) else {
            return Vec::new();
        };
        let best = entry.best_first(&self.0.house);
        best.map(|known| known.address.clone()).collect()
    }

    /// What a peer can do of these, one bit each: the lowest eight are for what its record says.
    pub(crate) fn set_capabilities(&self, peer: &PeerId, capabilities: u32, of: u32) {
        let mut table = self.lock();
        if let Some(entry) = table.peers.get_mut(peer) {
            entry.capabilities = (entry.capabilities & !of) | (capabilities & of);
        }
    }

    /// What a peer can do, as far as is known.
    pub(crate) fn capabilities(&self, peer: &PeerId) -> u32 {
        self.lock().peers.get(peer).map_or(0, |entry| entry.capabilities)
    }

    /// A connection that we made to this address stands.
    pub(crate) fn reached(&self, peer: PeerId, address: Multiaddr) {
        self.learn(peer, [address], Source::Connected);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut table = self.lock();
        if let Some(entry) = table.peers.get_mut(&peer) {
            entry.reached = Some(now.as_secs());
            entry.failures = 0;
            entry.not_before = None;
            table.changed = true;
        }
    }

    /// None of the peer's addresses led there. It is left alone for a while.
    pub(crate) fn failed(&self, peer: &PeerId, now: Instant) {
        if let Some(entry) = self.lock().peers.get_mut(peer) {
            let factor = 1u32.checked_shl(entry.failures).unwrap_or(u32::MAX);
            entry.failures = entry.failures.saturating_add(1);
            entry.not_before = Some(now + FIRST_PAUSE.saturating_mul(factor).min(LONGEST_PAUSE));
        }
    }

    /// How many attempts failed in a row.
    pub(crate) fn failures(&self, peer: &PeerId) -> u32 {
        self.lock().peers.get(peer).map_or(0, |entry| entry.failures)
    }

    /// Others shall be dialled before this peer, until then.
    pub(crate) fn rest(&self, peer: &PeerId, until: Instant) {
        if let Some(entry) = self.lock().peers.get_mut(peer) {
            entry.not_before = Some(until);
        }
    }

    /// Somebody else answers at this address.
    pub(crate) fn is_not_at(&self, peer: &PeerId, address: &Multiaddr) {
        let Some(address) = trust::without_peer(peer, address.clone()) else {
            return;
        };
        if let Some(entry) = self.lock().peers.get_mut(peer) {
            entry
                .addresses
                .retain(|known| known.address != address || known.source == Source::Bootstrap);
        }
    }

    /// Somebody should find out where this peer is.
    pub(crate) fn want(&self, peer: PeerId) {
        let mut table = self.lock();
        if table.wanted.len() < MOST_WANTED && Some(peer) != self.0.local {
            table.wanted.insert(peer);
        }
    }

    /// Whose addresses somebody should find out, and [`learn`](Self::learn); told once.
    pub(crate) fn take_wanted(&self) -> Vec<PeerId> {
        std::mem::take(&mut self.lock().wanted).into_iter().collect()
    }

    /// A connection with this address stands, or is gone (`stands` is false): while there is one on a local network, others there are
    /// believed to be there.
    pub(crate) fn is_near(&self, address: &Multiaddr, stands: bool) {
        self.lock().nearby.note(address, stands);
    }

    /// Who may be dialled at `now`, but for those in `not`.
    pub(crate) fn dialable(&self, now: Instant, not: impl Fn(&PeerId) -> bool) -> Vec<Dialable> {
        let (table, house) = (self.lock(), &self.0.house);
        let peers = table
            .peers
            .iter()
            .filter(|(peer, entry)| entry.may_be_dialled(house, now) && !not(peer));
        peers
            .filter_map(|(peer, entry)| {
                Some(Dialable {
                    peer: *peer,
                    reached: entry.reached.is_some(),
                    address: entry.best_first(house).next()?.address.clone(),
                })
            })
            .collect()
    }

    /// Whether there is anybody who may be dialled.
    pub(crate) fn any_dialable(&self, now: Instant, not: impl Fn(&PeerId) -> bool) -> bool {
        let (table, house) = (self.lock(), &self.0.house);
        let mut peers = table.peers.iter();
        peers.any(|(peer, entry)| entry.may_be_dialled(house, now) && !not(peer))
    }

    /// How many peers there are that were not found lost, but for those in `not`; `enough` if there are more.
    pub(crate) fn alive(&self, enough: usize, not: impl Fn(&PeerId) -> bool) -> usize {
        let (table, house) = (self.lock(), &self.0.house);
        let alive = table
            .peers
            .iter()
            .filter(|(peer, entry)| entry.failures < LOST && entry.is_somewhere(house) && !not(peer));
        alive.take(enough).count()
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Forgets some of those that say least, if there is no room for another.
    fn make_room_for(&mut self, peer: &PeerId) {
        if self.peers.contains_key(peer) || self.peers.len() < MOST {
            return;
        }
        let mut worth: Vec<_> = self
            .peers
            .iter()
            .map(|(peer, entry)| (entry.worth(), *peer))
            .collect();
        worth.sort_unstable();
        for (_, peer) in worth.into_iter().take(MOST / 64) {
            self.peers.remove(&peer);
        }
    }
}

impl Entry {
    /// Returns whether it is new.
    fn learn(&mut self, address: Multiaddr, source: Source, learnt: u64) -> bool {
        if let Some(known) = self.addresses.iter_mut().find(|known| known.address == address) {
            known.source = known.source.max(source);
            known.of_our_house |= source.is_of_our_house();
            known.learnt = learnt;
            return false;
        }
        if self.addresses.len() >= MOST_ADDRESSES {
            let least = self
                .addresses
                .iter()
                .enumerate()
                .min_by_key(|(_, known)| (known.source, known.learnt))
                .map(|(index, known)| (index, known.source));
            match least {
                Some((index, least)) if least <= source => drop(self.addresses.swap_remove(index)),
                _ => return false,
            }
        }
        self.addresses.push(Known {
            address,
            source,
            of_our_house: source.is_of_our_house(),
            learnt,
        });
        true
    }

    /// Those that may be dialled by who lives in this house.
    fn best_first(&self, house: &House) -> impl Iterator<Item = &Known> {
        let mut sorted: Vec<&Known> = self.addresses.iter().filter(|known| known.fits(house)).collect();
        sorted.sort_by_key(|known| {
            let newest = std::cmp::Reverse((known.source, known.learnt));
            (is_relayed(&known.address), newest)
        });
        sorted.into_iter()
    }

    fn is_somewhere(&self, house: &House) -> bool {
        self.addresses.iter().any(|known| known.fits(house))
    }

    fn may_be_dialled(&self, house: &House, now: Instant) -> bool {
        self.not_before.is_none_or(|until| until <= now) && self.is_somewhere(house)
    }

    /// What says most is the greatest.
    fn worth(&self) -> (Option<Source>, bool, std::cmp::Reverse<u32>, u64) {
        let source = self.addresses.iter().map(|known| known.source).max();
        let given = source.filter(|source| *source == Source::Bootstrap);
        let failures = std::cmp::Reverse(self.failures);
        (given, self.reached.is_some(), failures, self.learnt)
    }
}

impl Known {
    fn fits(&self, house: &House) -> bool {
        self.of_our_house || !house.holds(&self.address)
    }
}

#[cfg(test)]
mod tests;
