//! A result that contradicts a claim costs its author or us stake, and one flipped bit in this PC's memory is enough for a
//! wrong one. So it is computed twice, the second time by a process that took no part in the first.
//!
//! Must never let a contradiction pass that was seen only once.

use hydra_primitives::{H256, poll::Finding};

use crate::{Engine, EngineError, TrainJob, Trained};

impl Engine {
    /// Does somebody's whole task, from public inputs alone, and returns what comes out of it, whether or not it is the update
    /// that they claim. Who doesn't know the claim may contradict it. `intact` says whether what the job starts from is in memory
    /// as it was put there.
    ///
    /// # Errors
    /// [`EngineError`]: this PC can't tell. [`EngineError::Contradiction`] if the two computations of what is not claimed differ.
    pub fn verify(
        &self,
        job: TrainJob,
        claim: Option<H256>,
        intact: impl Fn() -> bool,
        mut on_step: impl FnMut(u32),
    ) -> Result<Trained, EngineError> {
        let trained = self.train(job, &mut on_step)?;
        let first = trained.opening();
        if claim.is_some_and(|claim| first.finding == Finding::Update(claim)) {
            return Ok(trained);
        }
        let second = self.afresh().train(job, &mut on_step)?.opening();
        if second != first {
            // One of these may have computed the wrong one.
            self.dismiss_idle();
            return Err(EngineError::Contradiction {
                first: first.finding,
                second: second.finding,
            });
        }
        // What both started from: damaged in memory, it would have misled both.
        if !intact() {
            return Err(EngineError::Damaged);
        }
        Ok(trained)
    }
}
