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
    stage::StageCell,
    weights::{Weights, WeightsError},
};
use serde_json::{Value, json};
use subxt_signer::{SecretUri, sr25519};

use crate::{
    Options,
    chain::{Chain, ChainError},
    cheats::{Cheat, Task, forge},
};

/// So many heads in a row may bring no answer of the node before it is given up.
const UNANSWERED: u32 = 5;
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
    let mut patience = Patience::default();
    let mut adversary = Adversary {
        chain,
        engine: Arc::new(Engine::new(EngineConfig::default())),
        weights: Weights::new(depot.clone()),
        depot,
        store,
        cheats: options.cheats,
        proposed: HashSet::new(),
    };
    let name = network.local_peer_id().to_string();
    while heads.next().await.is_some() {
        let turn = adversary.turn(&peer_id, &name, options.rounds).await;
        // What was not done is done at a later head, if the standing then still demands it.
        if patience.bears(turn)? {
            network.shutdown().await;
            return say(json!({ "event": "ended", "proposed": adversary.proposed.len() }));
        }
    }
    Err(RunError::NodeGone)
}

/// What the chain may refuse, and how often the node may not answer, before that ends the program.
#[derive(Debug, Default)]
struct Patience {
    /// Heads without an answer since the last one with.
    unanswered: u32,
}

impl Patience {
    /// What a turn came to, or `false` if it failed in a way that a later one may not.
    fn bears(&mut self, turn: Result<bool, RunError>) -> Result<bool, RunError> {
        match turn {
            Err(RunError::Chain(error @ ChainError::Node { .. })) if self.unanswered < UNANSWERED => {
                self.unanswered = self.unanswered.saturating_add(1);
                say(json!({ "event": "unanswered", "reason": error.to_string() }))?;
                Ok(false)
            }
            Err(RunError::Chain(ChainError::Refused { call, reason })) => {
                self.unanswered = 0;
                say(json!({ "event": "refused", "call": call, "reason": reason }))?;
                Ok(false)
            }
            turn => {
                self.unanswered = 0;
                turn
            }
        }
    }
}

impl Adversary {
    /// Does what the standing at the newest head demands; returns whether enough proposals are settled.
    async fn turn(&mut self, peer_id: &[u8], name: &str, rounds: Option<u32>) -> Result<bool, RunError> {
        match self.chain.duty_sheet().await? {
            None => self.register(peer_id, name).await?,
            Some(sheet) if sheet.standing != Standing::Ready => self.bond().await?,
            Some(sheet) => {
                if rounds.is_some_and(|rounds| self.settled(&sheet) >= rounds as usize) {
                    return Ok(true);
                }
                if rounds.is_none_or(|rounds| self.proposed.len() < rounds as usize) {
                    self.cheat(&sheet).await?;
                }
            }
        }
        Ok(false)
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> Result<bool, RunError> {
        Err(RunError::Chain(ChainError::Refused {
            call: "bond",
            reason: "no balance".into(),
        }))
    }

    fn silent() -> Result<bool, RunError> {
        Err(RunError::Chain(ChainError::Node {
            url: "ws://127.0.0.1:1".into(),
            reason: "no answer".into(),
        }))
    }

    #[test]
    fn what_the_chain_refuses_never_ends_it() {
        let mut patience = Patience::default();
        assert!((0..100).all(|_| matches!(patience.bears(refused()), Ok(false))));
        assert!(matches!(patience.bears(Ok(true)), Ok(true)));
    }

    #[test]
    fn a_node_that_does_not_answer_is_given_up_after_a_few_heads_in_a_row() {
        let mut patience = Patience::default();
        for answered in [Ok(false), refused()] {
            assert!((0..UNANSWERED).all(|_| matches!(patience.bears(silent()), Ok(false))));
            assert!(matches!(patience.bears(answered), Ok(false)));
        }
        assert!((0..UNANSWERED).all(|_| matches!(patience.bears(silent()), Ok(false))));
        assert!(patience.bears(silent()).is_err());
    }

    #[test]
    fn errors_of_its_own_end_it_at_once() {
        assert!(Patience::default().bears(Err(RunError::NoShard(3))).is_err());
    }
}
