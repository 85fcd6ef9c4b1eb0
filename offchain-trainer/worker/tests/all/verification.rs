//! Doing a task again finds honest work right and everything else wrong, and versions are measured alike.

use crate::support::{Honest, SEED, SHARD, engine};
use hydra_arithmetic::NAN;
use hydra_engine::{Engine, EvaluateJob};
use hydra_primitives::{
    H256, Permill, content_hash,
    digits::digits_spec,
    poll::{Finding, Opening},
    task::version_witness,
};
use hydra_update::{Update, Weights};

/// What a verifier finds of this claim.
fn found(engine: &Engine, honest: &Honest, claim: H256) -> Opening {
    let verified = engine.verify(honest.job(), Some(claim), || true, |_| ());
    verified.unwrap().opening()
}

#[test]
fn honest_work_is_found_again_with_its_witness() {
    let engine = engine();
    let honest = Honest::train(&engine);
    let opening = honest.trained.opening();
    assert_eq!(found(&engine, &honest, honest.claim()), opening);
}

#[test]
fn whatever_else_is_claimed_the_honest_result_is_found() {
    let engine = engine();
    let honest = Honest::train(&engine);
    let opening = honest.trained.opening();
    let base = &honest.base.weights;
    let zeros = Update::between(base, base).unwrap().encode();
    let mut flipped = honest.trained.update.as_ref().unwrap().encode();
    flipped[16] ^= 1;
    for claimed in [zeros, flipped, b"no update at all".to_vec()] {
        let claim = content_hash(&claimed);
        assert_ne!(opening.finding, Finding::Update(claim));
        assert_eq!(found(&engine, &honest, claim), opening);
    }
}

#[test]
fn work_on_another_shard_in_another_order_or_at_another_rate_is_another_result_with_another_witness() {
    let engine = engine();
    let honest = Honest::train(&engine).trained.opening();
    let mut faster = digits_spec();
    faster.task.learning_rate = Permill::from_percent(21);
    let others = [
        Honest::train_on(&engine, digits_spec(), SHARD + 1, SEED),
        Honest::train_on(&engine, digits_spec(), SHARD, H256::zero()),
        Honest::train_on(&engine, faster, SHARD, SEED),
    ];
    for other in others {
        let other = other.trained.opening();
        assert_ne!(other.finding, honest.finding);
        assert_ne!(other.witness, honest.witness);
    }
}

#[test]
fn training_that_diverges_is_found_not_finite_by_everybody_with_one_witness() {
    let mut honest = Honest::train(&engine());
    honest.spec.task.learning_rate = Permill::one();
    honest.base.weights = Weights::new(vec![1e18; 4810]);
    let diverged = |engine: &Engine| {
        let trained = engine.train(honest.job(), |_| ()).unwrap();
        assert_eq!(trained.update, None);
        trained.opening()
    };
    let first = diverged(&engine());
    assert_eq!(first.finding, Finding::NotFinite);
    assert_eq!(diverged(&engine()), first);
    // Whoever claims an update of it is contradicted.
    assert_eq!(found(&engine(), &honest, H256::zero()), first);
}

fn measured(engine: &Engine, honest: &Honest, weights: &Weights) -> Opening {
    let job = EvaluateJob {
        architecture: &honest.spec.architecture,
        kind: &honest.dataset.manifest.kind,
        weights,
        data: &honest.dataset.validation,
    };
    engine.evaluate(job).unwrap().opening(H256::repeat_byte(8))
}

#[test]
fn a_version_is_measured_with_its_witness_and_training_lowers_its_loss() {
    let engine = engine();
    let honest = Honest::train(&engine);
    let base = &honest.base.weights;
    let updated = honest.trained.update.as_ref().unwrap().apply(base).unwrap();
    let [before, after] = [base, &updated].map(|weights| measured(&engine, &honest, weights));
    assert_ne!(before.witness, after.witness);
    let score = |opening: Opening| match opening.finding {
        Finding::Version { weights, score } if weights == H256::repeat_byte(8) => score,
        other => panic!("{other:?}"),
    };
    let [before, after] = [before, after].map(score);
    assert_eq!((before.total, after.total), (360, 360));
    // Ten classes and no idea: about ln 10.
    assert!((2_200_000..2_500_000).contains(&before.loss), "{before:?}");
    assert!(
        after.loss < before.loss && after.correct > before.correct,
        "{after:?}"
    );
}

#[test]
fn a_version_whose_outputs_are_no_numbers_is_found_not_finite() {
    let engine = engine();
    let honest = Honest::train(&engine);
    let opening = measured(&engine, &honest, &Weights::new(vec![f32::MAX; 4810]));
    assert_eq!(opening.finding, Finding::NotFinite);
    // 360 samples are two batches.
    assert_eq!(opening.witness, version_witness(&[NAN; 2]));
}

#[test]
fn a_version_with_an_infinite_weight_is_found_not_finite_even_if_no_output_shows_it() {
    let engine = engine();
    let honest = Honest::train(&engine);
    // Of a hidden neuron, which then never fires.
    let mut values = honest.base.weights.as_slice().to_vec();
    values[4096] = f32::NEG_INFINITY;
    let opening = measured(&engine, &honest, &Weights::new(values));
    assert_eq!(opening.finding, Finding::NotFinite);
    assert_ne!(opening.witness, version_witness(&[NAN; 2]));
}
