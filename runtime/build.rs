//! Compiles the runtime to Wasm; nodes embed it in the genesis of the networks they start.
fn main() {
    #[cfg(feature = "std")]
    substrate_wasm_builder::WasmBuilder::build_using_defaults();
}
