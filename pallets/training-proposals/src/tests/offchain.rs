use crate::{
    crypto::KEY_TYPE,
    mock::{RuntimeCall, System, Test, Training, check_invariants, genesis, next_block, proposal},
};
use codec::{Decode, Encode};
use frame_support::traits::Hooks;
use hydra_primitives::{
    H256,
    duty::{DutyAnswer, DutyResult, TAG_HEADER, TRAINER_LINK_KEY, TrainerLink, answer_tag, request_tag},
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
    let keystore = MemoryKeystore::new();
    let public = keystore
        .sr25519_generate_new(KEY_TYPE, Some("//Alice"))
        .expect("keys can be made");
    let account = AccountId32::new(public.0);
    let mut chain = genesis(vec![account.clone(), AccountId32::new([2; 32])]);
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
        System::set_block_number(1);
        test(account, offchain_state, pool_state);
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
    let body = Training::duty_sheet(account).expect("registered").encode();
    let tag = request_tag(&LINK.token, &body);
    let response = DutyAnswer { results }.encode();
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

fn propose(round: u32) -> DutyResult {
    DutyResult::Propose {
        model: 0,
        round,
        task_seed: task_seed(),
        proposal: proposal(1),
    }
}

/// The seed that the worker's account has to train with.
fn task_seed() -> H256 {
    let pair = sr25519::Pair::from_string("//Alice", None).expect("a well-known key");
    let round = crate::Rounds::<Test>::get(0).expect("there is a round");
    Training::task_seed_of(0, &round, &AccountId32::new(pair.public().0))
}

fn run() {
    Training::offchain_worker(System::block_number());
}

fn calls(extrinsic: &[u8]) -> Vec<RuntimeCall> {
    let extrinsic = crate::mock::Extrinsic::decode(&mut &extrinsic[..]).expect("an extrinsic");
    match extrinsic.function {
        RuntimeCall::Utility(pallet_utility::Call::force_batch { calls }) => calls,
        other => panic!("not a batch: {other:?}"),
    }
}

#[test]
fn results_of_the_trainer_go_out_in_one_signed_batch_and_nothing_else_until_it_is_included() {
    with_worker(|account, state, pool| {
        expect_sheet(&account, &state, LINK.token, vec![propose(0)]);
        run();
        assert_eq!(pool.read().transactions.len(), 1);
        let sent = calls(&pool.read().transactions[0]);
        assert!(matches!(
            sent[..],
            [RuntimeCall::Training(crate::Call::propose {
                model: 0,
                round: 0,
                ..
            })]
        ));
        // Still under way: the same results again change nothing.
        System::set_block_number(2);
        expect_sheet(&account, &state, LINK.token, vec![propose(0)]);
        run();
        assert_eq!(pool.read().transactions.len(), 1);
        // Included: the account's nonce moved on.
        frame_system::Pallet::<Test>::inc_account_nonce(&account);
        expect_sheet(&account, &state, LINK.token, vec![propose(0)]);
        run();
        assert_eq!(pool.read().transactions.len(), 2);
    });
}

#[test]
fn an_extrinsic_that_was_never_included_is_given_up_after_its_mortality() {
    with_worker(|account, state, pool| {
        for (block, sent) in [(1, 1), (6, 1), (7, 2)] {
            while System::block_number() < block {
                next_block();
            }
            expect_sheet(&account, &state, LINK.token, vec![propose(0)]);
            run();
            assert_eq!(pool.read().transactions.len(), sent, "block {block}");
        }
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
            expect_sheet(&account, &state, LINK.token, vec![propose(0)]);
            run();
            assert_eq!(pool.read().transactions.len(), sent, "run {started}");
        }
    });
}

#[test]
fn results_that_nobody_asked_for_are_not_sent() {
    with_worker(|account, state, pool| {
        let attest = DutyResult::Attest {
            model: 0,
            version: 1,
            recipe: H256::zero(),
            weights: H256::zero(),
            score: crate::mock::SCORE,
        };
        let of_another_branch = DutyResult::Propose {
            model: 0,
            round: 0,
            task_seed: H256::zero(),
            proposal: proposal(1),
        };
        expect_sheet(
            &account,
            &state,
            LINK.token,
            vec![propose(7), of_another_branch, attest],
        );
        run();
        assert!(pool.read().transactions.is_empty());
    });
}

#[test]
fn an_answer_without_the_token_is_ignored() {
    with_worker(|account, state, pool| {
        expect_sheet(&account, &state, [8; 32], vec![propose(0)]);
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
