//! What has to be right before the first program of a local network is started: its folder, its ports, its secrets, and
//! that its goal can be reached.

use hydra_host::Holder;
use std::{
    fs::{self, File, TryLockError},
    io,
    net::{TcpListener, UdpSocket},
    path::{Path, PathBuf},
};

use super::{
    made,
    pcs::{Running, Runs},
    process::Child,
};
use crate::{
    accounts,
    args::DemoArgs,
    error::{Error, PortUse},
    files,
    network::{self, Condition, DEFAULT_BASE_PORT, Layout, MAX_PCS, Network, Part, Pc},
    output,
};

/// Where the network is and what it looks like: as it was, if the folder holds one already. `condition` says how a PC is,
/// `check` whether its ports are free: looked at before a folder is made, which would stay.
pub fn plan(
    args: &DemoArgs,
    condition: impl Fn(&Pc) -> Condition,
    check: impl Fn(&Pc) -> Result<(), Error>,
) -> Result<(PathBuf, Network), Error> {
    match (&args.base_path, &args.only) {
        // One PC joins the others where they are, so nothing about the network may change.
        (Some(path), Some(name)) => {
            let network = local(path)?.ok_or_else(|| Error::NoNetwork(path.clone()))?;
            let path = told(path)?;
            let joins = network.pc(name)?;
            let others = network.pcs.iter().filter(|pc| pc.name != joins.name);
            let running = others.filter(|pc| condition(pc) == Condition::Runs).count() + 1;
            check_goal(args, running, network.validators())?;
            Ok((path, network))
        }
        (Some(path), None) => {
            let before = local(path)?;
            // The same folder is the same network, of as many PCs.
            let pcs = before.as_ref().map(|network| network.pcs.len());
            let pcs = args.pcs.or(pcs.and_then(|pcs| u8::try_from(pcs).ok()));
            let base_port = args
                .base_port
                .or(before.as_ref().map(|network| network.base_port));
            let layout = |path: PathBuf| {
                Layout::new(
                    path,
                    pcs.unwrap_or(MAX_PCS),
                    base_port.unwrap_or(DEFAULT_BASE_PORT),
                )
                .network()
            };
            let planned = layout(path.clone());
            check_goal(args, planned.pcs.len(), planned.validators())?;
            match before {
                Some(before) if before.chain != planned.chain => {
                    return Err(Error::OtherChain {
                        folder: path.clone(),
                        pcs: before.pcs.len(),
                    });
                }
                _ => {}
            }
            if before.is_none() {
                is_for_us(path)?;
                planned.pcs.iter().try_for_each(&check)?;
            }
            let path = folder(path)?;
            Ok((path.clone(), layout(path)))
        }
        (None, _) => {
            let base_port = args.base_port.unwrap_or(DEFAULT_BASE_PORT);
            let layout = |path: PathBuf| Layout::new(path, args.pcs.unwrap_or(MAX_PCS), base_port).network();
            let planned = layout(PathBuf::new());
            check_goal(args, planned.pcs.len(), planned.validators())?;
            planned.pcs.iter().try_for_each(check)?;
            let home = files::data_home().ok_or(Error::NoDataHome)?;
            let home_error = |source| Error::DataHome {
                path: home.clone(),
                source,
            };
            // Before another is made: without disk space nothing could be.
            let tidied = made::tidy(&home);
            if tidied.deleted > 0 {
                output::note(&format!(
                    "deleted the data of {} earlier {} (name a --base-path to keep it)",
                    tidied.deleted,
                    if tidied.deleted == 1 {
                        "network"
                    } else {
                        "networks"
                    }
                ));
            }
            for (folder, reason) in tidied.left {
                output::note(&format!(
                    "the earlier network in {} can't be deleted ({reason}): delete it by hand",
                    folder.display()
                ));
            }
            let path = folder(&made::fresh_folder(&home)).map_err(|error| match error {
                Error::File { source, .. } => home_error(source),
                error => error,
            })?;
            let network = Network {
                disposable: true,
                ..layout(path.clone())
            };
            Ok((path, network))
        }
    }
}

/// The local network in this folder, if there is one. This PC's part of a network with others is none.
fn local(path: &Path) -> Result<Option<Network>, Error> {
    let network = Network::read(path)?;
    if network.as_ref().is_some_and(|network| network.joined.is_some()) {
        return Err(Error::NotLocal(path.into()));
    }
    Ok(network)
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
    let ours = |name: &str| {
        let mut pcs = accounts::DEVELOPMENT.iter();
        [made::UP_LOCK, network::NETWORK_LOCK].contains(&name) || pcs.any(|pc| pc.eq_ignore_ascii_case(name))
    };
    for entry in entries {
        let name = entry.map_err(Error::file("open", path))?.file_name();
        if !name.to_str().is_some_and(ours) {
            return Err(Error::NotOurFolder {
                folder: path.into(),
                found: name.to_string_lossy().into(),
            });
        }
    }
    Ok(())
}

/// A folder for a whole network, made if it isn't there.
fn folder(path: &Path) -> Result<PathBuf, Error> {
    let absolute = std::path::absolute(path).map_err(Error::file("find", path))?;
    if absolute.to_str().is_none() {
        return Err(Error::NotUtf8(absolute));
    }
    files::make_folder(path)?;
    told(path)
}

