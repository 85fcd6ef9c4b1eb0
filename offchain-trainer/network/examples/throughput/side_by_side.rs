//! One after another, several times over, so that what slows the computer down for a while slows all of them.

use crate::{
    Outcome,
    process::{self, Provider},
};
use hydra_blobs::BlobStore;
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

pub struct Options {
    /// Bytes of the blob.
    pub size: u64,
    pub runs: usize,
    /// Where the files are: what is measured includes writing them there.
    pub dir: PathBuf,
    /// Other programs: name and path.
    pub others: Vec<(String, PathBuf)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            size: 1 << 30,
            runs: 3,
            dir: std::env::temp_dir(),
            others: Vec::new(),
        }
    }
}

/// What is measured.
struct Way {
    name: String,
    program: PathBuf,
    provide: &'static str,
    get: &'static str,
    /// One store or file for each provider.
    from: Vec<String>,
}

#[derive(Default)]
struct Measured {
    speeds: Vec<f64>,
    /// KiB: of the provider that took most, and of who got it.
    memory: (u64, u64),
}

pub fn run(options: &Options) -> Outcome {
    let dir = tempfile::Builder::new()
        .prefix("throughput-")
        .tempdir_in(&options.dir)?;
    let stores = stores(dir.path(), options.size, 8)?;
    let blob = {
        let store = BlobStore::open(&stores[0])?;
        let hash = store.hashes()?.into_iter().next().ok_or("no blob")?;
        store.path(hash).display().to_string()
    };
    let own = std::env::current_exe()?;
    let way = |name: &str, provide, get, from: &[String]| Way {
        name: name.into(),
        program: own.clone(),
        provide,
        get,
        from: from.to_vec(),
    };
    let file = [blob];
    let mut ways = vec![
        way("plain TCP, sendfile", "plain-provide", "plain-get", &file),
        way("same transport, unverified", "raw-provide", "raw-get", &file),
    ];
    for count in [1, 2, 4, 8] {
        let name = format!(
            "/hydra/blob/2, {count} provider{}",
            if count == 1 { "" } else { "s" }
        );
        ways.push(way(&name, "provide", "get", &stores[..count]));
    }
    for (name, program) in &options.others {
        ways.push(Way {
            name: name.clone(),
            program: program.clone(),
            provide: "provide",
            get: "get",
            from: file.to_vec(),
        });
    }
    let mut all: Vec<Measured> = ways.iter().map(|_| Measured::default()).collect();
    for run in 1..=options.runs {
        for (way, measured) in ways.iter().zip(&mut all) {
            measure(way, options.size, dir.path(), measured)
                .map_err(|error| format!("{}: {error}", way.name))?;
            eprintln!(
                "run {run} of {}: {}: {:.0} MB/s",
                options.runs,
                way.name,
                measured.speeds[run - 1]
            );
        }
    }
    let unverified = median(&all[1].speeds);
    println!(
        "A blob of {} MiB, from process to process; the median of {} runs:",
        options.size >> 20,
        options.runs
    );
    println!();
    println!(
        "| | MB/s | slowest and fastest | of unverified | memory of a provider | memory of who gets it |"
    );
    println!("|---|---|---|---|---|---|");
    for (way, Measured { speeds, memory }) in ways.iter().zip(&all) {
        let speed = median(speeds);
        let (slowest, fastest) = speeds
            .iter()
            .fold((f64::MAX, 0.0f64), |(low, high), s| (low.min(*s), high.max(*s)));
        println!(
            "| {} | {speed:.0} | {slowest:.0}, {fastest:.0} | {:.2} | {} MiB | {} MiB |",
            way.name,
            speed / unverified,
            memory.0 / 1024,
            memory.1 / 1024,
        );
    }
    Ok(())
}

fn measure(way: &Way, size: u64, dir: &Path, measured: &mut Measured) -> Outcome {
    let mut providers = Vec::new();
    for from in &way.from {
        providers.push(Provider::start(&way.program, &[way.provide, from])?);
    }
    let to = tempfile::tempdir_in(dir)?;
    let to = to.path().display().to_string();
    let mut args = vec![way.get, &to];
    args.extend(providers.iter().map(|provider| &*provider.address));
    let (bytes, seconds, memory) = process::get(&way.program, &args)?;
    if bytes != size {
        return Err(format!("got {bytes} bytes").into());
    }
    measured.speeds.push(bytes as f64 / 1e6 / seconds);
    measured.memory.1 = measured.memory.1.max(memory);
    for provider in providers {
        measured.memory.0 = measured.memory.0.max(provider.end()?);
    }
    Ok(())
}

/// Stores that all have the same blob, on disk once.
fn stores(dir: &Path, size: u64, count: usize) -> Outcome<Vec<String>> {
    let paths: Vec<_> = (0..count).map(|nth| dir.join(format!("store-{nth}"))).collect();
    let first = BlobStore::open(&paths[0])?;
    // Twice the same bytes: to be hashed, then to be stored under that name.
    let write = |to: &mut dyn Write| {
        let mut bytes = blake3::Hasher::new().update(b"throughput").finalize_xof();
        let mut part = vec![0; 1 << 20];
        let mut left = size;
        while left > 0 {
            let part = &mut part[..left.min(1 << 20) as usize];
            bytes.fill(part);
            to.write_all(part)?;
            left -= part.len() as u64;
        }
        Ok(())
    };
    let mut hasher = blake3::Hasher::new();
    write(&mut hasher)?;
    let hash = hydra_blobs::H256(*hasher.finalize().as_bytes());
    if !first.put_written(hash, write)? {
        return Err("the blob isn't what it was".into());
    }
    for other in &paths[1..] {
        fs::create_dir_all(other)?;
        for name in [format!("{hash:x}"), format!("{hash:x}.obao")] {
            let from = paths[0].join(&name);
            if from.exists() {
                fs::hard_link(from, other.join(name))?;
            }
        }
    }
    Ok(paths.iter().map(|path| path.display().to_string()).collect())
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
