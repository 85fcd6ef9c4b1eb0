//! Over the pallet's storage.

use super::{Memory, seed};
use crate::{
    ElectorateNodes, SlotOf,
    electorate::{Electorate, Error, Freed, NodeId, Nodes, Slots, storage::Stored},
    mock::{StakeVoting, Test, account, with_chain},
};
use sp_core::crypto::AccountId32;

/// What is drawn while accounts come, change, leave and come again.
fn story(store: impl Nodes + Slots<Account = AccountId32>) -> Vec<Result<Vec<Option<AccountId32>>, Error>> {
    let mut electorate = Electorate::new(store, 0);
    let mut drawn = Vec::new();
    for n in 1..=70 {
        electorate.enter_at_once(&account(n), u64::from(n)).unwrap();
    }
    for session in 0..4u8 {
        electorate.session = session.into();
        drawn.push(electorate.seats(&seed(1), 20, |_| true));
        electorate.set_weight(&account(3), 1_000).unwrap();
        electorate.leave(&account(60 + session)).unwrap();
        electorate.enter(&account(100 + session), 700).unwrap();
        drawn.push(electorate.seats(&seed(1), 20, |who| *who != account(70)));
        let members = electorate.distinct(&seed(2), 5, |_| true).unwrap();
        drawn.push(Ok(members.into_iter().map(Some).collect()));
        electorate.check().unwrap();
    }
    let book = electorate.store().book();
    assert_eq!((book.used, book.first, book.freed), (71, 3, 1));
    assert_eq!(electorate.store().freed(2), None);
    assert_eq!(electorate.store().freed(3), Some(Freed { slot: 62, session: 3 }));
    assert_eq!(electorate.store().slot(&account(63)), None);
    assert_eq!(electorate.store().owner(62), Some(account(63)));
    drawn
}

#[test]
fn the_pallet_s_storage_does_what_maps_in_memory_do() {
    with_chain(|| {
        let stored = story(Stored::<Test>::default());
        assert_eq!(stored, story(Memory::<AccountId32>::default()));
        // The same seed, one session later.
        assert_ne!(stored[0], stored[3]);
        assert_eq!(SlotOf::<Test>::iter().count(), 70);
    });
}

#[test]
fn the_pallet_s_invariants_include_the_electorate() {
    with_chain(|| {
        let mut electorate = Electorate::new(Stored::<Test>::default(), 0);
        electorate.enter_at_once(&account(1), 5).unwrap();
        assert_eq!(StakeVoting::do_try_state(), Ok(()));
        let root = ElectorateNodes::<Test>::take(NodeId::ROOT).expect("it was written");
        let middle = NodeId { level: 1, index: 0 };
        assert_eq!(StakeVoting::do_try_state(), Err(Error::Tree(middle).as_str()));
        ElectorateNodes::<Test>::insert(NodeId::ROOT, root);
        SlotOf::<Test>::insert(account(9), 0);
        assert_eq!(StakeVoting::do_try_state(), Err(Error::Slot(0).as_str()));
        SlotOf::<Test>::remove(account(9));
    });
}
