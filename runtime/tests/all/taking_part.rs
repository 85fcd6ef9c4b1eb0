//! Coming, going and resting.

use crate::{
    chain::id,
    pcs::{Applied, Conduct, FOUNDERS, Network},
};
use frame_support::assert_ok;
use hydra_primitives::{
    Perbill,
    duty::Standing,
    node::{FOUNDERS_ROOM, FOUNDERS_SIZE_CLASS, Registration},
    reputation::{NEWCOMER, weight},
};
use hydra_runtime::{
    Balance, Balances, HYDRA, Runtime, RuntimeEvent, Session, StakeVoting, System, TrainingProposals,
};
use pallet_training_proposals::{Event, Places};
use sp_keyring::{
    Ed25519Keyring,
    Sr25519Keyring::{Dave, Eve, Ferdie},
};
use sp_runtime::DispatchError;

/// What each of the first four bonded.
const STAKE: Balance = 100 * HYDRA;

/// What a PC that joins signs and finds; or makes up, of a PeerId whose key it doesn't have.
fn registration(bond: Balance, signature: Option<[u8; 64]>) -> pallet_reputation::Call<Runtime> {
    let peer_id = [
        [0x00, 0x24, 0x08, 0x01, 0x12, 0x20].as_slice(),
        &Ed25519Keyring::Eve.public().0,
    ]
    .concat();
    let registration = Registration {
        genesis: System::block_hash(0),
        anchor: System::block_hash(0),
        account: id(Eve).into(),
        peer_id: &peer_id,
    };
    let signed = || Ed25519Keyring::Eve.sign(registration.to_sign().as_bytes()).0;
    pallet_reputation::Call::register {
        size_class: FOUNDERS_SIZE_CLASS,
        room: FOUNDERS_ROOM,
        anchor: 0,
        signature: signature.unwrap_or_else(signed),
        nonce: registration.find_nonce(16),
        bond,
        peer_id: peer_id.clone().try_into().expect("short enough"),
    }
}

/// Whether the account has a duty in the current block.
fn is_drawn(network: &mut Network) -> bool {
    network.read(|| {
        let eve = id(Eve);
        Places::<Runtime>::iter().any(|(_, _, place)| place.holder == eve)
            || pallet_stake_voting::Seats::<Runtime>::iter().any(|(_, who, _)| who == eve)
    })
}

fn standing(network: &mut Network) -> Standing {
    network.read(|| TrainingProposals::duty_sheet(&id(Eve)).standing)
}

#[test]
fn a_newcomer_is_drawn_from_the_session_after_the_one_in_which_it_registers() {
    let mut network = Network::of(4);
    network.block();
    assert_eq!(standing(&mut network), Standing::Unregistered);
    // As much as everybody else together.
    let bond = 4_000 * HYDRA;
    let call = network.read(|| registration(bond, None));
    assert_ok!(network.call(Eve, call));
    network.conduct(Eve, Conduct::Honest);
    let eve = network.node(Eve);
    assert_eq!((eve.reputation, eve.stake), (NEWCOMER, bond));
    assert_eq!(eve.weight, weight(bond, NEWCOMER));
    let mut drawn = false;
    while network.read(Session::current_index) == 0 {
        assert_eq!(standing(&mut network), Standing::Joining);
        assert!(
            !is_drawn(&mut network),
            "nobody is drawn by weight that came after the randomness"
        );
        network.block();
    }
    assert_eq!(standing(&mut network), Standing::Ready);
    assert_eq!(network.read(TrainingProposals::electorate).accounts, 5);
    for _ in 0..20 {
        drawn |= is_drawn(&mut network);
        network.block();
    }
    assert!(drawn);
    assert!(
        network.node(Eve).reputation > NEWCOMER,
        "it does its duties right"
    );
    network.end();
}

#[test]
fn who_does_not_have_the_key_of_a_peer_id_can_not_register_it_and_bonds_nothing() {
    let mut network = Network::of(4);
    let call = network.read(|| registration(STAKE, Some([7; 64])));
    assert_eq!(
        network.call(Eve, call),
        Err(pallet_reputation::Error::<Runtime>::NotYourPeerId.into())
    );
    // What Eve signed is no registration of anybody else's.
    let call = network.read(|| registration(STAKE, None));
    assert_eq!(
        network.call(Ferdie, call),
        Err(pallet_reputation::Error::<Runtime>::NotEnoughWork.into())
    );
    for who in [Eve, Ferdie] {
        assert_eq!(network.read(|| StakeVoting::stake_of(id(who))), 0);
    }
    network.end();
}

