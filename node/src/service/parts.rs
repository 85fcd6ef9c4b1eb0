//! The parts that a running node and the commands on a stored chain both need: client, pool, import queue, consensus.

use hydra_node::types::{Backend, Client, Pool, SelectChain};
use hydra_runtime::{BlockNumber, Hash, apis::RuntimeApi, opaque::Block};
use sc_consensus_babe::{BabeBlockImport, BabeLink, BabeWorkerHandle};
use sc_consensus_grandpa::{GrandpaBlockImport, LinkHalf};
use sc_service::{Configuration, TaskManager, error::Error as ServiceError};
use sc_telemetry::{Telemetry, TelemetryWorker};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_consensus_babe::{
    SlotDuration,
    inherents::{BabeCreateInherentDataProviders, InherentDataProvider as SlotProvider},
};
use std::sync::Arc;

type GrandpaImport = GrandpaBlockImport<Backend, Block, Client, SelectChain>;
pub type BlockImport =
    BabeBlockImport<Block, Client, GrandpaImport, BabeCreateInherentDataProviders<Block>, SelectChain>;

/// A stored proof of finality at least this often: what a light client's or warp sync's checkpoint rests on.
pub const JUSTIFICATION_PERIOD: BlockNumber = 32;
/// What is opened.
pub struct Parts {
    pub client: Arc<Client>,
    pub backend: Arc<Backend>,
    pub import_queue: sc_consensus::DefaultImportQueue<Block>,
    pub task_manager: TaskManager,
    pub keystore: sc_service::KeystoreContainer,
    pub select_chain: SelectChain,
    pub pool: Arc<Pool>,
    pub block_import: BlockImport,
    pub babe_link: BabeLink<Block>,
    pub babe_worker: BabeWorkerHandle<Block>,
    pub grandpa_link: LinkHalf<Block, Client, SelectChain>,
    pub slot_duration: SlotDuration,
    pub inherents: BabeCreateInherentDataProviders<Block>,
    pub telemetry: Option<Telemetry>,
}

/// Opens the stored chain.
pub fn open(config: &Configuration) -> Result<Parts, ServiceError> {
    let telemetry = config
        .telemetry_endpoints
        .clone()
        .filter(|endpoints| !endpoints.is_empty())
        .map(|endpoints| -> Result<_, sc_telemetry::Error> {
            let worker = TelemetryWorker::new(16)?;
            let telemetry = worker.handle().new_telemetry(endpoints);
            Ok((worker, telemetry))
        })
        .transpose()?;

    let executor = sc_service::new_wasm_executor(&config.executor);
    let (client, backend, keystore, task_manager) = sc_service::new_full_parts::<Block, RuntimeApi, _>(
        config,
        telemetry.as_ref().map(|(_, telemetry)| telemetry.handle()),
        executor,
        Vec::new(),
    )?;
    let client = Arc::new(client);

    let telemetry = telemetry.map(|(worker, telemetry)| {
        task_manager.spawn_handle().spawn("telemetry", None, worker.run());
        telemetry
    });
    let telemetry_handle = || telemetry.as_ref().map(Telemetry::handle);

    let select_chain = sc_consensus::LongestChain::new(backend.clone());
    let pool = Arc::from(
        sc_transaction_pool::Builder::new(
            task_manager.spawn_essential_handle(),
            client.clone(),
            config.role.is_authority().into(),
        )
        .with_options(config.transaction_pool.clone())
        .with_prometheus(config.prometheus_registry())
        .build(),
    );

    let (grandpa_import, grandpa_link) = sc_consensus_grandpa::block_import(
        client.clone(),
        JUSTIFICATION_PERIOD,
        &client,
        select_chain.clone(),
        telemetry_handle(),
    )?;
    let justification_import = grandpa_import.clone();

    let babe_config = sc_consensus_babe::configuration(&*client)?;
    let slot_duration = babe_config.slot_duration();
    let inherents: BabeCreateInherentDataProviders<Block> = Arc::new(move |_: Hash, ()| async move {
        let time = sp_timestamp::InherentDataProvider::from_system_time();
        Ok((
            SlotProvider::from_timestamp_and_slot_duration(*time, slot_duration),
            time,
        ))
    });
    let (block_import, babe_link) = sc_consensus_babe::block_import(
        babe_config,
        grandpa_import,
        client.clone(),
        inherents.clone(),
        select_chain.clone(),
        OffchainTransactionPoolFactory::new(Arc::clone(&pool)),
    )?;
    let (import_queue, babe_worker) =
        sc_consensus_babe::import_queue(sc_consensus_babe::ImportQueueParams {
            link: babe_link.clone(),
            block_import: block_import.clone(),
            justification_import: Some(Box::new(justification_import)),
            client: client.clone(),
            slot_duration,
            spawner: &task_manager.spawn_essential_handle(),
            registry: config.prometheus_registry(),
            telemetry: telemetry_handle(),
        })?;

    Ok(Parts {
        client,
        backend,
        import_queue,
        task_manager,
        keystore,
        select_chain,
        pool,
        block_import,
        babe_link,
        babe_worker,
        grandpa_link,
        slot_duration,
        inherents,
        telemetry,
    })
}

/// Takes BABE's and GRANDPA's own records back with the blocks they belong to.
pub fn revert_consensus(
    client: Arc<Client>,
    backend: Arc<Backend>,
    blocks: BlockNumber,
) -> Result<(), sc_cli::Error> {
    sc_consensus_babe::revert(client.clone(), backend, blocks)?;
    sc_consensus_grandpa::revert(client, blocks)?;
    Ok(())
}
