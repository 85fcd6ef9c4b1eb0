//! What verification costs against training, in CPU time of engine and worker together.
//!
//!     cargo run --release -p hydra-torch-worker --example costs

use std::{cell::RefCell, collections::HashMap, time::Instant};

use hydra_engine::{Blobs, Claim, Engine, EngineConfig, TrainJob, Unavailable, recompute, verify};
use hydra_primitives::{
    BlobRef, H256,
    dataset::DatasetKind,
    digits::digits_spec,
    model::{Architecture, ModelSpec},
};
use hydra_update::{Dataset, GlobalState, digits};

type AnyError = Box<dyn std::error::Error>;

#[derive(Default)]
struct Store(RefCell<HashMap<H256, Vec<u8>>>);

impl Store {
    fn put(&self, bytes: Vec<u8>) {
        self.0
            .borrow_mut()
            .insert(hydra_primitives::content_hash(&bytes), bytes);
    }
}

impl Blobs for Store {
    fn get(&self, blob: BlobRef) -> Result<Vec<u8>, Unavailable> {
        self.0.borrow().get(&blob.hash).cloned().ok_or(Unavailable)
    }
}

fn main() -> Result<(), AnyError> {
    let dataset = digits::import(digits::BUNDLED)?;
    measure("digits, 64-64-10, 30 steps", &digits_spec(), &dataset, 200)?;
    let mut wide = digits_spec();
    wide.architecture = Architecture::Mlp {
        layers: vec![64, 1024, 1024, 10].try_into().map_err(|_| "layers")?,
    };
    wide.task.steps = 300;
    wide.task.checkpoint_every = 10;
    measure("digits, 64-1024-1024-10, 300 steps", &wide, &dataset, 3)
}

fn measure(name: &str, spec: &ModelSpec, dataset: &Dataset, repetitions: u32) -> Result<(), AnyError> {
    let engine = Engine::new(EngineConfig::default());
    let base = GlobalState::initial(spec);
    let kind: &DatasetKind = &dataset.manifest.kind;
    let store = Store::default();
    dataset
        .shards
        .iter()
        .chain([&dataset.validation])
        .for_each(|bytes| store.put(bytes.clone()));
    let shard = dataset.shards.first().ok_or("no shards")?;
    let task_seed = H256::zero();
    let job = TrainJob {
        spec,
        kind,
        base: &base.weights,
        shard,
        validation: &dataset.validation,
        task_seed,
    };
    let trained = engine.train(job, |_, state| store.put(state))?;
    store.put(trained.update.encode());
    store.put(trained.trace());
    let base_hash = base.hash(spec);
    let proposal = trained.proposal(base_hash);
    let claim = Claim {
        spec,
        manifest: &dataset.manifest,
        base: &base,
        base_hash,
        proposal: &proposal,
        shard: 0,
        task_seed,
    };

    let time = |what: &str, f: &mut dyn FnMut(u32) -> Result<(), AnyError>| -> Result<f64, AnyError> {
        let (cpu, wall) = (cpu_ticks(&engine)?, Instant::now());
        (0..repetitions).try_for_each(&mut *f)?;
        let each = (cpu_ticks(&engine)? - cpu) as f64 * 10.0 / f64::from(repetitions);
        println!(
            "{name}: {what}: {each:.2} ms CPU, {:.2} ms wall",
            wall.elapsed().as_secs_f64() * 1e3 / f64::from(repetitions)
        );
        Ok(each)
    };
    let train = time("train", &mut |_| Ok(engine.train(job, |_, _| ()).map(drop)?))?;
    let check = time("verify", &mut |i| {
        Ok(verify(&engine, &claim, i % spec.task.segments(), &store).map(drop)?)
    })?;
    time("recompute (dispute)", &mut |_| {
        Ok(recompute(&engine, &claim, &store).map(drop)?)
    })?;
    println!(
        "{name}: a verifier needs {:.1} % of the trainer's CPU time",
        100.0 * check / train
    );
    Ok(())
}

/// CPU time of this process and its workers, in ticks of 10 ms.
fn cpu_ticks(engine: &Engine) -> Result<u64, AnyError> {
    let processes = engine.workers().into_iter().chain([std::process::id()]);
    processes
        .map(|pid| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
            let fields: Vec<&str> = stat
                .rsplit(')')
                .next()
                .unwrap_or_default()
                .split_whitespace()
                .collect();
            let field = |i: usize| {
                fields
                    .get(i)
                    .and_then(|f| f.parse::<u64>().ok())
                    .ok_or("unexpected /proc/pid/stat")
            };
            Ok(field(11)? + field(12)?)
        })
        .sum()
}
