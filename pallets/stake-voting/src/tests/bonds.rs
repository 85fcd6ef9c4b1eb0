//! Bonds: what an account risks, and how it gets it back.

use crate::{Error, Event, MAX_UNBONDING, Unbonding, mock::*};
use frame_support::{assert_noop, assert_ok};
use hydra_primitives::{
    Balance, HYDRA, Perbill,
    traits::{BondError, Stakes},
};
use sp_runtime::DispatchResult;

/// The delay in the mock's genesis.
const DELAY: u32 = 50;

fn bond(n: u8, amount: Balance) -> DispatchResult {
    StakeVoting::bond(RuntimeOrigin::signed(account(n)), amount)
}

fn unbond(n: u8, amount: Balance) -> DispatchResult {
    StakeVoting::unbond(RuntimeOrigin::signed(account(n)), amount)
}

fn withdraw(n: u8) -> DispatchResult {
    StakeVoting::withdraw(RuntimeOrigin::signed(account(n)))
}

fn stakes(n: u8) -> (Balance, Balance) {
    (
        StakeVoting::bonded(&account(n)),
        StakeVoting::unbonding(&account(n)),
    )
}

#[test]
fn a_bond_is_held_and_weighs_by_score_without_a_cap() {
    with_members(&[(1, 10)], || {
        assert_ok!(bond(1, 490 * HYDRA));
        assert_eq!(stakes(1), (500 * HYDRA, 0));
        assert_eq!(Balances::free_balance(account(1)), 500 * HYDRA);
        assert_eq!(StakeVoting::weight_of(account(1)), 500_000_000);
        node(1, |node| node.score = Perbill::from_percent(10));
        assert_eq!(StakeVoting::weight_of(account(1)), 50_000_000);
        assert_eq!(
            said().last(),
            Some(&Event::Bonded {
                who: account(1),
                amount: 490 * HYDRA,
                total: 500 * HYDRA
            })
        );
    });
}

#[test]
fn a_bond_of_a_stranger_below_the_minimum_or_beyond_the_balance_is_refused() {
    with_members(&[(1, 10)], || {
        assert_noop!(bond(9, HYDRA), Error::<Test>::NotRegistered);
        assert_noop!(bond(1, 0), Error::<Test>::NothingToBond);
        assert_noop!(bond(1, 991 * HYDRA), Error::<Test>::NotEnough);
        // Whoever registers bonds in the same call: `reputation` does this before it knows the account.
        let minimum = <StakeVoting as Stakes<_>>::bond(&account(9), HYDRA - 1);
        assert_eq!(minimum, Err(BondError::BelowMinimum));
        assert!(!StakeVoting::is_staked(&account(9)));
        assert_ok!(<StakeVoting as Stakes<_>>::bond(&account(9), HYDRA));
        assert!(StakeVoting::is_staked(&account(9)));
    });
}

#[test]
fn the_minimum_grows_with_the_number_of_registered_accounts() {
    with_members(&[(1, 10)], || {
        for (others, halves) in [(0, 2), (99_999, 2), (149_999, 3), (199_999, 4), (299_999, 6)] {
            world(|world| world.others = others);
            assert_eq!(StakeVoting::minimum(), halves * HYDRA / 2);
            assert_eq!(StakeVoting::minimum_stake(), halves * HYDRA / 2);
        }
        assert_noop!(unbond(1, 8 * HYDRA), Error::<Test>::BelowMinimumStake);
        assert_ok!(unbond(1, 7 * HYDRA));
        world(|world| world.others = 399_999);
        assert!(!StakeVoting::is_staked(&account(1)));
    });
}

#[test]
fn what_is_unbonded_comes_back_after_the_delay_and_the_account_leaves_at_once() {
    with_members(&[(1, 10)], || {
        assert_ok!(unbond(1, 4 * HYDRA));
        let until = 1 + DELAY;
        assert_eq!(
            said().last(),
            Some(&Event::Unbonding {
                who: account(1),
                amount: 4 * HYDRA,
                until
            })
        );
        assert_eq!(world(|world| world.left.clone()), [account(1)]);
        assert_eq!(stakes(1), (6 * HYDRA, 4 * HYDRA));
        assert_eq!(StakeVoting::weight_of(account(1)), 6_000_000);
        System::set_block_number(u64::from(until) - 1);
        assert_noop!(withdraw(1), Error::<Test>::NothingToWithdraw);
        next_block();
        assert_ok!(withdraw(1));
        assert_eq!(stakes(1), (6 * HYDRA, 0));
        assert_eq!(Balances::free_balance(account(1)), 994 * HYDRA);
        assert!(!Unbonding::<Test>::contains_key(account(1)));
        assert_noop!(withdraw(1), Error::<Test>::NothingToWithdraw);
    });
}

