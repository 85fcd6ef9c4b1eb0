//! Brings data sets from folders into the blob store, so that this PC can train on them and serve them to others.
//!
//! Must never change a file of the data set, nor take one of the same name for the one that a network was founded with.

use std::path::{Path, PathBuf};

use hydra_blobs::{BlobError, BlobStore};
use hydra_datasets::{DatasetFolder, FolderError};
use hydra_primitives::{H256, content_hash, dataset::DatasetManifest};

use crate::database::{Database, DatabaseError, Purpose};

/// Why a folder can't be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// There is no data set in it, or it can't be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The blobs can't be stored.
    #[error(transparent)]
    Store(#[from] BlobError),
    /// It can't be recorded that they are to stay.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// What was imported.
#[derive(Debug)]
pub struct Imported {
    /// Its folder.
    pub folder: PathBuf,
    /// The data set's name.
    pub name: String,
    /// Its blobs: the shards, then the validation set.
    pub blobs: Vec<H256>,
}

/// Imports the data set in `folder`, whose blobs stay from now on. Blocks.
///
/// # Errors
/// [`ImportError`].
pub fn import(store: &BlobStore, database: &Database, folder: &Path) -> Result<Imported, ImportError> {
    let dataset = DatasetFolder::open(folder)?;
    let mut blobs = Vec::new();
    dataset.each_file(|bytes| {
        let hash = content_hash(bytes);
        match database.note(hash, Purpose::DataSet) {
            // One that is here may be used all the same.
            Err(error) if !(error.is_full() && store.has(hash)) => return Err(error.into()),
            _ => {}
        }
        blobs.push(store.put(bytes)?);
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        database.stored(hash, Purpose::DataSet, size);
        Ok::<(), ImportError>(())
    })?;
    Ok(Imported {
        folder: folder.into(),
        name: dataset.name(),
        blobs,
    })
}

impl Imported {
    /// What is wrong if a network's data set of this name is another one, and isn't here: who was to send it to the others
    /// hasn't got it, and nobody may be able to train.
    pub fn complaint<'a>(
        &self,
        founded: impl IntoIterator<Item = &'a DatasetManifest>,
        is_stored: impl Fn(H256) -> bool,
    ) -> Option<String> {
        let mut others = founded.into_iter().filter(|manifest| {
            manifest.name.as_slice() == self.name.as_bytes()
                && !blobs(manifest).eq(self.blobs.iter().copied())
        });
        others
            .any(|manifest| blobs(manifest).any(|hash| !is_stored(hash)))
            .then(|| {
                format!(
                    "the data set in {} isn't the {:?} that the network was founded with: make its files what they were then, or \
                     leave it out so that the data comes from other PCs, and start again",
                    self.folder.display(),
                    self.name
                )
            })
    }
}

/// A data set's blobs: the shards, then the validation set.
fn blobs(manifest: &DatasetManifest) -> impl Iterator<Item = H256> {
    let blobs = manifest.shards.iter().chain([&manifest.validation]);
    blobs.map(|blob| blob.hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydra_primitives::dataset::DatasetKind;
    use hydra_update::{digits, encode_shard};
    use std::fs;

    fn hashes(manifest: &DatasetManifest) -> Vec<H256> {
        blobs(manifest).collect()
    }

    fn opened(base: &Path) -> (BlobStore, Database) {
        let store = BlobStore::open(base.join("blobs")).unwrap();
        (store, Database::open(base).unwrap())
    }

    #[test]
    fn the_digits_are_there_afterwards_and_an_empty_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (store, database) = opened(folder.path());
        let error = import(&store, &database, folder.path()).unwrap_err();
        assert!(error.to_string().contains("digits.csv.gz"), "{error}");
        fs::write(folder.path().join("digits.csv.gz"), digits::BUNDLED).unwrap();
        let imported = import(&store, &database, folder.path()).unwrap();
        let expected = hashes(&hydra_primitives::digits::digits_manifest());
        assert_eq!(imported.blobs, expected);
        assert!(expected.iter().all(|hash| store.has(*hash)));
    }

    #[test]
    fn a_data_set_of_one_s_own_is_there_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let kind = DatasetKind::Images {
            height: 1,
            width: 2,
            channels: 1,
            classes: 2,
            max_value: 9,
        };
        let description = serde_json::json!({
            "name": "Dots", "kind": &kind, "shards": ["a.safetensors"], "validation": "v.safetensors",
        });
        fs::write(folder.path().join("dataset.json"), description.to_string()).unwrap();
        for (name, label) in [("a.safetensors", 0), ("v.safetensors", 1)] {
            fs::write(
                folder.path().join(name),
                encode_shard(&kind, &[0, 9], &[label]).unwrap(),
            )
            .unwrap();
        }
        let (store, database) = opened(folder.path());
        let imported = import(&store, &database, folder.path()).unwrap();
        let manifest = DatasetFolder::open(folder.path()).unwrap().manifest().unwrap();
        assert_eq!(
            (imported.name.as_str(), &imported.blobs),
            ("Dots", &hashes(&manifest))
        );
        assert!(imported.blobs.iter().all(|hash| store.has(*hash)));

        // The network was founded with it; with another one of its name, of which a file is missing; with one of another name.
        let has = |hash: H256| store.has(hash);
        assert_eq!(imported.complaint([&manifest], has), None);
        let mut other = manifest.clone();
        other.validation.hash = H256::repeat_byte(1);
        let said = imported.complaint([&manifest, &other], has).unwrap();
        let place = folder.path().display().to_string();
        assert!(
            said.contains(&place) && said.contains("isn't the \"Dots\""),
            "{said}"
        );
        assert_eq!(imported.complaint([&other], |_| true), None);
        other.name = b"Lines".to_vec().try_into().unwrap();
        assert_eq!(imported.complaint([&other], has), None);
    }
}
