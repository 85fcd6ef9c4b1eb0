//! Files of anyone: no decoder may panic on them, reserve memory for more than there is, or accept what it would not have
//! written itself.

use std::{
    io::{Read as _, Write as _},
    sync::LazyLock,
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use hydra_primitives::{
    BlobRef, Permill,
    dataset::DatasetKind,
    digits::digits_spec,
    model::{Aggregator, Architecture, ModelSpec},
};
use hydra_update::{
    GlobalState, Update, UpdateFile, Weights, count_samples, decode_shard, decode_update, digits,
    encode_shard, encode_update, expected_size, fold, fold_files, update_size,
};
use nix::sys::resource::{Resource, setrlimit};
use proptest::{collection::vec, prelude::*, sample::Index};

/// Of this process. Whoever believes a length in a file asks for more, and aborts.
const MEMORY: u64 = 1 << 30;

fn bound_memory() {
    setrlimit(Resource::RLIMIT_AS, MEMORY, MEMORY).unwrap();
}

/// A small model, so that a damaged byte hits every part of its files often; with outer momentum.
fn small() -> ModelSpec {
    let mut spec = digits_spec();
    spec.architecture = Architecture::Mlp {
        layers: vec![2, 3, 2].try_into().unwrap(),
    };
    spec.aggregator = Aggregator::WeightedMean {
        outer_learning_rate: Permill::one(),
        outer_momentum: Permill::from_percent(20),
    };
    spec
}

/// As large as version 0.1 allowed: 2³⁰ parameters.
fn huge() -> ModelSpec {
    let mut spec = small();
    spec.architecture = Architecture::Mlp {
        layers: vec![32_767, 32_767, 1].try_into().unwrap(),
    };
    spec
}

fn kind(max_value: u8) -> DatasetKind {
    DatasetKind::Images {
        height: 2,
        width: 2,
        channels: 1,
        classes: 3,
        max_value,
    }
}

/// A sample of which has 2³² − 1 values and more.
const ENDLESS: DatasetKind = DatasetKind::Images {
    height: u16::MAX,
    width: u16::MAX,
    channels: u8::MAX,
    classes: u8::MAX,
    max_value: u8::MAX,
};

fn good() -> [Vec<u8>; 3] {
    let spec = small();
    let state = GlobalState::initial(&spec);
    let trained = Weights::new(state.weights.as_slice().iter().map(|v| v * 1.5 + 0.01).collect());
    let pixels = [0, 1, 2, 3, 4, 5, 6, 7];
    [
        encode_update(&state.weights, &trained).unwrap(),
        state.encode(&spec),
        encode_shard(&kind(16), &pixels, &[0, 2]).unwrap(),
    ]
}

/// Whatever is read is what is written, byte for byte.
fn read(bytes: &[u8]) -> Result<(), TestCaseError> {
    let (spec, blob) = (small(), BlobRef::of(bytes));
    let update = decode_update(&spec, bytes);
    if let Ok(update) = &update {
        prop_assert_eq!(update.encode(), bytes);
        prop_assert!(update.values().all_finite() && update.values().fits(&spec.architecture));
    }
    let base = GlobalState::initial(&spec);
    let file = UpdateFile {
        blob,
        samples: 3,
        file: bytes,
    };
    let folded = fold_files(&spec, &base, vec![file]).ok();
    let expected = update
        .ok()
        .map(|update| fold(&spec, &base, &[(update, 3)]).unwrap());
    prop_assert_eq!(folded, expected);
    let state = GlobalState::decode(&spec, bytes);
    if let Ok(state) = &state {
        prop_assert_eq!(state.encode(&spec), bytes);
        prop_assert!(state.weights.all_finite() && state.weights.fits(&spec.architecture));
    }
    prop_assert_eq!(GlobalState::read(&spec, bytes, blob.hash).ok(), state.ok());
    for max_value in [0, 1, 16, 255] {
        let samples = count_samples(&kind(max_value), bytes);
        let shard = decode_shard(&kind(max_value), bytes);
        prop_assert_eq!(
            samples,
            shard
                .as_ref()
                .map(|shard| shard.samples())
                .map_err(|error| *error)
        );
        if let Ok(shard) = shard {
            let full = f32::from(max_value);
            let pixels: Vec<u8> = shard.inputs.iter().map(|v| (v * full).round() as u8).collect();
            prop_assert_eq!(
                encode_shard(&kind(max_value), &pixels, &shard.labels).unwrap(),
                bytes
            );
        }
    }
    // No file this small is one of these.
    prop_assert!(decode_update(&huge(), bytes).is_err());
    prop_assert!(GlobalState::decode(&huge(), bytes).is_err());
    prop_assert!(GlobalState::read(&huge(), bytes, blob.hash).is_err());
    prop_assert!(decode_shard(&ENDLESS, bytes).is_err());
    Ok(())
}

proptest! {
    #[test]
    fn hostile_bytes_are_no_file(bytes in vec(any::<u8>(), 0..400)) {
        bound_memory();
        read(&bytes)?;
    }

    /// Of just the right size, so that the content is looked at.
    #[test]
    fn hostile_bytes_of_the_right_size_are_read_as_they_are(seed in vec(any::<u8>(), 1..40)) {
        bound_memory();
        let spec = small();
        for size in [update_size(&spec), expected_size(&spec)] {
            let bytes: Vec<u8> = seed.iter().copied().cycle().take(size as usize).collect();
            read(&bytes)?;
        }
    }

    #[test]
    fn hostile_bytes_in_place_of_good_ones_do_no_harm(
        which: Index,
        at: Index,
        bytes in vec(any::<u8>(), 1..9),
        cut: Index,
    ) {
        bound_memory();
        let mut file = good()[which.index(3)].clone();
        let at = at.index(file.len());
        for (place, byte) in file.iter_mut().skip(at).zip(&bytes) {
            *place = *byte;
        }
        read(&file)?;
        read(&file[..cut.index(file.len())])?;
        file.extend(&bytes);
        read(&file)?;
    }

    #[test]
    fn hostile_bytes_are_no_update_of_weights_either(
        base in vec(any::<u32>(), 0..20),
        trained in vec(any::<u32>(), 0..20),
    ) {
        let floats = |bits: Vec<u32>| Weights::new(bits.into_iter().map(f32::from_bits).collect());
        let (base, trained) = (floats(base), floats(trained));
        if let Ok(update) = Update::between(&base, &trained) {
            prop_assert_eq!(base.len(), trained.len());
            prop_assert!(update.apply(&base).is_ok());
            prop_assert!(update.apply(&Weights::zeros(base.len() + 1)).is_err());
        }
    }
}

static DIGITS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut csv = Vec::new();
    GzDecoder::new(digits::BUNDLED).read_to_end(&mut csv).unwrap();
    csv
});

