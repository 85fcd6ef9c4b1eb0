//! `network.json`: what a local network is and who runs it, in its folder, for every command and for people.
//!
//! Paths in it are relative to the folder, so that the folder may be moved. Files of version 0.1 hold absolute ones; of
//! those only the part below the network's folder counts.

use hydra_primitives::AccountBytes;
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::{Component, Path, PathBuf},
};

use super::p2p::P2p;
use crate::{
    accounts,
    error::{Error, Place},
    files,
};

/// The file's name.
pub const NETWORK_FILE: &str = "network.json";
/// Locked while it is changed.
pub const NETWORK_LOCK: &str = "network.lock";
/// The file's version.
const FORMAT: u32 = 2;
const FORMAT_WITH_ABSOLUTE_PATHS: u32 = 1;
/// The chain of a PC that is a network by itself: alone on a network of four nobody could finalise a block.
pub(super) const ALONE: &str = "dev";
/// The chain of two to four PCs, and how many validators it has.
pub(super) const TOGETHER: &str = "local";
pub(super) const TOGETHER_VALIDATORS: u8 = 4;

/// The file as a whole.
#[derive(Serialize, Deserialize)]
struct Written<T> {
    format: u32,
    #[serde(flatten)]
    network: T,
}

/// A local network. Its paths are absolute here and relative to its folder in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Whether `hydra demo` chose the folder by itself, and may delete it once later networks have run.
    #[serde(default)]
    pub disposable: bool,
    /// What `hydra-node --chain` is given.
    pub chain: String,
    /// The first of its ports.
    pub base_port: u16,
    /// Process id of the `hydra` that started it last.
    pub hydra_pid: u32,
    /// Whether every PC has answered since.
    pub ready: bool,
    /// What else is known of a network with others, of which this PC is the only one here; `None` of a local network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<Joined>,
    /// Its PCs.
    pub pcs: Vec<Pc>,
}

/// This PC's part of a network with others, beside what every PC has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// The network's id, which its data are filed under.
    pub id: String,
    /// Whether this PC has session keys: it makes blocks if genesis names them.
    pub validator: bool,
    /// Whether it is to train.
    pub train: bool,
    /// How much it is to have at stake, in HYDRA.
    pub stake: String,
    /// Whether that was at stake once: what is lost of it afterwards isn't bonded again unasked.
    pub bonded: bool,
    /// How large the tasks may be that it takes on, if its owner chose that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_class: Option<u8>,
    /// How many tasks it takes on at a time, if its owner chose that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<u8>,
    /// How its trainer meets others, if its owner chose that.
    #[serde(default, skip_serializing_if = "P2p::is_usual")]
    pub p2p: P2p,
}

impl Joined {
    /// Whether its owner chose what it takes on, in part at least.
    pub fn chooses_room(&self) -> bool {
        self.size_class.is_some() || self.room.is_some()
    }
}

/// One PC of a local network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pc {
    /// Its name, in lower case: `alice`.
    pub name: String,
    /// Address of its account.
    pub account: String,
    /// The account's public key, in hexadecimal.
    pub account_hex: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Its node.
    pub node: Node,
    /// Its trainer.
    pub trainer: Trainer,
}

/// A PC's node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Process id, of the process group too; 0 before it was ever started.
    pub pid: u32,
    /// JSON-RPC port on 127.0.0.1.
    pub rpc_port: u16,
    /// JSON-RPC address.
    pub rpc_url: String,
    /// Port for other nodes on 127.0.0.1.
    pub p2p_port: u16,
    /// Its identity among nodes.
    pub peer_id: String,
    /// Where other nodes reach it.
    pub multiaddr: String,
    /// Its data.
    pub base_path: PathBuf,
    /// What it writes to stdout and stderr.
    pub log: PathBuf,
}

