//! Bits that flip once: in a worker, and in the trainer's own memory. Neither may cost anyone their stake.

use std::{cell::Cell, fs, path::PathBuf};

use crate::support::{Honest, engine, engine_under, hello_size};
use hydra_engine::{Engine, EngineError};
use hydra_primitives::{H256, poll::Finding};
use hydra_update::Weights;

/// Where a worker's answers to the digits' task have the lowest byte of the first weight, counted from behind the hello: 30
/// losses of 9 bytes, then a frame's length, which answer it is, and how long the weights are.
const WEIGHT: usize = 30 * 9 + 4 + 1 + 4;

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
    let hello = hello_size();
    let script = format!(
        r#"if [ -e "$0" ]; then exec "$@"; fi; : >"$0"
        "$@" | {{ head -c {hello}; head -c {at}; head -c 1 | tr '\000-\377' '\001-\377\000'; cat; }}"#
    );
    engine_under(&["sh", "-c", &script, marker.text()])
}

#[test]
fn a_task_that_goes_wrong_once_contradicts_nobody() {
    let honest = Honest::train(&engine());
    let marker = Marker::new("verify");
    let engine = engine_that_errs_once(&marker, WEIGHT);
    let verify = || engine.verify(honest.job(), Some(honest.claim()), || true, |_| ());
    let error = verify().unwrap_err();
    let EngineError::Contradiction { first, second } = &error else {
        panic!("{error}")
    };
    assert!(error.to_string().contains("check its memory"), "{error}");
    assert!(!error.is_permanent() && !error.needs_repair());
    let right = Finding::Update(honest.claim());
    assert!(*first != right && *second == right, "{error}");
    // The worker that erred is gone.
    assert_eq!(verify().unwrap().opening(), honest.trained.opening());
}

#[test]
fn what_contradicts_was_seen_by_two_processes_and_what_agrees_by_one() {
    let honest = Honest::train(&engine());
    let started = |claim: Option<H256>| {
        let marker = Marker::new("starts");
        let engine = engine_under(&["sh", "-c", r#"echo >>"$0"; exec "$@""#, marker.text()]);
        let found = engine.verify(honest.job(), claim, || true, |_| ()).unwrap();
        assert_eq!(found.opening(), honest.trained.opening());
        fs::read(&marker.0).unwrap().len()
    };
    assert_eq!(started(Some(H256::repeat_byte(1))), 2);
    assert_eq!(started(Some(honest.claim())), 1);
    // Who forgot what is claimed may be about to contradict it.
    assert_eq!(started(None), 2);
}

#[test]
fn base_weights_that_changed_in_memory_contradict_nobody() {
    let mut honest = Honest::train(&engine());
    let (claim, hash) = (honest.claim(), honest.base.hash(&honest.spec));
    let mut values = honest.base.weights.as_slice().to_vec();
    values[17] = f32::from_bits(values[17].to_bits() ^ (1 << 22));
    honest.base.weights = Weights::new(values);
    let asked = Cell::new(0);
    let intact = || {
        asked.set(asked.get() + 1);
        honest.base.hash(&honest.spec) == hash
    };
    let verified = engine().verify(honest.job(), Some(claim), intact, |_| ());
    let error = verified.unwrap_err();
    assert!(matches!(error, EngineError::Damaged), "{error}");
    assert_eq!(asked.get(), 1);
}
