use frame_support::traits::fungible::Inspect;
use hydra_primitives::{
    Balance, HYDRA,
    rewards::{BUCKET_PART, STANDARD_WORK},
    traits::{Paid, Rewards},
};

use crate::{Bucket, Emitted, Event, mock::*};

const ENOUGH: Balance = 1_000_000 * HYDRA;

fn issuance() -> Balance {
    Balances::total_issuance()
}

fn run_to(block: u64) {
    System::set_block_number(block);
}

#[test]
fn a_confirmed_place_gets_four_fifths_and_those_who_were_right_a_fifth_by_seats() {
    with_chain(|| {
        let before = issuance();
        let reward = HydraToken::quote(0, STANDARD_WORK, 1, ENOUGH);
        assert_eq!(reward, HYDRA);
        let right = [(account(2), 3), (account(3), 1)];
        assert_eq!(
            HydraToken::pay(0, &account(1), STANDARD_WORK, reward, &right),
            Paid {
                holder: HYDRA * 4 / 5,
                verifiers: HYDRA / 5
            }
        );
        assert_eq!(balance(1), 10 * HYDRA + HYDRA * 4 / 5);
        assert_eq!(balance(2), 10 * HYDRA + HYDRA * 3 / 20);
        assert_eq!(balance(3), 10 * HYDRA + HYDRA / 20);
        assert_eq!(issuance() - before, HYDRA);
        assert_eq!(Emitted::<Test>::get(), HYDRA);
        assert_eq!(HydraToken::in_bucket(), 1_000 * HYDRA);
        System::assert_has_event(
            Event::Rewarded {
                who: account(1),
                amount: HYDRA * 4 / 5,
                work: STANDARD_WORK,
                verifiers: HYDRA / 5,
            }
            .into(),
        );
        System::assert_has_event(
            Event::VerifierRewarded {
                who: account(2),
                amount: HYDRA * 3 / 20,
            }
            .into(),
        );
    });
}

#[test]
fn a_reward_is_at_most_a_thousandth_of_the_bucket_and_at_most_the_holder_s_bond() {
    with_chain(|| {
        let bucket = HydraToken::in_bucket();
        assert_eq!(HydraToken::quote(0, u64::MAX, 1, ENOUGH), bucket / BUCKET_PART);
        let of_256 = HydraToken::quote(0, u64::MAX, 256, ENOUGH);
        assert_eq!(of_256, bucket / BUCKET_PART / 8, "256 places are paid as 32");
        assert_eq!(HydraToken::quote(0, u64::MAX, 1, HYDRA / 7), HYDRA / 7);
        assert_eq!(HydraToken::quote(0, STANDARD_WORK / 2, 1, ENOUGH), HYDRA / 2);
    });
}

/// Fault 1 of protocol 1: emission followed the number of accounts, and the pace of rounds.
#[test]
fn many_accounts_with_a_seat_each_earn_what_one_with_all_seats_does() {
    with_chain(|| {
        let one = [(account(1), 20)];
        let many: Vec<_> = (10..30).map(|n| (account(n), 1)).collect();
        let holder = account(2);
        let paid = [&one[..], &many[..]].map(|right| HydraToken::pay(0, &holder, 1, HYDRA, right).all());
        assert_eq!(paid, [HYDRA; 2]);
        assert_eq!(balance(1), 10 * HYDRA + HYDRA / 5);
        assert_eq!((10..30).map(balance).sum::<Balance>(), HYDRA / 5);
    });
}

#[test]
fn what_may_be_minted_does_not_follow_the_pace_of_rounds() {
    let may_be_minted = |rounds: u32| {
        let mut all = 0;
        with_chain(|| {
            for round in 0..rounds {
                run_to(1 + u64::from(round) * 100 / u64::from(rounds));
                let reward = HydraToken::quote(0, 50 * STANDARD_WORK, 1, ENOUGH);
                HydraToken::pay(0, &account(1), STANDARD_WORK, reward, &[(account(2), 20)]);
            }
            run_to(100);
            all = Emitted::<Test>::get() + HydraToken::in_bucket();
        });
        all
    };
    assert_eq!(may_be_minted(1), 1_100 * HYDRA);
    assert_eq!(may_be_minted(1_000), 1_100 * HYDRA);
}

#[test]
fn emission_halves_and_ends_at_the_cap() {
    with_chain(|| {
        assert_eq!(HydraToken::in_bucket(), 1_001 * HYDRA);
        run_to(60);
        assert_eq!(HydraToken::in_bucket(), 1_060 * HYDRA);
        HydraToken::burn_for_duties(0, 1_060 * HYDRA);
        run_to(150);
        // 40 more, and from block 100 on half as much; but no more than 1,100 in all ever flow in.
        assert_eq!(HydraToken::in_bucket(), 40 * HYDRA);
        run_to(1_000_000);
        assert_eq!(HydraToken::in_bucket(), 40 * HYDRA);
        assert_eq!(Bucket::<Test>::get().flowed, 1_060 * HYDRA);
    });
}

