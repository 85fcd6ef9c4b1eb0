use super::*;
use crate::{BlobRef, H256, dataset::DatasetKind, rewards::STANDARD_WORK};
use proptest::prelude::*;

fn dataset() -> DatasetManifest {
    DatasetManifest {
        name: BoundedVec::truncate_from(b"digits".to_vec()),
        kind: DatasetKind::Images {
            height: 8,
            width: 8,
            channels: 1,
            classes: 10,
            max_value: 16,
        },
        shards: BoundedVec::truncate_from(vec![BlobRef {
            hash: H256::zero(),
            size: 1,
        }]),
        validation: BlobRef {
            hash: H256::zero(),
            size: 1,
        },
    }
}

fn spec(layers: &[u32]) -> ModelSpec {
    ModelSpec {
        architecture: Architecture::Mlp {
            layers: BoundedVec::truncate_from(layers.to_vec()),
        },
        profile: Profile::ArithmeticV1,
        task: TaskSpec {
            steps: 30,
            batch_size: 32,
            learning_rate: Permill::from_percent(10),
            momentum: Permill::from_percent(90),
        },
        aggregator: Aggregator::Mix {
            rate: Permill::from_percent(10),
        },
        init_seed: 0,
        phases: PhaseLengths { train: 1, verify: 1 },
        roster: 32,
        first_seats: 20,
    }
}

#[test]
fn the_digits_model_is_a_standard_unit_of_work() {
    let spec = spec(&[64, 64, 10]);
    assert_eq!(spec.validate(&dataset()), Ok(()));
    assert_eq!(spec.architecture.parameters(), 4_810);
    assert_eq!(spec.work(), STANDARD_WORK);
    let names: Vec<_> = spec.architecture.tensors().into_iter().map(|t| t.name).collect();
    assert_eq!(
        names,
        [
            "layers.0.weight",
            "layers.0.bias",
            "layers.1.weight",
            "layers.1.bias"
        ]
    );
}

#[test]
fn specs_that_make_no_sense_are_refused_with_the_reason() {
    assert_eq!(spec(&[64]).validate(&dataset()), Err(SpecError::BadLayers));
    assert_eq!(spec(&[64, 0, 10]).validate(&dataset()), Err(SpecError::BadLayers));
    assert_eq!(
        spec(&[64, u32::MAX, u32::MAX, 10]).validate(&dataset()),
        Err(SpecError::TooManyParameters)
    );
    assert_eq!(
        spec(&[63, 10]).validate(&dataset()),
        Err(SpecError::DatasetMismatch)
    );
    assert_eq!(
        spec(&[64, 11]).validate(&dataset()),
        Err(SpecError::DatasetMismatch)
    );
    let mut bad = spec(&[64, 10]);
    bad.task.batch_size = 0;
    assert_eq!(bad.validate(&dataset()), Err(SpecError::BadTask));
    let mut bad = spec(&[64, 10]);
    bad.phases.verify = 0;
    assert_eq!(bad.validate(&dataset()), Err(SpecError::BadPhases));
    for (roster, first_seats) in [(0, 20), (MAX_ROSTER + 1, 20), (32, 7), (32, 65)] {
        let bad = ModelSpec {
            roster,
            first_seats,
            ..spec(&[64, 10])
        };
        assert_eq!(bad.validate(&dataset()), Err(SpecError::BadRoster));
    }
    let mut empty = dataset();
    empty.shards = BoundedVec::new();
    assert_eq!(spec(&[64, 10]).validate(&empty), Err(SpecError::NoShards));
}

/// A spec with these layers, and one-channel images of this size and number of classes that fit them.
fn fitting(height: u16, width: u16, hidden: &[u32], classes: u8) -> (ModelSpec, DatasetManifest) {
    let mut data = dataset();
    data.kind = DatasetKind::Images {
        height,
        width,
        channels: 1,
        classes,
        max_value: 255,
    };
    let layers = [&[data.kind.inputs()][..], hidden, &[u32::from(classes)]].concat();
    (spec(&layers), data)
}

#[test]
fn a_model_may_have_as_many_parameters_as_fit_its_workers_messages_and_not_one_more() {
    let (largest, mut data) = fitting(2729, 1, &[24_573], 1);
    assert_eq!(largest.architecture.parameters(), MAX_PARAMETERS);
    for blob in data.shards.iter_mut().chain([&mut data.validation]) {
        blob.size = MAX_DATA;
    }
    assert_eq!(largest.validate(&data), Ok(()));

    let (larger, data) = fitting(62, 1, &[1 << 20], 1);
    assert_eq!(larger.architecture.parameters(), MAX_PARAMETERS + 1);
    assert_eq!(larger.validate(&data), Err(SpecError::TooManyParameters));
}

#[test]
fn data_that_would_not_fit_a_message_are_refused() {
    let (spec, mut data) = fitting(8, 8, &[], 10);
    for (size, expected) in [
        (MAX_DATA, Ok(())),
        (MAX_DATA + 1, Err(SpecError::BadDataSize)),
        (u64::MAX, Err(SpecError::BadDataSize)),
        (0, Err(SpecError::BadDataSize)),
    ] {
        data.shards[0].size = size;
        assert_eq!(spec.validate(&data), expected, "a shard of {size}");
        data.shards[0].size = 1;
        data.validation.size = size;
        assert_eq!(spec.validate(&data), expected, "a validation set of {size}");
        data.validation.size = 1;
    }
}

