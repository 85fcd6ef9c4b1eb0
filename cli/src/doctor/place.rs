//! Which network of this PC is looked at, and which PC of it: running or not, since what doesn't run is what a person asks
//! about.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    check::{Check, State, Topic},
    process,
};
use crate::{
    args::DoctorArgs,
    error::Error,
    files,
    home::Home,
    network::{self, Condition, NETWORK_FILE, Network, Newest, Pc},
};

/// What there is to look at.
pub enum Found {
    /// A network.
    Here(Box<Subject>),
    /// This PC takes part in none.
    Nothing,
    /// One is meant, and can't be looked at.
    Unusable(Check),
}

/// A PC of a network.
pub struct Subject {
    /// The network's folder, by its canonical path.
    pub folder: PathBuf,
    /// The network.
    pub network: Network,
    /// The PC.
    pub pc: Pc,
    /// More about it, if it is one in a network with others.
    pub home: Option<Home>,
}

impl Subject {
    /// Whether the `hydra` that runs it is there, so that what doesn't run is missed.
    pub fn is_up(&self) -> bool {
        network::alive(self.network.hydra_pid)
    }

    /// Whether it is to train.
    pub fn trains(&self) -> bool {
        self.home.as_ref().is_none_or(|home| home.joined.train)
    }

    /// The command that starts it again.
    pub fn again(&self) -> String {
        self.network.place(&self.folder).again_only(&self.pc.name)
    }
}

/// Looks for it.
pub fn find(args: &DoctorArgs) -> Found {
    let newest = match &args.base_path {
        Some(path) => match Network::read(path) {
            Ok(Some(network)) => Newest::There(path.clone(), Box::new(network)),
            Ok(None) => {
                return Found::Unusable(Check::fault(
                    Topic::Network,
                    format!("there is no network in {}", path.display()),
                    "name the folder that holds network.json: the new one if it was moved",
                ));
            }
            Err(error) => return Found::Unusable(Check::of(Topic::Network, State::Fault, &error)),
        },
        None => match usual() {
            Ok(newest) => newest,
            Err(error) => return Found::Unusable(Check::of(Topic::Network, State::Fault, &error)),
        },
    };
    match newest {
        Newest::There(folder, network) => match subject(folder, *network, args.pc.as_deref()) {
            Ok(subject) => Found::Here(Box::new(subject)),
            Err(error @ Error::NoSuchPc { .. }) => Found::Unusable(Check::fault(
                Topic::Network,
                error.to_string(),
                "name one of those with --pc",
            )),
            Err(error) => Found::Unusable(Check::of(Topic::Network, State::Fault, &error)),
        },
        Newest::Gone(folder) => Found::Unusable(gone(&folder)),
        Newest::None => Found::Nothing,
    }
}

/// What is to be thought of a network that this PC takes part in and whose folder isn't there.
fn gone(folder: &Path) -> Check {
    let moved = "if the folder was moved, name the new one with --base-path; starting the network there once makes it known";
    let todo = match files::data_home() {
        Some(data) => format!(
            "{moved}; if it was deleted on purpose, `rm {}`",
            network::joined_file(&data).display()
        ),
        None => moved.into(),
    };
    Check::fault(
        Topic::Network,
        format!(
            "this PC's network is no longer in {}, or its network.json can't be read",
            folder.display()
        ),
        todo,
    )
}

/// The network that is meant when none is named: a local one that runs, else the one with others, else the newest local one. It
/// is asked about what doesn't run, so a local network that was stopped must not hide the other.
fn usual() -> Result<Newest, Error> {
    let Some(data) = files::data_home() else {
        return Ok(Newest::None);
    };
    let newest = network::newest(&data);
    if newest.runs() {
        return Ok(newest);
    }
    Ok(match (network::joined(&data)?, newest) {
        // Nobody misses a local network that was deleted.
        (Newest::None, Newest::Gone(_)) => Newest::None,
        (Newest::None, newest) => newest,
        (joined, _) => joined,
    })
}

fn subject(folder: PathBuf, mut network: Network, pc: Option<&str>) -> Result<Subject, Error> {
    let folder = fs::canonicalize(&folder).map_err(Error::file("open", folder))?;
    process::forget_earlier(&mut network, &folder.join(NETWORK_FILE));
    let home = match network.joined {
        Some(_) => Home::open(&folder)?,
        None => None,
    };
    let runs = |pc: &&Pc| network::condition(pc) == Condition::Runs;
    let pc = match pc {
        Some(name) => Some(network.pc(name)?),
        None => network.pcs.iter().find(runs).or(network.pcs.first()),
    };
    let pc = pc.cloned().ok_or_else(|| Error::NoNetwork(folder.clone()))?;
    Ok(Subject {
        folder,
        network,
        pc,
        home,
    })
}
