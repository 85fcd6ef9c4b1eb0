//! Data sets in folders, as people keep them: the bundled digits, or a `dataset.json` that names the files of a data set of
//! one's own (`datasets/README.md`). For whoever founds a network, and for the trainer that sends the data to others.
//!
//! Must never change a file of a data set, reach for a file beside its folder, hold more than one file of it in memory, or
//! pass on a file that no trainer would take.
//!
//! Start with [`DatasetFolder`].

mod description;
mod error;

pub use error::FolderError;

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, Read},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use hydra_primitives::{BlobRef, dataset::DatasetManifest, model::MAX_DATA};
use hydra_update::{Dataset, check_shard, digits};
use nix::{errno::Errno, fcntl::OFlag};

use description::Description;

/// Describes a data set of one's own.
pub const DESCRIPTION: &str = "dataset.json";
/// The UCI digits, as they are bundled.
pub const DIGITS: &str = "digits.csv.gz";
/// More than the names of as many shards as there may be.
const MAX_DESCRIPTION: u64 = 1 << 20;
/// More than the digits have; a larger file is something else.
const MAX_DIGITS: u64 = 16 << 20;

/// A folder with a data set in it.
#[derive(Debug)]
pub struct DatasetFolder(Content);

#[derive(Debug)]
enum Content {
    Digits(Dataset),
    Described {
        folder: PathBuf,
        description: Description,
    },
}

/// Whether a folder looks as if it held a data set.
pub fn is_dataset(folder: &Path) -> bool {
    [DESCRIPTION, DIGITS]
        .iter()
        .any(|name| folder.join(name).exists())
}

impl DatasetFolder {
    /// Reads what the folder says of itself.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn open(folder: &Path) -> Result<Self, FolderError> {
        let path = folder.join(DESCRIPTION);
        if let Some(text) = found(read(&path, MAX_DESCRIPTION))? {
            let description =
                Description::read(&text).map_err(|reason| FolderError::Description { path, reason })?;
            let folder = folder.to_path_buf();
            return Ok(Self(Content::Described { folder, description }));
        }
        match found(read(&folder.join(DIGITS), MAX_DIGITS))? {
            Some(bytes) => Ok(Self(Content::Digits(digits::import(&bytes)?))),
            None => Err(FolderError::Nothing {
                folder: folder.into(),
            }),
        }
    }

    /// Its name.
    pub fn name(&self) -> String {
        match &self.0 {
            Content::Digits(dataset) => String::from_utf8_lossy(&dataset.manifest.name).into_owned(),
            Content::Described { description, .. } => description.name.clone(),
        }
    }

    /// Hands over every file, checked, one after the other: the shards, then the validation set.
    ///
    /// # Errors
    /// [`FolderError`], or what `take` says.
    pub fn each_file<E: From<FolderError>>(
        &self,
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        match &self.0 {
            Content::Digits(dataset) => {
                for file in dataset.shards.iter().chain([&dataset.validation]) {
                    take(file)?;
                }
            }
            Content::Described { folder, description } => {
                for name in description.shards.iter().chain([&description.validation]) {
                    take(&shard(folder, description, name)?)?;
                }
            }
        }
        Ok(())
    }

    /// What the chain is told of it. Every file is read for it.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn manifest(&self) -> Result<DatasetManifest, FolderError> {
        let (folder, description) = match &self.0 {
            Content::Digits(dataset) => return Ok(dataset.manifest.clone()),
            Content::Described { folder, description } => (folder, description),
        };
        let mut seen = BTreeSet::new();
        let mut blob = |name: &String| -> Result<BlobRef, FolderError> {
            let blob = BlobRef::of(&shard(folder, description, name)?);
            match seen.insert(blob.hash) {
                true => Ok(blob),
                false => Err(FolderError::Twice {
                    path: folder.join(name),
                }),
            }
        };
        let shards = description.shards.iter().map(&mut blob);
        let shards: Vec<BlobRef> = shards.collect::<Result<_, FolderError>>()?;
        let validation = blob(&description.validation)?;
        // Neither is longer than may be: the description was checked.
        Ok(DatasetManifest {
            name: description
                .name
                .clone()
                .into_bytes()
                .try_into()
                .unwrap_or_default(),
            kind: description.kind.clone(),
            shards: shards.try_into().unwrap_or_default(),
            validation,
        })
    }
}

/// A file of a data set, checked.
fn shard(folder: &Path, description: &Description, name: &str) -> Result<Vec<u8>, FolderError> {
    let path = folder.join(name);
    let bytes = read(&path, MAX_DATA)?;
    match check_shard(&description.kind, &bytes) {
        Ok(()) => Ok(bytes),
        Err(source) => Err(FolderError::Shard { path, source }),
    }
}

