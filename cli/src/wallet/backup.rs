//! `hydra wallet backup` and `restore`: key files out of the wallet and into it.
//!
//! A file of one account is kept only after its password opened it, and its key turned out to be that of the account that
//! it names. An export of several has a password for the whole: that one must open it, and what is in it is kept as it is,
//! since polkadot-js leaves each account the password that it had (`backupAccounts` in @polkadot/ui-keyring).

use hydra_primitives::AccountBytes;
use schemars::JsonSchema;
use serde::Serialize;
use std::{collections::BTreeSet, fs, io, path::Path};

use super::{
    made::{self, Made},
    own,
    seal::seal,
};
use crate::{
    accounts,
    args::{BackupArgs, PasswordArgs, RestoreArgs},
    error::Error,
    files::{self, Destination},
    keys::{
        error::KeysError,
        file::{self, Content, Inside, KeyFile},
        key, password,
        store::{self, Store},
        terminal,
    },
    output,
};

/// What was saved, as programs read it.
#[derive(Serialize, JsonSchema)]
pub struct Saved<'a> {
    /// What its owner calls the account.
    name: &'a str,
    /// Its address.
    address: &'a str,
    /// The file that was written.
    file: &'a Path,
}

/// `hydra wallet backup`.
pub async fn backup(args: &BackupArgs, json: bool) -> Result<(), Error> {
    match &args.account {
        Some(account) => {
            let kept = Store::new(&args.keys)?.choose(Some(account))?;
            if save(&kept.file, &destination(args)?, args)? {
                let what = "encrypted with its password. Without the password or the seed phrase the file opens nothing, so \
                            keep those, too.";
                say_saved(&kept.name, &kept.file, &args.out, what, json)?;
            }
        }
        None => {
            let (key, name) = own::key(&args.own)?;
            let destination = destination(args)?;
            // What can't be written needs no password.
            if let Destination::File(path) = &destination
                && !args.force
                && fs::symlink_metadata(path).is_ok()
            {
                return Err(KeysError::FileExists(args.out.clone()).into());
            }
            let password = password::new(&args.password).await?;
            let file = seal(&key, &name, password).await?;
            if save(&file, &destination, args)? {
                let what = "encrypted with the password that you gave. The dashboard and the polkadot-js extension take the \
                            file; without the password it opens nothing.";
                say_saved(&name, &file, &args.out, what, json)?;
            }
        }
    }
    Ok(())
}

fn destination(args: &BackupArgs) -> Result<Destination, Error> {
    Destination::of(&args.out).map_err(Error::file("write", &args.out))
}

/// Writes it. Returns whether anything may be said of it on standard output.
fn save(file: &KeyFile, destination: &Destination, args: &BackupArgs) -> Result<bool, Error> {
    let bytes = file.to_bytes();
    match destination {
        // It is its owner's only, whoever could read what it replaces.
        Destination::File(path) => match files::write_private(path, &bytes, args.force) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(KeysError::FileExists(args.out.clone()).into())
            }
            written => written.map(|()| true).map_err(Error::file("write", &args.out)),
        },
        // Standard output is the file then, and nothing else may stand there.
        Destination::Stdout | Destination::Through(_) => {
            let written = destination.write(&bytes).map(|()| false);
            written.map_err(Error::file("write", &args.out))
        }
    }
}

fn say_saved(name: &str, saved: &KeyFile, file: &Path, what: &str, json: bool) -> Result<(), Error> {
    let address = &accounts::address(&saved.account()?);
    if json {
        return output::json(&Saved { name, address, file });
    }
    output::data(&format!(
        "{name} ({address}) is saved in {}, {what}",
        file.display()
    ))
}

/// `hydra wallet restore`.
pub async fn restore(args: RestoreArgs, json: bool) -> Result<(), Error> {
    if args.file == Path::new("-") && args.password.password_stdin {
        return Err(KeysError::BothFromStdin.into());
    }
    let store = Store::new(&args.keys)?;
    let content = parse(&read(&args.file, file::MAX_BYTES)?, &args.file)?;
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
            let opened = terminal::apart(move || several.open(&password)).await;
            let opened = opened.map_err(|error| error.of(&args.file))?;
            keep_several(&store, opened, &args.file, args.force, json)
        }
    }
}

/// Reads a file of another wallet, or standard input, of at most `limit` bytes.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Error> {
    let bytes = if path == Path::new("-") {
        files::read_from(io::stdin().lock(), limit)
    } else {
        files::read_bounded(path, limit)
    };
    let bytes = bytes.map_err(Error::file("read", path))?;
    bytes.ok_or_else(|| KeysError::TooLarge(limit).of(path).into())
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
    let opened = terminal::apart(move || file.open(&password).map(|_| file)).await;
    let file = opened.map_err(|error| error.of(from))?;
    let made = Made {
        name: &name,
        address: accounts::address(&file.account()?),
        file: store.add(&file.named(&name), force)?,
        phrase: None,
    };
    made::say(&[made], json)
}

/// What the account will be called, if it can be kept.
fn check(store: &Store, file: &KeyFile, force: bool) -> Result<String, Error> {
    let account = owned(file)?;
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

/// Its account, if that is nobody else's as well.
fn owned(file: &KeyFile) -> Result<AccountBytes, KeysError> {
    let account = file.account()?;
    match key::is_public(&account) {
        true => Err(KeysError::PublicSecret),
        false => Ok(account),
    }
}

/// Keeps each that can be kept or, if one of these can't be written, none.
fn keep_several(
    store: &Store,
    inside: Vec<Inside>,
    from: &Path,
    force: bool,
    json: bool,
) -> Result<(), Error> {
    let (mut own, mut files) = (BTreeSet::new(), Vec::new());
    for one in inside {
        let name = store::shown(&one.name);
        match one.file.and_then(|file| Ok((owned(&file)?, file))) {
            Ok((account, file)) if own.insert(account) => files.push(file),
            Ok(_) => output::note(&format!("{name} is left out: the same account is in there twice")),
            Err(error) => output::note(&format!("{name} is left out: {error}")),
        }
    }
    if files.is_empty() {
        return Err(KeysError::NothingToKeep.of(from).into());
    }
    if !force {
        own.iter().try_for_each(|account| store.check_new(account))?;
    }
    let names = store.names_for(&files)?;
    let named = files.into_iter().zip(&names).map(|(file, name)| file.named(name));
    let files: Vec<KeyFile> = named.collect();
    let paths = store.draft(&files, force)?.keep()?;
    let mut made = Vec::new();
    for ((file, name), path) in files.iter().zip(&names).zip(paths) {
        made.push(Made {
            name,
            address: accounts::address(&file.account()?),
            file: path,
            phrase: None,
        });
    }
    output::note(
        "each of them keeps the password that it had in the wallet it comes from; the export's password is not theirs. If one is \
         forgotten: `hydra wallet import NAME --force`, with the account's phrase",
    );
    made::say(&made, json)
}
