//! Honest work is accepted, every kind of false claim is rejected for the right reason.

use crate::support::{Honest, SEED, SHARD, Store, engine};
use hydra_engine::{recompute, verify};
use hydra_primitives::{
    BlobRef, H256,
    model::ModelSpec,
    proposal::Proposal,
    trace,
    vote::{Missing, RejectReason, Vote},
};
use hydra_update::{TrainingState, Update, Weights, decode_update};

struct Bench {
    engine: hydra_engine::Engine,
    honest: Honest,
}

impl Bench {
    fn new() -> Self {
        let engine = engine();
        let honest = Honest::train(&engine);
        Self { engine, honest }
    }

    fn verdict(&self, proposal: &Proposal, blobs: &Store, segment: u32) -> Vote {
        verify(&self.engine, &self.honest.claim(proposal), segment, blobs).unwrap()
    }

    fn recomputed(&self, proposal: &Proposal, blobs: &Store) -> Vote {
        recompute(&self.engine, &self.honest.claim(proposal), blobs)
            .unwrap()
            .0
    }

    /// Puts an update in the store and names it in the proposal, with the losses and score that it really has.
    fn claim_update(&self, proposal: &mut Proposal, blobs: &Store, update: &Update) {
        let bytes = update.encode();
        blobs.put(&bytes);
        proposal.update = BlobRef::of(&bytes);
        let honest = &self.honest;
        let weights = update.apply(&honest.base.weights).unwrap();
        let measure = |data: &[u8]| {
            self.engine
                .evaluate(hydra_engine::EvaluateJob {
                    architecture: &honest.spec.architecture,
                    kind: &honest.dataset.manifest.kind,
                    weights: &weights,
                    data,
                })
                .unwrap()
        };
        proposal.report.loss_after = measure(&honest.dataset.shards[SHARD as usize]).loss;
        proposal.report.validation = measure(&honest.dataset.validation).score;
    }
}

const fn reject(reason: RejectReason) -> Vote {
    Vote::Reject(reason)
}

#[test]
fn honest_work_is_accepted_on_every_segment_and_in_a_dispute() {
    let bench = Bench::new();
    let blobs = bench.honest.blobs();
    for segment in 0..bench.honest.spec.task.segments() {
        assert_eq!(
            bench.verdict(&bench.honest.proposal, &blobs, segment),
            Vote::Accept,
            "{segment}"
        );
    }
    let (vote, trained) =
        recompute(&bench.engine, &bench.honest.claim(&bench.honest.proposal), &blobs).unwrap();
    assert_eq!(vote, Vote::Accept);
    assert_eq!(trained.unwrap().update, bench.honest.trained.update);
}

#[test]
fn claims_against_public_facts_are_rejected_before_anything_is_fetched() {
    let bench = Bench::new();
    let blobs = bench.honest.blobs();
    let cases: [(fn(&mut Proposal), _); 3] = [
        (|p| p.base = H256::zero(), RejectReason::WrongBase),
        (|p| p.report.steps = 29, RejectReason::WrongSteps),
        (|p| p.update.size += 4, RejectReason::WrongSize),
    ];
    for (change, reason) in cases {
        let mut proposal = bench.honest.proposal.clone();
        change(&mut proposal);
        assert_eq!(bench.verdict(&proposal, &blobs, 0), reject(reason));
        assert_eq!(bench.recomputed(&proposal, &blobs), reject(reason));
    }
    assert!(blobs.asked.borrow().is_empty());
}

#[test]
fn false_numbers_are_rejected_before_any_state_is_fetched() {
    let bench = Bench::new();
    let blobs = bench.honest.blobs();
    let cases: [(fn(&mut Proposal), _); 3] = [
        (|p| p.report.loss_before += 1, RejectReason::LossBeforeDiffers),
        (|p| p.report.loss_after -= 1, RejectReason::LossAfterDiffers),
        (|p| p.report.validation.correct += 1, RejectReason::ScoreDiffers),
    ];
    for (change, reason) in cases {
        let mut proposal = bench.honest.proposal.clone();
        change(&mut proposal);
        assert_eq!(bench.verdict(&proposal, &blobs, 0), reject(reason));
        assert_eq!(bench.recomputed(&proposal, &blobs), reject(reason));
    }
    assert!(
        blobs
            .asked
            .borrow()
            .iter()
            .all(|blob| blob.size != hydra_update::state_size(&bench.honest.spec))
    );
}

