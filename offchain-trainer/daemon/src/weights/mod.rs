//! The versions of the models that this PC has.
//!
//! A version is folded here from its base and the accepted updates, like everyone else does it; only when that can't be
//! done, or the network confirmed something else, it is fetched by the confirmed hash. An accepted update that nobody
//! serves is made again from public inputs, if this PC was asked to verify it. Must never hand out weights under
//! a hash that they don't have.

mod updates;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
};

use hydra_primitives::{
    AccountBytes, BlobRef, H256, ModelId, Version, content_hash,
    duty::{ModelDuties, VerifyDuty, VersionRecipe},
    model::ModelSpec,
};
use hydra_update::{GlobalState, expected_size, fold};

use crate::{
    depot::{Depot, DepotError, peers},
    ledger::{Kind, Tag},
    lock,
    stage::{Stage, StageCell},
    torch::Torch,
};

/// Rounds that tasks are remembered for.
const REMEMBERED_ROUNDS: u32 = 3;

/// Why a version's weights can't be had.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// A blob is missing.
    #[error("{what} can't be had: {source}")]
    Blob {
        /// Which.
        what: &'static str,
        /// Why.
        source: DepotError,
    },
    /// The chain's initial weights are not those of its own spec.
    #[error(
        "the initial weights that the chain names ({named:?}) are not those of the model's spec ({computed:?}): node \
         and trainer are of different releases"
    )]
    WrongInitial {
        /// What the chain says.
        named: H256,
        /// What the spec gives.
        computed: H256,
    },
    /// A bit in memory has flipped since.
    #[error(
        "the weights in this PC's memory are not what was put there, so they are read from disk again: check its memory (run \
         a memory test)"
    )]
    Damaged,
    /// A blob has the right hash and the wrong content.
    #[error(
        "{what} does not decode ({detail}): the network agreed on something that this trainer can't read; update it"
    )]
    Undecodable {
        /// Which.
        what: &'static str,
        /// Why.
        detail: String,
    },
}

/// Weights in memory, with their name.
#[derive(Clone, Debug)]
pub struct Held {
    /// The version.
    pub version: Version,
    /// BLAKE3 of the file.
    pub hash: H256,
    /// The weights and the aggregator's state.
    pub state: Arc<GlobalState>,
}

#[derive(Debug, Default)]
struct Cache {
    states: HashMap<(ModelId, H256), Arc<GlobalState>>,
    /// What recipes came to.
    folded: HashMap<(ModelId, H256), H256>,
    newest: HashMap<ModelId, Held>,
    confirmed: HashMap<ModelId, Held>,
}

/// How an update can be made again.
#[derive(Clone, Debug)]
struct Remembered {
    duty: VerifyDuty,
    /// How many workers that has cost.
    lost: u32,
}

/// Whose update of which model, by its hash.
type TaskId = (ModelId, AccountBytes, H256);

/// The weights of all models.
pub struct Weights {
    depot: Arc<Depot>,
    torch: Option<Torch>,
    /// The tasks behind updates, as far as this PC was asked to verify them.
    tasks: Mutex<HashMap<TaskId, Remembered>>,
    cache: Mutex<Cache>,
    /// One at a time per model, so that nothing is fetched or folded twice.
    gates: Mutex<HashMap<ModelId, Arc<tokio::sync::Mutex<()>>>>,
}

impl Weights {
    /// Nothing in memory yet, and no engine to make missing updates again.
    pub fn new(depot: Arc<Depot>) -> Self {
        Self {
            depot,
            torch: None,
            tasks: Mutex::default(),
            cache: Mutex::default(),
            gates: Mutex::default(),
        }
    }

    /// As [`new`](Self::new); what nobody serves is made again by this engine.
    pub(crate) fn with_engine(depot: Arc<Depot>, torch: Torch) -> Self {
        Self {
            torch: Some(torch),
            ..Self::new(depot)
        }
    }

    /// Remembers how a proposal's update can be made again.
    pub(crate) fn remember_task(&self, duty: &VerifyDuty) {
        let mut tasks = lock(&self.tasks);
        let (model, round) = (duty.key.model, duty.key.round);
        let over = |old: &VerifyDuty| {
            old.key.model == model && old.key.round.saturating_add(REMEMBERED_ROUNDS) < round
        };
        tasks.retain(|_, old| !over(&old.duty));
        let id = (model, duty.key.proposer, duty.proposal.update.hash);
        let duty = duty.clone();
        tasks.insert(id, Remembered { duty, lost: 0 });
    }

    /// Forgets the weights in memory: they are not what they were. What is on disk is checked when it is read.
    pub(crate) fn forget_damaged(&self) {
        *lock(&self.cache) = Cache::default();
    }

    /// Forgets everything in memory: the chain is another one.
    pub fn forget(&self) {
        *lock(&self.cache) = Cache::default();
        lock(&self.tasks).clear();
    }