/// A PC's trainer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trainer {
    /// Process id, of the process group too; 0 before it was ever started.
    pub pid: u32,
    /// HTTP port on 127.0.0.1.
    pub http_port: u16,
    /// HTTP address.
    pub http_url: String,
    /// Port for other trainers on 127.0.0.1.
    pub p2p_port: u16,
    /// Its identity among trainers.
    pub peer_id: String,
    /// Where other trainers reach it.
    pub multiaddr: String,
    /// Its data.
    pub base_path: PathBuf,
    /// What it writes to stdout and stderr.
    pub log: PathBuf,
    /// The secret shared by node and trainer.
    pub token_file: PathBuf,
    /// The secret of its identity.
    pub key_file: PathBuf,
}

impl Network {
    /// Reads the network in `base_path`; `None` when there is none.
    pub fn read(base_path: &Path) -> Result<Option<Self>, Error> {
        let base_path = match fs::canonicalize(base_path) {
            Err(error) if is_absence(&error) => return Ok(None),
            other => other.map_err(Error::file("open", base_path))?,
        };
        let path = base_path.join(NETWORK_FILE);
        let bytes = match fs::read(&path) {
            Err(error) if is_absence(&error) => return Ok(None),
            other => other.map_err(Error::file("read", &path))?,
        };
        Self::parse(&bytes, &base_path)
            .map(Some)
            .map_err(|reason| Error::BadNetworkFile { path, reason })
    }

    /// The network that `bytes` describe and that is in `base_path` now.
    fn parse(bytes: &[u8], base_path: &Path) -> Result<Self, String> {
        let written: Written<Self> = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let mut network = written.network;
        // A PC's folder is one below its network's.
        let before = network.pcs.first().and_then(|pc| pc.folder.parent());
        let before = before.ok_or("it lists no PC")?.to_path_buf();
        network.map_paths(|path| {
            let inside = match written.format {
                FORMAT => Some(path),
                // Absolute, and of where the network was when it was started last.
                FORMAT_WITH_ABSOLUTE_PATHS => path.strip_prefix(&before).ok(),
                _ => return Err("it is of another version".to_owned()),
            };
            inside
                .filter(|path| {
                    let mut parts = path.components();
                    parts.all(|part| matches!(part, Component::Normal(_)))
                })
                .map(|path| base_path.join(path))
                .ok_or_else(|| format!("{} is not in the network's folder", path.display()))
        })?;
        Ok(network)
    }

    /// Writes it to `base_path`, which must be the canonical path of its folder.
    pub fn write(&self, base_path: &Path) -> Result<(), Error> {
        let path = base_path.join(NETWORK_FILE);
        let mut network = self.clone();
        let inside = network.map_paths(|path| match path.strip_prefix(base_path) {
            Ok(inside) => Ok(inside.to_path_buf()),
            Err(_) => Err(format!("{} is not in the network's folder", path.display())),
        });
        let text = inside.and_then(|()| {
            let written = Written {
                format: FORMAT,
                network,
            };
            serde_json::to_vec_pretty(&written).map_err(|error| error.to_string())
        });
        let mut text = text.map_err(|reason| Error::BadNetworkFile {
            path: path.clone(),
            reason,
        })?;
        text.push(b'\n');
        files::write(&path, &text).map_err(Error::file("write", path))
    }

    fn map_paths(&mut self, map: impl Fn(&Path) -> Result<PathBuf, String>) -> Result<(), String> {
        for pc in &mut self.pcs {
            let (node, trainer) = (&mut pc.node, &mut pc.trainer);
            for path in [
                &mut pc.folder,
                &mut node.base_path,
                &mut node.log,
                &mut trainer.base_path,
                &mut trainer.log,
                &mut trainer.token_file,
                &mut trainer.key_file,
            ] {
                *path = map(path)?;
            }
        }
        Ok(())
    }

    /// Where it is, for sentences.
    pub fn place(&self, folder: &Path) -> Place {
        Place {
            folder: folder.into(),
            joined: self.joined.is_some(),
        }
    }

    /// How many validators its chain has, whether or not all of them are here.
    pub fn validators(&self) -> usize {
        if self.chain == ALONE {
            1
        } else {
            TOGETHER_VALIDATORS.into()
        }
    }

