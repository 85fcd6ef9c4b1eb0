//! The versions of the models that this PC has.
//!
//! A confirmed version is had by its hash: from memory, from disk, or from those who found the same. A version that isn't
//! confirmed yet is folded here from its base and the accepted updates, and only in memory: what this trainer's store has it
//! serves, and nobody may get from others what they are asked to compute. Files of weights and updates are read and written little
//! by little, so that the weights themselves are all that is in memory. Must never hand out weights under a hash that they
//! don't have, nor store weights before the network confirmed them, nor use a file before all of it is what its name says.

mod folding;
mod updates;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
};

use hydra_network::Priority;
use hydra_primitives::{BlobRef, H256, ModelId, Version, duty::ModelDuties, model::ModelSpec};
use hydra_update::{GlobalState, ReadError, expected_size};
use tokio::sync::Semaphore;

use crate::{
    database::{Kind, Tag},
    depot::{Depot, DepotError, peers},
    lock,
    models::Model,
    stage::{Stage, StageCell},
};

/// How often files are fetched and read: what is found damaged is fetched again, once. A disk that damages it again doesn't get better.
const TRIES: usize = 2;

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
    /// The newest version is asked about, and it is the confirmed one.
    #[error("there is no version that isn't confirmed: the network has gone on meanwhile")]
    NothingNewer,
}

/// Weights with their name.
#[derive(Clone, Debug)]
pub struct Named {
    /// BLAKE3 of the file.
    pub hash: H256,
    /// The weights and the aggregator's state.
    pub state: Arc<GlobalState>,
}

impl Named {
    /// Whether they still have their name: a bit in memory may have flipped.
    pub fn is_intact(&self, spec: &ModelSpec) -> bool {
        self.state.hash(spec) == self.hash
    }
}

/// Weights that the network confirmed.
#[derive(Clone, Debug)]
pub struct Held {
    /// The version.
    pub version: Version,
    /// Its weights.
    pub weights: Named,
}

#[derive(Debug, Default)]
struct Cache {
    states: HashMap<(ModelId, H256), Arc<GlobalState>>,
    /// What recipes came to.
    folded: HashMap<(ModelId, H256), H256>,
    confirmed: HashMap<ModelId, Held>,
}

/// The weights of all models.
pub struct Weights {
    depot: Arc<Depot>,
    /// Also the folds', which put in what they come to, whoever still waits for it.
    cache: Arc<Mutex<Cache>>,
    /// One fold at a time per model, so that nothing is folded twice.
    folding: Mutex<HashMap<ModelId, Arc<tokio::sync::Mutex<()>>>>,
    /// One at a time of all models: each has its updates open.
    one_fold: Arc<Semaphore>,
}

impl Weights {
    /// Nothing in memory yet.
    pub fn new(depot: Arc<Depot>) -> Self {
        Self {
            depot,
            cache: Arc::default(),
            folding: Mutex::default(),
            one_fold: Arc::new(Semaphore::new(1)),
        }
    }

    /// Forgets everything in memory: it isn't what it was, or the chain is another one. What is on disk is checked when it is
    /// read.
    pub fn forget(&self) {
        *lock(&self.cache) = Cache::default();
    }

    /// The newest confirmed version of a model that is held: what people are answered with.
    pub fn held(&self, model: ModelId) -> Option<Held> {
        lock(&self.cache).confirmed.get(&model).cloned()
    }

