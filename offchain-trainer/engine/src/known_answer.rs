//! The known-answer test: a fixed task whose result every PC must reproduce before it takes part.
//!
//! A PC that computes other bits would contradict everyone and lose its stake, so it finds out here. The task is
//! synthetic, so that it depends on no file, and its odd sizes reach the tails of vectorised loops. Must never change
//! within a profile.

use hydra_primitives::{
    H256, Permill,
    dataset::DatasetKind,
    domain_hash,
    model::{Aggregator, Architecture, ModelSpec, PhaseLengths, Profile, TaskSpec},
};
use hydra_update::{GlobalState, encode_shard};

use crate::{Engine, EngineError, EvaluateJob, TrainJob};

/// What [`Engine::known_answer`] returns on every PC that can take part in models with
/// [`Profile::ExactLibTorch2110Avx2`].
pub const KNOWN_ANSWER: H256 = H256([
    0x3f, 0x9a, 0x4d, 0x1f, 0x1f, 0x0a, 0x68, 0x6e, 0x16, 0xca, 0x10, 0xfc, 0x94, 0x4b, 0x7d, 0xa2, 0xde,
    0xe9, 0x9f, 0xf5, 0x21, 0x9c, 0x1f, 0xea, 0x47, 0x27, 0x24, 0xa9, 0x3b, 0x9f, 0x66, 0x70,
]);

const KIND: DatasetKind = DatasetKind::Images {
    height: 9,
    width: 7,
    channels: 1,
    classes: 11,
    max_value: 255,
};
const SAMPLES: usize = 75;

fn spec() -> ModelSpec {
    ModelSpec {
        architecture: Architecture::Mlp {
            layers: vec![63, 45, 33, 11].try_into().unwrap_or_default(),
        },
        profile: Profile::ExactLibTorch2110Avx2,
        task: TaskSpec {
            steps: 20,
            batch_size: 37,
            learning_rate: Permill::from_percent(10),
            momentum: Permill::from_percent(90),
        },
        aggregator: Aggregator::Mix {
            rate: Permill::from_percent(10),
        },
        init_seed: 20_260_101,
        phases: PhaseLengths { train: 1, verify: 1 },
        roster: 1,
        first_seats: 8,
    }
}

fn samples() -> Result<Vec<u8>, EngineError> {
    let mut stream = blake3::Hasher::new_derive_key("hydraai 2026 known-answer samples v1").finalize_xof();
    let mut inputs = vec![0; SAMPLES * KIND.inputs() as usize];
    let mut labels = vec![0; SAMPLES];
    stream.fill(&mut inputs);
    stream.fill(&mut labels);
    labels.iter_mut().for_each(|label| *label %= 11);
    encode_shard(&KIND, &inputs, &labels).map_err(|error| EngineError::BadJob {
        detail: error.to_string(),
    })
}

impl Engine {
    /// Trains the fixed task and measures what comes of it: a hash over both results and both witnesses.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn known_answer(&self) -> Result<H256, EngineError> {
        let (spec, data) = (spec(), samples()?);
        let base = GlobalState::initial(&spec).weights;
        let job = TrainJob {
            spec: &spec,
            kind: &KIND,
            base: &base,
            shard: &data,
            task_seed: H256::repeat_byte(0x42),
        };
        let trained = self.train(job, |_| ())?.opening();
        let job = EvaluateJob {
            architecture: &spec.architecture,
            kind: &KIND,
            weights: &base,
            data: &data,
        };
        let measured = self.evaluate(job)?.opening(H256::zero());
        let [trained, measured] =
            [trained, measured].map(|opening| (opening.finding.result(), opening.witness));
        Ok(domain_hash(
            "hydraai 2026 known answer v2",
            &[
                trained.0.as_bytes(),
                trained.1.as_bytes(),
                measured.0.as_bytes(),
                measured.1.as_bytes(),
            ],
        ))
    }

    /// Checks that this PC computes the bits that the network computes. On an error it must not work on
    /// exact models; the error says what to do.
    pub fn self_test(&self) -> Result<(), EngineError> {
        let found = self.known_answer()?;
        if found == KNOWN_ANSWER {
            return Ok(());
        }
        Err(EngineError::KnownAnswerDiffers {
            expected: KNOWN_ANSWER,
            found,
        })
    }
}
