use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult};
use hydra_primitives::{
    Balance, BlockNumber, HYDRA, Perbill,
    model::MAX_SIZE_CLASS,
    node::{FOUNDERS_ROOM, FOUNDERS_SIZE_CLASS, Registration},
    reputation::{FOUNDER, NEWCOMER},
    traits::{Heartbeats, Nodes as _},
};

use crate::{Error, Event, Nodes, PeerIds, mock::*};

const ANCHOR: BlockNumber = 280;

/// Account `n` registers the PeerId of trainer `of`, whose key signed.
fn register_peer(n: u8, of: u8, bond: Balance) -> DispatchResult {
    let (signature, nonce) = shown(n, &peer(of), ANCHOR.into(), &key(of));
    let who = RuntimeOrigin::signed(account(n));
    Reputation::register(who, peer(of), 3, 2, ANCHOR, signature, nonce, bond)
}

fn register(n: u8) -> DispatchResult {
    register_peer(n, n, 5 * HYDRA)
}

fn register_at(n: u8, anchor: BlockNumber) -> DispatchResult {
    let (signature, nonce) = shown(n, &peer(n), anchor.into(), &key(n));
    let who = RuntimeOrigin::signed(account(n));
    Reputation::register(who, peer(n), 3, 2, anchor, signature, nonce, HYDRA)
}

#[test]
fn an_account_registers_and_bonds_in_one_call_and_takes_part_from_the_next_session_on() {
    with_chain(|| {
        assert_ok!(register(2));
        System::assert_last_event(
            Event::Registered {
                who: account(2),
                peer_id: peer(2),
                size_class: 3,
                room: 2,
            }
            .into(),
        );
        assert_eq!(Bonds::get()[&account(2)], 5 * HYDRA);
        assert_eq!(Reputation::score(&account(2)), Perbill::from_percent(10));
        assert_eq!(Reputation::peer_id(&account(2)), Some(peer(2).into_inner()));
        assert!(stands_in(2, 1) && !Reputation::is_in(&account(2)));
        assert_eq!(
            Reputation::owed(&account(2)),
            None,
            "registration counted as a heartbeat"
        );
        next_session();
        assert!(Reputation::is_in(&account(2)));
    });
}

#[test]
fn who_registers_when_heartbeats_are_no_longer_taken_owes_one_in_the_next_session() {
    with_chain(|| {
        Taking::set(&false);
        assert_ok!(register(2));
        assert!(!stands_in(2, 1));
        assert_eq!(Reputation::owed(&account(2)), None);
        next_session();
        assert!(!Reputation::is_in(&account(2)));
        assert_eq!(Reputation::owed(&account(2)), Some(1));
        assert_ok!(Reputation::beat(&account(2), 1));
        assert!(stands_in(2, 2) && !Reputation::is_in(&account(2)));
        next_session();
        assert!(Reputation::is_in(&account(2)));
    });
}

#[test]
fn nobody_registers_a_peer_id_without_its_key() {
    with_chain(|| {
        // Whoever saw account 2's trainer, but has another key.
        let (signature, nonce) = shown(3, &peer(2), ANCHOR.into(), &key(3));
        let thief = RuntimeOrigin::signed(account(3));
        assert_noop!(
            Reputation::register(thief.clone(), peer(2), 3, 2, ANCHOR, signature, nonce, 5 * HYDRA),
            Error::<Test>::NotYourPeerId
        );
        // What account 2 showed is of no use to account 3, even with work of its own.
        let (signature, _) = shown(2, &peer(2), ANCHOR.into(), &key(2));
        assert_noop!(
            Reputation::register(thief, peer(2), 3, 2, ANCHOR, signature, nonce, 5 * HYDRA),
            Error::<Test>::NotYourPeerId
        );
        assert_ok!(register(2));
    });
}

