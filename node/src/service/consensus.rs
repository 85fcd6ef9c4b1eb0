//! Making blocks (BABE) and making them final (GRANDPA).

use super::parts::{BlockImport, JUSTIFICATION_PERIOD};
use hydra_node::{
    clock::{Clock, Patience},
    types::{Client, Pool, SelectChain},
};
use hydra_runtime::opaque::Block;
use sc_consensus_babe::{BabeLink, SlotProportion};
use sc_consensus_grandpa::{LinkHalf, SharedVoterState, VotingRulesBuilder};
use sc_consensus_slots::BackoffAuthoringOnFinalizedHeadLagging;
use sc_network::{NotificationService, service::traits::NetworkService, types::ProtocolName};
use sc_network_sync::SyncingService;
use sc_service::{Configuration, Role, TaskManager, error::Error as ServiceError};
use sc_telemetry::TelemetryHandle;
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_consensus_babe::inherents::BabeCreateInherentDataProviders;
use sp_keystore::KeystorePtr;
use std::{sync::Arc, time::Duration};
use substrate_prometheus_endpoint::Registry;

/// How long a finality vote may take to get round among home connections.
const GOSSIP_DURATION: Duration = Duration::from_millis(333);

/// What both need.
pub struct Common {
    pub client: Arc<Client>,
    pub pool: Arc<Pool>,
    pub keystore: KeystorePtr,
    pub sync: Arc<SyncingService<Block>>,
    pub role: Role,
    pub name: String,
    pub force_authoring: bool,
    pub registry: Option<Registry>,
    pub telemetry: Option<TelemetryHandle>,
}

impl Common {
    pub fn new(
        config: &Configuration,
        client: Arc<Client>,
        pool: Arc<Pool>,
        keystore: KeystorePtr,
        sync: Arc<SyncingService<Block>>,
    ) -> Self {
        Self {
            client,
            pool,
            keystore,
            sync,
            role: config.role,
            name: config.network.node_name.clone(),
            force_authoring: config.force_authoring,
            registry: config.prometheus_registry().cloned(),
            telemetry: None,
        }
    }
}

/// What BABE needs besides.
pub struct Authoring {
    pub select_chain: SelectChain,
    pub block_import: BlockImport,
    pub babe_link: BabeLink<Block>,
    pub inherents: BabeCreateInherentDataProviders<Block>,
    pub clock: Arc<Clock>,
}

impl Authoring {
    /// Makes blocks in the slots that this node's session keys win.
    pub fn start(self, common: &Common, tasks: &TaskManager) -> Result<(), ServiceError> {
        let proposer = sc_basic_authorship::ProposerFactory::new(
            tasks.spawn_handle(),
            common.client.clone(),
            common.pool.clone(),
            common.registry.as_ref(),
            common.telemetry.clone(),
        );
        let babe = sc_consensus_babe::start_babe(sc_consensus_babe::BabeParams {
            keystore: common.keystore.clone(),
            client: common.client.clone(),
            select_chain: self.select_chain,
            env: proposer,
            block_import: self.block_import,
            sync_oracle: Patience {
                sync: common.sync.clone(),
                clock: self.clock,
            },
            justification_sync_link: common.sync.clone(),
            create_inherent_data_providers: self.inherents,
            force_authoring: common.force_authoring,
            // When finality lags far behind, fewer blocks give it a chance to catch up.
            backoff_authoring_blocks: Some(BackoffAuthoringOnFinalizedHeadLagging::default()),
            babe_link: self.babe_link,
            block_proposal_slot_portion: SlotProportion::new(0.5),
            max_block_proposal_slot_portion: None,
            telemetry: common.telemetry.clone(),
        })?;
        tasks
            .spawn_essential_handle()
            .spawn_blocking("babe-proposer", Some("block-authoring"), babe);
        Ok(())
    }
}

/// What GRANDPA needs besides.
pub struct Voting {
    pub link: LinkHalf<Block, Client, SelectChain>,
    pub network: Arc<dyn NetworkService>,
    pub notifications: Box<dyn NotificationService>,
    pub protocol_name: ProtocolName,
    pub voter_state: SharedVoterState,
}

impl Voting {
    /// Votes on finality with this node's session keys, or only follows the votes.
    pub fn start(self, common: Common, tasks: &TaskManager) -> Result<(), ServiceError> {
        let voter = sc_consensus_grandpa::run_grandpa_voter(sc_consensus_grandpa::GrandpaParams {
            config: sc_consensus_grandpa::Config {
                gossip_duration: GOSSIP_DURATION,
                justification_generation_period: JUSTIFICATION_PERIOD,
                name: Some(common.name),
                observer_enabled: false,
                // Others follow the votes, too, but must not look for a key to vote with.
                keystore: common.role.is_authority().then_some(common.keystore),
                local_role: common.role,
                telemetry: common.telemetry.clone(),
                protocol_name: self.protocol_name,
            },
            link: self.link,
            network: self.network,
            sync: common.sync,
            notification_service: self.notifications,
            voting_rule: VotingRulesBuilder::default().build(),
            prometheus_registry: common.registry,
            shared_voter_state: self.voter_state,
            telemetry: common.telemetry,
            offchain_tx_pool_factory: OffchainTransactionPoolFactory::new(common.pool),
        })?;
        tasks
            .spawn_essential_handle()
            .spawn_blocking("grandpa-voter", None, voter);
        Ok(())
    }
}
