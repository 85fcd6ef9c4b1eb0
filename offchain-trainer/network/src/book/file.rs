//! The book on disk: JSON, written as a whole beside the old one and then put in its place, so that it is never half of anything.
//!
//! What is read is checked as what a stranger says is: a hostile or damaged file is no more than an empty one.

use super::{Book, Entry, MOST_ADDRESSES, Source};
use crate::{house::House, scope::Scope};
use libp2p::{Multiaddr, PeerId};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::Path,
    sync::PoisonError,
};

/// So many peers are written at the most.
pub(super) const MOST_WRITTEN: usize = 1000;
/// The largest file that is read, in bytes: more than the most that is ever written.
const LARGEST: u64 = 8 << 20;
/// How the file is written, so that a later version can tell.
const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
struct Written {
    version: u32,
    peers: Vec<Line>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    peer: String,
    addresses: Vec<String>,
    /// When a connection last stood that we made: seconds since 1970.
    #[serde(default)]
    reached: Option<u64>,
    #[serde(default)]
    failures: u32,
    #[serde(default)]
    capabilities: u32,
}

impl Book {
    /// Reads the file, if there is one.
    pub(super) fn read(&self) {
        let Some(path) = self.0.path.as_deref() else {
            return;
        };
        match load(path) {
            Ok(Some(written)) => {
                for line in written.peers.into_iter().take(MOST_WRITTEN).rev() {
                    self.take_line(line);
                }
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(
                file = %path.display(),
                "the remembered peers can't be read, and are found anew: {error}"
            ),
        }
    }

    fn take_line(&self, line: Line) {
        let Ok(peer) = line.peer.parse::<PeerId>() else {
            return;
        };
        let addresses = line.addresses.iter().take(MOST_ADDRESSES);
        // The best is written first, and what was learnt last is believed most.
        let addresses = addresses
            .rev()
            .filter_map(|address| address.parse::<Multiaddr>().ok());
        for address in addresses {
            self.learn(peer, [address], Source::Memory);
        }
        if let Some(entry) = self.lock().peers.get_mut(&peer) {
            entry.reached = line.reached;
            entry.failures = line.failures;
            entry.capabilities = line.capabilities;
        }
    }

    /// Writes the file, if there is something new and somewhere to write it. Blocks; one that can't be written is said so in the log.
    pub(crate) fn save(&self) {
        let Some(path) = self.0.path.as_deref() else {
            return;
        };
        let _alone = self.0.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let written = {
            let mut table = self.lock();
            if !std::mem::take(&mut table.changed) {
                return;
            }
            let mut entries: Vec<(&PeerId, &Entry)> = table.peers.iter().collect();
            // The most useful first.
            entries.sort_by_key(|(_, entry)| std::cmp::Reverse((entry.reached, entry.worth())));
            let lines = entries
                .into_iter()
                .filter_map(|(peer, entry)| line(peer, entry, &self.0.house));
            Written {
                version: VERSION,
                peers: lines.take(MOST_WRITTEN).collect(),
            }
        };
        if let Err(error) = store(path, &written) {
            self.lock().changed = true;
            tracing::warn!(file = %path.display(), "the remembered peers can't be written: {error}");
        }
    }

    /// Whether there is something to write.
    pub(crate) fn is_changed(&self) -> bool {
        self.0.path.is_some() && self.lock().changed
    }
}

/// Only what will be believed when it is read: what was merely said of a local network may be another one by then.
fn line(peer: &PeerId, entry: &Entry, house: &House) -> Option<Line> {
    let addresses = entry.best_first(house).filter(|known| {
        let local = matches!(Scope::of(&known.address), Some(Scope::Private | Scope::Loopback));
        !local || known.source >= Source::Neighbour
    });
    let addresses: Vec<String> = addresses.map(|known| known.address.to_string()).collect();
    (!addresses.is_empty()).then(|| Line {
        peer: peer.to_string(),
        addresses,
        reached: entry.reached,
        failures: entry.failures,
        capabilities: entry.capabilities,
    })
}

fn load(path: &Path) -> io::Result<Option<Written>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::other(format!("it has more than {LARGEST} bytes")));
    }
    let written: Written = serde_json::from_slice(&bytes).map_err(io::Error::other)?;
    if written.version != VERSION {
        return Err(io::Error::other(format!("it is of version {}", written.version)));
    }
    Ok(Some(written))
}

fn store(path: &Path, written: &Written) -> io::Result<()> {
    let bytes = serde_json::to_vec_pretty(written).map_err(io::Error::other)?;
    let beside = path.with_extension("json.new");
    let mut file = File::create(&beside)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(beside, path)
}
