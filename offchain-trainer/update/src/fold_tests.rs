use super::*;
use hydra_primitives::{Permill, digits::digits_spec};
use proptest::prelude::*;

fn mean_spec(rate: u32, momentum: u32) -> ModelSpec {
    ModelSpec {
        aggregator: Aggregator::WeightedMean {
            outer_learning_rate: Permill::from_parts(rate),
            outer_momentum: Permill::from_parts(momentum),
        },
        ..small()
    }
}

fn mix_spec(rate: u32) -> ModelSpec {
    ModelSpec {
        aggregator: Aggregator::Mix {
            rate: Permill::from_parts(rate),
        },
        ..small()
    }
}

/// 3 inputs, 2 outputs: 8 parameters.
fn small() -> ModelSpec {
    use hydra_primitives::model::Architecture;
    ModelSpec {
        architecture: Architecture::Mlp {
            layers: vec![3, 2].try_into().unwrap(),
        },
        ..digits_spec()
    }
}

fn update(values: &[f32]) -> Update {
    Update::between(&Weights::zeros(values.len()), &Weights::new(values.to_vec())).unwrap()
}

fn state(spec: &ModelSpec, weights: Vec<f32>) -> GlobalState {
    let outer_momentum = has_outer_momentum(spec).then(|| Weights::zeros(weights.len()));
    GlobalState {
        weights: Weights::new(weights),
        outer_momentum,
    }
}

fn any_values() -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(-f32::MAX..f32::MAX, 8)
}

fn usual_values() -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(-10f32..10.0, 8)
}

proptest! {
    #[test]
    fn one_update_at_rate_one_without_momentum_is_base_plus_update(w in usual_values(), d in usual_values(), n in 0u32..1_000_000) {
        let spec = mean_spec(1_000_000, 0);
        let base = state(&spec, w);
        let update = update(&d);
        let folded = fold(&spec, &base, &[(update.clone(), n)]).unwrap();
        prop_assert!(folded.weights.same_bits(&update.apply(&base.weights).unwrap()));
    }

    #[test]
    fn mix_at_rate_one_of_one_update_is_the_trained_model(w in usual_values(), d in usual_values()) {
        let spec = mix_spec(1_000_000);
        let base = state(&spec, w);
        let update = update(&d);
        let folded = fold(&spec, &base, &[(update.clone(), 90)]).unwrap();
        prop_assert_eq!(folded.weights, update.apply(&base.weights).unwrap());
    }

    #[test]
    fn mix_at_rate_zero_changes_nothing(w in usual_values(), d in usual_values()) {
        let spec = mix_spec(0);
        let base = state(&spec, w);
        prop_assert_eq!(fold(&spec, &base, &[(update(&d), 90)]).unwrap(), base);
    }

    #[test]
    fn the_result_is_finite_whatever_the_updates(
        w in any_values(),
        updates in prop::collection::vec((any_values(), any::<u32>()), 1..6),
        rate in 0u32..=1_000_000,
        momentum in 0u32..=1_000_000,
    ) {
        let updates: Vec<_> = updates.into_iter().map(|(d, n)| (update(&d), n)).collect();
        for spec in [mean_spec(rate, momentum), mix_spec(rate)] {
            let mut next = state(&spec, w.clone());
            for _ in 0..3 {
                next = fold(&spec, &next, &updates).unwrap();
                prop_assert!(next.weights.all_finite());
                prop_assert!(next.outer_momentum.iter().all(Weights::all_finite));
            }
        }
    }

    /// Updates are folded in the order of their places because another may round differently; the difference is rounding only.
    #[test]
    fn another_order_differs_by_rounding_only(
        w in usual_values(),
        mut updates in prop::collection::vec((usual_values(), 1u32..200), 2..6),
    ) {
        let spec = mean_spec(900_000, 100_000);
        let base = state(&spec, w);
        let folded = |updates: &[(Vec<f32>, u32)]| {
            let updates: Vec<_> = updates.iter().map(|(d, n)| (update(d), *n)).collect();
            fold(&spec, &base, &updates).unwrap().weights
        };
        let forward = folded(&updates);
        updates.reverse();
        let backward = folded(&updates);
        for (a, b) in forward.as_slice().iter().zip(backward.as_slice()) {
            prop_assert!((a - b).abs() <= 4e-6, "{} {}", a, b);
        }
    }

    #[test]
    fn momentum_follows_the_formula(d in usual_values(), e in usual_values()) {
        let spec = mean_spec(800_000, 200_000);
        let base = state(&spec, vec![0.0; 8]);
        let one = fold(&spec, &base, &[(update(&d), 9)]).unwrap();
        let two = fold(&spec, &one, &[(update(&e), 9)]).unwrap();
        for i in 0..8 {
            let (d, e) = (f64::from(d[i]), f64::from(e[i]));
            let w1 = 0.8 * (d + 0.2 * d);
            let m2 = 0.2 * d + e;
            let w2 = w1 + 0.8 * (e + 0.2 * m2);
            prop_assert!((f64::from(two.weights.as_slice()[i]) - w2).abs() < 1e-5);
        }
    }
}

#[test]
fn no_identity_counts_more_than_twice_the_median() {
    assert_eq!(capped(&[90, 90, 1_000_000]), [90.0, 90.0, 180.0]);
    assert_eq!(capped(&[10, 100]), [10.0, 20.0]);
    assert_eq!(capped(&[0, 0]), [1.0, 1.0]);
}

#[test]
fn no_updates_change_nothing() {
    let spec = digits_spec();
    let base = GlobalState::initial(&spec);
    assert_eq!(fold(&spec, &base, &[]), Ok(base));
}

#[test]
fn states_and_updates_of_other_models_are_refused() {
    let spec = mean_spec(900_000, 100_000);
    let base = state(&spec, vec![0.0; 8]);
    assert_eq!(
        fold(&mean_spec(900_000, 0), &base, &[]),
        Err(FoldError::WrongBase)
    );
    assert_eq!(fold(&digits_spec(), &base, &[]), Err(FoldError::WrongBase));
    let updates = [(update(&[1.0; 8]), 1), (update(&[1.0; 7]), 1)];
    assert_eq!(
        fold(&spec, &base, &updates),
        Err(FoldError::WrongUpdate { index: 1 })
    );
}

/// Catches any change of bits: in the generator, the fold or the file format.
#[test]
fn the_bits_are_pinned() {
    let spec = mean_spec(900_000, 100_000);
    let mut base = GlobalState::initial(&ModelSpec {
        init_seed: 5,
        ..spec.clone()
    });
    let delta = |seed: u64| {
        let weights = GlobalState::initial(&ModelSpec {
            init_seed: seed,
            ..spec.clone()
        })
        .weights;
        (
            Update::between(&Weights::zeros(8), &weights).unwrap(),
            80 + seed as u32,
        )
    };
    for round in 0..3 {
        base = fold(
            &spec,
            &base,
            &[delta(10 + round), delta(20 + round), delta(30 + round)],
        )
        .unwrap();
    }
    assert_eq!(format!("{:?}", base.hash(&spec)), MEAN);
    let spec = mix_spec(100_000);
    let base = GlobalState::initial(&spec);
    assert_eq!(
        format!(
            "{:?}",
            fold(&spec, &base, &[delta(1), delta(2)]).unwrap().hash(&spec)
        ),
        MIX
    );
}

const MEAN: &str = "0x4a298cb3dd0bfc417879d5c7c67352cd846eb99979f5b26ed5e3a974638f28eb";
const MIX: &str = "0xb4bf03b6cf63b2a6800e8a3706a82883c8dbfaefc4ac7f295e311eab95e981f3";
