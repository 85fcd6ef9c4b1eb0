//! How much memory a fold takes: no more with more updates.

use hydra_arithmetic::{
    Cpu,
    fold::{Folding, Rule},
};
use hydra_primitives::{
    BlobRef, Permill,
    digits::digits_spec,
    model::{Aggregator, Architecture, ModelSpec},
};
use hydra_update::{GlobalState, Update, UpdateFile, Weights, fold_files};
use nix::sys::resource::{Resource, setrlimit};

/// Of this process.
const MEMORY: u64 = 1 << 30;
/// As many places as a round may have, and some.
const UPDATES: usize = 300;

#[test]
fn updates_that_are_more_than_there_is_memory_are_folded() {
    setrlimit(Resource::RLIMIT_AS, MEMORY, MEMORY).unwrap();
    let (rate, momentum) = (Permill::from_percent(70), Permill::from_percent(90));
    let spec = ModelSpec {
        architecture: Architecture::Mlp {
            layers: vec![1000, 1000, 10].try_into().unwrap(),
        },
        aggregator: Aggregator::WeightedMean {
            outer_learning_rate: rate,
            outer_momentum: momentum,
        },
        ..digits_spec()
    };
    let base = GlobalState::initial(&spec);
    let trained = GlobalState::initial(&ModelSpec {
        init_seed: 1,
        ..spec.clone()
    });
    let update = Update::between(&base.weights, &trained.weights).unwrap();
    let file = update.encode();
    assert!((file.len() * UPDATES) as u64 > MEMORY);
    let blob = BlobRef::of(&file);
    let files: Vec<UpdateFile<&[u8]>> = (0..UPDATES)
        .map(|_| UpdateFile {
            blob,
            samples: 90,
            file: file.as_slice(),
        })
        .collect();
    let folded = fold_files(&spec, &base, files).unwrap();

    let fraction = |share: Permill| f64::from(share.deconstruct()) / 1e6;
    let rule = Rule::Mean {
        rate: fraction(rate),
        momentum: fraction(momentum),
    };
    let (cpu, mut folding) = (Cpu::default(), Folding::new(rule, base.weights.as_slice()));
    for _ in 0..UPDATES {
        folding.next_update(90.0);
        folding.add(&cpu, update.values().as_slice());
    }
    let mut weights = vec![0.0; base.weights.len()];
    let mut kept = base.outer_momentum.as_ref().unwrap().as_slice().to_vec();
    folding.finish(&cpu, Some(&mut kept), &mut weights);
    assert!(folded.weights.same_bits(&Weights::new(weights)));
    assert!(folded.outer_momentum.unwrap().same_bits(&Weights::new(kept)));
}