/// `None` if there is no such file.
fn found(read: Result<Vec<u8>, FolderError>) -> Result<Option<Vec<u8>>, FolderError> {
    match read {
        Ok(bytes) => Ok(Some(bytes)),
        Err(FolderError::Unreadable { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A file of at most so many bytes.
fn read(path: &Path, most: u64) -> Result<Vec<u8>, FolderError> {
    let unreadable = |source| FolderError::Unreadable {
        path: path.into(),
        source,
    };
    let refused = |reason: &'static str| unreadable(io::Error::new(io::ErrorKind::InvalidInput, reason));
    // A link leads elsewhere, and opening a pipe waits for somebody.
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let opened = File::options().read(true).custom_flags(flags.bits()).open(path);
    let file = opened.map_err(|error| match error.raw_os_error() {
        Some(code) if code == Errno::ELOOP as i32 => refused("it is a link: put the file itself there"),
        _ => unreadable(error),
    })?;
    // Others never end.
    if !file.metadata().map_err(unreadable)?.is_file() {
        return Err(refused("it is no regular file"));
    }
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    match bytes.len() as u64 > most {
        true => Err(FolderError::TooLarge {
            path: path.into(),
            most,
        }),
        false => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydra_primitives::{H256, content_hash, digits::digits_manifest};
    use hydra_update::encode_shard;
    use nix::{sys::stat::Mode, unistd::mkfifo};
    use std::{fs, os::unix::fs::symlink};

    /// Two shards of two samples each and a validation set of one: images of one row and two columns, two classes.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let text = r#"{
            "name": "Dots",
            "kind": { "Images": { "height": 1, "width": 2, "channels": 1, "classes": 2, "max_value": 9 } },
            "shards": ["a.safetensors", "b.safetensors"],
            "validation": "v.safetensors"
        }"#;
        fs::write(folder.path().join(DESCRIPTION), text).unwrap();
        let kind = Description::read(text.as_bytes()).unwrap().kind;
        let write = |name: &str, inputs: &[u8], labels: &[u8]| {
            let bytes = encode_shard(&kind, inputs, labels).unwrap();
            fs::write(folder.path().join(name), bytes).unwrap();
        };
        write("a.safetensors", &[0, 9, 9, 0], &[0, 1]);
        write("b.safetensors", &[1, 8, 8, 1], &[0, 1]);
        write("v.safetensors", &[2, 7], &[0]);
        folder
    }

    #[test]
    fn a_folder_s_manifest_names_its_files_in_their_order() {
        let folder = folder();
        assert!(is_dataset(folder.path()));
        let dataset = DatasetFolder::open(folder.path()).unwrap();
        let manifest = dataset.manifest().unwrap();
        assert_eq!(
            (dataset.name().as_str(), &manifest.name[..]),
            ("Dots", &b"Dots"[..])
        );
        let names = ["a", "b", "v"].map(|name| format!("{name}.safetensors"));
        let files = names.map(|name| fs::read(folder.path().join(name)).unwrap());
        let expected = files.map(|bytes| BlobRef::of(&bytes));
        let blobs = manifest.shards.iter().chain([&manifest.validation]);
        assert!(blobs.eq(&expected));
        let mut hashes: Vec<H256> = Vec::new();
        let each = dataset.each_file(|bytes| {
            hashes.push(content_hash(bytes));
            Ok::<(), FolderError>(())
        });
        each.unwrap();
        assert_eq!(hashes, expected.map(|blob| blob.hash));
    }

    #[test]
    fn the_digits_are_those_that_the_chain_knows() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(DIGITS), digits::BUNDLED).unwrap();
        let dataset = DatasetFolder::open(folder.path()).unwrap();
        assert_eq!(dataset.manifest().unwrap(), digits_manifest());
        assert_eq!(dataset.name(), "UCI handwritten digits");
    }

    #[test]
    fn what_is_no_data_set_is_refused_by_the_name_of_its_file() {
        let says = |folder: &tempfile::TempDir, words: &str| {
            let error = DatasetFolder::open(folder.path()).and_then(|dataset| dataset.manifest());
            let error = error.unwrap_err().to_string();
            assert!(error.contains(words), "expected '{words}', got: {error}");
        };
        let empty = tempfile::tempdir().unwrap();
        assert!(!is_dataset(empty.path()));
        says(&empty, "holds dataset.json or digits.csv.gz");

        let wrong = folder();
        let path = wrong.path().join("b.safetensors");
        // A label that is no class: the last byte.
        let mut bytes = fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() = 2;
        fs::write(&path, &bytes).unwrap();
        says(&wrong, "b.safetensors can't be used: sample 1 has a label");
        fs::copy(wrong.path().join("v.safetensors"), &path).unwrap();
        says(&wrong, "v.safetensors has the same bytes as another file");
        fs::remove_file(&path).unwrap();
        says(&wrong, "b.safetensors of a data set can't be read");
        // Nobody writes into it, nobody ever will.
        mkfifo(&path, Mode::S_IRWXU).unwrap();
        says(&wrong, "no regular file");
        fs::remove_file(&path).unwrap();
        // The right bytes, from elsewhere: from beside it, and from another folder.
        let right = folder();
        for target in ["a.safetensors".into(), right.path().join("b.safetensors")] {
            symlink(target, &path).unwrap();
            says(&wrong, "b.safetensors of a data set can't be read (it is a link");
            fs::remove_file(&path).unwrap();
        }
        File::create(wrong.path().join(DESCRIPTION))
            .and_then(|file| file.set_len(MAX_DESCRIPTION + 1))
            .unwrap();
        says(&wrong, "more than 1048576 bytes");
        fs::write(wrong.path().join(DESCRIPTION), "{}").unwrap();
        says(&wrong, "missing field");
    }
}
