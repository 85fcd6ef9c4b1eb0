//! From which addresses others see us come: what a router makes of the port that we listen on and dial from.
//!
//! Where they agree, somebody else may come back that way: a candidate, to be tried. Where each sees another port, the router gives
//! one to every connection, and nobody can. Identify alone doesn't tell: it puts our listening port in the place of one that it
//! doesn't know. Must never believe one peer more than another, nor keep more than a few observations.

use crate::{chosen_names::is_certified, origin::Origin};
use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};
use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    time::Duration,
};
use tokio::time::Instant;

/// So many observers are remembered for each transport and family, the newest.
const MOST: usize = 12;
/// So soon nobody is believed who says something else than before.
const RETHINK: Duration = Duration::from_secs(60);

/// What counts as one observer: an address, a peer whose name we chose, or all whom we know by names that they said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Witness {
    At(Origin),
    Named(PeerId),
    Stranger,
}

impl Witness {
    pub(crate) fn of(peer: PeerId, address: &Multiaddr) -> Self {
        match Origin::of(address) {
            Some(origin) => Self::At(origin),
            None if is_certified(address) => Self::Stranger,
            None => Self::Named(peer),
        }
    }
}

/// What the way out is made of: each has a mapping of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Kind {
    pub(crate) quic: bool,
    pub(crate) v6: bool,
}

/// An address as others see it; only TCP's and QUIC's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Seen {
    pub(crate) ip: IpAddr,
    pub(crate) port: u16,
    pub(crate) quic: bool,
}

impl Seen {
    /// `None` for anything else, however it goes on.
    pub(crate) fn of(address: &Multiaddr) -> Option<Self> {
        let mut parts = address.iter().filter(|part| !matches!(part, Protocol::P2p(_)));
        let ip = match parts.next()? {
            Protocol::Ip4(ip) => IpAddr::V4(ip),
            Protocol::Ip6(ip) => IpAddr::V6(ip),
            _ => return None,
        };
        let seen = match (parts.next()?, parts.next()) {
            (Protocol::Tcp(port), None) => Self {
                ip,
                port,
                quic: false,
            },
            (Protocol::Udp(port), Some(Protocol::QuicV1)) => Self { ip, port, quic: true },
            _ => return None,
        };
        (parts.next().is_none() && seen.port != 0).then_some(seen)
    }

    pub(crate) fn kind(&self) -> Kind {
        Kind {
            quic: self.quic,
            v6: self.ip.is_ipv6(),
        }
    }

    pub(crate) fn address(&self) -> Multiaddr {
        let start = Multiaddr::empty().with(self.ip.into());
        match self.quic {
            false => start.with(Protocol::Tcp(self.port)),
            true => start.with(Protocol::Udp(self.port)).with(Protocol::QuicV1),
        }
    }
}

/// Whether dialling an address is by QUIC.
pub(crate) fn is_quic(address: &Multiaddr) -> bool {
    address.iter().any(|part| part == Protocol::QuicV1)
}

/// What the router does with ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Ports {
    /// Nobody has said yet, or too few.
    #[default]
    Unknown,
    /// Everybody sees the same.
    Same,
    /// Each sees another one: a symmetric NAT.
    Different,
}

/// What somebody saw.
#[derive(Debug)]
struct Sight {
    by: Witness,
    seen: Seen,
    since: Instant,
    /// We are still connected.
    stands: bool,
}

/// All observations.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    /// Oldest first; one for each witness.
    seen: BTreeMap<Kind, Vec<Sight>>,
    /// How many connections with each witness we have made that stand, by QUIC or not. As many as the swarm has.
    standing: HashMap<(Witness, bool), usize>,
}

impl Observed {
    /// A connection that we have made to a witness stands.
    pub(crate) fn met(&mut self, by: Witness, quic: bool) {
        *self.standing.entry((by, quic)).or_default() += 1;
    }

    /// Somebody whom we dialled from our listening port says where we came from. Returns whether that is news. Who changes his mind over
    /// one connection is heard once a minute.
    pub(crate) fn saw(&mut self, by: Witness, seen: Seen, now: Instant) -> bool {
        let all = self.seen.entry(seen.kind()).or_default();
        if let Some(at) = all.iter().position(|sight| sight.by == by) {
            let before = &mut all[at];
            if before.seen == seen {
                before.stands = true;
                return false;
            }
            if before.stands && now.saturating_duration_since(before.since) < RETHINK {
                return false;
            }
            all.remove(at);
        }
        all.push(Sight {
            by,
            seen,
            since: now,
            stands: true,
        });
        if all.len() > MOST {
            all.remove(0);
        }
        true
    }

