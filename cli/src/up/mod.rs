//! `hydra up`: this PC in a network with others, from its first start to training, and `down` and `logs` beside it.
//!
//! It must never leave a process behind that it started, never run a folder that another `hydra up` runs, and never lose
//! what it waited for: it may be killed anywhere and goes on from there.
//!
//! Start with `step`, which decides what is next; `driver` does it, `asides` says what is to be said beside it, `keeper` keeps the
//! programs running.

mod asides;
mod backoff;
mod down;
mod driver;
mod event;
mod facts;
mod faucet;
mod join;
mod keeper;
mod logs;
mod machine;
mod news;
mod step;
mod words;

pub use down::{Down, down};
pub use event::{Event, Told};
pub use logs::{Line, logs};
pub use step::{ENOUGH_FEES, FEES};

use std::{fs::File, path::PathBuf};

use crate::{
    amount,
    args::UpArgs,
    browser::Browser,
    error::Error,
    home::{self, Home, Made, Wish},
    keys::terminal,
    keystore::{self, Kind},
    local::{self, programs, stop::Stop},
    network::Part,
    output,
    room::Room,
    spec::Spec,
};
use driver::Driver;
use event::Say;
use faucet::Faucet;
use keeper::Keeper;
use machine::{Machine, wait_for_ports};

/// Runs the command.
pub async fn up(args: UpArgs, json: bool) -> Result<(), Error> {
    if let Some(demo) = args.demo() {
        return local::demo(demo, json).await;
    }
    let say = Say::new(json);
    let node = programs::node(args.node.as_deref())?;
    let trainer = programs::trainer(args.trainer.as_deref())?;
    let datasets = programs::datasets(&args.datasets)?;
    let (room, home, _lock) = prepare(&args, say).await?;
    let spec = home.spec()?.ok_or(Error::NoNetworkYet)?;
    if spec.learns_digits && !datasets.has_digits {
        output::note(
            "a model of this network learns from the digits, which aren't beside this program: unless this PC or another has \
             them already, nobody trains it. Name the folder with --datasets",
        );
    }
    // Before anything is started, so that no signal is ever missed.
    let mut stop = Stop::new()?;
    wait_for_ports(&home).await?;
    say.tell(&Event::Network {
        name: spec.name.clone(),
        id: spec.id.clone(),
        folder: home.path.clone(),
    });
    let arguments = home.trainer_arguments(&spec, &datasets.folders);
    let node = Keeper::new(&home, Part::Node, node, home.node_arguments(), say);
    let trainer = Keeper::new(&home, Part::Trainer, trainer, arguments, say);
    let stake = amount::parse(&home.joined.stake).unwrap_or(0);
    let faucet = args.faucet.map(|url| Faucet::new(url, say));
    let browser = Browser::find(args.no_browser, json);
    let mut driver = Driver::new(&home, room, stake, faucet, say, browser);
    let ended = tokio::select! {
        () = stop.asked() => Ok(()),
        ended = driver.drive() => ended.map(|never| match never {}),
        ended = node.keep() => ended.map(|never| match never {}),
        ended = trainer.keep() => ended.map(|never| match never {}),
    };
    say.tell(&Event::Stopping);
    tokio::select! {
        // The trainer first: the node goes on without it, and has a last block to make.
        () = async { trainer.stop().await; node.stop().await } => {}
        // Asked again meanwhile: dropping the children kills them.
        () = stop.asked() => {}
    }
    drop((node, trainer));
    home.update(|network| {
        network.hydra_pid = 0;
        network.ready = false;
    })?;
    if ended.is_ok() {
        say.tell(&Event::Stopped);
    }
    ended
}

/// This PC's folder, made if it isn't there, with what is wanted now, and locked.
async fn prepare(args: &UpArgs, say: Say) -> Result<(Room, Home, File), Error> {
    let (path, id) = which(args)?;
    let before = Home::open(&path)?;
    let machine = Machine::look(&path)?;
    let before_joined = before.as_ref().map(|home| &home.joined);
    let [size_class, tasks] = [
        args.size_class
            .or(before_joined.and_then(|joined| joined.size_class)),
        args.room.or(before_joined.and_then(|joined| joined.room)),
    ];
    let room = Room::of(machine.memory_mib, machine.cores)
        .with(machine.level)
        .or(size_class, tasks);
    say.tell(&machine.event(room));
    // Where nobody can be asked, that it was started is the answer: nothing is owed before coins are sent here.
    if before.is_none() && !args.yes && terminal::is_there() {
        let question = format!("Make this PC part of the network {id}, in {}?", path.display());
        terminal::consent(&question, false).await?;
    }
    let locked = |home: &Home| home.try_own()?.ok_or_else(|| Error::UpRuns(home.path.clone()));
    // Before its ports or anything else are changed under whoever runs it.
    let lock = before.as_ref().map(locked).transpose()?;
    let phrase = args.phrase_file.as_deref().map(home::read_phrase).transpose()?;
    let wish = Wish {
        id: &id,
        name: args.name.as_deref(),
        ports: &args.ports,
        phrase: phrase.as_ref().map(|phrase| phrase.as_str()),
        validator: false,
    };
    let p2p = before_joined.map(|joined| joined.p2p.clone()).unwrap_or_default();
    let p2p = p2p.with(&args.p2p)?;
    if let Some(wss) = &p2p.wss
        && Home::ports(before.as_ref(), &wish).contains(&wss.port)
    {
        return Err(Error::PortTwice(wss.port));
    }
    let Made { home, is_new } = Home::open_or_make(&path, &wish)?;
    let lock = match lock {
        Some(lock) => lock,
        None => locked(&home)?,
    };
    if let Some(file) = &args.network {
        home.keep_spec(file)?;
    }
    home.update(|network| {
        network.hydra_pid = std::process::id();
        network.ready = false;
        if let Some(joined) = &mut network.joined {
            joined.train = (joined.train || args.train) && !args.no_train;
            (joined.size_class, joined.room) = (size_class, tasks);
            joined.p2p = p2p;
            if let Some(stake) = args.stake {
                joined.stake = amount::exact(stake);
                joined.bonded = false;
            }
        }
    })?;
    let home = Home::open(&home.path)?.ok_or(Error::NoNetworkYet)?;
    // Before anything is waited for: from now on it runs for `hydra down` and all others.
    home::note(&home.path);
    if let Some(account) = home.accounts()?.first() {
        say.tell(&Event::Account {
            address: home.pc.account.clone(),
            is_new,
            key_file: keystore::path(&home.keystore(), Kind::Account, account),
        });
    }
    Ok((room, home, lock))
}

/// The folder that is meant, and the network's id.
fn which(args: &UpArgs) -> Result<(PathBuf, String), Error> {
    let base_path = args.base_path.as_deref();
    match &args.network {
        Some(file) => {
            let id = Spec::read_to_join(file)?.id;
            Ok((home::folder_of(&id, base_path)?, id))
        }
        None => {
            let home = home::named_or_only(base_path)?;
            // Its keys are made, and the network isn't founded yet.
            home.spec()?.ok_or(Error::NoNetworkYet)?;
            Ok((home.path, home.joined.id))
        }
    }
}
