//! Benchmarks in the Wasm that nodes run.

use crate::state::{self, State};
use codec::{Decode, Encode};
use frame_benchmarking::{BenchmarkBatch, BenchmarkConfig, BenchmarkList, benchmarking};
use frame_support::traits::StorageInfo;
use sc_executor::WasmExecutor;
use sp_core::traits::{CallContext, RuntimeCode, WrappedRuntimeCode};
use sp_io::SubstrateHostFunctions;
use sp_runtime::traits::BlakeTwo256;
use sp_state_machine::{OverlayedChanges, StateMachine};
use sp_storage::well_known_keys;

type Executor = WasmExecutor<(SubstrateHostFunctions, benchmarking::HostFunctions)>;

/// Why a runtime could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The build left the Wasm out.
    #[error("the runtime was built without its Wasm (SKIP_WASM_BUILD is set); build it again without")]
    NoWasm,
    /// The runtime trapped, or knows no such function.
    #[error("the runtime's {0} failed: {1}. Is it built with the feature runtime-benchmarks?")]
    Call(&'static str, String),
    /// A benchmark did not do what it says.
    #[error("the benchmark {0} failed: {1}")]
    Benchmark(String, String),
    /// What a runtime function gives isn't what this crate knows.
    #[error("the runtime's {0} gave something else than this program expects; build both together")]
    Undecodable(&'static str),
}

/// A runtime that can be measured.
pub struct Runtime {
    wasm: Vec<u8>,
    executor: Executor,
    counts: State,
    times: State,
}

impl Runtime {
    /// The one that this crate is built with.
    pub fn new() -> Result<Self, Error> {
        let wasm = hydra_runtime::WASM_BINARY.ok_or(Error::NoWasm)?.to_vec();
        let mut genesis = state::genesis();
        genesis.top.insert(well_known_keys::CODE.to_vec(), wasm.clone());
        Ok(Self {
            wasm,
            executor: Executor::builder().build(),
            counts: state::new(genesis.clone(), true),
            times: state::new(genesis, false),
        })
    }

    /// The benchmarks there are.
    pub fn list(&self) -> Result<Vec<BenchmarkList>, Error> {
        const FUNCTION: &str = "Benchmark_benchmark_metadata";
        let (list, _): (Vec<BenchmarkList>, Vec<StorageInfo>) =
            self.call(&self.times, FUNCTION, &false.encode())?;
        Ok(list)
    }

    /// Runs one. Counting takes time, so times are only taken where nothing is counted.
    pub fn run(&self, config: &BenchmarkConfig, counts: bool) -> Result<Vec<BenchmarkBatch>, Error> {
        const FUNCTION: &str = "Benchmark_dispatch_benchmark";
        let state = if counts { &self.counts } else { &self.times };
        let ran: Result<Vec<BenchmarkBatch>, String> = self.call(state, FUNCTION, &config.encode())?;
        ran.map_err(|why| {
            let name = String::from_utf8_lossy(&config.benchmark).into_owned();
            Error::Benchmark(name, why)
        })
    }

    fn call<Answer: Decode>(
        &self,
        state: &State,
        function: &'static str,
        arguments: &[u8],
    ) -> Result<Answer, Error> {
        let code = RuntimeCode {
            code_fetcher: &WrappedRuntimeCode(self.wasm.as_slice().into()),
            heap_pages: None,
            hash: b"measured".to_vec(),
        };
        let mut overlay = OverlayedChanges::<BlakeTwo256>::default();
        let mut extensions = state::extensions();
        let answer = StateMachine::new(
            state,
            &mut overlay,
            &self.executor,
            function,
            arguments,
            &mut extensions,
            &code,
            CallContext::Offchain,
        )
        .execute()
        .map_err(|error| Error::Call(function, error.to_string()))?;
        Answer::decode(&mut answer.as_slice()).map_err(|_| Error::Undecodable(function))
    }
}
