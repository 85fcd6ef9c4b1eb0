use crate::{
    crypto::KEY_TYPE,
    mock::{
        Reputation, RuntimeCall, RuntimeOrigin, System, Test, Training, check_invariants, genesis,
        next_block, proposal,
    },
};
use codec::{Decode, Encode};
use frame_support::{
    assert_ok,
    traits::{Get, Hooks},
};
use hydra_primitives::{
    H256,
    duty::{
        DutyAnswer, DutyResult, NO_ACCOUNT, Standing, TAG_HEADER, TRAINER_LINK_KEY, TrainerLink, answer_tag,
        request_tag,
    },
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
        System::set_block_number(1);
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
    let body = Training::duty_sheet(account).encode();
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
    let round = crate::Rounds::<Test>::get(0).expect("there is a round");
    Training::task_seed_of(0, &round, &account_of("//Alice"))
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
        expect_sheet(sheet_of, state, LINK.token, vec![propose(0)]);
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
fn an_account_without_stake_gets_a_sheet_without_duties() {
    let eve = account_of("//Eve");
    with_keys(&["//Eve"], vec![AccountId32::new([2; 32])], |state, pool| {
        let (peer_id, difficulty) = (
            b"Eve's trainer".to_vec(),
            <Test as pallet_reputation::Config>::WorkDifficulty::get(),
        );
        let nonce = hydra_primitives::node::find_nonce(&eve.clone().into(), &peer_id, difficulty);
        assert_ok!(Reputation::register(
            RuntimeOrigin::signed(eve.clone()),
            peer_id.try_into().expect("short"),
            Default::default(),
            nonce
        ));
        let sheet = Training::duty_sheet(&eve);
        assert_eq!(sheet.standing, Standing::Unstaked);
        assert!(!sheet.models.is_empty() && sheet.models.iter().all(|model| model.duties.is_empty()));
        expect_sheet(&eve, &state, LINK.token, vec![propose(0)]);
        run();
        let notices = Training::roll_call().notices;
        assert!(
            matches!(&notices[..], [line] if line.contains("has not bonded the minimum stake")),
            "{notices:?}"
        );
        assert!(pool.read().transactions.is_empty());
    });
}

#[test]
fn of_two_local_accounts_the_registered_one_is_the_pcs_and_the_other_one_is_not_mentioned() {
    let (alice, eve) = (account_of("//Alice"), account_of("//Eve"));
    with_keys(&["//Alice", "//Eve"], vec![alice.clone()], |state, pool| {
        // One sheet only: another request would fail the test.
        expect_sheet(&alice, &state, LINK.token, vec![propose(0)]);
        run();
        assert!(Training::roll_call().notices.is_empty());
        assert_eq!(pool.read().transactions.len(), 1);
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
