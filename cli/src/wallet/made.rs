//! What is said of an account that was made or taken in.

use serde::Serialize;
use std::path::PathBuf;

use crate::{error::Error, output};

/// An account that was just made or taken in.
#[derive(Serialize)]
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

/// Says what was taken in.
pub fn say(made: &[Made<'_>], json: bool) -> Result<(), Error> {
    if json {
        return match made {
            [one] => output::json(one),
            several => output::json(&several),
        };
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
