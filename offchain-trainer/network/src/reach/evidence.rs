//! Who has reached us where: what peers found when we asked them to try, and who came by themselves.
//!
//! An address is ours when somebody has come in there; it stops being so when two have tried and didn't get in, or all who had can't any
//! more. Must never count a peer twice, however many connections it has, nor one that we had dialled before: our router lets it in for
//! that reason alone.

use crate::reach::observed::Witness;
use libp2p::{Multiaddr, PeerId};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// So many addresses are kept.
const MOST: usize = 32;
/// So many who say the same are remembered.
const VOICES: usize = 8;
/// So many have to fail before an address isn't ours any more.
const ENOUGH_FAILURES: usize = 2;
/// For so long it counts that somebody came by itself.
const VISIT: Duration = Duration::from_secs(3600);

/// Who says something, and where it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Voice {
    peer: PeerId,
    at: Witness,
}

impl Voice {
    pub(crate) fn new(peer: PeerId, at: Witness) -> Self {
        Self { peer, at }
    }
}

/// All at one address are one, and so is a peer that is connected from two, or isn't any more when its answer comes.
impl PartialEq for Voice {
    fn eq(&self, other: &Self) -> bool {
        self.peer == other.peer || self.at == other.at
    }
}

/// What is known of each address.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    addresses: BTreeMap<Multiaddr, Found>,
}

#[derive(Debug, Default)]
struct Found {
    /// Who got in when asked to try; empty once too many failed.
    reached: Vec<Voice>,
    /// Who didn't, since somebody did.
    failed: Vec<Voice>,
    /// Who came by itself, and when.
    visited: Vec<(Voice, Instant)>,
    /// How many have to.
    visits_needed: usize,
}

fn add<T: PartialEq>(all: &mut Vec<T>, one: T) {
    if !all.contains(&one) {
        all.push(one);
        if all.len() > VOICES {
            all.remove(0);
        }
    }
}

impl Evidence {
    fn found(&mut self, address: &Multiaddr) -> Option<&mut Found> {
        if self.addresses.len() >= MOST && !self.addresses.contains_key(address) {
            return None;
        }
        Some(self.addresses.entry(address.clone()).or_default())
    }

    /// Somebody tried because we asked.
    pub(crate) fn tried(&mut self, address: &Multiaddr, by: Voice, got_in: bool) {
        let Some(found) = self.found(address) else {
            return;
        };
        if got_in {
            found.failed.clear();
            add(&mut found.reached, by);
        } else {
            found.reached.retain(|other| *other != by);
            add(&mut found.failed, by);
            if found.failed.len() >= ENOUGH_FAILURES {
                found.reached.clear();
            }
        }
    }

    /// Somebody whom we hadn't dialled came in there, as it says; `ours` if this computer itself has that address, so that no router
    /// stands between.
    pub(crate) fn visited(&mut self, address: &Multiaddr, by: Voice, ours: bool, now: Instant) {
        let Some(found) = self.found(address) else {
            return;
        };
        found.visits_needed = if ours { 1 } else { 2 };
        found.visited.retain(|(who, _)| *who != by);
        add(&mut found.visited, (by, now));
    }

    /// Forgets what nobody has said lately, and all that was tried at addresses that aren't candidates any more.
    pub(crate) fn keep(&mut self, candidates: &[Multiaddr], now: Instant) {
        self.addresses.retain(|address, found| {
            found
                .visited
                .retain(|(_, at)| now.saturating_duration_since(*at) < VISIT);
            if !candidates.contains(address) {
                found.reached.clear();
                found.failed.clear();
            }
            !(found.reached.is_empty() && found.failed.is_empty() && found.visited.is_empty())
        });
    }

    /// Where others reach us, and how many did.
    pub(crate) fn confirmed(&self) -> Vec<(Multiaddr, usize)> {
        let confirmed = self.addresses.iter().filter_map(|(address, found)| {
            let visits = found.visited.len();
            let visited = visits > 0 && visits >= found.visits_needed;
            let count = found.reached.len() + if visited { visits } else { 0 };
            (count > 0).then(|| (address.clone(), count))
        });
        confirmed.collect()
    }

    /// Where others tried and didn't get in.
    pub(crate) fn refuted(&self) -> Vec<Multiaddr> {
        let refuted = self
            .addresses
            .iter()
            .filter(|(_, found)| found.reached.is_empty() && !found.failed.is_empty());
        refuted.map(|(address, _)| address.clone()).collect()
    }

