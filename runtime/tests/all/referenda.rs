//! How rules change: tracks, what it takes to pass, who votes with what, and what each track may do.

use crate::chain::{
    self, ENDOWMENT, ayes, enacted, id, is_approved, is_marked, mark, on_local, propose, signed, vote,
};
use codec::Encode;
use frame_support::{
    assert_noop, assert_ok,
    traits::{Get, fungible::InspectHold},
};
use frame_system::RawOrigin;
use hydra_primitives::digits::{DIGITS_INITIAL_WEIGHTS, digits_manifest, digits_spec};
use hydra_runtime::{
    AccountId, Balance, Balances, BlockNumber, ConvictionVoting, GovernanceConfig, HYDRA, OriginCaller,
    Preimage, Referenda, Runtime, RuntimeCall, RuntimeGenesisConfig, RuntimeHoldReason, RuntimeOrigin,
    System, TrainingProposals,
    governance::{MODELS, Origin, Periods, ROOT, Schedule, Tracks, VoteLocking},
};
use pallet_conviction_voting::{AccountVote, Conviction, Vote};
use pallet_referenda::TracksInfo;
use sp_keyring::Sr25519Keyring::{Alice, Bob, Charlie, Dave, Eve, Ferdie};
use sp_runtime::{
    BuildStorage, DispatchError, Perbill,
    traits::{BlakeTwo256, Dispatchable, Hash as _},
};

const ROOT_ORIGIN: RawOrigin<AccountId> = RawOrigin::Root;
/// Half of what each account has, and a twelfth of all HYDRA.
const HALF: Balance = ENDOWMENT / 2;

fn infos() -> Vec<(u16, pallet_referenda::TrackInfo<Balance, BlockNumber>)> {
    Tracks::<Runtime>::tracks()
        .map(|track| (track.id, track.info.clone()))
        .collect()
}

#[test]
fn tracks_are_in_order_and_each_can_be_passed() {
    on_local(|| {
        let infos = infos();
        let ids: Vec<_> = infos.iter().map(|(id, _)| *id).collect();
        assert_eq!(ids, [ROOT, MODELS]);
        assert_eq!(Tracks::<Runtime>::track_ids().collect::<Vec<_>>(), ids);
        assert_ok!(Tracks::<Runtime>::check_integrity());
        for (id, info) in infos {
            assert_eq!(Tracks::<Runtime>::info(id).unwrap().into_owned(), info);
            assert!(info.max_deciding > 0, "track {id} decides nothing");
            assert!(
                info.confirm_period <= info.decision_period,
                "track {id} ends before it confirms"
            );
            for (curve, everybody) in [(&info.min_approval, "approval"), (&info.min_support, "support")] {
                assert!(
                    curve.passing(Perbill::one(), Perbill::one()),
                    "{everybody} of everybody is not enough for track {id}"
                );
                assert!(
                    !curve.passing(Perbill::one(), Perbill::zero()),
                    "nobody's {everybody} is enough for track {id}"
                );
            }
        }
    });
}

#[test]
fn more_than_two_thirds_approve_a_root_referendum_from_the_first_block_to_the_last() {
    on_local(|| {
        let (_, root) = infos().remove(0);
        for at in [Perbill::zero(), Perbill::from_percent(50), Perbill::one()] {
            assert!(!root.min_approval.passing(at, Perbill::from_rational(2u32, 3)));
            assert!(
                root.min_approval
                    .passing(at, Perbill::from_rational(666_667u32, 1_000_000))
            );
        }
    });
}

#[test]
fn an_origin_belongs_to_one_track_and_an_account_to_none() {
    let track = |origin: OriginCaller| Tracks::<Runtime>::track_for(&origin);
    assert_eq!(track(ROOT_ORIGIN.into()), Ok(ROOT));
    assert_eq!(track(Origin::Models.into()), Ok(MODELS));
    assert_eq!(track(RawOrigin::Signed(id(Alice)).into()), Err(()));
    assert_eq!(track(RawOrigin::<AccountId>::None.into()), Err(()));
}

