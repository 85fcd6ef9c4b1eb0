//! Compiles the runtime to Wasm once more, as a release after this one would be.
fn main() {
    #[cfg(feature = "std")]
    substrate_wasm_builder::WasmBuilder::init_with_defaults()
        .enable_feature("trial")
        .enable_metadata_hash("HYDRA", 12)
        .build();
}
