//! The off-chain worker against a scripted trainer.

use super::helpers::*;
use crate::{
    crypto::KEY_TYPE,
    mock::{
        Accounts, Bonds, Extrinsic, Neighbours, Paused, RuntimeCall, System, Test, Training,
        check_invariants, genesis, next_block,
    },
};
use codec::{Decode, Encode};
use frame_support::traits::Hooks;
use hydra_primitives::{
    H256, ModelId,
    duty::{
        DutyAnswer, DutyResult, DutySheet, NO_ACCOUNT, Standing, TAG_HEADER, TRAINER_LINK_KEY, TrainerLink,
        answer_tag, request_tag,
    },
    poll::{Draw, Opening},
    traits::Polls,
};
use parking_lot::RwLock;
use sp_core::{
    Pair as _,
    crypto::AccountId32,
    offchain::{
        OffchainDbExt, OffchainStorage, OffchainWorkerExt, TransactionPoolExt,
        testing::{OffchainState, PendingRequest, PoolState, TestOffchainExt, TestTransactionPoolExt},
    },
    sr25519,
};
use sp_keystore::{Keystore, KeystoreExt, testing::MemoryKeystore};
use std::sync::Arc;

const LINK: TrainerLink = TrainerLink {
    port: 8790,
    token: [9; 32],
    started: 1,
};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Runs `test` where the local key `hydr` belongs to a registered, staked account.
fn with_worker(test: impl FnOnce(AccountId32, Arc<RwLock<OffchainState>>, Arc<RwLock<PoolState>>)) {
    let alice = account_of("//Alice");
    with_keys(
        &["//Alice"],
        vec![alice.clone(), AccountId32::new([2; 32])],
        |state, pool| {
            test(alice, state, pool);
        },
    );
}

fn account_of(suri: &str) -> AccountId32 {
    let pair = sr25519::Pair::from_string(suri, None).expect("a well-known key");
    AccountId32::new(pair.public().0)
}

/// Runs `test` where these are the local keys, and these accounts are registered and staked.
fn with_keys(
    suris: &[&str],
    members: Vec<AccountId32>,
    test: impl FnOnce(Arc<RwLock<OffchainState>>, Arc<RwLock<PoolState>>),
) {
    let keystore = MemoryKeystore::new();
    for suri in suris {
        keystore
            .sr25519_generate_new(KEY_TYPE, Some(suri))
            .expect("keys can be made");
    }
    let mut chain = genesis(members);
    let (offchain, offchain_state) = TestOffchainExt::new();
    let (pool, pool_state) = TestTransactionPoolExt::new();
    chain.register_extension(OffchainDbExt::new(offchain.clone()));
    chain.register_extension(OffchainWorkerExt::new(offchain));
    chain.register_extension(TransactionPoolExt::new(pool));
    chain.register_extension(KeystoreExt::new(keystore));
    offchain_state
        .write()
        .persistent_storage
        .set(b"", TRAINER_LINK_KEY, &LINK.encode());
    chain.execute_with(|| {
        // The first round opens.
        next_block();
        test(offchain_state, pool_state);
        check_invariants();
    });
}

/// The next request will be the current duty sheet; the trainer answers with `results`, tagged with `token`.
fn expect_sheet(
    account: &AccountId32,
    state: &RwLock<OffchainState>,
    token: [u8; 32],
    results: Vec<DutyResult>,
) {
    let answer = DutyAnswer {
        results,
        unknown: vec![],
    };
    expect(&Training::duty_sheet(account), state, token, &answer);
}

/// The next request will be this sheet.
fn expect(sheet: &DutySheet, state: &RwLock<OffchainState>, token: [u8; 32], answer: &DutyAnswer) {
    let body = sheet.encode();
    let tag = request_tag(&LINK.token, &body);
    let response = answer.encode();
    let answered = answer_tag(&token, &tag, &response);
    state.write().expect_request(PendingRequest {
        method: "POST".into(),
        uri: "http://127.0.0.1:8790/v1/duties".into(),
        headers: vec![
            (TAG_HEADER.into(), hex(&tag)),
            ("content-type".into(), "application/octet-stream".into()),
        ],
        body,
        sent: true,
        response: Some(response),
        response_headers: vec![(TAG_HEADER.into(), hex(&answered))],
        ..Default::default()
    });
}

fn heartbeat() -> DutyResult {
    DutyResult::Heartbeat { session: 0 }
}

fn run() {
    Training::offchain_worker(System::block_number());
}

/// What was sent.
fn results(extrinsic: &[u8]) -> Vec<DutyResult> {
    let extrinsic = Extrinsic::decode(&mut &extrinsic[..]).expect("an extrinsic");
    match extrinsic.function {
        RuntimeCall::Training(crate::Call::submit { results }) => results.into_inner(),
        other => panic!("not a submission: {other:?}"),
    }
}

