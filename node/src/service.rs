//! Puts the node's parts together: client, pool, network, BABE, GRANDPA, JSON-RPC and the off-chain worker.

use crate::{error::Error, keys, rpc, trainer_link, trainer_link::TrainerSettings};
use futures::FutureExt;
use hydra_runtime::{BlockNumber, Hash, apis::RuntimeApi, opaque::Block};
use sc_client_api::{Backend as _, BlockBackend};
use sc_consensus_babe::{BabeBlockImport, BabeLink, BabeWorkerHandle, SlotProportion};
use sc_consensus_grandpa::{
    FinalityProofProvider, GrandpaBlockImport, LinkHalf, SharedVoterState, VotingRulesBuilder, warp_proof,
};
use sc_consensus_slots::BackoffAuthoringOnFinalizedHeadLagging;
use sc_network::NetworkBackend;
use sc_service::{Configuration, TaskManager, WarpSyncConfig, error::Error as ServiceError};
use sc_telemetry::{Telemetry, TelemetryWorker};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_consensus_babe::inherents::{BabeCreateInherentDataProviders, InherentDataProvider as SlotProvider};
use std::{sync::Arc, time::Duration};

pub type Client =
    sc_service::TFullClient<Block, RuntimeApi, sc_executor::WasmExecutor<sp_io::SubstrateHostFunctions>>;
pub type Backend = sc_service::TFullBackend<Block>;
pub type Pool = sc_transaction_pool::TransactionPoolHandle<Block, Client>;
pub type SelectChain = sc_consensus::LongestChain<Backend, Block>;
type GrandpaImport = GrandpaBlockImport<Backend, Block, Client, SelectChain>;
type BlockImport =
    BabeBlockImport<Block, Client, GrandpaImport, BabeCreateInherentDataProviders<Block>, SelectChain>;

/// A stored proof of finality at least this often: what a light client's or warp sync's checkpoint rests on.
const JUSTIFICATION_PERIOD: BlockNumber = 32;
/// How long a finality vote may take to get round among home connections.
const GOSSIP_DURATION: Duration = Duration::from_millis(333);

/// Everything that both a running node and the commands on a stored chain need.
pub struct Parts {
    pub client: Arc<Client>,
    pub backend: Arc<Backend>,
    pub import_queue: sc_consensus::DefaultImportQueue<Block>,
    pub task_manager: TaskManager,
    keystore: sc_service::KeystoreContainer,
    select_chain: SelectChain,
    pool: Arc<Pool>,
    block_import: BlockImport,
    babe_link: BabeLink<Block>,
    babe_worker: BabeWorkerHandle<Block>,
    grandpa_link: LinkHalf<Block, Client, SelectChain>,
    inherents: BabeCreateInherentDataProviders<Block>,
    telemetry: Option<Telemetry>,
}

