//! What is said of an account that was made or taken in.

use schemars::JsonSchema;
use serde::Serialize;
use std::path::PathBuf;

use crate::{error::Error, output};

/// An account that was just made or taken in.
#[derive(Serialize, JsonSchema)]
pub struct Made<'a> {
    /// What its owner calls it.
    pub name: &'a str,
    /// Its address.
    pub address: String,
    /// Where its file is.
    pub file: PathBuf,
    /// The words that open it again, of an account that didn't exist before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phrase: Option<&'a str>,
}

/// What is shown where an export may hold several accounts.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Taken<'a> {
    /// The account, if it is one.
    One(&'a Made<'a>),
    /// The accounts.
    Several(&'a [Made<'a>]),
}

/// Says what was taken in.
pub fn say(made: &[Made<'_>], json: bool) -> Result<(), Error> {
    if json {
        return output::json(&match made {
            [one] => Taken::One(one),
            several => Taken::Several(several),
        });
    }
    let lines = made.iter().map(|made| {
        format!(
            "{} is \"{}\", encrypted in {}\n",
            made.address,
            made.name,
            made.file.display()
        )
    });
    output::data(&lines.collect::<String>())
}
