//! Whole rounds with real trainers: what one trains, another verifies, and both fold to the same bits.

use crate::support::{Chain, Pc, Silent, commitment_of, proposal_of};
use hydra_primitives::{
    BlobRef, H256,
    duty::{Duty, DutyResult, VerifyDuty},
    proposal::{Proposal, Report, Score},
    status::Phase,
    vote::{Missing, RejectReason, Vote, commitment},
};
use hydra_trainer::{WHOLE_TASK_PARTICIPANTS, WHOLE_TASK_WORK};
use hydra_update::update_size;

async fn attestation(pc: &Pc, chain: &Chain) -> (H256, Score) {
    match pc.one_result(&chain.sheet(pc, vec![Duty::Attest])).await {
        DutyResult::Attest {
            model: 0,
            version,
            recipe,
            weights,
            score,
        } if version == chain.version.version && recipe == chain.version.id() => (weights, score),
        other => panic!("{other:?}"),
    }
}

/// Reveals, and checks that it is what was committed.
async fn revealed(pc: &Pc, chain: &Chain, verify: &VerifyDuty, committed: H256) -> Vote {
    let mut chain = chain.clone();
    chain.phase = Phase::Reveal;
    let duty = Duty::Reveal {
        verify: verify.clone(),
        commitment: committed,
    };
    match pc.one_result(&chain.sheet(pc, vec![duty])).await {
        DutyResult::RevealVote { key, vote, salt } if key == verify.key => {
            assert_eq!(commitment(&vote, &salt, &pc.account, &key.id()), committed);
            vote
        }
        other => panic!("{other:?}"),
    }
}

