use super::*;
use crate::{Update, fold, global::has_outer_momentum};
use hydra_arithmetic::Level;
use hydra_primitives::{
    Permill,
    digits::digits_spec,
    model::{Aggregator, Architecture},
    update::HeaderError,
};
use proptest::prelude::*;

fn any_aggregator() -> impl Strategy<Value = Aggregator> {
    let part = || (0u32..=1_000_000).prop_map(Permill::from_parts);
    prop_oneof![
        part().prop_map(|rate| Aggregator::Mix { rate }),
        (part(), prop_oneof![Just(Permill::from_parts(0)), part()]).prop_map(
            |(outer_learning_rate, outer_momentum)| {
                Aggregator::WeightedMean {
                    outer_learning_rate,
                    outer_momentum,
                }
            }
        ),
    ]
}

/// A model of 2 to 110 parameters.
fn any_spec() -> impl Strategy<Value = ModelSpec> {
    (any_aggregator(), 1u32..11, 1u32..11).prop_map(|(aggregator, inputs, outputs)| ModelSpec {
        aggregator,
        architecture: Architecture::Mlp {
            layers: vec![inputs, outputs].try_into().unwrap(),
        },
        ..digits_spec()
    })
}

/// Finite, of all magnitudes, and zeros of both signs.
fn value() -> impl Strategy<Value = f32> {
    let any = any::<u32>().prop_map(f32::from_bits);
    prop_oneof![
        4 => -1f32..1.0,
        1 => any.prop_map(|value| if value.is_finite() { value } else { -0.0 }),
    ]
}

fn update(values: Vec<f32>) -> Update {
    Update::between(&Weights::zeros(values.len()), &Weights::new(values)).unwrap()
}

type Case = (ModelSpec, GlobalState, Vec<(Update, u32)>);

/// A model, a version of it, and up to six updates.
fn case() -> impl Strategy<Value = Case> {
    any_spec().prop_flat_map(|spec| {
        let n = spec.architecture.parameters() as usize;
        let values = move || prop::collection::vec(value(), n);
        let updates = prop::collection::vec((values().prop_map(update), any::<u32>()), 0..7);
        (values(), values(), updates).prop_map(move |(weights, momentum, updates)| {
            let base = GlobalState {
                weights: Weights::new(weights),
                outer_momentum: has_outer_momentum(&spec).then(|| Weights::new(momentum)),
            };
            (spec.clone(), base, updates)
        })
    })
}

fn files(updates: &[(Update, u32)]) -> Vec<Vec<u8>> {
    updates.iter().map(|(update, _)| update.encode()).collect()
}

/// What the chain names, and what is on disk.
fn opened<'a>(
    updates: &[(Update, u32)],
    named: &[Vec<u8>],
    on_disk: &'a [Vec<u8>],
) -> Vec<UpdateFile<&'a [u8]>> {
    let files = updates.iter().zip(named).zip(on_disk);
    files
        .map(|(((_, samples), named), file)| UpdateFile {
            blob: BlobRef::of(named),
            samples: *samples,
            file: file.as_slice(),
        })
        .collect()
}

/// Three updates of a model with momentum.
fn three() -> Case {
    let spec = digits_spec();
    let base = GlobalState::initial(&spec);
    let updates = (1u8..4).map(|k| {
        let values = base.weights.as_slice().iter().map(|w| w / f32::from(k)).collect();
        (update(values), u32::from(k))
    });
    let updates = updates.collect();
    (spec, base, updates)
}

proptest! {
    #[test]
    fn files_are_folded_range_by_range_to_the_bits_of_updates_in_memory(
        (spec, base, updates) in case(),
        range in 1usize..130,
    ) {
        let expected = fold(&spec, &base, &updates).unwrap();
        let files = files(&updates);
        for level in Level::available() {
            for threads in [1, 2] {
                let cpu = Cpu::default().with_level(level).unwrap().with_threads(threads).unwrap();
                let opened = opened(&updates, &files, &files);
                let folded = fold_ranges(&cpu, range, &spec, &base, opened).unwrap();
                prop_assert!(folded.weights.same_bits(&expected.weights));
                let same_momentum = match (&folded.outer_momentum, &expected.outer_momentum) {
                    (Some(folded), Some(expected)) => folded.same_bits(expected),
                    (folded, expected) => folded.is_none() && expected.is_none(),
                };
                prop_assert!(same_momentum);
            }
        }
        let folded = fold_files(&spec, &base, opened(&updates, &files, &files)).unwrap();
        prop_assert_eq!(folded.hash(&spec), expected.hash(&spec));
    }

    /// Whatever happens to however many files after they were named: a flipped bit, an end that is missing, or one too many.
    #[test]
    fn damaged_files_are_all_named_and_never_folded(
        (spec, base, updates) in case(),
        range in 1usize..130,
        damage in prop::collection::vec((0u8..4, any::<prop::sample::Index>(), 0u8..8), 6),
    ) {
        let named = files(&updates);
        let mut on_disk = named.clone();
        let mut damaged = Vec::new();
        for (index, (file, (kind, at, bit))) in on_disk.iter_mut().zip(&damage).enumerate() {
            let at = at.index(file.len());
            match kind {
                0 => continue,
                1 => file[at] ^= 1u8 << *bit,
                2 => file.truncate(at),
                _ => file.push(*bit),
            }
            damaged.push(index);
        }
        let cpu = Cpu::default();
        let folded = fold_ranges(&cpu, range, &spec, &base, opened(&updates, &named, &on_disk));
        match folded {
            Err(FoldFilesError::Damaged { which }) => prop_assert!(!which.is_empty() && which == damaged),
            Ok(folded) => {
                prop_assert!(damaged.is_empty());
                prop_assert_eq!(folded.hash(&spec), fold(&spec, &base, &updates).unwrap().hash(&spec));
            }
            Err(other) => return Err(TestCaseError::fail(other.to_string())),
        }
    }
}

