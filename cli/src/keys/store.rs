//! The folder with a user's accounts: a key file for each, called by its address. Only its owner can look into it.
//!
//! It must never change a file that it can't understand, and never replace one that nobody said to replace.

use hydra_primitives::AccountBytes;
use std::{
    collections::BTreeSet,
    fs, io,
    path::PathBuf,
    slice,
    sync::{Mutex, PoisonError},
};
use subxt::utils::AccountId32;

use super::{
    address,
    error::KeysError,
    file::{self, Content, KeyFile},
};
use crate::{accounts, args::KeysArgs, error::Error, files, output};

/// Longer names are refused.
const MAX_NAME: usize = 40;
/// Names the folder where the command line doesn't.
const FOLDER: &str = "HYDRA_KEYS";

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

/// A file, and the account in it or why there is none.
pub type Looked = (PathBuf, Result<Kept, Error>);

impl Store {
    /// The folder that was named, else the one in the user's configuration.
    pub fn new(args: &KeysArgs) -> Result<Self, Error> {
        let in_environment = || std::env::var_os(FOLDER).filter(|folder| !folder.is_empty());
        let folder = match args.keys.clone().or_else(|| in_environment().map(PathBuf::from)) {
            Some(folder) => folder,
            None => files::config_home().ok_or(Error::NoConfigHome)?.join("keys"),
        };
        Ok(Self { folder })
    }

    /// Every account, by name. A file that can't be understood is said to be left out, and so is the second one of an account.
    pub fn list(&self) -> Result<Vec<Kept>, Error> {
        let mut kept: Vec<Kept> = Vec::new();
        for (_, read) in self.look()? {
            match read {
                Ok(account) => kept.push(account),
                Err(error) => note_once(format!("left out: {error}")),
            }
        }
        // Of two files of an account, the one that is called by it counts.
        kept.sort_by_cached_key(|kept| {
            (
                kept.account,
                kept.path != self.path_of(&kept.account),
                kept.path.clone(),
            )
        });
        kept.dedup_by(|second, first| {
            let same = second.account == first.account;
            if same {
                note_once(format!(
                    "left out: {} is of the same account as {}; only the latter is used, so move the other elsewhere",
                    second.path.display(),
                    first.path.display()
                ));
            }
            same
        });
        kept.sort_by(|a, b| (&a.name, a.account).cmp(&(&b.name, b.account)));
        Ok(kept)
    }

