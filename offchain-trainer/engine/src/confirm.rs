//! A rejection costs its author or us reputation, and one flipped bit in this PC's memory is enough for a wrong one. So it
//! is computed twice, the second time by processes that took no part in the first.
//!
//! Must never let a rejection pass that was seen only once.

use hydra_primitives::vote::Vote;

use crate::{Claim, Engine, EngineError};

/// What `judge` finds, asked again if it rejects. Both must say the same; a blob that has gone meanwhile is no
/// contradiction, but no rejection either.
pub(crate) fn confirmed<T>(
    engine: &Engine,
    claim: &Claim,
    judge: impl Fn(&Engine) -> Result<(Vote, T), EngineError>,
) -> Result<(Vote, T), EngineError> {
    let (first, found) = judge(engine)?;
    if !matches!(first, Vote::Reject(_)) {
        return Ok((first, found));
    }
    // What both start from: damaged in memory, it would mislead both.
    claim.check_base()?;
    let (second, found) = judge(&engine.afresh())?;
    if second == first || matches!(second, Vote::Unavailable(_)) {
        return Ok((second, found));
    }
    // One of these may have computed the wrong one.
    engine.dismiss_idle();
    Err(EngineError::Contradiction { first, second })
}
