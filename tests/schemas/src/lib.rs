//! Whether what `hydra … --json` prints is what `docs/json` says, for every test that runs `hydra`: errors as well.
//!
//! It reads the files, as a program that relies on them would, and must never know how they are made.
//!
//! Start with [`run`], which runs a command and checks it, or [`check`], where it ran already.

use serde_json::{Deserializer, Value};
use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// What to do where a schema isn't the program's any more.
const REMEDY: &str = "if it is meant, make the schemas anew: `hydra reference --json-schemas docs/json`";
/// `hydra doctor` found a fault: no failure of its own.
const FAULT: i32 = 9;
/// By which `hydra up` is `hydra demo`, as in version 0.1.
const OLDER_DEMO: [&str; 4] = ["--local", "--only", "--until-accuracy", "--base-port"];

/// Runs a command and, if it is `hydra … --json`, checks what it prints.
pub fn run(command: &mut Command) -> Output {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?} can't be run: {error}"));
    check(command, &output);
    output
}

/// Checks what this command printed, if it is `hydra … --json`: what it is for, then the error if it failed.
pub fn check(command: &Command, output: &Output) {
    let Some(printed) = Printed::of(command) else {
        return;
    };
    // Killed: who knows how far it got.
    let Some(code) = output.status.code() else { return };
    let text = String::from_utf8(output.stdout.clone())
        .unwrap_or_else(|error| panic!("{command:?} printed what is no text: {error}"));
    printed.check(&folder(), code, &text);
}

/// Checks one document that a command printed: `check_one("up", …)`.
pub fn check_one(command: &str, document: &Value) {
    fits(&folder(), &command.replace(' ', "-"), document);
}

/// The schemas.
fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/json");
    folder
        .canonicalize()
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
}

/// A call of `hydra … --json` whose standard output is JSON.
#[derive(Debug, PartialEq, Eq)]
struct Printed {
    /// The arguments.
    arguments: Vec<String>,
}

impl Printed {
    /// If the command is one, possibly started by another program.
    fn of(command: &Command) -> Option<Self> {
        let words = [command.get_program()].into_iter().chain(command.get_args());
        let is_hydra = |word: &&OsStr| Path::new(word).file_name() == Some(OsStr::new("hydra"));
        let arguments: Vec<String> = words
            .skip_while(|word| !is_hydra(word))
            .skip(1)
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        let json = arguments.iter().any(|word| word == "--json");
        // Then it is the file that is printed.
        let is_file = arguments.windows(2).any(|words| words == ["--out", "-"]);
        (json && !is_file).then_some(Self { arguments })
    }

    /// The name of the command's schema: that of its first two words, or of the first.
    fn schema(&self, folder: &Path) -> String {
        let words = self.arguments.iter().skip_while(|word| *word == "--json");
        let words: Vec<&str> = words
            .map(String::as_str)
            .take_while(|word| !word.starts_with('-'))
            .take(2)
            .collect();
        let Some(first) = words.first() else {
            return String::new();
        };
        let older = |word: &String| OLDER_DEMO.contains(&word.as_str());
        if *first == "up" && self.arguments.iter().any(older) {
            return "demo".into();
        }
        let both = words.join("-");
        match path(folder, &both).exists() {
            true => both,
            false => (*first).into(),
        }
    }

    /// Checks all documents of a run that ended with this code.
    fn check(&self, folder: &Path, code: i32, text: &str) {
        let documents: Result<Vec<Value>, _> = Deserializer::from_str(text).into_iter().collect();
        let mut documents = documents
            .unwrap_or_else(|error| panic!("{:?} printed no JSON ({error}): {text}", self.arguments));
        // Nothing at all is printed where it can't be, or goes elsewhere.
        if code != 0
            && code != FAULT
            && let Some(failure) = documents.pop()
        {
            fits(folder, "error", &failure);
            assert_eq!(failure["code"], code, "{:?}", self.arguments);
        }
        for document in &documents {
            fits(folder, &self.schema(folder), document);
        }
    }
}

fn path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.schema.json"))
}

/// The document is what the schema of this name says.
fn fits(folder: &Path, name: &str, document: &Value) {
    let path = path(folder, name);
    let mut schemas = boon::Schemas::new();
    let schema = boon::Compiler::new()
        .compile(&path.to_string_lossy(), &mut schemas)
        .unwrap_or_else(|error| panic!("{}: {error:#}\n{REMEDY}", path.display()));
    if let Err(error) = schemas.validate(document, schema) {
        panic!("{error:#}\n{document:#}\n{REMEDY}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::{fs, panic::catch_unwind};

    fn command(line: &str) -> Command {
        let mut words = line.split(' ');
        let mut command = Command::new(words.next().unwrap());
        command.args(words);
        command
    }

    /// Two commands, and the error.
    fn schemas() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let object = |field: &str, kind: &str| {
            json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "type": "object",
                "properties": { field: { "type": kind } },
                "required": [field],
                "additionalProperties": false,
            })
        };
        for (name, schema) in [
            ("ask", object("label", "integer")),
            ("wallet-send", object("fee", "string")),
            ("demo", object("rounds", "array")),
        ] {
            fs::write(path(folder.path(), name), schema.to_string()).unwrap();
        }
        let mut error = object("error", "string");
        error["properties"]["code"] = json!({ "type": "integer" });
        fs::write(path(folder.path(), "error"), error.to_string()).unwrap();
        folder
    }

    #[test]
    fn the_command_is_read_from_its_arguments() {
        let folder = schemas();
        let schema = |line: &str| Some(Printed::of(&command(line))?.schema(folder.path()));
        assert_eq!(schema("/a/hydra ask 3 --json").unwrap(), "ask");
        assert_eq!(
            schema("hydra --json wallet send 5F 1 --yes").unwrap(),
            "wallet-send"
        );
        assert_eq!(
            schema("setpriv --pdeathsig TERM /a/hydra ask --json 3").unwrap(),
            "ask"
        );
        assert_eq!(schema("hydra up --local 3 --json").unwrap(), "demo");
        for other in [
            "hydra ask 3",
            "python x.py --json",
            "hydra model export --out - --json",
        ] {
            assert_eq!(schema(other), None, "{other}");
        }
    }

    #[test]
    fn output_that_does_not_fit_is_noticed() {
        let folder = schemas();
        let ask = Printed::of(&command("hydra ask 3 --json")).unwrap();
        let fits = |code: i32, text: &str| catch_unwind(|| ask.check(folder.path(), code, text)).is_ok();
        assert!(fits(0, r#"{"label":3}"#));
        assert!(fits(0, "{\"label\":3}\n{\"label\":4}\n"));
        assert!(fits(3, r#"{"error":"no node","code":3}"#));
        assert!(fits(3, "{\"label\":3}\n{\"error\":\"no node\",\"code\":3}"));
        for (code, text) in [
            (0, r#"{"label":"3"}"#),
            (0, r#"{"label":3,"new":1}"#),
            (0, "{}"),
            (0, "words"),
            (0, r#"{"error":"no node","code":3}"#),
            (3, r#"{"error":"no node","code":4}"#),
            (3, r#"{"label":3}"#),
        ] {
            assert!(!fits(code, text), "{code} {text}");
        }
    }
}
