//! [`fold`](crate::fold::fold) of updates that are files: each is read little by little, and none is ever in memory as a whole.
//!
//! The bits are those of [`fold`](crate::fold::fold): it is the same sums in the same order, for one range of the weights after the other.
//! Beside the base and what comes out, a range of each update is in memory, 128 KiB. Files are hashed while they are read, so what
//! was folded is what was hashed. Must never let anything out that was made of a damaged file.

use std::io::{self, Read};

use hydra_arithmetic::{Cpu, fold::fold as fold_values};
use hydra_primitives::{BlobRef, model::ModelSpec, update::HEADER_SIZE};

use crate::{
    FoldError, GlobalState, UpdateError, Weights,
    codec::after_header,
    fold::{capped, check_base, rule},
    hashed::{Hashed, PIECE},
    update_size,
};

/// Values of each update that are in memory at a time.
const RANGE: usize = PIECE / 4;

/// An accepted update, to be read from its beginning.
#[derive(Debug)]
pub struct UpdateFile<R> {
    /// Its name, and how long it must be.
    pub blob: BlobRef,
    /// Samples of the shard that it was trained on.
    pub samples: u32,
    /// Its bytes. They may be anybody's, and change meanwhile.
    pub file: R,
}

/// Why files of updates can't be folded.
#[derive(Debug, thiserror::Error)]
pub enum FoldFilesError {
    /// The base doesn't fit.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// A file is what its name says, and no update of this model.
    #[error("update number {index} (from 0, in the order of places): {source}")]
    Update {
        /// Which one.
        index: usize,
        /// What it is instead.
        source: UpdateError,
    },
    /// Files are not what their names say. Nothing is known of what they were.
    #[error(
        "the updates number {which:?} (from 0, in the order of places) are not what their names say, so their files are damaged: \
         fetch them again; if this repeats, check the disk and memory"
    )]
    Damaged {
        /// Which ones: all of them that are.
        which: Vec<usize>,
    },
    /// A file can't be read.
    #[error("update number {index} (from 0, in the order of places) can't be read: {source}. Check the disk")]
    Read {
        /// Which one.
        index: usize,
        /// What the system said.
        source: io::Error,
    },
}

/// What [`fold`](crate::fold::fold) makes of these updates, in the order given: that of their places. Blocks while it reads.
///
/// # Errors
/// [`FoldFilesError`]. Of files that are damaged all are named at once, whatever else is wrong.
pub fn fold_files<R: Read>(
    spec: &ModelSpec,
    base: &GlobalState,
    updates: Vec<UpdateFile<R>>,
) -> Result<GlobalState, FoldFilesError> {
    fold_ranges(&Cpu::default(), RANGE, spec, base, updates)
}

/// So many values at a time.
fn fold_ranges<R: Read>(
    cpu: &Cpu,
    range: usize,
    spec: &ModelSpec,
    base: &GlobalState,
    updates: Vec<UpdateFile<R>>,
) -> Result<GlobalState, FoldFilesError> {
    check_base(spec, base)?;
    if updates.is_empty() {
        return Ok(base.clone());
    }
    let expected = update_size(spec);
    let sizes = updates.iter().map(|update| update.blob.size);
    if let Some((index, found)) = sizes.enumerate().find(|(_, size)| *size != expected) {
        let source = UpdateError::WrongSize { expected, found };
        return Err(FoldFilesError::Update { index, source });
    }
    let samples: Vec<u32> = updates.iter().map(|update| update.samples).collect();
    let mut files: Vec<Hashed<R>> = updates
        .into_iter()
        .map(|update| Hashed::new(update.file, update.blob))
        .collect();
    let mut piece = vec![0; PIECE];
    let folded = read_and_fold(cpu, range, spec, base, &capped(&samples), &mut files, &mut piece);
    if let Err(FoldFilesError::Read { source, .. }) = &folded
        && source.kind() != io::ErrorKind::UnexpectedEof
    {
        return folded;
    }
    // Whatever else was found: a damaged file is no fault of whoever wrote it, and what was made of it is nothing.
    let mut which = Vec::new();
    for (index, file) in files.into_iter().enumerate() {
        match file.ends_whole(&mut piece) {
            Ok(true) => {}
            Ok(false) => which.push(index),
            Err(source) => return Err(FoldFilesError::Read { index, source }),
        }
    }
    if which.is_empty() {
        folded
    } else {
        Err(FoldFilesError::Damaged { which })
    }
}

/// What comes of the files, if they are what their names say.
fn read_and_fold<R: Read>(
    cpu: &Cpu,
    range: usize,
    spec: &ModelSpec,
    base: &GlobalState,
    weighted: &[f64],
    files: &mut [Hashed<R>],
    piece: &mut [u8],
) -> Result<GlobalState, FoldFilesError> {
    let wrong = |index, source| FoldFilesError::Update { index, source };
    for (index, file) in files.iter_mut().enumerate() {
        let mut header = [0; HEADER_SIZE];
        file.fill(&mut header)
            .map_err(|source| FoldFilesError::Read { index, source })?;
        after_header(spec, &header).map_err(|source| wrong(index, source))?;
    }
    let base_values = base.weights.as_slice();
    let mut weights = vec![0.0; base_values.len()];
    let mut kept = base.outer_momentum.as_ref().map(|m| m.as_slice().to_vec());
    let mut parts = vec![vec![0.0; range.min(base_values.len())]; files.len()];
    let mut start = 0;
    while start < base_values.len() {
        // The header is part of the first piece of a file, so that later ones begin at multiples of a piece.
        let most = if start == 0 {
            range.saturating_sub(HEADER_SIZE / 4).max(1)
        } else {
            range
        };
        let values = start..start.saturating_add(most).min(base_values.len());
        for (index, (file, part)) in files.iter_mut().zip(&mut parts).enumerate() {
            part.resize(values.len(), 0.0);
            file.values(part, piece)
                .map_err(|source| FoldFilesError::Read { index, source })?;
            if !part.iter().all(|value| value.is_finite()) {
                return Err(wrong(index, UpdateError::NotFinite));
            }
        }
        let updates: Vec<(f64, &[f32])> = weighted
            .iter()
            .zip(&parts)
            .map(|(weight, part)| (*weight, part.as_slice()))
            .collect();
        fold_values(
            cpu,
            rule(spec),
            &base_values[values.clone()],
            &updates,
            kept.as_mut().map(|kept| &mut kept[values.clone()]),
            &mut weights[values.clone()],
        );
        start = values.end;
    }
    Ok(GlobalState {
        weights: Weights::new(weights),
        outer_momentum: kept.map(Weights::new),
    })
}

#[cfg(test)]
#[path = "fold_files_tests.rs"]
mod tests;
