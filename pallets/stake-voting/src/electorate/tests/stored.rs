//! Over the pallet's storage.

use super::{Memory, seed};
use crate::{
    ElectorateAccounts, ElectorateNodes,
    electorate::{Electorate, Error, NodeId, Store, storage::electorate},
    mock::{StakeVoting, Test, account, new_chain},
};
use sp_core::crypto::AccountId32;

/// What is drawn while sessions pass and accounts come and go.
fn story<S: Store<Account = AccountId32>>(
    mut of: impl FnMut(Option<Electorate<S>>, u32) -> Electorate<S>,
) -> Vec<Result<Vec<Option<AccountId32>>, Error>> {
    let mut drawn = Vec::new();
    let mut electorate = of(None, 0);
    for session in 0..4u8 {
        for n in 1..=70 - 9 * session {
            electorate.append(&account(n), u64::from(n + session)).unwrap();
        }
        electorate.check().unwrap();
        drawn.push(electorate.seats(&seed(1), 20, |_| true));
        drawn.push(electorate.seats(&seed(1), 20, |who| *who != account(40)));
        let members = electorate.distinct(&seed(2), 5, |_| true).unwrap();
        drawn.push(Ok(members.into_iter().map(Some).collect()));
        electorate = of(Some(electorate), u32::from(session) + 1);
    }
    drawn
}

#[test]
fn the_pallet_s_storage_does_what_maps_in_memory_do() {
    new_chain().execute_with(|| {
        let stored = story(|_, session| electorate::<Test>(session));
        let memory = story(|before: Option<Electorate<Memory<AccountId32>>>, session| {
            Electorate::new(before.map(|before| before.store).unwrap_or_default(), session)
        });
        assert_eq!(stored, memory);
        // The same seed, one session later.
        assert_ne!(stored[0], stored[3]);
        // Sessions 2 and 3 took the places of 0 and 1: nothing is stored for them besides.
        assert_eq!(ElectorateAccounts::<Test>::iter().count(), 70 + 61);
        assert_eq!(ElectorateNodes::<Test>::iter().count(), (1 + 1 + 2) + (1 + 1 + 1));
    });
}

#[test]
fn the_pallet_s_invariants_include_the_electorate() {
    new_chain().execute_with(|| {
        electorate::<Test>(3).append(&account(1), 5).unwrap();
        assert_eq!(StakeVoting::do_try_state(), Ok(()));
        let root = NodeId::root(3);
        let kept = ElectorateNodes::<Test>::take(root).expect("it was written");
        let middle = NodeId::new(3, 1, 0);
        assert_eq!(StakeVoting::do_try_state(), Err(Error::Tree(middle).as_str()));
        ElectorateNodes::<Test>::insert(root, kept);
        ElectorateAccounts::<Test>::remove((1, 0));
        assert_eq!(StakeVoting::do_try_state(), Err(Error::Slot(0).as_str()));
    });
}
