use super::*;
use crate::{
    book::Book, chosen_names::ChosenNames, house::House, members::Members, reports::Reports, strays::Strays,
};
use libp2p::{
    Multiaddr,
    core::{Endpoint, transport::PortUse},
    identity::Keypair,
};

fn manager(bootstrap: &[Multiaddr]) -> Manager {
    let mut config = NetworkConfig::new(Keypair::generate_ed25519());
    config.bootstrap = bootstrap.to_vec();
    let common = Common {
        local: config.keypair.public().to_peer_id(),
        book: Book::default(),
        members: Members::default(),
        reports: Reports::new().0,
        strays: Strays::default(),
        names: ChosenNames::default(),
        house: House::default(),
        seed: 1,
    };
    Manager::new(&config, common, Instant::now()).0
}

/// Another computer with each number.
fn address(number: u8) -> Multiaddr {
    format!("/ip4/{}.0.2.1/tcp/30400", 20 + number).parse().unwrap()
}

/// We dialled a peer there; `why` if the peer manager did.
fn dialled(manager: &mut Manager, number: u8, why: Option<Why>) -> PeerId {
    let (peer, now) = (PeerId::random(), Instant::now());
    let id = ConnectionId::new_unchecked(number.into());
    if let Some(why) = why {
        manager.dials.began(peer, why, id, Vec::new(), Vec::new(), now);
    }
    let endpoint = ConnectedPoint::Dialer {
        address: address(number),
        role_override: Endpoint::Dialer,
        port_use: PortUse::Reuse,
    };
    manager.opened(peer, id, &endpoint, now);
    peer
}

fn review(manager: &mut Manager, small: bool) {
    let now = Instant::now();
    let situation = Situation { small, others: true };
    let candidates = manager.candidates(now);
    manager.slots.review(&candidates, situation, now);
}

#[test]
fn whom_another_part_dialled_is_a_visit_and_a_bootstrap_peer_is_none() {
    let mut manager = manager(&[address(3)]);
    for (number, why, visit) in [
        (1, Some(Why::Slot), false),
        (2, None, true),
        (3, None, false),
        (4, Some(Why::Visit), true),
    ] {
        let peer = dialled(&mut manager, number, why);
        let met = manager.connected.get(&peer).unwrap();
        assert_eq!((met.chosen, met.visit), (true, visit), "{number}");
    }
}

#[test]
fn whom_another_part_dialled_gets_a_free_slot_and_none_that_is_kept_for_those_we_choose() {
    let mut manager = manager(&[]);
    let lookup = dialled(&mut manager, 0, None);
    review(&mut manager, false);
    assert_eq!(manager.slot(&lookup), Slot::LongTerm, "better than nobody");
    for number in 1..8 {
        dialled(&mut manager, number, Some(Why::Slot));
    }
    review(&mut manager, false);
    assert!(manager.has_enough());
    let more = [8, 9, 10].map(|number| dialled(&mut manager, number, None));
    review(&mut manager, false);
    assert!(more.iter().all(|peer| manager.slot(peer) == Slot::None));
    let chosen = dialled(&mut manager, 11, Some(Why::Slot));
    review(&mut manager, false);
    assert_eq!(manager.slot(&chosen), Slot::Exploratory);
    // A network of a few loses nobody.
    review(&mut manager, true);
    let kept = more.iter().filter(|peer| manager.slot(peer) != Slot::None);
    assert_eq!(kept.count(), 3);
}
