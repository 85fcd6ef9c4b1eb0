//! Who of the connected peers has a slot.
//!
//! Told who is connected, it says who stays: eight peers that we chose and stay with, a few that we try out, and a number of those
//! that came to us. No clock and no sockets. Whatever strangers do, no more than three identities of one public address have a slot,
//! who is registered on the chain goes before who isn't, and where there is a choice no network has more than a quarter of
//! those that we stay with.

use super::{Config, Slot, place::Place, place::Prefix, score::DISGRACED};
use libp2p::PeerId;
use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::time::Instant;

/// So much better has a peer to be that takes another's place: places shouldn't change for nothing.
const CLEARLY: f64 = 5.0;

/// A connected peer, as far as it matters here.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) peer: PeerId,
    pub(super) place: Option<Place>,
    pub(super) prefix: Option<Prefix>,
    /// What it can do, one bit each.
    pub(super) capabilities: u32,
    /// We dialled it; only such peers become long-term or exploratory ones, as strangers can't choose to be dialled for a slot.
    pub(super) chosen: bool,
    /// It was dialled for something else, such as a blob of its: it gets a slot only where one is free.
    pub(super) visit: bool,
    /// It always may stay.
    pub(super) pinned: bool,
    /// 2: registered and staked, 1: registered, 0: neither, or nobody knows.
    pub(super) standing: u8,
    /// How good it is to us, below [`DISGRACED`] not at all.
    pub(super) merit: f64,
}

/// How things stand outside.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Situation {
    /// So few peers are known that everybody keeps everybody.
    pub(super) small: bool,
    /// There are others that could be dialled.
    pub(super) others: bool,
}

/// What a review came to.
#[derive(Debug, Default)]
pub(super) struct Review {
    /// Somebody's slot is another than before.
    pub(super) changed: bool,
    /// They are connected and lost their slot, so that others get a turn, or because they did wrong.
    pub(super) dismissed: Vec<PeerId>,
}

/// The slots.
#[derive(Debug)]
pub(super) struct Slots {
    bounds: Config,
    held: BTreeMap<PeerId, Held>,
    /// They had a slot and are still connected: they don't get another at once.
    dismissed: BTreeSet<PeerId>,
    exchanged: Instant,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    slot: Slot,
    since: Instant,
}

type Table<'a> = BTreeMap<PeerId, &'a Candidate>;

impl Slots {
    pub(super) fn new(bounds: Config, now: Instant) -> Self {
        Self {
            bounds,
            held: BTreeMap::new(),
            dismissed: BTreeSet::new(),
            exchanged: now,
        }
    }

    /// What a peer is to us.
    pub(super) fn of(&self, peer: &PeerId) -> Slot {
        self.held.get(peer).map_or(Slot::None, |held| held.slot)
    }

    /// Who has a slot.
    pub(super) fn holders(&self) -> BTreeSet<PeerId> {
        self.held.keys().copied().collect()
    }

    /// How many peers are to be dialled, if so many can be.
    pub(super) fn lacking(&self, situation: Situation) -> usize {
        let wanted = self.bounds.long_term + self.exploratory(situation);
        wanted.saturating_sub(self.count(Slot::LongTerm) + self.count(Slot::Exploratory))
    }

    /// All long-term slots are taken.
    pub(super) fn is_settled(&self) -> bool {
        self.count(Slot::LongTerm) >= self.bounds.long_term
    }

    /// When the next exchange is due.
    pub(super) fn due(&self) -> Instant {
        self.exchanged + self.bounds.exchange
    }

    /// Whether another peer of this place could have a slot.
    pub(super) fn has_room(&self, place: Option<Place>, candidates: &[Candidate]) -> bool {
        let of_it = candidates
            .iter()
            .filter(|other| self.held.contains_key(&other.peer) && other.place == place);
        place.is_none() || of_it.count() < self.bounds.per_origin
    }

