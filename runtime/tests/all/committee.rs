//! Who makes blocks: drawn from the electorate, kept when too few could take over, named anew when keys change; and what signing two
//! conflicting things costs.

use crate::{
    chain::{self, check_state, id, on_local},
    pcs::{Conduct, FOUNDERS, Network},
};
use codec::Encode;
use frame_support::{assert_ok, traits::KeyOwnerProofSystem};
use hydra_runtime::{
    AccountId, Babe, Balance, Forfeits, Grandpa, HYDRA, Historical, Reputation, Runtime, RuntimeCall,
    RuntimeEvent, Session, SessionKeys, StakeVoting, System,
};
use pallet_babe::EquivocationOffence;
use pallet_grandpa::{EquivocationOffence as TwoVotes, TimeSlot};
use sp_consensus_babe::Slot;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave};
use sp_keystore::{KeystoreExt, testing::MemoryKeystore};
use sp_staking::offence::{OffenceError, ReportOffence};

/// New session keys of an account, and the call that names them.
fn keys(network: &mut Network, who: Sr25519Keyring, seed: &str) -> (SessionKeys, RuntimeCall) {
    network
        .extensions()
        .register_extension(KeystoreExt::new(MemoryKeystore::new()));
    network.read(|| {
        let made = SessionKeys::generate(&id(who).encode(), Some(seed.as_bytes().to_vec()));
        let call = pallet_session::Call::set_keys {
            keys: made.keys.clone(),
            proof: made.proof.encode(),
        };
        (made.keys, call.into())
    })
}

fn sorted(accounts: impl IntoIterator<Item = AccountId>) -> Vec<AccountId> {
    let mut accounts: Vec<_> = accounts.into_iter().collect();
    accounts.sort();
    accounts
}

fn validators(network: &mut Network) -> Vec<AccountId> {
    sorted(network.read(Session::validators))
}

#[test]
fn a_member_that_sets_keys_makes_blocks_from_the_next_but_one_session_on() {
    let mut genesis = chain::genesis();
    genesis.session.keys.truncate(3);
    let mut network = Network::begin(genesis);
    let (keys, call) = keys(&mut network, Dave, "//Dave//babe");
    assert_ok!(network.call(Dave, call));
    network.until_session(1);
    assert_eq!(
        validators(&mut network),
        sorted(FOUNDERS[..3].iter().map(|who| id(*who)))
    );
    network.until_session(2);
    assert_eq!(validators(&mut network), sorted(FOUNDERS.map(id)));
    network.read(|| assert!(Babe::authorities().iter().any(|(key, _)| *key == keys.babe)));
    network.end();
}

#[test]
fn one_of_four_that_is_gone_is_not_drawn_again() {
    let mut network = Network::of(4);
    network.conduct(Dave, Conduct::Absent);
    network.until_session(2);
    assert_eq!(
        validators(&mut network),
        sorted(FOUNDERS[..3].iter().map(|who| id(*who)))
    );
    network.end();
}

#[test]
fn where_fewer_than_two_thirds_could_take_over_everybody_stays() {
    let mut network = Network::of(4);
    network
        .conduct(Charlie, Conduct::Absent)
        .conduct(Dave, Conduct::Absent);
    network.until_session(3);
    assert_eq!(validators(&mut network), sorted(FOUNDERS.map(id)));
    // It is said, in the block in which a session begins.
    let said = network.read(|| {
        System::events().into_iter().any(|record| {
            matches!(
                record.event,
                RuntimeEvent::StakeVoting(pallet_stake_voting::Event::CommitteeStays {
                    session: 4,
                    found: 2,
                    present: 4,
                })
            )
        })
    });
    assert!(said);
    // No change: no proof more in every warp sync.
    assert_eq!(network.read(Grandpa::current_set_id), 0);
    network.end();
}

#[test]
fn who_changes_its_keys_is_named_anew_so_that_the_new_ones_can_be_proven() {
    let mut network = Network::of(4);
    let (keys, call) = keys(&mut network, Alice, "//Alice//new");
    assert_ok!(network.call(Alice, call));
    network.until_session(1);
    let set = network.read(Grandpa::current_set_id);
    network.until_session(2);
    // GRANDPA's authorities change with the end of the block that announces them.
    network.block();
    assert_eq!(validators(&mut network), sorted(FOUNDERS.map(id)));
    assert_eq!(network.read(Grandpa::current_set_id), set + 1);
    let babe = || (sp_consensus_babe::KEY_TYPE, keys.babe.clone());
    let proof = network.read(|| {
        assert!(Babe::authorities().iter().any(|(key, _)| *key == keys.babe));
        let finalisers = Grandpa::grandpa_authorities();
        assert!(finalisers.iter().any(|(key, _)| *key == keys.grandpa));
        Historical::prove(babe()).expect("there is a session to prove it of")
    });
    // From the next session on a proof is held against what was noted of this one.
    network.until_session(3);
    let proven = network.read(|| Historical::check_proof(babe(), proof));
    assert_eq!(proven, Some((id(Alice), ())));
    // And nothing changed any more.
    assert_eq!(network.read(Grandpa::current_set_id), set + 1);
    network.end();
}

