//! The verification of a proposal: every check, cheapest first.
//!
//! In an exact profile each check is an equality, so two honest verifiers can't disagree. What is needed is fetched only
//! when all cheaper checks have passed. Must never accept with a check left out: whatever keeps a check from being made
//! is an error or [`Vote::Unavailable`].

use hydra_primitives::{
    BlobRef, H256,
    dataset::DatasetManifest,
    model::ModelSpec,
    proposal::{Proposal, Report},
    trace,
    vote::{Missing, RejectReason, Vote},
};
use hydra_update::{GlobalState, TrainingState, Update, Weights, decode_update, state_size, update_size};

use crate::{Engine, EngineError, EvaluateJob, Evaluation, SegmentJob, confirm::confirmed};

/// A blob could not be had from anyone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unavailable;

/// Where blobs come from: a local store, or the network behind it.
pub trait Blobs {
    /// The blob's bytes. The verification checks size and hash again, and counts wrong bytes as unavailable.
    fn get(&self, blob: BlobRef) -> Result<Vec<u8>, Unavailable>;
}

/// A proposal with all the public facts it must agree with.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The model.
    pub spec: &'a ModelSpec,
    /// Its data set.
    pub manifest: &'a DatasetManifest,
    /// The round's base weights.
    pub base: &'a GlobalState,
    /// BLAKE3 of their file.
    pub base_hash: H256,
    /// The claim.
    pub proposal: &'a Proposal,
    /// The shard that the proposer had to train on.
    pub shard: u32,
    /// The seed of the order of samples.
    pub task_seed: H256,
}

/// Why a verification stops early: a vote, or a failure of ours.
pub(crate) enum Stop {
    Vote(Vote),
    Engine(EngineError),
}

impl From<EngineError> for Stop {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

pub(crate) fn ensure(holds: bool, reason: RejectReason) -> Result<(), Stop> {
    if holds {
        Ok(())
    } else {
        Err(Stop::Vote(Vote::Reject(reason)))
    }
}

pub(crate) fn fetch(blobs: &dyn Blobs, blob: BlobRef, missing: Missing) -> Result<Vec<u8>, Stop> {
    match blobs.get(blob) {
        Ok(bytes) if BlobRef::of(&bytes) == blob => Ok(bytes),
        _ => Err(Stop::Vote(Vote::Unavailable(missing))),
    }
}

/// Checks a proposal; `segment` is the piece of the trace that this verifier recomputes (0..segments). An error means
/// that this PC could not check, and must not vote. Whatever would be rejected is checked once more, in other processes.
///
/// In this order, each only if all before it held:
/// 1. base hash, number of steps and size of the update are what the round and the spec say;
/// 2. the update decodes, to this model's shape and finite numbers;
/// 3. losses on the shard before (base) and after (base + update), and the validation score, recomputed, are the claim;
/// 4. the trace has the right number of leaves, and its first is the base weights' state;
/// 5. its last state's weights minus the base are the update, bit for bit;
/// 6. the segment, recomputed from its first state, ends in the trace's next leaf.
pub fn verify(engine: &Engine, claim: &Claim, segment: u32, blobs: &dyn Blobs) -> Result<Vote, EngineError> {
    let judge = |engine: &Engine| match checks(engine, claim, segment, blobs) {
        Ok(()) => Ok((Vote::Accept, ())),
        Err(Stop::Vote(vote)) => Ok((vote, ())),
        Err(Stop::Engine(error)) => Err(error),
    };
    confirmed(engine, claim, judge).map(|(vote, ())| vote)
}

fn checks(engine: &Engine, claim: &Claim, segment: u32, blobs: &dyn Blobs) -> Result<(), Stop> {
    let (spec, proposal) = (claim.spec, claim.proposal);
    let segments = spec.task.segments();
    if segment >= segments {
        let detail = format!("there is no segment {segment} in a trace of {segments}");
        return Err(EngineError::BadJob { detail }.into());
    }
    claim.check_facts()?;
    let update = fetch(blobs, proposal.update, Missing::Update)?;
    let update = decode_update(spec, &update).map_err(|error| Stop::Vote(Vote::Reject(error.reason())))?;
    let shard = claim.fetch_shard(blobs)?;
    claim.check_report(engine, &update, &shard, blobs)?;

    let list = BlobRef {
        hash: proposal.trace_root,
        size: trace::leaves_size(&spec.task),
    };
    let list = fetch(blobs, list, Missing::Trace)?;
    let leaves = trace::decode_leaves(&spec.task, &list).unwrap_or_default();
    let leaf = |index: u32| leaves.get(index as usize).copied();
    let malformed = Stop::Vote(Vote::Reject(RejectReason::TraceMalformed));
    let (Some(first), Some(last), Some(start), Some(end)) = (
        leaf(0),
        leaf(segments),
        leaf(segment),
        leaf(segment.saturating_add(1)),
    ) else {
        return Err(malformed);
    };
    let initial = TrainingState::initial(spec, &claim.base.weights).encode();
    ensure(first == trace::leaf(&initial), RejectReason::TraceMalformed)?;

    let state = |hash: H256| {
        fetch(
            blobs,
            BlobRef {
                hash,
                size: state_size(spec),
            },
            Missing::State,
        )
    };
    let trained = TrainingState::decode(spec, &state(last)?).ok_or(malformed)?;
    let difference = Update::between(&claim.base.weights, &trained.weights);
    let same = difference.is_ok_and(|d| d.values().same_bits(update.values()));
    ensure(same, RejectReason::TraceEndDiffers)?;

    let before = if segment == 0 { initial } else { state(start)? };
    let steps = spec.task.segment(segment);
    let after = engine.segment(SegmentJob {
        spec,
        kind: &claim.manifest.kind,
        shard: &shard,
        task_seed: claim.task_seed,
        from: steps.start,
        to: steps.end,
        state: &before,
    })?;
    ensure(trace::leaf(&after) == end, RejectReason::SegmentDiffers)
}

impl Claim<'_> {
    /// That the base weights are still what their hash says.
    pub(crate) fn check_base(&self) -> Result<(), EngineError> {
        match self.base.hash(self.spec) == self.base_hash {
            true => Ok(()),
            false => Err(EngineError::Damaged),
        }
    }