    /// Gives and takes slots. `candidates` are all connected peers.
    pub(super) fn review(&mut self, candidates: &[Candidate], situation: Situation, now: Instant) -> Review {
        let before: BTreeMap<PeerId, Slot> =
            self.held.iter().map(|(peer, held)| (*peer, held.slot)).collect();
        let table: Table = candidates
            .iter()
            .map(|candidate| (candidate.peer, candidate))
            .collect();
        self.dismissed
            .retain(|peer| table.contains_key(peer) && !situation.small);
        self.take_back(&table);
        self.pin(&table, now);
        self.fill_long_term(&table, situation, now);
        self.fill_exploratory(&table, situation, now);
        if now >= self.due() {
            self.exchanged = now;
            if !situation.small {
                self.exchange(&table, situation, now);
                self.fill_exploratory(&table, situation, now);
            }
        }
        self.fill_inbound(&table, now);
        let is_gone = |peer: &&PeerId| table.contains_key(*peer) && !self.held.contains_key(*peer);
        Review {
            dismissed: before.keys().filter(is_gone).copied().collect(),
            changed: self.held.len() != before.len()
                || self
                    .held
                    .iter()
                    .any(|(peer, held)| before.get(peer) != Some(&held.slot)),
        }
    }

    /// From who is gone, who did wrong, and who is one too many of its place.
    fn take_back(&mut self, table: &Table) {
        let mut holders: Vec<(bool, Instant, &Candidate)> = self
            .held
            .iter()
            .filter_map(|(peer, held)| table.get(peer).map(|c| (!c.pinned, held.since, *c)))
            .filter(|(_, _, candidate)| candidate.pinned || candidate.merit > DISGRACED)
            .collect();
        holders.sort_by_key(|(unpinned, since, candidate)| (*unpinned, *since, candidate.peer));
        let mut counts: BTreeMap<Place, usize> = BTreeMap::new();
        let mut stay = BTreeSet::new();
        for (_, _, candidate) in holders {
            if let Some(place) = candidate.place {
                let count = counts.entry(place).or_default();
                if *count >= self.bounds.per_origin && !candidate.pinned {
                    continue;
                }
                *count += 1;
            }
            stay.insert(candidate.peer);
        }
        self.held.retain(|peer, _| stay.contains(peer));
    }

    fn pin(&mut self, table: &Table, now: Instant) {
        for candidate in table.values().filter(|candidate| candidate.pinned) {
            if self.of(&candidate.peer) != Slot::LongTerm {
                self.give(candidate, Slot::LongTerm, now);
            }
        }
        while self.count(Slot::LongTerm) > self.bounds.long_term {
            let unpinned = self.holders_of(Slot::LongTerm, table).filter(|c| !c.pinned);
            let Some(worst) = unpinned.min_by(|a, b| self.by_fit(a, b, table)) else {
                return;
            };
            self.give(worst, Slot::Exploratory, now);
        }
    }

    /// With those that are tried out first, then with any that we chose.
    fn fill_long_term(&mut self, table: &Table, situation: Situation, now: Instant) {
        while !self.is_settled() {
            let best = table
                .values()
                .filter(|c| c.chosen && self.of(&c.peer) != Slot::LongTerm)
                .filter(|c| self.may_have_one(c, table))
                .max_by(|a, b| {
                    let key = |c: &Candidate| {
                        (
                            situation.small || !self.is_crowded(c.prefix, table),
                            !self.dismissed.contains(&c.peer),
                            c.standing,
                            self.brings_new(c, table),
                        )
                    };
                    key(a).cmp(&key(b)).then_with(|| by_merit(a, b))
                });
            let Some(best) = best else { return };
            // Better an empty slot and somebody else soon.
            if self.is_crowded(best.prefix, table) && situation.others && !situation.small {
                return;
            }
            self.give(best, Slot::LongTerm, now);
        }
    }

