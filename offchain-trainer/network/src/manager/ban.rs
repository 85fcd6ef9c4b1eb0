//! Who may not be here for a while. Each further ban lasts twice as long, and a quiet day makes up for all.
//!
//! Identities cost nothing, so many banned ones at one public address ban the address. Must never grow beyond its bounds.

use crate::origin::Origin;
use libp2p::PeerId;
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// The first ban.
const FIRST: Duration = Duration::from_secs(5);
/// The longest.
const LONGEST: Duration = Duration::from_secs(30 * 60);
/// After so long without another one, a ban is forgotten.
const QUIET: Duration = Duration::from_secs(24 * 60 * 60);
/// More banned identities than this, at one public address and within an hour, ban the address.
const PER_ORIGIN: usize = 5;
/// For how long a banned identity counts against its address.
const COUNTS: Duration = Duration::from_secs(60 * 60);
/// So many bans of peers are remembered, and as many of addresses.
const MOST: usize = 4096;

/// One ban, or the memory of it.
#[derive(Debug, Clone, Copy)]
struct Ban {
    until: Instant,
    /// How many there were before.
    before: u32,
    since: Instant,
    origin: Option<Origin>,
}

impl Ban {
    fn is_forgotten(&self, now: Instant) -> bool {
        self.until + QUIET <= now
    }
}

/// A peer that did wrong too often, within a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Banned {
    /// Who.
    pub peer: PeerId,
    /// How often it was banned, each time for longer.
    pub times: u32,
    /// For how long it is yet; none: it may come.
    pub left: Option<Duration>,
}

/// All bans.
#[derive(Debug, Default)]
pub(super) struct Bans {
    peers: BTreeMap<PeerId, Ban>,
    origins: BTreeMap<Origin, Ban>,
}

/// What a ban came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sentence {
    /// How long the peer is banned.
    pub(super) lasts: Duration,
    /// The address is banned as well.
    pub(super) with_origin: Option<Origin>,
}

impl Bans {
    /// Bans a peer that is at this public address, if it is at one. `None` if it is banned already.
    pub(super) fn ban(&mut self, peer: PeerId, origin: Option<Origin>, now: Instant) -> Option<Sentence> {
        if self.holds(&peer, now) {
            return None;
        }
        let lasts = impose(&mut self.peers, peer, origin, now);
        let with_origin = origin.filter(|origin| {
            let of_it = self
                .peers
                .values()
                .filter(|ban| ban.origin == Some(*origin) && now < ban.since + COUNTS);
            of_it.count() > PER_ORIGIN && !self.holds_origin(origin, now)
        });
        if let Some(origin) = with_origin {
            impose(&mut self.origins, origin, None, now);
        }
        Some(Sentence { lasts, with_origin })
    }

    /// Whether a peer is banned.
    pub(super) fn holds(&self, peer: &PeerId, now: Instant) -> bool {
        self.peers.get(peer).is_some_and(|ban| now < ban.until)
    }

    /// All peers whose bans aren't forgotten, those that are over included; by PeerId.
    pub(super) fn list(&self, now: Instant) -> Vec<Banned> {
        let known = self.peers.iter().filter(|(_, ban)| !ban.is_forgotten(now));
        let list = known.map(|(peer, ban)| Banned {
            peer: *peer,
            times: ban.before.saturating_add(1),
            left: ban
                .until
                .checked_duration_since(now)
                .filter(|left| !left.is_zero()),
        });
        list.collect()
    }

    /// Whether an address is banned.
    pub(super) fn holds_origin(&self, origin: &Origin, now: Instant) -> bool {
        self.origins.get(origin).is_some_and(|ban| now < ban.until)
    }
}

