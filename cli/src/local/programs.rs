//! The programs and the data that a local network is started with, and where they are found.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{args::DemoArgs, error::Error};

/// The programs and the data that PCs are started with.
pub struct Programs {
    /// `hydra-node`.
    pub node: PathBuf,
    /// `hydra-trainer`.
    pub trainer: PathBuf,
    /// The folder with the digits.
    pub dataset: PathBuf,
}

impl Programs {
    /// Those that were named, else those near this program.
    pub fn find(args: &DemoArgs) -> Result<Self, Error> {
        Ok(Self {
            node: node(args.node.as_deref())?,
            trainer: trainer(args.trainer.as_deref())?,
            dataset: digits(args.datasets.as_deref())?,
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

/// The folder with the digits: in the one given, else in the checkout this was built from, else near the program.
pub fn digits(given: Option<&Path>) -> Result<PathBuf, Error> {
    dataset(given, beside().as_deref())
}

/// The data sets in these folders: each is one, or holds some.
pub fn datasets(given: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    for folder in given {
        let within = match hydra_datasets::is_dataset(folder) {
            true => vec![folder.clone()],
            false => held(folder),
        };
        if within.is_empty() {
            return Err(Error::NoDataset(folder.clone()));
        }
        for path in within {
            // Node and trainer are told of it, wherever they are started.
            found.push(fs::canonicalize(&path).map_err(Error::file("open", path))?);
        }
    }
    Ok(found)
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

/// The folder with the digits: the one given, else in the checkout this was built from, else near the program.
fn dataset(given: Option<&Path>, beside: Option<&Path>) -> Result<PathBuf, Error> {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(|root| root.join("datasets"));
    let mut folders: Vec<PathBuf> = Vec::new();
    match given {
        Some(given) => folders.push(given.into()),
        None => {
            folders.push("datasets".into());
            folders.extend(checkout);
            folders.extend(
                beside
                    .into_iter()
                    .flat_map(Path::ancestors)
                    .map(|folder| folder.join("datasets")),
            );
        }
    }
    let found = folders
        .iter()
        .map(|folder| folder.join("digits"))
        .find(|folder| folder.is_dir());
    let missing = || {
        Error::NoDataset(
            folders
                .first()
                .map(|folder| folder.join("digits"))
                .unwrap_or_default(),
        )
    };
    let found = found.ok_or_else(missing)?;
    fs::canonicalize(&found).map_err(Error::file("open", found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_set_is_where_it_was_said_to_be() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(
            dataset(Some(folder.path()), None),
            Err(Error::NoDataset(_))
        ));
        fs::create_dir(folder.path().join("digits")).unwrap();
        assert!(dataset(Some(folder.path()), None).unwrap().ends_with("digits"));
    }

    #[test]
    fn a_data_set_may_be_named_by_itself_or_by_the_folder_that_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for nothing in [root.clone(), root.join("missing")] {
            assert!(matches!(datasets(&[nothing]), Err(Error::NoDataset(_))));
        }
        let [dots, digits, other] = ["dots", "digits", "other"].map(|name| root.join(name));
        for folder in [&dots, &digits, &other] {
            fs::create_dir(folder).unwrap();
        }
        fs::write(dots.join(hydra_datasets::DESCRIPTION), "").unwrap();
        fs::write(digits.join(hydra_datasets::DIGITS), "").unwrap();
        assert_eq!(datasets(&[root]).unwrap(), [digits.clone(), dots.clone()]);
        assert_eq!(datasets(&[dots.clone(), digits.clone()]).unwrap(), [dots, digits]);
        assert!(datasets(&[]).unwrap().is_empty());
    }
}