    fn fill_exploratory(&mut self, table: &Table, situation: Situation, now: Instant) {
        let room = self.exploratory(situation);
        while self.count(Slot::Exploratory) > room {
            let tried = self.holders_of(Slot::Exploratory, table);
            let Some(worst) = tried.min_by(|a, b| self.by_fit(a, b, table)) else {
                return;
            };
            self.dismiss(worst.peer);
        }
        while self.count(Slot::Exploratory) < room {
            let usable = |c: &&&Candidate| c.chosen && (!c.visit || situation.small || !self.is_settled());
            let best = table
                .values()
                .filter(usable)
                .filter(|c| self.of(&c.peer) == Slot::None && !self.dismissed.contains(&c.peer))
                .filter(|c| self.may_have_one(c, table))
                .max_by(|a, b| self.by_fit(a, b, table));
            let Some(best) = best else { return };
            self.give(best, Slot::Exploratory, now);
        }
    }

    /// The best of those that are tried out for the worst of those that we stay with, if it is clearly better; else another is tried
    /// out.
    fn exchange(&mut self, table: &Table, situation: Situation, now: Instant) {
        let best = self
            .holders_of(Slot::Exploratory, table)
            .max_by(|a, b| self.by_fit(a, b, table));
        let worst = self
            .holders_of(Slot::LongTerm, table)
            .filter(|c| !c.pinned)
            .filter(|c| best.is_none_or(|best| !self.is_missed(c, best, table)))
            .min_by(|a, b| {
                // Whose network has too many goes first.
                let fits = |c: &Candidate| !self.has_too_many(c.prefix, table);
                fits(a).cmp(&fits(b)).then_with(|| by_worth(a, b))
            });
        if let (Some(best), Some(worst)) = (best, worst)
            && self.is_better(best, worst, table)
        {
            self.dismiss(worst.peer);
            self.give(best, Slot::LongTerm, now);
            return;
        }
        let tried = self
            .holders_of(Slot::Exploratory, table)
            .filter(|c| {
                let held = self.held.get(&c.peer);
                held.is_some_and(|held| held.since + self.bounds.exchange <= now)
            })
            .min_by(|a, b| self.by_fit(a, b, table));
        if let Some(tried) = tried
            && situation.others
        {
            self.dismiss(tried.peer);
        }
    }

    /// Who is registered takes the place of who isn't.
    fn fill_inbound(&mut self, table: &Table, now: Instant) {
        loop {
            let best = table
                .values()
                .filter(|c| !c.chosen && self.of(&c.peer) == Slot::None)
                .filter(|c| self.may_have_one(c, table))
                .max_by(|a, b| by_worth(a, b));
            let Some(best) = best else { return };
            if self.count(Slot::Inbound) >= self.bounds.inbound {
                let worst = self
                    .holders_of(Slot::Inbound, table)
                    .min_by(|a, b| by_worth(a, b));
                match worst {
                    Some(worst) if worst.standing < best.standing => self.dismiss(worst.peer),
                    _ => return,
                }
            }
            self.give(best, Slot::Inbound, now);
        }
    }

    fn exploratory(&self, situation: Situation) -> usize {
        match situation.small || !self.is_settled() {
            true => self.bounds.exploratory,
            false => self.bounds.exploratory_settled,
        }
    }

    fn count(&self, slot: Slot) -> usize {
        self.held.values().filter(|held| held.slot == slot).count()
    }

