//! This PC's part of a network with others: one folder with its keys, its chain, and the data of node and trainer. `hydra
//! network new`, `hydra network member` and `hydra up` make it, each command about this PC finds it.
//!
//! It must never make a second account where there is one, nor let two programs run the same folder.
//!
//! ```text
//! DIR/network.json     ports, identities, process ids: as a local network's, with one PC
//! DIR/chain.json       the network's file
//! DIR/pc/node/         the node's data; in chains/ID/keystore the keys, in chains/ID/network its identity
//! DIR/pc/trainer/      the trainer's data
//! DIR/pc/*.log, *.key, *.token
//! ```

mod arguments;
mod find;
mod keys;
mod layout;

pub use find::{folder_of, named_or_only};
pub use keys::{identity, make_session_keys, prove_session_keys, read_phrase};

use hydra_primitives::AccountBytes;
use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use crate::{
    accounts,
    args::PortArgs,
    error::Error,
    files,
    keys::key::Key,
    keystore::{self, Kind},
    network::{self, Joined, NETWORK_FILE, NETWORK_LOCK, Network, P2p, Pc, UP_LOCK},
    output, shell,
    spec::{self, Spec},
};

/// The network's file in the folder.
const CHAIN_FILE: &str = "chain.json";
/// The folder with everything but the network's own file.
const PC_FOLDER: &str = "pc";

/// A folder with this PC's part of a network.
#[derive(Clone, Debug)]
pub struct Home {
    /// The folder, by its canonical path.
    pub path: PathBuf,
    /// What is known of it.
    pub network: Network,
    /// The same.
    pub pc: Pc,
    /// The same.
    pub joined: Joined,
}

/// What a new folder is made with. It may hold a secret, so it can't be printed.
#[derive(Clone)]
pub struct Wish<'a> {
    /// The network's id.
    pub id: &'a str,
    /// The PC's name.
    pub name: Option<&'a str>,
    /// Its ports.
    pub ports: &'a PortArgs,
    /// The secret of its account; a new one if there is none.
    pub phrase: Option<&'a str>,
    /// Whether it gets session keys.
    pub validator: bool,
}

/// A folder, and whether its account was made just now.
pub struct Made {
    /// The folder.
    pub home: Home,
    /// Whether the account is new.
    pub is_new: bool,
}

impl Home {
    /// The one in this folder; `None` if nothing is there.
    pub fn open(path: &Path) -> Result<Option<Self>, Error> {
        let Some(network) = Network::read(path)? else {
            return Ok(None);
        };
        let path = fs::canonicalize(path).map_err(Error::file("open", path))?;
        Self::of(path, network).map(Some)
    }

    fn of(path: PathBuf, network: Network) -> Result<Self, Error> {
        match (network.joined.clone(), network.pcs.first().cloned()) {
            (Some(joined), Some(pc)) => Ok(Self {
                path,
                network,
                pc,
                joined,
            }),
            _ => Err(Error::NotJoined(path)),
        }
    }

    /// The ports that are wished for of what is there, and those that it has: RPC, node, HTTP and trainer.
    pub fn ports(before: Option<&Self>, wish: &Wish<'_>) -> [u16; 4] {
        layout::ports(before.map(|before| &before.pc), wish)
    }

    /// Refuses what can't be made there, before anything is. Returns what is there.
    pub fn check(path: &Path, wish: &Wish<'_>) -> Result<Option<Self>, Error> {
        let before = Self::open(path)?;
        if let Some(before) = before.as_ref().filter(|before| before.joined.id != wish.id) {
            return Err(Error::OtherNetwork {
                folder: path.into(),
                found: before.joined.id.clone(),
            });
        }
        let mut ports = Self::ports(before.as_ref(), wish);
        ports.sort_unstable();
        if let Some((port, _)) = ports.iter().zip(ports.iter().skip(1)).find(|(a, b)| a == b) {
            return Err(Error::PortTwice(*port));
        }
        if before.is_none() {
            is_for_us(path)?;
        }
        let absolute = std::path::absolute(path).map_err(Error::file("find", path))?;
        if absolute.to_str().is_none() {
            return Err(Error::NotUtf8(absolute));
        }
        let node = path.join(PC_FOLDER).join("node");
        keys::check_account(&keystore_in(&node, wish.id), wish.phrase)?;
        Ok(before)
    }

