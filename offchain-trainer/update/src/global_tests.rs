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