/// A network's folder as node, trainer and every file about the network are told of it, in JSON, too.
fn told(path: &Path) -> Result<PathBuf, Error> {
    let path = fs::canonicalize(path).map_err(Error::file("open", path))?;
    match path.to_str() {
        Some(_) => Ok(path),
        None => Err(Error::NotUtf8(path)),
    }
}

/// Refuses a goal that a network without finality can't reach: only what is final counts.
fn check_goal(args: &DemoArgs, running: usize, validators: usize) -> Result<(), Error> {
    // GRANDPA needs more than two thirds.
    let needed = validators * 2 / 3 + 1;
    if args.until_accuracy.is_some() && running < needed {
        return Err(Error::GoalOutOfReach {
            running,
            validators,
            needed,
        });
    }
    Ok(())
}

/// What of a PC runs already: whoever starts it again needs only the rest.
pub fn what_runs(pc: &Pc) -> Result<Runs, Error> {
    let runs = Runs {
        node: network::condition(pc) == Condition::Runs,
        trainer: network::trainer_listens(pc),
    };
    match runs {
        Runs {
            node: true,
            trainer: true,
        } => Err(Error::PcRuns { pc: pc.title() }),
        runs => Ok(runs),
    }
}

/// Refuses a port that is in use, before anything is started.
pub fn check_ports(pc: &Pc, runs: Runs) -> Result<(), Error> {
    for (part, port, what) in pc.ports() {
        let runs = match part {
            Part::Node => runs.node,
            Part::Trainer => runs.trainer,
        };
        if runs {
            continue;
        }
        match TcpListener::bind(("127.0.0.1", port)) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                let by = used_by(pc, hydra_host::port_holder(port));
                return Err(Error::PortTaken { port, what, by });
            }
            // Anything else the program itself will report better.
            _ => {}
        }
    }
    // Trainers reach each other by UDP, too.
    let port = pc.trainer.p2p_port;
    let bound = UdpSocket::bind(("127.0.0.1", port));
    if !runs.trainer && bound.is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse) {
        return Err(Error::PortTaken {
            port,
            what: format!("{}'s trainer to reach other trainers by UDP", pc.title()),
            by: used_by(pc, hydra_host::udp_port_holder(port)),
        });
    }
    Ok(())
}

fn used_by(pc: &Pc, holder: Option<Holder>) -> PortUse {
    let Some(holder) = holder else {
        return PortUse::Unseen;
    };
    match network::own_part(pc, &holder) {
        Some(part) => PortUse::Own {
            part: format!("{part} of {}", pc.title()),
            holder,
        },
        None => PortUse::Other(holder),
    }
}

/// Makes a PC's folders and secrets.
pub fn prepare(pc: &Pc) -> Result<(), Error> {
    for folder in [&pc.folder, &pc.node.base_path, &pc.trainer.base_path] {
        fs::create_dir_all(folder).map_err(Error::file("make", folder))?;
    }
    // A new key's secret is 32 bytes from the operating system's random generator.
    let random = libp2p_identity::ed25519::SecretKey::generate();
    let token: &[u8; 32] = random
        .as_ref()
        .try_into()
        .expect("an ed25519 secret has 32 bytes");
    let token_file = &pc.trainer.token_file;
    files::write_secret_once(token_file, token).map_err(Error::file("write", token_file))?;
    let index = accounts::DEVELOPMENT
        .iter()
        .position(|name| name.eq_ignore_ascii_case(&pc.name));
    let key = network::trainer_key(index.and_then(|index| u8::try_from(index).ok()).unwrap_or(0));
    files::write_secret_once(&pc.trainer.key_file, &key).map_err(Error::file("write", &pc.trainer.key_file))
}

/// Writes `network.json` with the processes that were started; another `hydra demo --only` may be doing the same.
pub fn register(base_path: &Path, network: Network, pcs: &[Running], ready: bool) -> Result<Network, Error> {
    let path = base_path.join(network::NETWORK_LOCK);
    let lock = lock_file(&path)?;
    lock.lock().map_err(Error::file("lock", &path))?;
    let only_some = pcs.len() < network.pcs.len();
    let mut network = match Network::read(base_path)? {
        Some(written) if only_some => written,
        _ => network,
    };
    if !only_some {
        network.hydra_pid = std::process::id();
        network.ready = ready;
    }
    for running in pcs {
        if let Some(pc) = network.pcs.iter_mut().find(|pc| pc.name == running.pc.name) {
            pc.node.pid = running.node.as_ref().map_or(pc.node.pid, Child::pid);
            pc.trainer.pid = running.trainer.as_ref().map_or(pc.trainer.pid, Child::pid);
        }
    }
    network.write(base_path)?;
    Ok(network)
}

/// Makes sure that nobody else runs this network: its file would name processes that aren't there. The lock goes with
/// the process, however that ends.
pub fn own(args: &DemoArgs, base_path: &Path) -> Result<Option<File>, Error> {
    if args.only.is_some() {
        return Ok(None);
    }
    let path = base_path.join(made::UP_LOCK);
    let lock = lock_file(&path)?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(TryLockError::WouldBlock) => Err(Error::AlreadyUp(base_path.into())),
        Err(TryLockError::Error(error)) => Err(Error::file("lock", path)(error)),
    }
}

/// Opens a file to be locked, whatever it holds.
fn lock_file(path: &Path) -> Result<File, Error> {
    let mut options = File::options();
    let options = options.write(true).create(true).truncate(false);
    options.open(path).map_err(Error::file("write", path))
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
