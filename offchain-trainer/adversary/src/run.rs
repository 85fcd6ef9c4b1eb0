//! The adversary at work: joins, does its duties with a cheat by turns from round to round, and serves what it claims.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    io::{self, Write},
    str::FromStr,
    sync::Arc,
};

use hydra_blobs::BlobStore;
use hydra_engine::{Engine, EngineConfig, EngineError};
use hydra_network::{Keypair, Multiaddr, Network, NetworkConfig, NetworkError, peer_id_bytes};
use hydra_primitives::{
    Balance, BlobRef, H256, HYDRA, ModelId, RoundNumber,
    duty::{Duty, DutyResult, DutySheet, ModelDescription, ModelDuties, Standing, Task},
    node::{MIN_ANCHOR_DEPTH, Registration},
    poll::{Opening, PollId, digest},
    proposal::{Claim, PlaceKey, proposal_poll},
    task::PlaceIndex,
};
use hydra_trainer::{database::Database, depot::Depot, import::import, models::Model, weights::Weights};
use serde_json::{Value, json};
use subxt_signer::{SecretUri, sr25519};

use crate::{
    Options,
    chain::{Chain, ChainError},
    cheats::Cheat,
    error::RunError,
    work::Workshop,
};

/// So many heads in a row may bring no answer of the node before it is given up.
const UNANSWERED: u32 = 5;
/// Its data-plane identity follows from its account: a test network has no secrets.
const IDENTITY: &str = "hydraai 2026 adversary identity v1";
/// Bytes a second that [`Cheat::Trickle`] serves.
const TRICKLE: u32 = 1024;
/// How much deeper than it has to be the block is that it registers with.
const DEEPER: u32 = 4;

struct Adversary {
    chain: Chain,
    keypair: Keypair,
    stake: u32,
    engine: Engine,
    depot: Arc<Depot>,
    store: Arc<BlobStore>,
    weights: Weights,
    cheats: Vec<Cheat>,
    descriptions: HashMap<H256, Arc<ModelDescription>>,
    /// Rounds in which it owed something.
    rounds: HashSet<(ModelId, RoundNumber)>,
    /// What is given already, or kept back for good.
    over: BTreeSet<Owed>,
    /// What it said, or would have said, of polls.
    said: HashMap<PollId, Opening>,
}

/// Something that is owed once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Owed {
    Place(PlaceKey),
    Digest(PollId),
    Opening(PollId),
}

