//! How well pictures are read, and whether "sure" means sure: validation digits, distorted in ten ways and drawn at
//! 200×200, as real PNG, JPEG and WebP files.
//!
//!     cargo run --release -p hydra-torch-worker --example pictures [pictures of each kind] [models] [seed]
//!
//! Each model is trained round by round, as a network of four would, until it classifies 97 % of the clean validation
//! digits. Then each picture is read by `hydra-picture`, put to the model in all its readings, and the answers are compared
//! with the truth. A picture that is refused counts as wrong.

mod draw;
mod print;

use hydra_engine::{Engine, EngineConfig, EvaluateJob, TrainJob, opinion};
use hydra_primitives::{
    digits::digits_spec,
    model::ModelSpec,
    task::{PlaceIndex, shard_of, task_seed},
};
use hydra_update::{Dataset, GlobalState, Shard, Weights, decode_shard, digits, fold};

type AnyError = Box<dyn std::error::Error>;

/// What a model is trained to.
const GOAL: f64 = 0.97;
const MOST_ROUNDS: u32 = 400;
const TRAINERS: PlaceIndex = 4;
const BINS: usize = 15;
const CLASSES: usize = 10;
/// Below this `hydra ask` says that the model isn't sure.
const UNSURE: f64 = 0.6;

/// One answer.
struct Outcome {
    kind: &'static str,
    right: bool,
    /// `None` if the picture was refused.
    confidence: Option<f64>,
}

fn main() -> Result<(), AnyError> {
    let arguments: Vec<u64> = std::env::args()
        .skip(1)
        .map(|a| a.parse())
        .collect::<Result<_, _>>()?;
    let number = |i: usize, default: u64| arguments.get(i).copied().unwrap_or(default);
    let (each, models, seed) = (number(0, 100) as usize, number(1, 5), number(2, 0));
    let engine = Engine::new(EngineConfig::default());
    let dataset = digits::import(digits::BUNDLED)?;
    let spec = digits_spec();
    let validation = decode_shard(&dataset.manifest.kind, &dataset.validation)?;

    let mut pictures = Vec::new();
    for kind in draw::KINDS {
        pictures.extend(draw::pictures(kind, &validation, each, seed)?);
    }
    pictures.extend(print::pictures()?);
    let start = std::time::Instant::now();
    let readings: Vec<_> = pictures
        .iter()
        .map(|picture| hydra_picture::read(&picture.bytes))
        .collect();
    println!(
        "{} pictures, read in {:.1} ms each",
        pictures.len(),
        start.elapsed().as_secs_f64() * 1000.0 / pictures.len() as f64
    );

    let mut outcomes = Vec::new();
    for model in 0..models {
        let (weights, rounds, correct) = train(&engine, &dataset, &spec, model)?;
        println!("model {model}: {correct} of 360 clean digits right after {rounds} rounds");
        for (picture, reading) in pictures.iter().zip(&readings) {
            let Ok(reading) = reading else {
                outcomes.push(Outcome {
                    kind: picture.kind,
                    right: false,
                    confidence: None,
                });
                continue;
            };
            let inputs: Vec<f32> = reading
                .inputs()
                .iter()
                .flatten()
                .map(|value| f32::from(*value) / f32::from(hydra_picture::FULL))
                .collect();
            let logits = engine.infer(&spec.architecture, &weights, &inputs)?.logits;
            let (label, confidence) = opinion(&logits, CLASSES)
                .into_iter()
                .enumerate()
                .max_by(|(_, a), (_, b)| a.total_cmp(b))
                .ok_or("no classes")?;
            outcomes.push(Outcome {
                kind: picture.kind,
                right: label == usize::from(picture.truth),
                confidence: Some(confidence),
            });
        }
    }
    report(&outcomes);
    Ok(())
}