    /// Sees to it that the confirmed version is in memory, and in the store, from which it is served.
    ///
    /// # Errors
    /// [`WeightsError`]; trying again later may succeed.
    pub async fn hold(&self, genesis: H256, model: &Model, stage: &StageCell) -> Result<Held, WeightsError> {
        let confirmed = &model.duties.confirmed;
        let weights = self.named(genesis, model, confirmed.weights, stage).await?;
        let blob = file(model.spec(), weights.hash);
        if !self.depot.has(blob.hash) {
            // It was folded here, and may now be known.
            let (spec, state, tag) = (model.spec().clone(), weights.state.clone(), tag(genesis, model));
            // A bit that flipped since would be served as what it isn't: then it is not stored.
            let stored = self
                .depot
                .blocking(move |depot| store(depot, &state, &spec, blob.hash, tag));
            let what = "the confirmed version";
            if !stored
                .await
                .map_err(|source| WeightsError::Blob { what, source })?
            {
                return Err(WeightsError::Damaged);
            }
        }
        let held = Held {
            version: confirmed.version,
            weights,
        };
        let mut cache = lock(&self.cache);
        cache.confirmed.insert(model.duties.model, held.clone());
        cache.tidy(&model.duties);
        Ok(held)
    }

    /// The weights to start from: those with this hash, or the newest version's.
    ///
    /// # Errors
    /// [`WeightsError`].
    pub async fn base(
        &self,
        genesis: H256,
        model: &Model,
        base: Option<H256>,
        stage: &StageCell,
    ) -> Result<Named, WeightsError> {
        match base {
            Some(hash) => self.named(genesis, model, hash, stage).await,
            None => self.newest(genesis, model, stage).await,
        }
    }

    /// The newest version, which isn't confirmed: from memory, or folded.
    ///
    /// # Errors
    /// [`WeightsError`].
    pub async fn newest(
        &self,
        genesis: H256,
        model: &Model,
        stage: &StageCell,
    ) -> Result<Named, WeightsError> {
        let recipe = model.duties.newest.as_ref().ok_or(WeightsError::NothingNewer)?;
        let id = (model.duties.model, recipe.id());
        let gate = lock(&self.folding).entry(model.duties.model).or_default().clone();
        let _gate = gate.lock().await;
        if let Some(known) = lock(&self.cache).known(id) {
            return Ok(known);
        }
        let folded = self.fold(genesis, model, recipe, stage).await?;
        lock(&self.cache).tidy(&model.duties);
        Ok(folded)
    }

    /// The confirmed weights with this hash: from memory, from disk, or fetched; the initial ones are made.
    async fn named(
        &self,
        genesis: H256,
        model: &Model,
        hash: H256,
        stage: &StageCell,
    ) -> Result<Named, WeightsError> {
        let duties = &model.duties;
        if let Some(state) = self.cached(duties.model, hash) {
            return Ok(Named { hash, state });
        }
        let confirmed = &duties.confirmed;
        let state = if confirmed.version == 0 && hash == confirmed.weights {
            self.initial(genesis, model, hash).await?
        } else {
            self.read(genesis, model, hash, stage).await?
        };
        let state = lock(&self.cache)
            .states
            .entry((duties.model, hash))
            .or_insert_with(|| Arc::new(state))
            .clone();
        Ok(Named { hash, state })
    }

    /// The confirmed weights with this hash, from disk or fetched.
    async fn read(
        &self,
        genesis: H256,
        model: &Model,
        hash: H256,
        stage: &StageCell,
    ) -> Result<GlobalState, WeightsError> {
        stage.set(Stage::Fetching, "weights");
        let what = "the weights that the network confirmed";
        let missing = |source| WeightsError::Blob { what, source };
        let (blob, tag) = (file(model.spec(), hash), tag(genesis, model));
        for _ in 0..TRIES {
            let providers = peers(&model.duties.confirmed.providers);
            let fetched = self
                .depot
                .fetch(blob, providers, Some(tag), Priority::Version)
                .await;
            fetched.map_err(missing)?;
            let spec = model.spec().clone();
            let read = self.depot.blocking(move |depot| {
                let opened = depot.open_unverified(hash)?;
                Ok(opened.map(|file| GlobalState::read(&spec, file, hash)))
            });
            match read.await.map_err(missing)? {
                Some(Ok(state)) => return Ok(state),
                Some(Err(ReadError::State(error))) => {
                    let detail = error.to_string();
                    return Err(WeightsError::Undecodable { what, detail });
                }
                Some(Err(ReadError::Io(source))) => return Err(missing(self.depot.cant_read(hash, source))),
                Some(Err(ReadError::Damaged)) | None => {
                    self.depot.look_again(vec![hash]).await.map_err(missing)?;
                }
            }
        }
        Err(missing(DepotError::Damaged { hash }))
    }

