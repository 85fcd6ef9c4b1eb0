//! `hydra up`: a local network of PCs on this machine.
//!
//! Starts a node and a trainer per PC, shows how they are doing, and stops every one of them however it ends itself.
//! It must never leave a process behind, and never start one on a port that another program uses.

pub mod layout;
pub mod process;
pub mod progress;
pub mod watch;

use std::{
    fs::{self, File, TryLockError},
    io,
    net::TcpListener,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch as channel,
    time::{Instant, sleep, sleep_until, timeout},
};

use crate::{args::UpArgs, chain::Chain, error::Error, files, output, rounds::Report, trainer::Trainer};
use layout::{DEFAULT_BASE_PORT, Layout, Network, Pc};
use process::Child;
use progress::{Display, Snapshot};

/// How long a PC may take until it answers.
const START_PATIENCE: Duration = Duration::from_secs(120);
/// How often a starting program is tried: there is no event for "a program begins to listen".
const TRY_EVERY: Duration = Duration::from_millis(100);
/// How long the table of rounds may take to be read in the end.
const TABLE_PATIENCE: Duration = Duration::from_secs(20);
/// The file that names the newest local network's folder.
const NEWEST: &str = "newest-network";

/// The folder of the local network that was started last.
pub fn newest_network(data_home: &Path) -> Option<PathBuf> {
    let path = fs::read_to_string(data_home.join(NEWEST)).ok()?;
    let path = PathBuf::from(path.trim_end_matches('\n'));
    path.is_absolute().then_some(path)
}

/// Runs the command.
pub async fn up(args: UpArgs, json: bool) -> Result<(), Error> {
    // Before anything is started, so that no signal is ever missed.
    let mut stop = Stop::new()?;
    let programs = Programs::find(&args)?;
    let (base_path, mut network) = plan(&args)?;
    let _owner = own(&args, &base_path)?;
    let chosen: Vec<Pc> = match &args.only {
        Some(name) => vec![network.pc(name)?.clone()],
        None => network.pcs.clone(),
    };
    for pc in &chosen {
        check_ports(pc)?;
        prepare(pc)?;
    }
    output::note(&format!("local network in {}", base_path.display()));
    if network.pcs.len() == 2 {
        output::note(
            "two of the network's four validators can't finalise blocks: start three or four for that",
        );
    }

    let mut pcs = Vec::new();
    for pc in &chosen {
        pcs.push(Running::start(pc, &network, &programs)?);
    }
    network = register(&base_path, network, &pcs, false)?;
    tokio::select! {
        ready = wait_until_ready(&pcs) => ready?,
        () = stop.asked() => {
            stop_all(&pcs, &mut stop).await;
            return finish(&args, &[], None, json);
        }
    }
    network = register(&base_path, network, &pcs, true)?;
    remember(&base_path);
    let first = chosen
        .first()
        .map(|pc| pc.node.rpc_url.as_str())
        .unwrap_or_default();
    output::note(&format!(
        "{} ready; RPC at {first}; Ctrl-C stops everything",
        describe(&pcs)
    ));

    let outcome = watch(&args, &base_path, &network, &pcs, &mut stop).await;
    let rounds = match &outcome {
        // Whatever became of the goal, the table shows how far it got.
        Ok(_) | Err(Error::Timeout { .. } | Error::Interrupted { .. }) => {
            let running = pcs.iter().filter(|pc| pc.node.ended().is_none());
            let urls: Vec<String> = running.map(|pc| pc.pc.node.rpc_url.clone()).collect();
            tokio::select! {
                rounds = timeout(TABLE_PATIENCE, watch::rounds(&urls)) => rounds.unwrap_or_else(|_| Err(Error::NoTable {
                    reason: format!("no node answered within {} s", TABLE_PATIENCE.as_secs()),
                })),
                () = stop.asked() => Err(Error::NoTable { reason: "interrupted".into() }),
            }
        }
        Err(_) => Ok(Vec::new()),
    };
    stop_all(&pcs, &mut stop).await;
    let reports = |rounds: &[watch::RoundsOf]| -> Vec<Report> {
        let report = |(model, rounds): &watch::RoundsOf| Report::new(*model, rounds);
        rounds.iter().map(report).collect()
    };
    match (outcome, rounds) {
        (Ok(reached), Ok(rounds)) => finish(&args, &reports(&rounds), reached, json),
        (Ok(_), Err(error)) => Err(error),
        (Err(error), rounds) => {
            print(&reports(&rounds.unwrap_or_default()), json)?;
            Err(error)
        }
    }
}

