//! Why a file describes no model that a network could begin with.

use std::path::PathBuf;

use hydra_primitives::{
    electorate::{SEATS_FIRST_MAX, SEATS_FIRST_MIN},
    model::{MAX_DATA, MAX_PARAMETERS, MAX_ROSTER, MAX_ROUND, MAX_STEPS, MAX_VALUES, MAX_WORK, SpecError},
};

/// What is wrong with it, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelFault {
    /// It is not written as such a file is.
    #[error("{0}; begin with a copy of datasets/digits/model.json")]
    Malformed(String),
    /// The chain would read something else than the file says.
    #[error("its spec has a field that no model has; compare it with datasets/digits/model.json")]
    UnknownField,
    /// More than the whole.
    #[error("{field} is {millionths} millionths, and more than 1000000 is more than 1: make it smaller")]
    Share {
        /// Which number.
        field: &'static str,
        /// What it is.
        millionths: u32,
    },
    /// Its data set isn't here.
    #[error("no data set is called {name:?}, but {}: name the folder of its own with --dataset", quoted(.known))]
    NoSuchDataset {
        /// What it asks for.
        name: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// The chain would refuse it.
    #[error("{}", bound(.error, *.inputs, *.classes))]
    Spec {
        /// Why.
        error: SpecError,
        /// Numbers per sample of its data set.
        inputs: u32,
        /// Classes of its data set.
        classes: u32,
    },
    /// Slow PCs couldn't do their part, or a few authors in a row could leave others out: the rule of the chain's genesis and of `addModel`.
    #[error("{}: give phases more blocks", .0.join(" and "))]
    ShortPhases(Vec<String>),
    /// Two of one kind.
    #[error("{} describes the same model: give one of them another init_seed, or leave it out", .0.display())]
    Twice(PathBuf),
}

fn quoted(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    names.join(", ")
}

/// The bound that a spec breaks.
fn bound(error: &SpecError, inputs: u32, classes: u32) -> String {
    match error {
        SpecError::BadLayers => "layers needs two sizes at least, none of them 0: add what is missing".into(),
        SpecError::TooManyParameters => {
            format!("it has more than {MAX_PARAMETERS} parameters: make its layers smaller")
        }
        SpecError::BadTask => {
            format!("steps and batch_size must be 1 at least, and steps {MAX_STEPS} at most: change them")
        }
        SpecError::BadPhases => format!(
            "each of its phases must have 1 block at least, all together {MAX_ROUND} at most: change phases"
        ),
        SpecError::DatasetMismatch => format!(
            "a sample of its data set has {inputs} numbers and there are {classes} classes: the first of layers must be \
             {inputs}, the last one {classes}"
        ),
        SpecError::NoShards => "its data set has no shards: add some".into(),
        SpecError::BadPixels => "its data set's max_value is 0: give it the value of a full pixel".into(),
        SpecError::BadDataSize => format!(
            "a file of its data set is empty or has more than {MAX_DATA} bytes: cut the data into more shards"
        ),
        SpecError::TooManyValues => format!(
            "a batch (of 256 at least) times its layers, or a file's samples times their numbers, are more than {MAX_VALUES} \
             values: make batch_size, layers or the data set's files smaller"
        ),
        SpecError::BadRoster => format!(
            "roster must be 1 to {MAX_ROSTER} places, and first_seats {SEATS_FIRST_MIN} to {SEATS_FIRST_MAX} seats: change them"
        ),
        SpecError::TooMuchWork => format!(
            "a task is more work than {MAX_WORK} sample-parameters, an hour or so: make steps, batch_size, layers or the data \
             set's files smaller"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bound_says_what_to_change() {
        for error in [
            SpecError::BadLayers,
            SpecError::TooManyParameters,
            SpecError::BadTask,
            SpecError::BadPhases,
            SpecError::DatasetMismatch,
            SpecError::NoShards,
            SpecError::BadPixels,
            SpecError::BadDataSize,
            SpecError::TooManyValues,
            SpecError::BadRoster,
            SpecError::TooMuchWork,
        ] {
            let sentence = bound(&error, 64, 10);
            assert!(sentence.contains(':') && !sentence.contains("  "), "{sentence}");
        }
        assert!(bound(&SpecError::DatasetMismatch, 64, 10).ends_with("must be 64, the last one 10"));
    }
}