    /// How many tried and didn't get in.
    pub(crate) fn failures(&self, address: &Multiaddr) -> usize {
        self.addresses.get(address).map_or(0, |found| found.failed.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::origin::Origin;

    fn at(n: u8) -> Witness {
        Witness::At(Origin::V4([198, 51, 100, n].into()))
    }

    /// Somebody at an address of its own, a new one each time.
    fn voice(n: u8) -> Voice {
        Voice::new(PeerId::random(), at(n))
    }

    fn here() -> Multiaddr {
        "/ip4/203.0.113.5/tcp/4000".parse().unwrap()
    }

    #[test]
    fn one_who_gets_in_confirms_and_two_who_dont_refute() {
        let mut evidence = Evidence::default();
        evidence.tried(&here(), voice(1), false);
        assert_eq!((evidence.confirmed(), evidence.refuted()), (vec![], vec![here()]));
        evidence.tried(&here(), voice(2), true);
        assert_eq!(evidence.confirmed(), [(here(), 1)]);
        assert!(evidence.refuted().is_empty());
        for _ in 0..5 {
            evidence.tried(&here(), voice(1), false);
        }
        assert_eq!(evidence.confirmed().len(), 1, "one voice");
        evidence.tried(&here(), voice(3), false);
        assert_eq!(evidence.refuted(), [here()]);
        assert_eq!(evidence.failures(&here()), 2);
    }

    #[test]
    fn the_only_one_who_got_in_and_cant_any_more_confirms_nothing() {
        let mut evidence = Evidence::default();
        evidence.tried(&here(), voice(1), true);
        evidence.tried(&here(), voice(1), false);
        assert_eq!((evidence.confirmed(), evidence.refuted()), (vec![], vec![here()]));
    }

    #[test]
    fn a_peer_with_two_connections_has_one_voice_whichever_of_them_is_left() {
        let (mut evidence, peer, now) = (Evidence::default(), PeerId::random(), Instant::now());
        let other = Witness::At(Origin::V6(0x2001_0db8_0001_0002));
        // By one, by the other, and when both are gone.
        let voices = [at(1), other, Witness::Named(peer)].map(|at| Voice::new(peer, at));
        evidence.tried(&here(), voice(9), true);
        for voice in voices {
            evidence.tried(&here(), voice, false);
        }
        assert_eq!(evidence.failures(&here()), 1);
        assert_eq!(evidence.confirmed(), [(here(), 1)], "nobody alone refutes");
        for voice in voices {
            evidence.tried(&here(), voice, true);
        }
        assert_eq!(evidence.confirmed(), [(here(), 2)]);
        let routers = "/ip4/203.0.113.6/tcp/4000".parse().unwrap();
        for voice in voices {
            evidence.visited(&routers, voice, false, now);
        }
        assert_eq!(evidence.confirmed().len(), 1, "that takes two");
    }

    #[test]
    fn visitors_confirm_an_address_of_this_computer_at_once_and_a_routers_in_twos() {
        let now = Instant::now();
        let mut evidence = Evidence::default();
        evidence.visited(&here(), voice(1), false, now);
        evidence.visited(&here(), voice(1), false, now);
        assert!(evidence.confirmed().is_empty());
        evidence.visited(&here(), voice(2), false, now);
        assert_eq!(evidence.confirmed(), [(here(), 2)]);
        evidence.keep(&[], now + VISIT);
        assert!(evidence.addresses.is_empty());
        evidence.visited(&here(), voice(1), true, now);
        assert_eq!(evidence.confirmed(), [(here(), 1)]);
    }

    #[test]
    fn what_was_tried_at_an_address_that_we_left_is_forgotten() {
        let mut evidence = Evidence::default();
        evidence.tried(&here(), voice(1), true);
        evidence.keep(&[here()], Instant::now());
        assert_eq!(evidence.confirmed().len(), 1);
        evidence.keep(&[], Instant::now());
        assert!(evidence.addresses.is_empty());
    }

    #[test]
    fn liars_fill_no_table() {
        let mut evidence = Evidence::default();
        for n in 0..=255 {
            for port in 1..50 {
                let address = format!("/ip4/203.0.113.{n}/tcp/{port}").parse().unwrap();
                evidence.visited(&address, voice(n), false, Instant::now());
            }
        }
        assert_eq!(evidence.addresses.len(), MOST);
        for n in 0..=255 {
            evidence.tried(&here(), voice(n), true);
        }
        assert!(
            evidence
                .addresses
                .values()
                .all(|found| found.reached.len() <= VOICES)
        );
    }
}