/// Makes sure that nobody else runs this network: its file would name processes that aren't there. The lock goes with
/// the process, however that ends.
fn own(args: &UpArgs, base_path: &Path) -> Result<Option<File>, Error> {
    if args.only.is_some() {
        return Ok(None);
    }
    let path = base_path.join("up.lock");
    let lock = File::create(&path).map_err(Error::file("write", &path))?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(TryLockError::WouldBlock) => Err(Error::AlreadyUp(base_path.into())),
        Err(TryLockError::Error(error)) => Err(Error::file("lock", path)(error)),
    }
}

/// The last words of a run that was not in vain: `reached` says what the goal was reached with, if there was one.
fn finish(args: &UpArgs, reports: &[Report], reached: Option<String>, json: bool) -> Result<(), Error> {
    print(reports, json)?;
    match (args.until_accuracy, reached) {
        (Some(goal), Some(seen)) => {
            output::note(&format!("the goal of {goal} is reached: {seen}"));
            Ok(())
        }
        (Some(goal), None) => Err(Error::Interrupted {
            goal,
            seen: "it was still starting".into(),
        }),
        (None, _) => Ok(()),
    }
}

fn print(reports: &[Report], json: bool) -> Result<(), Error> {
    if json {
        return output::json(&reports);
    }
    let text: Vec<String> = reports.iter().map(Report::text).collect();
    if text.is_empty() {
        Ok(())
    } else {
        output::data(&text.join("\n"))
    }
}

/// Watches until the goal is reached (and says with what), the time is over, or someone wants it to end.
async fn watch(
    args: &UpArgs,
    base_path: &Path,
    network: &Network,
    pcs: &[Running],
    stop: &mut Stop,
) -> Result<Option<String>, Error> {
    let (sender, mut changes) = channel::channel(None);
    // Our own PCs first: with --only, the others may be gone.
    let own = pcs.iter().map(|pc| pc.pc.node.rpc_url.clone());
    let mut urls: Vec<String> = own.collect();
    let others = network.pcs.iter().map(|pc| pc.node.rpc_url.clone());
    urls.extend(others.filter(|url| !pcs.iter().any(|pc| pc.pc.node.rpc_url == *url)));
    let follower = tokio::spawn(watch::follow(urls, network.accounts(), sender));
    let _follower = AbortOnDrop(follower);

    let deadline = Instant::now() + Duration::from_secs(args.timeout);
    let mut display = Display::default();
    let mut reported = vec![false; pcs.len() * 2];
    let mut last = Snapshot::default();
    loop {
        tokio::select! {
            () = stop.asked() => {
                display.release();
                return match args.until_accuracy {
                    Some(goal) => Err(Error::Interrupted { goal, seen: last.summary() }),
                    None => Ok(None),
                };
            }
            () = sleep_until(deadline), if args.until_accuracy.is_some() => {
                return Err(Error::Timeout {
                    seconds: args.timeout,
                    goal: args.until_accuracy.unwrap_or_default(),
                    seen: last.summary(),
                    logs: base_path.into(),
                });
            }
            changed = changes.changed() => {
                if changed.is_err() {
                    return Err(Error::AllGone(base_path.into()));
                }
                let Some(snapshot) = changes.borrow_and_update().clone() else { continue };
                display.show(&snapshot);
                last = snapshot;
                if args.until_accuracy.is_some_and(|goal| last.reached(goal)) {
                    return Ok(Some(last.summary()));
                }
            }
            () = another_death(pcs, &reported) => {
                for (child, reported) in pcs.iter().flat_map(Running::children).zip(&mut reported) {
                    if let (Some(exit), false) = (child.ended(), *reported) {
                        *reported = true;
                        display.release();
                        output::note(&format!(
                            "{} {exit}; the others go on; its log {} ends with:\n{}",
                            child.who(), child.log().display(), child.tail()
                        ));
                    }
                }
                if reported.iter().all(|dead| *dead) {
                    return Err(Error::AllGone(base_path.into()));
                }
            }
        }
    }
}

