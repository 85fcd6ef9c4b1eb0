//! What Substrate's generic parts are in this node.

use hydra_runtime::{apis::RuntimeApi, opaque::Block};

/// The chain as this node knows it.
pub type Client =
    sc_service::TFullClient<Block, RuntimeApi, sc_executor::WasmExecutor<sp_io::SubstrateHostFunctions>>;
/// Where it is stored.
pub type Backend = sc_service::TFullBackend<Block>;
/// Transactions that wait for a block.
pub type Pool = sc_transaction_pool::TransactionPoolHandle<Block, Client>;
/// Which branch is followed.
pub type SelectChain = sc_consensus::LongestChain<Backend, Block>;
