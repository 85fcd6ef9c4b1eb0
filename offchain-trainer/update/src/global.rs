//! A model's global state: everything that the next fold needs, in one file whose BLAKE3 names the version.
//!
//! The outer momentum is part of it, so that a node which joins late folds to the same bits as one that saw every
//! round. Must never accept a file that it would not have written itself.

use std::{
    convert::Infallible,
    io::{self, Read},
};

use hydra_primitives::{
    BlobRef, H256,
    model::{Aggregator, ModelSpec},
};

use crate::{
    Weights,
    hashed::{Hashed, PIECE},
    initial::initial_weights,
    tensor_file::{self, Dtype, Entry},
    weights::append_le_bytes,
};

/// Prefix of the outer momentum's tensor names.
pub const MOMENTUM_PREFIX: &str = "outer_momentum.";

/// The weights of a version and the state of the aggregator.
#[derive(Clone, PartialEq, Debug)]
pub struct GlobalState {
    /// The weights.
    pub weights: Weights,
    /// The outer momentum, as many values as there are weights; there if and only if [`has_outer_momentum`].
    pub outer_momentum: Option<Weights>,
}

/// Why bytes are not a global state of this model.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StateError {
    /// Another size than the spec implies.
    #[error(
        "the file has {found} bytes where this model's state has {expected}: it belongs to another model"
    )]
    WrongSize {
        /// What the spec implies.
        expected: u64,
        /// What was given.
        found: u64,
    },
    /// The header is not the one that the spec implies, byte for byte.
    #[error("the file's header is not this model's: it was not written by HydraAI, or for another model")]
    WrongHeader,
    /// A value is infinite or not a number.
    #[error("the file holds a value that is not a finite number: refuse it and fetch it from someone else")]
    NotFinite,
}

/// Why a file gives no global state.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It isn't what its name says. Nothing is known of what it was.
    #[error(
        "the file is not what its name says, so it is damaged: fetch it again; if this repeats, check the disk and memory"
    )]
    Damaged,
    /// It is what its name says, and no state of this model.
    #[error(transparent)]
    State(#[from] StateError),
    /// It can't be read.
    #[error("the file can't be read: {0}. Check the disk")]
    Io(io::Error),
}

/// Whether `spec` keeps an outer momentum.
pub fn has_outer_momentum(spec: &ModelSpec) -> bool {
    match &spec.aggregator {
        Aggregator::Mix { .. } => false,
        Aggregator::WeightedMean { outer_momentum, .. } => outer_momentum.deconstruct() > 0,
    }
}

fn entries(spec: &ModelSpec) -> Vec<Entry> {
    let tensors = spec.architecture.tensors();
    let named = |prefix: &'static str| {
        tensors.iter().map(move |t| Entry {
            name: format!("{prefix}{}", t.name),
            dtype: Dtype::F32,
            shape: t.shape.iter().map(|d| u64::from(*d)).collect(),
        })
    };
    let mut entries: Vec<Entry> = named("").collect();
    if has_outer_momentum(spec) {
        entries.extend(named(MOMENTUM_PREFIX));
    }
    entries
}

/// Exact size in bytes of every global state of `spec`.
pub fn expected_size(spec: &ModelSpec) -> u64 {
    tensor_file::size(&entries(spec))
}

impl GlobalState {
    /// Version 0: weights from the spec's seed, momentum zero.
    pub fn initial(spec: &ModelSpec) -> Self {
        let weights = initial_weights(spec);
        let outer_momentum = has_outer_momentum(spec).then(|| Weights::zeros(weights.len()));
        Self {
            weights,
            outer_momentum,
        }
    }

    /// The canonical safetensors file. `spec` must be the one that this state was made for.
    pub fn encode(&self, spec: &ModelSpec) -> Vec<u8> {
        let mut bytes = Vec::new();
        let Ok(()) = self.each_piece(spec, |piece| {
            bytes.extend_from_slice(piece);
            Ok::<_, Infallible>(())
        });
        bytes
    }

