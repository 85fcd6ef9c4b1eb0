//! What a task costs, in CPU time of engine and worker together: training it, which verifying is too, and measuring a version.
//!
//!     cargo run --release -p hydra-torch-worker --example costs

use std::time::Instant;

use hydra_engine::{Engine, EngineConfig, EvaluateJob, TrainJob};
use hydra_primitives::{
    H256,
    digits::digits_spec,
    model::{Architecture, ModelSpec},
};
use hydra_update::{Dataset, GlobalState, digits};

type AnyError = Box<dyn std::error::Error>;

fn main() -> Result<(), AnyError> {
    let dataset = digits::import(digits::BUNDLED)?;
    measure("digits, 64-64-10, 30 steps", &digits_spec(), &dataset, 200)?;
    let mut wide = digits_spec();
    wide.architecture = Architecture::Mlp {
        layers: vec![64, 1024, 1024, 10].try_into().map_err(|_| "layers")?,
    };
    wide.task.steps = 300;
    measure("digits, 64-1024-1024-10, 300 steps", &wide, &dataset, 3)
}

fn measure(name: &str, spec: &ModelSpec, dataset: &Dataset, repetitions: u32) -> Result<(), AnyError> {
    let engine = Engine::new(EngineConfig::default());
    let base = GlobalState::initial(spec).weights;
    let kind = &dataset.manifest.kind;
    let task = TrainJob {
        spec,
        kind,
        base: &base,
        shard: dataset.shards.first().ok_or("no shards")?,
        task_seed: H256::zero(),
    };
    let version = EvaluateJob {
        architecture: &spec.architecture,
        kind,
        weights: &base,
        data: &dataset.validation,
    };
    // The first job starts the worker.
    engine.train(task, |_| ())?;
    let time = |what: &str, f: &dyn Fn() -> Result<(), AnyError>| -> Result<(), AnyError> {
        let (cpu, wall) = (cpu_ticks(&engine)?, Instant::now());
        (0..repetitions).try_for_each(|_| f())?;
        let each = (cpu_ticks(&engine)? - cpu) as f64 * 10.0 / f64::from(repetitions);
        println!(
            "{name}: {what}: {each:.2} ms CPU, {:.2} ms wall",
            wall.elapsed().as_secs_f64() * 1e3 / f64::from(repetitions)
        );
        Ok(())
    };
    time("train or verify", &|| Ok(engine.train(task, |_| ()).map(drop)?))?;
    time("measure", &|| Ok(engine.evaluate(version).map(drop)?))
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
