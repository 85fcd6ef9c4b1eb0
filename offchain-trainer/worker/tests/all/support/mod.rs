//! An engine on the worker just built, the digits, and an honest proposal.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::{cell::RefCell, collections::HashMap, ffi::OsString, time::Duration};

use hydra_engine::{Blobs, Claim, Engine, EngineConfig, TrainJob, Trained, Unavailable};
use hydra_primitives::{BlobRef, H256, digits::digits_spec, model::ModelSpec, proposal::Proposal, trace};
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
    format!("printf '\\003\\000\\000\\000\\000\\001\\000'; {then}")
}

pub fn dataset() -> Dataset {
    digits::import(digits::BUNDLED).unwrap()
}

pub const SHARD: u32 = 3;
pub const SEED: H256 = H256::repeat_byte(7);

/// A trained task with all its blobs, and everything public about it.
pub struct Honest {
    pub spec: ModelSpec,
    pub dataset: Dataset,
    pub base: GlobalState,
    pub trained: Trained,
    pub states: Vec<Vec<u8>>,
    pub proposal: Proposal,
}

impl Honest {
    pub fn train(engine: &Engine) -> Self {
        Self::train_on(engine, digits_spec(), SHARD, SEED)
    }

    pub fn train_on(engine: &Engine, spec: ModelSpec, shard: u32, task_seed: H256) -> Self {
        let (dataset, base) = (dataset(), GlobalState::initial(&spec));
        let mut states = Vec::new();
        let job = TrainJob {
            spec: &spec,
            kind: &dataset.manifest.kind,
            base: &base.weights,
            shard: &dataset.shards[shard as usize],
            validation: &dataset.validation,
            task_seed,
        };
        let trained = engine.train(job, |_, state| states.push(state)).unwrap();
        let proposal = trained.proposal(base.hash(&spec));
        Self {
            spec,
            dataset,
            base,
            trained,
            states,
            proposal,
        }
    }

    /// The proposal as a verifier sees it, on the shard and seed that the chain assigned.
    pub fn claim<'a>(&'a self, proposal: &'a Proposal) -> Claim<'a> {
        Claim {
            spec: &self.spec,
            manifest: &self.dataset.manifest,
            base: &self.base,
            base_hash: self.base.hash(&self.spec),
            proposal,
            shard: SHARD,
            task_seed: SEED,
        }
    }

    pub fn blobs(&self) -> Store {
        let store = Store::default();
        self.dataset.shards.iter().for_each(|s| store.put(s));
        store.put(&self.dataset.validation);
        store.put(&self.trained.update.encode());
        store.put(&self.trained.trace());
        self.states.iter().for_each(|s| store.put(s));
        store
    }
}

/// Blobs in memory; remembers what was asked for.
#[derive(Default)]
pub struct Store {
    blobs: RefCell<HashMap<Key, Vec<u8>>>,
    pub asked: RefCell<Vec<BlobRef>>,
}

type Key = (H256, u64);

impl Store {
    pub fn put(&self, bytes: &[u8]) {
        let blob = BlobRef::of(bytes);
        self.blobs
            .borrow_mut()
            .insert((blob.hash, blob.size), bytes.to_vec());
    }

    pub fn remove(&self, blob: BlobRef) {
        self.blobs.borrow_mut().remove(&(blob.hash, blob.size));
    }

    pub fn put_states(&self, states: &[Vec<u8>]) -> H256 {
        let leaves: Vec<H256> = states.iter().map(|s| trace::leaf(s)).collect();
        states.iter().for_each(|s| self.put(s));
        self.put(&trace::encode_leaves(&leaves));
        trace::root(&leaves)
    }
}

impl Blobs for Store {
    fn get(&self, blob: BlobRef) -> Result<Vec<u8>, Unavailable> {
        self.asked.borrow_mut().push(blob);
        self.blobs
            .borrow()
            .get(&(blob.hash, blob.size))
            .cloned()
            .ok_or(Unavailable)
    }
}
