use crate::{Emitted, Error, Event, mock::*};
use frame_support::{assert_noop, assert_ok, traits::fungible::Inspect};
use hydra_primitives::{
    Balance, H256, HYDRA,
    rewards::{QUERY_PRICE, STANDARD_WORK},
    traits::Rewards,
};
use sp_runtime::TokenError;

fn ask(n: u8, model: u32) -> Result<(), sp_runtime::DispatchError> {
    HydraToken::pay_query(RuntimeOrigin::signed(account(n)), model, H256::repeat_byte(1))
}

fn balance(n: u8) -> Balance {
    Balances::free_balance(account(n))
}

#[test]
fn accepted_work_mints_one_hydra_per_unit_until_the_cap() {
    with_chain(|| {
        assert_eq!(HydraToken::pay(&account(1), STANDARD_WORK), HYDRA);
        assert_eq!(balance(1), 11 * HYDRA);
        assert_eq!(HydraToken::pay(&account(2), 3 * STANDARD_WORK), 3 * HYDRA);
        assert_eq!(
            HydraToken::pay(&account(3), 9 * STANDARD_WORK),
            HYDRA,
            "the cap is 5 HYDRA"
        );
        assert_eq!(HydraToken::pay(&account(3), STANDARD_WORK), 0);
        assert_eq!(Emitted::<Test>::get(), 5 * HYDRA);
    });
}

#[test]
fn a_query_moves_half_a_hydra_to_those_who_made_the_model_to_the_last_unit() {
    with_chain(|| {
        HydraToken::add_query_shares(0, &account(1), 10);
        HydraToken::add_query_shares(0, &account(2), 30);
        let issuance = Balances::total_issuance();
        assert_ok!(ask(3, 0));
        assert_eq!(balance(3), 10 * HYDRA - QUERY_PRICE);
        System::assert_last_event(
            Event::QueryPaid {
                who: account(3),
                model: 0,
                version: 3,
                request_hash: H256::repeat_byte(1),
                amount: QUERY_PRICE,
            }
            .into(),
        );
        assert_ok!(HydraToken::claim(RuntimeOrigin::signed(account(1)), 0));
        assert_ok!(HydraToken::claim(RuntimeOrigin::signed(account(2)), 0));
        assert_eq!(balance(1), 10 * HYDRA + QUERY_PRICE / 4);
        assert_eq!(balance(2), 10 * HYDRA + QUERY_PRICE / 4 * 3);
        assert_eq!(Balances::balance(&HydraToken::pot()), Balances::minimum_balance());
        assert_eq!(Balances::total_issuance(), issuance);
    });
}

#[test]
fn new_shares_settle_what_is_owed_and_take_no_part_in_earlier_payments() {
    with_chain(|| {
        HydraToken::add_query_shares(0, &account(1), 1);
        assert_ok!(ask(3, 0));
        HydraToken::add_query_shares(0, &account(2), 1);
        HydraToken::add_query_shares(0, &account(1), 1);
        assert_eq!(balance(1), 10 * HYDRA + QUERY_PRICE);
        assert_noop!(
            HydraToken::claim(RuntimeOrigin::signed(account(2)), 0),
            Error::<Test>::NothingToClaim
        );
        assert_ok!(ask(3, 0));
        assert_eq!(HydraToken::owed_to(0, account(1)), QUERY_PRICE * 2 / 3);
        assert_eq!(HydraToken::owed_to(0, account(2)), QUERY_PRICE / 3);
    });
}

#[test]
fn refuses_unknown_models_untrained_models_and_empty_wallets() {
    with_chain(|| {
        assert_noop!(ask(3, 7), Error::<Test>::UnknownModel);
        assert_noop!(ask(3, 1), Error::<Test>::NothingToAsk);
        assert_noop!(ask(3, 0), Error::<Test>::NothingToAsk);
        HydraToken::add_query_shares(0, &account(1), 1);
        assert_noop!(ask(9, 0), TokenError::FundsUnavailable);
        assert_noop!(
            HydraToken::claim(RuntimeOrigin::signed(account(1)), 0),
            Error::<Test>::NothingToClaim
        );
    });
}
