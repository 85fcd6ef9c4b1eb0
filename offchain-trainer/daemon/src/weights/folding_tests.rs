use super::*;
use crate::database::Database;
use hydra_blobs::BlobStore;
use hydra_network::{Network, NetworkConfig, NetworkHandle, data_plane_keypair};
use hydra_primitives::{
    digits::{DIGITS_INITIAL_WEIGHTS, digits_manifest, digits_spec},
    duty::{AcceptedUpdate, ConfirmedWeights, ModelDescription, ModelDuties},
    status::Phase,
};
use hydra_update::{GlobalState, Update, Weights as Values, count_samples, digits, fold};
use std::fs;
use tempfile::TempDir;

const GENESIS: H256 = H256::repeat_byte(7);

/// A PC's disk, its connections, and the weights that it has.
struct Pc {
    _folder: TempDir,
    store: Arc<BlobStore>,
    network: NetworkHandle,
    weights: Weights,
}

impl Pc {
    async fn start(number: u8) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(BlobStore::open(folder.path().join("blobs")).unwrap());
        let config = NetworkConfig {
            listen: vec!["/ip4/127.0.0.1/tcp/0".parse().unwrap()],
            ..NetworkConfig::new(data_plane_keypair(&[number; 32]))
        };
        let network = Network::start(config, store.clone()).await.unwrap();
        let database = Arc::new(Database::open(folder.path()).unwrap());
        let depot = Depot::new(store.clone(), network.clone(), database);
        Self {
            _folder: folder,
            store,
            network,
            weights: Weights::new(Arc::new(depot)),
        }
    }

    /// Has all that the new version is made of.
    fn put_all(&self, story: &Story) {
        for blob in story.shards.iter().chain(&story.updates) {
            self.store.put(blob).unwrap();
        }
    }

    fn damage(&self, hash: H256, how: impl FnOnce(&mut Vec<u8>)) {
        let path = self.store.path(hash);
        let mut bytes = fs::read(&path).unwrap();
        how(&mut bytes);
        fs::write(path, bytes).unwrap();
    }

    async fn newest(&self, story: &Story) -> Result<Named, WeightsError> {
        self.weights
            .newest(GENESIS, &story.model, &StageCell::default())
            .await
    }
}

/// Three accepted updates of version 0, and what they make.
struct Story {
    shards: Vec<Vec<u8>>,
    updates: Vec<Vec<u8>>,
    model: Model,
    next: GlobalState,
}

impl Story {
    /// Of which these have everything.
    fn new(providers: &[&Pc]) -> Self {
        let (spec, dataset) = (digits_spec(), digits::import(digits::BUNDLED).unwrap());
        let providers: Vec<Vec<u8>> = providers
            .iter()
            .map(|pc| pc.network.local_peer_id().to_bytes())
            .collect();
        let base = GlobalState::initial(&spec);
        let (mut accepted, mut updates, mut weighted) = (Vec::new(), Vec::new(), Vec::new());
        for shard in 0u16..3 {
            let trained = base.weights.as_slice().iter();
            let trained = trained.map(|w| w * (1.1 + f32::from(shard)) + 0.01).collect();
            let update = Update::between(&base.weights, &Values::new(trained)).unwrap();
            let samples = count_samples(&dataset.manifest.kind, &dataset.shards[usize::from(shard)]).unwrap();
            accepted.push(AcceptedUpdate {
                place: shard,
                update: BlobRef::of(&update.encode()),
                shard: shard.into(),
                providers: providers.clone(),
            });
            updates.push(update.encode());
            weighted.push((update, samples));
        }
        let description = ModelDescription {
            model: 0,
            spec: spec.clone(),
            dataset: digits_manifest(),
        };
        let duties = ModelDuties {
            model: 0,
            description: description.id(),
            round: 1,
            phase: Phase::Train,
            phase_ends_at: 100,
            confirmed: ConfirmedWeights {
                version: 0,
                weights: DIGITS_INITIAL_WEIGHTS,
                providers,
            },
            newest: Some(VersionRecipe {
                version: 1,
                base: DIGITS_INITIAL_WEIGHTS,
                updates: accepted,
            }),
            duties: vec![],
        };
        Self {
            shards: dataset.shards[..3].to_vec(),
            updates,
            model: Model::new(duties, Arc::new(description)),
            next: fold(&spec, &base, &weighted).unwrap(),
        }
    }

