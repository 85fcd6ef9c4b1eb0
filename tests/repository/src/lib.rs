//! What the repository promises of itself, read from its files: which module imports which ([`imports`]), and where
//! things are. The tests beside this file say what must hold.
//!
//! Must never build, start or change anything of the project.

pub mod imports;

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The checkout.
pub fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the checkout is there")
}

/// A file of the checkout.
pub fn text(path: &str) -> String {
    let path = checkout().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file below a folder, in order, what git ignores (`target`, `node_modules`) left out.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a folder's entry").path())
        .collect();
    entries.sort();
    for path in entries {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() && !path.is_symlink() {
            if !matches!(name.as_str(), "target" | "node_modules" | ".git" | ".tmp") {
                found.extend(files(&path));
            }
        } else {
            found.push(path);
        }
    }
    found
}

/// The folders of the workspace's crates.
pub fn crates() -> Vec<PathBuf> {
    let manifests = files(&checkout())
        .into_iter()
        .filter(|path| path.ends_with("Cargo.toml"));
    let folders = manifests.filter_map(|path| path.parent().map(Path::to_path_buf));
    folders.filter(|folder| folder.join("src").is_dir()).collect()
}
