//! The state that benchmarks run over, and what they need besides.

use hydra_runtime::{RuntimeGenesisConfig, presets};
use sc_client_db::BenchmarkingState;
use serde_json::Value;
use sp_externalities::Extensions;
use sp_keystore::{KeystoreExt, testing::MemoryKeystore};
use sp_runtime::{BuildStorage, traits::BlakeTwo256};
use sp_storage::Storage;

/// A state that goes back to genesis after each run.
pub type State = BenchmarkingState<BlakeTwo256>;

/// The genesis of the development network: one validator, one model.
pub fn genesis() -> Storage {
    let patch = presets::get_preset(&presets::DEVELOPMENT.into()).expect("a preset");
    let patch = serde_json::from_slice(&patch).expect("presets are JSON");
    let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).expect("a genesis is JSON");
    merge(&mut config, patch);
    let mut config: RuntimeGenesisConfig = serde_json::from_value(config).expect("a genesis");
    // More than any round of any model lasts, however short it is on a development network.
    config.stake_voting.unbonding_delay = 100_000;
    config.build_storage().expect("the development network can begin")
}

/// A state that counts what is read and written, if it is to.
pub fn new(genesis: Storage, counts: bool) -> State {
    State::new(genesis, None, false, counts).expect("memory for a genesis")
}

/// A keystore: a registration is signed.
pub fn extensions() -> Extensions {
    let mut extensions = Extensions::new();
    extensions.register(KeystoreExt::new(MemoryKeystore::new()));
    extensions
}

fn merge(whole: &mut Value, patch: Value) {
    match (whole, patch) {
        (Value::Object(whole), Value::Object(patch)) => {
            for (key, value) in patch {
                merge(whole.entry(key).or_insert(Value::Null), value);
            }
        }
        (whole, patch) => *whole = patch,
    }
}
