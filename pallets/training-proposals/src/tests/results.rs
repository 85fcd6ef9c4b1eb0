//! What `submit` takes, what it refuses, and what counts as owed.

use super::helpers::*;
use crate::{Error, WeightInfo, mock::*};
use frame_support::dispatch::{DispatchClass, GetDispatchInfo};
use hydra_primitives::{
    BlobRef, H256,
    duty::DutyResult,
    poll::{Draw, Finding, Opening},
    proposal::{Claim, PlaceKey, Score},
};
use proptest::prelude::*;
use sp_core::crypto::AccountId32;
use sp_runtime::{BoundedVec, DispatchError};

fn heartbeat(session: u32) -> DutyResult {
    DutyResult::Heartbeat { session }
}

fn digest(poll: H256) -> DutyResult {
    DutyResult::Digest {
        poll,
        digest: H256::repeat_byte(3),
    }
}

fn owed(n: u8, results: &[DutyResult]) -> bool {
    Training::all_owed(&account(n), results)
}

#[test]
fn one_result_that_is_refused_does_not_stop_the_others() {
    with_nodes(4, || {
        let mut wrong_seed = proposal(0);
        let mut wrong_size = proposal(0);
        let mut unknown = proposal(0);
        if let DutyResult::Propose { task_seed, .. } = &mut wrong_seed {
            *task_seed = H256::zero();
        }
        if let DutyResult::Propose { claim, .. } = &mut wrong_size {
            claim.update.size += 1;
        }
        if let DutyResult::Propose { key, .. } = &mut unknown {
            key.model = 7;
        }
        let refused = submit(
            &account(1),
            vec![
                heartbeat(5),
                wrong_seed,
                wrong_size,
                unknown,
                digest(H256::zero()),
                open(H256::zero(), OPENING),
                proposal(0),
                heartbeat(0),
            ],
        );
        let error = |error: Error<Test>| DispatchError::from(error);
        let reasons: Vec<_> = refused.iter().map(|(_, reason)| *reason).collect();
        assert_eq!(
            reasons[1..4],
            [
                error(Error::WrongSeed),
                error(Error::WrongUpdateSize),
                error(Error::UnknownModel)
            ]
        );
        let indices: Vec<_> = refused.iter().map(|(index, _)| *index).collect();
        assert_eq!(indices, [0, 1, 2, 3, 4, 5]);
        assert_eq!(place(0).claim, Some(claim(0)));
        assert_eq!(Beats::get().get(&account(1)), Some(&0));
    });
}

#[test]
fn what_is_owed_is_owed_until_it_is_given() {
    with_nodes(4, || {
        assert!(owed(1, &[heartbeat(0), proposal(0)]));
        assert!(submit(&account(1), vec![heartbeat(0), proposal(0)]).is_empty());
        assert!(!owed(1, &[heartbeat(0)]) && !owed(1, &[proposal(0)]));
        propose([1, 2, 3]);
        next_block();
        let poll = poll_of(0);
        assert!(!owed(1, &[digest(poll)]), "its own claim is its digest");
        assert!(owed(2, &[digest(poll)]));
        assert!(submit(&account(2), vec![digest(poll)]).is_empty());
        assert!(!owed(2, &[digest(poll)]));
        assert!(!owed(2, &[open(poll, OPENING)]), "digests are still taken");
        close(&poll);
        let other = Opening {
            witness: H256::zero(),
            ..OPENING
        };
        assert!(!owed(2, &[open(poll, other)]), "it would decide nothing");
        assert!(owed(2, &[open(poll, OPENING)]));
        assert!(submit(&account(2), vec![open(poll, OPENING)]).is_empty());
        assert!(!owed(3, &[open(poll, OPENING)]));
    });
}

#[test]
fn nothing_and_what_is_only_partly_owed_or_given_twice_is_not_owed() {
    with_nodes(4, || {
        assert!(!owed(1, &[]));
        assert!(!owed(1, &[proposal(0), proposal(1)]));
        assert!(!owed(1, &[proposal(0), proposal(0)]));
        let mut other = proposal(0);
        if let DutyResult::Propose { claim, .. } = &mut other {
            claim.update.hash = H256::zero();
        }
        assert!(owed(1, &[other.clone()]));
        assert!(!owed(1, &[proposal(0), other]), "two answers to one duty");
        assert!(!owed(1, &[heartbeat(0), heartbeat(0)]));
        assert!(!owed(9, &[heartbeat(0)]), "a stranger owes nothing");
    });
}

