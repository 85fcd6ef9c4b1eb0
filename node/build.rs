//! Puts the version and the commit into the binary, for `--version` and the network's handshake.
//!
//! The commit is that of the last build in which this crate's own files changed: linking the node again after every
//! commit anywhere would cost more than an exact hash in a developer's build is worth.

fn main() {
    substrate_build_script_utils::generate_cargo_keys();
}