async fn verdict(pc: &Pc, chain: &Chain, verify: &VerifyDuty) -> Vote {
    let committed = commitment_of(pc, chain, verify).await;
    revealed(pc, chain, verify, committed).await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_trainers_train_verify_and_fold_to_the_same_bits() {
    let mut a = Pc::start(1, &[], true).await;
    // The second one has no data set: it gets everything from the first.
    let mut b = Pc::start(2, &[&a], false).await;
    let mut chain = Chain::new(&[&a, &b]);
    let mut base = chain.version.base;
    let mut scores = Vec::new();
    for round in 0..2 {
        chain.phase = Phase::Train;
        let (of_a, of_b) = tokio::join!(proposal_of(&a, &chain), proposal_of(&b, &chain));
        assert_eq!((of_a.base, of_b.base), (base, base));
        chain.phase = Phase::Verify;
        let (check_a, check_b) = (chain.verify(&a, &of_a, 3), chain.verify(&b, &of_b, 29));
        let votes = tokio::join!(verdict(&b, &chain, &check_a), verdict(&a, &chain, &check_b));
        assert_eq!(votes, (Vote::Accept, Vote::Accept), "round {round}");

        chain.settle(base, &[(&a, &of_a), (&b, &of_b)]);
        let (at_a, at_b) = tokio::join!(attestation(&a, &chain), attestation(&b, &chain));
        assert_eq!(at_a, at_b);
        assert_ne!(at_a.0, base);
        base = at_a.0;
        // In the first round the version is confirmed, in the second one training goes on without.
        if round == 0 {
            chain.version.weights = Some(base);
        }
        scores.push(at_a.1);
    }
    assert!(
        scores[1].correct > scores[0].correct && scores[1].correct > 300,
        "{scores:?}"
    );
    let third = proposal_of(&a, &chain).await;
    assert_eq!(
        third.base, base,
        "training starts from the own fold before it is confirmed"
    );
    // The network may confirm something else: then work that started from the own fold is worthless and is done anew.
    chain.version.weights = Some(H256::repeat_byte(1));
    let owed = chain.sheet(&a, vec![chain.train(&a)]);
    assert!(a.post(&owed).await.is_empty());
    let status = a
        .status_with(|s| !s["errors"].as_array().unwrap().is_empty())
        .await;
    assert!(
        status["errors"][0].as_str().unwrap().contains("can't be had"),
        "{status:#}"
    );
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_trainer_fetches_what_was_confirmed() {
    let mut a = Pc::start(3, &[], true).await;
    let mut chain = Chain::new(&[&a]);
    let proposal = proposal_of(&a, &chain).await;
    chain.settle(chain.version.base, &[(&a, &proposal)]);
    let (weights, score) = attestation(&a, &chain).await;
    // Two versions later: what they were folded from need not be anywhere any more.
    chain.version.version = 3;
    chain.version.base = H256::repeat_byte(9);
    chain.version.updates.clear();
    chain.version.weights = Some(weights);
    let mut late = Pc::start(4, &[&a], false).await;
    assert_eq!(attestation(&late, &chain).await, (weights, score));
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
async fn a_trainer_that_restarts_between_commit_and_reveal_reveals_the_same_vote() {
    let mut a = Pc::start(5, &[], true).await;
    let mut b = Pc::start(6, &[&a], false).await;
    let mut chain = Chain::new(&[&a, &b]);
    let proposal = proposal_of(&a, &chain).await;
    chain.phase = Phase::Verify;
    let verify = chain.verify(&a, &proposal, 0);
    let committed = commitment_of(&b, &chain, &verify).await;
    b.stop().await;
    b.start_again().await;
    assert_eq!(
        commitment_of(&b, &chain, &verify).await,
        committed,
        "asked again, it commits to the same vote"
    );
    assert_eq!(revealed(&b, &chain, &verify, committed).await, Vote::Accept);
    // Even without the journal: the salt is derived, and the vote is found by trying.
    b.stop().await;
    std::fs::remove_file(b.options.base_path.join("votes.journal")).unwrap();
    b.start_again().await;
    assert_eq!(revealed(&b, &chain, &verify, committed).await, Vote::Accept);
    // A commitment that somebody else made is never revealed as something it is not.
    let mut reveal = chain.clone();
    reveal.phase = Phase::Reveal;
    let strange = Duty::Reveal {
        verify: verify.clone(),
        commitment: H256::repeat_byte(1),
    };
    assert!(b.post(&reveal.sheet(&b, vec![strange])).await.is_empty());
    let status = b.status().await;
    assert!(
        status["errors"][0]
            .as_str()
            .unwrap()
            .contains("can't be revealed"),
        "{status:#}"
    );
    b.stop().await;
    a.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vote_is_revealed_even_if_the_engine_can_not_be_used_any_more() {
    let mut a = Pc::start(18, &[], true).await;
    let mut b = Pc::start(19, &[&a], true).await;
    let mut chain = Chain::new(&[&a, &b]);
    let proposal = proposal_of(&a, &chain).await;
    chain.phase = Phase::Verify;
    let verify = chain.verify(&a, &proposal, 0);
    let committed = commitment_of(&b, &chain, &verify).await;
    b.stop().await;
    b.options.worker_binary = Some(b.folder.path().join("no-such-worker"));
    b.start_again().await;
    b.status_with(|s| s["engine"]["state"] == "failed").await;
    assert_eq!(revealed(&b, &chain, &verify, committed).await, Vote::Accept);
    b.stop().await;
    a.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_names_a_shard_as_its_update_does_not_get_the_shard_deleted() {
    let mut a = Pc::start(20, &[], true).await;
    // Without the data set, so that the claim comes before the shard.
    let mut b = Pc::start(21, &[&a], false).await;
    let mut chain = Chain::new(&[&a, &b]);
    let honest = proposal_of(&a, &chain).await;
    let Duty::Train { shard, .. } = chain.train(&b) else {
        panic!("a training duty expected")
    };
    let shard = chain.sheet(&b, vec![]).models[0].dataset.shards[shard as usize];
    let mut hostile = honest.clone();
    hostile.update.hash = shard.hash;
    chain.phase = Phase::Verify;
    let rejected = verdict(&b, &chain, &chain.verify(&a, &hostile, 0)).await;
    assert!(matches!(rejected, Vote::Reject(_)), "{rejected:?}");
    chain.phase = Phase::Train;
    let own = has_update(&b, &proposal_of(&b, &chain).await);
    let shard = b.options.base_path.join(format!("blobs/{:x}", shard.hash));
    assert!(shard.exists());
    chain.round = 9;
    b.post(&chain.sheet(&b, vec![])).await;
    let swept = async {
        while own.exists() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), swept)
        .await
        .expect("updates go after three rounds");
    // Whatever goes, goes at once: no sheet is read before that is over.
    b.post(&chain.sheet(&b, vec![])).await;
    assert!(shard.exists());
    b.stop().await;
    a.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn false_claims_are_rejected_with_their_blobs_and_without() {
    let mut a = Pc::start(7, &[], true).await;
    let mut b = Pc::start(8, &[&a], false).await;
    let mut chain = Chain::new(&[&a, &b]);
    let honest = proposal_of(&a, &chain).await;
    chain.phase = Phase::Verify;
    let mut boasting: Proposal = honest.clone();
    boasting.report.loss_after -= 1;
    let verify = chain.verify(&a, &boasting, 7);
    assert_eq!(
        verdict(&b, &chain, &verify).await,
        Vote::Reject(RejectReason::LossAfterDiffers)
    );
    // A trace that nobody can have: what it is the hash of is known all the same.
    let mut hollow = honest.clone();
    hollow.trace_root = H256::repeat_byte(3);
    let verify = chain.verify(&a, &hollow, 7);
    assert_eq!(
        verdict(&b, &chain, &verify).await,
        Vote::Reject(RejectReason::SegmentDiffers)
    );
    let mut hollow = honest.clone();
    hollow.update.hash = H256::repeat_byte(4);
    let verify = chain.verify(&a, &hollow, 7);
    assert_eq!(
        verdict(&b, &chain, &verify).await,
        Vote::Reject(RejectReason::TraceEndDiffers)
    );
    b.stop().await;
    a.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_large_network_missing_blobs_of_large_tasks_are_waited_for_until_the_last_chance() {
    let mut a = Pc::start(13, &[], true).await;
    let mut b = Pc::start(14, &[&a], true).await;
    let mut chain = Chain::new(&[&a, &b]);
    // Neither few enough to do every task again, nor small enough.
    chain.providers.resize(WHOLE_TASK_PARTICIPANTS + 1, vec![]);
    chain.spec.task.steps = 100_000;
    assert!(chain.spec.work() > WHOLE_TASK_WORK);
    chain.phase = Phase::Verify;
    let report = Report {
        loss_before: 2_300_000,
        loss_after: 2_000_000,
        validation: Score {
            correct: 100,
            total: 200,
        },
        steps: 0,
        milliseconds: 1,
    };
    let missing = Proposal {
        base: chain.version.base,
        update: BlobRef {
            hash: H256::repeat_byte(3),
            size: update_size(&chain.spec),
        },
        trace_root: H256::repeat_byte(4),
        report: Report {
            steps: chain.spec.task.steps,
            ..report
        },
    };
    let verify = chain.verify(&a, &missing, 7);
    let owed = chain.sheet(&b, vec![Duty::Verify(verify.clone())]);
    assert!(b.post(&owed).await.is_empty());
    let waits = |s: &serde_json::Value| s["errors"].to_string().contains("trying again in the next block");
    b.status_with(waits).await;
    assert!(
        b.post(&owed).await.is_empty(),
        "it must not vote as long as there is time"
    );
    chain.block = chain.phase_ends_at - 2;
    assert_eq!(
        verdict(&b, &chain, &verify).await,
        Vote::Unavailable(Missing::Update)
    );
    b.stop().await;
    a.stop().await;
}

/// The update that `pc` has of this proposal.
fn has_update(pc: &Pc, proposal: &Proposal) -> std::path::PathBuf {
    let path = pc.options.base_path.join("blobs");
    let path = path.join(format!("{:x}", proposal.update.hash));
    assert!(path.exists());
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_whose_pc_lost_power_is_verified_and_folded() {
    let mut a = Pc::start(10, &[], true).await;
    let mut b = Pc::start(11, &[&a], true).await;
    let mut chain = Chain::new(&[&a, &b]);
    let (base, proposal) = (chain.version.base, proposal_of(&a, &chain).await);
    let verify = chain.verify(&a, &proposal, 5);
    let mut settled = chain.clone();
    settled.settle(base, &[(&a, &proposal)]);
    a.stop().await;
    chain.phase = Phase::Verify;
    assert_eq!(verdict(&b, &chain, &verify).await, Vote::Accept);
    let update = has_update(&b, &proposal);
    let (weights, _) = attestation(&b, &settled).await;
    assert_ne!(weights, base);
    // Without what it kept, too: the update is made once more.
    b.stop().await;
    std::fs::remove_file(update).unwrap();
    let blobs = b.options.base_path.join("blobs");
    std::fs::remove_file(blobs.join(format!("{weights:x}"))).unwrap();
    b.start_again().await;
    let committed = commitment_of(&b, &chain, &verify).await;
    assert_eq!(attestation(&b, &settled).await.0, weights);
    assert_eq!(revealed(&b, &chain, &verify, committed).await, Vote::Accept);
    has_update(&b, &proposal);
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_proposers_hold_up_no_other_verification_and_get_their_votes() {
    const SILENT: u8 = 16;
    let mut a = Pc::start(12, &[], true).await;
    let mut b = Pc::start(15, &[&a], true).await;
    let silent = Silent::meet(&b).await;
    let mut chain = Chain::new(&[&a, &b]);
    let honest = proposal_of(&a, &chain).await;
    chain.phase = Phase::Verify;
    let claims = (0..SILENT).map(|n| {
        let mut claim = honest.clone();
        claim.update.hash = H256::repeat_byte(200 + n);
        let mut verify = chain.verify(&a, &claim, 0);
        verify.key.proposer = [100 + n; 32];
        verify.peer_id = silent.peer_id.clone();
        verify
    });
    let mut duties: Vec<Duty> = claims.map(Duty::Verify).collect();
    let of_a = chain.verify(&a, &honest, 3);
    duties.push(Duty::Verify(of_a.clone()));
    let owed = chain.sheet(&b, duties);
    let first = b.results(&owed, 1).await;
    let committed = first.iter().find_map(|result| match result {
        DutyResult::CommitVote { key, commitment } if *key == of_a.key => Some(*commitment),
        _ => None,
    });
    let committed =
        committed.unwrap_or_else(|| panic!("the honest one waits for the silent ones: {first:?}"));
    assert_eq!(revealed(&b, &chain, &of_a, committed).await, Vote::Accept);
    let all = b.results(&owed, usize::from(SILENT) + 1).await;
    assert_eq!(all.len(), usize::from(SILENT) + 1);
    b.stop().await;
    a.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_update_of_a_silent_proposer_comes_from_another_verifier() {
    let mut a = Pc::start(16, &[], true).await;
    let mut b = Pc::start(17, &[&a], true).await;
    let silent = Silent::meet(&b).await;
    let mut chain = Chain::new(&[&a, &b]);
    let (base, proposal) = (chain.version.base, proposal_of(&a, &chain).await);
    chain.settle(base, &[(&a, &proposal)]);
    let there = attestation(&a, &chain).await;
    for accepted in &mut chain.version.updates {
        accepted.peer_id = silent.peer_id.clone();
    }
    // It never heard of the proposal before, so it can't make the update itself.
    assert_eq!(attestation(&b, &chain).await, there);
    has_update(&b, &proposal);
    b.stop().await;
    a.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_rounds_leave_the_disk_and_weights_and_data_stay() {
    let mut a = Pc::start(9, &[], true).await;
    let mut chain = Chain::new(&[&a]);
    let blobs = a.options.base_path.join("blobs");
    let count = || {
        std::fs::read_dir(&blobs)
            .unwrap()
            .filter(|f| f.as_ref().unwrap().file_name().len() == 64)
            .count()
    };
    let before = count();
    let proposal = proposal_of(&a, &chain).await;
    // 31 states, the update and the list of states, and version 0's weights.
    assert_eq!(count(), before + 31 + 2 + 1);
    assert!(blobs.join(format!("{:x}", proposal.update.hash)).exists());
    chain.round = 2;
    a.post(&chain.sheet(&a, vec![])).await;
    let gone = async {
        while count() != before + 2 + 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), gone)
        .await
        .expect("states go after a round");
    chain.round = 4;
    a.post(&chain.sheet(&a, vec![])).await;
    let gone = async {
        while count() != before + 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), gone)
        .await
        .expect("updates go after three rounds");
    a.stop().await;
}
