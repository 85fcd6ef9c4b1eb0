//! The known-answer test: every operation of the arithmetic on small arrays, and a fixed task, whose results every PC must reproduce
//! before it takes part.
//!
//! A PC that computes other bits would contradict everyone and lose its stake, so it finds out here. The arrays and the task are
//! synthetic, so that they depend on no file, and their odd sizes reach the tails of vectorised loops. Must never change
//! between releases of one profile.

use hydra_primitives::{
    H256, Permill,
    dataset::DatasetKind,
    domain_hash,
    model::{Aggregator, Architecture, ModelSpec, PhaseLengths, Profile, TaskSpec},
};
use hydra_update::{GlobalState, encode_shard};

use crate::{Engine, EngineError, EvaluateJob, TrainJob};

/// What [`Engine::known_answer`] returns on every PC that can take part in models with
/// [`Profile::ArithmeticV1`].
pub const KNOWN_ANSWER: H256 = H256([
    0xd6, 0x7d, 0x07, 0xdc, 0xdf, 0x85, 0x8e, 0x85, 0x8d, 0x5c, 0x92, 0xf5, 0xe8, 0xdf, 0xaf, 0x5c, 0x79,
    0x2b, 0x46, 0xba, 0xc1, 0xbd, 0x77, 0x6a, 0x4f, 0x73, 0xa4, 0x63, 0xb5, 0xe6, 0xd3, 0x59,
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
        profile: Profile::ArithmeticV1,
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
    /// Computes every operation of the arithmetic, trains the fixed task and measures what it starts from: a hash over what the
    /// operations come to, both results and both witnesses.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn known_answer(&self) -> Result<H256, EngineError> {
        let arithmetic = self.arithmetic()?;
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
            "hydraai 2026 known answer v4",
            &[
                arithmetic.as_bytes(),
                trained.0.as_bytes(),
                trained.1.as_bytes(),
                measured.0.as_bytes(),
                measured.1.as_bytes(),
            ],
        ))
    }

    /// Checks that this PC computes the bits that the network computes. On an error it must not work on
    /// models; the error says what to do.
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
