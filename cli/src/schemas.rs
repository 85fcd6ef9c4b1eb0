//! What each command prints with `--json`, as JSON Schemas (2020-12) made of the very types that are printed: the files in
//! `docs/json`.
//!
//! It must never describe anything by hand that a type says already, and lets nothing pass that a type doesn't name: a field
//! that is new or gone shows in the files, and a test of them fails.

use schemars::{
    JsonSchema, Schema,
    generate::SchemaSettings,
    transform::{Transform, transform_subschemas},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    ask, doctor,
    error::{Error, Failure},
    export, faucet, files,
    found::{self, member::Member},
    output, registration,
    report::rounds,
    status, up, wallet,
};

/// What ends the name of each file.
const END: &str = ".schema.json";
/// Stands in each file.
const COMMENT: &str =
    "Made of the program's own types: `hydra reference --json-schemas docs/json`. A test compares it.";

/// What a command prints with `--json`.
struct Printed {
    /// The command, without `hydra`.
    command: &'static str,
    /// What it is, for people.
    about: &'static str,
    /// How its schema is made.
    schema: fn() -> Schema,
}

/// All commands.
const COMMANDS: &[Printed] = &[
    printed::<Vec<rounds::Report>>(
        "demo",
        "Once it ends: the rounds of each model. If it fails, the error comes after them, or instead.",
    ),
    printed::<up::Told<'static>>("up", "Each state: one document in one line."),
    printed::<up::Down>("down", "What became of the `hydra up` of this PC."),
    printed::<up::Line<'static>>("logs", "Each line of a log: one document in one line."),
    printed::<wallet::Receipt>("invite", "What was sent, and what it cost."),
    printed::<faucet::Event>("faucet", "What happens at the faucet: one document in one line."),
    printed::<found::Founded>("network new", "The network that was founded."),
    printed::<Member>(
        "network member",
        "What may be known of this PC's keys: the same as in the file that was written.",
    ),
    printed::<status::Report>(
        "status",
        "The chain, its models and accounts, this PC's wallet and trainer, and what happened.",
    ),
    printed::<doctor::page::Report>("doctor", "What was looked at on this PC, and what is wrong."),
    printed::<ask::Receipt>("ask", "The answer, and what it cost."),
    printed::<export::Saved>(
        "model export",
        "The file that was written. Nothing with `--out -`.",
    ),
    printed::<rounds::Report>(
        "rounds",
        "What became of every round on record, who had which part in them, and how far the round is that the model is in.",
    ),
    printed::<registration::Registration>(
        "registration",
        "What `reputation.register` takes, for the wallet that signs the transaction.",
    ),
    printed::<wallet::Made<'static>>(
        "wallet new",
        "The account that was made, with the phrase that opens it again: whoever has it owns the account.",
    ),
    printed::<wallet::Made<'static>>("wallet import", "The account that was taken in."),
    printed::<Vec<wallet::Shown>>("wallet list", "All accounts of the wallet."),
    printed::<wallet::Shown>("wallet show", "The account."),
    printed::<wallet::Balances>("wallet balance", "What accounts have."),
    printed::<wallet::Receipt>("wallet send", "What was sent, and what it cost."),
    printed::<wallet::Shown>("wallet receive", "The account."),
    printed::<wallet::Saved<'static>>(
        "wallet backup",
        "The file that was written. Nothing with `--out -`.",
    ),
    printed::<wallet::Taken<'static>>(
        "wallet restore",
        "The account, or the accounts, that were taken in.",
    ),
    printed::<wallet::Receipt>(
        "pause",
        "That the account is drawn for nothing new, and what that cost.",
    ),
    printed::<wallet::Receipt>("resume", "That the pause is over, and what that cost."),
    printed::<wallet::Receipt>(
        "validate",
        "That session keys were registered, or taken away, and what that cost.",
    ),
    printed::<wallet::Receipt>("stake bond", "What was bonded, and what it cost."),
    printed::<wallet::Receipt>(
        "stake unbond",
        "What is taken back of the stake, and what that cost.",
    ),
    printed::<wallet::Receipt>(
        "stake withdraw",
        "What of the stake is free again, and what that cost.",
    ),
    printed::<wallet::Receipt>("claim", "What was claimed, and what it cost."),
    printed::<String>("completions", "The script for the shell."),
    printed::<Vec<PathBuf>>("man", "The files that were written."),
];

/// What every command prints when it fails.
const FAILURE: Printed = printed::<Failure>(
    "error",
    "A failure of any command, as the last document on standard output. Its text is on standard error, too.",
);

const fn printed<T: JsonSchema>(command: &'static str, about: &'static str) -> Printed {
    Printed {
        command,
        about,
        schema: of::<T>,
    }
}

/// Writes the files.
pub fn write(folder: &Path) -> Result<(), Error> {
    files::make_folder(folder)?;
    for (name, text) in all()? {
        let path = folder.join(name);
        fs::write(&path, text).map_err(Error::file("write", &path))?;
    }
    Ok(())
}

