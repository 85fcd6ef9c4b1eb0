//! The same task gives the same bits: again, in another process, and on another CPU.

use std::process::Child;

use crate::support::{
    Honest, SEED, SHARD, bare_worker, config, dataset, engine, engine_under, eventually, threads_of,
};
use hydra_arithmetic::{NAN, canonical_bits};
use hydra_engine::{
    Engine, EngineConfig, EvaluateJob, KNOWN_ANSWER,
    protocol::{Answer, Hello, Job, MAX_FRAME, Order, Request, read_frame, write_frame},
};
use hydra_primitives::{
    Permill,
    digits::digits_spec,
    model::{Architecture, ModelSpec},
    poll::Opening,
    task::task_witness,
};
use hydra_update::{Batches, GlobalState, Update, Weights, decode_shard};

#[test]
fn training_twice_in_one_process_and_in_two_gives_the_same_update_and_witness() {
    let engine = engine();
    let first = Honest::train(&engine).trained;
    let again = Honest::train(&engine).trained;
    let elsewhere = Honest::train(&crate::support::engine()).trained;
    assert_eq!(first.opening(), again.opening());
    assert_eq!(first.opening(), elsewhere.opening());
    let bits = |trained: hydra_engine::Trained| trained.update.unwrap().encode();
    assert_eq!(bits(first), bits(elsewhere));
}

#[test]
fn the_known_answer_is_pinned() {
    let found = engine().known_answer().unwrap();
    assert_eq!(found, KNOWN_ANSWER);
    engine().self_test().unwrap();
}

fn measured(engine: &Engine, honest: &Honest) -> Opening {
    let job = EvaluateJob {
        architecture: &honest.spec.architecture,
        kind: &honest.dataset.manifest.kind,
        weights: &honest.base.weights,
        data: &honest.dataset.validation,
    };
    engine
        .evaluate(job)
        .unwrap()
        .opening(honest.base.hash(&honest.spec))
}

/// Runs the whole test on an emulated Intel CPU from 2013, and on an AMD one.
#[test]
fn other_cpus_compute_the_same_bits() {
    let native = engine();
    let here = Honest::train(&native);
    for cpu in ["Haswell", "EPYC"] {
        let emulated = engine_under(&["qemu-x86_64", "-cpu", cpu]);
        assert_eq!(emulated.known_answer().unwrap(), KNOWN_ANSWER, "{cpu}");
        let there = Honest::train(&emulated);
        assert_eq!(there.trained.opening(), here.trained.opening(), "{cpu}");
        assert_eq!(measured(&emulated, &here), measured(&native, &here), "{cpu}");
    }
}

/// Without AVX2 and FMA, on an emulated Intel CPU from 2008: slowly, and alike.
#[test]
fn a_cpu_without_fused_multiply_adds_computes_the_same_bits_and_says_with_what() {
    let old = engine_under(&["qemu-x86_64", "-cpu", "Nehalem"]);
    assert_eq!(old.instructions(), None);
    assert_eq!(old.known_answer().unwrap(), KNOWN_ANSWER);
    assert_eq!(old.instructions().as_deref(), Some("portable"));
}

/// A task of so many steps, wide enough that each thread gets a part of every product.
fn wide(steps: u32) -> ModelSpec {
    let mut spec = digits_spec();
    spec.architecture = Architecture::Mlp {
        layers: vec![64, 1024, 333, 10].try_into().unwrap(),
    };
    spec.task.steps = steps;
    spec
}

#[test]
fn any_number_of_threads_computes_the_same_bits() {
    let spec = wide(3);
    let trained = |workers| {
        let config = EngineConfig { workers, ..config() };
        // The only one that is busy has the threads of all.
        let engine = Engine::new(config);
        let honest = Honest::train_on(&engine, spec.clone(), SHARD, SEED);
        assert_eq!(engine.known_answer().unwrap(), KNOWN_ANSWER);
        honest.trained.opening()
    };
    let alone = trained(1);
    assert_eq!([2, 3].map(trained), [alone, alone]);
}

#[test]
fn threads_that_come_and_go_during_a_job_change_no_bit() {
    let spec = wide(40);
    let calm = ask(bare_worker(), &spec);
    let mut others = [2, 3, 1].into_iter().cycle();
    let base = GlobalState::initial(&spec).weights;
    let disturbed = ask_and_tell(bare_worker(), &spec, &base, || others.next());
    assert!(calm == disturbed);
}

/// What a worker answers to a training task.
#[derive(PartialEq)]
struct Answers {
    losses: Vec<u32>,
    weights: Weights,
    momentum: Vec<u8>,
}

fn ask(worker: Child, spec: &ModelSpec) -> Answers {
    ask_from(worker, spec, &GlobalState::initial(spec).weights)
}

fn ask_from(worker: Child, spec: &ModelSpec, base: &Weights) -> Answers {
    ask_and_tell(worker, spec, base, || None)
}