    /// One of those connections is gone. What the witness saw counts for as long as another stands.
    pub(crate) fn gone(&mut self, by: Witness, quic: bool) {
        if let Some(count) = self.standing.get_mut(&(by, quic)) {
            *count -= 1;
            if *count > 0 {
                return;
            }
            self.standing.remove(&(by, quic));
        }
        let of_kind = self.seen.iter_mut().filter(|(kind, _)| kind.quic == quic);
        let sights = of_kind.flat_map(|(_, all)| all);
        for sight in sights.filter(|sight| sight.by == by) {
            sight.stands = false;
        }
    }

    /// Those who saw our present address, with whatever port: the one that most see to whom we are connected; of several the one that was
    /// seen first, so that nobody alone moves us. A move ends all connections, and what others saw before then means nothing.
    fn current(all: &[Sight]) -> impl Iterator<Item = &Seen> {
        let any = all.iter().any(|sight| sight.stands);
        let mut ips: Vec<(IpAddr, usize)> = Vec::new();
        for sight in all.iter().filter(|sight| sight.stands || !any) {
            match ips.iter_mut().find(|(ip, _)| *ip == sight.seen.ip) {
                Some((_, count)) => *count += 1,
                None => ips.push((sight.seen.ip, 1)),
            }
        }
        // Of equal ones `max_by_key` gives the last.
        let ip = ips
            .iter()
            .rev()
            .max_by_key(|(_, count)| *count)
            .map(|(ip, _)| *ip);
        all.iter()
            .map(|sight| &sight.seen)
            .filter(move |seen| Some(seen.ip) == ip)
    }

    fn votes(all: &[Sight]) -> BTreeMap<Seen, usize> {
        let mut votes = BTreeMap::new();
        for seen in Self::current(all) {
            *votes.entry(*seen).or_default() += 1;
        }
        votes
    }

    /// What the router does with the ports of one transport and family.
    pub(crate) fn ports(&self, kind: Kind) -> Ports {
        let Some(all) = self.seen.get(&kind) else {
            return Ports::Unknown;
        };
        let votes = Self::votes(all);
        match (votes.len(), votes.values().max()) {
            (_, Some(2..)) => Ports::Same,
            (2.., _) => Ports::Different,
            _ => Ports::Unknown,
        }
    }

    /// Whether any transport of IPv4 gets another port with each connection, and none is seen to keep it.
    pub(crate) fn is_symmetric(&self) -> bool {
        let ports: Vec<Ports> = [false, true]
            .map(|quic| self.ports(Kind { quic, v6: false }))
            .into();
        ports.contains(&Ports::Different) && !ports.contains(&Ports::Same)
    }

    /// Where others may reach us, if the router lets them: what two agree on, or what the only one says.
    pub(crate) fn candidates(&self) -> Vec<Seen> {
        let best = self.seen.values().filter_map(|all| {
            let votes = Self::votes(all);
            let (seen, count) = votes.iter().max_by_key(|(_, count)| **count)?;
            (*count >= 2 || votes.len() == 1).then_some(*seen)
        });
        best.collect()
    }

