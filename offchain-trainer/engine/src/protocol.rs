//! What engine and worker say to each other: frames of SCALE over the worker's standard input and output.
//!
//! A frame is its length (4 bytes, little-endian) and one message. The worker speaks first ([`Hello`]); then each
//! [`Job`] gets its [`Answer`]s, while the engine may say that the worker has other threads from now on: both are [`Order`]s.
//! Neither side trusts a length: a reader never takes more than its limit, and never reserves memory before the bytes are there.

use std::io::{self, Read, Write};

use codec::{Decode, DecodeAll, Encode};
use hydra_primitives::{
    H256,
    dataset::DatasetKind,
    model::{Architecture, ModelSpec},
};

/// The version of this boundary.
pub const PROTOCOL: u16 = 4;
/// The largest frame in bytes; the chain takes no model whose jobs don't fit in it.
pub const MAX_FRAME: u32 = hydra_primitives::model::MAX_MESSAGE;
/// The most bytes of an error of LibTorch that are passed on.
pub const MAX_DETAIL: usize = 1024;

/// The first frame of a worker.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub enum Hello {
    /// Ready for jobs.
    Ready {
        /// [`PROTOCOL`] of the worker.
        protocol: u16,
        /// What it computes with, such as `avx2`: the name of a [`hydra_arithmetic::Level`].
        instructions: String,
    },
    /// The processor is set to take numbers below 2⁻¹²⁶ for 0.
    LosesSmallNumbers,
}

/// What the engine tells a worker. It reads this at any time, in the middle of a job as well.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub enum Order {
    /// Do this. Only one at a time: the next comes after the last answer.
    Job(Box<Job>),
    /// Compute with so many threads from now on; 0 counts as 1. Who does nothing at the moment may take no notice.
    Threads(u16),
}

/// What is to be done, and with how much of the PC.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Job {
    /// How many threads the worker may compute with at first; 0 counts as 1. No bit depends on it.
    pub threads: u16,
    /// What is to be done.
    pub request: Request,
}

/// What is to be done. Weights are little-endian single precision in canonical order, data are shards as files.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub enum Request {
    /// Train a whole task. Answers: an [`Answer::Step`] after each step, then [`Answer::Trained`].
    Train {
        /// The model.
        spec: ModelSpec,
        /// What the data are.
        kind: DatasetKind,
        /// Base weights.
        base: Vec<u8>,
        /// The shard to train on.
        shard: Vec<u8>,
        /// Seed of the order of samples.
        task_seed: H256,
    },
    /// Losses and right answers on data. Answer: [`Answer::Evaluated`].
    Evaluate {
        /// The network.
        architecture: Architecture,
        /// What the data are.
        kind: DatasetKind,
        /// The weights.
        weights: Vec<u8>,
        /// A shard or the validation set.
        data: Vec<u8>,
    },
    /// Outputs for inputs. Answer: [`Answer::Inferred`].
    Infer {
        /// The network.
        architecture: Architecture,
        /// The weights.
        weights: Vec<u8>,
        /// `n × inputs` values.
        inputs: Vec<u8>,
    },
    /// Every operation of the arithmetic on small arrays. Answer: [`Answer::Arithmetic`].
    Arithmetic,
}

/// What comes of a job.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub enum Answer {
    /// One more step of a task is done.
    Step {
        /// The bits of its loss, the mean cross-entropy of its batch ([`hydra_arithmetic::canonical_bits`]).
        loss: u32,
    },
    /// A task is done. Its numbers may be anything.
    Trained {
        /// The weights after the last step.
        weights: Vec<u8>,
        /// The optimizer's buffers after the last step; empty without momentum.
        momentum: Vec<u8>,
    },
    /// Weights, measured.
    Evaluated {
        /// The bits of each batch's loss ([`hydra_arithmetic::canonical_bits`]).
        losses: Vec<u32>,
        /// The mean over all samples, in millionths of a nat; `None` if it is no finite number.
        loss: Option<u32>,
        /// Samples classified right.
        correct: u32,
        /// Samples in all.
        total: u32,
    },
    /// Outputs.
    Inferred {
        /// `n × outputs` values.
        logits: Vec<u8>,
    },
    /// LibTorch reported an error.
    TorchFailed {
        /// Its message.
        detail: String,
    },
    /// The job makes no sense.
    BadJob {
        /// Why.
        detail: String,
    },
    /// What the operations of the arithmetic came to.
    Arithmetic {
        /// [`hydra_primitives::content_hash`] of [`hydra_arithmetic::known_answer()`]'s bytes.
        hash: H256,
    },
    /// The processor is set to take small numbers for 0, or to round otherwise: there is no result, and the worker ends.
    LosesSmallNumbers,
}

