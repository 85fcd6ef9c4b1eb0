//! `hydra doctor`: looks at this PC and at what runs on it, and names what is wrong, each with what to do.
//!
//! It must never write, pay or change anything, never ask anybody outside of this PC, and never wait longer than a few seconds
//! for what is silent, nor than twenty for a node that answers slowly. Each look gives a [`check::Check`]; [`page`] shows them.
//! What can only be measured is judged by pure functions, so that tests can judge faults that no test can make.

pub mod check;
mod folder;
mod libtorch;
mod node;
pub mod page;
mod pc;
mod place;
mod ports;
mod process;
mod programs;
mod secrets;
mod trainer;

pub use node::KNOWN_RULES;

use hydra_arithmetic::Level;
use std::path::PathBuf;

use crate::{args::DoctorArgs, error::Error, exit::ExitCode, files, machine, network, output, report};
use check::{Check, State, Topic};
use page::Report;
use place::{Found, Subject};
use programs::{Programs, Versioned};

/// Runs the command. Faults are its result, not its failure.
pub async fn run(args: DoctorArgs, json: bool) -> Result<ExitCode, Error> {
    let report = look(&args).await;
    if json {
        output::json(&report)?;
    } else {
        output::data(&report.text())?;
    }
    Ok(match report.faults {
        0 => ExitCode::Done,
        _ => ExitCode::Fault,
    })
}

/// Looks at everything.
async fn look(args: &DoctorArgs) -> Report {
    let found = place::find(args);
    let subject = match &found {
        Found::Here(subject) => Some(&**subject),
        Found::Nothing | Found::Unusable(_) => None,
    };
    let programs = Programs::find(args);
    let (versions, libtorch, node, trainer) = tokio::join!(
        programs.versions(),
        library(&programs),
        async {
            match subject {
                Some(subject) => Some(node::ask(subject).await),
                None => None,
            }
        },
        async {
            match subject {
                Some(subject) => Some(trainer::ask(subject).await),
                None => None,
            }
        },
    );
    let facts = node.as_ref().and_then(|node| node.as_ref().ok());
    let slot = facts.map(|facts| facts.slot);
    let status = trainer.as_ref().and_then(|trainer| trainer.as_ref().ok());

    let mut checks = of_pc(subject);
    let clock = facts.and_then(|facts| facts.clock.as_ref());
    checks.push(pc::clock(
        clock.and_then(|clock| clock.warning.as_deref()),
        report::clock::offset_ms(clock, status),
        facts.and_then(|facts| facts.block_age),
    ));
    let mut running = subject.map(replaced).unwrap_or_default();
    let said = [
        ("the node", facts.map(|facts| facts.version.clone())),
        ("the trainer", status.map(|status| status.version.clone())),
    ];
    running.extend(said.into_iter().filter_map(|(who, version)| {
        Some(Versioned {
            who: who.into(),
            version: Ok(version?),
        })
    }));
    checks.extend(programs::look(&programs, &versions, &running));
    let (check, folder) = libtorch.unzip();
    checks.extend(check);
    checks.extend(environment(subject, folder.flatten()));
    checks.extend(secrets::wallet(&args.keys));
    let subject = match found {
        Found::Here(subject) => subject,
        Found::Nothing => {
            checks.push(Check::new(
                Topic::Network,
                State::Unknown,
                "this PC takes part in no network",
                "join one with `hydra up --network FILE`, or start a local one with `hydra demo`",
            ));
            return Report::new(None, checks);
        }
        Found::Unusable(check) => {
            checks.push(check);
            return Report::new(None, checks);
        }
    };
    checks.extend(of_network(&subject));
    let around = node::Around::of(&subject);
    match node {
        Some(Ok(facts)) => {
            let node = &subject.pc.node;
            let found = match process::of_port(node.rpc_port, node.pid) {
                0 => format!("version {}", facts.version),
                pid => format!("version {}, process {pid}", facts.version),
            };
            checks.push(Check::ok(Topic::Node, found));
            checks.extend(node::judge(&facts, around));
        }
        Some(Err(check)) => checks.push(check),
        None => {}
    }
    // Only a node that knows the newest blocks has something to say to its trainer.
    let knows_newest = checks
        .iter()
        .any(|check| check.check == Topic::Sync && check.state == State::Ok);
    match trainer {
        Some(Ok(status)) => {
            let slot = slot.filter(|_| knows_newest);
            checks.extend(trainer::judge(&status, around, slot, subject.pc.node.p2p_port));
        }
        Some(Err(check)) => checks.push(check),
        None => {}
    }
    checks.extend(other_pcs(&subject));
    Report::new(Some((subject.folder.clone(), subject.pc.name.clone())), checks)
}