    /// The newest version of a model that is held.
    pub fn newest_held(&self, model: ModelId) -> Option<Held> {
        lock(&self.cache).newest.get(&model).cloned()
    }

    /// The newest confirmed version of a model that is held: what people are answered with.
    pub fn confirmed_held(&self, model: ModelId) -> Option<Held> {
        lock(&self.cache).confirmed.get(&model).cloned()
    }

    /// The newest version's weights: from memory, from disk, folded, or fetched.
    ///
    /// # Errors
    /// [`WeightsError`]; trying again later may succeed.
    pub async fn newest(
        &self,
        genesis: H256,
        duties: &ModelDuties,
        stage: &StageCell,
    ) -> Result<Held, WeightsError> {
        let gate = lock(&self.gates).entry(duties.model).or_default().clone();
        let _gate = gate.lock().await;
        let recipe = &duties.version;
        let (hash, state) = self.make(genesis, duties, stage).await?;
        let held = Held {
            version: recipe.version,
            hash,
            state,
        };
        self.remember(duties, &held);
        if recipe.weights.is_none() && self.confirmed_held(duties.model).is_none() {
            self.hold_previous(genesis, duties, stage).await;
        }
        Ok(held)
    }

    /// The weights with this hash: from memory, from disk, or fetched.
    ///
    /// # Errors
    /// [`WeightsError`].
    pub async fn by_hash(
        &self,
        genesis: H256,
        duties: &ModelDuties,
        hash: H256,
        stage: &StageCell,
    ) -> Result<Arc<GlobalState>, WeightsError> {
        if let Some(state) = self.local(duties, hash).await? {
            return Ok(state);
        }
        stage.set(Stage::Fetching, "weights");
        let what = "the weights that the network confirmed";
        let bytes = self.depot.get(
            file(&duties.spec, hash),
            peers(&duties.providers),
            Some(tag(genesis, duties)),
        );
        let bytes = bytes
            .await
            .map_err(|source| WeightsError::Blob { what, source })?;
        let state = decode(&duties.spec, &bytes, what)?;
        Ok(self.keep(duties.model, hash, state))
    }

    async fn make(
        &self,
        genesis: H256,
        duties: &ModelDuties,
        stage: &StageCell,
    ) -> Result<(H256, Arc<GlobalState>), WeightsError> {
        let recipe = &duties.version;
        if recipe.version == 0 {
            let named = recipe.weights.unwrap_or(recipe.base);
            return Ok((named, self.initial(genesis, duties, named).await?));
        }
        if let Some(hash) = recipe.weights {
            if let Some(state) = self.local(duties, hash).await? {
                return Ok((hash, state));
            }
            // Without the base, folding would fetch as much as the result has.
            if self.local(duties, recipe.base).await?.is_none() {
                return Ok((hash, self.by_hash(genesis, duties, hash, stage).await?));
            }
        }
        let folded = self.folded(genesis, duties, stage).await;
        match (folded, recipe.weights) {
            (Ok(folded), None) => Ok(folded),
            (Ok((hash, state)), Some(confirmed)) if hash == confirmed => Ok((hash, state)),
            (Err(error), None) => Err(error),
            (_, Some(confirmed)) => Ok((confirmed, self.by_hash(genesis, duties, confirmed, stage).await?)),
        }
    }

    async fn initial(
        &self,
        genesis: H256,
        duties: &ModelDuties,
        named: H256,
    ) -> Result<Arc<GlobalState>, WeightsError> {
        if let Some(state) = self.cached(duties.model, named) {
            return Ok(state);
        }
        let (spec, tag) = (duties.spec.clone(), tag(genesis, duties));
        let made = self.depot.blocking(move |depot| {
            let state = GlobalState::initial(&spec);
            let bytes = state.encode(&spec);
            let hash = content_hash(&bytes);
            if hash == named {
                depot.put_blocking(&bytes, tag)?;
            }
            Ok((hash, state))
        });
        let what = "the initial weights";
        let (computed, state) = made.await.map_err(|source| WeightsError::Blob { what, source })?;
        if computed != named {
            return Err(WeightsError::WrongInitial { named, computed });
        }
        Ok(self.keep(duties.model, named, state))
    }