/// Waits until a child ends whose end was not reported yet.
async fn another_death(pcs: &[Running], reported: &[bool]) {
    let waits: Vec<_> = pcs
        .iter()
        .flat_map(Running::children)
        .zip(reported)
        .filter(|(_, reported)| !**reported)
        .map(|(child, _)| Box::pin(child.wait()))
        .collect();
    if waits.is_empty() {
        std::future::pending::<()>().await;
    }
    futures::future::select_all(waits).await;
}

/// One PC's processes.
struct Running {
    pc: Pc,
    node: Child,
    trainer: Child,
}

impl Running {
    fn start(pc: &Pc, network: &Network, programs: &Programs) -> Result<Self, Error> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let trainer = Child::start(
            format!("{}'s trainer", pc.title()),
            &programs.trainer,
            pc.trainer_arguments(network, &programs.dataset, cores),
            &pc.trainer.log,
        )?;
        let node = Child::start(
            format!("{}'s node", pc.title()),
            &programs.node,
            pc.node_arguments(network),
            &pc.node.log,
        )?;
        Ok(Self {
            pc: pc.clone(),
            node,
            trainer,
        })
    }

    fn children(&self) -> [&Child; 2] {
        [&self.node, &self.trainer]
    }

    /// Waits until node and trainer answer; an engine that fails is reported, for the node runs all the same.
    async fn ready(&self) -> Result<(), Error> {
        let deadline = Instant::now() + START_PATIENCE;
        let trainer = Trainer::new(self.pc.trainer.http_port, None)?;
        let node = answering(&self.node, deadline, async || {
            Chain::connect(&self.pc.node.rpc_url).await.ok().map(drop)
        });
        let engine = answering(&self.trainer, deadline, async || {
            trainer
                .status()
                .await
                .ok()
                .filter(|status| status.engine.state != "starting")
        });
        let ((), status) = futures::future::try_join(node, engine).await?;
        if status.engine.state != "ready" {
            output::note(&format!(
                "{} can't train ({}); its log is {}",
                self.trainer.who(),
                status.engine.reason.as_deref().unwrap_or(&status.engine.state),
                self.trainer.log().display()
            ));
        }
        Ok(())
    }
}

/// Asks again and again until there is an answer, the program ends, or patience does.
async fn answering<T>(
    child: &Child,
    deadline: Instant,
    ask: impl AsyncFn() -> Option<T>,
) -> Result<T, Error> {
    let answer = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            sleep(TRY_EVERY).await;
        }
    };
    tokio::select! {
        answer = answer => Ok(answer),
        exit = child.wait() => Err(Error::DiedAtStart {
            who: child.who().into(),
            exit: exit.to_string(),
            log: child.log().into(),
            tail: child.tail(),
        }),
        () = sleep_until(deadline) => Err(Error::NotReady {
            who: child.who().into(),
            seconds: START_PATIENCE.as_secs(),
            log: child.log().into(),
            tail: child.tail(),
        }),
    }
}

async fn wait_until_ready(pcs: &[Running]) -> Result<(), Error> {
    futures::future::try_join_all(pcs.iter().map(Running::ready))
        .await
        .map(drop)
}

