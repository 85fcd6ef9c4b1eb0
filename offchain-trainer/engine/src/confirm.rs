//! A result that contradicts a claim costs its author or us stake, and one flipped bit in this PC's memory is enough for a
//! wrong one. So it is computed twice, the second time by a process that took no part in the first.
//!
//! Must never let a contradiction pass that was seen only once.

use hydra_primitives::{H256, poll::Finding};

use crate::{Engine, EngineError, TrainJob, Trained};

/// Whether this is what is claimed: by the hash of the update's blob, or by the result that stands for it in a poll.
fn agrees(found: &Finding, claim: &H256) -> bool {
    matches!(found, Finding::Update(hash) if hash == claim) || found.result() == *claim
}

impl Engine {
    /// Does somebody's whole task, from public inputs alone, and returns what comes out of it, whether or not it is what they
    /// claim. `intact` says whether what the job starts from is in memory as it was put there.
    ///
    /// # Errors
    /// [`EngineError`]: this PC can't tell. [`EngineError::Contradiction`] if the two computations of what is not claimed differ.
    pub fn verify(
        &self,
        job: TrainJob,
        claim: &H256,
        intact: impl Fn() -> bool,
        mut on_step: impl FnMut(u32),
    ) -> Result<Trained, EngineError> {
        let trained = self.train(job, &mut on_step)?;
        let first = trained.opening();
        if agrees(&first.finding, claim) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_named_by_its_update_or_by_its_result() {
        let [update, other] = [1, 2].map(H256::repeat_byte);
        let found = Finding::Update(update);
        assert!(agrees(&found, &update) && agrees(&found, &found.result()));
        assert!(!agrees(&found, &other) && !agrees(&found, &Finding::Update(other).result()));
        assert!(!agrees(&Finding::NotFinite, &update));
        assert!(agrees(&Finding::NotFinite, &Finding::NotFinite.result()));
    }
}
