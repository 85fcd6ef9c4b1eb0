use crate::{Capabilities, Error, Event, Nodes, PeerIdBytes, mock::*};
use frame_support::{assert_noop, assert_ok};
use hydra_primitives::{Perbill, node::find_nonce, reputation::Deed, traits::Reputation as _};

fn peer(name: &[u8]) -> PeerIdBytes {
    PeerIdBytes::truncate_from(name.to_vec())
}

fn register(n: u8, name: &[u8]) -> frame_support::dispatch::DispatchResultWithPostInfo {
    let nonce = find_nonce(&[n; 32], name, WorkDifficulty::get());
    Reputation::register(
        RuntimeOrigin::signed(account(n)),
        peer(name),
        Capabilities::default(),
        nonce,
    )
}

#[test]
fn a_node_registers_with_work_and_starts_with_a_tenth() {
    with_chain(|| {
        assert_ok!(register(2, b"two"));
        assert_eq!(Reputation::score(&account(2)), Perbill::from_percent(10));
        assert!(Reputation::is_active(&account(2)));
        assert_eq!(Reputation::registered(), vec![account(1), account(2)]);
        System::assert_last_event(
            Event::Registered {
                who: account(2),
                peer_id: peer(b"two"),
            }
            .into(),
        );
    });
}

#[test]
fn rejects_a_registration_without_enough_work() {
    with_chain(|| {
        let bad = (0u64..)
            .find(|n| !hydra_primitives::node::proves_work(&[2; 32], b"two", *n, WorkDifficulty::get()))
            .expect("most nonces prove nothing");
        assert_noop!(
            Reputation::register(
                RuntimeOrigin::signed(account(2)),
                peer(b"two"),
                Capabilities::default(),
                bad
            ),
            Error::<Test>::NotEnoughWork
        );
    });
}

#[test]
fn rejects_a_second_registration_a_taken_peer_id_an_empty_one_and_one_node_too_many() {
    with_chain(|| {
        assert_noop!(register(1, b"other"), Error::<Test>::AlreadyRegistered);
        assert_noop!(register(2, b"one"), Error::<Test>::PeerIdTaken);
        assert_noop!(register(2, b""), Error::<Test>::EmptyPeerId);
        assert_ok!(register(2, b"two"));
        assert_ok!(register(3, b"three"));
        assert_ok!(register(4, b"four"));
        assert_noop!(register(5, b"five"), Error::<Test>::TooManyNodes);
    });
}

#[test]
fn deeds_move_the_score_and_strangers_have_none() {
    with_chain(|| {
        Reputation::record(&account(1), Deed::ProposalAccepted);
        let good = Reputation::score(&account(1));
        assert!(good > Perbill::from_percent(10));
        Reputation::record(&account(1), Deed::ProposalRejected);
        assert!(Reputation::score(&account(1)) < good);
        Reputation::record(&account(9), Deed::ProposalAccepted);
        assert_eq!(Reputation::score(&account(9)), Perbill::zero());
        assert!(Nodes::<Test>::get(account(9)).is_none());
    });
}

#[test]
fn a_silent_node_becomes_inactive_and_active_again_when_it_shows_up() {
    with_chain(|| {
        Reputation::was_absent(&account(1));
        assert!(Reputation::is_active(&account(1)));
        Reputation::was_absent(&account(1));
        assert!(!Reputation::is_active(&account(1)));
        System::assert_last_event(Event::BecameInactive { who: account(1) }.into());
        Reputation::was_absent(&account(1));
        System::set_block_number(7);
        Reputation::showed_up(&account(1));
        assert!(Reputation::is_active(&account(1)));
        assert!(Reputation::seen_since(&account(1), 7) && !Reputation::seen_since(&account(1), 8));
        System::assert_last_event(Event::BecameActive { who: account(1) }.into());
    });
}

#[test]
fn a_full_network_gives_the_place_of_a_node_that_never_bonded_stake_to_a_new_one() {
    with_chain(|| {
        for (n, name) in [(2, b"two"), (3, b"thr"), (4, b"fou")] {
            assert_ok!(register(n, name));
        }
        assert_noop!(register(5, b"five"), Error::<Test>::TooManyNodes);
        System::set_block_number(12);
        assert_ok!(register(5, b"five"));
        System::assert_has_event(Event::Displaced { who: account(4) }.into());
        assert_eq!(Reputation::registered(), [1, 2, 3, 5].map(account));
        // Account 5 has its grace, the others have stake.
        assert_noop!(register(4, b"fou"), Error::<Test>::TooManyNodes);
    });
}

#[test]
fn a_full_network_gives_the_place_of_a_node_that_stays_away_for_good_to_a_new_one() {
    with_chain(|| {
        for (n, name) in [(2, b"two"), (3, b"thr"), (4, b"fou")] {
            assert_ok!(register(n, name));
        }
        System::set_block_number(150);
        for n in [1, 3, 4] {
            Reputation::showed_up(&account(n));
        }
        assert_eq!(Reputation::remembered(), [1, 3, 4].map(account));
        assert_ok!(register(5, b"five"));
        System::assert_has_event(Event::Displaced { who: account(2) }.into());
        assert_noop!(register(2, b"two"), Error::<Test>::TooManyNodes);
    });
}

#[test]
fn nobody_waits_for_a_node_that_keeps_others_waiting_until_it_keeps_pace() {
    with_chain(|| {
        System::set_block_number(5);
        assert!(Reputation::is_waited_for(&account(1)));
        Reputation::kept_others_waiting(&account(1));
        assert!(Reputation::is_waited_for(&account(1)) && Reputation::delayed_since(&account(1), 5));
        Reputation::kept_others_waiting(&account(1));
        assert!(!Reputation::is_waited_for(&account(1)) && Reputation::is_active(&account(1)));
        Reputation::voted(&account(1));
        assert!(Reputation::voted_since(&account(1), 5) && !Reputation::voted_since(&account(1), 6));
        Reputation::kept_pace(&account(1));
        assert!(Reputation::is_waited_for(&account(1)) && !Reputation::delayed_since(&account(1), 5));
    });
}
