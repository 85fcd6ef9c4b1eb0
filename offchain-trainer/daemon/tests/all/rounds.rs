//! Whole rounds with real trainers: what one trains, another finds again, and both fold to the same bits.

use std::{os::unix::fs::PermissionsExt, path::PathBuf, time::Duration};

use crate::support::{
    Chain, Pc, Silent, attestation, claim_of, digest_of, found, opening_of, options, workers_of,
};
use codec::Encode;
use hydra_arithmetic::Level;
use hydra_engine::{
    EngineConfig,
    protocol::{Hello, PROTOCOL},
};
use hydra_primitives::{
    BlobRef, H256,
    duty::DutyResult,
    poll::{Finding, Opening},
    proposal::{Claim, Score},
};
use hydra_trainer::Trainer;
use serde_json::Value;

fn version(opening: Opening) -> (H256, Score) {
    match opening.finding {
        Finding::Version { weights, score } => (weights, score),
        other => panic!("{other:?}"),
    }
}

/// Where `pc` has the blob with this hash, if it does.
fn blob(pc: &Pc, hash: H256) -> PathBuf {
    pc.options.base_path.join(format!("blobs/{hash:x}"))
}

async fn soon(what: &str, is_so: impl Fn() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait)
        .await
        .unwrap_or_else(|_| panic!("{what}"));
}