#[test]
fn an_update_of_zeros_fails_on_its_losses_and_with_true_losses_on_the_trace() {
    let bench = Bench::new();
    let blobs = bench.honest.blobs();
    let base = &bench.honest.base.weights;
    let zero = Update::between(base, base).unwrap();
    let mut proposal = bench.honest.proposal.clone();
    blobs.put(&zero.encode());
    proposal.update = BlobRef::of(&zero.encode());
    assert_eq!(
        bench.verdict(&proposal, &blobs, 0),
        reject(RejectReason::LossAfterDiffers)
    );
    bench.claim_update(&mut proposal, &blobs, &zero);
    assert_eq!(
        bench.verdict(&proposal, &blobs, 0),
        reject(RejectReason::TraceEndDiffers)
    );
    // A trace that stands still fits the update, but no segment of it is training.
    proposal.trace_root = blobs.put_states(&vec![bench.honest.states[0].clone(); 31]);
    for segment in 0..30 {
        assert_eq!(
            bench.verdict(&proposal, &blobs, segment),
            reject(RejectReason::SegmentDiffers),
            "{segment}"
        );
    }
    assert_eq!(
        bench.recomputed(&proposal, &blobs),
        reject(RejectReason::LossAfterDiffers)
    );
}

#[test]
fn a_flipped_bit_in_the_update_is_rejected() {
    let bench = Bench::new();
    let blobs = bench.honest.blobs();
    let mut bytes = bench.honest.trained.update.encode();
    bytes[16] ^= 1;
    let update = decode_update(&bench.honest.spec, &bytes).unwrap();
    let mut proposal = bench.honest.proposal.clone();
    bench.claim_update(&mut proposal, &blobs, &update);
    assert_eq!(
        bench.verdict(&proposal, &blobs, 0),
        reject(RejectReason::TraceEndDiffers)
    );
    assert_eq!(
        bench.recomputed(&proposal, &blobs),
        reject(RejectReason::TraceEndDiffers)
    );
    // Damaged on the way: the hash says so, and the blob counts as missing.
    blobs.remove(bench.honest.proposal.update);
    assert_eq!(
        bench.verdict(&bench.honest.proposal, &blobs, 0),
        Vote::Unavailable(Missing::Update)
    );
}

#[test]
fn updates_that_do_not_decode_are_rejected() {
    let bench = Bench::new();
    let blobs = bench.honest.blobs();
    let with = |at: usize, value: &[u8]| {
        let mut bytes = bench.honest.trained.update.encode();
        bytes[at..at + value.len()].copy_from_slice(value);
        blobs.put(&bytes);
        Proposal {
            update: BlobRef::of(&bytes),
            ..bench.honest.proposal.clone()
        }
    };
    let nan = with(40, &f32::NAN.to_le_bytes());
    assert_eq!(bench.verdict(&nan, &blobs, 0), reject(RejectReason::NotFinite));
    let magic = with(0, b"XXXX");
    assert_eq!(
        bench.verdict(&magic, &blobs, 0),
        reject(RejectReason::Undecodable)
    );
}

#[test]
fn work_on_another_shard_or_in_another_order_is_rejected() {
    let bench = Bench::new();
    let spec = || bench.honest.spec.clone();
    let other_shard = Honest::train_on(&bench.engine, spec(), SHARD + 1, SEED);
    // Its losses are those of its own shard.
    let blobs = other_shard.blobs();
    assert_eq!(
        bench.verdict(&other_shard.proposal, &blobs, 0),
        reject(RejectReason::LossBeforeDiffers)
    );
    let other_order = Honest::train_on(&bench.engine, spec(), SHARD, H256::zero());
    let blobs = other_order.blobs();
    for segment in [0, 7, 29] {
        assert_eq!(
            bench.verdict(&other_order.proposal, &blobs, segment),
            reject(RejectReason::SegmentDiffers),
            "{segment}"
        );
    }
    // With the assigned shard's losses claimed, the trace still gives it away.
    let blobs = other_shard.blobs();
    let mut proposal = other_shard.proposal.clone();
    proposal.report.loss_before = bench.honest.proposal.report.loss_before;
    bench.claim_update(&mut proposal, &blobs, &other_shard.trained.update);
    assert_eq!(
        bench.verdict(&proposal, &blobs, 12),
        reject(RejectReason::SegmentDiffers)
    );
}

