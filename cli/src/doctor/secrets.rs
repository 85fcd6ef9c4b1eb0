//! Secrets on this PC: the account's key, the identities of node and trainer, and the user's encrypted accounts. Whether they
//! are there, whole, of whom they say, and readable by their owner only.
//!
//! It must never show one, nor ask for a password.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    check::{Check, State, Topic},
    place::Subject,
};
use crate::{
    accounts,
    args::KeysArgs,
    error::Error,
    files,
    home::{self, Home},
    keys::store::Store,
    keystore::{self, Kind},
    network,
};

/// The keys in the node's keystore: of the account, and of a founder for making blocks.
pub fn keys(home: &Home) -> Vec<Check> {
    let keystore = home.keystore();
    let publics = |kind| keystore::publics(&keystore, kind);
    let (there, babe, grandpa) = match (home.accounts(), publics(Kind::Babe), publics(Kind::Grandpa)) {
        (Ok(there), Ok(babe), Ok(grandpa)) => (there, babe, grandpa),
        (Err(error), _, _) | (_, Err(error), _) | (_, _, Err(error)) => {
            return vec![Check::of(Topic::Keys, State::Fault, &error)];
        }
    };
    let backup = "restore it from your backup: nobody can make it again";
    let mut checks = Vec::new();
    if there.is_empty() {
        let found = format!("no key of an account is in {}", keystore.display());
        checks.push(Check::fault(Topic::Keys, found, backup));
    } else if !there
        .iter()
        .any(|account| accounts::address(account) == home.pc.account)
    {
        let found = format!(
            "the key of this PC's account {} isn't in {}",
            home.pc.account,
            keystore.display()
        );
        checks.push(Check::fault(Topic::Keys, found, backup));
    }
    if home.joined.validator && (babe.is_empty() || grandpa.is_empty()) {
        let found = format!(
            "this PC makes blocks, and a session key of it isn't in {}",
            keystore.display()
        );
        checks.push(Check::fault(Topic::Keys, found, "restore it from your backup"));
    }
    for account in &there {
        if let Err(error) = home.key(account) {
            checks.push(Check::of(Topic::Keys, State::Fault, &error));
        }
    }
    let of = |kind, publics: &[[u8; 32]]| {
        let path = |public| keystore::path(&keystore, kind, public);
        publics.iter().map(path).collect::<Vec<_>>()
    };
    let paths = [
        of(Kind::Account, &there),
        of(Kind::Babe, &babe),
        of(Kind::Grandpa, &grandpa),
    ];
    checks.extend(open_to_others(Topic::Keys, &paths.concat()));
    if there.len() > 1 {
        // Which one isn't meant, only its owner knows: the first may be either.
        let moves = there.iter().map(|account| {
            let path = keystore::path(&keystore, Kind::Account, account);
            format!("`mv {} ~/{}.key`", path.display(), accounts::address(account))
        });
        checks.push(Check::warning(
            Topic::Keys,
            format!(
                "the keystore has the keys of {} accounts, and a PC has one: the registered one counts, else {}",
                there.len(),
                there.first().map(accounts::short).unwrap_or_default()
            ),
            format!(
                "move the key of the one that isn't meant away, and keep it as long as that account holds anything: {}",
                moves.collect::<Vec<_>>().join(" or ")
            ),
        ));
    }
    if checks.is_empty() {
        let who = there.first().map(accounts::short).unwrap_or_default();
        checks.push(Check::ok(
            Topic::Keys,
            format!("of {who}, and only you can read them"),
        ));
    }
    checks
}

/// The identities of node and trainer, and the token that they share.
pub fn identities(subject: &Subject) -> Vec<Check> {
    let trainer = &subject.pc.trainer;
    let mut checks = Vec::new();
    checks.extend(token(&trainer.token_file, subject));
    let mut secrets = vec![trainer.token_file.clone(), trainer.key_file.clone()];
    checks.extend(identity("trainer", &trainer.key_file, &trainer.peer_id, subject));
    // A local network's nodes have theirs from the command line.
    if let Some(home) = &subject.home {
        let file = home.node_key_file();
        checks.extend(identity("node", &file, &subject.pc.node.peer_id, subject));
        secrets.push(file);
    }
    checks.extend(open_to_others(Topic::Identities, &secrets));
    if checks.is_empty() {
        checks.push(Check::ok(
            Topic::Identities,
            "of node and trainer, and their token",
        ));
    }
    checks
}

