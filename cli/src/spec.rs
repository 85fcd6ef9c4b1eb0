//! A network's file, which is the same for everybody: a chain spec, and in it who to connect to. Of it this program reads
//! what it has to know; everything else is the node's.

use hydra_primitives::digits::digits_manifest;
use hydra_trainer_api::{MAX_NETWORK_ID, is_network_id};
use serde::Deserialize;
use std::{fs, path::Path};

use crate::error::Error;

/// What is read of the file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// The network's name.
    pub name: String,
    /// Its id, which its data are filed under.
    pub id: String,
    /// Nodes to connect to.
    #[serde(default)]
    pub boot_nodes: Vec<String>,
    /// Trainers to connect to.
    #[serde(default)]
    pub trainers: Vec<String>,
    /// Whether a model learns from the bundled digits: its genesis names them.
    #[serde(skip)]
    pub learns_digits: bool,
}

impl Spec {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let bytes = fs::read(path).map_err(Error::file("read", path))?;
        Self::parse(&bytes).map_err(|reason| Error::BadSpec {
            path: path.into(),
            reason,
        })
    }

    /// Reads the file that somebody joins with, which holds the genesis as state: everybody then has the same, whatever made it.
    pub fn read_to_join(path: &Path) -> Result<Self, Error> {
        let bytes = fs::read(path).map_err(Error::file("read", path))?;
        let spec = match is_plain(&bytes) {
            true => Err("it is the plain one, for people to read: take the one without -plain in its name, or make it with                          `hydra-node export-chain-spec --raw --chain FILE`"
                .into()),
            false => Self::parse(&bytes),
        };
        spec.map_err(|reason| Error::BadSpec {
            path: path.into(),
            reason,
        })
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let mut spec: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        check_id(&spec.id)?;
        // Raw or not, the hash of what they are measured on is in it, in hexadecimal.
        let digits = hex::encode(digits_manifest().validation.hash);
        spec.learns_digits = contains(bytes, digits.as_bytes());
        Ok(spec)
    }
}

/// Whether these are a chain spec's that people can read: genesis is a runtime and what to begin it with, and no state.
pub fn is_plain(bytes: &[u8]) -> bool {
    contains(bytes, b"\"runtimeGenesis\"")
}

fn contains(bytes: &[u8], words: &[u8]) -> bool {
    bytes.windows(words.len()).any(|part| part == words)
}

/// Refuses an id that could not be a folder's name, or that means something else to the node.
pub fn check_id(id: &str) -> Result<(), String> {
    match id {
        "dev" | "local" => Err(format!("{id} is the id of a development network")),
        _ if !is_network_id(id) => Err(format!(
            "its id must be 1 to {MAX_NETWORK_ID} lower-case letters, digits, - and _"
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_network_s_file_says_who_to_connect_to() {
        let spec = Spec::parse(
            br#"{"name":"N","id":"n-1","bootNodes":["/ip4/1.2.3.4/tcp/30333/p2p/x"],"trainers":["t"],"genesis":{}}"#,
        );
        let spec = spec.unwrap();
        assert_eq!((spec.id.as_str(), spec.trainers), ("n-1", vec!["t".to_owned()]));
        // A chain spec by somebody else names no trainers.
        assert!(
            Spec::parse(br#"{"name":"N","id":"n"}"#)
                .unwrap()
                .trainers
                .is_empty()
        );
    }

    #[test]
    fn a_network_that_learns_from_the_digits_is_known_by_their_hash() {
        let hash = hex::encode(digits_manifest().validation.hash);
        let text = |genesis: &str| format!(r#"{{"name":"N","id":"n","genesis":"0x00{genesis}01"}}"#);
        assert!(Spec::parse(text(&hash).as_bytes()).unwrap().learns_digits);
        assert!(
            !Spec::parse(text(&"0".repeat(64)).as_bytes())
                .unwrap()
                .learns_digits
        );
    }

    #[test]
    fn the_file_for_people_to_read_is_not_joined_with() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("n-plain.json");
        let genesis = |genesis: &str| format!(r#"{{"name":"N","id":"n","genesis":{{"{genesis}":{{}}}}}}"#);
        fs::write(&file, genesis("runtimeGenesis")).unwrap();
        let error = Spec::read_to_join(&file).unwrap_err().to_string();
        assert!(error.contains("without -plain in its name"), "{error}");
        assert_eq!(Spec::read(&file).unwrap().id, "n");
        fs::write(&file, genesis("raw")).unwrap();
        assert_eq!(Spec::read_to_join(&file).unwrap().id, "n");
    }

    #[test]
    fn an_id_that_leads_elsewhere_is_refused() {
        for bad in ["", "..", "a/b", "A", "dev", "local", "ü", "a".repeat(33).as_str()] {
            assert!(check_id(bad).is_err(), "{bad}");
            let text = format!(r#"{{"name":"N","id":"{bad}"}}"#);
            assert!(Spec::parse(text.as_bytes()).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_a_network_s_file_or_not(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            id in ".{0,80}",
            name in ".{0,20}",
            nodes in prop::collection::vec(".{0,40}", 0..4),
        ) {
            let text = serde_json::json!({ "name": name, "id": id, "bootNodes": nodes, "trainers": nodes });
            for bytes in [bytes, text.to_string().into_bytes()] {
                is_plain(&bytes);
                if let Ok(spec) = Spec::parse(&bytes) {
                    prop_assert!(check_id(&spec.id).is_ok());
                }
            }
        }
    }
}