#[test]
fn training_with_another_learning_rate_is_rejected() {
    let bench = Bench::new();
    let mut spec: ModelSpec = bench.honest.spec.clone();
    spec.task.learning_rate = hydra_primitives::Permill::from_percent(11);
    let other = Honest::train_on(&bench.engine, spec, SHARD, SEED);
    let blobs = other.blobs();
    for segment in 0..30 {
        assert_eq!(
            bench.verdict(&other.proposal, &blobs, segment),
            reject(RejectReason::SegmentDiffers)
        );
    }
}

/// The first half is trained, the rest made up: whoever is assigned a made-up segment sees it, and a dispute always does.
#[test]
fn a_trace_forged_from_the_middle_is_caught_by_every_segment_that_is_forged() {
    let bench = Bench::new();
    let blobs = bench.honest.blobs();
    let mut states = bench.honest.states.clone();
    let made_up = |i: usize| {
        let state = TrainingState::decode(&bench.honest.spec, &bench.honest.states[i]).unwrap();
        let weights = state.weights.as_slice().iter().map(|w| w * 1.01).collect();
        TrainingState {
            weights: Weights::new(weights),
            ..state
        }
        .encode()
    };
    (16..31).for_each(|i| states[i] = made_up(i));
    let mut proposal = bench.honest.proposal.clone();
    proposal.trace_root = blobs.put_states(&states);
    let last = TrainingState::decode(&bench.honest.spec, &states[30]).unwrap();
    let update = Update::between(&bench.honest.base.weights, &last.weights).unwrap();
    bench.claim_update(&mut proposal, &blobs, &update);
    for segment in 0..30 {
        let expected = if segment < 15 {
            Vote::Accept
        } else {
            reject(RejectReason::SegmentDiffers)
        };
        assert_eq!(bench.verdict(&proposal, &blobs, segment), expected, "{segment}");
    }
    assert!(matches!(bench.recomputed(&proposal, &blobs), Vote::Reject(_)));
}

#[test]
fn made_up_leaves_are_malformed_or_unavailable() {
    let bench = Bench::new();
    let blobs = bench.honest.blobs();
    let with_leaves = |leaves: &[H256]| {
        blobs.put(&trace::encode_leaves(leaves));
        Proposal {
            trace_root: trace::root(leaves),
            ..bench.honest.proposal.clone()
        }
    };
    let random: Vec<H256> = (0..31).map(H256::repeat_byte).collect();
    assert_eq!(
        bench.verdict(&with_leaves(&random), &blobs, 0),
        reject(RejectReason::TraceMalformed)
    );
    // The first and the last leaf are right, nobody has the states between.
    let mut leaves = bench.honest.trained.leaves.clone();
    leaves[1..30].copy_from_slice(&random[1..30]);
    let hollow = with_leaves(&leaves);
    assert_eq!(
        bench.verdict(&hollow, &blobs, 0),
        reject(RejectReason::SegmentDiffers)
    );
    assert_eq!(
        bench.verdict(&hollow, &blobs, 5),
        Vote::Unavailable(Missing::State)
    );
    assert_eq!(
        bench.recomputed(&hollow, &blobs),
        reject(RejectReason::SegmentDiffers)
    );
    // Too few leaves: the list that a verifier asks for, by hash and exact size, doesn't exist.
    let short = with_leaves(&bench.honest.trained.leaves[..30]);
    assert_eq!(
        bench.verdict(&short, &blobs, 0),
        Vote::Unavailable(Missing::Trace)
    );
}

#[test]
fn what_is_missing_is_named() {
    let bench = Bench::new();
    let verdict_without = |blob: BlobRef, segment: u32| {
        let blobs = bench.honest.blobs();
        blobs.remove(blob);
        bench.verdict(&bench.honest.proposal, &blobs, segment)
    };
    let honest = &bench.honest;
    let state = |i: usize| BlobRef::of(&honest.states[i]);
    assert_eq!(
        verdict_without(honest.proposal.update, 0),
        Vote::Unavailable(Missing::Update)
    );
    assert_eq!(
        verdict_without(honest.dataset.manifest.validation, 0),
        Vote::Unavailable(Missing::Data)
    );
    assert_eq!(
        verdict_without(BlobRef::of(&honest.trained.trace()), 0),
        Vote::Unavailable(Missing::Trace)
    );
    assert_eq!(verdict_without(state(30), 0), Vote::Unavailable(Missing::State));
    assert_eq!(verdict_without(state(9), 9), Vote::Unavailable(Missing::State));
    // What this verifier does not need, it does not ask for: the first state is its own, the next is only compared.
    assert_eq!(verdict_without(state(0), 0), Vote::Accept);
    assert_eq!(verdict_without(state(10), 9), Vote::Accept);
}