/// `who` made two blocks for this slot.
fn report(who: Sr25519Keyring, slot: u64) -> Result<(), OffenceError> {
    let offence = EquivocationOffence {
        slot: slot.into(),
        session_index: 0,
        validator_set_count: 4,
        offender: (id(who), ()),
    };
    Forfeits::report_offence(Vec::new(), offence)
}

/// `who` voted twice in this round of the first set.
fn report_votes(who: Sr25519Keyring, round: u64) -> Result<(), OffenceError> {
    let offence = TwoVotes {
        time_slot: TimeSlot { set_id: 0, round },
        session_index: 0,
        validator_set_count: 4,
        offender: (id(who), ()),
    };
    Forfeits::report_offence(Vec::new(), offence)
}

fn is_known(offenders: &[(AccountId, ())], slot: Slot) -> bool {
    <Forfeits as ReportOffence<_, _, EquivocationOffence<_>>>::is_known_offence(offenders, &slot)
}

#[test]
fn who_makes_two_blocks_for_one_slot_forfeits_once_and_two_of_four_everything() {
    const STAKE: Balance = 100 * HYDRA;
    on_local(|| {
        let stake = |who| StakeVoting::stake_of(id(who));
        assert_ok!(report(Dave, 1_001));
        // (3 × 1 / 4)² of it.
        assert_eq!(stake(Dave), STAKE - STAKE * 9 / 16);
        assert!(!Reputation::takes_part(id(Dave)) && Reputation::takes_part(id(Charlie)));
        assert!(matches!(report(Dave, 1_001), Err(OffenceError::DuplicateReport)));
        // Another slot of the same session, or another way to do it, is no second offence, and leaves nothing behind.
        assert!(matches!(report(Dave, 1_002), Err(OffenceError::DuplicateReport)));
        assert!(matches!(
            report_votes(Dave, 7),
            Err(OffenceError::DuplicateReport)
        ));
        let dave = [(id(Dave), ())];
        assert!(is_known(&dave, Slot::from(1_003)) && !is_known(&[(id(Alice), ())], Slot::from(1_003)));
        assert_eq!(stake(Dave), STAKE - STAKE * 9 / 16);
        // With a second one in the session it is everything, of both.
        assert_ok!(report_votes(Charlie, 9));
        assert_eq!((stake(Dave), stake(Charlie)), (0, 0));
        assert_eq!(stake(Alice), STAKE);
        assert!(!Reputation::takes_part(id(Charlie)));
        check_state();
    });
    // Neither is drawn again, but two of four are too few to go on without them.
    let mut network = Network::of(4);
    assert_ok!(network.read(|| report(Dave, 1_001)));
    network.until_session(2);
    assert_eq!(
        validators(&mut network),
        sorted(FOUNDERS[..3].iter().map(|who| id(*who)))
    );
    network.end();
}

/// Unbonding takes two and a half sessions here, and whoever leaves sits for up to two more: so one session that is over can be proven.
#[test]
fn an_offence_is_known_for_as_long_as_it_can_be_proven() {
    let mut network = Network::of(4);
    let known =
        |network: &mut Network| network.read(|| pallet_stake_voting::Offences::<Runtime>::contains_key(0));
    assert_ok!(network.read(|| report(Dave, 1_001)));
    network.until_session(1);
    assert!(known(&mut network));
    network.until_session(2);
    assert!(!known(&mut network));
    network.end();
}

#[test]
fn a_committee_that_takes_its_keys_away_makes_blocks_until_others_can() {
    let mut network = Network::of(4);
    for who in [Alice, Bob, Charlie] {
        assert_ok!(network.call(who, pallet_session::Call::<Runtime>::purge_keys {}));
    }
    network.until_session(3);
    // One of four could take over, which is less than two thirds.
    assert_eq!(validators(&mut network), sorted(FOUNDERS.map(id)));
    network.read(|| {
        assert_eq!(Babe::authorities().len(), 4);
        assert_eq!(Grandpa::grandpa_authorities().len(), 4);
    });
    // The first block of a session takes no transactions.
    network.block();
    // Two come back with new keys: with Dave they are three, and the fourth, which stayed away, is let go.
    for (who, seed) in [(Alice, "//Alice//again"), (Bob, "//Bob//again")] {
        let (_, call) = keys(&mut network, who, seed);
        assert_ok!(network.call(who, call));
    }
    network.until_session(6);
    assert_eq!(validators(&mut network), sorted([Alice, Bob, Dave].map(id)));
    network.read(|| {
        assert!(!pallet_session::NextKeys::<Runtime>::contains_key(id(Charlie)));
        assert_eq!(
            pallet_session::ExternallySetKeys::<Runtime>::iter_keys().count(),
            0
        );
    });
    network.end();
}