#[test]
fn a_registration_is_of_no_use_on_another_branch_of_the_chain() {
    with_chain(|| {
        let (signature, nonce) = shown(2, &peer(2), ANCHOR.into(), &key(2));
        let hash = block_hash(ANCHOR.into());
        frame_system::BlockHash::<Test>::insert(u64::from(ANCHOR), block_hash(1));
        let there = shown(2, &peer(2), ANCHOR.into(), &key(2));
        let who = || RuntimeOrigin::signed(account(2));
        let try_with =
            |signature, nonce| Reputation::register(who(), peer(2), 3, 2, ANCHOR, signature, nonce, HYDRA);
        assert_noop!(try_with(signature, there.1), Error::<Test>::NotYourPeerId);
        assert_noop!(try_with(there.0, bad_nonce(2)), Error::<Test>::NotEnoughWork);
        frame_system::BlockHash::<Test>::insert(u64::from(ANCHOR), hash);
        assert_ok!(try_with(signature, nonce));
    });
}

/// A nonce that proves too little for account `n`.
fn bad_nonce(n: u8) -> u64 {
    let registration = Registration {
        genesis: block_hash(0),
        anchor: block_hash(ANCHOR.into()),
        account: [n; 32],
        peer_id: &peer(n),
    };
    (0..)
        .find(|nonce| !registration.proves_work(*nonce, WorkDifficulty::get()))
        .expect("most nonces prove nothing")
}

#[test]
fn rejects_a_registration_without_enough_work() {
    with_chain(|| {
        let (signature, _) = shown(2, &peer(2), ANCHOR.into(), &key(2));
        let who = RuntimeOrigin::signed(account(2));
        assert_noop!(
            Reputation::register(who, peer(2), 3, 2, ANCHOR, signature, bad_nonce(2), HYDRA),
            Error::<Test>::NotEnoughWork
        );
    });
}

#[test]
fn nothing_of_a_registration_is_made_long_in_advance_or_lost_by_a_short_fork() {
    with_chain(|| {
        // Block 300: blocks 44 to 284 are 16 to 256 deep.
        assert_noop!(register_at(2, 43), Error::<Test>::AnchorTooOld);
        assert_noop!(register_at(2, 0), Error::<Test>::AnchorTooOld);
        for too_recent in [285, 299, 300, 301, u32::MAX] {
            assert_noop!(register_at(2, too_recent), Error::<Test>::AnchorTooRecent);
        }
        assert_ok!(register_at(2, 44));
        assert_ok!(register_at(3, 284));
        frame_system::BlockHash::<Test>::remove(200);
        assert_noop!(register_at(4, 200), Error::<Test>::AnchorTooOld);
    });
}

#[test]
fn on_a_young_chain_the_genesis_block_is_deep_enough() {
    with_chain(|| {
        System::set_block_number(5);
        assert_noop!(register_at(2, 1), Error::<Test>::AnchorTooRecent);
        assert_ok!(register_at(2, 0));
    });
}

#[test]
fn nothing_is_left_of_a_registration_whose_bond_is_too_small_or_too_large() {
    with_chain(|| {
        assert_noop!(register_peer(2, 2, HYDRA - 1), Error::<Test>::BondBelowMinimum);
        assert_noop!(register_peer(2, 2, 101 * HYDRA), Error::<Test>::NotEnoughToBond);
        assert!(!Reputation::is_registered(&account(2)));
        assert!(!PeerIds::<Test>::contains_key(peer(2)));
        Full::set(&true);
        assert_noop!(register(2), Error::<Test>::ElectorateIsFull);
        Full::set(&false);
        assert_ok!(register(2));
    });
}

