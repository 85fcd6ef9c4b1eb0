//! What is written down of the program is what it says of itself: `docs/cli.md`, `docs/json`, and `help.txt` beside this file.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Set to anything, it has `help.txt` written anew instead of compared.
const WRITE_HELP: &str = "HYDRA_WRITE_HELP";

/// What `hydra` prints with these arguments, not at a terminal: 100 columns and no colours.
fn printed(arguments: &[&str]) -> String {
    let printed = Command::new(env!("CARGO_BIN_EXE_hydra"))
        .args(arguments)
        // Help shows what variables are set to.
        .env_clear()
        .output()
        .expect("the program runs");
    assert!(printed.status.success(), "{arguments:?}: {printed:?}");
    String::from_utf8(printed.stdout).expect("UTF-8")
}

/// A path in this crate.
fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The same, or the first line that isn't.
fn same(is: &str, was: &str, name: &str, remedy: &str) {
    for (line, (is, was)) in is.lines().zip(was.lines()).enumerate() {
        assert_eq!(is, was, "{name}, line {}: make it anew with {remedy}", line + 1);
    }
    assert_eq!(is, was, "{name}: make it anew with {remedy}");
}

#[test]
fn the_reference_in_docs_is_the_program_s_own_help() {
    let committed = fs::read_to_string(here("../docs/cli.md")).unwrap_or_default();
    same(
        &printed(&["reference"]),
        &committed,
        "docs/cli.md",
        "`env -i hydra reference > docs/cli.md`",
    );
}

/// The schemas in a folder, by name.
fn schemas(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut found = BTreeMap::new();
    for path in entries.map(|entry| entry.expect("a folder's entry").path()) {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if name != "README.md" {
            found.insert(name, fs::read_to_string(&path).expect("readable"));
        }
    }
    found
}

#[test]
fn the_schemas_in_docs_are_made_of_what_the_program_prints() {
    const REMEDY: &str = "`hydra reference --json-schemas docs/json`";
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("UTF-8");
    printed(&["reference", "--json-schemas", path]);
    let (made, kept) = (schemas(folder.path()), schemas(&here("../docs/json")));
    let names = |schemas: &BTreeMap<String, String>| schemas.keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        names(&made),
        names(&kept),
        "docs/json: make it anew with {REMEDY}, and delete what isn't made any more"
    );
    let index = fs::read_to_string(here("../docs/json/README.md")).expect("an index");
    for (name, schema) in &made {
        same(schema, &kept[name], &format!("docs/json/{name}"), REMEDY);
        assert!(
            index.contains(&format!("({name})")),
            "docs/json/README.md does not name {name}"
        );
    }
}

/// `docs/cli.md` has the same words in the long layout, which clap prints only where there is more to say than in the short one.
#[test]
fn every_help_is_word_by_word_what_is_written_down() {
    let mut text = String::new();
    for command in printed(&["reference"])
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
    {
        let words: Vec<&str> = command.split(' ').skip(1).collect();
        let help = |option: &str| {
            let help = printed(&[&words[..], &[option]].concat());
            assert!(!help.contains('\x1b'), "{command} {option}: {help}");
            // Where nothing follows, editors and git would rather have no spaces.
            let lines: String = help
                .lines()
                .map(|line| format!("{}\n", line.trim_end()))
                .collect();
            (format!("$ {command} {option}\n{lines}\n"), lines)
        };
        let ((long, long_lines), (short, short_lines)) = (help("--help"), help("-h"));
        text.push_str(&long);
        if short_lines != long_lines {
            text.push_str(&short);
        }
    }
    let path = here("tests/help.txt");
    if std::env::var_os(WRITE_HELP).is_some() {
        fs::write(&path, &text).expect("the file can be written");
        return;
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    same(
        &text,
        &committed,
        "cli/tests/help.txt",
        &format!("this test, run with {WRITE_HELP}=1"),
    );
}