impl Answer {
    /// LibTorch's error, cut to its first line and to [`MAX_DETAIL`]: a list of its C++ calls follows, which would make
    /// the frame longer than a small job's answer may be.
    pub fn torch_failed(message: &str) -> Self {
        let line = message.trim_start().lines().next().unwrap_or_default();
        let fits = |(at, c): &(usize, char)| at.saturating_add(c.len_utf8()) <= MAX_DETAIL;
        let detail = line.char_indices().take_while(fits).map(|(_, c)| c).collect();
        Self::TorchFailed { detail }
    }
}

/// Why a frame can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The pipe broke.
    #[error("the pipe broke: {0}")]
    Io(#[from] io::Error),
    /// The frame is longer than the limit.
    #[error("a frame of {length} bytes where at most {limit} are allowed")]
    TooLong {
        /// Its length.
        length: u64,
        /// The limit.
        limit: u32,
    },
    /// A message of ours is longer than [`MAX_FRAME`]; nothing was written.
    #[error(
        "{length} bytes are more than the engine passes on ({MAX_FRAME}): the model is too big for this version"
    )]
    CantSend {
        /// Its length.
        length: u64,
    },
    /// The frame's bytes are no message.
    #[error("a frame that is no message: {0}")]
    Malformed(#[from] codec::Error),
}

/// Writes one message.
pub fn write_frame(to: &mut impl Write, message: &impl Encode) -> Result<(), FrameError> {
    let bytes = message.encode();
    let length = sendable(bytes.len())?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(&bytes)?;
    to.flush()?;
    Ok(())
}

fn sendable(bytes: usize) -> Result<u32, FrameError> {
    let length = u32::try_from(bytes).ok().filter(|n| *n <= MAX_FRAME);
    length.ok_or(FrameError::CantSend { length: bytes as u64 })
}

/// Reads one message of at most `limit` bytes. A pipe that ends, even between frames, is an
/// [`io::ErrorKind::UnexpectedEof`].
pub fn read_frame<T: Decode>(from: &mut impl Read, limit: u32) -> Result<T, FrameError> {
    let mut length = [0u8; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    if length > limit {
        return Err(FrameError::TooLong {
            length: u64::from(length),
            limit,
        });
    }
    let mut bytes = Vec::new();
    from.take(u64::from(length)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != u64::from(length) {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(T::decode_all(&mut bytes.as_slice())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_survive_the_round_trip() {
        let message = Answer::Trained {
            weights: vec![1, 2, 3],
            momentum: vec![],
        };
        let mut pipe = Vec::new();
        write_frame(&mut pipe, &message).unwrap();
        assert_eq!(read_frame::<Answer>(&mut pipe.as_slice(), 100).unwrap(), message);
    }

    #[test]
    fn a_message_that_is_too_long_to_send_is_our_fault_and_not_the_workers() {
        let most = MAX_FRAME as usize;
        assert_eq!(sendable(most).unwrap(), MAX_FRAME);
        for length in [most + 1, usize::MAX] {
            let refused = sendable(length).unwrap_err();
            assert!(
                matches!(refused, FrameError::CantSend { length: of } if of == length as u64),
                "{refused}"
            );
        }
    }

    #[test]
    fn of_a_torch_error_the_first_line_is_passed_on_and_no_more_than_fits() {
        let detail = |message: &str| match Answer::torch_failed(message) {
            Answer::TorchFailed { detail } => detail,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            detail("\nshapes differ\nException raised from …\nframe #0"),
            "shapes differ"
        );
        assert_eq!(detail(""), "");
        // Two bytes each, after a single one: the limit falls into the middle of one.
        let long = format!("x{}", "é".repeat(MAX_DETAIL));
        assert_eq!(detail(&long), format!("x{}", "é".repeat(MAX_DETAIL / 2 - 1)));
    }

    #[test]
    fn long_short_and_meaningless_frames_are_refused() {
        let long = 101u32.to_le_bytes();
        assert!(matches!(
            read_frame::<Answer>(&mut &long[..], 100),
            Err(FrameError::TooLong { .. })
        ));
        let cut = [&8u32.to_le_bytes()[..], &[0; 5]].concat();
        assert!(matches!(
            read_frame::<Answer>(&mut cut.as_slice(), 100),
            Err(FrameError::Io(_))
        ));
        let trailing = [&3u32.to_le_bytes()[..], &[3, 0, 9]].concat();
        assert!(matches!(
            read_frame::<Answer>(&mut trailing.as_slice(), 100),
            Err(FrameError::Malformed(_))
        ));
        assert!(matches!(
            read_frame::<Answer>(&mut &[][..], 100),
            Err(FrameError::Io(_))
        ));
    }
}