#[test]
fn the_periods_are_those_of_the_genesis_and_days_unless_it_says_otherwise() {
    let last_for = |schedule: Schedule| {
        let genesis = RuntimeGenesisConfig {
            governance: GovernanceConfig {
                schedule,
                ..Default::default()
            },
            ..Default::default()
        };
        let mut chain: sp_io::TestExternalities = genesis.build_storage().expect("a genesis").into();
        chain.execute_with(|| (infos().remove(0).1.decision_period, VoteLocking::<Runtime>::get()))
    };
    let day = 24 * 60 * 6;
    assert_eq!(last_for(Schedule::default()), (14 * day, 7 * day));
    let short = Periods {
        prepare: 1,
        decision: 11,
        confirm: 2,
        enactment: 1,
    };
    let short = Schedule {
        root: short,
        models: short,
        vote_locking: 3,
    };
    assert_eq!(last_for(short), (11, 3));
}

fn build(schedule: Schedule) {
    let genesis = RuntimeGenesisConfig {
        governance: GovernanceConfig {
            schedule,
            ..Default::default()
        },
        ..Default::default()
    };
    let _ = genesis.build_storage();
}

#[test]
#[should_panic(expected = "governance.schedule.models")]
fn a_genesis_in_which_nothing_could_be_confirmed_is_refused() {
    let mut schedule = Schedule::default();
    schedule.models.confirm = schedule.models.decision + 1;
    build(schedule);
}

#[test]
#[should_panic(expected = "governance.schedule.voteLocking")]
fn a_genesis_in_which_votes_are_free_before_what_they_decided_happens_is_refused() {
    let mut schedule = Schedule::default();
    schedule.models.enactment = schedule.vote_locking + 1;
    build(schedule);
}

#[test]
fn a_root_referendum_with_three_quarters_of_the_votes_does_what_only_root_can() {
    on_local(|| {
        let index = propose(Alice, ROOT_ORIGIN, mark());
        for who in [Alice, Bob, Charlie] {
            vote(who, index, true, HALF);
        }
        vote(Dave, index, false, HALF);
        assert!(is_approved(index));
        assert!(!is_marked(), "it is enacted before its time");
        assert_ok!(enacted());
        assert!(is_marked());
    });
}

#[test]
fn a_root_referendum_with_exactly_two_thirds_of_the_votes_is_rejected() {
    on_local(|| {
        let index = propose(Alice, ROOT_ORIGIN, mark());
        for (who, aye) in [(Alice, true), (Bob, true), (Charlie, false)] {
            vote(who, index, aye, HALF);
        }
        assert!(!is_approved(index));
        for _ in 0..10 {
            chain::next_block();
        }
        assert!(!is_marked());
    });
}

#[test]
fn what_few_say_yes_to_is_rejected_though_nobody_says_no() {
    on_local(|| {
        let index = propose(Alice, ROOT_ORIGIN, mark());
        // Less than a tenth of six million.
        vote(Alice, index, true, HALF);
        assert!(!is_approved(index));
    });
}

/// Who locks its HYDRA for longer outvotes who has more, as long as enough HYDRA says yes at all.
#[test]
fn a_minority_with_conviction_passes_a_root_referendum_against_a_majority_without() {
    on_local(|| {
        let index = propose(Eve, ROOT_ORIGIN, mark());
        let locked = AccountVote::Standard {
            vote: Vote {
                aye: true,
                conviction: Conviction::Locked6x,
            },
            // A little more than 15 % of all HYDRA.
            balance: ENDOWMENT / 20 * 19,
        };
        assert_ok!(ConvictionVoting::vote(signed(Alice), index, locked));
        for who in [Bob, Charlie] {
            vote(who, index, false, ENDOWMENT / 20 * 19);
        }
        assert_eq!(ayes(index), 6 * (ENDOWMENT / 20 * 19));
        assert!(is_approved(index));
        assert_ok!(enacted());
        assert!(is_marked());
    });
}

