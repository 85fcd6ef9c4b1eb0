use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult, traits::fungible::InspectHold};
use hydra_primitives::{Balance, HYDRA, rewards::STANDARD_WORK, traits::Rewards};
use sp_runtime::{DispatchError, TokenError};

use crate::{Error, Event, HoldReason, Sponsors, mock::*};

const ENOUGH: Balance = 1_000_000 * HYDRA;
/// The model that account 1 sponsors.
const MODEL: u32 = 2;

fn set_sponsor(model: u32, sponsor: Option<u8>) -> DispatchResult {
    HydraToken::set_sponsor(RuntimeOrigin::root(), model, sponsor.map(account))
}

fn sponsor(n: u8, amount: Balance) -> DispatchResult {
    HydraToken::sponsor(RuntimeOrigin::signed(account(n)), MODEL, amount)
}

fn withdraw(n: u8) -> DispatchResult {
    HydraToken::withdraw_sponsorship(RuntimeOrigin::signed(account(n)), MODEL)
}

fn on_hold(n: u8) -> Balance {
    Balances::balance_on_hold(&HoldReason::Sponsorship.into(), &account(n))
}

/// Account 1 sponsors the model with 8 HYDRA.
fn with_sponsor(test: impl FnOnce()) {
    with_chain(|| {
        assert_ok!(set_sponsor(MODEL, Some(1)));
        assert_ok!(sponsor(1, 8 * HYDRA));
        test();
    });
}

#[test]
fn only_governance_says_who_sponsors_a_model_and_only_the_sponsor_deposits() {
    with_chain(|| {
        assert_noop!(
            HydraToken::set_sponsor(RuntimeOrigin::signed(account(1)), MODEL, Some(account(1))),
            DispatchError::BadOrigin
        );
        assert_noop!(set_sponsor(7, Some(1)), Error::<Test>::UnknownModel);
        assert_noop!(sponsor(1, HYDRA), Error::<Test>::NotTheSponsor);
        assert_ok!(set_sponsor(MODEL, Some(1)));
        System::assert_last_event(
            Event::SponsorSet {
                model: MODEL,
                sponsor: Some(account(1)),
            }
            .into(),
        );
        assert_noop!(sponsor(2, HYDRA), Error::<Test>::NotTheSponsor);
        assert_noop!(withdraw(2), Error::<Test>::NotTheSponsor);
        assert_noop!(sponsor(1, 11 * HYDRA), TokenError::FundsUnavailable);
        assert!(!HydraToken::can_pay(MODEL, 0), "nothing is deposited yet");
        assert_ok!(sponsor(1, HYDRA));
        System::assert_last_event(
            Event::Sponsored {
                model: MODEL,
                who: account(1),
                amount: HYDRA,
            }
            .into(),
        );
        assert!(HydraToken::can_pay(MODEL, 0));
    });
}

#[test]
fn a_sponsor_has_a_hundred_rounds_block_space_or_no_round_opens() {
    with_sponsor(|| {
        assert!(HydraToken::can_pay(MODEL, 8 * HYDRA / 100));
        assert!(!HydraToken::can_pay(MODEL, 8 * HYDRA / 100 + 1));
        HydraToken::burn_for_duties(MODEL, 1);
        assert!(!HydraToken::can_pay(MODEL, 8 * HYDRA / 100));
    });
}