/// Stops everything in order; asked again meanwhile, kills it.
async fn stop_all(pcs: &[Running], stop: &mut Stop) {
    if pcs
        .iter()
        .flat_map(Running::children)
        .any(|child| child.ended().is_none())
    {
        output::note("stopping …");
    }
    let all = futures::future::join_all(pcs.iter().flat_map(Running::children).map(Child::stop));
    tokio::select! {
        _ = all => {}
        // Dropping the children kills them.
        () = stop.asked() => {}
    }
}

fn describe(pcs: &[Running]) -> String {
    let names: Vec<String> = pcs.iter().map(|pc| pc.pc.title()).collect();
    match names.as_slice() {
        [name] => format!("{name} is"),
        names => format!("{} are", names.join(", ")),
    }
}

/// Signals that ask this program to end.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
    /// The terminal was closed. `None` when whoever started this said to go on then (`nohup`).
    hangup: Option<Signal>,
}

impl Stop {
    fn new() -> Result<Self, Error> {
        let listen = |kind| signal(kind).map_err(Error::file("listen to signals in", "/proc/self"));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: if hangup_is_ignored() {
                None
            } else {
                Some(listen(SignalKind::hangup())?)
            },
        })
    }

    async fn asked(&mut self) {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => drop(hangup.recv().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            () = hangup => {}
        }
    }
}

/// Whether this program was started with SIGHUP ignored. A handler of our own would undo that.
fn hangup_is_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // Bit 0 is signal 1.
    mask.is_some_and(|mask| mask & 1 == 1)
}

struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The programs and the data that PCs are started with.
struct Programs {
    node: PathBuf,
    trainer: PathBuf,
    dataset: PathBuf,
}

impl Programs {
    fn find(args: &UpArgs) -> Result<Self, Error> {
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

/// Where the network is and what it looks like: as it was, if the folder holds one already.
fn plan(args: &UpArgs) -> Result<(PathBuf, Network), Error> {
    let base_path = match &args.base_path {
        Some(path) => path.clone(),
        None => fresh_folder(&files::data_home().ok_or(Error::NoDataHome)?),
    };
    if args.only.is_none() {
        fs::create_dir_all(&base_path).map_err(Error::file("make", &base_path))?;
    } else if !base_path.is_dir() {
        return Err(Error::NoNetwork(base_path));
    }
    let base_path = fs::canonicalize(&base_path).map_err(Error::file("open", &base_path))?;
    let before = Network::read(&base_path)?;
    if args.only.is_some() {
        // One PC joins the others where they are, so nothing about the network may change.
        let network = before.ok_or_else(|| Error::NoNetwork(base_path.clone()))?;
        return Ok((base_path, network));
    }
    let base_port = args
        .base_port
        .or(before.map(|network| network.base_port))
        .unwrap_or(DEFAULT_BASE_PORT);
    let network = Layout::new(base_path.clone(), args.local, base_port).network();
    Ok((base_path, network))
}

/// A folder nobody has used, named after the moment so that they sort.
fn fresh_folder(data_home: &Path) -> PathBuf {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |now| now.as_secs());
    data_home
        .join("local")
        .join(format!("{seconds}-{}", std::process::id()))
}

/// Refuses a port that is in use, before anything is started.
fn check_ports(pc: &Pc) -> Result<(), Error> {
    for (port, what) in pc.ports() {
        match TcpListener::bind(("127.0.0.1", port)) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                return Err(Error::PortTaken { port, what });
            }
            // Anything else the program itself will report better.
            _ => {}
        }
    }
    Ok(())
}

/// Makes a PC's folders and secrets.
fn prepare(pc: &Pc) -> Result<(), Error> {
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
    let index = crate::accounts::DEVELOPMENT
        .iter()
        .position(|name| name.eq_ignore_ascii_case(&pc.name));
    let key = layout::trainer_key(index.and_then(|index| u8::try_from(index).ok()).unwrap_or(0));
    files::write_secret_once(&pc.trainer.key_file, &key).map_err(Error::file("write", &pc.trainer.key_file))
}