fn report(outcomes: &[Outcome]) {
    println!("\n| kind | right | refused | mean confidence | calibration error |\n|---|---|---|---|---|");
    let row = |name: &str, chosen: &[&Outcome]| {
        let count = chosen.len().max(1) as f64;
        let percent = |n: usize| 100.0 * n as f64 / count;
        let answered: Vec<f64> = chosen.iter().filter_map(|o| o.confidence).collect();
        println!(
            "| {name} | {:.1} % | {:.1} % | {:.1} % | {:.3} |",
            percent(chosen.iter().filter(|o| o.right).count()),
            percent(chosen.len() - answered.len()),
            100.0 * answered.iter().sum::<f64>() / answered.len().max(1) as f64,
            calibration_error(chosen)
        );
    };
    let of = |f: &dyn Fn(&Outcome) -> bool| outcomes.iter().filter(|o| f(o)).collect::<Vec<_>>();
    for kind in draw::KINDS {
        row(kind, &of(&|o| o.kind == kind));
    }
    row("**all ten**", &of(&|o| o.kind != print::KIND));
    row(print::KIND, &of(&|o| o.kind == print::KIND));
    let unsure = |o: &Outcome| o.confidence.is_some_and(|c| c < UNSURE);
    for (name, printed) in [("all ten", false), (print::KIND, true)] {
        let here = |o: &Outcome| (o.kind == print::KIND) == printed && o.confidence.is_some();
        let share = |chosen: Vec<&Outcome>| {
            let right = chosen.iter().filter(|o| o.right).count();
            100.0 * right as f64 / chosen.len().max(1) as f64
        };
        let (sure, not) = (of(&|o| here(o) && !unsure(o)), of(&|o| here(o) && unsure(o)));
        println!(
            "\n{name}: below {:.0} % sure are {:.1} % of the answers; of them {:.1} % are right, of the others {:.1} %",
            100.0 * UNSURE,
            100.0 * not.len() as f64 / (sure.len() + not.len()).max(1) as f64,
            share(not),
            share(sure)
        );
    }
}

/// Expected calibration error: the mean distance of confidence and share of right answers, over equally wide bins.
fn calibration_error(outcomes: &[&Outcome]) -> f64 {
    let mut bins = [(0usize, 0.0f64); BINS];
    let mut answered = 0usize;
    for outcome in outcomes {
        let Some(confidence) = outcome.confidence else {
            continue;
        };
        let bin = ((confidence * BINS as f64) as usize).min(BINS - 1);
        if let Some((count, excess)) = bins.get_mut(bin) {
            *count += 1;
            *excess += confidence - f64::from(u8::from(outcome.right));
        }
        answered += 1;
    }
    bins.iter().map(|(_, excess)| excess.abs()).sum::<f64>() / answered.max(1) as f64
}

/// A model that reaches the goal, after how many rounds, and how many clean digits it gets right.
fn train(
    engine: &Engine,
    dataset: &Dataset,
    spec: &ModelSpec,
    model: u64,
) -> Result<(Weights, u32, u32), AnyError> {
    let mut state = GlobalState::initial(spec);
    let kind = &dataset.manifest.kind;
    for round in 0..MOST_ROUNDS {
        let seed =
            hydra_primitives::domain_hash("pictures example", &[&model.to_le_bytes(), &round.to_le_bytes()]);
        let mut updates: Vec<(_, u32)> = Vec::new();
        for place in 0..TRAINERS {
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
            let shard: Shard = decode_shard(kind, shard)?;
            updates.push((update, shard.samples()));
        }
        state = fold(spec, &state, &updates)?;
        let job = EvaluateJob {
            architecture: &spec.architecture,
            kind,
            weights: &state.weights,
            data: &dataset.validation,
        };
        let score = engine.evaluate(job)?.score.ok_or("the version is not finite")?;
        let correct = score.correct;
        if f64::from(correct) >= GOAL * digits::VALIDATION as f64 {
            return Ok((state.weights, round + 1, correct));
        }
    }
    Err(format!("model {model} did not reach {GOAL} in {MOST_ROUNDS} rounds").into())
}