#[test]
fn conviction_does_not_replace_support() {
    on_local(|| {
        let index = propose(Eve, ROOT_ORIGIN, mark());
        let locked = AccountVote::Standard {
            vote: Vote {
                aye: true,
                conviction: Conviction::Locked6x,
            },
            // Less than a tenth of six million, and counted six times half of it.
            balance: HALF,
        };
        assert_ok!(ConvictionVoting::vote(signed(Alice), index, locked));
        assert!(!is_approved(index));
    });
}

#[test]
fn abstentions_count_as_support_and_not_as_votes() {
    on_local(|| {
        let index = propose(Eve, ROOT_ORIGIN, mark());
        vote(Alice, index, true, HALF);
        let abstains = AccountVote::SplitAbstain {
            aye: 0,
            nay: 0,
            abstain: HALF,
        };
        // With theirs, a quarter of six million.
        for who in [Bob, Charlie] {
            assert_ok!(ConvictionVoting::vote(signed(who), index, abstains));
        }
        assert_eq!(ayes(index), HALF);
        assert!(is_approved(index));
    });
}

/// What Eve, who has no stake, has laid down.
fn laid_down() -> Balance {
    System::account(id(Eve)).data.reserved
}

#[test]
fn whoever_proposed_what_was_approved_gets_every_deposit_back_by_a_call_for_each() {
    on_local(|| {
        let index = propose(Eve, ROOT_ORIGIN, mark());
        assert_noop!(
            Referenda::refund_decision_deposit(signed(Eve), index),
            pallet_referenda::Error::<Runtime>::Unfinished
        );
        for who in [Alice, Bob, Charlie] {
            vote(who, index, true, HALF);
        }
        assert!(is_approved(index));
        assert_ok!(enacted());
        // Nothing comes back by itself, and anybody may see to it.
        let all = laid_down();
        assert_ok!(Referenda::refund_submission_deposit(signed(Bob), index));
        assert_eq!(laid_down(), all - HYDRA);
        assert_ok!(Referenda::refund_decision_deposit(signed(Bob), index));
        assert_eq!(laid_down(), all - 101 * HYDRA);
        let hash = BlakeTwo256::hash(&mark().encode());
        assert!(Preimage::unnote_preimage(signed(Bob), hash).is_err());
        assert_ok!(Preimage::unnote_preimage(signed(Eve), hash));
        assert_eq!(laid_down(), 0);
    });
}

#[test]
fn the_submission_deposit_of_what_was_rejected_stays() {
    on_local(|| {
        let index = propose(Eve, ROOT_ORIGIN, mark());
        assert!(!is_approved(index));
        let all = laid_down();
        assert_ok!(Referenda::refund_decision_deposit(signed(Eve), index));
        assert_eq!(laid_down(), all - 100 * HYDRA);
        assert_noop!(
            Referenda::refund_submission_deposit(signed(Eve), index),
            pallet_referenda::Error::<Runtime>::BadStatus
        );
    });
}

#[test]
fn what_root_kills_loses_both_deposits_and_what_it_cancels_none() {
    on_local(|| {
        let index = propose(Eve, ROOT_ORIGIN, mark());
        let (all, issued) = (laid_down(), Balances::total_issuance());
        assert_noop!(Referenda::kill(signed(Eve), index), DispatchError::BadOrigin);
        assert_ok!(Referenda::kill(RuntimeOrigin::root(), index));
        assert_eq!(laid_down(), all - 101 * HYDRA);
        assert_eq!(Balances::total_issuance(), issued - 101 * HYDRA);

        let hash = BlakeTwo256::hash(&mark().encode());
        assert_ok!(Preimage::unnote_preimage(signed(Eve), hash));
        let index = propose(Eve, ROOT_ORIGIN, mark());
        assert_ok!(Referenda::cancel(RuntimeOrigin::root(), index));
        assert_ok!(Referenda::refund_submission_deposit(signed(Eve), index));
        assert_ok!(Referenda::refund_decision_deposit(signed(Eve), index));
        assert_ok!(Preimage::unnote_preimage(signed(Eve), hash));
        assert_eq!(laid_down(), 0);
    });
}