    /// The new version's name.
    fn name(&self) -> H256 {
        self.next.hash(&digits_spec())
    }

    fn update(&self, index: usize) -> H256 {
        BlobRef::of(&self.updates[index]).hash
    }

    /// The network found the new version's weights.
    fn confirmed(&self) -> Model {
        let mut model = self.model.clone();
        model.duties.newest = None;
        model.duties.confirmed.version = 1;
        model.duties.confirmed.weights = self.name();
        model
    }
}

/// Two connected PCs, of which the second has everything and provides it.
async fn two() -> (Pc, Pc, Story) {
    let (here, there) = (Pc::start(1).await, Pc::start(2).await);
    let story = Story::new(&[&there]);
    there.put_all(&story);
    let address = there.network.listen_addresses().remove(0);
    here.network.dial(address).await.unwrap();
    (here, there, story)
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_folded_to_the_bits_of_updates_in_memory_and_stored_when_the_network_has_confirmed_them() {
    let here = Pc::start(1).await;
    let story = Story::new(&[]);
    here.put_all(&story);
    let newest = here.newest(&story).await.unwrap();
    assert_eq!(newest.hash, story.name());
    assert!(*newest.state == story.next);
    assert!(!here.store.has(story.name()), "it would be served");
    let held = here
        .weights
        .hold(GENESIS, &story.confirmed(), &StageCell::default())
        .await
        .unwrap();
    assert_eq!((held.version, held.weights.hash), (1, story.name()));
    let stored = here.store.get(story.name(), u64::MAX).unwrap().unwrap();
    assert_eq!(stored, story.next.encode(&digits_spec()));
}

/// All the ways in which files that were fetched, and whole then, may have changed since.
#[tokio::test(flavor = "multi_thread")]
async fn updates_that_are_damaged_on_disk_are_fetched_again_and_never_folded() {
    let (here, _there, story) = two().await;
    here.put_all(&story);
    here.damage(story.update(0), |bytes| *bytes.last_mut().unwrap() ^= 1);
    here.damage(story.update(1), |bytes| bytes[0] ^= 1);
    here.damage(story.update(2), |bytes| bytes.truncate(1000));
    let newest = here.newest(&story).await.unwrap();
    assert_eq!(newest.hash, story.name());
    assert!(*newest.state == story.next);
    for index in 0..3 {
        assert!(here.store.verify(story.update(index)).unwrap());
    }
    assert!(!here.store.has(story.name()));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_damaged_update_that_nobody_else_has_nothing_is_made() {
    let here = Pc::start(1).await;
    let story = Story::new(&[]);
    here.put_all(&story);
    here.damage(story.update(1), |bytes| bytes[1234] ^= 0x10);
    let error = here.newest(&story).await.unwrap_err();
    assert!(
        matches!(
            error,
            WeightsError::Blob {
                what: UPDATE,
                source: DepotError::Fetch(_)
            }
        ),
        "{error}"
    );
    assert!(!here.store.has(story.update(1)), "it is moved aside");
    // It comes back.
    here.store.put(&story.updates[1]).unwrap();
    assert_eq!(here.newest(&story).await.unwrap().hash, story.name());
}

#[tokio::test(flavor = "multi_thread")]
async fn confirmed_weights_that_are_damaged_on_disk_are_fetched_again() {
    let (here, there, story) = two().await;
    let bytes = story.next.encode(&digits_spec());
    for pc in [&here, &there] {
        pc.store.put(&bytes).unwrap();
    }
    here.damage(story.name(), |bytes| bytes[20_000] ^= 4);
    let held = here
        .weights
        .hold(GENESIS, &story.confirmed(), &StageCell::default())
        .await
        .unwrap();
    assert!(*held.weights.state == story.next);
    assert!(here.store.verify(story.name()).unwrap());
}
