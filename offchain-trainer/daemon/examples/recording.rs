//! How long the trainer waits for its disk: for a finding to be recorded, for a blob's record, alone and with many at a time, and for
//! the database to be opened when it is large.
//!
//!     recording [DIR]     where DIR is on the disk in question

use std::{
    env,
    error::Error,
    fs::{self, File},
    io::Write,
    path::PathBuf,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use hydra_primitives::{
    H256, content_hash,
    poll::{Finding, Opening},
};
use hydra_trainer::database::{Database, Kind, Tag};

/// Recordings of each kind.
const TIMES: u64 = 500;
/// Records of a large database: a year of a busy PC.
const LARGE: u64 = 100_000;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args_os().nth(1).map_or_else(env::temp_dir, PathBuf::from);
    let base = folder.join(format!("recording-{}", std::process::id()));
    fs::create_dir_all(&base)?;
    let measured = measure(&base);
    fs::remove_dir_all(&base)?;
    measured
}

fn measure(base: &std::path::Path) -> Result<(), Box<dyn Error>> {
    println!("| what | median | 99 of 100 |\n|---|---|---|");
    let database = Arc::new(Database::open(base)?);
    let mut times = Vec::new();
    let mut file = File::create(base.join("file"))?;
    for _ in 0..TIMES {
        let began = Instant::now();
        file.write_all(&[1; 150])?;
        file.sync_data()?;
        times.push(began.elapsed());
    }
    tell(
        "for comparison: 150 bytes written to a file, and synced",
        &mut times,
    );
    for n in 0..TIMES {
        let began = Instant::now();
        database.found(name(n), opening(n))?;
        times.push(began.elapsed());
    }
    tell("a finding", &mut times);
    for n in 0..TIMES {
        let began = Instant::now();
        database.note(name(n), tag(n))?;
        times.push(began.elapsed());
    }
    tell("a blob's record", &mut times);
    for n in 0..TIMES {
        let began = Instant::now();
        database.note(name(n), tag(n))?;
        times.push(began.elapsed());
    }
    tell("one that is there", &mut times);
    let threads: Vec<_> = (1..=32)
        .map(|thread| {
            let database = database.clone();
            thread::spawn(move || {
                let one = |n: u64| {
                    let began = Instant::now();
                    database.note(name(thread * 1_000_000 + n), tag(n))?;
                    Ok(began.elapsed())
                };
                (0..TIMES / 10)
                    .map(one)
                    .collect::<Result<Vec<_>, hydra_trainer::database::DatabaseError>>()
            })
        })
        .collect();
    for thread in threads {
        times.extend(thread.join().map_err(|_| "a thread panicked")??);
    }
    tell("a blob's record, 32 at a time", &mut times);
    for n in 0..LARGE {
        database.stored(name(n), tag(n), 20_000);
    }
    let began = Instant::now();
    database.write_all()?;
    println!("| {LARGE} records in one write | {} | |", shown(began.elapsed()));
    database.close()?;
    let size = fs::metadata(base.join("trainer.redb"))?.len();
    let began = Instant::now();
    let database = Database::open(base)?;
    println!(
        "| opening {:.1} MB | {} | |",
        size as f64 / 1e6,
        shown(began.elapsed())
    );
    let began = Instant::now();
    database.note(name(u64::MAX), tag(0))?;
    println!("| a blob's record among them | {} | |", shown(began.elapsed()));
    Ok(())
}

fn tell(what: &str, times: &mut Vec<Duration>) {
    times.sort_unstable();
    let at = |part: usize| shown(times.get(times.len() * part / 100).copied().unwrap_or_default());
    println!("| {what} | {} | {} |", at(50), at(99));
    times.clear();
}

fn shown(time: Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1e3)
}

fn name(n: u64) -> H256 {
    content_hash(&n.to_le_bytes())
}

fn opening(n: u64) -> Opening {
    Opening {
        finding: Finding::Update(name(n)),
        witness: name(n),
    }
}

fn tag(n: u64) -> Option<Tag> {
    Some(Tag {
        genesis: H256::zero(),
        model: 0,
        kind: Kind::Update,
        number: u32::try_from(n).unwrap_or(u32::MAX),
    })
}
