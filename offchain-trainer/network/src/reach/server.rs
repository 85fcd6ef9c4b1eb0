//! Being a relay for others: how much of it.
//!
//! Relays introduce; what they carry beyond that is for two whose routers let them meet nowhere else, and bounded: a circuit ends
//! after [`CIRCUIT_BYTES`] or [`CIRCUIT_TIME`], and is dialled anew by whoever still needs it. A round's updates fit into one many
//! times, a large model's weights into none. Who is registered on the chain is not limited further; strangers share a few places. Must
//! never let one network have all places.

use crate::{members::Members, origin::Origin, reach::budget::Budget};
use libp2p::{Multiaddr, PeerId, relay};
use std::time::Duration;
use tokio::time::Instant;

/// Both directions together.
pub(crate) const CIRCUIT_BYTES: u64 = 64 * 1024 * 1024;
/// Whatever goes through.
pub(crate) const CIRCUIT_TIME: Duration = Duration::from_secs(3600);
/// For so many we keep a place, at the same time.
const RESERVATIONS: usize = 128;
/// So many connections are carried at the same time.
const CIRCUITS: usize = 64;
/// Of these for one peer.
const PER_PEER: usize = 4;
/// So many addresses are remembered.
const MOST: usize = 1024;
/// Of one address, at once, and one more so often: a home has few PCs.
const RESERVATIONS_EACH: (u32, Duration) = (8, Duration::from_secs(60));
const CIRCUITS_EACH: (u32, Duration) = (32, Duration::from_secs(20));
/// Of all strangers together, while it is known who is registered.
const RESERVATIONS_OF_STRANGERS: (u32, Duration) = (32, Duration::from_secs(120));
const CIRCUITS_OF_STRANGERS: (u32, Duration) = (32, Duration::from_secs(60));

/// The relay. It is off until somebody switches it on.
pub(crate) fn relay(local: PeerId, members: &Members) -> relay::Behaviour {
    let limits = |each, strangers| -> Vec<Box<dyn relay::RateLimiter>> {
        vec![Box::new(limiter(members.clone(), each, strangers))]
    };
    let mut relay = relay::Behaviour::new(
        local,
        relay::Config {
            max_reservations: RESERVATIONS,
            max_reservations_per_peer: PER_PEER,
            reservation_duration: Duration::from_secs(3600),
            reservation_rate_limiters: limits(RESERVATIONS_EACH, RESERVATIONS_OF_STRANGERS),
            max_circuits: CIRCUITS,
            max_circuits_per_peer: PER_PEER,
            max_circuit_duration: CIRCUIT_TIME,
            max_circuit_bytes: CIRCUIT_BYTES,
            circuit_src_rate_limiters: limits(CIRCUITS_EACH, CIRCUITS_OF_STRANGERS),
        },
    );
    relay.set_status(Some(relay::Status::Disable));
    relay
}

fn limiter(
    members: Members,
    each: (u32, Duration),
    strangers: (u32, Duration),
) -> impl FnMut(PeerId, &Multiaddr, std::time::Instant) -> bool + Send {
    let mut each = Budget::new(each.0, each.1, MOST);
    let mut strangers = Budget::new(strangers.0, strangers.1, 1);
    move |peer, address, _| {
        let now = Instant::now();
        let of_address = Origin::of(address).is_none_or(|origin| each.take(origin, now));
        of_address && (members.know_none() || members.contains(&peer) || strangers.take((), now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::members::Member;

    fn address(n: u16) -> Multiaddr {
        format!("/ip4/198.51.{}.{}/tcp/1", n / 256, n % 256)
            .parse()
            .unwrap()
    }

    #[test]
    fn strangers_share_a_few_places_and_who_is_registered_has_its_own() {
        let (members, member) = (Members::default(), PeerId::random());
        let second = Duration::from_secs(1);
        let now = std::time::Instant::now();
        let mut grants = limiter(members.clone(), (2, second * 60), (3, second * 60));
        assert!(
            (0..50).all(|n| grants(PeerId::random(), &address(n), now)),
            "all are alike"
        );
        members.set([Member {
            peer: member,
            weight: 1,
        }]);
        let granted = (50..100).filter(|n| grants(PeerId::random(), &address(*n), now));
        assert_eq!(granted.count(), 3);
        assert!(grants(member, &address(200), now) && grants(member, &address(200), now));
        assert!(
            !grants(member, &address(200), now),
            "one address is bounded whoever asks"
        );
    }
}