    async fn folded(
        &self,
        genesis: H256,
        duties: &ModelDuties,
        stage: &StageCell,
    ) -> Result<(H256, Arc<GlobalState>), WeightsError> {
        let id = (duties.model, duties.version.id());
        let known = lock(&self.cache).folded.get(&id).copied();
        if let Some(hash) = known
            && let Some(state) = self.local(duties, hash).await?
        {
            return Ok((hash, state));
        }
        let base = self.base(genesis, duties, stage).await?;
        let updates = self.updates(genesis, duties, &base, stage).await?;
        stage.set(Stage::Folding, "the accepted updates");
        let (spec, tag) = (duties.spec.clone(), tag(genesis, duties));
        let (what, named) = ("the new version", duties.version.base);
        let done = self.depot.blocking(move |depot| {
            // A bit that flipped since would make this PC attest what nobody else has.
            if base.hash(&spec) != named {
                return Ok(Err(WeightsError::Damaged));
            }
            let state = match fold(&spec, &base, &updates) {
                Ok(state) => state,
                Err(error) => {
                    let detail = error.to_string();
                    return Ok(Err(WeightsError::Undecodable { what, detail }));
                }
            };
            let hash = depot.put_blocking(&state.encode(&spec), tag)?;
            Ok(Ok((hash, state)))
        });
        let done = done.await.map_err(|source| WeightsError::Blob { what, source })?;
        let (hash, state) = done?;
        lock(&self.cache).folded.insert(id, hash);
        Ok((hash, self.keep(duties.model, hash, state)))
    }

    async fn base(
        &self,
        genesis: H256,
        duties: &ModelDuties,
        stage: &StageCell,
    ) -> Result<Arc<GlobalState>, WeightsError> {
        let hash = duties.version.base;
        if duties.version.version == 1 {
            // Nobody needs to be asked for what the spec says.
            if let Ok(state) = self.initial(genesis, duties, hash).await {
                return Ok(state);
            }
        }
        self.by_hash(genesis, duties, hash, stage).await
    }

    /// After a start in the middle of a confirmation, people are answered with the version before.
    async fn hold_previous(&self, genesis: H256, duties: &ModelDuties, stage: &StageCell) {
        let recipe: &VersionRecipe = &duties.version;
        if let Ok(state) = self.base(genesis, duties, stage).await {
            let held = Held {
                version: recipe.version.saturating_sub(1),
                hash: recipe.base,
                state,
            };
            lock(&self.cache).confirmed.entry(duties.model).or_insert(held);
        }
    }

    async fn local(
        &self,
        duties: &ModelDuties,
        hash: H256,
    ) -> Result<Option<Arc<GlobalState>>, WeightsError> {
        if let Some(state) = self.cached(duties.model, hash) {
            return Ok(Some(state));
        }
        let what = "the weights on disk";
        let bytes = self.depot.local(file(&duties.spec, hash)).await;
        let Some(bytes) = bytes.map_err(|source| WeightsError::Blob { what, source })? else {
            return Ok(None);
        };
        let state = decode(&duties.spec, &bytes, what)?;
        Ok(Some(self.keep(duties.model, hash, state)))
    }

    fn cached(&self, model: ModelId, hash: H256) -> Option<Arc<GlobalState>> {
        lock(&self.cache).states.get(&(model, hash)).cloned()
    }

    fn keep(&self, model: ModelId, hash: H256, state: GlobalState) -> Arc<GlobalState> {
        lock(&self.cache)
            .states
            .entry((model, hash))
            .or_insert_with(|| Arc::new(state))
            .clone()
    }

    /// Keeps in memory what is in use: the newest version, its base, and the newest confirmed one.
    fn remember(&self, duties: &ModelDuties, held: &Held) {
        let mut cache = lock(&self.cache);
        let Cache {
            states,
            folded,
            newest,
            confirmed,
        } = &mut *cache;
        newest.insert(duties.model, held.clone());
        if duties.version.weights == Some(held.hash) || held.version == 0 {
            confirmed.insert(duties.model, held.clone());
        }
        let answering = confirmed.get(&duties.model).map(|held| held.hash);
        let used = HashSet::from([Some(held.hash), Some(duties.version.base), answering]);
        states.retain(|(model, hash), _| *model != duties.model || used.contains(&Some(*hash)));
        let current = duties.version.id();
        folded.retain(|(model, recipe), _| *model != duties.model || *recipe == current);
    }
}

/// Everything that the newest version is named by or folded from.
pub fn needed(duties: &ModelDuties) -> HashSet<H256> {
    let recipe = &duties.version;
    let updates = recipe.updates.iter().map(|accepted| accepted.update.hash);
    updates.chain(recipe.weights).chain([recipe.base]).collect()
}

/// The reference to a version's file.
pub fn file(spec: &ModelSpec, hash: H256) -> BlobRef {
    BlobRef {
        hash,
        size: expected_size(spec),
    }
}

fn tag(genesis: H256, duties: &ModelDuties) -> Tag {
    Tag {
        genesis,
        model: duties.model,
        kind: Kind::Weights,
        number: duties.version.version,
    }
}

fn decode(spec: &ModelSpec, bytes: &[u8], what: &'static str) -> Result<GlobalState, WeightsError> {
    GlobalState::decode(spec, bytes).map_err(|error| WeightsError::Undecodable {
        what,
        detail: error.to_string(),
    })
}
