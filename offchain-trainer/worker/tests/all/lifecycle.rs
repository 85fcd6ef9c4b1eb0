//! Workers that are refused, killed, late or wrong, and the engine that outlives them.

use std::{
    io::{Read, Write},
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use crate::support::{
    Honest, SEED, bare_worker, config, dataset, engine, engine_under, hello, impostor, threads_of,
};
use hydra_engine::{
    Engine, EngineConfig, EngineError, EvaluateJob, TrainJob,
    protocol::{Hello, PROTOCOL, read_frame},
};
use hydra_primitives::model::{Architecture, ModelSpec};
use hydra_update::{GlobalState, Weights};

/// A task that never ends within a test.
fn endless() -> ModelSpec {
    let mut spec = hydra_primitives::digits::digits_spec();
    spec.task.steps = hydra_primitives::model::MAX_STEPS;
    spec
}

fn train_endlessly(engine: &Engine, on_step: impl FnMut(u32)) -> EngineError {
    let (spec, dataset) = (endless(), dataset());
    let base = GlobalState::initial(&spec).weights;
    let job = TrainJob {
        spec: &spec,
        kind: &dataset.manifest.kind,
        base: &base,
        shard: &dataset.shards[0],
        task_seed: SEED,
    };
    engine.train(job, on_step).unwrap_err()
}

#[test]
fn a_worker_killed_in_the_middle_of_a_job_costs_that_job_only() {
    let engine = engine();
    let error = train_endlessly(&engine, |done| {
        if done == 3 {
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
        let error = train_endlessly(&engine, |done| {
            if done == 1 {
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
fn a_job_that_is_called_off_ends_and_so_does_one_that_waits_and_no_other_job() {
    let engine = engine();
    let task = engine.for_task();
    thread::scope(|scope| {
        let mut other = None;
        let error = train_endlessly(&task, |done| {
            if done == 1 {
                // There is one worker only: both wait for it.
                let waits = scope.spawn(|| task.self_test());
                other = Some(scope.spawn(|| engine.self_test()));
                task.call_off();
                let error = waits.join().unwrap().unwrap_err();
                assert!(matches!(error, EngineError::CalledOff), "{error}");
            }
        });
        assert!(matches!(error, EngineError::CalledOff), "{error}");
        other.unwrap().join().unwrap().unwrap();
    });
    let later = task.self_test().unwrap_err();
    assert!(matches!(later, EngineError::CalledOff), "{later}");
    engine.self_test().unwrap();
}

/// Calls off the jobs of an engine, so that a test that fails doesn't wait for them.
struct CallOff<'a>(&'a Engine);

impl Drop for CallOff<'_> {
    fn drop(&mut self) {
        self.0.call_off();
    }
}

#[test]
fn a_job_gives_cores_to_one_that_begins_and_gets_them_when_that_ends() {
    let engine = Engine::new(EngineConfig {
        workers: 3,
        ..config()
    });
    let (older, newer) = (engine.for_task(), engine.for_task());
    let began = Instant::now();
    thread::scope(|scope| {
        let _end = CallOff(&newer);
        let (mut stage, mut first, mut second) = (0, 0, None);
        let error = train_endlessly(&older, |_| {
            assert!(
                began.elapsed() < Duration::from_secs(120),
                "stuck in stage {stage}"
            );
            match stage {
                0 => {
                    first = engine.busy_workers()[0];
                    if threads_of(first) == 3 {
                        second = Some(scope.spawn(|| train_endlessly(&newer, |_| ())));
                        stage = 1;
                    }
                }
                // Of three cores the older one keeps two.
                1 if threads_of(first) == 2 => {
                    let busy = engine.busy_workers();
                    let others = busy.into_iter().filter(|pid| *pid != first);
                    assert_eq!(others.map(threads_of).collect::<Vec<_>>(), [1]);
                    newer.call_off();
                    stage = 2;
                }
                2 if threads_of(first) == 3 => older.call_off(),
                _ => {}
            }
        });
        assert!(matches!(error, EngineError::CalledOff), "{error}");
        let error = second.unwrap().join().unwrap();
        assert!(matches!(error, EngineError::CalledOff), "{error}");
    });
    // Whoever comes next is alone.
    Honest::train(&engine);
    let workers = engine.workers();
    assert_eq!(workers.into_iter().map(threads_of).collect::<Vec<_>>(), [3]);
}

#[test]
fn a_worker_that_never_answers_is_stopped_at_the_deadline() {
    let deadline = Duration::from_secs(5);
    let engine = Engine::new(EngineConfig {
        deadline,
        launcher: ["sh", "-c", &impostor("exec sleep 1000")]
            .map(Into::into)
            .to_vec(),
        ..config()
    });
    let error = engine.self_test().unwrap_err();
    assert!(
        matches!(error, EngineError::TimedOut { after } if after == deadline),
        "{error}"
    );
    assert!(engine.workers().is_empty());
}

#[test]
fn a_large_job_gets_more_than_the_least_deadline() {
    let deadline = Duration::from_secs(10);
    let engine = Engine::new(EngineConfig { deadline, ..config() });
    engine.self_test().unwrap();
    let began = Instant::now();
    let error = train_endlessly(&engine, |_| {
        if began.elapsed() > deadline + Duration::from_secs(2) {
            engine.stop_workers();
        }
    });
    assert!(matches!(error, EngineError::Stopped), "{error}");
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
    let nonsense = [
        "echo these are no frames at all",
        "exec cat /dev/urandom",
        &impostor("exec cat /dev/urandom"),
        // A frame of 2 GiB less a byte, of which all comes that is asked for.
        &impostor("printf '\\377\\377\\377\\177'; exec cat /dev/zero"),
        // A second hello where an answer should be.
        &impostor(&format!("printf '{}'; exec sleep 1000", hello(PROTOCOL))),
        // Another version than ours.
        &format!("printf '{}'; exec sleep 1000", hello(u16::MAX)),
    ];
    for script in nonsense {
        let engine = engine_under(&["sh", "-c", script]);
        let error = engine.self_test().unwrap_err();
        assert!(
            matches!(
                error,
                EngineError::Nonsense { .. } | EngineError::WrongVersion { .. }
            ),
            "{script}: {error}"
        );
        assert!(engine.workers().is_empty());
    }
}

#[test]
fn a_worker_that_closes_its_pipe_has_failed_even_if_it_lives_on() {
    let engine = engine_under(&["sh", "-c", &impostor("exec sleep 1000 >&-")]);
    let error = engine.self_test().unwrap_err();
    assert!(matches!(error, EngineError::WorkerDied { .. }), "{error}");
    assert!(engine.workers().is_empty());
}

#[test]
fn nobody_waits_for_the_last_words_of_a_dead_worker_that_somebody_else_could_still_speak() {
    let began = Instant::now();
    let error = engine_under(&["sh", "-c", "sleep 60 </dev/null >/dev/null & exit 1"])
        .self_test()
        .unwrap_err();
    assert!(matches!(error, EngineError::WorkerDied { .. }), "{error}");
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[test]
fn jobs_that_are_too_big_are_refused_before_a_worker_is_started() {
    let engine = Engine::new(EngineConfig {
        worker: Some("/nowhere/worker".into()),
        ..config()
    });
    let (mut spec, dataset) = (endless(), dataset());
    let kind = &dataset.manifest.kind;
    let wide = |layers: Vec<u32>| Architecture::Mlp {
        layers: layers.try_into().unwrap(),
    };
    let refused = |what: &str, error: EngineError| {
        assert!(matches!(error, EngineError::TooBig { .. }), "{what}: {error}");
        assert!(error.is_permanent() && !error.needs_repair());
    };
    // As large as version 0.1 allowed.
    spec.architecture = wide(vec![64, 16_268_815, 1]);
    let job = TrainJob {
        spec: &spec,
        kind,
        base: &Weights::zeros(1),
        shard: &dataset.shards[0],
        task_seed: SEED,
    };
    refused("training", engine.train(job, |_| ()).unwrap_err());
    let architecture = wide(vec![1, 2_000_000, 1]);
    let job = EvaluateJob {
        architecture: &architecture,
        kind,
        weights: &Weights::zeros(1),
        data: &dataset.validation,
    };
    refused("measuring", engine.evaluate(job).unwrap_err());
    let inference = engine.infer(&architecture, &Weights::zeros(1), &[0.0]);
    refused("inference", inference.unwrap_err());
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
