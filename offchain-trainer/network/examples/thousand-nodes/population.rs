//! Who is hostile, where, and with which key.

use super::{draw::Draw, hostile::Kind};
use hydra_network::{Keypair, PeerId, discovery::record};
use libp2p::kad::KBucketKey;
use std::{
    collections::HashSet,
    net::{Ipv4Addr, SocketAddrV4},
};

/// Sybils that share an address, each at a port of its own.
const SYBILS_AT_ONE: u16 = 5;

pub fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Vanishing => "vanish after a while",
        Kind::Mute => "never answer",
        Kind::Liar => "give wrong records",
        Kind::Eclipse => "stand around a victim",
        Kind::Sybil => "are of one /24 and pass nothing on",
        Kind::Flooder => "flood",
    }
}

/// As many of each kind as the plan has, mixed.
pub fn hostile_nodes(
    count: usize,
    victims: &[PeerId],
    draw: &mut Draw,
    taken: &mut HashSet<Ipv4Addr>,
) -> Vec<(Kind, Keypair, SocketAddrV4)> {
    const TURNS: [Kind; 10] = [
        Kind::Vanishing,
        Kind::Eclipse,
        Kind::Liar,
        Kind::Sybil,
        Kind::Mute,
        Kind::Eclipse,
        Kind::Vanishing,
        Kind::Sybil,
        Kind::Liar,
        Kind::Flooder,
    ];
    let mut sybils = 0u16;
    let turns = TURNS.iter().cycle().take(count).enumerate();
    let nodes = turns.map(|(at, kind)| {
        let keypair = match kind {
            // Half of them around where the first record of a victim lies, half around its PeerId.
            Kind::Eclipse => near(victims.get(at % victims.len().max(1)), at % 4 < 2, draw),
            _ => draw.keypair(),
        };
        let at = match kind {
            Kind::Sybil => {
                // More at each address than may have slots.
                let at = (sybils / SYBILS_AT_ONE % 256) as u8;
                let port = 1 + sybils % SYBILS_AT_ONE + sybils / (256 * SYBILS_AT_ONE) * SYBILS_AT_ONE;
                sybils += 1;
                SocketAddrV4::new(Ipv4Addr::new(203, 0, 113, at), port)
            }
            _ => draw.address(taken),
        };
        (*kind, keypair, at)
    });
    nodes.collect()
}

/// A key whose PeerId is nearer to the victim than those of some thousand others.
fn near(victim: Option<&PeerId>, record: bool, draw: &mut Draw) -> Keypair {
    const TRIES: usize = 1500;
    let Some(victim) = victim else {
        return draw.keypair();
    };
    let target = match record {
        true => KBucketKey::new(record::key(victim, 0).to_vec()),
        false => KBucketKey::new(victim.to_bytes()),
    };
    let tries = (0..TRIES).map(|_| draw.keypair());
    let nearest =
        tries.min_by_key(|keypair| target.distance(&KBucketKey::from(keypair.public().to_peer_id())));
    nearest.unwrap_or_else(Keypair::generate_ed25519)
}