#[test]
fn who_gives_no_heartbeat_is_not_in_the_next_session_and_each_gives_one_a_session() {
    let mut network = Network::of(4);
    network.conduct(Dave, Conduct::Absent);
    network.until_session(1);
    assert_eq!(network.read(TrainingProposals::electorate).accounts, 3);
    network.conduct(Dave, Conduct::Honest);
    network.until_session(2);
    assert_eq!(network.read(TrainingProposals::electorate).accounts, 4);
    for session in [0, 1] {
        for who in FOUNDERS {
            let heartbeats = network
                .log
                .iter()
                .filter(|(_, event)| {
                    *event
                        == RuntimeEvent::Reputation(pallet_reputation::Event::Heartbeat {
                            who: id(who),
                            session,
                        })
                })
                .count();
            let expected = usize::from(who != Dave || session == 1);
            assert_eq!(heartbeats, expected, "{who:?} in session {session}");
        }
    }
    network.end();
}

#[test]
fn who_pauses_is_drawn_for_nothing_new_and_is_back_when_it_resumes() {
    let mut network = Network::of(4);
    assert_eq!(network.until_opened(), 4);
    assert_ok!(network.call(Dave, pallet_reputation::Call::pause {}));
    // What it was drawn for it does.
    network.until("its place is settled", |event| match event {
        RuntimeEvent::TrainingProposals(Event::PlaceSettled { holder, outcome, .. })
            if *holder == id(Dave) =>
        {
            assert_eq!(*outcome, hydra_primitives::status::Outcome::Accepted);
            Some(())
        }
        _ => None,
    });
    assert_eq!(network.until_opened(), 3);
    let resting = network.node(Dave);
    assert!(resting.paused && !resting.active);
    assert_ok!(network.call(Dave, pallet_reputation::Call::resume {}));
    let back = network.node(Dave);
    assert!(back.active && back.reputation == resting.reputation);
    assert_eq!(network.until_opened(), 4);
    network.end();
}

#[test]
fn who_takes_its_stake_away_is_paid_out_after_the_delay_and_can_leave_for_good() {
    const DELAY: u32 = 120;
    let mut genesis = crate::chain::genesis();
    // Two sessions: no shorter one is taken.
    genesis.stake_voting.unbonding_delay = DELAY;
    let mut network = Network::begin(genesis);
    assert_eq!(network.until_opened(), 4);
    let unbonded = network.now();
    assert_ok!(network.call(Dave, pallet_stake_voting::Call::unbond { amount: STAKE }));
    let leaving = network.node(Dave);
    assert_eq!(
        (leaving.stake, leaving.unbonding, leaving.active),
        (0, STAKE, false)
    );
    let too_early: DispatchError = pallet_stake_voting::Error::<Runtime>::NothingToWithdraw.into();
    while network.now() < unbonded + DELAY {
        if network.now().is_multiple_of(10) || network.now() + 1 == unbonded + DELAY {
            match network.apply(Dave, pallet_stake_voting::Call::withdraw {}, 0) {
                Applied::Included(result) => assert_eq!(result, Err(too_early)),
                // The first block of a session takes no transactions.
                other => assert_eq!(other, Applied::Full),
            }
        }
        network.block();
    }
    let free = network.read(|| Balances::free_balance(id(Dave)));
    assert_ok!(network.call(Dave, pallet_stake_voting::Call::withdraw {}));
    let now = network.read(|| Balances::free_balance(id(Dave)));
    // Less the fee.
    assert!(now > free + STAKE - HYDRA, "{now}");
    assert_eq!(network.node(Dave).unbonding, 0);
    assert_eq!(network.until_opened(), 3);

    assert_eq!(network.node(Dave).busy, 0, "what it was drawn for is over");
    assert_ok!(network.call(Dave, pallet_reputation::Call::deregister {}));
    network.conduct(Dave, Conduct::Absent);
    assert!(!network.node(Dave).registered);
    assert_eq!(
        network.read(|| pallet_reputation::PeerIds::<Runtime>::iter().count()),
        3
    );
    assert!(FOUNDERS.iter().all(|who| network.forfeited(*who) == 0));
    assert_eq!(
        network.node(Dave).reputation,
        Perbill::zero(),
        "it would begin anew"
    );
    network.end();
}