fn packed(csv: &[u8]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(csv).unwrap();
    gz.finish().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.div_ceil(8)))]

    #[test]
    fn hostile_bytes_are_not_the_digits(bytes in vec(any::<u8>(), 0..400)) {
        bound_memory();
        prop_assert!(digits::import(&bytes).is_err());
        prop_assert!(digits::import(&packed(&bytes)).is_err());
    }

    #[test]
    fn hostile_bytes_among_the_digits_are_other_digits_or_none(
        at: Index,
        bytes in vec(any::<u8>(), 1..9),
        packed_too: bool,
    ) {
        bound_memory();
        let mut file = if packed_too { digits::BUNDLED.to_vec() } else { DIGITS.clone() };
        let at = at.index(file.len());
        for (place, byte) in file.iter_mut().skip(at).zip(bytes) {
            *place = byte;
        }
        let file = if packed_too { file } else { packed(&file) };
        if let Ok(dataset) = digits::import(&file) {
            prop_assert_eq!(dataset.shards.len(), digits::SHARDS);
            for shard in dataset.shards.iter().chain([&dataset.validation]) {
                prop_assert!(decode_shard(&dataset.manifest.kind, shard).is_ok());
            }
        }
    }
}

/// More digits than there is memory, in a few megabytes: only what the real file could hold is unpacked.
#[test]
fn hostile_bytes_that_unpack_to_more_than_there_is_room_for_are_refused() {
    bound_memory();
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    let block = vec![b'1'; 1 << 20];
    for _ in 0..1280 {
        gz.write_all(&block).unwrap();
    }
    assert!(digits::import(&gz.finish().unwrap()).is_err());
}

#[test]
fn good_files_are_read() {
    let [update, global, shard] = good();
    let spec = small();
    assert!(decode_update(&spec, &update).is_ok());
    assert!(GlobalState::decode(&spec, &global).is_ok());
    assert!(decode_shard(&kind(16), &shard).is_ok());
    for file in good() {
        read(&file).unwrap();
    }
    // The whole of the huge ones would be more than the memory that these tests have.
    assert!(
        [update_size(&huge()), expected_size(&huge())]
            .iter()
            .all(|size| *size > MEMORY)
    );
}
