//! The programs and the data that PCs are started with, and where they are found.
//!
//! It must never pass on a data set that a trainer would refuse to start with, nor take a folder's name for what is in it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use hydra_datasets::DatasetFolder;
use hydra_primitives::digits::digits_manifest;

use crate::{args::DemoArgs, error::Error};

/// Where the bundled digits are, in a checkout or beside the programs.
const PLACE: &str = "datasets/digits";

/// The programs and the data that PCs are started with.
pub struct Programs {
    /// `hydra-node`.
    pub node: PathBuf,
    /// `hydra-trainer`.
    pub trainer: PathBuf,
    /// The folders of the data sets, the digits among them.
    pub datasets: Vec<PathBuf>,
}

/// The data sets that a PC has from its start.
#[derive(Debug, PartialEq, Eq)]
pub struct Datasets {
    /// Their folders.
    pub folders: Vec<PathBuf>,
    /// Whether the digits are among them.
    pub has_digits: bool,
}

impl Programs {
    /// Those that were named, else those near this program.
    pub fn find(args: &DemoArgs) -> Result<Self, Error> {
        let node = node(args.node.as_deref())?;
        let trainer = trainer(args.trainer.as_deref())?;
        let datasets = datasets(&args.datasets)?;
        if !datasets.has_digits {
            // Its PCs learn from nothing else, and nobody else could send them.
            return Err(Error::NoDataset(PLACE.into()));
        }
        Ok(Self {
            node,
            trainer,
            datasets: datasets.folders,
        })
    }
}

/// `hydra-node`: the one given, else the one near this program.
pub fn node(given: Option<&Path>) -> Result<PathBuf, Error> {
    program("hydra-node", given, "--node")
}

/// `hydra-trainer`: the one given, else the one near this program.
pub fn trainer(given: Option<&Path>) -> Result<PathBuf, Error> {
    program("hydra-trainer", given, "--trainer")
}

/// The data sets in these folders, each of which is one or holds some, and the digits if they are near this program.
pub fn datasets(given: &[PathBuf]) -> Result<Datasets, Error> {
    gathered(given, || digits(beside().as_deref()))
}

/// The same, where `bundled` finds the digits if nobody named them.
fn gathered(given: &[PathBuf], bundled: impl FnOnce() -> Option<PathBuf>) -> Result<Datasets, Error> {
    let mut found = Datasets {
        folders: Vec::new(),
        has_digits: false,
    };
    for folder in given {
        let within = match hydra_datasets::is_dataset(folder) {
            true => vec![folder.clone()],
            false => held(folder),
        };
        if within.is_empty() {
            return Err(Error::NoDataset(folder.clone()));
        }
        for path in within {
            // A trainer would end because of it, and be started again, for ever.
            found.has_digits |= is_digits(&DatasetFolder::open(&path)?);
            // Node and trainer are told of it, wherever they are started.
            let path = fs::canonicalize(&path).map_err(Error::file("open", path))?;
            if !found.folders.contains(&path) {
                found.folders.push(path);
            }
        }
    }
    if !found.has_digits
        && let Some(folder) = bundled()
    {
        found.folders.push(folder);
        found.has_digits = true;
    }
    Ok(found)
}

/// Whatever its folder is called.
fn is_digits(dataset: &DatasetFolder) -> bool {
    dataset.name().as_bytes() == digits_manifest().name.as_slice()
}

/// The data sets that a folder holds, in order.
fn held(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut held: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| hydra_datasets::is_dataset(path))
        .collect();
    held.sort();
    held
}

fn beside() -> Option<PathBuf> {
    let exe = std::env::current_exe().ok()?;
    Some(exe.parent()?.to_path_buf())
}

fn program(name: &'static str, given: Option<&Path>, option: &'static str) -> Result<PathBuf, Error> {
    let path = given
        .map(Path::to_path_buf)
        .or_else(|| Some(beside()?.join(name)));
    let tried = path
        .as_ref()
        .map_or_else(|| name.into(), |path| path.display().to_string());
    path.filter(|path| path.is_file()).ok_or(Error::NoProgram {
        program: name,
        tried,
        option,
    })
}

