//! `hydra wallet new` and `import`: where accounts come from.

use std::{
    io::{self, IsTerminal},
    path::Path,
    slice,
};
use zeroize::Zeroizing;

use super::{
    backup,
    made::{self, Made},
    own,
    seal::seal,
};
use crate::{
    accounts,
    args::{ImportArgs, NewArgs},
    error::Error,
    files,
    keys::{
        error::KeysError,
        file::Content,
        key::{Key, Secret},
        password,
        store::{self, Store},
        terminal,
    },
    output,
};

/// Bytes of the longest phrase, with paths and password.
const MAX_PHRASE: usize = 4096;

/// `hydra wallet new`.
pub async fn new(args: NewArgs, json: bool) -> Result<(), Error> {
    let store = Store::new(&args.keys)?;
    store.check_name(&args.name, None)?;
    // A phrase in a log is a phrase that others read.
    if !json && !io::stdout().is_terminal() {
        return Err(KeysError::NoTerminal(
            "showing the seed phrase",
            "run this at a terminal, or with --json",
        )
        .into());
    }
    let password = password::new(&args.password).await?;
    let (key, phrase) = Key::generate()?;
    let file = seal(&key, &args.name, password).await?;
    let draft = store.draft(slice::from_ref(&file), false)?;
    let made = Made {
        name: &args.name,
        address: accounts::address(&key.account()),
        file: draft.paths().next().unwrap_or_default(),
        phrase: Some(&phrase),
    };
    let text = Zeroizing::new(match json {
        true => output::document(&made)?,
        false => welcome(&made, &phrase),
    });
    // An account whose words nobody saw would be lost with its file: it is kept after they were shown.
    output::delivered(&text).map_err(|error| KeysError::PhraseNotShown(error.to_string()))?;
    draft.keep().map(drop)
}

/// `hydra wallet import`.
pub async fn import(args: ImportArgs, json: bool) -> Result<(), Error> {
    let store = Store::new(&args.keys)?;
    if args.own.this_pc {
        let (key, network) = own::key(&args.own)?;
        let name = args.name.as_deref().unwrap_or(&network);
        store::check_form(name)?;
        return keep(&store, &key, name, &args, json).await;
    }
    // Without --this-pc one is given.
    let name = args.name.as_deref().unwrap_or_default();
    store::check_form(name)?;
    if !args.force {
        store.check_name(name, None)?;
    }
    if args.file.as_deref() == Some(Path::new("-")) && args.password.password_stdin {
        return Err(KeysError::BothFromStdin.into());
    }
    password::obtainable(&args.password)?;
    let text = match &args.file {
        Some(path) => read(path)?,
        None => typed().await?,
    };
    if is_json(&text) {
        let path = args.file.as_deref().unwrap_or(Path::new("-"));
        return match backup::parse(text.as_bytes(), path)? {
            Content::One(file) => {
                let file = file.named(name);
                backup::keep_one(&store, file, path, &args.password, args.force, json).await
            }
            Content::Several(_) => Err(KeysError::Several.of(path).into()),
        };
    }
    keep(&store, &Key::from_own_suri(&text)?, name, &args, json).await
}

/// Keeps a key whose secret was given, with a new password.
async fn keep(store: &Store, key: &Key, name: &str, args: &ImportArgs, json: bool) -> Result<(), Error> {
    let account = key.account();
    // The name may be its own.
    store.check_name(name, Some(&account))?;
    if !args.force {
        store.check_new(&account)?;
    }
    let password = password::new(&args.password).await?;
    let file = seal(key, name, password).await?;
    let made = Made {
        name,
        address: accounts::address(&account),
        file: store.add(&file, args.force)?,
        phrase: None,
    };
    made::say(&[made], json)
}

/// A phrase, or another wallet's file.
fn read(path: &Path) -> Result<Secret, Error> {
    let bytes = backup::read(path, files::IN_ONE_PIECE)?;
    let text = match String::from_utf8(bytes) {
        Ok(text) => Zeroizing::new(text),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            return Err(KeysError::NotAPhrase.of(path).into());
        }
    };
    match text.len() <= MAX_PHRASE || is_json(&text) {
        true => Ok(text),
        false => Err(KeysError::NotAPhrase.of(path).into()),
    }
}

fn is_json(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim_start().starts_with('{')
}

async fn typed() -> Result<Secret, Error> {
    terminal::required("the seed phrase", "name a file that holds it with --file")?;
    terminal::hidden("Seed phrase (it is not shown): ").await
}

fn welcome(made: &Made<'_>, phrase: &str) -> String {
    let words: Vec<&str> = phrase.split(' ').collect();
    let rows: String = words
        .chunks(4)
        .enumerate()
        .map(|(row, words)| {
            let cells = words.iter().enumerate();
            let cells = cells.map(|(column, word)| format!("{:>2} {word:<10}", row * 4 + column + 1));
            format!("    {}\n", cells.collect::<String>().trim_end())
        })
        .collect();
    format!(
        "{}\n\nWrite down these words, in this order, and keep them where nobody else finds them:\n\n{rows}\n\
         They open this account again when this PC or the password is lost, and for whoever else gets them. They are shown \
         only now.\n\nThe account is \"{}\", encrypted in {}.\n",
        made.address,
        made.name,
        made.file.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_numbered_in_the_order_to_write_them_down() {
        let made = Made {
            name: "savings",
            address: "5F".into(),
            file: "f.json".into(),
            phrase: None,
        };
        let text = welcome(
            &made,
            "bottom drive obey lake curtain smoke basket hold race lonely fit walk",
        );
        assert!(
            text.contains(" 1 bottom     2 drive      3 obey       4 lake\n"),
            "{text}"
        );
        assert!(
            text.contains(" 9 race      10 lonely    11 fit       12 walk\n"),
            "{text}"
        );
    }
}
