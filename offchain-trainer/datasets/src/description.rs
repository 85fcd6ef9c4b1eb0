//! `dataset.json`: which files a data set has, and what is in them.
//!
//! It may have come with the data from anywhere: no name in it leads out of its folder.

use std::path::{Component, Path};

use hydra_primitives::dataset::{DatasetKind, MAX_SHARDS};
use serde::Deserialize;

/// The longest name of a data set, in bytes, that the chain takes.
const MAX_NAME: usize = 64;

/// What the file says.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// The data set's name.
    pub name: String,
    /// What its samples are.
    pub kind: DatasetKind,
    /// The files to train on.
    pub shards: Vec<String>,
    /// The file that nobody trains on.
    pub validation: String,
}

impl Description {
    /// Reads it. The error says what is wrong with it.
    pub fn read(text: &[u8]) -> Result<Self, String> {
        let read: Self = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        if read.name.is_empty() || read.name.len() > MAX_NAME || read.name.contains(char::is_control) {
            return Err(format!(
                "its name must have 1 to {MAX_NAME} bytes, none of them a control character"
            ));
        }
        if read.shards.is_empty() || read.shards.len() > MAX_SHARDS as usize {
            return Err(format!("it must have 1 to {MAX_SHARDS} shards"));
        }
        for name in read.shards.iter().chain([&read.validation]) {
            if !is_plain(name) {
                return Err(format!("{name:?} is no name of a file in the same folder"));
            }
        }
        Ok(read)
    }
}

fn is_plain(name: &str) -> bool {
    let mut components = Path::new(name).components();
    let first = components.next();
    matches!(first, Some(Component::Normal(whole)) if whole == name) && components.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOOD: &str = r#"{"name":"Dots","kind":{"Images":{"height":1,"width":2,"channels":1,"classes":2,"max_value":9}},"shards":["a"],"validation":"v"}"#;

    #[test]
    fn what_the_chain_would_not_take_is_refused_with_a_reason() {
        assert!(Description::read(GOOD.as_bytes()).is_ok());
        let refused = |from: &str, to: &str, words: &str| {
            assert!(GOOD.contains(from));
            let error = Description::read(GOOD.replace(from, to).as_bytes()).unwrap_err();
            assert!(error.contains(words), "expected '{words}', got: {error}");
        };
        refused("Dots", "", "1 to 64 bytes");
        refused("Dots", &"x".repeat(65), "1 to 64 bytes");
        refused("Dots", "\\u001b[31m", "control character");
        refused(r#"["a"]"#, "[]", "1 to 1024 shards");
        refused(
            r#"["a"]"#,
            &format!("[{}\"a\"]", "\"a\",".repeat(1024)),
            "1 to 1024 shards",
        );
        for elsewhere in ["", ".", "..", "../a", "/etc/passwd", "b/a", "a/"] {
            refused(
                r#"["a"]"#,
                &format!("[{elsewhere:?}]"),
                "no name of a file in the same folder",
            );
        }
        refused("\"v\"", "\"../v\"", "no name of a file in the same folder");
        refused("validation", "validatoin", "unknown field");
    }

    proptest! {
        #[test]
        fn hostile_bytes_never_lead_out_of_the_folder(at in 0usize..200, value: u8) {
            let mut bytes = GOOD.as_bytes().to_vec();
            let at = at % bytes.len();
            bytes[at] = value;
            if let Ok(read) = Description::read(&bytes) {
                prop_assert!(read.shards.iter().chain([&read.validation]).all(|name| is_plain(name)));
                prop_assert!(read.name.len() <= MAX_NAME);
            }
        }

        #[test]
        fn hostile_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Description::read(&bytes);
        }
    }
}
