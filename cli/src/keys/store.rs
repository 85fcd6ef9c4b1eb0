//! The folder with a user's accounts: a key file for each, called by its address. Only its owner can look into it.
//!
//! It must never change a file that it can't understand, and never replace one that nobody said to replace.

use hydra_primitives::AccountBytes;
use std::{fs, io, path::PathBuf};
use subxt::utils::AccountId32;

use super::{
    error::KeysError,
    file::{self, Content, KeyFile},
};
use crate::{accounts, args::KeysArgs, error::Error, files, output};

/// Longer names are refused.
const MAX_NAME: usize = 40;

/// A folder of accounts. It needs not be there yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    folder: PathBuf,
}

/// An account in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// The account.
    pub account: AccountBytes,
    /// What its owner calls it.
    pub name: String,
    /// When it was made, in milliseconds since 1970, if that was noted.
    pub created: Option<u64>,
    /// Where its file is.
    pub path: PathBuf,
    /// What is in there.
    pub file: KeyFile,
}

impl Store {
    /// The folder that was named, else the one in the user's configuration.
    pub fn new(args: &KeysArgs) -> Result<Self, Error> {
        let folder = match &args.keys {
            Some(folder) => folder.clone(),
            None => files::config_home().ok_or(Error::NoConfigHome)?.join("keys"),
        };
        Ok(Self { folder })
    }

    /// Every account, by name. A file that can't be understood is said to be left out.
    pub fn list(&self) -> Result<Vec<Kept>, Error> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(Error::file("read", &self.folder))?,
        };
        let mut kept = Vec::new();
        for entry in entries {
            let path = entry.map_err(Error::file("read", &self.folder))?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            match Self::read(path) {
                Ok(account) => kept.push(account),
                Err(error) => output::note(&format!("left out: {error}")),
            }
        }
        kept.sort_by(|a, b| (&a.name, a.account).cmp(&(&b.name, b.account)));
        Ok(kept)
    }

    fn read(path: PathBuf) -> Result<Kept, Error> {
        let bytes = files::read_bounded(&path, file::MAX_BYTES).map_err(Error::file("read", &path))?;
        let parsed = bytes
            .ok_or(KeysError::TooLarge(file::MAX_BYTES))
            .and_then(|bytes| file::parse(&bytes))
            .and_then(|content| match content {
                Content::One(file) => Ok((file.account()?, file)),
                Content::Several(_) => Err(KeysError::Several),
            });
        let (account, file) = parsed.map_err(|error| error.of(&path))?;
        // Whoever wrote the file must not write on the terminal, too.
        let name = file.name().map(|name| name.replace(is_unseen, " "));
        let name = name.unwrap_or_else(|| accounts::short(&account));
        Ok(Kept {
            account,
            name,
            created: file.created(),
            path,
            file,
        })
    }

    /// The account of this name or address; without one, the only account there is.
    pub fn choose(&self, wanted: Option<&str>) -> Result<Kept, Error> {
        let mut kept = self.list()?;
        if let Some(wanted) = wanted {
            let account = wanted.parse::<AccountId32>().ok().map(|account| account.0);
            kept.retain(|kept| account.map_or(kept.name == wanted, |account| kept.account == account));
        }
        match (wanted, kept.len()) {
            (_, 1) => kept.pop().ok_or_else(|| self.empty()),
            (None, 0) => Err(self.empty()),
            (None, several) => Err(KeysError::WhichAccount(several).into()),
            (Some(wanted), 0) => Err(KeysError::NoSuchAccount(wanted.into()).into()),
            (Some(wanted), _) => Err(KeysError::AmbiguousName(wanted.into()).into()),
        }
    }

    /// What the wallet calls this account.
    pub fn name_of(&self, account: &AccountBytes) -> Result<Option<String>, Error> {
        let kept = self.list()?.into_iter().find(|kept| kept.account == *account);
        Ok(kept.map(|kept| kept.name))
    }

    /// Refuses a name that no account can have, or that another one has.
    pub fn check_name(&self, name: &str, of: Option<&AccountBytes>) -> Result<(), Error> {
        let bad = |reason| Err(KeysError::BadName(reason).into());
        if name.is_empty() || name.trim() != name {
            return bad("it is empty, or begins or ends with a space");
        }
        if name.chars().count() > MAX_NAME || name.contains(is_unseen) {
            return bad("it is too long, or more than one line");
        }
        if name.starts_with(['/', '-']) || name.parse::<AccountId32>().is_ok() {
            return bad("it looks like something else: an option, an address or a path");
        }
        let taken = |kept: &Kept| kept.name == name && of != Some(&kept.account);
        match self.list()?.iter().any(taken) {
            true => Err(KeysError::NameTaken(name.into()).into()),
            false => Ok(()),
        }
    }

    /// Refuses if the account is here already.
    pub fn check_new(&self, account: &AccountBytes) -> Result<(), Error> {
        match self.list()?.into_iter().find(|kept| kept.account == *account) {
            Some(kept) => Err(KeysError::Exists(kept.name).into()),
            None => Ok(()),
        }
    }

    /// Keeps an account. Returns where.
    pub fn add(&self, file: &KeyFile, replace: bool) -> Result<PathBuf, Error> {
        let account = file.account()?;
        files::make_private_folder(&self.folder)?;
        if files::others_can_read(&self.folder) {
            output::note(&format!(
                "others can look into {folder}: chmod 700 {folder}",
                folder = self.folder.display()
            ));
        }
        // The one that is there may be called otherwise.
        let old = self.list()?.into_iter().find(|kept| kept.account == account);
        let path = match old {
            Some(old) => old.path,
            None => self.folder.join(format!("{}.json", accounts::address(&account))),
        };
        match files::write_private(&path, &file.to_bytes(), replace) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(KeysError::Exists(accounts::short(&account)).into())
            }
            written => written.map(|()| path.clone()).map_err(Error::file("write", path)),
        }
    }

    fn empty(&self) -> Error {
        KeysError::NoAccounts(self.folder.clone()).into()
    }
}

/// What isn't seen, or changes how the rest is seen: line breaks, escapes, marks that turn the direction of writing.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
