//! Who gets into Kademlia's table, from which others are told whom to ask.
//!
//! Only servers, at addresses where this PC reached them or from where they came. Of one neighbourhood of addresses there are few, so that
//! whoever owns one doesn't own the table; and registered PCs go before strangers, who cost nothing. Who can't be reached, or answers to
//! nothing, leaves.

use super::{
    behaviour::Bounded,
    reachable::{few, group},
};
use crate::{members::Members, origin::Origin, scope::is_relayed};
use libp2p::{Multiaddr, PeerId, kad};
use std::{collections::HashMap, net::IpAddr};

/// Of one neighbourhood of addresses, in one bucket and in all.
const GROUP_IN_BUCKET: usize = 2;
const GROUP: usize = 8;
/// Strangers in one bucket, once registered PCs are known.
const STRANGERS_IN_BUCKET: usize = 10;
/// Places in a bucket.
const BUCKET: usize = 20;
/// Addresses of one peer.
const ADDRESSES: usize = 4;
/// So often in a row nothing came of it.
const STRIKES: u8 = 3;

/// What went wrong with peers in the table.
#[derive(Default)]
pub(super) struct Table {
    strikes: HashMap<PeerId, u8>,
}

impl Table {
    /// Takes in a peer that serves, if it fits. `addresses` are where it says that it is, `seen` where the connection with it leads.
    pub(super) fn admit(
        &mut self,
        kad: &mut Bounded,
        members: &Members,
        peer: PeerId,
        seen: &Multiaddr,
        addresses: &[Multiaddr],
    ) -> bool {
        if is_relayed(seen) {
            return false;
        }
        let origin = Origin::of(seen);
        let claimed = addresses
            .iter()
            .filter(|address| Origin::of(address) == origin && !is_relayed(address));
        let fitting = claimed.filter(|address| kad.surroundings.fits(address)).cloned();
        let addresses = few(fitting, ADDRESSES);
        let Some(first) = addresses.first() else {
            return false;
        };
        if !self.has_room(kad, members, &peer, group(first)) {
            return false;
        }
        for address in addresses {
            kad.inner.add_address(&peer, address);
        }
        true
    }

    fn has_room(
        &mut self,
        kad: &mut Bounded,
        members: &Members,
        peer: &PeerId,
        group: Option<IpAddr>,
    ) -> bool {
        let Some(bucket) = kad.inner.kbucket(*peer) else {
            return false;
        };
        let bucket: Vec<(PeerId, usize, Option<IpAddr>)> = bucket
            .iter()
            .map(|entry| {
                let addresses = entry.node.value;
                (
                    *entry.node.key.preimage(),
                    addresses.len(),
                    self::group(addresses.first()),
                )
            })
            .collect();
        if let Some((_, addresses, _)) = bucket.iter().find(|(other, ..)| other == peer) {
            return *addresses < ADDRESSES;
        }
        let in_bucket = bucket
            .iter()
            .filter(|(.., of)| group.is_some() && *of == group)
            .count();
        if in_bucket >= GROUP_IN_BUCKET {
            return false;
        }
        // Last: it goes through the whole table.
        if group.is_some() && entries(kad).iter().filter(|(_, of)| *of == group).count() >= GROUP {
            return false;
        }
        if members.know_none() {
            return true;
        }
        let mut strangers = bucket.iter().filter(|(other, ..)| !members.contains(other));
        if !members.contains(peer) {
            return strangers.count() < STRANGERS_IN_BUCKET;
        }
        if bucket.len() >= BUCKET
            && let Some((stranger, ..)) = strangers.next()
        {
            self.remove(kad, *stranger);
        }
        true
    }

    /// It couldn't be reached, or didn't answer.
    pub(super) fn failed(&mut self, kad: &mut Bounded, peer: PeerId) {
        let known = kad.inner.kbucket(peer).is_some_and(|bucket| {
            let mut peers = bucket.iter().map(|entry| *entry.node.key.preimage());
            peers.any(|other| other == peer)
        });
        if !known {
            return;
        }
        let strikes = self.strikes.entry(peer).or_default();
        *strikes = strikes.saturating_add(1);
        if *strikes >= STRIKES {
            self.remove(kad, peer);
        }
    }

    /// It answered.
    pub(super) fn answered(&mut self, peer: &PeerId) {
        self.strikes.remove(peer);
    }

    /// It is as good as not there: it serves no more.
    pub(super) fn remove(&mut self, kad: &mut Bounded, peer: PeerId) {
        self.strikes.remove(&peer);
        kad.inner.remove_peer(&peer);
    }

    /// What a search for whoever is near `key` says of those in the table: who is nearer than the farthest that answered was asked, too.
    pub(super) fn judge(&mut self, kad: &mut Bounded, key: &[u8], answered: &[PeerId]) {
        let target = kad::KBucketKey::new(key.to_vec());
        let distance = |peer: &PeerId| target.distance(&kad::KBucketKey::from(*peer));
        for peer in answered {
            self.answered(peer);
        }
        let Some(farthest) = answered.iter().map(distance).max() else {
            return;
        };
        let silent = entries(kad).into_iter().map(|(peer, _)| peer);
        let silent = silent.filter(|peer| distance(peer) < farthest && !answered.contains(peer));
        for peer in silent.collect::<Vec<_>>() {
            self.failed(kad, peer);
        }
    }

    /// The table and what is known of those in it stay one.
    pub(super) fn tidy(&mut self, kad: &mut Bounded) {
        let known: Vec<PeerId> = entries(kad).into_iter().map(|(peer, _)| peer).collect();
        self.strikes.retain(|peer, _| known.contains(peer));
    }
}

/// How many are in the table.
pub(super) fn count(kad: &mut Bounded) -> usize {
    kad.inner.kbuckets().map(|bucket| bucket.num_entries()).sum()
}

/// Everybody in the table, and the neighbourhood of each.
pub(super) fn entries(kad: &mut Bounded) -> Vec<(PeerId, Option<IpAddr>)> {
    let mut entries = Vec::new();
    for bucket in kad.inner.kbuckets() {
        for entry in bucket.iter() {
            entries.push((*entry.node.key.preimage(), group(entry.node.value.first())));
        }
    }
    entries
}