/// Opens the stored chain.
pub fn parts(config: &Configuration) -> Result<Parts, ServiceError> {
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

/// Starts a node with the network implementation `N`.
pub fn start<N: NetworkBackend<Block, Hash>>(
    config: Configuration,
    trainer: TrainerSettings,
) -> Result<TaskManager, Error> {
    let Parts {
        client,
        backend,
        import_queue,
        mut task_manager,
        keystore,
        select_chain,
        pool,
        block_import,
        babe_link,
        babe_worker,
        grandpa_link,
        inherents,
        mut telemetry,
    } = parts(&config)?;

    keys::provide_trainer_key(&*keystore.keystore(), trainer.suri.as_deref())?;
    if let Some(mut storage) = backend.offchain_storage() {
        trainer_link::publish(&mut storage, trainer.link.as_ref());
    }

    let genesis = client
        .block_hash(0)
        .map_err(ServiceError::from)?
        .unwrap_or_default();
    let grandpa_name = sc_consensus_grandpa::protocol_standard_name(&genesis, &config.chain_spec);
    let metrics = N::register_notification_metrics(config.prometheus_registry());
    let mut net_config = sc_network::config::FullNetworkConfiguration::<Block, Hash, N>::new(
        &config.network,
        config.prometheus_registry().cloned(),
    );
    let (grandpa_protocol, grandpa_notifications) = sc_consensus_grandpa::grandpa_peers_set_config::<Block, N>(
        grandpa_name.clone(),
        metrics.clone(),
        net_config.peer_store_handle(),
    );
    net_config.add_notification_protocol(grandpa_protocol);

    let warp_sync = Arc::new(warp_proof::NetworkProvider::new(
        backend.clone(),
        grandpa_link.shared_authority_set().clone(),
        Vec::new(),
    ));
    let (network, system_rpc_tx, tx_handler_controller, sync_service, _) =
        sc_service::build_network(sc_service::BuildNetworkParams {
            config: &config,
            net_config,
            client: client.clone(),
            transaction_pool: pool.clone(),
            spawn_handle: task_manager.spawn_handle(),
            spawn_essential_handle: task_manager.spawn_essential_handle(),
            import_queue,
            block_announce_validator_builder: None,
            warp_sync_config: Some(WarpSyncConfig::WithProvider(warp_sync)),
            block_relay: None,
            metrics,
            gap_sync_body_policy: None,
        })?;

    if config.offchain_worker.enabled {
        let workers = sc_offchain::OffchainWorkers::new(sc_offchain::OffchainWorkerOptions {
            runtime_api_provider: client.clone(),
            is_validator: config.role.is_authority(),
            keystore: Some(keystore.keystore()),
            offchain_db: backend.offchain_storage(),
            transaction_pool: Some(OffchainTransactionPoolFactory::new(pool.clone())),
            network_provider: Arc::new(network.clone()),
            enable_http_requests: true,
            custom_extensions: |_| Vec::new(),
        });
        match workers {
            Ok(workers) => task_manager.spawn_handle().spawn(
                "offchain-workers-runner",
                "offchain-worker",
                workers.run(client.clone(), task_manager.spawn_handle()).boxed(),
            ),
            // Its HTTP client wants the system's CA certificates even for the trainer on this machine.
            Err(error) => log::warn!(
                "the off-chain worker can't start ({error}), so this node neither trains nor votes: install the CA \
                 certificates (apt-get install ca-certificates) and start it again"
            ),
        }
    } else {
        log::warn!("the off-chain worker is off: this node neither trains nor votes");
    }

    let role = config.role;
    let name = config.network.node_name.clone();
    let force_authoring = config.force_authoring;
    let votes_on_finality = !config.disable_grandpa;
    let registry = config.prometheus_registry().cloned();
    let voter_state = SharedVoterState::empty();

    let rpc = rpc::Dependencies {
        client: client.clone(),
        pool: pool.clone(),
        select_chain: select_chain.clone(),
        chain_spec: config.chain_spec.cloned_box(),
        keystore: keystore.keystore(),
        babe_worker,
        grandpa_voter_state: voter_state.clone(),
        grandpa_authorities: grandpa_link.shared_authority_set().clone(),
        grandpa_justifications: grandpa_link.justification_stream(),
        finality_proofs: FinalityProofProvider::new_for_service(
            backend.clone(),
            Some(grandpa_link.shared_authority_set().clone()),
        ),
    };
    sc_service::spawn_tasks(sc_service::SpawnTasksParams {
        network: Arc::new(network.clone()),
        client: client.clone(),
        keystore: keystore.keystore(),
        task_manager: &mut task_manager,
        transaction_pool: pool.clone(),
        rpc_builder: Box::new(move |executor| rpc.module(executor).map_err(ServiceError::Application)),
        backend,
        system_rpc_tx,
        tx_handler_controller,
        sync_service: sync_service.clone(),
        config,
        telemetry: telemetry.as_mut(),
        tracing_execute_block: None,
    })?;
    let telemetry_handle = || telemetry.as_ref().map(Telemetry::handle);

    if role.is_authority() {
        let proposer = sc_basic_authorship::ProposerFactory::new(
            task_manager.spawn_handle(),
            client.clone(),
            pool.clone(),
            registry.as_ref(),
            telemetry_handle(),
        );
        let babe = sc_consensus_babe::start_babe(sc_consensus_babe::BabeParams {
            keystore: keystore.keystore(),
            client,
            select_chain,
            env: proposer,
            block_import,
            sync_oracle: sync_service.clone(),
            justification_sync_link: sync_service.clone(),
            create_inherent_data_providers: inherents,
            force_authoring,
            // When finality lags far behind, fewer blocks give it a chance to catch up.
            backoff_authoring_blocks: Some(BackoffAuthoringOnFinalizedHeadLagging::default()),
            babe_link,
            block_proposal_slot_portion: SlotProportion::new(0.5),
            max_block_proposal_slot_portion: None,
            telemetry: telemetry_handle(),
        })
        .map_err(ServiceError::from)?;
        task_manager
            .spawn_essential_handle()
            .spawn_blocking("babe-proposer", Some("block-authoring"), babe);
    }

    if votes_on_finality {
        let voter = sc_consensus_grandpa::run_grandpa_voter(sc_consensus_grandpa::GrandpaParams {
            config: sc_consensus_grandpa::Config {
                gossip_duration: GOSSIP_DURATION,
                justification_generation_period: JUSTIFICATION_PERIOD,
                name: Some(name),
                observer_enabled: false,
                // Others follow the votes, too, but must not look for a key to vote with.
                keystore: role.is_authority().then(|| keystore.keystore()),
                local_role: role,
                telemetry: telemetry_handle(),
                protocol_name: grandpa_name,
            },
            link: grandpa_link,
            network,
            sync: sync_service,
            notification_service: grandpa_notifications,
            voting_rule: VotingRulesBuilder::default().build(),
            prometheus_registry: registry,
            shared_voter_state: voter_state,
            telemetry: telemetry_handle(),
            offchain_tx_pool_factory: OffchainTransactionPoolFactory::new(pool),
        })
        .map_err(ServiceError::from)?;
        task_manager
            .spawn_essential_handle()
            .spawn_blocking("grandpa-voter", None, voter);
    }

    Ok(task_manager)
}
