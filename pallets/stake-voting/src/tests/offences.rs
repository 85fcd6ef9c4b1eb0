//! What validators forfeit that sign conflicting things.

use crate::{Offences, mock::*};
use frame_support::assert_ok;
use hydra_primitives::{HYDRA, Perbill, traits::Stakes as _};

#[test]
fn only_what_a_larger_fraction_adds_is_taken() {
    with_members(&[(1, 10), (2, 10)], || {
        let punish = |percent| StakeVoting::punish(7, &account(1), Perbill::from_percent(percent));
        assert_eq!(punish(10), HYDRA);
        assert_eq!(punish(10), 0, "the same report again");
        assert_eq!(punish(5), 0, "a smaller one");
        assert_eq!(punish(40), 3 * HYDRA, "of what there was at first");
        assert_eq!(punish(100), 6 * HYDRA);
        assert_eq!(punish(100), 0);
        assert_eq!(StakeVoting::bonded(&account(1)), 0);
        assert_eq!(StakeVoting::bonded(&account(2)), 10 * HYDRA);
        assert!(
            world(|world| world.shared.is_empty()),
            "nobody was right: it is burnt"
        );
    });
}

#[test]
fn what_is_unbonding_does_not_escape() {
    with_members(&[(1, 10)], || {
        assert_ok!(StakeVoting::unbond(RuntimeOrigin::signed(account(1)), 10 * HYDRA));
        let taken = StakeVoting::punish(7, &account(1), Perbill::from_percent(50));
        assert_eq!(taken, 5 * HYDRA);
        assert_eq!(StakeVoting::unbonding(&account(1)), 5 * HYDRA);
    });
}

#[test]
fn each_session_and_each_account_counts_by_itself_until_it_is_forgotten() {
    with_members(&[(1, 10), (2, 10)], || {
        let half = Perbill::from_percent(50);
        assert_eq!(StakeVoting::punish(3, &account(1), half), 5 * HYDRA);
        assert_eq!(StakeVoting::punish(4, &account(1), half), 5 * HYDRA / 2);
        assert_eq!(StakeVoting::punish(4, &account(2), half), 5 * HYDRA);
        StakeVoting::forget_offences(4);
        assert_eq!(Offences::<Test>::iter_keys().collect::<Vec<_>>(), [4]);
        assert_eq!(StakeVoting::punish(4, &account(2), half), 0);
        StakeVoting::forget_offences(5);
        assert_eq!(Offences::<Test>::iter_keys().count(), 0);
    });
}
