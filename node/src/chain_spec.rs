//! The networks this node knows by name, and those it reads from a JSON file.

use hydra_runtime::{
    RuntimeGenesisConfig, WASM_BINARY,
    opaque::Block,
    presets::{self, DEVELOPMENT, LOCAL_TESTNET},
};
use sc_chain_spec::{
    ChainSpec as _, ChainSpecExtension, ChainType, GenericChainSpec, Properties, json_patch,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sp_core::storage::{Storage, well_known_keys};
use sp_runtime::BuildStorage;
use std::path::PathBuf;

/// What a spec holds beside genesis and boot nodes.
#[derive(Debug, Default, Clone, Serialize, Deserialize, ChainSpecExtension)]
#[serde(rename_all = "camelCase")]
pub struct Extensions {
    /// Blocks that must have the given hash.
    pub fork_blocks: sc_client_api::ForkBlocks<Block>,
    /// Blocks that must not be imported.
    pub bad_blocks: sc_client_api::BadBlocks<Block>,
    /// A checkpoint for light clients, filled in by `sync_state_genSyncSpec`.
    pub light_sync_state: sc_sync_state_rpc::LightSyncStateExtension,
    /// Trainers that a new one connects to first, as multiaddresses. The node has no use for them; they stand here so that
    /// one file tells a PC everything about a network.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trainers: Vec<String>,
}

/// A chain spec of this network.
pub type ChainSpec = GenericChainSpec<Extensions>;

/// In which form a named network's genesis is wanted.
#[derive(Debug, Default, Clone, Copy)]
pub enum Genesis {
    /// The state itself, built by native code. Left to the Wasm runtime, it would be compiled twice more in every
    /// start of a node, which takes seconds.
    #[default]
    State,
    /// The name of the preset, as a person reads it in an exported spec.
    Preset,
}

/// The network called `id`, or the one described in the file `id`.
pub fn load(id: &str, genesis: Genesis) -> Result<ChainSpec, String> {
    match id {
        "" => Err("choose a network: --chain dev (you alone), --chain local (Alice to Dave), or --chain with the path \
                   of a JSON chain spec"
            .into()),
        "dev" => named("HydraAI Development", "hydra-dev", ChainType::Development, DEVELOPMENT, genesis),
        "local" => named("HydraAI Local", "hydra-local", ChainType::Local, LOCAL_TESTNET, genesis),
        path => from_file(PathBuf::from(path)),
    }
}

/// `id` is also the network's protocol id, so that nodes of different networks never take each other for peers.
fn named(name: &str, id: &str, kind: ChainType, preset: &str, genesis: Genesis) -> Result<ChainSpec, String> {
    let wasm =
        WASM_BINARY.ok_or("this node was built without its runtime: build it without SKIP_WASM_BUILD")?;
    let mut spec = ChainSpec::builder(wasm, Extensions::default())
        .with_name(name)
        .with_id(id)
        .with_protocol_id(id)
        .with_chain_type(kind)
        .with_genesis_config_preset_name(preset)
        .with_properties(properties())
        .build();
    if let Genesis::State = genesis {
        spec.set_storage(
            state(preset, wasm).map_err(|error| format!("the genesis {preset:?} can't be built: {error}"))?,
        );
    }
    Ok(spec)
}

/// The genesis state that the runtime's preset stands for.
fn state(preset: &str, wasm: &[u8]) -> Result<Storage, String> {
    let patch = presets::get_preset(&preset.into()).ok_or("the runtime doesn't know it")?;
    let patch: Value = serde_json::from_slice(&patch).map_err(|error| error.to_string())?;
    let mut config =
        serde_json::to_value(RuntimeGenesisConfig::default()).map_err(|error| error.to_string())?;
    json_patch::merge(&mut config, patch);
    let config: RuntimeGenesisConfig = serde_json::from_value(config).map_err(|error| error.to_string())?;
    let mut storage = config.build_storage()?;
    storage.top.insert(well_known_keys::CODE.to_vec(), wasm.to_vec());
    Ok(storage)
}

fn from_file(path: PathBuf) -> Result<ChainSpec, String> {
    let shown = path.display().to_string();
    if !path.is_file() {
        return Err(format!(
            "there is no chain spec file {shown}: give the path of a JSON chain spec, or --chain dev or --chain local"
        ));
    }
    ChainSpec::from_json_file(path).map_err(|error| {
        format!("the chain spec {shown} can't be used ({error}): get a fresh copy of the file")
    })
}

/// What wallets show.
fn properties() -> Properties {
    let mut properties = Properties::new();
    properties.insert("tokenSymbol".into(), "HYDRA".into());
    properties.insert("tokenDecimals".into(), 12.into());
    properties.insert("ss58Format".into(), 42.into());
    properties
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nodes that build the state natively and tools that let the runtime do it must agree on the genesis hash.
    #[test]
    fn native_code_and_wasm_build_the_same_genesis() {
        for id in ["dev", "local"] {
            let native = load(id, Genesis::State)
                .unwrap()
                .as_storage_builder()
                .build_storage()
                .unwrap();
            let wasm = load(id, Genesis::Preset)
                .unwrap()
                .as_storage_builder()
                .build_storage()
                .unwrap();
            assert_eq!(native.top, wasm.top, "{id}");
            assert!(native.children_default.is_empty() && wasm.children_default.is_empty());
        }
    }

    #[test]
    fn every_network_says_what_its_money_is() {
        for id in ["dev", "local"] {
            let properties = load(id, Genesis::Preset).unwrap().properties();
            assert_eq!(properties["tokenSymbol"], "HYDRA");
            assert_eq!(properties["tokenDecimals"], 12);
        }
    }

    /// `hydra network new` writes them, and the raw spec is made of what it wrote.
    #[test]
    fn the_trainers_of_a_network_stay_in_its_file() {
        let json = load("local", Genesis::Preset).unwrap().as_json(false).unwrap();
        let mut spec: Value = serde_json::from_str(&json).unwrap();
        assert!(spec.get("trainers").is_none(), "a development network names none");
        let trainers = serde_json::json!(["/ip4/203.0.113.7/tcp/30400/p2p/12D3KooW"]);
        spec["trainers"] = trainers.clone();
        let read = ChainSpec::from_json_bytes(spec.to_string().into_bytes()).unwrap();
        let raw: Value = serde_json::from_str(&read.as_json(true).unwrap()).unwrap();
        assert_eq!(raw["trainers"], trainers);
    }

    #[test]
    fn a_file_that_is_not_there_is_named_in_the_error() {
        let error = load("no-such-spec.json", Genesis::State).err().unwrap();
        assert!(error.contains("no-such-spec.json"));
    }

    /// What `export-chain-spec` writes: this node's runtime and a genesis that a person can read, which is the one of the
    /// network's name.
    #[test]
    fn an_exported_spec_is_this_nodes_network() {
        for (id, preset) in [("dev", DEVELOPMENT), ("local", LOCAL_TESTNET)] {
            let json = load(id, Genesis::Preset).unwrap().as_json(false).unwrap();
            let spec: Value = serde_json::from_str(&json).unwrap();
            let genesis = &spec["genesis"]["runtimeGenesis"];
            let code = sp_core::bytes::from_hex(genesis["code"].as_str().unwrap()).unwrap();
            assert!(
                code == WASM_BINARY.unwrap(),
                "{id} holds another runtime than this node"
            );
            let preset: Value =
                serde_json::from_slice(&presets::get_preset(&preset.into()).unwrap()).unwrap();
            assert_eq!(genesis["patch"], preset, "{id}");

            let read = ChainSpec::from_json_bytes(json.into_bytes()).unwrap();
            let named = load(id, Genesis::State).unwrap();
            assert_eq!((read.id(), read.name()), (named.id(), named.name()));
            let state = |spec: ChainSpec| spec.as_storage_builder().build_storage().unwrap().top;
            assert!(
                state(read) == state(named),
                "{id}: another genesis than by its name"
            );
        }
    }
}
