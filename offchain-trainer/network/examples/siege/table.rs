//! Puts them side by side.

use crate::{
    Outcome, attacks, lies,
    process::{Running, Taken},
};
use hydra_blobs::BlobStore;
use std::{path::Path, process::ExitCode, thread, time::Duration};

/// Bytes of the blob.
const SIZE: usize = 32 << 20;
/// Honest transfers must go on at this part of their speed at least.
const HALF: f64 = 0.5;

/// What one of them came to.
struct Row {
    what: &'static str,
    speed: f64,
    memory: f64,
    descriptors: usize,
    cpu: f64,
    written: f64,
    banned: usize,
    end: String,
}

pub fn run(dir: &Path, seconds: u64) -> Outcome<ExitCode> {
    let folder = tempfile::tempdir_in(dir)?;
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let store = BlobStore::open(at("given"))?;
    let mut bytes = vec![0; SIZE];
    blake3::Hasher::new()
        .update(b"siege")
        .finalize_xof()
        .fill(&mut bytes);
    store.put(&bytes)?;
    let mut besieged = Running::start(&["besieged", &at("given")])?;
    let ready = besieged.said("ready ")?;
    let (honest, hostile) = ready.split_once(' ').ok_or("it has two addresses")?;

    let mut unpunished = Vec::new();
    eprintln!("in peace");
    let peace = giving("nobody", &mut besieged, &at("peace"), seconds, honest, None)?;
    let mut rows = Vec::new();
    for kind in attacks::KINDS {
        eprintln!("while somebody {}", kind.what);
        let attack = Running::start(&["attack", kind.name, hostile])?;
        let row = giving(
            kind.what,
            &mut besieged,
            &at(kind.name),
            kind.seconds(seconds),
            honest,
            Some(attack),
        )?;
        eprintln!("  {:.0} MB/s; {}", row.speed / 1e6, row.end);
        unpunished.extend((kind.banned && row.banned == 0).then_some(kind.what));
        rows.push(row);
    }
    let quiet = getting("nobody", &at("quiet"), seconds, &[honest.to_owned()], vec![])?;
    let mut lied = Vec::new();
    for kind in lies::KINDS {
        eprintln!("while 3 of 4 providers {}", kind.what);
        let mut liars = Vec::new();
        let mut providers = vec![honest.to_owned()];
        for _ in 0..3 {
            let mut liar = Running::start(&["lie", kind.name, hostile])?;
            providers.push(liar.said("ready ")?);
            liars.push(liar);
        }
        let row = getting(kind.what, &at(kind.name), seconds, &providers, liars)?;
        eprintln!("  {:.0} MB/s; {}", row.speed / 1e6, row.end);
        unpunished.extend((kind.banned && row.banned < 3).then_some(kind.what));
        lied.push(row);
    }

    print("who gives, while somebody", &peace, &rows);
    print("who gets, while 3 of 4 providers", &quiet, &lied);
    let slow = |peace: &Row, rows: &[Row]| {
        let slow = rows.iter().filter(|row| row.speed < HALF * peace.speed);
        slow.map(|row| row.what).collect::<Vec<_>>()
    };
    let slow = [slow(&peace, &rows), slow(&quiet, &lied)].concat();
    if !slow.is_empty() {
        eprintln!(
            "siege: honest transfers were slower than half beside: {}",
            slow.join("; ")
        );
    }
    if !unpunished.is_empty() {
        eprintln!(
            "siege: nobody was banned, or not all liars, who: {}",
            unpunished.join("; ")
        );
    }
    Ok(match slow.is_empty() && unpunished.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// An honest one gets what `besieged` gives, during an attack; what `besieged` takes meanwhile.
fn giving(
    what: &'static str,
    besieged: &mut Running,
    dir: &str,
    seconds: u64,
    ready: &str,
    mut attack: Option<Running>,
) -> Outcome<Row> {
    let names = match attack.as_mut() {
        Some(attack) => attack.said("ready")?,
        None => String::new(),
    };
    besieged.forget_the_most()?;
    let before = besieged.taken()?;
    let time = seconds.to_string();
    let mut getter = Running::start(&["get", dir, &time, ready])?;
    let (got, most) = watched(&mut getter, besieged)?;
    let after = besieged.taken()?;
    let (mut end, mut banned) = (String::new(), 0);
    if let Some(attack) = attack.as_mut() {
        attack.tell_to_end();
        end = attack.said("ended")?;
        let answer = besieged.asked("banned", &names)?;
        let mut answer = answer.split(' ');
        let mut next = || answer.next().ok_or("it says too little");
        let (peers, times, others) = (next()?, next()?, next()?);
        if others != "0" {
            return Err(format!("{others} were banned who had done nothing, while somebody {what}").into());
        }
        banned = peers.parse()?;
        if banned > 0 {
            end += &format!("; {peers} banned, {times} times");
        }
    }
    Ok(Row {
        what,
        speed: got.0 / got.1,
        memory: most.memory,
        descriptors: most.descriptors,
        cpu: (after.cpu - before.cpu) / got.1,
        written: after.written - before.written,
        banned,
        end,
    })
}

/// An honest one gets a blob from several providers; what it takes itself.
fn getting(
    what: &'static str,
    dir: &str,
    seconds: u64,
    providers: &[String],
    liars: Vec<Running>,
) -> Outcome<Row> {
    let time = seconds.to_string();
    let mut args = vec!["get", dir, &time];
    args.extend(providers.iter().map(String::as_str));
    let mut getter = Running::start(&args)?;
    let out = getter.said("got ")?;
    let taken = getter.taken()?;
    let got = numbers(&out)?;
    let end = match liars.len() {
        0 => String::new(),
        all => format!("{} of {all} banned, {} times", got.2, got.3),
    };
    Ok(Row {
        what,
        speed: got.0 / got.1,
        memory: taken.memory,
        descriptors: taken.descriptors,
        cpu: taken.cpu / got.1,
        // All that came is written, and deleted.
        written: 0.0,
        banned: got.2,
        end,
    })
}

/// What the getter says in the end, and the most that `besieged` took meanwhile.
fn watched(getter: &mut Running, besieged: &Running) -> Outcome<(Got, Taken)> {
    thread::scope(|scope| {
        let said = scope.spawn(|| getter.said("got "));
        let mut most = Taken::default();
        while !said.is_finished() {
            let now = besieged.taken()?;
            most = Taken {
                memory: now.memory.max(most.memory),
                descriptors: now.descriptors.max(most.descriptors),
                ..now
            };
            thread::sleep(Duration::from_millis(100));
        }
        let said = said.join().map_err(|_| "the getter's reader panicked")??;
        Ok((numbers(&said)?, most))
    })
}

/// Bytes, seconds, banned liars, and how often they were banned.
type Got = (f64, f64, usize, usize);

fn numbers(said: &str) -> Outcome<Got> {
    let mut numbers = said.split_whitespace();
    let mut next = || numbers.next().ok_or("it says too little");
    Ok((
        next()?.parse()?,
        next()?.parse()?,
        next()?.parse()?,
        next()?.parse()?,
    ))
}

fn print(who: &str, peace: &Row, rows: &[Row]) {
    println!(
        "| {who} … | honest transfer | of that in peace | memory, most | descriptors, most | processors | written | in the end |\n\
         |---|---|---|---|---|---|---|---|"
    );
    for row in std::iter::once(peace).chain(rows) {
        println!(
            "| {} | {:.0} MB/s | {:.2} | {:.0} MiB | {} | {:.2} | {:.1} MiB | {} |",
            row.what,
            row.speed / 1e6,
            row.speed / peace.speed,
            row.memory,
            row.descriptors,
            row.cpu,
            row.written,
            row.end
        );
    }
    println!();
}