    /// Every file that may be an account's, by its path, with why those can't be used that can't.
    pub fn look(&self) -> Result<Vec<Looked>, Error> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(Error::file("read", &self.folder))?,
        };
        let mut files = Vec::new();
        for entry in entries {
            let path = entry.map_err(Error::file("read", &self.folder))?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                files.push(path);
            }
        }
        files.sort();
        Ok(files
            .into_iter()
            .map(|path| (path.clone(), Self::read(path)))
            .collect())
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
        let name = file.name().map_or_else(|| accounts::short(&account), shown);
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
            let account = address::read(wanted)?;
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
        check_form(name)?;
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

    /// Names for accounts that come from elsewhere together: what is taken gets a number, and what can't be a name is replaced
    /// by the address.
    pub fn names_for(&self, new: &[KeyFile]) -> Result<Vec<String>, Error> {
        let kept = self.list()?;
        let mut names: Vec<String> = Vec::new();
        for file in new {
            let account = file.account()?;
            let wanted = file.name().map(str::trim).filter(|name| check_form(name).is_ok());
            let wanted = wanted.map_or_else(|| accounts::short(&account), str::to_owned);
            let others = kept.iter().filter(|kept| kept.account != account);
            let others: Vec<&str> = others.map(|kept| kept.name.as_str()).collect();
            let is_free = |name: &String| !names.contains(name) && !others.contains(&name.as_str());
            let numbered = (2..).map(|number: usize| {
                let number = format!(" {number}");
                let room = MAX_NAME.saturating_sub(number.len());
                wanted.chars().take(room).collect::<String>() + &number
            });
            let name = std::iter::once(wanted.clone()).chain(numbered).find(is_free);
            names.push(name.unwrap_or_default());
        }
        Ok(names)
    }

    /// Keeps an account. Returns where.
    pub fn add(&self, file: &KeyFile, replace: bool) -> Result<PathBuf, Error> {
        let draft = self.draft(slice::from_ref(file), replace)?;
        Ok(draft.keep()?.pop().unwrap_or_default())
    }

    /// Writes accounts down beside their places: all that can go wrong with that, goes wrong now. Each is of another account.
    pub fn draft(&self, new: &[KeyFile], replace: bool) -> Result<Draft, Error> {
        files::make_private_folder(&self.folder)?;
        if files::others_can_read(&self.folder) {
            note_once(format!(
                "others can look into {folder}: chmod 700 {folder}",
                folder = self.folder.display()
            ));
        }
        let kept = self.list()?;
        let mut drafts = Vec::new();
        for file in new {
            let account = file.account()?;
            // The one that is there may be called otherwise.
            let (path, replaces) = match kept.iter().find(|kept| kept.account == account) {
                Some(old) if replace => (old.path.clone(), true),
                Some(old) => return Err(KeysError::Exists(old.name.clone()).into()),
                None => (self.path_of(&account), false),
            };
            // Somebody may still have a use for it.
            if !replaces && fs::symlink_metadata(&path).is_ok() {
                return Err(KeysError::InTheWay(path).into());
            }
            let draft = files::Draft::new(path.clone(), &file.to_bytes(), replaces);
            drafts.push(draft.map_err(Error::file("write", path))?);
        }
        Ok(Draft(drafts))
    }

    fn path_of(&self, account: &AccountBytes) -> PathBuf {
        self.folder.join(format!("{}.json", accounts::address(account)))
    }

    fn empty(&self) -> Error {
        KeysError::NoAccounts(self.folder.clone()).into()
    }
}

/// Accounts that are written, but not kept yet. If it is dropped, nothing is left of them.
#[derive(Debug)]
pub struct Draft(Vec<files::Draft>);

impl Draft {
    /// Where they will be.
    pub fn paths(&self) -> impl Iterator<Item = PathBuf> {
        self.0.iter().map(|draft| draft.path().to_owned())
    }

    /// Keeps all of them or, if one can't be kept, none. Returns where.
    pub fn keep(self) -> Result<Vec<PathBuf>, Error> {
        files::put_all(self.0).map_err(|(path, error)| match error.kind() {
            io::ErrorKind::AlreadyExists => KeysError::InTheWay(path).into(),
            _ => Error::file("write", path)(error),
        })
    }
}

/// What this PC's own account is called where an account is named.
pub const THIS_PC: &str = "this-pc";

/// Refuses a name that no account can have.
pub fn check_form(name: &str) -> Result<(), KeysError> {
    // On another PC, or beside another part of a network, the wrong account would pay.
    if name == THIS_PC {
        return Err(KeysError::BadName(
            "it stands for this PC's own account, whichever PC that is",
        ));
    }
    if name.is_empty() || name.trim() != name {
        return Err(KeysError::BadName("it is empty, or begins or ends with a space"));
    }
    if name.chars().count() > MAX_NAME || name.contains(is_unseen) {
        return Err(KeysError::BadName("it is too long, or more than one line"));
    }
    if name.starts_with(['/', '-']) || name.parse::<AccountId32>().is_ok() {
        return Err(KeysError::BadName(
            "it looks like something else: an option, an address or a path",
        ));
    }
    Ok(())
}

/// A name as it is shown: whoever wrote the file must not write on the terminal, too.
pub fn shown(name: &str) -> String {
    name.replace(is_unseen, " ")
}

/// The folder is looked at several times, and one remark is enough.
fn note_once(text: String) {
    static NOTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut noted = NOTED.lock().unwrap_or_else(PoisonError::into_inner);
    if !noted.contains(&text) {
        output::note(&text);
        noted.insert(text);
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
