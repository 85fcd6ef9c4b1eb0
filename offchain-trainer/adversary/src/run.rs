//! The adversary at work: joins, cheats once per round and model, and serves what its lies name.

use std::{
    collections::HashSet,
    io::{self, Write},
    str::FromStr,
    sync::Arc,
};

use hydra_blobs::{BlobError, BlobStore};
use hydra_engine::{Engine, EngineConfig, EngineError};
use hydra_network::{Keypair, Multiaddr, Network, NetworkConfig, NetworkError, peer_id_bytes};
use hydra_primitives::{
    H256, HYDRA, ModelId, RoundNumber,
    duty::{Duty, DutySheet, ModelDuties, Standing},
    node::find_nonce,
};
use hydra_trainer::{
    depot::{Depot, DepotError, peers},
    import::{ImportError, import},
    status::StageCell,
    weights::{Weights, WeightsError},
};
use serde_json::{Value, json};
use subxt_signer::{SecretUri, sr25519};

use crate::{
    Options,
    chain::{Chain, ChainError},
    cheats::{Cheat, Task, forge},
};

/// Its data-plane identity follows from its account: a test network has no secrets.
const IDENTITY: &str = "hydraai 2026 adversary identity v1";

/// Why it ends.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The account's secret is none.
    #[error("--suri is no secret of an account ({0}): use one such as //Eve")]
    Suri(String),
    /// The chain can't be used.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The data plane can't start.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The blob store can't be used.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// Blobs can't be had.
    #[error(transparent)]
    Depot(#[from] DepotError),
    /// The data set can't be imported.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The base weights can't be had.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The sheet names a shard that isn't there.
    #[error("the data set has no shard {0}")]
    NoShard(u32),
    /// The node ended.
    #[error("the node reports no more blocks: it was stopped")]
    NodeGone,
    /// Standard output is closed.
    #[error("events can't be written: {0}")]
    Output(#[from] io::Error),
    /// The program is ending.
    #[error("stopped")]
    Stopped,
}

struct Adversary {
    chain: Chain,
    engine: Arc<Engine>,
    depot: Arc<Depot>,
    store: Arc<BlobStore>,
    weights: Weights,
    cheats: Vec<Cheat>,
    proposed: HashSet<(ModelId, RoundNumber)>,
}

/// Takes part until `--rounds` of its proposals are settled, or for ever.
///
/// # Errors
/// [`RunError`].
pub async fn run(options: Options) -> Result<(), RunError> {
    let suri = SecretUri::from_str(&options.suri).map_err(|error| RunError::Suri(error.to_string()))?;
    let signer = sr25519::Keypair::from_uri(&suri).map_err(|error| RunError::Suri(error.to_string()))?;
    let chain = Chain::connect(&options.url, signer).await?;
    let store = Arc::new(BlobStore::open(options.base_path.join("blobs"))?);
    import(&store, &options.dataset)?;
    let keypair = Keypair::ed25519_from_bytes(blake3::derive_key(IDENTITY, &chain.account()))
        .map_err(|error| NetworkError::Transport(error.to_string()))?;
    let mut config = NetworkConfig::new(keypair);
    let everywhere: Multiaddr = format!("/ip4/0.0.0.0/tcp/{}", options.p2p_port)
        .parse()
        .unwrap_or_else(|_| Multiaddr::empty());
    config.listen = vec![everywhere];
    config.bootstrap = options.bootstrap;
    let network = Network::start(config, store.clone()).await?;
    let peer_id = peer_id_bytes(network.local_peer_id());
    let depot = Arc::new(Depot::new(
        store.clone(),
        network.clone(),
        options.base_path.join("blobs.ledger"),
    )?);

    let mut heads = chain.new_heads().await?;
    let mut adversary = Adversary {
        chain,
        engine: Arc::new(Engine::new(EngineConfig::default())),
        weights: Weights::new(depot.clone()),
        depot,
        store,
        cheats: options.cheats,
        proposed: HashSet::new(),
    };
    while heads.next().await.is_some() {
        match adversary.chain.duty_sheet().await? {
            None => {
                adversary
                    .register(&peer_id, &network.local_peer_id().to_string())
                    .await?
            }
            Some(sheet) if sheet.standing != Standing::Ready => adversary.bond().await?,
            Some(sheet) => {
                if options
                    .rounds
                    .is_some_and(|rounds| adversary.settled(&sheet) >= rounds as usize)
                {
                    network.shutdown().await;
                    return say(json!({ "event": "ended", "proposed": adversary.proposed.len() }));
                }
                let enough = options
                    .rounds
                    .is_some_and(|rounds| adversary.proposed.len() >= rounds as usize);
                if !enough {
                    adversary.cheat(&sheet).await?;
                }
            }
        }
    }
    Err(RunError::NodeGone)
}

impl Adversary {
    async fn register(&self, peer_id: &[u8], name: &str) -> Result<(), RunError> {
        let (account, peer, difficulty) = (
            self.chain.account(),
            peer_id.to_vec(),
            self.chain.work_difficulty().await?,
        );
        let nonce = tokio::task::spawn_blocking(move || find_nonce(&account, &peer, difficulty)).await;
        self.chain
            .register(peer_id, nonce.map_err(|_| RunError::Stopped)?)
            .await?;
        say(json!({ "event": "registered", "account": hex(&self.chain.account()), "peer_id": name }))
    }

    async fn bond(&self) -> Result<(), RunError> {
        self.chain.bond(HYDRA).await?;
        say(json!({ "event": "bonded", "hydra": 1 }))
    }

    /// Proposals whose rounds are over.
    fn settled(&self, sheet: &DutySheet) -> usize {
        let over = |(model, round): &&(ModelId, RoundNumber)| {
            sheet
                .models
                .iter()
                .any(|duties| duties.model == *model && duties.round > *round)
        };
        self.proposed.iter().filter(over).count()
    }

    async fn cheat(&mut self, sheet: &DutySheet) -> Result<(), RunError> {
        for duties in &sheet.models {
            let (model, round) = (duties.model, duties.round);
            for duty in &duties.duties {
                let Duty::Train { shard, task_seed } = duty else {
                    continue;
                };
                let turn = (round as usize).checked_rem(self.cheats.len()).unwrap_or(0);
                let Some(cheat) = self.cheats.get(turn).copied() else {
                    continue;
                };
                if self.proposed.contains(&(model, round)) {
                    continue;
                }
                let event = |event: &str| json!({ "event": event, "model": model, "round": round, "cheat": cheat.to_string() });
                match self
                    .propose(sheet.genesis, duties, *shard, *task_seed, cheat)
                    .await
                {
                    Ok(update) => {
                        self.proposed.insert((model, round));
                        let mut event = event("proposed");
                        event["update"] = Value::String(format!("{update:?}"));
                        say(event)?;
                    }
                    // The round may have gone on meanwhile, or the version may not be there yet: there is a next block.
                    Err(error @ (RunError::Chain(ChainError::Refused { .. }) | RunError::Weights(_))) => {
                        let mut event = event("refused");
                        event["reason"] = Value::String(error.to_string());
                        say(event)?;
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    async fn propose(
        &self,
        genesis: H256,
        duties: &ModelDuties,
        shard: u32,
        task_seed: H256,
        cheat: Cheat,
    ) -> Result<H256, RunError> {
        let held = self
            .weights
            .newest(genesis, duties, &StageCell::default())
            .await?;
        let blob = duties.dataset.shard(shard).ok_or(RunError::NoShard(shard))?;
        let data = self.depot.get(blob, peers(&duties.providers), None).await?;
        let validation = self
            .depot
            .get(duties.dataset.validation, peers(&duties.providers), None)
            .await?;
        let (engine, store, model) = (self.engine.clone(), self.store.clone(), duties.clone());
        let forged = tokio::task::spawn_blocking(move || {
            let task = Task {
                spec: &model.spec,
                manifest: &model.dataset,
                base: &held.state,
                base_hash: held.hash,
                shard: &data,
                validation: &validation,
                task_seed,
            };
            let forgery = forge(cheat, &engine, &task)?;
            for blob in &forgery.blobs {
                store.put(blob)?;
            }
            Ok::<_, RunError>(forgery.proposal)
        });
        let proposal = forged.await.map_err(|_| RunError::Stopped)??;
        self.chain
            .propose(duties.model, duties.round, task_seed, &proposal)
            .await?;
        Ok(proposal.update.hash)
    }
}

fn hex(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

fn say(event: Value) -> Result<(), RunError> {
    let mut out = io::stdout().lock();
    writeln!(out, "{event}")?;
    out.flush()?;
    Ok(())
}