/// Notes a ban, and returns how long it lasts.
fn impose<K: Ord + Copy>(
    table: &mut BTreeMap<K, Ban>,
    key: K,
    origin: Option<Origin>,
    now: Instant,
) -> Duration {
    let before = match table.get(&key) {
        Some(ban) if !ban.is_forgotten(now) => ban.before.saturating_add(1),
        _ => 0,
    };
    let factor = 1u32.checked_shl(before).unwrap_or(u32::MAX);
    let lasts = FIRST.saturating_mul(factor).min(LONGEST);
    if !table.contains_key(&key) && table.len() >= MOST {
        table.retain(|_, ban| !ban.is_forgotten(now));
        // Of those that are left, what ends soonest is missed least.
        if table.len() >= MOST {
            let mut ends: Vec<(Instant, K)> = table.iter().map(|(key, ban)| (ban.until, *key)).collect();
            ends.sort_unstable();
            for (_, key) in ends.into_iter().take(MOST / 4) {
                table.remove(&key);
            }
        }
    }
    table.insert(
        key,
        Ban {
            until: now + lasts,
            before,
            since: now,
            origin,
        },
    );
    lasts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::Ipv4Addr;

    fn origin(last: u8) -> Origin {
        Origin::V4(Ipv4Addr::new(192, 0, 2, last))
    }

    #[test]
    fn each_further_ban_lasts_twice_as_long_up_to_half_an_hour() {
        let (mut bans, peer, mut now) = (Bans::default(), PeerId::random(), Instant::now());
        let mut seconds = Vec::new();
        for _ in 0..12 {
            let sentence = bans.ban(peer, None, now).unwrap();
            assert_eq!(bans.ban(peer, None, now), None, "once is enough");
            assert!(bans.holds(&peer, now + sentence.lasts - Duration::from_millis(1)));
            now += sentence.lasts;
            assert!(!bans.holds(&peer, now), "it has a new chance");
            let banned = Banned {
                peer,
                times: seconds.len() as u32 + 1,
                left: None,
            };
            assert_eq!(bans.list(now), [banned]);
            let left = Some(Duration::from_secs(1));
            let before = now - Duration::from_secs(1);
            assert_eq!(bans.list(before), [Banned { left, ..banned }]);
            seconds.push(sentence.lasts.as_secs());
        }
        assert_eq!(
            seconds,
            [5, 10, 20, 40, 80, 160, 320, 640, 1280, 1800, 1800, 1800]
        );
    }

    #[test]
    fn a_quiet_day_makes_up_for_all() {
        let (mut bans, peer, now) = (Bans::default(), PeerId::random(), Instant::now());
        let first = bans.ban(peer, None, now).unwrap().lasts;
        let later = now + first + QUIET - Duration::from_secs(1);
        let second = bans.ban(peer, None, later).unwrap().lasts;
        assert_eq!(second, first * 2, "a day is not over");
        let much_later = later + second + QUIET;
        assert_eq!(bans.list(much_later), []);
        assert_eq!(bans.ban(peer, None, much_later).unwrap().lasts, first);
    }

    #[test]
    fn many_banned_names_of_one_address_ban_the_address_and_no_other() {
        let (mut bans, now) = (Bans::default(), Instant::now());
        let with_origin = |bans: &mut Bans, origin, now| {
            let sentence = bans.ban(PeerId::random(), origin, now).unwrap();
            sentence.with_origin
        };
        for _ in 0..PER_ORIGIN {
            assert_eq!(with_origin(&mut bans, Some(origin(1)), now), None);
            assert_eq!(with_origin(&mut bans, None, now), None, "the local network");
        }
        assert_eq!(with_origin(&mut bans, None, now), None);
        assert!(!bans.holds_origin(&origin(1), now));
        assert_eq!(with_origin(&mut bans, Some(origin(1)), now), Some(origin(1)));
        assert!(bans.holds_origin(&origin(1), now) && !bans.holds_origin(&origin(2), now));
        assert!(!bans.holds_origin(&origin(1), now + FIRST));
        // The next one of that address within the hour bans it for longer.
        let later = now + FIRST;
        assert_eq!(with_origin(&mut bans, Some(origin(1)), later), Some(origin(1)));
        assert!(bans.holds_origin(&origin(1), later + FIRST));
        // An hour later the old ones don't count.
        let later = now + COUNTS + FIRST;
        assert_eq!(with_origin(&mut bans, Some(origin(1)), later), None);
    }

    #[test]
    fn the_table_stays_bounded_and_keeps_the_longest() {
        let (mut bans, worst, mut now) = (Bans::default(), PeerId::random(), Instant::now());
        for _ in 0..12 {
            now += bans.ban(worst, None, now).unwrap().lasts;
        }
        bans.ban(worst, None, now).unwrap();
        for _ in 0..2 * MOST {
            bans.ban(PeerId::random(), None, now).unwrap();
        }
        assert!(bans.peers.len() <= MOST);
        assert!(bans.holds(&worst, now));
    }

    proptest! {
        #[test]
        fn bans_never_get_shorter_within_a_day(pauses in prop::collection::vec(0..80_000u64, 1..20)) {
            let (mut bans, peer, mut now) = (Bans::default(), PeerId::random(), Instant::now());
            let mut last = Duration::ZERO;
            for pause in pauses {
                let lasts = bans.ban(peer, None, now).unwrap().lasts;
                prop_assert!(lasts >= last && lasts <= LONGEST);
                last = lasts;
                now += lasts + Duration::from_secs(pause);
            }
        }
    }
}
