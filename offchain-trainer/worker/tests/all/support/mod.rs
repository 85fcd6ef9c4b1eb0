//! An engine on the worker just built, the digits, and an honest task.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::{
    ffi::OsString,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use codec::Encode;
use hydra_arithmetic::Level;
use hydra_engine::{
    Engine, EngineConfig, TrainJob, Trained,
    protocol::{Hello, PROTOCOL},
};
use hydra_primitives::{H256, digits::digits_spec, model::ModelSpec, poll::Finding};
use hydra_update::{Dataset, GlobalState, digits};

pub fn config() -> EngineConfig {
    EngineConfig {
        workers: 1,
        worker: Some(env!("CARGO_BIN_EXE_hydra-torch-worker").into()),
        launcher: Vec::new(),
        deadline: Duration::from_secs(300),
    }
}

pub fn engine() -> Engine {
    Engine::new(config())
}

/// An engine whose workers run under something else.
pub fn engine_under(launcher: &[&str]) -> Engine {
    Engine::new(EngineConfig {
        launcher: launcher.iter().map(OsString::from).collect(),
        ..config()
    })
}

/// What a shell's `printf` needs to say hello as a worker of version `protocol` does.
pub fn hello(protocol: u16) -> String {
    let hello = Hello::Ready {
        protocol,
        instructions: "any".into(),
    };
    let (length, hello) = (hello.encoded_size() as u32, hello.encode());
    let bytes = length.to_le_bytes().into_iter().chain(hello);
    bytes.map(|byte| format!("\\{byte:03o}")).collect()
}

/// A shell script that says hello as a worker does, and goes on with `then`.
pub fn impostor(then: &str) -> String {
    format!("printf '{}'; {then}", hello(PROTOCOL))
}

/// How many bytes a real worker's hello has on this PC.
pub fn hello_size() -> usize {
    let hello = Hello::Ready {
        protocol: PROTOCOL,
        instructions: Level::best().name().into(),
    };
    4 + hello.encoded_size()
}

/// A worker without an engine.
pub fn bare_worker() -> Child {
    Command::new(config().worker_path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// How many threads a worker computes with.
pub fn threads_of(pid: u32) -> usize {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    // Where it is one, it is the one that has the job.
    names
        .filter(|name| name.starts_with("arithmetic-"))
        .count()
        .max(1)
}

/// Waits for what nobody tells.
pub fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "never: {what}");
        std::thread::yield_now();
    }
}

pub fn dataset() -> Dataset {
    digits::import(digits::BUNDLED).unwrap()
}

pub const SHARD: u32 = 3;
pub const SEED: H256 = H256::repeat_byte(7);

/// A task that was done, and all that it takes.
pub struct Honest {
    pub spec: ModelSpec,
    pub dataset: Dataset,
    pub base: GlobalState,
    pub trained: Trained,
}

impl Honest {
    pub fn train(engine: &Engine) -> Self {
        Self::train_on(engine, digits_spec(), SHARD, SEED)
    }

    pub fn train_on(engine: &Engine, spec: ModelSpec, shard: u32, task_seed: H256) -> Self {
        let (dataset, base) = (dataset(), GlobalState::initial(&spec));
        let job = TrainJob {
            spec: &spec,
            kind: &dataset.manifest.kind,
            base: &base.weights,
            shard: &dataset.shards[shard as usize],
            task_seed,
        };
        let trained = engine.train(job, |_| ()).unwrap();
        Self {
            spec,
            dataset,
            base,
            trained,
        }
    }

    /// The task on the shard and with the seed that the chain assigned.
    pub fn job(&self) -> TrainJob<'_> {
        TrainJob {
            spec: &self.spec,
            kind: &self.dataset.manifest.kind,
            base: &self.base.weights,
            shard: &self.dataset.shards[SHARD as usize],
            task_seed: SEED,
        }
    }

    /// What is claimed of it.
    pub fn claim(&self) -> H256 {
        match self.trained.opening().finding {
            Finding::Update(hash) => hash,
            other => panic!("{other:?}"),
        }
    }
}
