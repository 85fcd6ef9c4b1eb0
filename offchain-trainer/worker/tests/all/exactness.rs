//! The same task gives the same bits: again, in another process, in the middle, and on another CPU.

use crate::support::{Honest, SEED, SHARD, config, engine, engine_under};
use hydra_engine::{Engine, EngineConfig, KNOWN_ANSWER, SegmentJob};
use hydra_primitives::{Permill, digits::digits_spec, trace};
use hydra_update::{Batches, GlobalState, TrainingState, decode_shard};

#[test]
fn training_twice_in_one_process_and_in_two_gives_the_same_trace() {
    let engine = engine();
    let first = Honest::train(&engine);
    let again = Honest::train(&engine);
    let elsewhere = Honest::train(&crate::support::engine());
    assert_eq!(first.trained.leaves, again.trained.leaves);
    assert_eq!(first.trained.leaves, elsewhere.trained.leaves);
    assert_eq!(first.trained.update, elsewhere.trained.update);
    assert_eq!(first.trained.leaves.len(), 31);
}

#[test]
fn every_segment_continues_the_trace() {
    let engine = engine();
    let spec = {
        let mut spec = digits_spec();
        spec.task.checkpoint_every = 7;
        spec
    };
    let honest = Honest::train_on(&engine, spec, SHARD, SEED);
    assert_eq!(honest.states.len(), 6);
    for index in 0..5u32 {
        let steps = honest.spec.task.segment(index);
        let after = engine
            .segment(SegmentJob {
                spec: &honest.spec,
                kind: &honest.dataset.manifest.kind,
                shard: &honest.dataset.shards[SHARD as usize],
                task_seed: SEED,
                from: steps.start,
                to: steps.end,
                state: &honest.states[index as usize],
            })
            .unwrap();
        assert_eq!(after, honest.states[index as usize + 1]);
    }
}

#[test]
fn the_known_answer_is_pinned() {
    let found = engine().known_answer().unwrap();
    assert_eq!(found, KNOWN_ANSWER);
    engine().self_test().unwrap();
}

/// Runs the whole test on an emulated Intel CPU from 2013, and on an AMD one.
#[test]
fn other_cpus_compute_the_same_bits() {
    let native = Honest::train(&engine());
    for cpu in ["Haswell", "EPYC"] {
        let emulated = engine_under(&["qemu-x86_64", "-cpu", cpu]);
        assert_eq!(emulated.known_answer().unwrap(), KNOWN_ANSWER, "{cpu}");
        let there = Honest::train(&emulated);
        assert_eq!(
            trace::root(&there.trained.leaves),
            trace::root(&native.trained.leaves),
            "{cpu}"
        );
        let (mut a, mut b) = (there.proposal, native.proposal.clone());
        (a.report.milliseconds, b.report.milliseconds) = (0, 0);
        assert_eq!(a, b, "{cpu}");
    }
}

#[test]
fn without_momentum_a_state_is_the_weights_alone() {
    let mut spec = digits_spec();
    spec.task.momentum = Permill::zero();
    let honest = Honest::train_on(&engine(), spec, SHARD, SEED);
    assert!(honest.states.iter().all(|s| s.len() == 4 * 4810));
    assert!(honest.trained.report.loss_after < honest.trained.report.loss_before);
}

#[test]
fn the_first_state_is_the_base_with_empty_buffers() {
    let honest = Honest::train(&engine());
    let first = TrainingState::initial(&honest.spec, &honest.base.weights);
    assert_eq!(honest.states[0], first.encode());
}

/// The training step against its definition, computed in double precision without LibTorch.
#[test]
fn a_step_is_what_the_spec_says() {
    let mut spec = digits_spec();
    spec.task.steps = 2;
    spec.task.learning_rate = Permill::from_percent(10);
    spec.task.momentum = Permill::from_percent(90);
    let honest = Honest::train_on(&engine(), spec.clone(), SHARD, SEED);
    let shard = decode_shard(
        &honest.dataset.manifest.kind,
        &honest.dataset.shards[SHARD as usize],
    )
    .unwrap();
    let mut w: Vec<f64> = GlobalState::initial(&spec)
        .weights
        .as_slice()
        .iter()
        .map(|v| f64::from(*v))
        .collect();
    let mut momentum = vec![0.0; w.len()];
    let mut batches = Batches::new(SEED, shard.samples(), 32).unwrap();
    for step in 0..2 {
        let mut gradient = vec![0.0; w.len()];
        for i in batches.step(step) {
            let x = &shard.inputs[64 * i as usize..64 * (i as usize + 1)];
            let hidden: Vec<f64> = (0..64)
                .map(|o| w[4096 + o] + (0..64).map(|j| w[64 * o + j] * f64::from(x[j])).sum::<f64>())
                .collect();
            let relu: Vec<f64> = hidden.iter().map(|h| h.max(0.0)).collect();
            let logits: Vec<f64> = (0..10)
                .map(|o| w[4800 + o] + (0..64).map(|j| w[4160 + 64 * o + j] * relu[j]).sum::<f64>())
                .collect();
            let total: f64 = logits.iter().map(|l| l.exp()).sum();
            let label = shard.labels[i as usize] as usize;
            let slope: Vec<f64> = (0..10)
                .map(|o| (logits[o].exp() / total - f64::from(o == label)) / 32.0)
                .collect();
            for o in 0..10 {
                gradient[4800 + o] += slope[o];
                (0..64).for_each(|j| gradient[4160 + 64 * o + j] += slope[o] * relu[j]);
            }
            for j in (0..64).filter(|j| hidden[*j] > 0.0) {
                let back: f64 = (0..10).map(|o| slope[o] * w[4160 + 64 * o + j]).sum();
                gradient[4096 + j] += back;
                (0..64).for_each(|k| gradient[64 * j + k] += back * f64::from(x[k]));
            }
        }
        for ((w, m), g) in w.iter_mut().zip(&mut momentum).zip(&gradient) {
            *m = 0.9 * *m + g;
            *w -= 0.1 * *m;
        }
    }
    let last = TrainingState::decode(&spec, honest.states.last().unwrap()).unwrap();
    let furthest = last
        .weights
        .as_slice()
        .iter()
        .zip(&w)
        .map(|(a, b)| (f64::from(*a) - b).abs())
        .fold(0.0, f64::max);
    assert!(furthest < 1e-6, "{furthest}");
    let buffers = last.momentum.unwrap();
    let furthest = buffers
        .as_slice()
        .iter()
        .zip(&momentum)
        .map(|(a, b)| (f64::from(*a) - b).abs())
        .fold(0.0, f64::max);
    assert!(furthest < 1e-6, "{furthest}");
}

#[test]
fn jobs_run_side_by_side_and_agree() {
    let engine = Engine::new(EngineConfig {
        workers: 2,
        ..config()
    });
    let roots: Vec<_> = std::thread::scope(|scope| {
        let jobs: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| Honest::train(&engine).proposal.trace_root))
            .collect();
        jobs.into_iter().map(|job| job.join().unwrap()).collect()
    });
    assert!(roots.iter().all(|root| *root == roots[0]));
    assert!(engine.workers().len() <= 2);
}