/// The folder with the bundled digits: here, in the checkout this was built from, or near the program.
fn digits(beside: Option<&Path>) -> Option<PathBuf> {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let roots = [Path::new(""), checkout.unwrap_or(Path::new(""))];
    let near = beside.into_iter().flat_map(Path::ancestors);
    digits_in(roots.into_iter().chain(near))
}

/// The first folder `datasets/digits` in one of these that holds the digits.
fn digits_in<'a>(mut roots: impl Iterator<Item = &'a Path>) -> Option<PathBuf> {
    roots.find_map(|root| {
        let folder = fs::canonicalize(root.join(PLACE)).ok()?;
        DatasetFolder::open(&folder)
            .is_ok_and(|found| is_digits(&found))
            .then_some(folder)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydra_datasets::{DESCRIPTION, DIGITS};

    fn described(folder: &Path, name: &str) {
        let kind = serde_json::json!({
            "Images": { "height": 1, "width": 2, "channels": 1, "classes": 2, "max_value": 9 },
        });
        let description =
            serde_json::json!({ "name": name, "kind": kind, "shards": ["a"], "validation": "v" });
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join(DESCRIPTION), description.to_string()).unwrap();
    }

    fn bundled(folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join(DIGITS), hydra_update::digits::BUNDLED).unwrap();
    }

    fn set(folders: &[&PathBuf], has_digits: bool) -> Datasets {
        Datasets {
            folders: folders.iter().copied().cloned().collect(),
            has_digits,
        }
    }

    #[test]
    fn the_digits_are_found_by_what_is_in_a_folder_and_not_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let [empty, other, right] = ["empty", "other", "right"].map(|name| root.join(name));
        fs::create_dir_all(empty.join(PLACE)).unwrap();
        described(&other.join(PLACE), "Letters");
        bundled(&right.join(PLACE));
        let found = |roots: &[&PathBuf]| digits_in(roots.iter().map(|root| root.as_path()));
        assert_eq!(found(&[&empty, &other]), None);
        assert_eq!(found(&[&empty, &other, &right]), Some(right.join(PLACE)));
    }

    #[test]
    fn a_data_set_may_be_named_by_itself_or_by_the_folder_that_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for nothing in [root.clone(), root.join("missing")] {
            assert!(matches!(gathered(&[nothing], || None), Err(Error::NoDataset(_))));
        }
        let [dots, digits] = ["dots", "numbers"].map(|name| root.join(name));
        fs::create_dir(root.join("other")).unwrap();
        described(&dots, "Dots");
        bundled(&digits);
        let never = || -> Option<PathBuf> { panic!("the digits are there") };
        assert_eq!(
            gathered(std::slice::from_ref(&root), never).unwrap(),
            set(&[&dots, &digits], true)
        );
        // Once each, in the order in which they are named.
        let named = [digits.clone(), dots.clone(), root];
        assert_eq!(gathered(&named, never).unwrap(), set(&[&digits, &dots], true));
    }

    #[test]
    fn the_bundled_digits_come_with_whatever_else_is_named_and_nothing_fails_without_them() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        // Of that name, and something else.
        let own = root.join("digits");
        described(&own, "My digits");
        let given = std::slice::from_ref(&own);
        let bundled = root.join("bundled");
        let with = gathered(given, || Some(bundled.clone())).unwrap();
        assert_eq!(with, set(&[&own, &bundled], true));
        assert_eq!(gathered(given, || None).unwrap(), set(&[&own], false));
        assert_eq!(gathered(&[], || None).unwrap(), set(&[], false));
    }

    #[test]
    fn a_data_set_that_a_trainer_would_not_start_with_is_refused_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let refused = |words: &str| {
            let error = gathered(std::slice::from_ref(&root), || None).unwrap_err();
            assert!(matches!(error, Error::Dataset(_)), "{error:?}");
            assert!(error.to_string().contains(words), "{error}");
        };
        fs::write(root.join(DIGITS), "half of it").unwrap();
        refused("digits");
        fs::write(root.join(DESCRIPTION), "{}").unwrap();
        refused("dataset.json describes no data set (missing field");
    }
}
