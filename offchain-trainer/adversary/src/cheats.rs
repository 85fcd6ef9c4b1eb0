//! The lies: proposals for work that was not done as claimed, with all the blobs that make them look right.
//!
//! Each goes as far as it can: everything that a cheap check looks at is consistent, so that only the check it is meant
//! for can find it. Pure functions of the task, with the engine's help.

use std::fmt;

use hydra_engine::{Engine, EngineError, EvaluateJob, TrainJob, Trained};
use hydra_primitives::{
    BlobRef, H256,
    dataset::DatasetManifest,
    model::ModelSpec,
    proposal::{Proposal, Report, Score},
    trace,
};
use hydra_update::{GlobalState, TrainingState, Update, Weights};

/// A way to cheat.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Cheat {
    /// No training at all, and losses and scores as if there had been.
    ZeroUpdate,
    /// Honest training, a better loss.
    FalseLosses,
    /// Honest training up to the middle, made-up states from there on, and the losses and scores that the made-up
    /// weights really have.
    ForgedTrace,
}

impl Cheat {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::ZeroUpdate, Self::FalseLosses, Self::ForgedTrace];
}

impl fmt::Display for Cheat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ZeroUpdate => "zero-update",
            Self::FalseLosses => "false-losses",
            Self::ForgedTrace => "forged-trace",
        })
    }
}

/// The task that should be done.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    /// The model.
    pub spec: &'a ModelSpec,
    /// Its data set.
    pub manifest: &'a DatasetManifest,
    /// The weights to start from.
    pub base: &'a GlobalState,
    /// BLAKE3 of their file.
    pub base_hash: H256,
    /// The shard's file.
    pub shard: &'a [u8],
    /// The validation set's file.
    pub validation: &'a [u8],
    /// The seed of the order of samples.
    pub task_seed: H256,
}

/// A proposal that is a lie, and the blobs it names.
#[derive(Clone, Debug)]
pub struct Forgery {
    /// What to propose.
    pub proposal: Proposal,
    /// Update, list of states, and states.
    pub blobs: Vec<Vec<u8>>,
}

/// Cheats in this way.
///
/// # Errors
/// The engine's.
pub fn forge(cheat: Cheat, engine: &Engine, task: &Task) -> Result<Forgery, EngineError> {
    match cheat {
        Cheat::ZeroUpdate => zero_update(engine, task),
        Cheat::FalseLosses => false_losses(engine, task),
        Cheat::ForgedTrace => forged_trace(engine, task),
    }
}

fn zero_update(engine: &Engine, task: &Task) -> Result<Forgery, EngineError> {
    let base = &task.base.weights;
    let before = evaluate(engine, task, base, task.shard)?.0;
    let Score { correct, total } = evaluate(engine, task, base, task.validation)?.1;
    let report = Report {
        loss_before: before,
        loss_after: before / 10 * 6,
        validation: Score {
            correct: correct + (total - correct) / 4,
            total,
        },
        steps: task.spec.task.steps,
        milliseconds: 100,
    };
    let state = TrainingState::initial(task.spec, base).encode();
    let states = vec![state; trace::leaf_count(&task.spec.task) as usize];
    forgery(task, &update(base, base)?, states, report)
}

fn false_losses(engine: &Engine, task: &Task) -> Result<Forgery, EngineError> {
    let (trained, states) = train(engine, task)?;
    let report = Report {
        loss_after: trained.report.loss_after / 10 * 9,
        ..trained.report
    };
    forgery(task, &trained.update, states, report)
}

fn forged_trace(engine: &Engine, task: &Task) -> Result<Forgery, EngineError> {
    let (trained, mut states) = train(engine, task)?;
    let middle = states.len() / 2;
    let decode = |state: Option<&Vec<u8>>| {
        state
            .and_then(|bytes| TrainingState::decode(task.spec, bytes))
            .ok_or_else(too_short)
    };
    let mut before = decode(states.get(middle.saturating_sub(1)))?;
    let mut last = decode(states.get(middle))?;
    for state in states.iter_mut().skip(middle + 1) {
        // Where the last step would lead with a little friction: cheap, and it looks like training.
        let step = last
            .weights
            .as_slice()
            .iter()
            .zip(before.weights.as_slice())
            .map(|(l, b)| l + (l - b) * 0.9);
        let next = TrainingState {
            weights: Weights::new(step.collect()),
            momentum: last.momentum.clone(),
        };
        *state = next.encode();
        before = std::mem::replace(&mut last, next);
    }
    let update = update(&task.base.weights, &last.weights)?;
    let updated = update
        .apply(&task.base.weights)
        .map_err(|_| EngineError::Diverged)?;
    let report = Report {
        loss_after: evaluate(engine, task, &updated, task.shard)?.0,
        validation: evaluate(engine, task, &updated, task.validation)?.1,
        ..trained.report
    };
    forgery(task, &update, states, report)
}

fn train(engine: &Engine, task: &Task) -> Result<(Trained, Vec<Vec<u8>>), EngineError> {
    let mut states = Vec::new();
    let job = TrainJob {
        spec: task.spec,
        kind: &task.manifest.kind,
        base: &task.base.weights,
        shard: task.shard,
        validation: task.validation,
        task_seed: task.task_seed,
    };
    let trained = engine.train(job, |_, state| states.push(state))?;
    Ok((trained, states))
}

fn evaluate(
    engine: &Engine,
    task: &Task,
    weights: &Weights,
    data: &[u8],
) -> Result<(u32, Score), EngineError> {
    let job = EvaluateJob {
        architecture: &task.spec.architecture,
        kind: &task.manifest.kind,
        weights,
        data,
    };
    engine
        .evaluate(job)
        .map(|evaluation| (evaluation.loss, evaluation.score))
}

fn update(base: &Weights, trained: &Weights) -> Result<Update, EngineError> {
    Update::between(base, trained).map_err(|_| EngineError::Diverged)
}

fn too_short() -> EngineError {
    EngineError::BadJob {
        detail: "the trace is too short to be forged".into(),
    }
}

fn forgery(
    task: &Task,
    update: &Update,
    states: Vec<Vec<u8>>,
    report: Report,
) -> Result<Forgery, EngineError> {
    let leaves: Vec<H256> = states.iter().map(|state| trace::leaf(state)).collect();
    let update = update.encode();
    let proposal = Proposal {
        base: task.base_hash,
        update: BlobRef::of(&update),
        trace_root: trace::root(&leaves),
        report,
    };
    let mut blobs = vec![update, trace::encode_leaves(&leaves)];
    blobs.extend(states);
    blobs.dedup();
    Ok(Forgery { proposal, blobs })
}

#[cfg(test)]
#[path = "cheats_tests.rs"]
mod tests;