/// What it weighed in the electorates that know it could otherwise still be drawn when it is gone.
#[test]
#[should_panic(expected = "stakeVoting.unbondingDelay must be two sessions at least")]
fn a_genesis_in_which_unbonding_is_shorter_than_two_sessions_is_refused() {
    use sp_runtime::BuildStorage;
    let genesis = crate::GenesisConfig::<Test> {
        bonds: Vec::new(),
        unbonding_delay: 2 * 25 - 1,
    };
    let _ = genesis.build_storage();
}

#[test]
fn all_can_be_unbonded_or_so_much_that_the_minimum_stays() {
    with_members(&[(1, 10)], || {
        assert_noop!(unbond(1, 0), Error::<Test>::NothingToUnbond);
        assert_noop!(unbond(1, 10 * HYDRA + 1), Error::<Test>::NotBonded);
        assert_noop!(unbond(1, 9 * HYDRA + 1), Error::<Test>::BelowMinimumStake);
        assert_ok!(unbond(1, 9 * HYDRA));
        assert_ok!(unbond(1, HYDRA));
        assert_eq!(stakes(1), (0, 10 * HYDRA));
        assert!(!StakeVoting::is_staked(&account(1)));
        assert_noop!(unbond(1, 1), Error::<Test>::NotBonded);
        // In one block it is one amount.
        assert_eq!(Unbonding::<Test>::get(account(1)).len(), 1);
    });
}

#[test]
fn as_many_amounts_as_there_is_room_for_are_on_their_way_back_each_with_its_own_time() {
    with_members(&[(1, 100)], || {
        for _ in 0..MAX_UNBONDING {
            assert_ok!(unbond(1, HYDRA));
            next_block();
        }
        assert_noop!(unbond(1, HYDRA), Error::<Test>::TooManyUnbonding);
        // The first two.
        System::set_block_number(u64::from(1 + DELAY + 1));
        assert_ok!(withdraw(1));
        assert_eq!(stakes(1), (92 * HYDRA, 6 * HYDRA));
        assert_ok!(unbond(1, HYDRA));
        System::set_block_number(u64::from(1 + 2 * DELAY + 1));
        assert_ok!(withdraw(1));
        assert_eq!(stakes(1), (91 * HYDRA, 0));
    });
}

#[test]
fn a_forfeit_takes_exactly_what_it_says_and_no_more_than_there_is() {
    with_members(&[(1, 10)], || {
        let before = Balances::total_issuance();
        assert_eq!(StakeVoting::forfeit(&account(1), 3), 3);
        assert_eq!(stakes(1), (10 * HYDRA - 3, 0));
        assert_eq!(Balances::total_issuance(), before - 3);
        assert_eq!(world(|world| world.left.clone()), [account(1)]);
        assert_eq!(StakeVoting::forfeit(&account(1), Balance::MAX), 10 * HYDRA - 3);
        assert_eq!(stakes(1), (0, 0));
        assert_eq!(Balances::free_balance(account(1)), 990 * HYDRA);
        let events = said().len();
        assert_eq!(StakeVoting::forfeit(&account(1), HYDRA), 0);
        assert_eq!(StakeVoting::forfeit(&account(9), HYDRA), 0);
        assert_eq!(said().len(), events, "nothing was taken");
    });
}

#[test]
fn what_was_forfeited_while_it_was_unbonding_does_not_come_back() {
    with_members(&[(1, 10)], || {
        assert_ok!(unbond(1, 2 * HYDRA));
        next_block();
        assert_ok!(unbond(1, 8 * HYDRA));
        assert_eq!(StakeVoting::forfeit(&account(1), 9 * HYDRA), 9 * HYDRA);
        assert_eq!(stakes(1), (0, HYDRA));
        assert_eq!(Unbonding::<Test>::get(account(1)).len(), 1);
        System::set_block_number(u64::from(2 + DELAY));
        assert_ok!(withdraw(1));
        assert_eq!(Balances::free_balance(account(1)), 991 * HYDRA);
        assert_eq!(StakeVoting::held(&account(1)), 0);
    });
}
