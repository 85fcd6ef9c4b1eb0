//! Every cheat is found, by the check it is meant for.

use super::*;
use hydra_engine::{Blobs, Claim, EngineConfig, Unavailable, recompute, verify};
use hydra_primitives::{
    digits::digits_spec,
    vote::{RejectReason, Vote},
};
use hydra_update::{Dataset, digits};

const SHARD: u32 = 5;

struct Everything<'a>(Vec<&'a [u8]>);

impl Blobs for Everything<'_> {
    fn get(&self, blob: BlobRef) -> Result<Vec<u8>, Unavailable> {
        self.0
            .iter()
            .find(|bytes| BlobRef::of(bytes) == blob)
            .map(|bytes| bytes.to_vec())
            .ok_or(Unavailable)
    }
}

struct Court {
    engine: Engine,
    spec: ModelSpec,
    dataset: Dataset,
    base: GlobalState,
}

impl Court {
    fn new() -> Self {
        let spec = digits_spec();
        let base = GlobalState::initial(&spec);
        let dataset = digits::import(digits::BUNDLED).unwrap();
        Self {
            engine: Engine::new(EngineConfig::default()),
            spec,
            dataset,
            base,
        }
    }

    fn task(&self) -> Task<'_> {
        Task {
            spec: &self.spec,
            manifest: &self.dataset.manifest,
            base: &self.base,
            base_hash: self.base.hash(&self.spec),
            shard: &self.dataset.shards[SHARD as usize],
            validation: &self.dataset.validation,
            task_seed: H256::repeat_byte(3),
        }
    }

    fn forge(&self, cheat: Cheat) -> Forgery {
        forge(cheat, &self.engine, &self.task()).unwrap()
    }

    fn claim<'a>(&'a self, proposal: &'a Proposal) -> Claim<'a> {
        let Task {
            spec,
            manifest,
            base,
            base_hash,
            task_seed,
            ..
        } = self.task();
        Claim {
            spec,
            manifest,
            base,
            base_hash,
            proposal,
            shard: SHARD,
            task_seed,
        }
    }

    fn blobs<'a>(&'a self, forgery: &'a Forgery) -> Everything<'a> {
        let data = self.dataset.shards.iter().chain([&self.dataset.validation]);
        Everything(forgery.blobs.iter().chain(data).map(Vec::as_slice).collect())
    }

    fn verdict(&self, forgery: &Forgery, segment: u32) -> Vote {
        verify(
            &self.engine,
            &self.claim(&forgery.proposal),
            segment,
            &self.blobs(forgery),
        )
        .unwrap()
    }

    fn recomputed(&self, forgery: &Forgery) -> Vote {
        recompute(&self.engine, &self.claim(&forgery.proposal), &self.blobs(forgery))
            .unwrap()
            .0
    }
}

#[test]
fn an_update_of_zeros_with_a_claimed_gain_is_rejected() {
    let court = Court::new();
    let forgery = court.forge(Cheat::ZeroUpdate);
    assert!(forgery.proposal.report.loss_after < forgery.proposal.report.loss_before);
    assert_eq!(
        court.verdict(&forgery, 0),
        Vote::Reject(RejectReason::LossAfterDiffers)
    );
    assert_eq!(
        court.recomputed(&forgery),
        Vote::Reject(RejectReason::LossAfterDiffers)
    );
}

#[test]
fn honest_work_with_a_better_loss_is_rejected() {
    let court = Court::new();
    let forgery = court.forge(Cheat::FalseLosses);
    assert_eq!(
        court.verdict(&forgery, 29),
        Vote::Reject(RejectReason::LossAfterDiffers)
    );
    let mut honest = forgery.clone();
    let (trained, _) = train(&court.engine, &court.task()).unwrap();
    honest.proposal.report.loss_after = trained.report.loss_after;
    assert_eq!(
        court.verdict(&honest, 29),
        Vote::Accept,
        "nothing else is wrong with it"
    );
}

#[test]
fn a_forged_half_of_a_trace_is_rejected_in_each_of_its_segments_and_as_a_whole() {
    let court = Court::new();
    let forgery = court.forge(Cheat::ForgedTrace);
    let segments = court.spec.task.segments();
    for segment in segments / 2..segments {
        let vote = court.verdict(&forgery, segment);
        assert_eq!(
            vote,
            Vote::Reject(RejectReason::SegmentDiffers),
            "segment {segment}"
        );
    }
    // The honest half alone shows nothing: this is why a vote that stands by itself recomputes everything.
    for segment in 0..segments / 2 {
        let vote = court.verdict(&forgery, segment);
        assert_eq!(vote, Vote::Accept, "segment {segment}");
    }
    assert!(matches!(court.recomputed(&forgery), Vote::Reject(_)));
}
