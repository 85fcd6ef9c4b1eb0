//! `hydra wallet backup` and `restore`: key files out of the wallet and into it.
//!
//! A file is kept only after its password opened it, and its key turned out to be that of the account that it names.

use serde::Serialize;
use std::{io, path::Path};

use super::made::{self, Made};
use crate::{
    accounts,
    args::{BackupArgs, PasswordArgs, RestoreArgs},
    error::Error,
    files::{self, Destination},
    keys::{
        error::KeysError,
        file::{self, Content, KeyFile},
        key::Secret,
        password,
        store::Store,
        terminal,
    },
    output,
};

/// `hydra wallet backup`.
pub fn backup(args: &BackupArgs, json: bool) -> Result<(), Error> {
    let kept = Store::new(&args.keys)?.choose(Some(&args.account))?;
    let destination = Destination::of(&args.out).map_err(Error::file("write", &args.out))?;
    let bytes = kept.file.to_bytes();
    match &destination {
        // A new file is its owner's only.
        Destination::File(path) => match files::write_private(path, &bytes, false) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if !args.force {
                    return Err(KeysError::FileExists(args.out.clone()).into());
                }
                destination
                    .write(&bytes)
                    .map_err(Error::file("write", &args.out))?;
            }
            written => written.map_err(Error::file("write", &args.out))?,
        },
        // Standard output is the file then, and nothing else may stand there.
        Destination::Stdout | Destination::Through(_) => {
            return destination.write(&bytes).map_err(Error::file("write", &args.out));
        }
    }
    say_saved(&kept.name, &accounts::address(&kept.account), &args.out, json)
}

fn say_saved(name: &str, address: &str, file: &Path, json: bool) -> Result<(), Error> {
    #[derive(Serialize)]
    struct Saved<'a> {
        name: &'a str,
        address: &'a str,
        file: &'a Path,
    }
    if json {
        return output::json(&Saved { name, address, file });
    }
    output::data(&format!(
        "{name} ({address}) is saved in {}, encrypted with its password. Without the password or the seed phrase the file opens \
         nothing, so keep those, too.",
        file.display()
    ))
}

/// `hydra wallet restore`.
pub async fn restore(args: RestoreArgs, json: bool) -> Result<(), Error> {
    if args.file == Path::new("-") && args.password.password_stdin {
        return Err(KeysError::BothFromStdin.into());
    }
    let store = Store::new(&args.keys)?;
    let content = parse(&read(&args.file)?, &args.file)?;
    match (content, &args.name) {
        (Content::One(file), name) => {
            let file = match name {
                Some(name) => file.named(name),
                None => file,
            };
            keep_one(&store, file, &args.file, &args.password, args.force, json).await
        }
        (Content::Several(_), Some(_)) => Err(KeysError::Several.of(&args.file).into()),
        (Content::Several(several), None) => {
            let password = password::known(&args.password, &args.file.display().to_string()).await?;
            let tried = password.clone();
            let opened = terminal::apart(move || several.open(&tried)).await;
            let opened = opened.map_err(|error| error.of(&args.file))?;
            keep_several(&store, opened, &args.file, password, args.force, json).await
        }
    }
}

/// Reads a file of another wallet, or standard input.
pub fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let bytes = if path == Path::new("-") {
        files::read_from(io::stdin().lock(), file::MAX_BYTES)
    } else {
        files::read_bounded(path, file::MAX_BYTES)
    };
    let bytes = bytes.map_err(Error::file("read", path))?;
    bytes.ok_or_else(|| KeysError::TooLarge(file::MAX_BYTES).of(path).into())
}

/// Understands it.
pub fn parse(bytes: &[u8], path: &Path) -> Result<Content, Error> {
    file::parse(bytes).map_err(|error| error.of(path).into())
}

/// Keeps one account, if its password opens it.
pub async fn keep_one(
    store: &Store,
    file: KeyFile,
    from: &Path,
    args: &PasswordArgs,
    force: bool,
    json: bool,
) -> Result<(), Error> {
    // What can't be kept needs no password.
    let name = check(store, &file, force)?;
    let password = password::known(args, &name).await?;
    keep_several(store, vec![file], from, password, force, json).await
}

/// Keeps all of them or, if there is something wrong with one, none.
async fn keep_several(
    store: &Store,
    files: Vec<KeyFile>,
    from: &Path,
    password: Secret,
    force: bool,
    json: bool,
) -> Result<(), Error> {
    let names = files
        .iter()
        .map(|file| check(store, file, force))
        .collect::<Result<Vec<String>, Error>>()?;
    let opened = terminal::apart(move || -> Result<Vec<KeyFile>, KeysError> {
        files.iter().try_for_each(|file| file.open(&password).map(drop))?;
        Ok(files)
    })
    .await;
    let files = opened.map_err(|error| error.of(from))?;
    let mut all = Vec::new();
    for (file, name) in files.into_iter().zip(&names) {
        let file = file.named(name);
        let path = store.add(&file, force)?;
        all.push(Made {
            name,
            address: accounts::address(&file.account()?),
            file: path,
            phrase: None,
        });
    }
    made::say(&all, json)
}

/// What the account will be called, if it can be kept.
fn check(store: &Store, file: &KeyFile, force: bool) -> Result<String, Error> {
    let account = file.account()?;
    if !force {
        store.check_new(&account)?;
    }
    // Whoever exported it may have named nothing.
    let name = file
        .name()
        .map_or_else(|| accounts::short(&account), |name| name.trim().to_owned());
    store.check_name(&name, Some(&account))?;
    Ok(name)
}
