//! A failure as programs read it.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Value, json};

use crate::exit::ExitCode;

/// A failure: the sentence that people read on standard error, and the exit code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Failure {
    /// What happened and what to do, in words. These change; `code` doesn't.
    error: String,
    /// What the process ends with.
    #[schemars(schema_with = "codes")]
    code: u8,
}

impl Failure {
    /// From the sentence and the code.
    pub fn new(error: &str, code: ExitCode) -> Self {
        Self {
            error: error.trim_end().into(),
            code: code.number(),
        }
    }
}

/// The codes of failures, each with its meaning.
fn codes(_: &mut SchemaGenerator) -> Schema {
    let failures = ExitCode::ALL.iter().filter(|code| **code != ExitCode::Done);
    let codes: Vec<Value> = failures
        .map(|code| json!({ "const": code.number(), "description": code.meaning() }))
        .collect();
    json_schema!({ "type": "integer", "oneOf": codes })
}