#[test]
fn a_submission_weighs_what_its_worst_results_take_and_is_operational() {
    with_nodes(1, || {
        let info = |results| {
            let results = BoundedVec::truncate_from(results);
            RuntimeCall::Training(crate::Call::submit { results }).get_dispatch_info()
        };
        let (small, large) = (info(vec![heartbeat(0)]), info(vec![open(H256::zero(), OPENING)]));
        assert_eq!(small.class, DispatchClass::Operational);
        assert!(large.call_weight.all_gte(small.call_weight));
        let last = DutyResult::Open {
            poll: H256::zero(),
            draw: Draw::Last,
            opening: OPENING,
        };
        // All entries of the poll are read: 64, and in a last draw 256 and 1,024 more.
        let read = |entries| <() as WeightInfo>::open(entries);
        assert_eq!(large.call_weight, read(64));
        assert_eq!(info(vec![last.clone()]).call_weight, read(64 + 256 + 1_024));
        assert_eq!(
            Training::owed_weight(core::slice::from_ref(&last)),
            <() as WeightInfo>::owed(64 + 256 + 1_024)
        );
        let largest = info(vec![last]).call_weight.ref_time();
        assert!(largest > 5 * large.call_weight.ref_time());
        // Whatever is in it, a block has room for it.
        assert!(largest < Weights::get().max_block.ref_time() / 8);
    });
}

fn any_hash() -> impl Strategy<Value = H256> {
    prop_oneof![
        Just(H256::zero()),
        Just(INITIAL),
        any::<[u8; 32]>().prop_map(H256)
    ]
}

fn any_finding() -> impl Strategy<Value = Finding> {
    prop_oneof![
        any_hash().prop_map(Finding::Update),
        Just(Finding::NotFinite),
        (any_hash(), any::<(u32, u32, u32)>()).prop_map(|(weights, (correct, total, loss))| {
            Finding::Version {
                weights,
                score: Score { correct, total, loss },
            }
        }),
    ]
}

fn any_draw() -> impl Strategy<Value = Draw> {
    prop_oneof![Just(Draw::First), Just(Draw::Appeal), Just(Draw::Last)]
}

fn any_number() -> impl Strategy<Value = u32> {
    prop_oneof![0u32..3, any::<u32>()]
}

/// `polls` and `seeds`: such as there are.
fn any_result(polls: Vec<H256>, seeds: Vec<H256>) -> impl Strategy<Value = DutyResult> {
    let one_of = |known: Vec<H256>| {
        (any::<prop::sample::Index>(), any_hash()).prop_map(move |(index, hash)| {
            if known.is_empty() {
                hash
            } else {
                known[index.index(known.len())]
            }
        })
    };
    let (poll, opened) = (one_of(polls.clone()), one_of(polls));
    prop_oneof![
        any_number().prop_map(|session| DutyResult::Heartbeat { session }),
        (
            (any_number(), any_number(), 0u16..6),
            one_of(seeds),
            any_hash(),
            any_hash(),
            prop_oneof![Just(claim_size()), any::<u64>()]
        )
            .prop_map(
                |((model, round, place), task_seed, base, hash, size)| DutyResult::Propose {
                    key: PlaceKey { model, round, place },
                    task_seed,
                    claim: Claim {
                        base,
                        update: BlobRef { hash, size }
                    },
                }
            ),
        (poll, any_hash()).prop_map(|(poll, digest)| DutyResult::Digest { poll, digest }),
        (opened, any_draw(), any_finding(), any_hash()).prop_map(|(poll, draw, finding, witness)| {
            DutyResult::Open {
                poll,
                draw,
                opening: Opening { finding, witness },
            }
        }),
    ]
}

fn claim_size() -> u64 {
    16 + 4 * spec().architecture.parameters()
}

/// What a hostile account may know of this chain, in this block.
fn known() -> (Vec<H256>, Vec<H256>) {
    let polls = Asked::get().into_keys().collect();
    let seeds = (0..4)
        .map(|index| Training::task_seed_of(0, &round(), index))
        .collect();
    (polls, seeds)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever anybody submits, nothing panics, the invariants hold, and what was said to be owed is taken.
    #[test]
    fn hostile_results_break_nothing(seed: [u8; 32], who in 1u8..6) {
        use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
        use proptest::strategy::ValueTree;
        let random = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
        let mut runner = TestRunner::new_with_rng(Config::default(), random);
        with_nodes(4, || {
            for step in 0..30u32 {
                let (polls, seeds) = known();
                let results = prop::collection::vec(any_result(polls, seeds), 0..4);
                let results = results.new_tree(&mut runner).expect("there are results").current();
                let who: AccountId32 = account(who);
                let owed = Training::all_owed(&who, &results);
                let refused = submit(&who, results);
                assert!(!owed || refused.is_empty(), "{refused:?}");
                if step % 3 == 0 {
                    next_block();
                }
            }
        });
    }
}
