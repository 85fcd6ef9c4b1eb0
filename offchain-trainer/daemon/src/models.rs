//! What the models are: the descriptions that a sheet only names, since they never change and are large.
//!
//! Kept in memory, and behind it in a folder, a file for each, named by its hash; when there are many, those that the sheet doesn't name
//! are deleted. Must never take bytes for a description that they aren't: every one is compared with its name, from the node as
//! from the disk. Must never keep the node waiting for the disk.

use std::{
    collections::{HashMap, HashSet},
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    str::FromStr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use codec::{DecodeAll, Encode};
use hydra_primitives::{
    H256, ModelId,
    dataset::DatasetManifest,
    duty::{DutySheet, MAX_BODY, ModelDescription, ModelDuties},
    model::ModelSpec,
};

use crate::{lock, replace::replace};

/// How many descriptions are kept that a sheet doesn't name. A full sheet leaves models out by turns.
const KEPT: usize = 1024;

/// A model as a sheet has it, with what never changes about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Model {
    /// Its state, and what is owed to it.
    pub duties: ModelDuties,
    description: Arc<ModelDescription>,
}

impl Model {
    /// A model with the description that its duties name.
    pub fn new(duties: ModelDuties, description: Arc<ModelDescription>) -> Self {
        Self { duties, description }
    }

    /// Its spec.
    pub fn spec(&self) -> &ModelSpec {
        &self.description.spec
    }

    /// Its data set.
    pub fn dataset(&self) -> &DatasetManifest {
        &self.description.dataset
    }
}

/// The descriptions that are known.
#[derive(Debug)]
pub struct Models {
    folder: PathBuf,
    kept: usize,
    known: Mutex<HashMap<H256, Arc<ModelDescription>>>,
    /// Some are not on disk yet, or no longer known and still there.
    is_unwritten: AtomicBool,
    /// Those that are on disk. Held while the folder is changed, and never together with `known`.
    on_disk: Mutex<HashSet<H256>>,
}

impl Models {
    /// Those in this folder, which is made if it isn't there. Blocks: reads all of them.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(folder: PathBuf) -> io::Result<Self> {
        Self::keeping(folder, KEPT)
    }

    fn keeping(folder: PathBuf, kept: usize) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let entries = fs::read_dir(&folder)?.flatten();
        let read = entries.filter_map(|entry| read(&entry.path()));
        let known: HashMap<H256, Arc<ModelDescription>> = read.collect();
        Ok(Self {
            folder,
            kept,
            on_disk: Mutex::new(known.keys().copied().collect()),
            known: Mutex::new(known),
            is_unwritten: AtomicBool::new(false),
        })
    }

    /// The sheet's models that are known, with those that it describes, and the numbers of the others. The node waits for this: nothing
    /// is read or written, and what is new has to be [written](Self::write) later.
    pub fn describe(&self, sheet: &DutySheet) -> (Vec<Arc<Model>>, Vec<ModelId>) {
        let named: HashSet<H256> = sheet.models.iter().map(|duties| duties.description).collect();
        let mut known = lock(&self.known);
        let mut learnt = false;
        for description in &sheet.described {
            let id = description.id();
            // Only as much is kept as a sheet can name.
            if named.contains(&id) && !known.contains_key(&id) {
                known.insert(id, Arc::new(description.clone()));
                learnt = true;
            }
        }
        if learnt && known.len() > self.kept {
            known.retain(|id, _| named.contains(id));
        }
        self.is_unwritten.fetch_or(learnt, Ordering::Relaxed);
        let (mut models, mut unknown) = (Vec::new(), Vec::new());
        for duties in &sheet.models {
            match known.get(&duties.description) {
                Some(description) => {
                    models.push(Arc::new(Model::new(duties.clone(), description.clone())));
                }
                None => unknown.push(duties.model),
            }
        }
        (models, unknown)
    }

    /// Whether there is something to [write](Self::write).
    pub fn is_unwritten(&self) -> bool {
        self.is_unwritten.load(Ordering::Relaxed)
    }

    /// Brings the folder to what is known. Blocks. What can't be written is asked for again after the next start.
    pub fn write(&self) {
        let mut on_disk = lock(&self.on_disk);
        // What is learnt from here on is for the next time.
        self.is_unwritten.store(false, Ordering::Relaxed);
        let known = lock(&self.known).clone();
        for (id, description) in &known {
            if !on_disk.contains(id) && self.keep(*id, description) {
                on_disk.insert(*id);
            }
        }
        // What can't be deleted is tried again next time.
        on_disk.retain(|id| known.contains_key(id) || fs::remove_file(self.path(*id)).is_err());
    }

    fn path(&self, id: H256) -> PathBuf {
        self.folder.join(format!("{id:x}"))
    }

    fn keep(&self, id: H256, description: &ModelDescription) -> bool {
        let path = self.path(id);
        let kept = replace(&path, &description.encode());
        if let Err(error) = &kept {
            tracing::warn!(
                "can't write {} ({error}): the node is asked for that description again after the next start",
                path.display()
            );
        }
        kept.is_ok()
    }
}