    /// The one in this folder, made if nothing is there, with what is asked for changed if something is.
    pub fn open_or_make(path: &Path, wish: &Wish<'_>) -> Result<Made, Error> {
        let before = Self::check(path, wish)?;
        files::make_folder(path)?;
        let path = fs::canonicalize(path).map_err(Error::file("open", path))?;
        let folder = path.join(PC_FOLDER);
        let node = folder.join("node");
        let (chain_folder, keys) = (chain_folder_in(&node, wish.id), keystore_in(&node, wish.id));
        let (account, is_new) = keys::make_account(&keys, wish.phrase)?;
        if wish.validator {
            keys::make_session_keys(&keys)?;
        }
        let identities = keys::make_identities(&folder, &chain_folder)?;
        let pc = layout::pc(
            folder,
            account,
            identities,
            before.as_ref().map(|before| &before.pc),
            wish,
        );
        let validator = !keystore::publics(&keys, Kind::Grandpa)?.is_empty();
        let joined = match before.map(|before| before.joined) {
            Some(joined) => Joined { validator, ..joined },
            None => Joined {
                id: wish.id.into(),
                validator,
                train: true,
                stake: "1".into(),
                bonded: false,
                size_class: None,
                room: None,
                p2p: P2p::default(),
            },
        };
        let home = Self::of(
            path.clone(),
            Network {
                disposable: false,
                chain: CHAIN_FILE.into(),
                base_port: pc.node.rpc_port,
                hydra_pid: 0,
                ready: false,
                joined: Some(joined),
                pcs: vec![pc],
            },
        )?;
        // The processes of an earlier start may still run.
        let home = home.change(|written, wanted| {
            wanted.hydra_pid = written.hydra_pid;
            wanted.ready = written.ready;
            for (wanted, written) in wanted.pcs.iter_mut().zip(&written.pcs) {
                wanted.node.pid = written.node.pid;
                wanted.trainer.pid = written.trainer.pid;
            }
        })?;
        Ok(Made { home, is_new })
    }

    /// Writes this over what is written, once `keep` has taken from that what is to stay.
    fn change(self, keep: impl FnOnce(&Network, &mut Network)) -> Result<Self, Error> {
        let _lock = self.lock_file(NETWORK_LOCK, true)?;
        let mut network = self.network;
        if let Some(written) = Network::read(&self.path)? {
            keep(&written, &mut network);
        }
        network.write(&self.path)?;
        Self::of(self.path, network)
    }

    /// Changes what is written.
    pub fn update(&self, change: impl FnOnce(&mut Network)) -> Result<(), Error> {
        self.clone()
            .change(|written, wanted| {
                *wanted = written.clone();
                change(wanted);
            })
            .map(drop)
    }

