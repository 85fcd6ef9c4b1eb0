//! Whatever is paid, burnt, shared and asked, in whatever order: every unit is accounted for.

use frame_support::traits::{
    fungible::{InspectHold, Mutate},
    tokens::{Fortitude, Precision, Preservation},
};
use hydra_primitives::{Balance, H256, HYDRA, traits::Rewards};
use proptest::prelude::*;

use crate::{Bucket, Emitted, Event, HoldReason, mock::*};

#[derive(Clone, Debug)]
enum Step {
    Pay {
        model: u32,
        holder: u8,
        work: u64,
        right: Vec<(u8, u32)>,
    },
    Duties {
        model: u32,
        amount: Balance,
    },
    Forfeit {
        who: u8,
        amount: Balance,
        right: Vec<(u8, u32)>,
    },
    Ask(u8),
    Claim(u8),
    Sponsor(u8, Balance),
    Withdraw(u8),
    SetSponsor(Option<u8>),
    Blocks(u64),
}

fn amount() -> impl Strategy<Value = Balance> {
    prop_oneof![0..HYDRA / 1_000, 0..3 * HYDRA, 0..500 * HYDRA]
}

fn right() -> impl Strategy<Value = Vec<(u8, u32)>> {
    prop::collection::vec((1u8..9, 0u32..21), 0..6)
}

fn model() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0u32), Just(2u32)]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (model(), 1u8..9, any::<u32>(), right())
            .prop_map(|(model, holder, work, right)| Step::Pay { model, holder, work: u64::from(work), right }),
        2 => (model(), amount()).prop_map(|(model, amount)| Step::Duties { model, amount }),
        2 => (1u8..4, amount(), right()).prop_map(|(who, amount, right)| Step::Forfeit { who, amount, right }),
        1 => (1u8..9).prop_map(Step::Ask),
        1 => (1u8..9).prop_map(Step::Claim),
        2 => (1u8..4, amount()).prop_map(|(who, amount)| Step::Sponsor(who, amount)),
        1 => (1u8..4).prop_map(Step::Withdraw),
        1 => prop::option::of(1u8..4).prop_map(Step::SetSponsor),
        2 => (0u64..60).prop_map(Step::Blocks),
    ]
}

fn accounts(right: Vec<(u8, u32)>) -> Vec<(sp_core::crypto::AccountId32, u32)> {
    right.into_iter().map(|(n, seats)| (account(n), seats)).collect()
}

/// What the chain burnt for duties and minted of forfeits, by its events, since the last look.
fn told() -> (Balance, Balance) {
    let (mut burnt, mut shared) = (0, 0);
    for record in System::events() {
        match record.event {
            RuntimeEvent::HydraToken(Event::DutiesPaid { burnt: more, .. }) => burnt += more,
            RuntimeEvent::HydraToken(Event::ForfeitShared { amount, .. }) => shared += amount,
            _ => {}
        }
    }
    System::reset_events();
    (burnt, shared)
}

proptest! {
    #[test]
    fn all_that_is_minted_less_all_that_is_burnt_is_what_issuance_changed_by(steps in prop::collection::vec(step(), 1..60)) {
        with_chain(|| {
            let genesis = Balances::total_issuance();
            let (mut minted, mut burnt, mut never_minted) = (0, 0, 0);
            for step in steps {
                let sponsored = |model: u32| crate::Sponsors::<Test>::contains_key(model);
                let issuance = Balances::total_issuance();
                match step {
                    Step::Pay { model, holder, work, right } => {
                        let reward = HydraToken::quote(model, work, 1, 2 * HYDRA);
                        assert!(reward <= 2 * HYDRA && reward <= HydraToken::in_bucket().max(500 * HYDRA) / 1_000);
                        let paid = HydraToken::pay(model, &account(holder), work, reward, &accounts(right)).all();
                        assert!(paid <= reward);
                        if sponsored(model) {
                            assert_eq!(Balances::total_issuance(), issuance);
                        } else {
                            minted += paid;
                        }
                    }
                    Step::Duties { model, amount } => {
                        let _ = told();
                        HydraToken::burn_for_duties(model, amount);
                        let (told, _) = told();
                        assert!(told <= amount);
                        if sponsored(model) {
                            burnt += told;
                        } else {
                            never_minted += told;
                        }
                    }
                    Step::Forfeit { who, amount, right } => {
                        // As `Stakes::forfeit` does: burnt first.
                        let who = account(who);
                        let lost = Balances::burn_from(
                            &who, amount, Preservation::Preserve, Precision::BestEffort, Fortitude::Polite,
                        ).unwrap_or(0);
                        burnt += lost;
                        let _ = told();
                        HydraToken::share_forfeit(lost, &accounts(right));
                        let (_, shared) = told();
                        assert!(shared <= lost / 2);
                        minted += shared;
                    }
                    Step::Ask(n) => {
                        let _ = HydraToken::pay_query(RuntimeOrigin::signed(account(n)), 0, H256::zero());
                    }
                    Step::Claim(n) => {
                        let _ = HydraToken::claim(RuntimeOrigin::signed(account(n)), 0);
                    }
                    Step::Sponsor(n, amount) => {
                        let _ = HydraToken::sponsor(RuntimeOrigin::signed(account(n)), 2, amount);
                    }
                    Step::Withdraw(n) => {
                        let _ = HydraToken::withdraw_sponsorship(RuntimeOrigin::signed(account(n)), 2);
                    }
                    Step::SetSponsor(sponsor) => {
                        HydraToken::set_sponsor(RuntimeOrigin::root(), 2, sponsor.map(account)).unwrap();
                    }
                    Step::Blocks(blocks) => System::set_block_number(System::block_number() + blocks),
                }
                assert_eq!(Balances::total_issuance(), genesis + minted - burnt);
                assert!(Emitted::<Test>::get() <= EmissionCap::get());
                let level = Bucket::<Test>::get();
                assert_eq!(Emitted::<Test>::get() + never_minted + level.has, level.flowed);
                HydraToken::do_try_state().unwrap();
            }
            for n in 1..4 {
                let left = crate::Sponsors::<Test>::get(2)
                    .filter(|sponsorship| sponsorship.account == account(n))
                    .map_or(0, |sponsorship| sponsorship.left);
                assert_eq!(Balances::balance_on_hold(&HoldReason::Sponsorship.into(), &account(n)), left);
            }
        });
    }
}
