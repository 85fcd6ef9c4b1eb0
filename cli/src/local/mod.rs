//! `hydra demo`: a local network of PCs on this machine.
//!
//! Starts a node and a trainer per PC, shows how they are doing, and stops every one of them however it ends itself.
//! It must never leave a process behind, and never start one on a port that another program uses. What a network is and
//! where it is written down is in [`crate::network`], for every command.

mod made;
mod pcs;
mod plan;
pub mod process;
pub mod programs;
pub mod progress;
pub mod stop;
pub mod watch;

use std::{path::Path, time::Duration};
use tokio::{
    sync::watch as channel,
    time::{Instant, sleep_until, timeout},
};

use crate::{
    args::DemoArgs,
    browser::Browser,
    error::Error,
    files,
    network::{self, Network, Pc},
    output,
    report::rounds::Report,
};
use pcs::{Running, Runs, another_death, describe, stop_all, wait_until_ready};
use plan::{check_ports, own, plan, prepare, register, what_runs};
use programs::Programs;
use progress::{Display, Snapshot};
use stop::Stop;

/// How long the table of rounds may take to be read in the end.
const TABLE_PATIENCE: Duration = Duration::from_secs(20);

/// Runs the command.
pub async fn demo(args: DemoArgs, json: bool) -> Result<(), Error> {
    // Before anything is started, so that no signal is ever missed.
    let mut stop = Stop::new()?;
    let programs = Programs::find(&args)?;
    let (base_path, mut network) = plan(&args, network::condition, |pc| check_ports(pc, Runs::default()))?;
    let _owner = own(&args, &base_path)?;
    let chosen: Vec<Pc> = match &args.only {
        Some(name) => vec![network.pc(name)?.clone()],
        None => network.pcs.clone(),
    };
    let mut planned = Vec::new();
    for pc in chosen {
        // One PC is added to what runs; a whole network is started as a whole.
        let runs = match &args.only {
            Some(_) => what_runs(&pc)?,
            None => Runs::default(),
        };
        check_ports(&pc, runs)?;
        planned.push((pc, runs));
    }
    for (pc, _) in &planned {
        prepare(pc)?;
    }
    output::note(&format!("local network in {}", base_path.display()));
    if network.pcs.len() == 2 {
        output::note(
            "two of the network's four validators can't finalise blocks: start three or four for that",
        );
    }

    let mut pcs = Vec::new();
    for (pc, runs) in &planned {
        pcs.push(Running::start(pc, *runs, &network, &programs)?);
    }
    network = register(&base_path, network, &pcs, false)?;
    remember(&base_path);
    tokio::select! {
        ready = wait_until_ready(&pcs) => ready?,
        () = stop.asked() => {
            stop_all(&pcs, &mut stop).await;
            return finish(&args, &[], None, json);
        }
    }
    network = register(&base_path, network, &pcs, true)?;
    if let Some(Running { pc, .. }) = pcs.first() {
        let dashboard = format!("{}/", pc.trainer.http_url);
        output::note(&format!(
            "{} ready; dashboard at {dashboard}; RPC at {}; Ctrl-C stops everything",
            describe(&pcs),
            pc.node.rpc_url,
        ));
        Browser::find(args.no_browser, json).open(&dashboard);
    }

    let outcome = watch(&args, &base_path, &network, &pcs, &mut stop).await;
    let rounds = match &outcome {
        // Whatever became of the goal, the table shows how far it got.
        Ok(_) | Err(Error::Timeout { .. } | Error::Interrupted { .. }) => {
            let runs = |pc: &&Running| pc.node.as_ref().is_none_or(|node| node.ended().is_none());
            let running = pcs.iter().filter(runs);
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

/// The last words of a run that was not in vain: `reached` says what the goal was reached with, if there was one.
fn finish(args: &DemoArgs, reports: &[Report], reached: Option<String>, json: bool) -> Result<(), Error> {
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
    args: &DemoArgs,
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
    let mut reported = vec![false; pcs.iter().flat_map(Running::children).count()];
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
                        let pc = pcs.iter().find(|pc| pc.children().any(|own| own.who() == child.who()));
                        let pc = pc.map_or("", |running| running.pc.name.as_str());
                        output::note(&format!(
                            "{} {exit}; the others go on; to start it again: hydra demo --only {pc} --base-path {}; its log {} \
                             ends with:\n{}",
                            child.who(), base_path.display(), child.log().display(), child.tail()
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

struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Notes where the newest network is, so that other commands find it. They can be told, so failing is no failure.
fn remember(base_path: &Path) {
    let Some(home) = files::data_home() else { return };
    if let Err(error) = network::remember(&home, base_path) {
        output::note(&format!(
            "other commands need --base-path {} ({} can't be written: {error})",
            base_path.display(),
            home.display()
        ));
    }
}