/// Takes part until `--rounds` rounds with duties of its own are over, or for ever.
///
/// # Errors
/// [`RunError`].
pub async fn run(options: Options) -> Result<(), RunError> {
    let suri = SecretUri::from_str(&options.suri).map_err(|error| RunError::Suri(error.to_string()))?;
    let signer = sr25519::Keypair::from_uri(&suri).map_err(|error| RunError::Suri(error.to_string()))?;
    let chain = Chain::connect(&options.url, signer).await?;
    let store = Arc::new(BlobStore::open(options.base_path.join("blobs"))?);
    let database = Arc::new(Database::open(&options.base_path)?);
    import(&store, &database, &options.dataset)?;
    let keypair = Keypair::ed25519_from_bytes(blake3::derive_key(IDENTITY, &chain.account()))
        .map_err(|error| NetworkError::Transport(error.to_string()))?;
    let mut config = NetworkConfig::new(keypair.clone());
    // It is for tests, and leaves the router alone.
    config.reach.port_mapping = false;
    if options.cheats.contains(&Cheat::Trickle) {
        config.limits.pace = Some(TRICKLE);
    }
    let everywhere: Multiaddr = format!("/ip4/0.0.0.0/tcp/{}", options.p2p_port)
        .parse()
        .unwrap_or_else(|_| Multiaddr::empty());
    config.listen = vec![everywhere];
    config.bootstrap = options.bootstrap;
    let network = Network::start(config, store.clone()).await?;
    let peer_id = peer_id_bytes(network.local_peer_id());
    let depot = Arc::new(Depot::new(store.clone(), network.clone(), database));

    let mut heads = chain.new_heads().await?;
    let mut patience = Patience::default();
    let mut adversary = Adversary {
        chain,
        keypair,
        stake: options.stake,
        engine: Engine::new(EngineConfig::default()),
        weights: Weights::new(depot.clone()),
        depot,
        store,
        cheats: options.cheats,
        descriptions: HashMap::new(),
        rounds: HashSet::new(),
        over: BTreeSet::new(),
        said: HashMap::new(),
    };
    let name = network.local_peer_id().to_string();
    while heads.next().await.is_some() {
        let turn = adversary.turn(&peer_id, &name, options.rounds).await;
        // What was not done is done at a later head, if the standing then still demands it.
        if patience.bears(turn)? {
            network.shutdown().await;
            return say(json!({ "event": "ended", "rounds": adversary.rounds.len() }));
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
    /// Does what the standing at the newest head demands; returns whether enough rounds are over.
    async fn turn(&mut self, peer_id: &[u8], name: &str, rounds: Option<u32>) -> Result<bool, RunError> {
        match self.chain.duty_sheet().await? {
            None => self.register(peer_id, name).await?,
            Some(sheet) if sheet.standing == Standing::Unstaked => self.bond().await?,
            Some(sheet) => {
                if rounds.is_some_and(|rounds| self.rounds_over(&sheet) >= rounds as usize) {
                    return Ok(true);
                }
                self.act(&sheet).await?;
            }
        }
        Ok(false)
    }

    async fn register(&self, peer_id: &[u8], name: &str) -> Result<(), RunError> {
        let depth = MIN_ANCHOR_DEPTH.saturating_add(DEEPER);
        let anchor = self.chain.best_number().await?.saturating_sub(depth);
        let (genesis, hash) = (
            self.chain.block_hash(0).await?,
            self.chain.block_hash(anchor).await?,
        );
        let (account, peer) = (self.chain.account(), peer_id.to_vec());
        let (keypair, difficulty) = (self.keypair.clone(), self.chain.work_difficulty().await?);
        let proved = tokio::task::spawn_blocking(move || {
            let registration = Registration {
                genesis,
                anchor: hash,
                account,
                peer_id: &peer,
            };
            let signed = keypair.sign(registration.to_sign().as_bytes());
            (signed, registration.find_nonce(difficulty))
        });
        let (signed, nonce) = proved.await.map_err(|_| RunError::Stopped)?;
        let signature = signed.map_err(|error| RunError::Identity(error.to_string()))?;
        let signature = <[u8; 64]>::try_from(signature)
            .map_err(|_| RunError::Identity("its signature is of another kind".into()))?;
        let bond = HYDRA.saturating_mul(Balance::from(self.stake));
        self.chain
            .register(peer_id, anchor, signature, nonce, bond)
            .await?;
        let account = hex(&self.chain.account());
        say(json!({ "event": "registered", "account": account, "peer_id": name, "hydra": self.stake }))
    }

    async fn bond(&self) -> Result<(), RunError> {
        self.chain.bond(HYDRA).await?;
        say(json!({ "event": "bonded", "hydra": 1 }))
    }

    /// Rounds that are over in which it owed something.
    fn rounds_over(&self, sheet: &DutySheet) -> usize {
        let over = |(model, round): &&(ModelId, RoundNumber)| {
            sheet
                .models
                .iter()
                .any(|duties| duties.model == *model && duties.round > *round)
        };
        self.rounds.iter().filter(over).count()
    }

    async fn act(&mut self, sheet: &DutySheet) -> Result<(), RunError> {
        if let Some(session) = sheet.heartbeat {
            self.chain.give(&[DutyResult::Heartbeat { session }]).await?;
        }
        for duties in &sheet.models {
            if duties.duties.is_empty() {
                continue;
            }
            let model = self.model(duties.clone()).await?;
            self.rounds.insert((duties.model, duties.round));
            let turn = (duties.round as usize)
                .checked_rem(self.cheats.len())
                .unwrap_or(0);
            let Some(cheat) = self.cheats.get(turn).copied() else {
                continue;
            };
            for duty in &duties.duties {
                let event = |event: &str| json!({ "event": event, "model": duties.model, "round": duties.round, "cheat": cheat.to_string() });
                match self.do_duty(sheet, &model, duty, cheat).await {
                    Ok(None) => {}
                    Ok(Some((did, what))) => {
                        let mut event = event(did);
                        event["what"] = Value::String(format!("{what:?}"));
                        say(event)?;
                    }
                    // The round may have gone on meanwhile, or the version may not be there yet: there is a next block.
                    Err(error @ (RunError::Chain(ChainError::Refused { .. }) | RunError::Weights(_))) => {
                        let mut event = event("refused");
                        event["duty"] = Value::String(kind(duty).into());
                        event["reason"] = Value::String(error.to_string());
                        say(event)?;
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// The model of these duties, with its description.
    async fn model(&mut self, duties: ModelDuties) -> Result<Arc<Model>, RunError> {
        let id = duties.description;
        if let Some(known) = self.descriptions.get(&id) {
            return Ok(Arc::new(Model::new(duties, known.clone())));
        }
        let description = self.chain.description(duties.model).await?;
        let description = Arc::new(description.ok_or(RunError::NoModel(duties.model))?);
        self.descriptions.insert(id, description.clone());
        Ok(Arc::new(Model::new(duties, description)))
    }

    /// Does a duty in its way; returns what was done and the hash that names it, `None` if there is nothing to do any more.
    async fn do_duty(
        &mut self,
        sheet: &DutySheet,
        model: &Arc<Model>,
        duty: &Duty,
        cheat: Cheat,
    ) -> Result<Option<(&'static str, H256)>, RunError> {
        match duty {
            Duty::Train { place, task } => self.propose(sheet, model, *place, task, cheat).await,
            Duty::Verify {
                poll, task, claim, ..
            } => {
                self.give_digest(sheet, model, *poll, Some((task, *claim)), cheat)
                    .await
            }
            Duty::Attest { poll, .. } => self.give_digest(sheet, model, *poll, None, cheat).await,
            Duty::Open { poll, draw, .. } => {
                let owed = Owed::Opening(*poll);
                let Some(said) = self.said.get(poll).filter(|_| !self.over.contains(&owed)) else {
                    return Ok(None);
                };
                let opening = cheat.open(*said);
                let result = DutyResult::Open {
                    poll: *poll,
                    draw: *draw,
                    opening,
                };
                self.over.insert(owed);
                self.chain.give(&[result]).await?;
                Ok(Some(("opened", *poll)))
            }
        }
    }

    async fn propose(
        &mut self,
        sheet: &DutySheet,
        model: &Arc<Model>,
        place: PlaceIndex,
        task: &Task,
        cheat: Cheat,
    ) -> Result<Option<(&'static str, H256)>, RunError> {
        let key = PlaceKey {
            model: model.duties.model,
            round: model.duties.round,
            place,
        };
        if self.over.contains(&Owed::Place(key)) {
            return Ok(None);
        }
        let prepared = self.workshop(sheet, model).prepare(task).await?;
        let (base, store) = (prepared.base.hash, self.store.clone());
        let made = tokio::task::spawn_blocking(move || {
            let mut honest = None;
            let train = || {
                let trained = prepared.train()?;
                honest = Some(trained.opening());
                Ok::<_, EngineError>(trained.update)
            };
            let update = cheat.propose(prepared.parameters(), train)?;
            let update = update.map(|update| update.encode());
            if let Some(bytes) = &update {
                store.put(bytes)?;
            }
            Ok::<_, RunError>((update.map(|bytes| BlobRef::of(&bytes)), honest))
        });
        let (update, honest) = made.await.map_err(|_| RunError::Stopped)??;
        let Some(update) = update else {
            self.over.insert(Owed::Place(key));
            return Ok(Some(("silent", task.task_seed)));
        };
        let claim = Claim { base, update };
        let account = self.chain.account();
        let poll = proposal_poll(&sheet.genesis, &key, &account, &task.task_seed, &claim);
        if let Some(honest) = honest {
            self.said.insert(poll, honest);
        }
        let result = DutyResult::Propose {
            key,
            task_seed: task.task_seed,
            claim,
        };
        self.chain.give(&[result]).await?;
        self.over.insert(Owed::Place(key));
        Ok(Some(("proposed", update.hash)))
    }

    /// Says what it found of a poll: of somebody's task and claim, or of the newest version.
    async fn give_digest(
        &mut self,
        sheet: &DutySheet,
        model: &Arc<Model>,
        poll: PollId,
        of: Option<(&Task, H256)>,
        cheat: Cheat,
    ) -> Result<Option<(&'static str, H256)>, RunError> {
        if self.over.contains(&Owed::Digest(poll)) {
            return Ok(None);
        }
        let claim = of.map(|(_, claim)| claim);
        // Only what is needed is computed: a cheat that makes it up never asks.
        let said = match cheat.say(claim, || Err(())) {
            Ok(said) => said,
            Err(()) => Some(self.compute(sheet, model, of.map(|(task, _)| task)).await?),
        };
        let Some(said) = said else {
            self.over.insert(Owed::Digest(poll));
            return Ok(Some(("silent", poll)));
        };
        let account = self.chain.account();
        let digest = digest(&poll, &said.finding.result(), &said.witness, &account);
        self.chain.give(&[DutyResult::Digest { poll, digest }]).await?;
        self.said.insert(poll, said);
        self.over.insert(Owed::Digest(poll));
        Ok(Some(("said", poll)))
    }

    /// What is right, of a task or of the newest version.
    async fn compute(
        &self,
        sheet: &DutySheet,
        model: &Arc<Model>,
        task: Option<&Task>,
    ) -> Result<Opening, RunError> {
        let workshop = self.workshop(sheet, model);
        let Some(task) = task else {
            return workshop.measure().await;
        };
        let prepared = workshop.prepare(task).await?;
        let trained = tokio::task::spawn_blocking(move || prepared.train()).await;
        Ok(trained.map_err(|_| RunError::Stopped)??.opening())
    }

    fn workshop<'a>(&'a self, sheet: &DutySheet, model: &'a Arc<Model>) -> Workshop<'a> {
        Workshop {
            engine: &self.engine,
            depot: &self.depot,
            weights: &self.weights,
            genesis: sheet.genesis,
            model,
        }
    }
}

/// What a duty is, in a word.
fn kind(duty: &Duty) -> &'static str {
    match duty {
        Duty::Train { .. } => "train",
        Duty::Verify { .. } => "verify",
        Duty::Attest { .. } => "attest",
        Duty::Open { .. } => "open",
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