    fn holders_of<'a>(&self, slot: Slot, table: &Table<'a>) -> impl Iterator<Item = &'a Candidate> + use<'a> {
        let holders = self.held.iter().filter(|(_, held)| held.slot == slot);
        let holders: Vec<&'a Candidate> = holders.filter_map(|(peer, _)| table.get(peer).copied()).collect();
        holders.into_iter()
    }

    fn give(&mut self, candidate: &Candidate, slot: Slot, now: Instant) {
        self.held.insert(candidate.peer, Held { slot, since: now });
        self.dismissed.remove(&candidate.peer);
    }

    fn dismiss(&mut self, peer: PeerId) {
        self.held.remove(&peer);
        self.dismissed.insert(peer);
    }

    /// It did no wrong, and its place hasn't too many, itself not counted.
    fn may_have_one(&self, candidate: &Candidate, table: &Table) -> bool {
        let others = || {
            self.held
                .keys()
                .filter(|peer| **peer != candidate.peer)
                .filter(|peer| table.get(peer).is_some_and(|c| c.place == candidate.place))
        };
        candidate.merit > DISGRACED
            && (candidate.place.is_none() || others().count() < self.bounds.per_origin)
    }

    fn share(&self) -> usize {
        (self.bounds.long_term / 4).max(1)
    }

    fn long_term_in(&self, prefix: Prefix, table: &Table) -> usize {
        self.holders_of(Slot::LongTerm, table)
            .filter(|c| c.prefix == Some(prefix))
            .count()
    }

    /// Its network has its share of those that we stay with.
    fn is_crowded(&self, prefix: Option<Prefix>, table: &Table) -> bool {
        prefix.is_some_and(|prefix| self.long_term_in(prefix, table) >= self.share())
    }

    /// Its network has more than its share.
    fn has_too_many(&self, prefix: Option<Prefix>, table: &Table) -> bool {
        prefix.is_some_and(|prefix| self.long_term_in(prefix, table) > self.share())
    }

    /// It can do something that none of those can that we stay with.
    fn brings_new(&self, candidate: &Candidate, table: &Table) -> bool {
        let there = self
            .holders_of(Slot::LongTerm, table)
            .fold(0, |bits, c| bits | c.capabilities);
        candidate.capabilities & !there != 0
    }

    /// It can do something that none of the others can that we stay with, nor `instead`.
    fn is_missed(&self, candidate: &Candidate, instead: &Candidate, table: &Table) -> bool {
        let others = self
            .holders_of(Slot::LongTerm, table)
            .filter(|c| c.peer != candidate.peer)
            .fold(instead.capabilities, |bits, c| bits | c.capabilities);
        candidate.capabilities & !others != 0
    }

    /// Whose network has its share already comes after all others.
    fn by_fit(&self, a: &Candidate, b: &Candidate, table: &Table) -> Ordering {
        let fits = |c: &Candidate| !self.is_crowded(c.prefix, table);
        fits(a).cmp(&fits(b)).then_with(|| by_worth(a, b))
    }

    fn is_better(&self, best: &Candidate, worst: &Candidate, table: &Table) -> bool {
        if best.prefix != worst.prefix {
            if self.is_crowded(best.prefix, table) {
                return false;
            }
            if self.has_too_many(worst.prefix, table) && best.standing >= worst.standing {
                return true;
            }
        }
        match best.standing.cmp(&worst.standing) {
            Ordering::Greater => true,
            Ordering::Equal => self.brings_new(best, table) || best.merit > worst.merit + CLEARLY,
            Ordering::Less => false,
        }
    }
}

fn by_merit(a: &Candidate, b: &Candidate) -> Ordering {
    // A visitor last: somebody who is here to stay was chosen with more care.
    (!a.visit)
        .cmp(&!b.visit)
        .then(a.merit.total_cmp(&b.merit))
        .then(a.peer.cmp(&b.peer))
}

fn by_worth(a: &Candidate, b: &Candidate) -> Ordering {
    a.standing.cmp(&b.standing).then_with(|| by_merit(a, b))
}

/// What makes up a peer's merit beside its score: how near it is, and how long it has been here.
pub(super) fn merit(score: f64, latency: Option<Duration>, here: Duration) -> f64 {
    const MOST: f64 = 10.0;
    /// From this round trip on a peer is as far away as any.
    const FAR: f64 = 0.5;
    /// After so long nobody becomes more trustworthy by staying: an hour.
    const OLD: f64 = 3600.0;
    let near = latency.map_or(0.0, |latency| 1.0 - (latency.as_secs_f64() / FAR).min(1.0));
    let old = (here.as_secs_f64() / OLD).min(1.0);
    score + MOST * near + MOST * old
}

#[cfg(test)]
#[path = "slots_tests.rs"]
mod tests;