/// Writes `network.json` with the processes that were started; another `hydra up --only` may be doing the same.
fn register(base_path: &Path, network: Network, pcs: &[Running], ready: bool) -> Result<Network, Error> {
    let path = base_path.join("network.lock");
    let lock = File::create(&path).map_err(Error::file("write", &path))?;
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
            pc.node.pid = running.node.pid();
            pc.trainer.pid = running.trainer.pid();
        }
    }
    network.write(base_path)?;
    Ok(network)
}

/// Notes where the newest network is, so that other commands find it. They can be told, so failing is no failure.
fn remember(base_path: &Path) {
    let Some(home) = files::data_home() else { return };
    let written = fs::create_dir_all(&home).and_then(|()| {
        files::write_atomically(
            &home.join(NEWEST),
            format!("{}\n", base_path.display()).as_bytes(),
        )
    });
    if let Err(error) = written {
        output::note(&format!(
            "other commands need --base-path {} ({} can't be written: {error})",
            base_path.display(),
            home.join(NEWEST).display()
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(base_path: &Path) -> UpArgs {
        UpArgs {
            local: 4,
            only: None,
            base_path: Some(base_path.into()),
            until_accuracy: None,
            timeout: 1,
            base_port: None,
            datasets: None,
            node: None,
            trainer: None,
        }
    }

    #[test]
    fn a_folder_used_before_keeps_its_ports() {
        let folder = tempfile::tempdir().unwrap();
        let with_port = UpArgs {
            base_port: Some(20_000),
            ..args(folder.path())
        };
        let (path, network) = plan(&with_port).unwrap();
        network.write(&path).unwrap();
        assert_eq!(plan(&args(folder.path())).unwrap().1.base_port, 20_000);
    }

    #[test]
    fn a_network_is_run_by_one_program_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = own(&args(folder.path()), folder.path()).unwrap();
        let second = own(&args(folder.path()), folder.path());
        assert!(matches!(second, Err(Error::AlreadyUp(_))));
        drop(first);
        assert!(own(&args(folder.path()), folder.path()).unwrap().is_some());
    }

    #[test]
    fn one_pc_needs_a_network_to_join() {
        let folder = tempfile::tempdir().unwrap();
        let only = UpArgs {
            only: Some("bob".into()),
            ..args(folder.path())
        };
        assert!(matches!(plan(&only), Err(Error::NoNetwork(_))));
    }

    #[test]
    fn a_taken_port_is_named_with_its_use_and_the_option_that_changes_it() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port().min(layout::LAST_BASE_PORT);
        let network = Layout::new("/base".into(), 1, port).network();
        if port == taken.local_addr().unwrap().port() {
            let error = check_ports(&network.pcs[0]).unwrap_err().to_string();
            assert!(
                error.contains(&format!("port {port} (for Alice's RPC)")),
                "{error}"
            );
            assert!(error.contains("--base-port"));
        }
    }

    #[test]
    fn secrets_are_made_once_and_differ_between_pcs() {
        let folder = tempfile::tempdir().unwrap();
        let network = Layout::new(folder.path().into(), 2, 20_000).network();
        network.pcs.iter().for_each(|pc| prepare(pc).unwrap());
        let token = |pc: usize| {
            files::read_secret(&network.pcs[pc].trainer.token_file)
                .unwrap()
                .unwrap()
        };
        let (alice, bob) = (token(0), token(1));
        assert_ne!(alice, bob);
        prepare(&network.pcs[0]).unwrap();
        assert_eq!(token(0), alice);
        let key = files::read_secret(&network.pcs[1].trainer.key_file).unwrap();
        assert_eq!(key, Some(layout::trainer_key(1)));
    }

    #[test]
    fn the_newest_network_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(newest_network(folder.path()), None);
        fs::write(folder.path().join(NEWEST), "/some/where\n").unwrap();
        assert_eq!(newest_network(folder.path()), Some("/some/where".into()));
    }

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
