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
        profile: Profile::ExactLibTorch2110Avx2,
        task: TaskSpec {
            steps: 30,
            batch_size: 32,
            learning_rate: Permill::from_percent(10),
            momentum: Permill::from_percent(90),
            checkpoint_every: 1,
        },
        aggregator: Aggregator::Mix {
            rate: Permill::from_percent(10),
        },
        init_seed: 0,
        phases: PhaseLengths {
            train: 1,
            verify: 1,
            reveal: 1,
        },
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
    bad.phases.reveal = 0;
    assert_eq!(bad.validate(&dataset()), Err(SpecError::BadPhases));
    let mut empty = dataset();
    empty.shards = BoundedVec::new();
    assert_eq!(spec(&[64, 10]).validate(&empty), Err(SpecError::NoShards));
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic_the_decoder(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(spec) = ModelSpec::decode(&mut &bytes[..]) {
            let _ = (spec.validate(&dataset()), spec.work(), spec.task.segments());
        }
    }
}