#[test]
fn rejects_a_second_registration_a_taken_peer_id_a_strange_one_no_room_and_one_node_too_many() {
    with_chain(|| {
        assert_noop!(register_peer(1, 9, HYDRA), Error::<Test>::AlreadyRegistered);
        assert_noop!(register_peer(2, 1, HYDRA), Error::<Test>::PeerIdTaken);
        for strange in [&b""[..], &b"no key"[..], &[0x12; 38][..]] {
            let peer_id = crate::PeerIdBytes::truncate_from(strange.to_vec());
            let (signature, nonce) = shown(2, &peer_id, ANCHOR.into(), &key(2));
            let who = RuntimeOrigin::signed(account(2));
            assert_noop!(
                Reputation::register(who, peer_id, 3, 2, ANCHOR, signature, nonce, HYDRA),
                Error::<Test>::NoEd25519PeerId
            );
        }
        let (signature, nonce) = shown(2, &peer(2), ANCHOR.into(), &key(2));
        let with_room = |size_class, room| {
            let who = RuntimeOrigin::signed(account(2));
            Reputation::register(who, peer(2), size_class, room, ANCHOR, signature, nonce, HYDRA)
        };
        assert_noop!(with_room(MAX_SIZE_CLASS + 1, 1), Error::<Test>::NoSuchSizeClass);
        assert_noop!(with_room(0, 0), Error::<Test>::NoRoom);
        for n in [2, 3, 4] {
            assert_ok!(register(n));
        }
        assert_noop!(register(5), Error::<Test>::TooManyNodes);
    });
}

#[test]
fn a_full_network_takes_no_place_away_from_whoever_has_stake_or_was_there_lately() {
    with_chain(|| {
        for n in [2, 3, 4] {
            assert_ok!(register(n));
        }
        let remove = |n| Reputation::remove_abandoned(RuntimeOrigin::signed(account(5)), account(n));
        set_bond(&account(2), 0);
        assert_noop!(remove(2), Error::<Test>::NotAbandoned);
        // A day has six sessions here.
        (0..7).for_each(|_| next_session());
        assert_noop!(remove(3), Error::<Test>::StillStaked);
        assert_noop!(remove(9), Error::<Test>::NotRegistered);
        assert_ok!(remove(2));
        System::assert_last_event(Event::Deregistered { who: account(2) }.into());
        assert_ok!(register(5));
        assert_noop!(register(2), Error::<Test>::TooManyNodes);
    });
}

#[test]
fn whoever_leaves_for_good_withdraws_first_and_frees_its_peer_id() {
    with_chain(|| {
        let leave = || Reputation::deregister(RuntimeOrigin::signed(account(2)));
        assert_noop!(leave(), Error::<Test>::NotRegistered);
        assert_ok!(register(2));
        assert_noop!(leave(), Error::<Test>::StillStaked);
        set_bond(&account(2), 0);
        Unbonding::set(&[(account(2), 1)].into());
        assert_noop!(leave(), Error::<Test>::StillStaked);
        Unbonding::set(&Default::default());
        Reputation::take_on(&account(2));
        assert_noop!(leave(), Error::<Test>::StillBusy);
        Reputation::finish(&account(2), None, 300);
        assert_noop!(leave(), Error::<Test>::StillInElectorate);
        next_session();
        assert_ok!(leave());
        assert_eq!(Nodes::<Test>::count(), 1);
        assert_ok!(register_peer(3, 2, HYDRA));
    });
}

#[test]
fn genesis_vouches_for_those_that_it_names_and_they_take_part_at_once() {
    with_chain(|| {
        assert_eq!(Reputation::score(&account(1)), FOUNDER);
        assert!(Reputation::is_in(&account(1)) && FOUNDER > NEWCOMER);
        let entry = Reputation::entry(&account(1)).expect("registered");
        assert_eq!(
            (entry.size_class, entry.room),
            (FOUNDERS_SIZE_CLASS, FOUNDERS_ROOM)
        );
        assert_eq!(Reputation::registered(None, 10), [account(1)]);
        assert!(Reputation::registered(Some(&account(1)), 10).is_empty());
        assert_eq!(Reputation::count(), 1);
    });
}

#[test]
fn registered_accounts_are_listed_page_by_page() {
    with_chain(|| {
        for n in [2, 3, 4] {
            assert_ok!(register(n));
        }
        let mut listed = Vec::new();
        loop {
            let page = Reputation::registered(listed.last(), 3);
            assert!(page.len() <= 3);
            if page.is_empty() {
                break;
            }
            listed.extend(page);
        }
        listed.sort();
        assert_eq!(listed, [1, 2, 3, 4].map(account));
    });
}