#[test]
fn results_of_the_trainer_go_out_in_one_submission_and_nothing_else_until_it_is_included() {
    with_worker(|account, state, pool| {
        let all = vec![heartbeat(), proposal(0)];
        expect_sheet(&account, &state, LINK.token, all.clone());
        run();
        assert_eq!(pool.read().transactions.len(), 1);
        assert_eq!(results(&pool.read().transactions[0]), all);
        // Still under way: the same results again change nothing.
        System::set_block_number(3);
        expect_sheet(&account, &state, LINK.token, all.clone());
        run();
        assert_eq!(pool.read().transactions.len(), 1);
        // Included: the account's nonce moved on.
        frame_system::Pallet::<Test>::inc_account_nonce(&account);
        expect_sheet(&account, &state, LINK.token, all);
        run();
        assert_eq!(pool.read().transactions.len(), 2);
    });
}

#[test]
fn an_extrinsic_that_was_never_included_is_given_up_within_the_shortest_phase() {
    with_worker(|account, state, pool| {
        for (block, sent) in [(2, 1), (4, 1), (5, 2)] {
            while System::block_number() < block {
                next_block();
            }
            expect_sheet(&account, &state, LINK.token, vec![proposal(0)]);
            run();
            assert_eq!(pool.read().transactions.len(), sent, "block {block}");
        }
    });
}

#[test]
fn what_is_not_owed_any_more_does_not_hold_up_what_is() {
    with_worker(|account, state, pool| {
        let poll = closed_poll();
        let open = open(poll, OPENING);
        expect_sheet(&account, &state, LINK.token, vec![open.clone()]);
        run();
        assert_eq!(
            results(&pool.read().transactions[0]),
            core::slice::from_ref(&open)
        );
        expect_sheet(&account, &state, LINK.token, vec![heartbeat()]);
        run();
        assert_eq!(pool.read().transactions.len(), 1, "it is under way");
        // Somebody else was faster.
        <Neighbours as Polls<AccountId32>>::open(&poll, &account, Draw::First, &OPENING).expect("it decides");
        expect_sheet(&account, &state, LINK.token, vec![heartbeat()]);
        run();
        assert_eq!(results(&pool.read().transactions[1]), [heartbeat()]);
    });
}

#[test]
fn a_restarted_node_sends_again_what_died_with_its_pool() {
    with_worker(|account, state, pool| {
        for (started, sent) in [(1, 1), (1, 1), (2, 2)] {
            let link = TrainerLink { started, ..LINK };
            state
                .write()
                .persistent_storage
                .set(b"", TRAINER_LINK_KEY, &link.encode());
            expect_sheet(&account, &state, LINK.token, vec![proposal(0)]);
            run();
            assert_eq!(pool.read().transactions.len(), sent, "run {started}");
        }
    });
}

#[test]
fn results_that_are_not_owed_are_not_sent() {
    with_worker(|account, state, pool| {
        let mut of_another_branch = proposal(0);
        if let DutyResult::Propose { task_seed, .. } = &mut of_another_branch {
            *task_seed = H256::zero();
        }
        let digest = DutyResult::Digest {
            poll: H256::zero(),
            digest: H256::zero(),
        };
        let of_another_place = proposal(1);
        expect_sheet(
            &account,
            &state,
            LINK.token,
            vec![of_another_branch, digest, of_another_place],
        );
        run();
        assert!(pool.read().transactions.is_empty());
        // Nor twice the same.
        expect_sheet(
            &account,
            &state,
            LINK.token,
            vec![heartbeat(), proposal(0), heartbeat(), proposal(0)],
        );
        run();
        assert_eq!(results(&pool.read().transactions[0]), [heartbeat(), proposal(0)]);
    });
}

#[test]
fn an_opening_goes_out_alone_when_nothing_else_is_owed_and_never_if_it_does_not_decide() {
    with_worker(|account, state, pool| {
        let poll = closed_poll();
        // Others may open it, too.
        System::set_block_number(93);
        let other = Opening {
            witness: H256::zero(),
            ..OPENING
        };
        let (right, wrong) = (open(poll, OPENING), open(poll, other));
        expect_sheet(&account, &state, LINK.token, vec![wrong.clone()]);
        run();
        assert!(pool.read().transactions.is_empty());
        expect_sheet(
            &account,
            &state,
            LINK.token,
            vec![heartbeat(), wrong.clone(), right.clone()],
        );
        run();
        // Somebody else may open it first, and take the heartbeat with it.
        assert_eq!(results(&pool.read().transactions[0]), [heartbeat()]);
        frame_system::Pallet::<Test>::inc_account_nonce(&account);
        expect_sheet(&account, &state, LINK.token, vec![wrong, right.clone()]);
        run();
        assert_eq!(results(&pool.read().transactions[1]), [right]);
    });
}

#[test]
fn an_opening_goes_out_with_all_else_while_nobody_else_may_open_and_before_it_when_the_next_block_is_the_last()
 {
    with_worker(|account, state, pool| {
        let open = open(closed_poll(), OPENING);
        // From block 92 on this account may, from 93 on another one, too.
        for (block, sent) in [
            (92, vec![heartbeat(), open.clone()]),
            (93, vec![heartbeat()]),
            (98, vec![heartbeat()]),
            (99, vec![open.clone()]),
        ] {
            System::set_block_number(block);
            expect_sheet(&account, &state, LINK.token, vec![heartbeat(), open.clone()]);
            run();
            let transactions = pool.read().transactions.clone();
            assert_eq!(
                results(transactions.last().expect("it was sent")),
                sent,
                "block {block}"
            );
            frame_system::Pallet::<Test>::inc_account_nonce(&account);
        }
    });
}