    /// Sees to it that the network's file is there. A copy, since the one that was named may be moved or change. Another one takes
    /// its place as long as no node has begun the chain by it: then a start with a wrong file failed.
    pub fn keep_spec(&self, file: &Path) -> Result<(), Error> {
        let bytes = fs::read(file).map_err(Error::file("read", file))?;
        let kept = self.chain_file();
        match fs::read(&kept) {
            Ok(before) if before == bytes => return Ok(()),
            Ok(before) if self.has_chain() && !spec::is_plain(&before) => {
                return Err(Error::OtherNetwork {
                    folder: self.path.clone(),
                    found: format!(
                        "described by another file, {} (leave --network out to go on with that one)",
                        kept.display()
                    ),
                });
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::file("read", kept)(error));
            }
            Ok(_) | Err(_) => {}
        }
        files::write(&kept, &bytes).map_err(Error::file("write", kept))
    }

    /// Whether its node has begun a database of the chain, of either kind.
    fn has_chain(&self) -> bool {
        let folder = self.chain_folder();
        ["paritydb", "db"].iter().any(|name| folder.join(name).exists())
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.path
    }

    /// The network's file.
    pub fn chain_file(&self) -> PathBuf {
        self.path.join(CHAIN_FILE)
    }

    /// What that says; `None` before there is one.
    pub fn spec(&self) -> Result<Option<Spec>, Error> {
        let file = self.chain_file();
        if fs::symlink_metadata(&file).is_err() {
            return Ok(None);
        }
        Spec::read(&file).map(Some)
    }

    /// The node's keys.
    pub fn keystore(&self) -> PathBuf {
        keystore_in(&self.pc.node.base_path, &self.joined.id)
    }

    /// The secret of the node's identity.
    pub fn node_key_file(&self) -> PathBuf {
        self.chain_folder().join("network").join("secret_ed25519")
    }

    fn chain_folder(&self) -> PathBuf {
        chain_folder_in(&self.pc.node.base_path, &self.joined.id)
    }

    /// The accounts whose keys are here: one, unless somebody put in another.
    pub fn accounts(&self) -> Result<Vec<AccountBytes>, Error> {
        keystore::publics(&self.keystore(), Kind::Account)
    }

    /// This PC's account, as far as it is known without the chain: the only one whose key is here.
    pub fn own_account(&self) -> Result<AccountBytes, Error> {
        let there = self.accounts()?;
        match there.as_slice() {
            [only] if accounts::address(only) == self.pc.account => Ok(*only),
            [_, _, ..] => Err(Error::SeveralKeys {
                keystore: self.keystore(),
                number: there.len(),
            }),
            _ => Err(Error::KeyGone {
                account: self.pc.account.clone(),
                keystore: self.keystore(),
            }),
        }
    }

    /// The key of one of them.
    pub fn key(&self, account: &AccountBytes) -> Result<Key, Error> {
        let keystore = self.keystore();
        let secret = keystore::secret(&keystore, Kind::Account, account)?;
        let key = Key::from_suri(&secret)
            .ok()
            .filter(|key| key.account() == *account);
        key.ok_or_else(|| Error::BadKey {
            path: keystore::path(&keystore, Kind::Account, account),
            reason: "it does not hold the secret phrase of the account that it names".into(),
        })
    }

    /// Held by the `hydra up` that runs this; `None` while another does.
    pub fn try_own(&self) -> Result<Option<File>, Error> {
        let lock = self.lock_file(UP_LOCK, false)?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(lock)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(Error::file("lock", self.path.join(UP_LOCK))(error)),
        }
    }

    fn lock_file(&self, name: &str, wait: bool) -> Result<File, Error> {
        let path = self.path.join(name);
        let mut options = File::options();
        let options = options.write(true).create(true).truncate(false);
        let lock = options.open(&path).map_err(Error::file("write", &path))?;
        if wait {
            lock.lock().map_err(Error::file("lock", path))?;
        }
        Ok(lock)
    }
}

/// Where a node with this base path files what is of this network.
fn chain_folder_in(node: &Path, id: &str) -> PathBuf {
    node.join("chains").join(id)
}

/// Its keys there.
fn keystore_in(node: &Path, id: &str) -> PathBuf {
    chain_folder_in(node, id).join("keystore")
}

/// Refuses a folder that holds anything but what an earlier start may have left there: it is somebody's.
fn is_for_us(path: &Path) -> Result<(), Error> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(Error::NotAFolder(path.into()));
        }
        Err(error) => return Err(Error::file("open", path)(error)),
    };
    let ours = [UP_LOCK, NETWORK_LOCK, NETWORK_FILE, CHAIN_FILE, PC_FOLDER];
    for entry in entries {
        let name = entry.map_err(Error::file("open", path))?.file_name();
        // A file that was being written when this was killed, too.
        let is_ours = |name: &str| ours.contains(&name) || name.starts_with(".tmp");
        if !name.to_str().is_some_and(is_ours) {
            return Err(Error::NotOurFolder {
                folder: path.into(),
                found: name.to_string_lossy().into(),
            });
        }
    }
    Ok(())
}

/// Notes that this PC's part of a network is in this folder, and says so where other commands have to be told: they can be, so
/// failing is no failure.
pub fn note(path: &Path) {
    let Some(data) = files::data_home() else { return };
    let why = match network::remember_joined(&data, path).map(|()| named_or_only(None)) {
        Ok(Ok(meant)) if meant.path == path => return,
        Ok(Ok(meant)) => format!("without it they mean the PC in {}", meant.path.display()),
        Ok(Err(_)) => "another PC runs here, too".into(),
        Err(error) => format!("it can't be noted: {error}"),
    };
    output::note(&format!(
        "other commands need --base-path {} ({why})",
        shell::word(path)
    ));
}

#[cfg(test)]
#[path = "home_tests.rs"]
mod tests;