/// Has it trained by a worker that is told the next number of threads after each step, if there is one.
fn ask_and_tell(
    mut worker: Child,
    spec: &ModelSpec,
    base: &Weights,
    mut threads: impl FnMut() -> Option<u16>,
) -> Answers {
    let (mut stdin, mut stdout) = (worker.stdin.take().unwrap(), worker.stdout.take().unwrap());
    let _: Hello = read_frame(&mut stdout, 4096).unwrap();
    let dataset = dataset();
    let job = Job {
        threads: 1,
        request: Request::Train {
            spec: spec.clone(),
            kind: dataset.manifest.kind.clone(),
            base: base.to_le_bytes(),
            shard: dataset.shards[SHARD as usize].clone(),
            task_seed: SEED,
        },
    };
    write_frame(&mut stdin, &Order::Job(Box::new(job))).unwrap();
    let mut losses = Vec::new();
    let mut told = 1u16;
    loop {
        match read_frame(&mut stdout, MAX_FRAME).unwrap() {
            Answer::Step { loss } => {
                losses.push(loss);
                if let Some(threads) = threads() {
                    write_frame(&mut stdin, &Order::Threads(threads)).unwrap();
                    told = threads;
                }
            }
            Answer::Trained { weights, momentum } => {
                // What it was told last holds for whatever comes next, and those of before are gone.
                eventually("as many threads as it was told", || {
                    threads_of(worker.id()) == usize::from(told)
                });
                drop(stdin);
                worker.wait().unwrap();
                let weights = Weights::from_le_bytes(&weights).unwrap();
                return Answers {
                    losses,
                    weights,
                    momentum,
                };
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn update_and_witness_are_made_of_what_the_worker_answers() {
    let spec = digits_spec();
    let Answers {
        losses,
        weights,
        momentum,
    } = ask(bare_worker(), &spec);
    assert_eq!((losses.len(), momentum.len()), (30, 4 * 4810));
    let honest = Honest::train(&engine());
    assert_eq!(honest.trained.witness, task_witness(&losses, &momentum));
    let update = Update::between(&honest.base.weights, &weights).unwrap();
    assert_eq!(honest.trained.update.unwrap().encode(), update.encode());
    let (first, last) = (f32::from_bits(losses[0]), f32::from_bits(losses[29]));
    assert!(last < first / 2.0, "{first} {last}");
}

#[test]
fn without_momentum_there_are_no_buffers() {
    let mut spec = digits_spec();
    spec.task.momentum = Permill::zero();
    let answers = ask(bare_worker(), &spec);
    assert!(answers.momentum.is_empty());
    let trained = Honest::train_on(&engine(), spec, SHARD, SEED).trained;
    assert_eq!(trained.witness, task_witness(&answers.losses, &[]));
}

/// An x86-64 processor makes NaNs whose sign is set, an Arm one without.
#[test]
fn losses_that_are_no_numbers_are_told_in_one_form_and_witnessed_so() {
    let mut honest = Honest::train(&engine());
    honest.base.weights = Weights::new(vec![1e30; 4810]);
    let answers = ask_from(bare_worker(), &honest.spec, &honest.base.weights);
    assert_eq!(answers.losses, [NAN; 30]);
    let momentum = answers.momentum.as_chunks::<4>().0;
    let momentum: Vec<u8> = momentum
        .iter()
        .flat_map(|value| canonical_bits(f32::from_le_bytes(*value)).to_le_bytes())
        .collect();
    let trained = engine().train(honest.job(), |_| ()).unwrap();
    assert_eq!(trained.update, None);
    assert_eq!(trained.witness, task_witness(&[NAN; 30], &momentum));
}

/// The training step against its definition, computed in double precision without LibTorch.
#[test]
fn a_step_is_what_the_spec_says() {
    let mut spec = digits_spec();
    spec.task.steps = 2;
    spec.task.learning_rate = Permill::from_percent(10);
    spec.task.momentum = Permill::from_percent(90);
    let answers = ask(bare_worker(), &spec);
    let dataset = dataset();
    let shard = decode_shard(&dataset.manifest.kind, &dataset.shards[SHARD as usize]).unwrap();
    let mut w: Vec<f64> = GlobalState::initial(&spec)
        .weights
        .as_slice()
        .iter()
        .map(|v| f64::from(*v))
        .collect();
    let mut momentum = vec![0.0; w.len()];
    let mut batches = Batches::new(SEED, shard.samples(), 32).unwrap();
    for step in 0..2u32 {
        let mut gradient = vec![0.0; w.len()];
        let mut loss = 0.0;
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
            loss += (total.ln() - logits[label]) / 32.0;
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
        let told = f64::from(f32::from_bits(answers.losses[step as usize]));
        assert!((told - loss).abs() < 1e-5, "step {step}: {told} {loss}");
        for ((w, m), g) in w.iter_mut().zip(&mut momentum).zip(&gradient) {
            *m = 0.9 * *m + g;
            *w -= 0.1 * *m;
        }
    }
    let furthest = |found: &Weights, expected: &[f64]| {
        let pairs = found.as_slice().iter().zip(expected);
        pairs.map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max)
    };
    let buffers = Weights::from_le_bytes(&answers.momentum).unwrap();
    assert!(furthest(&answers.weights, &w) < 1e-6);
    assert!(furthest(&buffers, &momentum) < 1e-6);
}

#[test]
fn jobs_run_side_by_side_and_agree() {
    let engine = Engine::new(EngineConfig {
        workers: 2,
        ..config()
    });
    let openings: Vec<_> = std::thread::scope(|scope| {
        let jobs: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| Honest::train(&engine).trained.opening()))
            .collect();
        jobs.into_iter().map(|job| job.join().unwrap()).collect()
    });
    assert!(openings.iter().all(|opening| *opening == openings[0]));
    assert!(engine.workers().len() <= 2);
}