    /// Gives the canonical safetensors file to `take`, piece by piece, so that it is never in memory as a whole. `spec` must be the
    /// one that this state was made for.
    ///
    /// # Errors
    /// The first that `take` gives; nothing more is given to it then.
    pub fn each_piece<E>(
        &self,
        spec: &ModelSpec,
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut piece = tensor_file::header(&entries(spec));
        let both = [Some(&self.weights), self.outer_momentum.as_ref()];
        for values in both.into_iter().flatten() {
            let mut rest = values.as_slice();
            while !rest.is_empty() {
                let room = PIECE.saturating_sub(piece.len()) / 4;
                let (now, later) = rest.split_at(room.min(rest.len()));
                append_le_bytes(now, &mut piece);
                rest = later;
                if !rest.is_empty() {
                    take(&piece)?;
                    piece.clear();
                }
            }
        }
        take(&piece)
    }

    /// Reads a state from bytes that may come from anyone. What decodes encodes to the same bytes.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn decode(spec: &ModelSpec, bytes: &[u8]) -> Result<Self, StateError> {
        let (expected, found) = (expected_size(spec), bytes.len() as u64);
        if expected != found {
            return Err(StateError::WrongSize { expected, found });
        }
        // The hash is nobody's.
        let blob = BlobRef {
            hash: H256::zero(),
            size: expected,
        };
        match Self::values(spec, &mut Hashed::new(bytes, blob), &mut [0; 4096]) {
            Ok(state) => Ok(state),
            Err(ReadError::State(error)) => Err(error),
            // All bytes are there.
            Err(ReadError::Damaged | ReadError::Io(_)) => Err(StateError::WrongHeader),
        }
    }

    /// Reads the state whose file is called `name`, little by little: there is no second copy of it. The file may be anyone's, and
    /// change meanwhile.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn read(spec: &ModelSpec, file: impl Read, name: H256) -> Result<Self, ReadError> {
        let blob = BlobRef {
            hash: name,
            size: expected_size(spec),
        };
        let (mut file, mut piece) = (Hashed::new(file, blob), vec![0; PIECE]);
        let state = Self::values(spec, &mut file, &mut piece);
        if let Err(ReadError::Io(_)) = state {
            return state;
        }
        // Whatever is wrong with a damaged file, it is no fault of whoever wrote it.
        match file.ends_whole(&mut piece) {
            Ok(true) => state,
            Ok(false) => Err(ReadError::Damaged),
            Err(error) => Err(ReadError::Io(error)),
        }
    }

    fn values(spec: &ModelSpec, file: &mut Hashed<impl Read>, piece: &mut [u8]) -> Result<Self, ReadError> {
        let cut = |error: io::Error| match error.kind() {
            io::ErrorKind::UnexpectedEof => ReadError::Damaged,
            _ => ReadError::Io(error),
        };
        let expected = tensor_file::header(&entries(spec));
        let mut header = vec![0; expected.len()];
        file.fill(&mut header).map_err(cut)?;
        if header != expected {
            return Err(StateError::WrongHeader.into());
        }
        // A file that begins so isn't just anything.
        let count = usize::try_from(spec.architecture.parameters()).unwrap_or(usize::MAX);
        let mut next = || {
            let mut values = vec![0.0; count];
            file.values(&mut values, piece).map_err(cut)?;
            let values = Weights::new(values);
            if !values.all_finite() {
                return Err(StateError::NotFinite.into());
            }
            Ok::<_, ReadError>(values)
        };
        Ok(Self {
            weights: next()?,
            outer_momentum: if has_outer_momentum(spec) {
                Some(next()?)
            } else {
                None
            },
        })
    }

    /// The version's name: BLAKE3 of its file.
    pub fn hash(&self, spec: &ModelSpec) -> H256 {
        let mut hasher = blake3::Hasher::new();
        let Ok(()) = self.each_piece(spec, |piece| {
            hasher.update(piece);
            Ok::<_, Infallible>(())
        });
        H256(*hasher.finalize().as_bytes())
    }

    /// The reference to its file.
    pub fn blob(&self, spec: &ModelSpec) -> BlobRef {
        BlobRef {
            hash: self.hash(spec),
            size: expected_size(spec),
        }
    }
}

#[cfg(test)]
#[path = "global_tests.rs"]
mod tests;