/// This PC, whatever runs on it.
fn of_pc(subject: Option<&Subject>) -> Vec<Check> {
    let trains = subject.is_none_or(Subject::trains);
    let folder = subject
        .map(|subject| subject.folder.clone())
        .or_else(files::data_home)
        .unwrap_or_default();
    let disk = match machine::free_mib(&folder) {
        Ok(free) => pc::disk(free),
        Err(error) => Check::of(Topic::Disk, State::Unknown, &error),
    };
    vec![
        pc::processor(machine::cores(), Level::best(), trains),
        pc::memory(machine::memory()),
        disk,
    ]
}

/// What is in the network's folder, and who has its ports.
fn of_network(subject: &Subject) -> Vec<Check> {
    let mut checks = folder::look(subject);
    if let Some(home) = &subject.home {
        checks.push(folder::network_file(home));
        checks.extend(secrets::keys(home));
    }
    checks.extend(secrets::identities(subject));
    checks.extend(ports::look(subject));
    checks
}

/// The library of the worker, if there is a worker.
async fn library(programs: &Programs) -> Option<(Check, Option<PathBuf>)> {
    match programs.worker.as_ref().filter(|worker| worker.is_file()) {
        Some(worker) => Some(libtorch::look(worker).await),
        None => None,
    }
}

/// What of this program's environment and of the running trainer's brings in other libraries.
fn environment(subject: Option<&Subject>, libtorch: Option<PathBuf>) -> Vec<Check> {
    let libtorch = libtorch.as_deref();
    let ours = libtorch::variables_of(std::process::id());
    let mut checks = libtorch::environment("this shell", &ours, libtorch);
    let running = subject.filter(|subject| network::trainer_runs(&subject.pc));
    if let Some(subject) = running {
        let pid = subject.pc.trainer.pid;
        let theirs = libtorch::variables_of(pid);
        let whose = format!("the trainer (process {pid})");
        checks.extend(libtorch::environment(&whose, &theirs, libtorch));
    }
    if checks.is_empty() {
        let found = "nothing that changes how programs load";
        checks.push(Check::ok(Topic::Environment, found));
    }
    checks
}

/// Programs of this PC that run, and were replaced on the disk meanwhile.
fn replaced(subject: &Subject) -> Vec<Versioned> {
    let pc = &subject.pc;
    let parts = [
        (
            "the node",
            pc.node.pid,
            network::condition(pc) == network::Condition::Runs,
        ),
        ("the trainer", pc.trainer.pid, network::trainer_runs(pc)),
    ];
    parts
        .into_iter()
        .filter(|(_, pid, runs)| *runs && programs::is_replaced(*pid))
        .map(|(who, pid, _)| Versioned {
            who: format!("{who} (process {pid})"),
            version: Err("its program was replaced since it was started".into()),
        })
        .collect()
}

/// What has ended of a local network that runs, beside the PC that was looked at.
fn other_pcs(subject: &Subject) -> Vec<Check> {
    let runs = |pc: &network::Pc| network::condition(pc) == network::Condition::Runs;
    if subject.home.is_some() || !subject.is_up() && !subject.network.pcs.iter().any(runs) {
        return Vec::new();
    }
    let others = network::Network {
        pcs: subject
            .network
            .pcs
            .iter()
            .filter(|pc| pc.name != subject.pc.name)
            .cloned()
            .collect(),
        ..subject.network.clone()
    };
    network::stopped(&others, &subject.folder)
        .iter()
        .map(|sentence| match sentence.split_once(": ") {
            Some((found, todo)) => Check::warning(Topic::OtherPcs, found, todo),
            None => Check::warning(Topic::OtherPcs, sentence, subject.again()),
        })
        .collect()
}