    async fn initial(&self, genesis: H256, model: &Model, named: H256) -> Result<GlobalState, WeightsError> {
        let (spec, tag) = (model.spec().clone(), tag(genesis, model));
        let made = self.depot.blocking(move |depot| {
            let state = GlobalState::initial(&spec);
            let computed = state.hash(&spec);
            let stored = computed != named || store(depot, &state, &spec, named, tag)?;
            Ok((computed, stored, state))
        });
        let what = "the initial weights";
        let (computed, stored, state) = made.await.map_err(|source| WeightsError::Blob { what, source })?;
        if computed != named {
            return Err(WeightsError::WrongInitial { named, computed });
        }
        if !stored {
            return Err(WeightsError::Damaged);
        }
        Ok(state)
    }

    fn cached(&self, model: ModelId, hash: H256) -> Option<Arc<GlobalState>> {
        lock(&self.cache).states.get(&(model, hash)).cloned()
    }
}

impl Cache {
    /// What a recipe came to, if that is still here.
    fn known(&self, id: (ModelId, H256)) -> Option<Named> {
        let hash = *self.folded.get(&id)?;
        let state = self.states.get(&(id.0, hash))?.clone();
        Some(Named { hash, state })
    }

    /// A recipe came to this.
    fn keep(&mut self, id: (ModelId, H256), version: &Named) {
        self.folded.insert(id, version.hash);
        self.states.insert((id.0, version.hash), version.state.clone());
    }

    /// Keeps in memory what is in use: the confirmed version, the one that answers, and the newest one.
    fn tidy(&mut self, duties: &ModelDuties) {
        let Self {
            states,
            folded,
            confirmed,
        } = self;
        let (model, newest) = (duties.model, duties.newest.as_ref());
        let current = newest.map(|recipe| (model, recipe.id()));
        let answering = confirmed.get(&model).map(|held| held.weights.hash);
        let found = current.and_then(|id| folded.get(&id).copied());
        let base = newest.map(|recipe| recipe.base);
        let used = [Some(duties.confirmed.weights), answering, found, base];
        states.retain(|(of, hash), _| *of != model || used.contains(&Some(*hash)));
        folded.retain(|id, hash| id.0 != model || Some(*id) == current || used.contains(&Some(*hash)));
    }
}

/// Everything that the model's versions are named by or folded from.
pub fn needed(duties: &ModelDuties) -> HashSet<H256> {
    let newest = duties.newest.iter();
    let folded = newest.flat_map(|recipe| {
        let updates = recipe.updates.iter().map(|accepted| accepted.update.hash);
        updates.chain([recipe.base])
    });
    folded.chain([duties.confirmed.weights]).collect()
}

/// The reference to a version's file.
pub fn file(spec: &ModelSpec, hash: H256) -> BlobRef {
    BlobRef {
        hash,
        size: expected_size(spec),
    }
}

/// Stores weights that the network confirmed; `false` if they don't have this name any more.
fn store(
    depot: &Depot,
    state: &GlobalState,
    spec: &ModelSpec,
    name: H256,
    tag: Tag,
) -> Result<bool, DepotError> {
    depot.put_written_blocking(name, tag, |to| {
        state.each_piece(spec, |piece| to.write_all(piece))
    })
}

fn tag(genesis: H256, model: &Model) -> Tag {
    Tag {
        genesis,
        model: model.duties.model,
        kind: Kind::Weights,
        number: model.duties.confirmed.version,
    }
}