#[test]
fn a_sponsored_model_s_rounds_are_paid_from_the_deposit_and_never_from_the_bucket() {
    with_sponsor(|| {
        let (issuance, bucket) = (Balances::total_issuance(), HydraToken::in_bucket());
        let reward = HydraToken::quote(MODEL, STANDARD_WORK, 1, ENOUGH);
        assert_eq!(reward, 8 * HYDRA / 1_000);
        let right = [(account(3), 5)];
        assert_eq!(
            HydraToken::pay(MODEL, &account(2), STANDARD_WORK, reward, &right).all(),
            reward
        );
        assert_eq!(balance(2), 10 * HYDRA + reward / 5 * 4);
        assert_eq!(balance(3), 10 * HYDRA + reward / 5);
        assert_eq!(on_hold(1), 8 * HYDRA - reward);
        HydraToken::burn_for_duties(MODEL, HYDRA);
        assert_eq!(on_hold(1), 7 * HYDRA - reward);
        assert_eq!(Balances::total_issuance(), issuance - HYDRA);
        HydraToken::burn_for_duties(MODEL, ENOUGH);
        assert_eq!(on_hold(1), 0);
        assert!(!HydraToken::can_pay(MODEL, 0) && HydraToken::can_pay(0, 0));
        assert_eq!(
            HydraToken::pay(MODEL, &account(2), STANDARD_WORK, HYDRA, &right).all(),
            0
        );
        HydraToken::burn_for_duties(MODEL, HYDRA);
        assert_eq!(HydraToken::in_bucket(), bucket);
    });
}

#[test]
fn a_sponsor_that_works_itself_is_paid_like_others() {
    with_sponsor(|| {
        let reward = HydraToken::quote(MODEL, STANDARD_WORK, 1, ENOUGH);
        let free = balance(1);
        assert_eq!(
            HydraToken::pay(MODEL, &account(1), 1, reward, &[]).all(),
            reward / 5 * 4
        );
        assert_eq!(balance(1), free + reward / 5 * 4);
    });
}

#[test]
fn a_sponsor_gives_notice_and_gets_back_what_is_left_when_open_rounds_are_paid() {
    with_sponsor(|| {
        assert_ok!(withdraw(1));
        System::assert_last_event(
            Event::SponsorshipEnding {
                model: MODEL,
                who: account(1),
                ends_at: 51,
            }
            .into(),
        );
        assert!(!HydraToken::can_pay(MODEL, 0), "no round opens any more");
        assert_noop!(withdraw(1), Error::<Test>::NoticeRuns);
        System::set_block_number(50);
        assert_noop!(withdraw(1), Error::<Test>::NoticeRuns);
        assert_eq!(
            HydraToken::pay(MODEL, &account(2), 1, HYDRA, &[]).all(),
            HYDRA * 4 / 5
        );
        System::set_block_number(51);
        assert_ok!(withdraw(1));
        System::assert_last_event(
            Event::SponsorshipWithdrawn {
                model: MODEL,
                who: account(1),
                amount: 8 * HYDRA - HYDRA * 4 / 5,
            }
            .into(),
        );
        assert_eq!(balance(1), 10 * HYDRA - HYDRA * 4 / 5);
        assert!(!HydraToken::can_pay(MODEL, 0));
        assert_ok!(sponsor(1, HYDRA));
        assert!(HydraToken::can_pay(MODEL, 0));
    });
}

#[test]
fn a_new_deposit_takes_back_a_notice() {
    with_sponsor(|| {
        assert_ok!(withdraw(1));
        assert_ok!(sponsor(1, HYDRA));
        assert!(HydraToken::can_pay(MODEL, 0));
        System::set_block_number(60);
        assert_ok!(withdraw(1));
        assert_eq!(on_hold(1), 9 * HYDRA, "it gave notice anew");
    });
}

#[test]
fn a_former_sponsor_gets_its_deposit_back() {
    with_sponsor(|| {
        assert_ok!(set_sponsor(0, Some(1)));
        assert_ok!(HydraToken::sponsor(RuntimeOrigin::signed(account(1)), 0, HYDRA));
        assert_ok!(set_sponsor(MODEL, Some(2)));
        assert_eq!((balance(1), on_hold(1)), (9 * HYDRA, HYDRA));
        assert_noop!(sponsor(1, HYDRA), Error::<Test>::NotTheSponsor);
        assert_ok!(set_sponsor(MODEL, None));
        assert!(!Sponsors::<Test>::contains_key(MODEL));
        assert!(HydraToken::can_pay(MODEL, 0), "the bucket pays");
    });
}
