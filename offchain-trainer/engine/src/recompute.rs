//! The verification of a proposal whose vote has to stand by itself: do the whole task again, from public inputs alone.
//!
//! A trainer does this where one segment shows too little or the proposer serves too little. Nothing of the proposer's is
//! fetched, so a proposer can't split honest votes by serving some and not others. If the proposal is honest, the result
//! has its update and its trace: the caller keeps them as blobs, so that everyone can fold even if the proposer is gone.

use hydra_primitives::{
    BlobRef, trace,
    vote::{Missing, RejectReason, Vote},
};

use crate::{
    Blobs, Claim, Engine, EngineError, TrainJob, Trained,
    confirm::confirmed,
    verify::{Stop, ensure, fetch},
};

/// Does the proposal's task again and compares everything it claims but the time. Returns the verdict, and what was
/// trained if it got that far: after [`Vote::Accept`], these are the proposal's own blobs. An error means that this PC
/// could not check, and must not vote. What would be rejected is done once more, in another process.
pub fn recompute(
    engine: &Engine,
    claim: &Claim,
    blobs: &dyn Blobs,
) -> Result<(Vote, Option<Trained>), EngineError> {
    confirmed(engine, claim, |engine| once(engine, claim, blobs))
}

fn once(engine: &Engine, claim: &Claim, blobs: &dyn Blobs) -> Result<(Vote, Option<Trained>), EngineError> {
    match train(engine, claim, blobs) {
        Ok(trained) => match compare(claim, &trained) {
            Ok(()) => Ok((Vote::Accept, Some(trained))),
            Err(Stop::Vote(vote)) => Ok((vote, Some(trained))),
            Err(Stop::Engine(error)) => Err(error),
        },
        // The honest result is not finite, so whatever was proposed is not it.
        Err(Stop::Engine(EngineError::Diverged)) => Ok((Vote::Reject(RejectReason::NotFinite), None)),
        Err(Stop::Vote(vote)) => Ok((vote, None)),
        Err(Stop::Engine(error)) => Err(error),
    }
}

fn train(engine: &Engine, claim: &Claim, blobs: &dyn Blobs) -> Result<Trained, Stop> {
    claim.check_facts()?;
    let shard = claim.fetch_shard(blobs)?;
    let validation = fetch(blobs, claim.manifest.validation, Missing::Data)?;
    let job = TrainJob {
        spec: claim.spec,
        kind: &claim.manifest.kind,
        base: &claim.base.weights,
        shard: &shard,
        validation: &validation,
        task_seed: claim.task_seed,
    };
    Ok(engine.train(job, |_, _| ())?)
}

fn compare(claim: &Claim, trained: &Trained) -> Result<(), Stop> {
    let (claimed, honest) = (claim.proposal, &trained.report);
    ensure(
        claimed.report.loss_before == honest.loss_before,
        RejectReason::LossBeforeDiffers,
    )?;
    ensure(
        claimed.report.loss_after == honest.loss_after,
        RejectReason::LossAfterDiffers,
    )?;
    ensure(
        claimed.report.validation == honest.validation,
        RejectReason::ScoreDiffers,
    )?;
    ensure(
        claimed.update == BlobRef::of(&trained.update.encode()),
        RejectReason::TraceEndDiffers,
    )?;
    ensure(
        claimed.trace_root == trace::root(&trained.leaves),
        RejectReason::SegmentDiffers,
    )
}
