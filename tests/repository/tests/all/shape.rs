//! The shape of the code: what a newcomer may rely on when looking for something.

use hydra_repository_tests::{checkout, crates, files, imports, text};
use std::fs;

#[test]
fn modules_do_not_import_each_other_in_a_circle() {
    let mut found = Vec::new();
    for package in crates() {
        for circle in imports::circles(&package) {
            found.push(format!("{}: {}", package.display(), circle.join(", ")));
        }
    }
    assert!(
        found.is_empty(),
        "move what both sides need below both:\n{}",
        found.join("\n")
    );
}

#[test]
fn every_crate_says_what_it_is_for() {
    for package in crates() {
        let root = ["src/lib.rs", "src/main.rs"]
            .map(|name| package.join(name))
            .into_iter()
            .find(|path| path.exists())
            .expect("a crate has a root");
        let source = fs::read_to_string(&root).expect("readable");
        assert!(
            source.starts_with("//! "),
            "{} begins with no crate doc",
            root.display()
        );
    }
}

/// A spec with a runtime in it is stale after the next change of the runtime. Specs are exported, not kept.
#[test]
fn no_runtime_is_shipped_in_a_chain_spec() {
    // Where a raw spec has it: `:code`.
    const CODE: &str = "3a636f6465";
    for path in files(&checkout().join("chain-specs")) {
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        assert!(
            !((text.contains("\"code\"") || text.contains(CODE)) && text.contains("0x")),
            "{} holds a runtime",
            path.display()
        );
    }
}

/// `hydra network new` says how many models there may be: the runtime would only panic.
#[test]
fn a_founder_is_told_how_many_models_the_runtime_takes() {
    let runtime = text("runtime/src/config/hydra.rs");
    let (_, most) = runtime
        .split_once("type MaxModels = ConstU32<")
        .expect("the bound");
    let (most, _) = most.split_once('>').expect("a number");
    let known = format!("pub const MAX_MODELS: usize = {most};");
    assert!(
        text("cli/src/found/models.rs").contains(&known),
        "cli/src/found/models.rs: {known}"
    );
}

/// `hydra doctor` says when a chain's rules are newer than the release: it has to know the release's own.
#[test]
fn the_doctor_knows_the_rules_of_this_release() {
    let runtime = text("runtime/src/lib.rs");
    let (_, version) = runtime
        .split_once("#[cfg(not(feature = \"upgrade-trial\"))]\nversion!(")
        .expect("the runtime's version");
    let (version, _) = version.split_once(')').expect("a number");
    let known = format!("pub const KNOWN_RULES: u32 = {version};");
    assert!(
        text("cli/src/doctor/node.rs").contains(&known),
        "cli/src/doctor/node.rs: {known}"
    );
}