    /// The PC called `name`, in whatever case.
    pub fn pc(&self, name: &str) -> Result<&Pc, Error> {
        let wanted = |pc: &&Pc| pc.name.eq_ignore_ascii_case(name);
        self.pcs.iter().find(wanted).ok_or_else(|| Error::NoSuchPc {
            name: name.into(),
            known: self.pcs.iter().map(|pc| pc.name.clone()).collect(),
        })
    }

    /// Its position in a network: 0 is Alice.
    pub fn index(&self, pc: &Pc) -> u8 {
        let position = self.pcs.iter().position(|other| other.name == pc.name);
        position.and_then(|index| u8::try_from(index).ok()).unwrap_or(0)
    }

    /// The accounts of its PCs.
    pub fn accounts(&self) -> Vec<AccountBytes> {
        let account = |pc: &Pc| {
            accounts::DEVELOPMENT
                .iter()
                .find(|name| name.eq_ignore_ascii_case(&pc.name))
        };
        self.pcs
            .iter()
            .filter_map(|pc| accounts::development(account(pc)?))
            .collect()
    }
}

/// Whether there is nothing, as opposed to something that can't be read.
fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Layout;

    fn network(base_path: &Path) -> Network {
        Layout::new(base_path.into(), 4, 30_000).network()
    }

    fn text(base_path: &Path) -> String {
        fs::read_to_string(base_path.join(NETWORK_FILE)).unwrap()
    }

    #[test]
    fn a_network_is_read_back_as_written() {
        let folder = tempfile::tempdir().unwrap();
        let base_path = folder.path().canonicalize().unwrap();
        assert_eq!(Network::read(&base_path).unwrap(), None);
        assert_eq!(Network::read(&base_path.join("nothing")).unwrap(), None);
        network(&base_path).write(&base_path).unwrap();
        assert_eq!(Network::read(&base_path).unwrap(), Some(network(&base_path)));
    }

    #[test]
    fn a_network_whose_folder_was_moved_is_where_its_folder_is() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let (before, after) = (folder.join("before"), folder.join("after"));
        fs::create_dir(&before).unwrap();
        network(&before).write(&before).unwrap();
        assert!(
            !text(&before).contains(folder.to_str().unwrap()),
            "{}",
            text(&before)
        );
        fs::rename(&before, &after).unwrap();
        assert_eq!(Network::read(&after).unwrap(), Some(network(&after)));
    }

    #[test]
    fn a_file_of_the_first_version_is_understood_wherever_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let mut old = serde_json::to_value(network(Path::new("/where/it/was"))).unwrap();
        assert_eq!(old["pcs"][1]["node"]["log"], "/where/it/was/bob/node.log");
        old["format"] = 1.into();
        fs::write(folder.join(NETWORK_FILE), old.to_string()).unwrap();
        assert_eq!(Network::read(&folder).unwrap(), Some(network(&folder)));
    }

    #[test]
    fn a_file_that_leads_out_of_its_folder_or_makes_no_sense_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        network(&folder).write(&folder).unwrap();
        let good = text(&folder);
        for (from, to) in [
            ("\"bob/node.log\"", "\"/bob/node.log\""),
            ("\"bob/node.log\"", "\"../bob/node.log\""),
            ("\"format\": 2", "\"format\": 3"),
            ("\"pcs\"", "\"others\""),
        ] {
            assert!(good.contains(from), "{good}");
            fs::write(folder.join(NETWORK_FILE), good.replacen(from, to, 1)).unwrap();
            let read = Network::read(&folder);
            assert!(
                matches!(read, Err(Error::BadNetworkFile { .. })),
                "{to}: {read:?}"
            );
        }
        let mut empty = network(&folder);
        empty.pcs.clear();
        empty.write(&folder).unwrap();
        assert!(Network::read(&folder).is_err());
    }

    #[test]
    fn a_network_is_never_written_with_paths_outside_of_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        assert!(network(Path::new("/elsewhere")).write(folder.path()).is_err());
        assert_eq!(Network::read(folder.path()).unwrap(), None);
    }
}
