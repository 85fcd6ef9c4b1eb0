//! How many rounds the digits need, by aggregator: rounds of training with the real worker, all trainers honest.
//!
//!     cargo run --release -p hydra-torch-worker --example rounds [trainers] [rounds] [repetitions]

use hydra_engine::{Engine, EngineConfig, EvaluateJob, TrainJob};
use hydra_primitives::{
    Permill,
    digits::digits_spec,
    model::{Aggregator, ModelSpec},
    task::{PlaceIndex, shard_of, task_seed},
};
use hydra_update::{Dataset, GlobalState, decode_shard, digits, fold};

type AnyError = Box<dyn std::error::Error>;

fn main() -> Result<(), AnyError> {
    let arguments: Vec<u32> = std::env::args()
        .skip(1)
        .map(|a| a.parse())
        .collect::<Result<_, _>>()?;
    let number = |i: usize, default: u32| arguments.get(i).copied().unwrap_or(default);
    let (trainers, rounds, repetitions) = (number(0, 4), number(1, 20), number(2, 5));
    let engine = Engine::new(EngineConfig::default());
    let dataset = digits::import(digits::BUNDLED)?;
    println!(
        "{trainers} trainers, {rounds} rounds, {repetitions} repetitions: rounds to 95 % / 97 %; score at the end"
    );
    let mean = |rate, momentum| Aggregator::WeightedMean {
        outer_learning_rate: Permill::from_percent(rate),
        outer_momentum: Permill::from_percent(momentum),
    };
    let nesterov = [(100, 0), (90, 10), (100, 20), (100, 40), (80, 20), (50, 50)];
    let choices: Vec<Aggregator> = nesterov
        .iter()
        .map(|(rate, momentum)| mean(*rate, *momentum))
        .chain([Aggregator::Mix {
            rate: Permill::from_percent(10),
        }])
        .collect();
    for aggregator in choices {
        let spec = ModelSpec {
            aggregator,
            ..digits_spec()
        };
        print!("{:?}:", spec.aggregator);
        for repetition in 0..repetitions {
            let scores = run(&engine, &dataset, &spec, trainers, rounds, repetition)?;
            let first = |share: f64| {
                let round = scores
                    .iter()
                    .position(|s| f64::from(*s) >= share * digits::VALIDATION as f64);
                round.map_or("–".into(), |r| (r + 1).to_string())
            };
            let last = scores.last().copied().unwrap_or(0);
            print!(
                "  {}/{}; {:.1} %",
                first(0.95),
                first(0.97),
                f64::from(last) / 3.6
            );
        }
        println!();
    }
    Ok(())
}

/// Validation samples classified right after each round.
fn run(
    engine: &Engine,
    dataset: &Dataset,
    spec: &ModelSpec,
    trainers: u32,
    rounds: u32,
    repetition: u32,
) -> Result<Vec<u32>, AnyError> {
    let mut state = GlobalState::initial(spec);
    let kind = &dataset.manifest.kind;
    let mut scores = Vec::new();
    for round in 0..rounds {
        let seed = hydra_primitives::domain_hash(
            "rounds example",
            &[&repetition.to_le_bytes(), &round.to_le_bytes()],
        );
        let mut updates = Vec::new();
        for place in 0..PlaceIndex::try_from(trainers)? {
            let index = shard_of(&seed, 0, round, place, dataset.manifest.shard_count());
            let shard = dataset.shards.get(index as usize).ok_or("no such shard")?;
            let job = TrainJob {
                spec,
                kind,
                base: &state.weights,
                shard,
                task_seed: task_seed(&seed, 0, round, place),
            };
            let update = engine.train(job, |_| ())?.update.ok_or("training diverged")?;
            updates.push((update, decode_shard(kind, shard)?.samples()));
        }
        state = fold(spec, &state, &updates)?;
        let architecture = &spec.architecture;
        let job = EvaluateJob {
            architecture,
            kind,
            weights: &state.weights,
            data: &dataset.validation,
        };
        let score = engine.evaluate(job)?.score.ok_or("the version is not finite")?;
        scores.push(score.correct);
    }
    Ok(scores)
}