/// The description in a file, if its name is the right one.
fn read(path: &Path) -> Option<(H256, Arc<ModelDescription>)> {
    let id = H256::from_str(path.file_name()?.to_str()?).ok()?;
    let mut bytes = Vec::new();
    // No description that came in a sheet is longer.
    let file = File::open(path).ok()?;
    file.take(MAX_BODY as u64).read_to_end(&mut bytes).ok()?;
    Some((id, Arc::new(parse(&bytes, id)?)))
}

fn parse(bytes: &[u8], id: H256) -> Option<ModelDescription> {
    let description = ModelDescription::decode_all(&mut &*bytes).ok()?;
    (description.id() == id).then_some(description)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::{description, sheet};
    use proptest::prelude::*;

    fn files(models: &Models) -> usize {
        fs::read_dir(&models.folder).unwrap().count()
    }

    fn described() -> DutySheet {
        let mut sheet = sheet(vec![]);
        sheet.described = vec![description()];
        sheet
    }

    #[test]
    fn a_model_is_asked_for_until_it_is_described_and_known_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Models::open(folder.path().join("models")).unwrap();
        let models = open();
        assert_eq!(models.describe(&sheet(vec![])), (vec![], vec![0]));
        let (known, unknown) = models.describe(&described());
        assert_eq!((known.len(), unknown), (1, vec![]));
        assert_eq!(known[0].spec(), &description().spec);
        assert_eq!(known[0].dataset(), &description().dataset);
        assert!(models.describe(&sheet(vec![])).1.is_empty());
        models.write();
        assert_eq!(open().describe(&sheet(vec![])), (known, vec![]));
    }

    #[test]
    fn the_node_waits_for_no_file_and_each_is_written_once() {
        let folder = tempfile::tempdir().unwrap();
        let models = Models::open(folder.path().join("models")).unwrap();
        fs::remove_dir(&models.folder).unwrap();
        assert!(!models.is_unwritten());
        assert!(models.describe(&described()).1.is_empty());
        assert!(models.is_unwritten());
        fs::create_dir(&models.folder).unwrap();
        models.write();
        assert_eq!((files(&models), models.is_unwritten()), (1, false));
        models.describe(&described());
        assert!(!models.is_unwritten());
    }

    #[test]
    fn a_description_that_is_not_the_one_named_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let models = Models::open(folder.path().into()).unwrap();
        let mut other = described();
        other.described[0].spec.init_seed += 1;
        assert_eq!(models.describe(&other).1, [0]);
        models.write();
        assert_eq!(files(&models), 0);
    }

    #[test]
    fn a_damaged_file_is_asked_for_again_and_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Models::open(folder.path().into()).unwrap();
        let models = open();
        models.describe(&described());
        models.write();
        let path = folder.path().join(format!("{:x}", description().id()));
        let mut bytes = fs::read(&path).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(&path, bytes).unwrap();
        let models = open();
        assert_eq!(models.describe(&sheet(vec![])).1, [0]);
        assert!(models.describe(&described()).1.is_empty());
        models.write();
        assert!(open().describe(&sheet(vec![])).1.is_empty());
    }

    #[test]
    fn a_bounded_number_is_kept_of_what_sheets_no_longer_name() {
        let folder = tempfile::tempdir().unwrap();
        let models = Models::keeping(folder.path().into(), 3).unwrap();
        for seed in 0..4 {
            let mut next = described();
            next.described[0].spec.init_seed = seed;
            next.models[0].description = next.described[0].id();
            assert!(models.describe(&next).1.is_empty());
            models.write();
            let kept = if seed == 3 { 1 } else { seed as usize + 1 };
            assert_eq!((lock(&models.known).len(), files(&models)), (kept, kept));
        }
        assert_eq!(models.describe(&sheet(vec![])).1, [0]);
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_the_description_that_is_named_or_none(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            at in any::<usize>(),
        ) {
            let good = description();
            prop_assert!(parse(&bytes, good.id()).is_none());
            let mut file = good.encode();
            let at = at % file.len();
            for (byte, other) in file[at..].iter_mut().zip(&bytes) {
                *byte ^= other;
            }
            let same = file == good.encode();
            prop_assert_eq!(parse(&file, good.id()).is_some(), same);
        }
    }
}