/// More than a range each, so that pieces of files are read at their real size.
#[test]
fn updates_that_are_larger_than_a_range_are_folded_to_the_same_bits() {
    let spec = ModelSpec {
        architecture: Architecture::Mlp {
            layers: vec![300, 351, 10].try_into().unwrap(),
        },
        ..digits_spec()
    };
    let base = GlobalState::initial(&spec);
    assert!(base.weights.len() > 3 * RANGE && !base.weights.len().is_multiple_of(RANGE));
    let updates: Vec<(Update, u32)> = (0u64..5)
        .map(|k| {
            let trained = GlobalState::initial(&ModelSpec {
                init_seed: 100 + k,
                ..spec.clone()
            });
            let update = Update::between(&base.weights, &trained.weights).unwrap();
            (update, 50 + 20 * k as u32)
        })
        .collect();
    let expected = fold(&spec, &base, &updates).unwrap();
    let files = files(&updates);
    for threads in 1..4 {
        let cpu = Cpu::default().with_threads(threads).unwrap();
        let folded = fold_ranges(&cpu, RANGE, &spec, &base, opened(&updates, &files, &files)).unwrap();
        assert!(folded == expected, "{threads} threads");
    }
}

/// The bit flips when all of the file was looked at, and before it is read.
#[test]
fn a_bit_that_flips_between_two_looks_at_a_file_is_noticed() {
    let (spec, base, updates) = three();
    let named = files(&updates);
    let mut on_disk = named.clone();
    assert!(
        on_disk
            .iter()
            .zip(&named)
            .all(|(file, named)| BlobRef::of(file) == BlobRef::of(named))
    );
    let last = on_disk[1].len() - 1;
    on_disk[1][last] ^= 0x80;
    let folded = fold_files(&spec, &base, opened(&updates, &named, &on_disk));
    assert!(matches!(folded, Err(FoldFilesError::Damaged { which }) if which == [1]));
}

#[test]
fn files_that_were_never_updates_of_this_model_are_told_from_damaged_ones() {
    let (spec, base, updates) = three();
    let good = files(&updates);
    let fold = |named: &[Vec<u8>], on_disk: &[Vec<u8>]| {
        fold_files(&spec, &base, opened(&updates, named, on_disk)).unwrap_err()
    };
    let with = |at: usize, bytes: &[u8]| {
        let mut files = good.clone();
        files[2][at..at + bytes.len()].copy_from_slice(bytes);
        files
    };
    let nan = with(HEADER_SIZE + 400, &f32::NAN.to_le_bytes());
    let strange = with(0, b"X");
    let wrong = |files: &[Vec<u8>]| match fold(files, files) {
        FoldFilesError::Update { index: 2, source } => source,
        other => panic!("{other}"),
    };
    assert_eq!(wrong(&nan), UpdateError::NotFinite);
    assert_eq!(wrong(&strange), UpdateError::Header(HeaderError::NotAnUpdate));
    assert!(matches!(wrong(&with(8, &[0])), UpdateError::WrongShape { .. }));
    let mut short = good.clone();
    short[2].pop();
    assert_eq!(
        wrong(&short),
        UpdateError::WrongSize {
            expected: update_size(&spec),
            found: update_size(&spec) - 1,
        }
    );
    // Nobody wrote such a file: it became one.
    for became in [&nan, &strange] {
        assert!(matches!(fold(&good, became), FoldFilesError::Damaged { which } if which == [2]));
    }
    // One is damaged, another was never an update: it is looked at again when the damaged one is there.
    let mut both = nan.clone();
    both[0][HEADER_SIZE] ^= 1;
    assert!(matches!(fold(&nan, &both), FoldFilesError::Damaged { which } if which == [0]));
    assert_eq!(wrong(&nan), UpdateError::NotFinite);
}

#[test]
fn a_disk_that_does_not_answer_is_not_taken_for_a_damaged_file() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("bad sector"))
        }
    }
    let (spec, base, updates) = three();
    let named = files(&updates);
    for read in [0, HEADER_SIZE, 5000, named[1].len()] {
        let opened = opened(&updates, &named, &named).into_iter().enumerate();
        let opened = opened.map(|(index, update)| UpdateFile {
            blob: update.blob,
            samples: update.samples,
            file: match index {
                1 => Read::chain(&update.file[..read], Box::new(Broken) as Box<dyn Read>),
                _ => Read::chain(update.file, Box::new(io::empty()) as Box<dyn Read>),
            },
        });
        let folded = fold_files(&spec, &base, opened.collect());
        assert!(
            matches!(folded, Err(FoldFilesError::Read { index: 1, .. })),
            "{read}: {folded:?}"
        );
    }
}

#[test]
fn without_updates_the_base_stays_and_a_base_of_another_model_is_refused() {
    let (spec, base, _) = three();
    let none = || Vec::<UpdateFile<&[u8]>>::new();
    assert_eq!(fold_files(&spec, &base, none()).unwrap(), base);
    let other = GlobalState {
        outer_momentum: None,
        ..base
    };
    let refused = fold_files(&spec, &other, none());
    assert!(matches!(refused, Err(FoldFilesError::Fold(FoldError::WrongBase))));
}