/// The files' names, and what is in them.
pub fn all() -> Result<Vec<(String, String)>, Error> {
    let printed = COMMANDS.iter().chain([&FAILURE]);
    printed
        .map(|printed| Ok((printed.file(), printed.text()?)))
        .collect()
}

impl Printed {
    fn file(&self) -> String {
        format!("{}{END}", self.command.replace(' ', "-"))
    }

    fn text(&self) -> Result<String, Error> {
        let mut schema = (self.schema)();
        let title = match self.command == FAILURE.command {
            true => "hydra … --json, failed".to_owned(),
            false => format!("hydra {} --json", self.command),
        };
        schema.insert("title".into(), title.into());
        schema.insert("description".into(), self.about.into());
        schema.insert("$comment".into(), COMMENT.into());
        Ok(output::document(&schema)? + "\n")
    }
}

/// The schema of what this type is as JSON.
fn of<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    settings
        .with_transform(Closed)
        .into_generator()
        .into_root_schema_for::<T>()
}

/// Refuses every field that a schema doesn't name.
#[derive(Clone, Debug)]
struct Closed;

impl Transform for Closed {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        let Some(object) = schema.as_object_mut() else {
            return;
        };
        if !object.contains_key("properties") {
            return;
        }
        // Fields beside alternatives: each alternative must let pass what isn't its own, and the whole sees to the rest.
        let alternatives = object.get_mut("oneOf").and_then(|one_of| one_of.as_array_mut());
        let key = match alternatives {
            Some(alternatives) => {
                for alternative in alternatives.iter_mut().filter_map(|one| one.as_object_mut()) {
                    alternative.remove("additionalProperties");
                }
                "unevaluatedProperties"
            }
            None => "additionalProperties",
        };
        object.entry(key).or_insert(false.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Cli;
    use clap::{Command, CommandFactory};
    use serde_json::Value;
    use std::collections::BTreeSet;

    /// Every command that does something and that a person is shown, without `hydra`.
    fn leaves(command: &Command, before: &str, found: &mut BTreeSet<String>) {
        for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
            let name = format!("{before}{}", command.get_name());
            if command.has_subcommands() {
                leaves(command, &format!("{name} "), found);
            } else {
                found.insert(name);
            }
        }
    }

    #[test]
    fn every_command_has_a_schema_and_no_other() {
        let mut commands = BTreeSet::new();
        leaves(&Cli::command(), "", &mut commands);
        // A page for people; programs are told to take `hydra status --json`.
        assert!(commands.remove("top"));
        let described: BTreeSet<String> = COMMANDS.iter().map(|printed| printed.command.into()).collect();
        assert_eq!(described, commands);
        assert_eq!(described.len(), COMMANDS.len());
    }

    /// Every object that is described somewhere in it.
    fn objects<'a>(schema: &'a Value, found: &mut Vec<&'a Value>) {
        match schema {
            Value::Object(fields) => {
                if fields.get("properties").is_some_and(Value::is_object) {
                    found.push(schema);
                }
                fields.values().for_each(|value| objects(value, found));
            }
            Value::Array(values) => values.iter().for_each(|value| objects(value, found)),
            _ => {}
        }
    }

    #[test]
    fn every_field_is_described_and_no_other_is_let_through() {
        for (name, text) in all().unwrap() {
            let schema: Value = serde_json::from_str(&text).unwrap();
            let mut found = Vec::new();
            objects(&schema, &mut found);
            for object in &found {
                let closed = |key: &str| object[key] == false;
                // The alternatives of `up` are closed as a whole.
                let part = !object["properties"]["state"].is_null();
                assert!(
                    closed("additionalProperties") || closed("unevaluatedProperties") || part,
                    "{name}: {object}"
                );
                for (field, schema) in object["properties"].as_object().unwrap() {
                    // `state` says which of the alternatives it is, and each of these is described.
                    assert!(
                        field == "state" || !schema["description"].is_null(),
                        "{name}: {field} has no description"
                    );
                }
            }
        }
        let up: Value = of::<up::Told<'static>>().into();
        assert_eq!(up["unevaluatedProperties"], false);
        assert!(
            up["oneOf"]
                .as_array()
                .unwrap()
                .iter()
                .all(|state| !state["description"].is_null())
        );
    }

    #[test]
    fn what_may_be_missing_is_not_required_and_what_may_be_null_is() {
        let receipt: Value = of::<wallet::Receipt>().into();
        let required = receipt["required"].as_array().unwrap();
        assert!(required.contains(&"fee".into()) && !required.contains(&"to".into()));
        assert_eq!(receipt["additionalProperties"], false);
        let ask: Value = of::<ask::Receipt>().into();
        assert!(ask["required"].as_array().unwrap().contains(&"truth".into()));
    }
}