#[test]
fn a_trainer_that_does_not_know_a_model_is_told_and_asked_again_in_the_same_block() {
    with_worker(|account, state, pool| {
        let unknown: Vec<ModelId> = vec![0, 9];
        let mut sheet = Training::duty_sheet(&account);
        let answer = |results, unknown: &[ModelId]| DutyAnswer {
            results,
            unknown: unknown.to_vec(),
        };
        expect(&sheet, &state, LINK.token, &answer(vec![], &unknown));
        Training::describe(&mut sheet, &unknown);
        assert_eq!(sheet.described.len(), 1);
        expect(&sheet, &state, LINK.token, &answer(vec![proposal(0)], &[]));
        run();
        assert_eq!(results(&pool.read().transactions[0]), [proposal(0)]);
    });
}

#[test]
fn what_a_trainer_has_counts_though_its_second_answer_is_none() {
    with_worker(|account, state, pool| {
        let mut sheet = Training::duty_sheet(&account);
        let first = DutyAnswer {
            results: vec![heartbeat()],
            unknown: vec![0],
        };
        expect(&sheet, &state, LINK.token, &first);
        Training::describe(&mut sheet, &[0]);
        expect(&sheet, &state, [8; 32], &first);
        run();
        assert_eq!(results(&pool.read().transactions[0]), [heartbeat()]);
    });
}

#[test]
fn an_answer_without_the_token_is_ignored() {
    with_worker(|account, state, pool| {
        expect_sheet(&account, &state, [8; 32], vec![proposal(0)]);
        run();
        assert!(pool.read().transactions.is_empty());
    });
}

#[test]
fn without_a_link_to_a_trainer_the_worker_does_nothing() {
    with_worker(|_, state, pool| {
        state.write().persistent_storage.remove(b"", TRAINER_LINK_KEY);
        run();
        assert!(pool.read().transactions.is_empty());
    });
}

/// Without it its trainer knew of no model, and nobody could ask anything on this PC.
#[test]
fn a_pc_that_does_not_take_part_gets_a_sheet_without_duties() {
    let bob = || vec![AccountId32::new([2; 32])];
    let asked = |sheet_of: &AccountId32, state: &RwLock<OffchainState>, pool: &RwLock<PoolState>| {
        let sheet = Training::duty_sheet(sheet_of);
        assert_eq!(sheet.standing, Standing::Unregistered);
        assert!(!sheet.models.is_empty());
        assert!(sheet.models.iter().all(|model| model.duties.is_empty()));
        // Fails the test if it isn't sent. Whatever comes back, there is nobody to sign it.
        expect_sheet(sheet_of, state, LINK.token, vec![proposal(0)]);
        run();
        assert!(pool.read().transactions.is_empty());
    };
    // Nobody has registered the local account.
    with_keys(&["//Alice"], bob(), |state, pool| {
        asked(&account_of("//Alice"), &state, &pool);
    });
    // There is no local account.
    with_keys(&[], bob(), |state, pool| {
        asked(&AccountId32::new(NO_ACCOUNT), &state, &pool);
    });
}

#[test]
fn an_account_that_is_paused_or_has_too_little_bonded_is_told_so() {
    with_worker(|account, state, _| {
        let notice = |words: &str| {
            expect_sheet(&account, &state, LINK.token, vec![]);
            run();
            let notices = Training::roll_call().notices;
            assert!(
                matches!(&notices[..], [line] if line.contains(words)),
                "{notices:?}"
            );
        };
        Paused::set(&vec![account.clone()]);
        notice("is paused");
        Paused::set(&vec![]);
        Bonds::set(&Default::default());
        notice("less bonded than the minimum stake");
    });
}

#[test]
fn of_two_local_accounts_the_registered_one_is_the_pcs_and_the_other_one_is_not_mentioned() {
    let (alice, eve) = (account_of("//Alice"), account_of("//Eve"));
    with_keys(&["//Alice", "//Eve"], vec![alice.clone()], |state, pool| {
        // One sheet only: another request would fail the test.
        expect_sheet(&alice, &state, LINK.token, vec![proposal(0)]);
        run();
        assert!(Training::roll_call().notices.is_empty());
        assert_eq!(pool.read().transactions.len(), 1);
        assert_eq!(Accounts::get(), core::slice::from_ref(&alice));
    });
    with_keys(
        &["//Alice", "//Eve"],
        vec![AccountId32::new([2; 32])],
        |state, _| {
            let first = if alice < eve { &alice } else { &eve };
            expect_sheet(first, &state, LINK.token, vec![]);
            run();
            let notices = Training::roll_call().notices;
            assert_eq!(notices.len(), 2);
            assert!(
                notices.iter().all(|line| line.contains("is not registered")),
                "{notices:?}"
            );
        },
    );
}