#[test]
fn no_more_is_paid_than_is_in_the_bucket() {
    with_chain(|| {
        let before = issuance();
        let paid = HydraToken::pay(0, &account(1), 1, 2_000 * HYDRA, &[(account(2), 1)]);
        assert_eq!(paid.all(), 1_001 * HYDRA);
        assert!(!HydraToken::can_pay(0, 0));
        assert_eq!(HydraToken::quote(0, STANDARD_WORK, 1, ENOUGH), 0);
        assert_eq!(
            HydraToken::pay(0, &account(1), 1, HYDRA, &[(account(2), 1)]).all(),
            0
        );
        assert_eq!(issuance() - before, 1_001 * HYDRA);
        run_to(2);
        assert!(HydraToken::can_pay(0, 0));
    });
}

#[test]
fn a_fifth_that_nobody_earned_stays_in_the_bucket() {
    with_chain(|| {
        let paid = HydraToken::pay(0, &account(1), 1, HYDRA, &[]);
        assert_eq!((paid.holder, paid.verifiers), (HYDRA * 4 / 5, 0));
        assert_eq!(HydraToken::in_bucket(), 1_000 * HYDRA + HYDRA / 5);
    });
}

#[test]
fn what_would_not_bring_a_dead_account_to_life_stays_in_the_bucket() {
    with_chain(|| {
        let dust = <Balances as Inspect<_>>::minimum_balance();
        let right = [(account(9), 1), (account(3), 1)];
        assert_eq!(
            HydraToken::pay(0, &account(8), 1, dust, &right).all(),
            dust / 5 / 2,
            "only account 3 can take so little"
        );
        assert_eq!(balance(8) + balance(9), 0);
        assert_eq!(HydraToken::in_bucket(), 1_001 * HYDRA - dust / 5 / 2);
    });
}

#[test]
fn half_of_a_forfeit_goes_to_those_who_were_right_and_half_is_burnt() {
    with_chain(|| {
        let before = issuance();
        let right = [(account(1), 2), (account(2), 1)];
        HydraToken::share_forfeit(3 * HYDRA + 1, &right);
        assert_eq!(balance(1), 11 * HYDRA);
        assert_eq!(balance(2), 10 * HYDRA + HYDRA / 2);
        assert_eq!(issuance() - before, HYDRA * 3 / 2);
        System::assert_last_event(
            Event::ForfeitShared {
                amount: HYDRA * 3 / 2,
                burnt: HYDRA * 3 / 2 + 1,
            }
            .into(),
        );
        System::assert_has_event(
            Event::ForfeitReceived {
                who: account(2),
                amount: HYDRA / 2,
            }
            .into(),
        );
        assert_eq!(
            Emitted::<Test>::get(),
            0,
            "what is shared was forfeited, and is no new coin"
        );
    });
}

#[test]
fn a_forfeit_that_nobody_shares_is_burnt() {
    with_chain(|| {
        let before = issuance();
        HydraToken::share_forfeit(HYDRA, &[]);
        HydraToken::share_forfeit(HYDRA, &[(account(1), 0)]);
        HydraToken::share_forfeit(1, &[(account(1), 20)]);
        assert_eq!(issuance(), before);
    });
}

/// One who is on both sides of a lie gets back less than it loses.
#[test]
fn whoever_forfeits_to_itself_loses_half() {
    with_chain(|| {
        let before = balance(1);
        HydraToken::share_forfeit(4 * HYDRA, &[(account(1), 20)]);
        assert_eq!(balance(1) - before, 2 * HYDRA);
    });
}

#[test]
fn what_a_round_s_duties_cost_is_never_minted() {
    with_chain(|| {
        let before = issuance();
        HydraToken::burn_for_duties(0, HYDRA);
        System::assert_last_event(
            Event::DutiesPaid {
                model: 0,
                burnt: HYDRA,
            }
            .into(),
        );
        assert_eq!(HydraToken::in_bucket(), 1_000 * HYDRA);
        HydraToken::burn_for_duties(0, ENOUGH);
        System::assert_last_event(
            Event::DutiesPaid {
                model: 0,
                burnt: 1_000 * HYDRA,
            }
            .into(),
        );
        assert_eq!((issuance(), HydraToken::in_bucket()), (before, 0));
        assert!(!HydraToken::can_pay(0, 0));
    });
}