fn token(path: &Path, subject: &Subject) -> Option<Check> {
    let anew = format!(
        "stop what runs, delete it, and start again with `{}`: it is made anew",
        subject.again()
    );
    match files::read_secret(path) {
        Ok(Some(_)) => None,
        Ok(None) => Some(Check::fault(
            Topic::Identities,
            format!(
                "{} is damaged: it must hold 64 hexadecimal characters",
                path.display()
            ),
            anew,
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound => was_started(subject).then(|| {
            Check::warning(
                Topic::Identities,
                format!("the token of node and trainer isn't in {}", path.display()),
                anew,
            )
        }),
        Err(error) => Some(Check::of(
            Topic::Identities,
            State::Fault,
            &Error::file("read", path)(error),
        )),
    }
}

/// The identity of this part of the PC, which others know by its `peer_id`.
fn identity(part: &str, path: &Path, peer_id: &str, subject: &Subject) -> Option<Check> {
    if fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        return was_started(subject).then(|| {
            Check::fault(
                Topic::Identities,
                format!("the identity of this PC's {part} isn't in {}", path.display()),
                "restore it from your backup, or this PC comes back as a stranger",
            )
        });
    }
    match home::identity(path) {
        Err(error) => Some(Check::of(Topic::Identities, State::Fault, &error)),
        Ok(secret) if network::peer_id(secret) != peer_id => Some(Check::fault(
            Topic::Identities,
            format!(
                "{} is of another {part} than others know this PC's by ({peer_id})",
                path.display()
            ),
            "restore the right one from your backup",
        )),
        Ok(_) => None,
    }
}

fn was_started(subject: &Subject) -> bool {
    subject.home.is_some() || subject.pc.node.pid != 0 || subject.pc.node.log.exists()
}

/// Those of these files that others can read.
fn open_to_others(topic: Topic, paths: &[PathBuf]) -> Option<Check> {
    let open: Vec<String> = paths
        .iter()
        .filter(|path| files::others_can_read(path))
        .map(|path| path.display().to_string())
        .collect();
    let (first, others) = open.split_first()?;
    let found = match others.len() {
        0 => format!("{first}: its mode lets others read it"),
        number => format!("{first}, and {number} more: their modes let others read them"),
    };
    Some(Check::fault(
        topic,
        found,
        format!("`chmod 600 {}`", open.join(" ")),
    ))
}

/// Those of these encrypted files that others can read and reach. Each has a password, which they can then guess at.
fn exposed(mut paths: Vec<PathBuf>) -> Option<Check> {
    paths.retain(|path| path.parent().is_some_and(files::others_can_read));
    let check = open_to_others(Topic::Wallet, &paths)?;
    Some(Check {
        state: State::Warning,
        ..check
    })
}

/// The user's encrypted accounts.
pub fn wallet(args: &KeysArgs) -> Vec<Check> {
    let store = match Store::new(args) {
        Ok(store) => store,
        Err(error) => return vec![Check::of(Topic::Wallet, State::Unknown, &error)],
    };
    let kept = match store.look() {
        Ok(kept) => kept,
        Err(error) => return vec![Check::of(Topic::Wallet, State::Fault, &error)],
    };
    let number = kept.len();
    let mut checks = Vec::new();
    let mut paths = Vec::new();
    for (path, file) in kept {
        match file {
            Ok(_) => paths.push(path),
            Err(error) => checks.push(Check::of(Topic::Wallet, State::Fault, &error)),
        }
    }
    checks.extend(exposed(paths));
    if checks.is_empty() {
        checks.push(Check::ok(
            Topic::Wallet,
            match number {
                0 => "no account of your own is kept here".into(),
                1 => "1 account".into(),
                number => format!("{number} accounts"),
            },
        ));
    }
    checks
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn files_that_others_can_read_are_named_together() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, mode| {
            let path = folder.path().join(name);
            fs::write(&path, "x").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            path
        };
        let (private, open, group) = (file("a", 0o600), file("b", 0o644), file("c", 0o640));
        assert_eq!(open_to_others(Topic::Keys, std::slice::from_ref(&private)), None);
        let check = open_to_others(Topic::Keys, &[private, open, group]).unwrap();
        assert_eq!(check.state, State::Fault);
        assert!(check.found.contains("/b, and 1 more: "), "{}", check.found);
        assert!(check.todo.unwrap().starts_with("`chmod 600 "));
    }

    #[test]
    fn an_encrypted_file_is_a_warning_and_only_in_a_folder_that_others_can_open() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("savings.json");
        fs::write(&path, "x").unwrap();
        let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        mode(&path, 0o644);
        mode(folder.path(), 0o700);
        assert_eq!(exposed(vec![path.clone()]), None);
        mode(folder.path(), 0o755);
        let check = exposed(vec![path.clone()]).unwrap();
        assert_eq!((check.check, check.state), (Topic::Wallet, State::Warning));
        mode(&path, 0o600);
        assert_eq!(exposed(vec![path]), None);
    }
}
