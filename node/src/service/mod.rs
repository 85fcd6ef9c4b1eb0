//! Starts a node: puts its parts, the network, JSON-RPC, the off-chain worker and consensus together.

mod consensus;
mod methods;
pub mod parts;

use consensus::{Authoring, Common, Voting};
use futures::{FutureExt, StreamExt};
use hydra_node::{
    account::{self, OneAccount},
    clock::{Clock, Listener},
    database::Newborn,
    error::Error,
    rpc, space,
    trainer_link::{self, TrainerSettings},
    tunnels::Tunnels,
    types::{Client, Pool},
};
use hydra_runtime::{AccountId, Hash, opaque::Block};
use pallet_training_proposals::runtime_api::TrainingApi;
use parts::Parts;
use sc_client_api::{Backend as _, BlockBackend, BlockchainEvents};
use sc_consensus_grandpa::{FinalityProofProvider, SharedVoterState, warp_proof};
use sc_network::{NetworkBackend, config::NonReservedPeerMode, service::traits::NetworkService};
use sc_service::{
    Configuration, TaskManager, WarpSyncConfig,
    config::{KeystoreConfig, RpcEndpoint},
    error::Error as ServiceError,
};
use sc_storage_monitor::StorageMonitorParams;
use sc_telemetry::Telemetry;
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_core::{offchain::OffchainStorage, sr25519};
use sp_keystore::KeystorePtr;
use std::sync::Arc;

/// What the node is given besides Substrate's own configuration.
pub struct Settings {
    pub trainer: TrainerSettings,
    pub space: StorageMonitorParams,
    /// Where JSON-RPC is served.
    pub rpc: Vec<RpcEndpoint>,
}

/// Starts a node with the network implementation `N`.
pub fn start<N: NetworkBackend<Block, Hash>>(
    config: Configuration,
    settings: Settings,
) -> Result<TaskManager, Error> {
    let newborn = match config.database.path() {
        Some(path) => Newborn::look(path)?,
        None => None,
    };
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
        slot_duration,
        inherents,
        mut telemetry,
    } = parts::open(&config)?;
    let Settings {
        trainer,
        space,
        rpc: endpoints,
    } = settings;

    if let Some(newborn) = newborn {
        let mut blocks = client.every_import_notification_stream();
        task_manager
            .spawn_handle()
            .spawn("newborn-database", None, async move {
                if blocks.next().await.is_some() {
                    newborn.grown();
                }
            });
    }
    space::watch(space, config.base_path.path().into(), &task_manager)?;
    let named = account::provide(&*keystore.keystore(), trainer.suri.as_deref())?;
    let account = one_account(&config, keystore.keystore(), named, client.clone());
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

    let clock = Arc::new(Clock::new(client.clone(), slot_duration));
    let listener = Listener::new(clock.clone());
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
            block_announce_validator_builder: Some(Box::new(move |_| Box::new(listener))),
            warp_sync_config: Some(WarpSyncConfig::WithProvider(warp_sync)),
            block_relay: None,
            metrics,
            gap_sync_body_policy: None,
        })?;
    task_manager
        .spawn_handle()
        .spawn("clock", None, clock.clone().watch());

    let peers = &config.network.default_peers_set;
    if let Some(link) = trainer.link.clone()
        && peers.non_reserved_mode == NonReservedPeerMode::Accept
    {
        let reserved = peers.reserved_nodes.iter().map(|node| node.peer_id);
        let tunnels = Tunnels::new(link, network.clone(), sync_service.clone(), reserved);
        task_manager.spawn_handle().spawn("tunnels", None, tunnels.keep());
    }

    if config.offchain_worker.enabled {
        start_offchain_worker(
            &config,
            &task_manager,
            client.clone(),
            pool.clone(),
            account,
            backend.offchain_storage(),
            network.clone(),
        );
    } else {
        log::warn!("the off-chain worker is off: this node neither trains nor votes");
    }

    let voter_state = SharedVoterState::empty();
    let votes_on_finality = !config.disable_grandpa;
    let mut common = Common::new(
        &config,
        client.clone(),
        pool.clone(),
        keystore.keystore(),
        sync_service.clone(),
    );
    let dependencies = methods::Dependencies {
        client: client.clone(),
        clock: clock.clone(),
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
    let logged = config.rpc.request_logger_limit;
    let handlers = sc_service::spawn_tasks(sc_service::SpawnTasksParams {
        network: Arc::new(network.clone()),
        client,
        keystore: keystore.keystore(),
        task_manager: &mut task_manager,
        transaction_pool: pool,
        rpc_builder: Box::new(move |executor| {
            dependencies.module(executor).map_err(ServiceError::Application)
        }),
        backend,
        system_rpc_tx,
        tx_handler_controller,
        sync_service,
        config,
        telemetry: telemetry.as_mut(),
        tracing_execute_block: None,
    })?;
    let server = rpc::Server::start(endpoints, &handlers.handle(), logged, trainer.port)?;
    task_manager.keep_alive(server);

    common.telemetry = telemetry.as_ref().map(Telemetry::handle);
    if common.role.is_authority() {
        let authoring = Authoring {
            select_chain,
            block_import,
            babe_link,
            inherents,
            clock,
        };
        authoring.start(&common, &task_manager)?;
    }
    if votes_on_finality {
        let voting = Voting {
            link: grandpa_link,
            network,
            notifications: grandpa_notifications,
            protocol_name: grandpa_name,
            voter_state,
        };
        voting.start(common, &task_manager)?;
    }
    Ok(task_manager)
}

/// The keystore as the off-chain worker sees it.
fn one_account(
    config: &Configuration,
    keystore: KeystorePtr,
    named: Option<sr25519::Public>,
    client: Arc<Client>,
) -> Arc<OneAccount> {
    let folder = match &config.keystore {
        KeystoreConfig::Path { path, .. } => Some(path.clone()),
        KeystoreConfig::InMemory => None,
    };
    let registered = move |account: &AccountId| {
        let head = client.info().best_hash;
        let status = client.runtime_api().node_status(head, account.clone());
        status.is_ok_and(|status| status.registered)
    };
    let account = Arc::new(OneAccount::new(keystore, named, folder, Box::new(registered)));
    // Says which one it is.
    account.current();
    account
}

fn start_offchain_worker(
    config: &Configuration,
    tasks: &TaskManager,
    client: Arc<Client>,
    pool: Arc<Pool>,
    account: Arc<OneAccount>,
    storage: Option<impl OffchainStorage + 'static>,
    network: Arc<dyn NetworkService>,
) {
    let workers = sc_offchain::OffchainWorkers::new(sc_offchain::OffchainWorkerOptions {
        runtime_api_provider: client.clone(),
        is_validator: config.role.is_authority(),
        keystore: Some(account),
        offchain_db: storage,
        transaction_pool: Some(OffchainTransactionPoolFactory::new(pool)),
        network_provider: Arc::new(network),
        enable_http_requests: true,
        custom_extensions: |_| Vec::new(),
    });
    match workers {
        Ok(workers) => tasks.spawn_handle().spawn(
            "offchain-workers-runner",
            "offchain-worker",
            workers.run(client, tasks.spawn_handle()).boxed(),
        ),
        // Its HTTP client wants the system's CA certificates even for the trainer on this machine.
        Err(error) => log::warn!(
            "the off-chain worker can't start ({error}), so this node neither trains nor votes: install the CA \
             certificates (apt-get install ca-certificates) and start it again"
        ),
    }
}
