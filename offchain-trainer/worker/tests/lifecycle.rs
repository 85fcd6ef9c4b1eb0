//! Workers that are refused, killed, late or wrong, and the engine that outlives them.

mod support;

use std::{
    io::{Read, Write},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use hydra_engine::{
    Engine, EngineConfig, EngineError, TrainJob,
    profile::pins,
    protocol::{Hello, read_frame},
};
use hydra_primitives::model::{ModelSpec, Profile};
use hydra_update::{GlobalState, Weights};
use support::{Honest, SEED, config, dataset, engine, engine_under};

/// A task that never ends within a test, with a state after each step.
fn endless() -> ModelSpec {
    let mut spec = hydra_primitives::digits::digits_spec();
    spec.task.steps = hydra_primitives::model::MAX_STEPS;
    spec
}

fn train_endlessly(engine: &Engine, on_state: impl FnMut(u32, Vec<u8>)) -> EngineError {
    let (spec, dataset) = (endless(), dataset());
    let base = GlobalState::initial(&spec).weights;
    let job = TrainJob {
        spec: &spec,
        kind: &dataset.manifest.kind,
        base: &base,
        shard: &dataset.shards[0],
        validation: &dataset.validation,
        task_seed: SEED,
    };
    engine.train(job, on_state).unwrap_err()
}

#[test]
fn a_worker_killed_in_the_middle_of_a_job_costs_that_job_only() {
    let engine = engine();
    let error = train_endlessly(&engine, |index, _| {
        if index == 3 {
            let [pid] = engine.busy_workers()[..] else {
                panic!("one worker expected")
            };
            assert!(
                Command::new("kill")
                    .args(["-9", &pid.to_string()])
                    .status()
                    .unwrap()
                    .success()
            );
        }
    });
    assert!(
        matches!(&error, EngineError::WorkerDied { status, .. } if status.contains('9')),
        "{error}"
    );
    engine.self_test().unwrap();
}

#[test]
fn an_idle_worker_that_died_is_replaced_without_an_error() {
    let engine = engine();
    engine.self_test().unwrap();
    let [pid] = engine.workers()[..] else {
        panic!("one worker expected")
    };
    let mut zombie = Command::new("kill")
        .args(["-9", &pid.to_string()])
        .spawn()
        .unwrap();
    zombie.wait().unwrap();
    // The signal is delivered, the process may take a moment to end: either way the job is done.
    let again = engine.self_test();
    assert!(
        matches!(again, Ok(()) | Err(EngineError::WorkerDied { .. })),
        "{again:?}"
    );
    engine.self_test().unwrap();
    assert_ne!(engine.workers(), [pid]);
}

#[test]
fn stopping_ends_running_and_waiting_jobs_and_no_worker_is_started_again() {
    let engine = engine();
    thread::scope(|scope| {
        let error = train_endlessly(&engine, |index, _| {
            if index == 1 {
                // There is one worker only: this one waits for it, or comes when it is gone.
                let waits = scope.spawn(|| engine.self_test());
                engine.stop_workers();
                let error = waits.join().unwrap().unwrap_err();
                assert!(matches!(error, EngineError::Stopped), "{error}");
            }
        });
        assert!(matches!(error, EngineError::Stopped), "{error}");
    });
    let later = engine.self_test().unwrap_err();
    assert!(matches!(later, EngineError::Stopped), "{later}");
    assert!(engine.workers().is_empty());
}

#[test]
fn stopping_kills_a_worker_that_is_being_started() {
    // It never says hello.
    let engine = engine_under(&["sh", "-c", "exec sleep 1000"]);
    thread::scope(|scope| {
        let starts = scope.spawn(|| engine.self_test());
        let pid = loop {
            if let [pid] = engine.workers()[..] {
                break pid;
            }
            thread::yield_now();
        };
        engine.stop_workers();
        let error = starts.join().unwrap().unwrap_err();
        assert!(matches!(error, EngineError::Stopped), "{error}");
        assert!(!Path::new(&format!("/proc/{pid}")).exists());
    });
}

#[test]
fn a_job_past_its_deadline_is_stopped() {
    // It counts for the start of a worker, too, which takes long on a PC that is busy with other tests.
    let deadline = Duration::from_secs(30);
    let engine = Engine::new(EngineConfig { deadline, ..config() });
    let error = train_endlessly(&engine, |_, _| ());
    assert!(
        matches!(error, EngineError::TimedOut { after } if after == deadline),
        "{error}"
    );
    engine.self_test().unwrap();
}

#[test]
fn wrong_pins_are_refused() {
    let error = engine_under(&["env", "MKL_CBWR=AVX2"]).self_test().unwrap_err();
    assert!(
        matches!(&error, EngineError::WrongPin { name, found, .. } if name == "MKL_CBWR" && found == "AVX2"),
        "{error}"
    );
    let error = engine_under(&["env", "-u", "OMP_NUM_THREADS"])
        .self_test()
        .unwrap_err();
    assert!(
        matches!(&error, EngineError::WrongPin { found, .. } if found == "not set"),
        "{error}"
    );
}

#[test]
fn variables_of_the_caller_do_not_reach_the_worker() {
    let output = engine_under(&["sh", "-c", "env >&2; exit 1"])
        .self_test()
        .unwrap_err()
        .to_string();
    assert!(output.contains("ATEN_CPU_CAPABILITY=avx2"), "{output}");
    assert!(!output.contains("CARGO"), "{output}");
}

#[test]
fn an_old_cpu_is_told_so() {
    let error = engine_under(&["qemu-x86_64", "-cpu", "Nehalem"])
        .self_test()
        .unwrap_err();
    assert!(matches!(error, EngineError::CpuTooOld { .. }), "{error}");
}

#[test]
fn a_missing_libtorch_is_told_in_one_sentence() {
    // The search path in the program is replaced by one that holds nothing.
    let folder = std::env::temp_dir().join(format!("hydra-worker-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let copy = folder.join("hydra-torch-worker");
    let mut program = std::fs::read(config().worker_path()).unwrap();
    let libtorch =
        std::env::var("LIBTORCH").expect("LIBTORCH names the folder that the worker was linked to");
    let at = program
        .windows(libtorch.len())
        .position(|w| w == libtorch.as_bytes())
        .unwrap();
    program[at..at + libtorch.len()].fill(b'x');
    // Copied by another process: a file that this one still held open for writing could not be run.
    let patched = folder.join("patched");
    std::fs::write(&patched, program).unwrap();
    std::fs::set_permissions(&patched, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    assert!(
        Command::new("cp")
            .args([&patched, &copy])
            .status()
            .unwrap()
            .success()
    );
    let error = Engine::new(EngineConfig {
        worker: Some(copy),
        ..config()
    })
    .self_test()
    .unwrap_err();
    std::fs::remove_dir_all(folder).unwrap();
    assert!(matches!(error, EngineError::LibTorchMissing { .. }), "{error}");
    assert!(error.to_string().contains("scripts/setup"), "{error}");
}

#[test]
fn a_missing_worker_is_told_with_its_path() {
    let engine = Engine::new(EngineConfig {
        worker: Some("/nowhere/worker".into()),
        ..config()
    });
    let error = engine.self_test().unwrap_err();
    assert!(matches!(error, EngineError::WorkerNotFound { .. }), "{error}");
}

#[test]
fn a_program_that_speaks_nonsense_is_no_worker() {
    let error = engine_under(&["sh", "-c", "echo these are no frames at all"])
        .self_test()
        .unwrap_err();
    assert!(matches!(error, EngineError::Nonsense { .. }), "{error}");
}

#[test]
fn jobs_that_make_no_sense_are_refused_and_the_worker_lives_on() {
    let engine = engine();
    let honest = Honest::train(&engine);
    let before = engine.workers();
    let evaluate = |weights: &Weights, data: &[u8]| {
        engine.evaluate(hydra_engine::EvaluateJob {
            architecture: &honest.spec.architecture,
            kind: &honest.dataset.manifest.kind,
            weights,
            data,
        })
    };
    let short = evaluate(&Weights::zeros(7), &honest.dataset.validation).unwrap_err();
    assert!(matches!(short, EngineError::BadJob { .. }), "{short}");
    let garbage = evaluate(&honest.base.weights, b"garbage").unwrap_err();
    assert!(matches!(garbage, EngineError::BadJob { .. }), "{garbage}");
    let odd = engine
        .infer(&honest.spec.architecture, &honest.base.weights, &[0.0; 65])
        .unwrap_err();
    assert!(matches!(odd, EngineError::BadJob { .. }), "{odd}");
    assert_eq!(engine.workers(), before);
}

#[test]
fn training_that_diverges_is_an_error_and_nothing_to_propose() {
    let engine = engine();
    let (mut spec, dataset) = (endless(), dataset());
    spec.task.steps = 40;
    spec.task.learning_rate = hydra_primitives::Permill::one();
    let base = Weights::new(vec![1e18; 4810]);
    let job = TrainJob {
        spec: &spec,
        kind: &dataset.manifest.kind,
        base: &base,
        shard: &dataset.shards[0],
        validation: &dataset.validation,
        task_seed: SEED,
    };
    let error = engine.train(job, |_, _| ()).unwrap_err();
    assert!(matches!(error, EngineError::Diverged), "{error}");
    engine.self_test().unwrap();
}

#[test]
fn inference_names_the_class_with_the_largest_logit() {
    let engine = engine();
    let honest = Honest::train(&engine);
    let architecture = &honest.spec.architecture;
    let answer = engine
        .infer(architecture, &honest.base.weights, &[0.5; 128])
        .unwrap();
    assert_eq!((answer.logits.len(), answer.classes.len()), (20, 2));
    assert_eq!(answer.logits[..10], answer.logits[10..]);
    let best = answer.logits[answer.classes[0] as usize];
    assert!(answer.logits.iter().all(|l| *l <= best));
}

fn bare_worker() -> Child {
    Command::new(config().worker_path())
        .envs(pins(&Profile::ExactLibTorch2110Avx2).iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn a_worker_whose_parent_is_gone_ends() {
    let mut worker = bare_worker();
    let mut stdout = worker.stdout.take().unwrap();
    let hello: Hello = read_frame(&mut stdout, 4096).unwrap();
    assert!(matches!(hello, Hello::Ready { .. }));
    drop(worker.stdin.take());
    assert!(!worker.wait().unwrap().success());
    assert_eq!(stdout.read_to_end(&mut Vec::new()).unwrap(), 0);
}

#[test]
fn a_worker_that_is_told_nonsense_says_so_and_ends() {
    for nonsense in [&u32::MAX.to_le_bytes()[..], &[2, 0, 0, 0, 99, 99]] {
        let mut worker = bare_worker();
        worker.stdin.as_mut().unwrap().write_all(nonsense).unwrap();
        let output = worker.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(4));
        assert!(
            String::from_utf8_lossy(&output.stderr).contains("frame"),
            "{output:?}"
        );
    }
}
