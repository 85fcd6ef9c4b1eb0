//! Bits that flip once: in a worker, and in the trainer's own memory. Neither may cost anyone the reputation.

use std::{fs, path::PathBuf};

use crate::support::{Honest, engine, engine_under};
use hydra_engine::{Engine, EngineError, recompute, verify};
use hydra_primitives::vote::{RejectReason, Vote};
use hydra_update::{GlobalState, Weights};

/// Where a worker's first answer has the lowest byte of a loss, if it is an evaluation, counted from behind the hello.
const LOSS: usize = 5;
/// … and of its first weight, if it is a state of the digits' model.
const WEIGHT: usize = 13;

struct Marker(PathBuf);

impl Marker {
    fn new(name: &str) -> Self {
        let marker = std::env::temp_dir().join(format!("hydra-{name}-{}", std::process::id()));
        let _ = fs::remove_file(&marker);
        Self(marker)
    }

    fn text(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Marker {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// An engine whose first worker gets one byte wrong, so many behind its hello. All others are honest.
fn engine_that_errs_once(marker: &Marker, at: usize) -> Engine {
    let script = format!(
        r#"if [ -e "$0" ]; then exec "$@"; fi; : >"$0"
        "$@" | {{ head -c 7; head -c {at}; head -c 1 | tr '\000-\377' '\001-\377\000'; cat; }}"#
    );
    engine_under(&["sh", "-c", &script, marker.text()])
}

fn contradiction(error: &EngineError) -> (Vote, Vote) {
    let EngineError::Contradiction { first, second } = error else {
        panic!("{error}")
    };
    assert!(error.to_string().contains("check its memory"), "{error}");
    assert!(!error.is_permanent() && !error.needs_repair());
    (*first, *second)
}

#[test]
fn a_result_that_is_wrong_once_rejects_no_proposal() {
    let honest = Honest::train(&engine());
    let marker = Marker::new("verify");
    let engine = engine_that_errs_once(&marker, LOSS);
    let verdict = || verify(&engine, &honest.claim(&honest.proposal), 0, &honest.blobs());
    let (first, second) = contradiction(&verdict().unwrap_err());
    assert_eq!(
        (first, second),
        (Vote::Reject(RejectReason::LossBeforeDiffers), Vote::Accept)
    );
    // The worker that erred is gone.
    assert_eq!(verdict().unwrap(), Vote::Accept);
}

#[test]
fn a_task_that_goes_wrong_once_rejects_no_proposal() {
    let honest = Honest::train(&engine());
    let marker = Marker::new("recompute");
    let engine = engine_that_errs_once(&marker, WEIGHT);
    let verdict = || recompute(&engine, &honest.claim(&honest.proposal), &honest.blobs());
    let (first, second) = contradiction(&verdict().unwrap_err());
    assert_eq!(
        (first, second),
        (Vote::Reject(RejectReason::SegmentDiffers), Vote::Accept)
    );
    assert_eq!(verdict().unwrap().0, Vote::Accept);
}

#[test]
fn what_is_rejected_was_seen_by_two_processes_and_what_is_accepted_by_one() {
    let honest = Honest::train(&engine());
    let mut false_claim = honest.proposal.clone();
    false_claim.report.loss_after += 1;
    let started = |proposal, expected: Vote| {
        let marker = Marker::new("starts");
        let engine = engine_under(&["sh", "-c", r#"echo >>"$0"; exec "$@""#, marker.text()]);
        let verdict = verify(&engine, &honest.claim(proposal), 0, &honest.blobs());
        assert_eq!(verdict.unwrap(), expected);
        fs::read(&marker.0).unwrap().len()
    };
    let rejected = Vote::Reject(RejectReason::LossAfterDiffers);
    assert_eq!(started(&false_claim, rejected), 2);
    assert_eq!(started(&honest.proposal, Vote::Accept), 1);
}

#[test]
fn base_weights_that_changed_in_memory_reject_no_proposal() {
    let (engine, honest) = (engine(), Honest::train(&engine()));
    let mut values = honest.base.weights.as_slice().to_vec();
    values[17] = f32::from_bits(values[17].to_bits() ^ (1 << 22));
    let flipped = GlobalState {
        weights: Weights::new(values),
        outer_momentum: honest.base.outer_momentum.clone(),
    };
    let mut claim = honest.claim(&honest.proposal);
    claim.base = &flipped;
    let errors = [
        verify(&engine, &claim, 0, &honest.blobs()).unwrap_err(),
        recompute(&engine, &claim, &honest.blobs()).unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, EngineError::Damaged), "{error}");
    }
}
