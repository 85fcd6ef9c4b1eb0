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
        let beside = std::env::current_exe()
            .ok()
            .and_then(|exe| Some(exe.parent()?.to_path_buf()));
        let program = |name: &'static str, given: &Option<PathBuf>, option| {
            let path = given.clone().or_else(|| Some(beside.as_ref()?.join(name)));
            let tried = path
                .as_ref()
                .map_or_else(|| name.into(), |path| path.display().to_string());
            path.filter(|path| path.is_file()).ok_or(Error::NoProgram {
                program: name,
                tried,
                option,
            })
        };
        Ok(Self {
            node: program("hydra-node", &args.node, "--node")?,
            trainer: program("hydra-trainer", &args.trainer, "--trainer")?,
            dataset: dataset(args.datasets.as_deref(), beside.as_deref())?,
        })
    }
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
}
