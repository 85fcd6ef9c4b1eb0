use super::*;
use hydra_primitives::{
    Permill,
    digits::{DIGITS_INITIAL_WEIGHTS, DIGITS_INITIAL_WEIGHTS_SIZE, digits_spec},
};
use proptest::prelude::*;

fn without_momentum() -> ModelSpec {
    ModelSpec {
        aggregator: Aggregator::Mix {
            rate: Permill::from_percent(10),
        },
        ..digits_spec()
    }
}

#[test]
fn the_initial_weights_of_the_digits_model_are_pinned() {
    let spec = digits_spec();
    let blob = GlobalState::initial(&spec).blob(&spec);
    assert_eq!(
        (blob.hash, blob.size),
        (DIGITS_INITIAL_WEIGHTS, DIGITS_INITIAL_WEIGHTS_SIZE)
    );
    assert_eq!(expected_size(&spec), DIGITS_INITIAL_WEIGHTS_SIZE);
}

#[test]
fn states_survive_the_round_trip() {
    for spec in [digits_spec(), without_momentum()] {
        let mut state = GlobalState::initial(&spec);
        state.outer_momentum = state.outer_momentum.map(|m| Weights::new(vec![0.25; m.len()]));
        let bytes = state.encode(&spec);
        assert_eq!(bytes.len() as u64, expected_size(&spec));
        assert_eq!(GlobalState::decode(&spec, &bytes), Ok(state));
    }
}

/// Larger than a piece, and no multiple of it.
#[test]
fn a_state_that_is_read_and_written_piece_by_piece_is_the_same() {
    let spec = ModelSpec {
        architecture: hydra_primitives::model::Architecture::Mlp {
            layers: vec![150, 301, 7].try_into().unwrap(),
        },
        ..digits_spec()
    };
    let mut state = GlobalState::initial(&spec);
    state.outer_momentum = Some(initial_weights(&ModelSpec {
        init_seed: 99,
        ..spec.clone()
    }));
    let bytes = state.encode(&spec);
    assert_eq!(bytes.len() as u64, expected_size(&spec));
    assert!(bytes.len() > 2 * PIECE && !bytes.len().is_multiple_of(PIECE));
    assert!(bytes.ends_with(&state.outer_momentum.as_ref().unwrap().to_le_bytes()));
    let mut pieces = Vec::new();
    state
        .each_piece(&spec, |piece| {
            pieces.push(piece.to_vec());
            Ok::<_, Infallible>(())
        })
        .unwrap();
    assert!(pieces.iter().all(|piece| piece.len() <= PIECE));
    assert_eq!(pieces.concat(), bytes);
    let blob = BlobRef::of(&bytes);
    assert_eq!(state.blob(&spec), blob);
    assert_eq!(GlobalState::read(&spec, &bytes[..], blob.hash).unwrap(), state);
    let refused = state.each_piece(&spec, |_| Err("full"));
    assert_eq!(refused, Err("full"));
}

#[test]
fn a_damaged_file_is_told_from_one_that_was_never_a_state() {
    let spec = digits_spec();
    let good = GlobalState::initial(&spec).encode(&spec);
    let name = BlobRef::of(&good).hash;
    let read = |bytes: &[u8], name| GlobalState::read(&spec, bytes, name).unwrap_err();
    let mut nan = good.clone();
    let at = nan.len() - 4;
    nan[at..].copy_from_slice(&f32::NAN.to_le_bytes());
    let mut spaced = good.clone();
    spaced[12] = b' ';
    let mut flipped = good.clone();
    flipped[at - 400] ^= 1;
    let long = [&good[..], &[0]].concat();
    for damaged in [&nan[..], &spaced, &flipped, &long, &good[..at], &[]] {
        assert!(matches!(read(damaged, name), ReadError::Damaged));
    }
    for (bytes, error) in [(nan, StateError::NotFinite), (spaced, StateError::WrongHeader)] {
        let found = read(&bytes, BlobRef::of(&bytes).hash);
        assert!(
            matches!(&found, ReadError::State(found) if *found == error),
            "{found:?}"
        );
    }
    // A whole file of another size under the right name: whoever asked had a wrong idea of it.
    assert!(matches!(read(&long, BlobRef::of(&long).hash), ReadError::Damaged));
}

#[test]
fn a_disk_that_does_not_answer_is_not_taken_for_a_damaged_file() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("bad sector"))
        }
    }
    let spec = digits_spec();
    let good = GlobalState::initial(&spec).encode(&spec);
    let name = BlobRef::of(&good).hash;
    for read in [0, 100, 3000, good.len()] {
        let error = GlobalState::read(&spec, Read::chain(&good[..read], Broken), name).unwrap_err();
        assert!(matches!(error, ReadError::Io(_)), "{read}: {error}");
    }
}

#[test]
fn any_safetensors_reader_finds_the_tensors_under_their_pytorch_names() {
    let spec = digits_spec();
    let bytes = GlobalState::initial(&spec).encode(&spec);
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.tensor("layers.0.weight").unwrap().shape(), [64, 64]);
    assert_eq!(file.tensor("layers.1.bias").unwrap().shape(), [10]);
    assert_eq!(
        file.tensor("outer_momentum.layers.1.weight").unwrap().shape(),
        [10, 64]
    );
    assert_eq!(file.len(), 8);
}

#[test]
fn a_state_of_another_model_is_refused() {
    let (with, without) = (digits_spec(), without_momentum());
    let bytes = GlobalState::initial(&with).encode(&with);
    assert!(matches!(
        GlobalState::decode(&without, &bytes),
        Err(StateError::WrongSize { .. })
    ));
}

#[test]
fn a_file_with_other_spacing_or_values_that_are_not_finite_is_refused() {
    let spec = digits_spec();
    let good = GlobalState::initial(&spec).encode(&spec);
    let mut spaced = good.clone();
    let colon = good.iter().position(|b| *b == b':').unwrap();
    spaced[colon] = b' ';
    assert_eq!(GlobalState::decode(&spec, &spaced), Err(StateError::WrongHeader));
    let mut nan = good.clone();
    let at = nan.len() - 4;
    nan[at..].copy_from_slice(&f32::NAN.to_le_bytes());
    assert_eq!(GlobalState::decode(&spec, &nan), Err(StateError::NotFinite));
}

proptest! {
    #[test]
    fn hostile_bytes_that_decode_encode_to_the_same_bytes(at in 0usize..2000, value: u8) {
        let spec = digits_spec();
        let mut bytes = GlobalState::initial(&spec).encode(&spec);
        bytes[at] = value;
        if let Ok(state) = GlobalState::decode(&spec, &bytes) {
            prop_assert_eq!(state.encode(&spec), bytes);
        }
    }

    #[test]
    fn hostile_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(GlobalState::decode(&digits_spec(), &bytes).is_err());
    }
}