    /// From where we may come when we dial somebody who dials us: the candidates, and where there is none, what was seen last, since
    /// a port that is wrong still says which address to expect.
    pub(crate) fn for_punching(&self) -> Vec<Seen> {
        let mut all = self.candidates();
        for (kind, seen) in &self.seen {
            if !all.iter().any(|seen| seen.kind() == *kind) {
                all.extend(seen.last().map(|sight| sight.seen));
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TCP: Kind = Kind {
        quic: false,
        v6: false,
    };

    fn witness(n: u8) -> Witness {
        Witness::At(Origin::V4([198, 51, 100, n].into()))
    }

    fn tcp(port: u16) -> Seen {
        Seen {
            ip: [203, 0, 113, 5].into(),
            port,
            quic: false,
        }
    }

    #[test]
    fn what_two_agree_on_is_a_candidate_and_what_the_only_one_says() {
        let (mut observed, now) = (Observed::default(), Instant::now());
        assert!(observed.saw(witness(1), tcp(4000), now));
        assert!(!observed.saw(witness(1), tcp(4000), now), "no news");
        assert_eq!(
            (observed.ports(TCP), observed.candidates()),
            (Ports::Unknown, vec![tcp(4000)])
        );
        observed.saw(witness(2), tcp(4000), now);
        // One who lies, or whom a dial from another port reached.
        observed.saw(witness(3), tcp(5000), now);
        assert_eq!(
            (observed.ports(TCP), observed.candidates()),
            (Ports::Same, vec![tcp(4000)])
        );
        assert!(!observed.is_symmetric());
    }

    #[test]
    fn a_port_for_each_is_a_symmetric_router_which_has_no_candidate() {
        let mut observed = Observed::default();
        for n in 1..=3 {
            observed.saw(witness(n), tcp(4000 + u16::from(n)), Instant::now());
        }
        assert_eq!(observed.ports(TCP), Ports::Different);
        assert!(observed.is_symmetric() && observed.candidates().is_empty());
        assert_eq!(observed.for_punching(), [tcp(4003)]);
    }

    #[test]
    fn one_peer_has_one_voice_however_often_it_speaks() {
        let (mut observed, now) = (Observed::default(), Instant::now());
        for port in 1..100 {
            observed.saw(witness(1), tcp(port), now);
        }
        assert_eq!(observed.candidates(), [tcp(1)], "it may think again in a minute");
        assert!(observed.saw(witness(1), tcp(99), now + RETHINK));
        assert_eq!(observed.candidates(), [tcp(99)]);
        assert_eq!(observed.ports(TCP), Ports::Unknown);
    }

    fn elsewhere() -> Seen {
        Seen {
            ip: [192, 0, 2, 1].into(),
            ..tcp(4000)
        }
    }

    #[test]
    fn after_a_move_only_the_new_address_counts() {
        let (mut observed, now) = (Observed::default(), Instant::now());
        for n in 1..=4 {
            observed.saw(witness(n), tcp(4000), now);
        }
        for n in 1..=4 {
            observed.gone(witness(n), false);
        }
        assert_eq!(observed.candidates(), [tcp(4000)], "what is known stays");
        observed.saw(witness(1), elsewhere(), now);
        assert_eq!(observed.candidates(), [elsewhere()]);
    }

    #[test]
    fn a_witness_that_is_connected_twice_is_one_until_both_connections_are_gone() {
        let (mut observed, now) = (Observed::default(), Instant::now());
        for _ in 0..2 {
            observed.met(witness(1), false);
            observed.saw(witness(1), tcp(4000), now);
        }
        assert_eq!(observed.ports(TCP), Ports::Unknown, "it has one voice");
        observed.met(witness(2), false);
        observed.saw(witness(2), elsewhere(), now);
        assert_eq!(observed.candidates(), [tcp(4000)], "what was seen first");
        observed.gone(witness(1), true);
        assert_eq!(observed.candidates(), [tcp(4000)], "that was another transport");
        observed.gone(witness(1), false);
        assert_eq!(observed.candidates(), [tcp(4000)], "it still sees us");
        assert!(
            !observed.saw(witness(1), tcp(5000), now),
            "and still thinks for a minute"
        );
        observed.gone(witness(1), false);
        assert_eq!(observed.candidates(), [elsewhere()]);
        observed.gone(witness(2), false);
        assert!(observed.standing.is_empty());
    }

    #[test]
    fn nobody_alone_moves_us() {
        let (mut observed, now) = (Observed::default(), Instant::now());
        observed.saw(witness(1), tcp(4000), now);
        for minute in 1..10 {
            observed.saw(witness(2), elsewhere(), now + RETHINK * minute);
            assert_eq!(observed.candidates(), [tcp(4000)]);
        }
        observed.saw(witness(3), elsewhere(), now);
        assert_eq!(observed.candidates(), [elsewhere()], "two of three");
    }

    #[test]
    fn only_plain_tcp_and_quic_are_read() {
        let peer = PeerId::random();
        for (text, quic) in [
            ("/ip4/192.0.2.1/tcp/7", false),
            ("/ip6/2001:db8::1/udp/7/quic-v1", true),
        ] {
            let address: Multiaddr = text.parse().unwrap();
            let seen = Seen::of(&address).unwrap();
            assert_eq!((seen.quic, seen.address()), (quic, address.clone()));
            assert_eq!(Seen::of(&address.with(Protocol::P2p(peer))), Some(seen));
        }
        for text in [
            "/ip4/192.0.2.1/tcp/0",
            "/ip4/192.0.2.1/udp/7",
            "/ip4/192.0.2.1/tcp/7/ws",
            "/dns/a.example/tcp/7",
            "/ip4/192.0.2.1/udp/7/quic-v1/webtransport",
        ] {
            assert_eq!(Seen::of(&text.parse().unwrap()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_an_address_or_none(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(address) = Multiaddr::try_from(bytes) {
                let _ = Seen::of(&address);
            }
        }

        #[test]
        fn tables_stay_small_and_candidates_are_what_somebody_saw(
            said in prop::collection::vec((any::<u8>(), 1_u16..5, any::<bool>()), 0..200)
        ) {
            let mut observed = Observed::default();
            for (n, port, quic) in &said {
                observed.saw(witness(*n), Seen { quic: *quic, ..tcp(*port) }, Instant::now());
            }
            prop_assert!(observed.seen.values().all(|all| all.len() <= MOST));
            for seen in observed.for_punching() {
                prop_assert!(said.iter().any(|(_, port, quic)| (*port, *quic) == (seen.port, seen.quic)));
            }
        }
    }
}
