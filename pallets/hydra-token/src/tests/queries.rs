use frame_support::{assert_noop, assert_ok, traits::fungible::Inspect};
use hydra_primitives::{
    H256, HYDRA,
    rewards::{PROPOSER_SHARES, QUERY_PAID, QUERY_PRICE, STANDARD_WORK},
    traits::Rewards,
};
use sp_runtime::TokenError;

use crate::{Error, Event, mock::*};

fn ask(n: u8, model: u32) -> Result<(), sp_runtime::DispatchError> {
    HydraToken::pay_query(RuntimeOrigin::signed(account(n)), model, H256::repeat_byte(1))
}

/// Account `n` earns so many shares of model 0, and nothing else.
fn earn_shares(n: u8, shares: u64) {
    let work = STANDARD_WORK / PROPOSER_SHARES * shares;
    assert_eq!(HydraToken::pay(0, &account(n), work, 0, &[]).all(), 0);
}

#[test]
fn a_query_moves_half_a_hydra_to_those_who_made_the_model_to_the_last_unit() {
    with_chain(|| {
        earn_shares(1, 10);
        earn_shares(2, 30);
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
        earn_shares(1, 1);
        assert_ok!(ask(3, 0));
        earn_shares(2, 1);
        earn_shares(1, 1);
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
fn proposers_and_verifiers_share_later_query_payments() {
    with_chain(|| {
        let right = [(account(2), 6), (account(3), 4)];
        HydraToken::pay(0, &account(1), STANDARD_WORK, HYDRA, &right);
        assert_ok!(ask(1, 0));
        let owed = |n| HydraToken::owed_to(0, account(n));
        assert_eq!(owed(1), QUERY_PRICE / 2);
        assert_eq!((owed(2), owed(3)), (QUERY_PRICE * 3 / 10, QUERY_PRICE / 5));
    });
}

#[test]
fn who_cannot_be_paid_yet_stays_owed_and_gets_its_further_shares() {
    with_chain(|| {
        earn_shares(1, 999);
        earn_shares(9, 1);
        // Less than an account needs to live.
        assert_ok!(ask(3, 0));
        let owed = HydraToken::owed_to(0, account(9));
        assert_eq!(owed, QUERY_PRICE / 1_000);
        assert!(owed < Balances::minimum_balance());
        earn_shares(9, 1_000);
        assert_eq!(balance(9), 0);
        assert!(owed - HydraToken::owed_to(0, account(9)) <= 1);
        // Half of all shares are its by now, bar the rounding.
        assert_ok!(ask(3, 0));
        assert_ok!(HydraToken::claim(RuntimeOrigin::signed(account(9)), 0));
        let right = owed + QUERY_PRICE * 1_001 / 2_000;
        assert!((right - 2..=right).contains(&balance(9)), "{}", balance(9));
    });
}

#[test]
fn refuses_unknown_models_untrained_models_and_empty_wallets() {
    with_chain(|| {
        assert_noop!(ask(3, 7), Error::<Test>::UnknownModel);
        assert_noop!(ask(3, 1), Error::<Test>::NothingToAsk);
        assert_noop!(ask(3, 0), Error::<Test>::NothingToAsk);
        earn_shares(1, 1);
        assert_noop!(ask(9, 0), TokenError::FundsUnavailable);
        assert_noop!(
            HydraToken::claim(RuntimeOrigin::signed(account(1)), 0),
            Error::<Test>::NothingToClaim
        );
    });
}

/// What the trainer looks for in the bytes of a block's events. The pallet's own number is the runtime's.
#[test]
fn the_event_of_a_payment_keeps_its_index() {
    let paid = Event::<Test>::QueryPaid {
        who: account(3),
        model: 0,
        version: 3,
        request_hash: H256::zero(),
        amount: QUERY_PRICE,
    };
    assert_eq!(codec::Encode::encode(&paid)[0], QUERY_PAID[1]);
}