#[test]
fn a_batch_must_fit_in_memory() {
    // 64 + 54 + 10 = 2⁷ values per sample.
    let (mut spec, data) = fitting(8, 8, &[54], 10);
    spec.task.batch_size = 1 << 21;
    assert_eq!(spec.validate(&data), Ok(()));
    spec.task.batch_size += 1;
    assert_eq!(spec.validate(&data), Err(SpecError::TooManyValues));
    spec.task.batch_size = u32::MAX;
    assert_eq!(spec.validate(&data), Err(SpecError::TooManyValues));
    // However small the batches, weights are measured with this many samples at a time.
    for (hidden, expected) in [
        ((1 << 20) - 2, Ok(())),
        ((1 << 20) - 1, Err(SpecError::TooManyValues)),
    ] {
        let (mut wide, data) = fitting(1, 1, &[hidden], 1);
        wide.task.batch_size = 1;
        assert_eq!(u64::from(EVALUATION_BATCH) << 20, MAX_VALUES);
        assert_eq!(wide.validate(&data), expected);
    }
    // One pixel each: the labels, 255 values of one byte each, are what is large.
    let (spec, mut data) = fitting(1, 1, &[], 255);
    data.shards[0].size = MAX_DATA;
    assert_eq!(spec.validate(&data), Err(SpecError::TooManyValues));
}

#[test]
fn a_pc_s_class_doubles_with_memory_and_work() {
    assert_eq!(spec(&[64, 64, 10]).size_class(&dataset()), 0);
    let (mut large, data) = fitting(8, 8, &[1 << 13], 10);
    let class = large.size_class(&data);
    assert!(class > 0 && class <= MAX_SIZE_CLASS, "{class}");
    large.task.steps *= 1_000_000;
    assert_eq!(class_of(CLASS_WORK, CLASS_WORK), 0);
    assert_eq!(class_of(CLASS_WORK + 1, CLASS_WORK), 1);
    assert!(large.size_class(&data) > class);
}

#[test]
fn a_task_must_be_over_within_an_hour_or_so() {
    // 100 × 100 = 10⁴ parameters.
    let (mut spec, mut data) = fitting(99, 1, &[], 100);
    spec.task.steps = 100_000;
    spec.task.batch_size = 10_000;
    assert_eq!(spec.work(), MAX_WORK);
    assert_eq!(spec.validate(&data), Ok(()));
    data.validation.size = 100;
    assert_eq!(
        spec.validate(&data),
        Err(SpecError::TooMuchWork),
        "a sample must be measured, too"
    );
    data.validation.size = 1;
    spec.task.batch_size += 1;
    assert_eq!(spec.validate(&data), Err(SpecError::TooMuchWork));
}

#[test]
fn rounds_that_never_end_are_refused() {
    let mut long = spec(&[64, 10]);
    long.phases.train = MAX_ROUND - 1;
    assert_eq!(long.validate(&dataset()), Ok(()));
    long.phases.train += 1;
    assert_eq!(long.validate(&dataset()), Err(SpecError::BadPhases));
    long.phases.verify = u32::MAX;
    assert_eq!(long.validate(&dataset()), Err(SpecError::BadPhases));
}

#[test]
fn pixels_without_a_largest_value_are_refused() {
    let mut dark = dataset();
    let DatasetKind::Images { max_value, .. } = &mut dark.kind;
    *max_value = 0;
    assert_eq!(spec(&[64, 10]).validate(&dark), Err(SpecError::BadPixels));
}

proptest! {
    /// Of a spec that passes, all sizes and sums are what mathematics says, far from where numbers end.
    #[test]
    fn nothing_saturates_in_a_valid_spec(
        hidden in prop::collection::vec(1u32..=1 << 13, 0..3),
        steps: u32,
        batch_size: u32,
        shift in 0u32..32,
        size in 0u64..=MAX_DATA,
    ) {
        let (mut spec, mut data) = fitting(8, 8, &hidden, 10);
        spec.task.steps = steps >> shift;
        spec.task.batch_size = batch_size >> shift;
        data.shards[0].size = size >> shift;
        if spec.validate(&data).is_ok() {
            let sizes = [&[64][..], &hidden, &[10]].concat();
            let parameters: u128 = sizes.windows(2).map(|w| (u128::from(w[0]) + 1) * u128::from(w[1])).sum();
            prop_assert_eq!(u128::from(spec.architecture.parameters()), parameters);
            let work = parameters * u128::from(spec.task.steps) * u128::from(spec.task.batch_size);
            prop_assert_eq!(u128::from(spec.work()), work);
            prop_assert!(work <= u128::from(MAX_WORK));
            prop_assert!(spec.size_class(&data) <= MAX_SIZE_CLASS);
        }
    }

    #[test]
    fn hostile_bytes_never_panic_the_decoder(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(spec) = ModelSpec::decode(&mut &bytes[..]) {
            let _ = (spec.validate(&dataset()), spec.work(), spec.size_class(&dataset()));
        }
    }
}

#[test]
fn a_round_s_longest_times_are_sums_of_its_phases_and_bounded_for_every_valid_model() {
    let phases = PhaseLengths { train: 10, verify: 6 };
    assert_eq!(phases.poll(), 1 + 3 * (6 + 8));
    assert_eq!((phases.settled(), phases.paid()), (2 * 43, 3 * 43));
    let slow = PhaseLengths {
        train: 100,
        verify: 1,
    };
    assert_eq!((slow.settled(), slow.paid()), (100 + 28, 100 + 2 * 28));
    assert_eq!(LONGEST_UNTIL_PAID, 77_826);
    for verify in 1..MAX_ROUND {
        let phases = PhaseLengths {
            train: MAX_ROUND - verify,
            verify,
        };
        assert!(phases.paid() <= LONGEST_UNTIL_PAID, "{verify}");
    }
}
