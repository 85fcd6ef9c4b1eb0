//! Where a password comes from: a file, standard input, or the person at the terminal. Never from an argument or the
//! environment, where other programs see it.

use std::{io, path::Path};
use zeroize::Zeroizing;

use super::{error::KeysError, key::Secret, terminal};
use crate::{args::PasswordArgs, error::Error, files, output};

/// Fewer characters are refused for a new file.
pub const SHORTEST: usize = 8;
/// No password is longer.
const MAX_BYTES: u64 = 4096;
const INSTEAD: &str = "name a file with --password-file, or use --password-stdin";

/// Whether a person can be asked again.
pub fn is_typed(args: &PasswordArgs) -> bool {
    args.password_file.is_none() && !args.password_stdin
}

/// Refuses if there is nowhere a password could come from.
pub fn obtainable(args: &PasswordArgs) -> Result<(), Error> {
    match is_typed(args) {
        true => terminal::required("the password", INSTEAD),
        false => Ok(()),
    }
}

/// The password of a file that exists.
pub async fn known(args: &PasswordArgs, whose: &str) -> Result<Secret, Error> {
    if let Some(password) = obtained(args).await? {
        return Ok(password);
    }
    terminal::required("the password", INSTEAD)?;
    some(terminal::hidden(&format!("Password of {}: ", output::harmless(whose))).await?)
}

/// A password for a new file: asked for twice.
pub async fn new(args: &PasswordArgs) -> Result<Secret, Error> {
    if let Some(password) = obtained(args).await? {
        return long(password);
    }
    terminal::required("a password", INSTEAD)?;
    let password = long(terminal::hidden("New password: ").await?)?;
    let again = terminal::hidden("Again: ").await?;
    match *password == *again {
        true => Ok(password),
        false => Err(KeysError::PasswordsDiffer.into()),
    }
}

/// Beside everything else: whoever waits for standard input can still be interrupted.
async fn obtained(args: &PasswordArgs) -> Result<Option<Secret>, Error> {
    let args = args.clone();
    terminal::apart(move || given(&args)).await
}

fn given(args: &PasswordArgs) -> Result<Option<Secret>, Error> {
    if let Some(path) = &args.password_file {
        if files::others_can_read(path) {
            output::note(&format!(
                "others can read the password in {path}: chmod 600 {path}",
                path = path.display()
            ));
        }
        let bytes = files::read_bounded(path, MAX_BYTES).map_err(Error::file("read", path))?;
        return line(bytes, &path.display().to_string()).map(Some);
    }
    if args.password_stdin {
        let bytes = files::read_from(io::stdin().lock(), MAX_BYTES)
            .map_err(Error::file("read", Path::new("standard input")))?;
        return line(bytes, "standard input").map(Some);
    }
    Ok(None)
}

/// One line, without its end.
fn line(bytes: Option<Vec<u8>>, from: &str) -> Result<Secret, Error> {
    let bad = || KeysError::BadPassword(from.into());
    let bytes = Zeroizing::new(bytes.ok_or_else(bad)?);
    let text = std::str::from_utf8(&bytes).map_err(|_| bad())?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.contains(['\n', '\r', '\0']) {
        return Err(bad().into());
    }
    some(Zeroizing::new(text.to_owned()))
}

/// polkadot-js takes an empty password for none, and such a file would not be encrypted.
fn some(password: Secret) -> Result<Secret, Error> {
    match password.is_empty() {
        true => Err(KeysError::EmptyPassword.into()),
        false => Ok(password),
    }
}

fn long(password: Secret) -> Result<Secret, Error> {
    match some(password)? {
        password if password.chars().count() < SHORTEST => {
            Err(KeysError::ShortPassword(password.chars().count(), SHORTEST).into())
        }
        password => Ok(password),
    }
}

#[cfg(test)]
#[path = "password_tests.rs"]
mod tests;