/// Until then whoever proposed it may take the preimage back.
#[test]
fn what_is_approved_without_its_preimage_does_nothing() {
    on_local(|| {
        let index = propose(Eve, ROOT_ORIGIN, mark());
        let hash = BlakeTwo256::hash(&mark().encode());
        assert_ok!(Preimage::unnote_preimage(signed(Eve), hash));
        for who in [Alice, Bob, Charlie] {
            vote(who, index, true, HALF);
        }
        assert!(is_approved(index));
        for _ in 0..10 {
            chain::next_block();
        }
        assert!(!is_marked());
    });
}

#[test]
fn the_models_track_adds_a_model() {
    on_local(|| {
        let call = RuntimeCall::TrainingProposals(pallet_training_proposals::Call::add_model {
            spec: digits_spec(),
            dataset: digits_manifest(),
            weights: DIGITS_INITIAL_WEIGHTS,
        });
        let index = propose(Alice, Origin::Models, call);
        for who in [Alice, Bob, Charlie] {
            vote(who, index, true, HALF);
        }
        assert!(is_approved(index));
        assert_ok!(enacted());
        assert_eq!(TrainingProposals::model_ids(), [0, 1]);
    });
}

#[test]
fn the_models_track_can_do_nothing_else() {
    on_local(|| {
        for call in [
            mark(),
            RuntimeCall::System(frame_system::Call::set_code { code: vec![0; 8] }),
            RuntimeCall::System(frame_system::Call::authorize_upgrade {
                code_hash: Default::default(),
            }),
            RuntimeCall::Scheduler(pallet_scheduler::Call::schedule_after {
                after: 1,
                maybe_periodic: None,
                priority: 0,
                call: Box::new(mark()),
            }),
            RuntimeCall::Referenda(pallet_referenda::Call::kill { index: 0 }),
        ] {
            let name = format!("{call:?}");
            let done = call.dispatch(Origin::Models.into());
            assert_eq!(done.expect_err(&name).error, DispatchError::BadOrigin, "{name}");
        }
        // And the long way.
        let index = propose(Alice, Origin::Models, mark());
        for who in [Alice, Bob, Charlie] {
            vote(who, index, true, HALF);
        }
        assert!(is_approved(index));
        assert_eq!(enacted(), Err(DispatchError::BadOrigin));
        assert!(!is_marked());
    });
}

#[test]
fn what_is_bonded_as_stake_votes_with_the_rest() {
    on_local(|| {
        let bond = RuntimeHoldReason::StakeVoting(pallet_stake_voting::HoldReason::Bond);
        assert_eq!(Balances::balance_on_hold(&bond, &id(Alice)), 100 * HYDRA);
        let index = propose(Bob, ROOT_ORIGIN, mark());
        // All but 1 HYDRA of what isn't bonded is gone.
        assert_ok!(Balances::transfer_keep_alive(
            signed(Alice),
            id(Ferdie).into(),
            ENDOWMENT - 101 * HYDRA
        ));
        assert!(Balances::free_balance(id(Alice)) <= HYDRA);
        // What a vote locks and what is bonded are the same HYDRA, so the one that is free stays free.
        vote(Alice, index, true, 100 * HYDRA);
        assert_eq!(ayes(index), 100 * HYDRA);
        assert!(Balances::usable_balance(id(Alice)) > HYDRA / 2);
        vote(Alice, index, true, 101 * HYDRA);
        assert_eq!(ayes(index), 101 * HYDRA);
        let too_much = AccountVote::Standard {
            vote: Vote {
                aye: true,
                conviction: Conviction::Locked1x,
            },
            balance: 101 * HYDRA + 1,
        };
        assert_noop!(
            ConvictionVoting::vote(signed(Alice), index, too_much),
            pallet_conviction_voting::Error::<Runtime>::InsufficientFunds
        );
    });
}

#[test]
fn who_has_no_stake_votes_with_what_it_has() {
    on_local(|| {
        let index = propose(Alice, ROOT_ORIGIN, mark());
        vote(Eve, index, true, ENDOWMENT);
        assert_eq!(ayes(index), ENDOWMENT);
    });
}
