//! What tests of real clients share: the programs they run, and how an answer that refuses looks.

use std::{path::PathBuf, process::Output};

use crate::LocalNetwork;

/// The Python with numpy and safetensors that `scripts/setup --for-tests` made.
pub fn python() -> PathBuf {
    let path = std::env::var_os("HYDRA_TEST_PYTHON")
        .map(PathBuf::from)
        .unwrap_or_else(|| {
            let cache = std::env::var_os("HYDRA_CACHE")
                .map(PathBuf::from)
                .unwrap_or_else(|| {
                    PathBuf::from(std::env::var_os("HOME").expect("a home folder")).join(".cache/hydraai")
                });
            cache.join("python/bin/python")
        });
    assert!(
        path.exists(),
        "{} is not there: run scripts/setup --for-tests",
        path.display()
    );
    path
}

/// The held-out digits: their blob in Alice's store.
pub fn validation_file(network: &LocalNetwork) -> PathBuf {
    let name = hex::encode(hydra_primitives::digits::digits_manifest().validation.hash);
    let blobs = network.pc("alice").trainer.base_path.join("blobs");
    find(&blobs, &name).unwrap_or_else(|| panic!("no {name} below {}", blobs.display()))
}

fn find(folder: &std::path::Path, name: &str) -> Option<PathBuf> {
    std::fs::read_dir(folder)
        .ok()?
        .flatten()
        .find_map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => find(&entry.path(), name),
            _ => (entry.file_name().to_str() == Some(name)).then(|| entry.path()),
        })
}

/// The command ended with this exit code and a complaint that says this.
pub fn refused(output: &Output, code: i32, sentence: &str) {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        output.status.code(),
        Some(code),
        "{}\n{complaint}",
        String::from_utf8_lossy(&output.stdout)
    );
    assert!(
        complaint.contains(sentence),
        "expected '{sentence}', got: {complaint}"
    );
    assert!(!complaint.contains("panicked"), "{complaint}");
}
