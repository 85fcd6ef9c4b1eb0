//! The reference in `docs/` is what the program says of itself.

use std::{fs, path::PathBuf, process::Command};

#[test]
fn the_reference_in_docs_is_the_program_s_own_help() {
    let printed = Command::new(env!("CARGO_BIN_EXE_hydra"))
        .arg("reference")
        // Help shows what variables are set to.
        .env_clear()
        .output()
        .expect("the program runs");
    assert!(printed.status.success(), "{printed:?}");
    let printed = String::from_utf8(printed.stdout).expect("UTF-8");
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/cli.md");
    let committed = fs::read_to_string(&path).unwrap_or_default();
    for (line, (is, was)) in printed.lines().zip(committed.lines()).enumerate() {
        assert_eq!(
            is,
            was,
            "docs/cli.md, line {}: make it anew with `env -i hydra reference > docs/cli.md`",
            line + 1
        );
    }
    assert_eq!(
        printed, committed,
        "docs/cli.md: make it anew with `env -i hydra reference > docs/cli.md`"
    );
}
