//! Compiles the runtime to Wasm; nodes embed it in the genesis of the networks they start.
fn main() {
    // With the hash of its own metadata inside, hardware wallets can check what they show (`CheckMetadataHash`).
    #[cfg(feature = "std")]
    substrate_wasm_builder::WasmBuilder::init_with_defaults()
        .enable_metadata_hash("HYDRA", 12)
        .build();
}
