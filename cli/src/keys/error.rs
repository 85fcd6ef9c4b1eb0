//! Everything that can go wrong with keys and their files. No message repeats what was typed: it may be a secret with one
//! letter wrong.

use std::path::PathBuf;

/// Why a key, a key file or an account of the wallet can't be used. Each message is its own documentation.
#[allow(missing_docs)]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    #[error(
        "that is no seed phrase: give its words with spaces between them, then //hard and /soft paths and ///password \
         if the account has any"
    )]
    NotAPhrase,
    #[error(
        "a seed phrase has 12, 15, 18, 21 or 24 words, and these are {0}: compare it with what you wrote down"
    )]
    WordCount(usize),
    #[error("word {0} is not in the list that seed phrases are made of: compare it with what you wrote down")]
    UnknownWord(usize),
    #[error(
        "these words do not belong together (their checksum is wrong): one of them is another word, or their order is \
         another; compare them with what you wrote down"
    )]
    Checksum,
    #[error(
        "the secret of the development accounts (//Alice and others, and the words that they are made of) is known to \
         everyone, so whatever is sent there is gone: make an account of your own with `hydra wallet new NAME`"
    )]
    PublicSecret,
    #[error("the system gives no random numbers ({0}), so no key was made: try again later")]
    NoRandomness(String),

    #[error("it is larger than {} KiB, so it is no key file: name the JSON file that a wallet exported", .0 / 1024)]
    TooLarge(u64),
    #[error(
        "it is no key file: name the JSON file that `hydra wallet backup` or the polkadot-js extension wrote"
    )]
    NotAKeyFile,
    #[error(
        "its format (version {0}) is an old one: open it with the polkadot-js extension, export the account from there, and \
         use that file"
    )]
    OldFormat(String),
    #[error("it holds a key of the kind {0}, and HydraAI's accounts are sr25519: export an sr25519 account")]
    OtherKind(String),
    #[error("it is not encrypted, or in an unknown way ({0}): export the account with a password")]
    OtherEncryption(String),
    #[error(
        "it asks for a password hash of unusual cost (scrypt N {n}, p {p}, r {r}), which no wallet writes: it is damaged, or \
         made to exhaust this PC"
    )]
    Cost { n: u32, p: u32, r: u32 },
    #[error(
        "it is damaged: use another copy of it, or the seed phrase with `hydra wallet import NAME --force`"
    )]
    Damaged,
    #[error(
        "the password is wrong, or the file is damaged: try again, or give the account a new password with its seed phrase and \
         `hydra wallet import NAME --force`"
    )]
    WrongPassword,
    #[error("the key could not be encrypted, so nothing was kept: try again")]
    NotEncrypted,
    #[error("it holds the key of another account than it says: don't use it")]
    OtherAccount,
    #[error(
        "it holds several accounts: take all of them in with `hydra wallet restore FILE`, without --name"
    )]
    Several,
    #[error("it holds {0} accounts: split the export into files of at most {1}")]
    TooMany(usize, usize),
    #[error("it holds no account that can be kept here: export an encrypted sr25519 account")]
    NothingToKeep,
    #[error(
        "it is watched only, and its secret is elsewhere, on a hardware wallet for example: sign with that one"
    )]
    NoSecret,

    #[error(
        "there is no account in {}: make one with `hydra wallet new NAME`, or take in this PC's own with `hydra wallet import \
         --this-pc`", .0.display()
    )]
    NoAccounts(PathBuf),
    #[error("there is no account called {0} in this wallet: `hydra wallet list` shows those there are")]
    NoSuchAccount(String),
    #[error("the wallet holds {0} accounts: say which one, by name or address")]
    WhichAccount(usize),
    #[error("several accounts are called {0}: give the address of the one that is meant")]
    AmbiguousName(String),
    #[error("an account called {0} exists already: choose another name")]
    NameTaken(String),
    #[error("that can't be the name of an account ({0}): choose another one")]
    BadName(&'static str),
    #[error(
        "the account {0} is in this wallet already: nothing was changed; --force replaces its file, and with it its password"
    )]
    Exists(String),
    #[error("{} is there already and was left as it is: name another file, or replace it with --force", .0.display())]
    FileExists(PathBuf),
    #[error(
        "{} is in the way and was left as it is, since it can't be understood as the file of this account: move it elsewhere, \
         then try again", .0.display()
    )]
    InTheWay(PathBuf),
    #[error(
        "{given} is an address of another network. The same account has the address {here} here: ask its owner for that one, \
         which `hydra wallet receive` shows, and polkadot-js with the address format \"Substrate\" (prefix 42)"
    )]
    ForeignAddress { given: String, here: String },
    #[error(
        "it isn't said which account pays: name it with --from (see `hydra wallet list`); this-pc is this PC's own"
    )]
    NobodyNamed,
    #[error(
        "that is no account (--from): give the name or the address of one of yours (see `hydra wallet list`), this-pc or, on a \
         local network, //Alice"
    )]
    BadFrom,
    #[error(
        "the seed phrase could not be shown ({0}), so no account was kept: run this again, at a terminal or with --json into a \
         program that reads it"
    )]
    PhraseNotShown(String),

    #[error("there is no terminal to ask for {0}: {1}")]
    NoTerminal(&'static str, &'static str),
    #[error("the two passwords are not the same, so nothing was written: try again")]
    PasswordsDiffer,
    #[error(
        "the password has {0} characters and needs at least {1}: anyone who gets the file may try out short ones"
    )]
    ShortPassword(usize, usize),
    #[error("no password was given: an account's file is never without one")]
    EmptyPassword,
    #[error("{0} is not UTF-8 text of one line, as a password must be: write it anew")]
    BadPassword(String),
    #[error("standard input can't hold both the password and the account: put one of them into a file")]
    BothFromStdin,
    #[error("nothing was done: it was not confirmed")]
    Declined,
    #[error("nothing was done: it was interrupted")]
    Interrupted,
}

impl KeysError {
    /// For a file: which one it is about.
    pub fn of(self, path: &std::path::Path) -> FileError {
        FileError {
            path: path.into(),
            source: self,
        }
    }
}

/// What is wrong with one file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} can't be used: {source}", .path.display())]
pub struct FileError {
    /// Which file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub source: KeysError,
}
