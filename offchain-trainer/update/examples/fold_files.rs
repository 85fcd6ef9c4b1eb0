//! Folds 30 updates of 10 million parameters that are files, and says what it takes: CPU time, and memory at the most. With `--in-memory` all
//! of them are read and decoded before they are folded, for comparison.
//!
//!     cargo run --release -p hydra-update --example fold_files

use std::fs::{self, File};

use hydra_primitives::{
    BlobRef,
    digits::digits_spec,
    model::{Architecture, ModelSpec},
};
use hydra_update::{GlobalState, Update, UpdateFile, Weights, decode_update, fold, fold_files};

type AnyError = Box<dyn std::error::Error>;

const UPDATES: u16 = 30;

fn main() -> Result<(), AnyError> {
    let in_memory = std::env::args().any(|arg| arg == "--in-memory");
    let spec = ModelSpec {
        architecture: Architecture::Mlp {
            layers: vec![3161, 3161, 1].try_into().map_err(|_| "layers")?,
        },
        ..digits_spec()
    };
    let base = GlobalState::initial(&spec);
    let (folder, mut names) = (tempfile::tempdir()?, Vec::new());
    for k in 1..=UPDATES {
        let values = base.weights.as_slice().iter().map(|w| w / f32::from(k));
        let zeros = Weights::zeros(base.weights.len());
        let file = Update::between(&zeros, &Weights::new(values.collect()))?.encode();
        let path = folder.path().join(k.to_string());
        fs::write(&path, &file)?;
        names.push((BlobRef::of(&file), path));
    }
    println!("{} parameters, {UPDATES} updates", base.weights.len());
    // From now on.
    fs::write("/proc/self/clear_refs", "5")?;
    let (before, start) = (memory("VmRSS:")?, cpu_time()?);
    let folded = if in_memory {
        let mut updates = Vec::new();
        for (blob, path) in &names {
            let bytes = fs::read(path)?;
            if BlobRef::of(&bytes) != *blob {
                return Err("a file is damaged".into());
            }
            updates.push((decode_update(&spec, &bytes)?, 90));
        }
        fold(&spec, &base, &updates)?
    } else {
        let mut updates = Vec::new();
        for (blob, path) in names {
            updates.push(UpdateFile {
                blob,
                samples: 90,
                file: File::open(path)?,
            });
        }
        fold_files(&spec, &base, updates)?
    };
    let (time, most) = (cpu_time()? - start, memory("VmHWM:")?);
    println!(
        "{:.0} ms CPU, {:.1} MB more than the {before:.1} MB before, base included",
        time as f64 / 1e6,
        most - before
    );
    println!("{:?}", folded.hash(&spec));
    Ok(())
}

/// Nanoseconds that this thread has run.
fn cpu_time() -> Result<u64, AnyError> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(text.split_whitespace().next().ok_or("no time")?.parse()?)
}

/// Of this process, in MB.
fn memory(field: &str) -> Result<f64, AnyError> {
    let text = fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    let kilobytes = line.and_then(|line| line.split_whitespace().next());
    Ok(kilobytes.ok_or("no memory")?.parse::<f64>()? * 1.024e-3)
}