fn errors(status: &Value) -> String {
    status["errors"].to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_trainers_train_verify_and_fold_to_the_same_bits() {
    let mut a = Pc::start(1, &[], true).await;
    // The second one has no data set: it gets everything from the first.
    let mut b = Pc::start(2, &[&a], false).await;
    let mut chain = Chain::new(&[&a, &b]);
    let mut base = chain.confirmed.weights;
    let mut scores = Vec::new();
    for round in 0..2 {
        let (of_a, of_b) = tokio::join!(claim_of(&a, &chain), claim_of(&b, &chain));
        assert_eq!((of_a.base, of_b.base), (base, base));
        // What was found of its own claim, the claimant may open with.
        for (at, other, claim) in [(&b, &a, &of_a), (&a, &b, &of_b)] {
            let (verify, open) = (chain.verify(other, claim), chain.open(other, claim));
            let opening = found(at, &chain, &verify, &open).await;
            assert_eq!(
                opening.finding,
                Finding::Update(claim.update.hash),
                "round {round}"
            );
            assert_eq!(opening_of(other, &chain, &open).await, opening);
        }
        chain.settle(&[(&a, &of_a), (&b, &of_b)]);
        let (at_a, at_b) = tokio::join!(attestation(&a, &chain), attestation(&b, &chain));
        assert_eq!(at_a, at_b);
        let (weights, score) = version(at_a);
        assert_ne!(weights, base);
        base = weights;
        // In the first round the version is confirmed, in the second one training goes on without.
        if round == 0 {
            chain.confirm(base);
        }
        scores.push(score);
    }
    assert!(
        scores[1].correct > scores[0].correct && scores[1].correct > 300,
        "{scores:?}"
    );
    assert!(scores[1].loss < scores[0].loss, "{scores:?}");
    let third = claim_of(&a, &chain).await;
    assert_eq!(
        third.base, base,
        "training starts from the own fold before it is confirmed"
    );
    // The network may confirm something else: then work that started from the own fold is worthless and is done anew.
    chain.confirm(H256::repeat_byte(1));
    let owed = chain.sheet(&a, vec![chain.train(&a)]);
    assert!(a.post(&owed).await.is_empty());
    a.status_with(|status| errors(status).contains("can't be had"))
        .await;
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_trainer_fetches_what_was_confirmed() {
    let mut a = Pc::start(3, &[], true).await;
    let mut chain = Chain::new(&[&a]);
    let claim = claim_of(&a, &chain).await;
    chain.settle(&[(&a, &claim)]);
    let (weights, _) = version(attestation(&a, &chain).await);
    chain.confirm(weights);
    let there = claim_of(&a, &chain).await;
    let mut late = Pc::start(4, &[&a], false).await;
    let (verify, open) = (chain.verify(&a, &there), chain.open(&a, &there));
    let opening = found(&late, &chain, &verify, &open).await;
    assert_eq!(opening.finding, Finding::Update(there.update.hash));
    late.status_with(|s| s["models"][0]["version"] == 1).await;
    let answer = late.weights().await;
    assert_eq!(
        answer.headers()["x-hydra-weights-hash"].to_str().unwrap(),
        format!("{weights:?}")
    );
    assert_eq!(
        hydra_primitives::content_hash(&answer.bytes().await.unwrap()),
        weights
    );
    late.stop().await;
    a.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_that_are_not_confirmed_are_neither_stored_nor_served_nor_named() {
    let mut a = Pc::start(5, &[], true).await;
    let mut b = Pc::start(6, &[&a], true).await;
    let mut chain = Chain::new(&[&a]);
    let claim = claim_of(&a, &chain).await;
    chain.settle(&[(&a, &claim)]);
    let (weights, _) = version(attestation(&a, &chain).await);
    let at_a = blob(&a, weights);
    assert!(!at_a.exists());
    assert!(!a.status().await.to_string().contains(&format!("{weights:x}")));
    // Who knows their name all the same does not get them.
    let mut told = chain.clone();
    told.confirm(weights);
    b.post(&told.sheet(&b, vec![])).await;
    let status = b
        .status_with(|status| errors(status).contains("can't be had"))
        .await;
    assert!(
        errors(&status).contains("getting version 1 of model 0"),
        "{status:#}"
    );
    // And does when the network has confirmed them.
    a.post(&told.sheet(&a, vec![])).await;
    soon("what is confirmed is stored", || at_a.exists()).await;
    let got = async {
        while b.status().await["models"][0]["version"] != 1 {
            b.post(&told.sheet(&b, vec![])).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), got)
        .await
        .expect("what is confirmed is served");
    b.stop().await;
    a.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trainer_that_restarts_opens_with_what_it_found_even_if_its_engine_can_not_be_used_any_more() {
    let mut a = Pc::start(7, &[], true).await;
    let mut b = Pc::start(8, &[&a], true).await;
    let chain = Chain::new(&[&a, &b]);
    let claim = claim_of(&a, &chain).await;
    let (verify, open) = (chain.verify(&a, &claim), chain.open(&a, &claim));
    let given = digest_of(&b, &chain, &verify).await;
    b.stop().await;
    b.options.worker_binary = Some(b.folder.path().join("no-such-worker"));
    b.start_again().await;
    b.status_with(|s| s["engine"]["state"] == "failed").await;
    let opening = opening_of(&b, &chain, &open).await;
    assert_eq!(opening.finding, Finding::Update(claim.update.hash));
    // Nothing new is said with such an engine.
    let owed = chain.sheet(&b, vec![verify.clone()]);
    assert!(b.post(&owed).await.is_empty());
    // What was forgotten is computed again, to the same bits.
    b.stop().await;
    b.options.worker_binary = None;
    std::fs::remove_file(b.options.base_path.join("trainer.redb")).unwrap();
    b.start_again().await;
    assert_eq!(opening_of(&b, &chain, &open).await, opening);
    assert_eq!(digest_of(&b, &chain, &verify).await, given);
    b.stop().await;
    a.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_claimed_the_digest_is_of_the_honest_result() {
    let mut a = Pc::start(9, &[], true).await;
    let mut b = Pc::start(10, &[&a], false).await;
    let chain = Chain::new(&[&a, &b]);
    let honest = claim_of(&a, &chain).await;
    let shard = chain.description().dataset.shards[0];
    let nothing = BlobRef {
        hash: H256::repeat_byte(4),
        size: honest.update.size,
    };
    for update in [nothing, shard] {
        let claim = Claim { update, ..honest };
        let (verify, open) = (chain.verify(&a, &claim), chain.open(&a, &claim));
        let opening = found(&b, &chain, &verify, &open).await;
        assert_eq!(opening.finding, Finding::Update(honest.update.hash));
    }
    assert!(!errors(&b.status().await).contains("memory"));
    b.stop().await;
    a.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_whose_pc_lost_power_is_verified_and_folded() {
    let mut a = Pc::start(11, &[], true).await;
    let mut b = Pc::start(12, &[&a], true).await;
    let mut chain = Chain::new(&[&a, &b]);
    let claim = claim_of(&a, &chain).await;
    let (verify, open) = (chain.verify(&a, &claim), chain.open(&a, &claim));
    let before = chain.clone();
    chain.settle(&[(&a, &claim)]);
    a.stop().await;
    let opening = found(&b, &before, &verify, &open).await;
    assert_eq!(opening.finding, Finding::Update(claim.update.hash));
    assert!(
        blob(&b, claim.update.hash).exists(),
        "it serves what it found right"
    );
    let (weights, _) = version(attestation(&b, &chain).await);
    assert_ne!(weights, claim.base);
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_update_of_a_silent_proposer_comes_from_a_verifier() {
    let mut a = Pc::start(13, &[], true).await;
    let mut b = Pc::start(14, &[&a], true).await;
    let silent = Silent::meet(&b).await;
    let mut chain = Chain::new(&[&a, &b]);
    let claim = claim_of(&a, &chain).await;
    chain.settle(&[(&a, &claim)]);
    let there = attestation(&a, &chain).await;
    for accepted in &mut chain.newest.as_mut().unwrap().updates {
        accepted.providers = vec![silent.peer_id.clone()];
    }
    assert_eq!(attestation(&b, &chain).await, there);
    assert!(blob(&b, claim.update.hash).exists());
    b.stop().await;
    a.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_whose_digests_are_closed_ends_with_its_worker() {
    let mut a = Pc::start(15, &[], true).await;
    let mut chain = Chain::new(&[&a]);
    chain.spec.task.steps = hydra_primitives::model::MAX_STEPS;
    chain.phase_ends_at = 9;
    let claim = Claim {
        base: chain.confirmed.weights,
        update: BlobRef {
            hash: H256::zero(),
            size: 0,
        },
    };
    let owed = chain.sheet(&a, vec![chain.verify(&a, &claim)]);
    a.post(&owed).await;
    let working = |status: &Value| status["models"][0]["progress"]["done"].as_u64() > Some(0);
    let status = a.status_with(working).await;
    assert_eq!(status["models"][0]["state"], "verifying");
    assert_eq!(status["models"][0]["waiting"]["verify"], 1);
    let [worker] = workers_of(std::process::id())[..] else {
        panic!("one worker expected")
    };
    chain.block = 9;
    assert!(a.post(&chain.sheet(&a, vec![])).await.is_empty());
    let there = PathBuf::from(format!("/proc/{worker}"));
    soon("nobody needs what it does", || !there.exists()).await;
    let status = a.status_with(|s| s["models"][0]["state"] == "idle").await;
    assert_eq!(status["models"][0]["waiting"]["verify"], 0);
    a.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pc_that_contradicts_itself_says_so_and_gives_no_digest_of_what_it_is_not_sure_of() {
    let mut a = Pc::start(16, &[], true).await;
    let folder = tempfile::tempdir().unwrap();
    // Gets the first weight of its second task wrong, once. Its answers, behind the hello: a hash, a task with 20 losses and 4,772
    // weights, and a measured version, which are the engine's test; then 30 losses. Each part is passed on when it is whole.
    let ready = Hello::Ready {
        protocol: PROTOCOL,
        instructions: Level::best().name().into(),
    };
    let (hello, hash) = (4 + ready.encoded_size(), 4 + 1 + 32);
    let trained = 20 * 9 + 4 + 1 + 2 * (4 + 4 * 4772);
    let (measured, losses) = (4 + 1 + 5 + 5 + 8, 30 * 9 + 4 + 1 + 4);
    let worker = folder.path().join("worker");
    let script = format!(
        r#"#!/bin/sh
if [ -e "$0.erred" ]; then exec {real}; fi
: > "$0.erred"
{real} | {{
    for part in {hello} {hash} {trained} {measured} {losses}; do head -c $part; done
    head -c 1 | tr '\000-\377' '\001-\377\000'
    cat
}}
"#,
        real = EngineConfig::default().worker_path().display()
    );
    std::fs::write(&worker, script).unwrap();
    std::fs::set_permissions(&worker, PermissionsExt::from_mode(0o755)).unwrap();
    let mut options = options(17, &folder);
    options.worker_binary = Some(worker);
    options.dataset = vec![crate::support::datasets()];
    let trainer = Trainer::start(options.clone()).await.unwrap();
    let mut b = Pc {
        account: [17; 32],
        folder,
        options,
        trainer: Some(trainer),
        http: crate::support::client(),
    };
    b.status_with(|s| s["engine"]["state"] == "ready").await;
    let chain = Chain::new(&[&a]);
    let claim = claim_of(&a, &chain).await;
    let (verify, open) = (chain.verify(&a, &claim), chain.open(&a, &claim));
    // It is tried again with the next sheet, with workers that don't err.
    let opening = found(&b, &chain, &verify, &open).await;
    assert_eq!(opening.finding, Finding::Update(claim.update.hash));
    let status = b.status().await;
    assert!(errors(&status).contains("two different results"), "{status:#}");
    b.stop().await;
    a.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_heartbeat_is_given_by_who_can_work() {
    let mut a = Pc::start(18, &[], true).await;
    let mut chain = Chain::new(&[&a]);
    chain.heartbeat = Some(5);
    let beat = a.one_result(&chain.sheet(&a, vec![])).await;
    assert_eq!(beat, DutyResult::Heartbeat { session: 5 });
    // Beside everything else that is owed.
    let results = a.results(&chain.sheet(&a, vec![chain.train(&a)]), 2).await;
    assert!(
        matches!(
            results[..],
            [DutyResult::Heartbeat { .. }, DutyResult::Propose { .. }]
        ),
        "{results:?}"
    );
    // Not while there is a model that it knows nothing of, nor without the weights of any.
    let mut strange = chain.sheet(&a, vec![]);
    strange.described.clear();
    strange.models[0].description = H256::zero();
    let answer = a.answer(&strange).await;
    assert_eq!((answer.results, answer.unknown), (vec![], vec![0]));
    let mut b = Pc::start(19, &[&a], false).await;
    b.status_with(|s| s["engine"]["state"] == "ready").await;
    let mut away = chain.clone();
    away.confirm(H256::repeat_byte(9));
    let without = away.sheet(&b, vec![]);
    assert!(b.post(&without).await.is_empty());
    b.status_with(|status| errors(status).contains("can't be had"))
        .await;
    assert!(b.post(&without).await.is_empty());
    b.one_result(&chain.sheet(&b, vec![])).await;
    // A model whose weights nobody has keeps it from no other.
    let (mut two, mut lost) = (chain.sheet(&a, vec![]), away.sheet(&a, vec![]));
    lost.described[0].model = 1;
    lost.models[0].model = 1;
    lost.models[0].description = lost.described[0].id();
    two.models.append(&mut lost.models);
    two.described.append(&mut lost.described);
    assert_eq!(a.one_result(&two).await, beat);
    b.stop().await;
    a.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_is_not_known_is_asked_for_once_and_known_after_a_restart() {
    let mut a = Pc::start(20, &[], true).await;
    let chain = Chain::new(&[&a]);
    let mut brief = chain.sheet(&a, vec![chain.train(&a)]);
    brief.described.clear();
    let answer = a.answer(&brief).await;
    assert_eq!((answer.results, answer.unknown), (vec![], vec![0]));
    a.post(&chain.sheet(&a, vec![])).await;
    let claim = a.one_result(&brief).await;
    a.stop().await;
    a.start_again().await;
    assert_eq!(a.one_result(&brief).await, claim);
    a.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_rounds_leave_the_disk_and_weights_and_data_stay() {
    let mut a = Pc::start(21, &[], true).await;
    let mut chain = Chain::new(&[&a]);
    let blobs = a.options.base_path.join("blobs");
    let count = || {
        std::fs::read_dir(&blobs)
            .unwrap()
            .filter(|f| f.as_ref().unwrap().file_name().len() == 64)
            .count()
    };
    let before = count();
    let claim = claim_of(&a, &chain).await;
    // The update, and version 0's weights.
    assert_eq!(count(), before + 2);
    assert!(blob(&a, claim.update.hash).exists());
    chain.round = 3;
    a.post(&chain.sheet(&a, vec![])).await;
    assert_eq!(count(), before + 2);
    chain.round = 4;
    a.post(&chain.sheet(&a, vec![])).await;
    soon("updates go after three rounds", || count() == before + 1).await;
    a.stop().await;
}