    /// What costs nothing to check.
    pub(crate) fn check_facts(&self) -> Result<(), Stop> {
        ensure(self.proposal.base == self.base_hash, RejectReason::WrongBase)?;
        ensure(
            self.proposal.report.steps == self.spec.task.steps,
            RejectReason::WrongSteps,
        )?;
        ensure(
            self.proposal.update.size == update_size(self.spec),
            RejectReason::WrongSize,
        )
    }

    pub(crate) fn fetch_shard(&self, blobs: &dyn Blobs) -> Result<Vec<u8>, Stop> {
        let Some(shard) = self.manifest.shard(self.shard) else {
            let detail = format!("the data set has no shard {}", self.shard);
            return Err(EngineError::BadJob { detail }.into());
        };
        fetch(blobs, shard, Missing::Data)
    }

    fn check_report(
        &self,
        engine: &Engine,
        update: &Update,
        shard: &[u8],
        blobs: &dyn Blobs,
    ) -> Result<(), Stop> {
        let report: &Report = &self.proposal.report;
        let measure = |weights: &Weights, data: &[u8]| -> Result<Evaluation, EngineError> {
            let architecture = &self.spec.architecture;
            engine.evaluate(EvaluateJob {
                architecture,
                kind: &self.manifest.kind,
                weights,
                data,
            })
        };
        let before = measure(&self.base.weights, shard)?;
        ensure(before.loss == report.loss_before, RejectReason::LossBeforeDiffers)?;
        let updated = update
            .apply(&self.base.weights)
            .map_err(|error| Stop::Vote(Vote::Reject(error.reason())))?;
        let after = measure(&updated, shard)?;
        ensure(after.loss == report.loss_after, RejectReason::LossAfterDiffers)?;
        let validation = fetch(blobs, self.manifest.validation, Missing::Data)?;
        ensure(
            measure(&updated, &validation)?.score == report.validation,
            RejectReason::ScoreDiffers,
        )
    }
}
