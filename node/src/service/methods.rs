//! The JSON-RPC methods that aren't part of every node: nonces, fees, BABE, GRANDPA, light-client checkpoints and the clock.
//! (`author`, `chain`, `state`, `chainHead` and the like come with the service.)

use hydra_node::{
    clock::Clock,
    types::{Backend, Client, Pool, SelectChain},
};
use hydra_runtime::{BlockNumber, Hash, opaque::Block};
use jsonrpsee::RpcModule;
use pallet_transaction_payment_rpc::{TransactionPayment, TransactionPaymentApiServer};
use sc_consensus_babe::BabeWorkerHandle;
use sc_consensus_babe_rpc::{Babe, BabeApiServer};
use sc_consensus_grandpa::{
    FinalityProofProvider, GrandpaJustificationStream, SharedAuthoritySet, SharedVoterState,
};
use sc_consensus_grandpa_rpc::{Grandpa, GrandpaApiServer};
use sc_rpc::SubscriptionTaskExecutor;
use sc_sync_state_rpc::{SyncState, SyncStateApiServer};
use sp_keystore::KeystorePtr;
use std::{error::Error, sync::Arc};
use substrate_frame_rpc_system::{System, SystemApiServer};

/// What the methods need.
pub struct Dependencies {
    pub client: Arc<Client>,
    pub clock: Arc<Clock>,
    pub pool: Arc<Pool>,
    pub select_chain: SelectChain,
    pub chain_spec: Box<dyn sc_chain_spec::ChainSpec>,
    pub keystore: KeystorePtr,
    pub babe_worker: BabeWorkerHandle<Block>,
    pub grandpa_voter_state: SharedVoterState,
    pub grandpa_authorities: SharedAuthoritySet<Hash, BlockNumber>,
    pub grandpa_justifications: GrandpaJustificationStream<Block>,
    pub finality_proofs: Arc<FinalityProofProvider<Backend, Block>>,
}

impl Dependencies {
    /// The methods, ready to be served.
    pub fn module(
        &self,
        executor: SubscriptionTaskExecutor,
    ) -> Result<RpcModule<()>, Box<dyn Error + Send + Sync>> {
        let mut module = RpcModule::new(());
        module.merge(System::new(self.client.clone(), self.pool.clone()).into_rpc())?;
        let clock = self.clock.clone();
        module.register_method("hydra_clock", move |_, _, _| {
            serde_json::to_value(clock.verdict()).unwrap_or_default()
        })?;
        module.merge(TransactionPayment::new(self.client.clone()).into_rpc())?;
        module.merge(
            Babe::new(
                self.client.clone(),
                self.babe_worker.clone(),
                self.keystore.clone(),
                self.select_chain.clone(),
            )
            .into_rpc(),
        )?;
        module.merge(
            Grandpa::new(
                executor,
                self.grandpa_authorities.clone(),
                self.grandpa_voter_state.clone(),
                self.grandpa_justifications.clone(),
                self.finality_proofs.clone(),
            )
            .into_rpc(),
        )?;
        module.merge(
            SyncState::new(
                self.chain_spec.cloned_box(),
                self.client.clone(),
                self.grandpa_authorities.clone(),
                self.babe_worker.clone(),
            )?
            .into_rpc(),
        )?;
        Ok(module)
    }
}
