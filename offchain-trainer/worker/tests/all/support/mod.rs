//! An engine on the worker just built, the digits, and an honest task.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::{
    ffi::OsString,
    process::{Child, Command, Stdio},
    time::Duration,
};

use hydra_engine::{Engine, EngineConfig, TrainJob, Trained, profile::pins};
use hydra_primitives::{
    H256,
    digits::digits_spec,
    model::{ModelSpec, Profile},
    poll::Finding,
};
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

/// A shell script that says hello as a worker does, and goes on with `then`.
pub fn impostor(then: &str) -> String {
    // The frame's length, `Ready`, and the protocol's version.
    format!("printf '\\003\\000\\000\\000\\000\\002\\000'; {then}")
}

/// A worker without an engine.
pub fn bare_worker() -> Child {
    Command::new(config().worker_path())
        .envs(pins(&Profile::ArithmeticV1).iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
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
