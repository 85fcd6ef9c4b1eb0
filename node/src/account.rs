//! The PC's account: an sr25519 key of type `hydr` in the node's keystore, with which the off-chain worker signs. It is
//! apart from the session keys, and a person's savings should be in neither.
//!
//! One PC has one account. Where the keystore holds several, one counts, by a rule that doesn't depend on the order of
//! files; the others are named, with how to take them out. Nothing here ever deletes a key: it may be the only one to
//! what the account holds.

use crate::{error::Error, notice::quoted};
use hydra_runtime::AccountId;
use sp_core::{
    crypto::{KeyTypeId, Ss58Codec},
    ecdsa, ed25519, sr25519,
};
use sp_keystore::{Error as KeystoreError, Keystore, KeystorePtr};
use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// The key type, as in the pallet's application crypto.
pub const ACCOUNT_KEY: KeyTypeId = KeyTypeId(*b"hydr");

/// Sees to it that there is an account, and returns the one that the command line names. `suri` is for development: its
/// key is kept in memory only.
pub fn provide(keystore: &dyn Keystore, suri: Option<&str>) -> Result<Option<sr25519::Public>, Error> {
    match suri {
        Some(suri) => {
            // Looked at first, because the keystore would quote the secret in its error.
            <sr25519::Pair as sp_core::Pair>::from_string(suri, None)
                .map_err(|error| Error::TrainerSuri(error.to_string()))?;
            generate(keystore, Some(suri)).map(Some)
        }
        None if keystore.sr25519_public_keys(ACCOUNT_KEY).is_empty() => {
            generate(keystore, None)?;
            log::info!("🔑 Made a new account for this node's trainer");
            Ok(None)
        }
        None => Ok(None),
    }
}

fn generate(keystore: &dyn Keystore, suri: Option<&str>) -> Result<sr25519::Public, Error> {
    keystore
        .sr25519_generate_new(ACCOUNT_KEY, suri)
        .map_err(|error| Error::Keystore(error.to_string()))
}

/// Why an account counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    Only,
    Named,
    Registered,
    First,
}

/// The account that counts: the one that the command line names; else the registered one; else, and of several, the
/// one whose public key comes first.
fn choose(
    keys: &[sr25519::Public],
    named: Option<&sr25519::Public>,
    is_registered: impl Fn(&sr25519::Public) -> bool,
) -> Option<(sr25519::Public, Why)> {
    if let [only] = keys {
        return Some((*only, Why::Only));
    }
    if let Some(named) = named.filter(|named| keys.contains(named)) {
        return Some((*named, Why::Named));
    }
    let registered = keys.iter().filter(|key| is_registered(key)).min();
    let first = || keys.iter().min().map(|key| (*key, Why::First));
    registered.map(|key| (*key, Why::Registered)).or_else(first)
}

/// A choice as a person reads it.
fn sentences(
    keys: &[sr25519::Public],
    chosen: &sr25519::Public,
    why: Why,
    folder: Option<&Path>,
) -> Vec<String> {
    let others = keys.iter().filter(|key| *key != chosen);
    let because = match why {
        Why::Only => return vec![],
        Why::Named => "it is the one that the command line names",
        Why::Registered => "it is registered on the chain",
        Why::First => "no account is registered and its key comes first",
    };
    let mut sentences = vec![format!(
        "this node has the keys of {} accounts, and a PC has one: {} counts, because {because}",
        keys.len(),
        chosen.to_ss58check()
    )];
    sentences.extend(others.map(|other| {
        let file = folder.map(|folder| folder.join(file_name(other))).filter(|file| file.exists());
        let account = other.to_ss58check();
        match file {
            _ if why == Why::First => format!(
                "{account} does nothing here for now: as far as this node knows the chain, none of them is registered, and \
                 the one that is will count"
            ),
            Some(file) => format!(
                "{account} does nothing here: if it is not meant, move its key out of the keystore, and keep it as long \
                 as the account holds anything:  mv {} ~/{account}.key",
                quoted(&file)
            ),
            None => format!("{account} does nothing here: its key is in memory only, and gone when the node stops"),
        }
    }));
    sentences
}

/// The name of a key's file, as the keystore has it.
fn file_name(public: &sr25519::Public) -> String {
    hex::encode([ACCOUNT_KEY.0.as_slice(), public.0.as_slice()].concat())
}

/// All accounts, the one that counts, and why.
type Said = (Vec<sr25519::Public>, sr25519::Public, Why);
type Registered = Box<dyn Fn(&AccountId) -> bool + Send + Sync>;

/// What the off-chain worker sees of the keystore: the one account, and no session key.
pub struct OneAccount {
    keystore: KeystorePtr,
    named: Option<sr25519::Public>,
    /// Where the keystore's files are, if it has any.
    folder: Option<PathBuf>,
    registered: Registered,
    said: Mutex<Option<Said>>,
}

impl OneAccount {
    /// Of these keys; `named` is the account of the command line, `folder` where the keys are files.
    pub fn new(
        keystore: KeystorePtr,
        named: Option<sr25519::Public>,
        folder: Option<PathBuf>,
        registered: Registered,
    ) -> Self {
        Self {
            keystore,
            named,
            folder,
            registered,
            said: Mutex::default(),
        }
    }

    /// The account that counts now. Says so when that, or the reason, has changed: keys may come and go, and accounts be
    /// registered, while the node runs.
    pub fn current(&self) -> Option<sr25519::Public> {
        let mut keys = self.keystore.sr25519_public_keys(ACCOUNT_KEY);
        keys.sort_unstable();
        // Asked only where it matters: the runtime is called for it.
        let is_registered = |key: &sr25519::Public| (self.registered)(&AccountId::from(*key));
        let (chosen, why) = choose(&keys, self.named.as_ref(), is_registered)?;
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said
            .as_ref()
            .is_none_or(|(of, one, because)| *of != keys || *one != chosen || *because != why)
        {
            log::info!("🔑 Trainer account: {}", chosen.to_ss58check());
            for sentence in sentences(&keys, &chosen, why, self.folder.as_deref()) {
                log::warn!("🔑 {sentence}");
            }
            *said = Some((keys, chosen, why));
        }
        Some(chosen)
    }
}

impl Keystore for OneAccount {
    fn sr25519_public_keys(&self, key_type: KeyTypeId) -> Vec<sr25519::Public> {
        let ours = (key_type == ACCOUNT_KEY).then(|| self.current()).flatten();
        ours.into_iter().collect()
    }

    fn sr25519_sign(
        &self,
        key_type: KeyTypeId,
        public: &sr25519::Public,
        message: &[u8],
    ) -> Result<Option<sr25519::Signature>, KeystoreError> {
        if key_type == ACCOUNT_KEY {
            self.keystore.sr25519_sign(key_type, public, message)
        } else {
            Ok(None)
        }
    }

    fn keys(&self, key_type: KeyTypeId) -> Result<Vec<Vec<u8>>, KeystoreError> {
        let keys = self.sr25519_public_keys(key_type);
        Ok(keys.into_iter().map(|key| key.0.to_vec()).collect())
    }

    fn has_keys(&self, wanted: &[(Vec<u8>, KeyTypeId)]) -> bool {
        wanted.iter().all(|(public, key_type)| {
            self.sr25519_public_keys(*key_type)
                .iter()
                .any(|key| key.0.as_slice() == public.as_slice())
        })
    }

    // From here on: everything that the off-chain worker has no use for.

    fn sr25519_generate_new(&self, _: KeyTypeId, _: Option<&str>) -> Result<sr25519::Public, KeystoreError> {
        Err(KeystoreError::Unavailable)
    }

    fn sr25519_vrf_sign(
        &self,
        _: KeyTypeId,
        _: &sr25519::Public,
        _: &sr25519::vrf::VrfSignData,
    ) -> Result<Option<sr25519::vrf::VrfSignature>, KeystoreError> {
        Ok(None)
    }

    fn sr25519_vrf_pre_output(
        &self,
        _: KeyTypeId,
        _: &sr25519::Public,
        _: &sr25519::vrf::VrfInput,
    ) -> Result<Option<sr25519::vrf::VrfPreOutput>, KeystoreError> {
        Ok(None)
    }

    fn ed25519_public_keys(&self, _: KeyTypeId) -> Vec<ed25519::Public> {
        vec![]
    }

    fn ed25519_generate_new(&self, _: KeyTypeId, _: Option<&str>) -> Result<ed25519::Public, KeystoreError> {
        Err(KeystoreError::Unavailable)
    }

    fn ed25519_sign(
        &self,
        _: KeyTypeId,
        _: &ed25519::Public,
        _: &[u8],
    ) -> Result<Option<ed25519::Signature>, KeystoreError> {
        Ok(None)
    }

    fn ecdsa_public_keys(&self, _: KeyTypeId) -> Vec<ecdsa::Public> {
        vec![]
    }

    fn ecdsa_generate_new(&self, _: KeyTypeId, _: Option<&str>) -> Result<ecdsa::Public, KeystoreError> {
        Err(KeystoreError::Unavailable)
    }

    fn ecdsa_sign(
        &self,
        _: KeyTypeId,
        _: &ecdsa::Public,
        _: &[u8],
    ) -> Result<Option<ecdsa::Signature>, KeystoreError> {
        Ok(None)
    }

    fn ecdsa_sign_prehashed(
        &self,
        _: KeyTypeId,
        _: &ecdsa::Public,
        _: &[u8; 32],
    ) -> Result<Option<ecdsa::Signature>, KeystoreError> {
        Ok(None)
    }

    fn insert(&self, _: KeyTypeId, _: &str, _: &[u8]) -> Result<(), ()> {
        Err(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_core::Pair;
    use sp_keystore::testing::MemoryKeystore;
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

    fn key(byte: u8) -> sr25519::Public {
        sr25519::Public::from_raw([byte; 32])
    }

    #[test]
    fn of_several_accounts_the_named_then_the_registered_then_the_first_counts() {
        let keys = [key(3), key(1), key(2)];
        let none = |_: &sr25519::Public| false;
        let two_and_three = |public: &sr25519::Public| *public != key(1);
        assert_eq!(choose(&[], None, none), None);
        assert_eq!(choose(&[key(9)], Some(&key(1)), none), Some((key(9), Why::Only)));
        assert_eq!(choose(&keys, None, none), Some((key(1), Why::First)));
        assert_eq!(
            choose(&keys, None, two_and_three),
            Some((key(2), Why::Registered))
        );
        assert_eq!(
            choose(&keys, Some(&key(3)), two_and_three),
            Some((key(3), Why::Named))
        );
        // A key that was named and isn't there can't count.
        assert_eq!(choose(&keys, Some(&key(7)), none), Some((key(1), Why::First)));
    }

    #[test]
    fn every_other_account_is_named_with_how_to_take_it_out() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(file_name(&key(2)));
        std::fs::write(&file, "").unwrap();
        let keys = [key(1), key(2), key(3)];
        let said = sentences(&keys, &key(1), Why::Registered, Some(folder.path()));
        assert_eq!(said.len(), 3);
        assert!(
            said[0].contains(&key(1).to_ss58check()) && said[0].contains("registered"),
            "{said:?}"
        );
        assert!(said[1].contains(&format!("mv '{}'", file.display())), "{said:?}");
        assert!(said[2].contains("in memory only"), "{said:?}");
        // While the chain is still being fetched, nobody knows which one is registered.
        let said = sentences(&keys, &key(1), Why::First, Some(folder.path()));
        assert!(said.iter().all(|sentence| !sentence.contains("mv ")), "{said:?}");
        assert!(sentences(&keys[..1], &key(1), Why::Only, None).is_empty());
    }

    #[test]
    fn the_off_chain_worker_sees_one_account_and_no_session_key() {
        let keystore = Arc::new(MemoryKeystore::new());
        let alice = keystore
            .sr25519_generate_new(ACCOUNT_KEY, Some("//Alice"))
            .unwrap();
        let bob = keystore.sr25519_generate_new(ACCOUNT_KEY, Some("//Bob")).unwrap();
        let babe = KeyTypeId(*b"babe");
        let session = keystore.sr25519_generate_new(babe, Some("//Alice")).unwrap();
        let is_registered = Arc::new(AtomicBool::new(false));
        let (first, other) = if alice < bob { (alice, bob) } else { (bob, alice) };
        let asked = is_registered.clone();
        let registered =
            move |who: &AccountId| asked.load(Ordering::Relaxed) && *who == AccountId::from(other);
        let view = OneAccount::new(keystore, None, None, Box::new(registered));
        assert_eq!(view.sr25519_public_keys(ACCOUNT_KEY), [first]);
        // The account that its owner registers counts from then on.
        is_registered.store(true, Ordering::Relaxed);
        assert_eq!(view.sr25519_public_keys(ACCOUNT_KEY), [other]);
        assert_eq!(view.keys(ACCOUNT_KEY).unwrap(), [other.0.to_vec()]);
        assert!(view.has_keys(&[(other.0.to_vec(), ACCOUNT_KEY)]));
        assert!(!view.has_keys(&[(first.0.to_vec(), ACCOUNT_KEY)]));
        let signature = view
            .sr25519_sign(ACCOUNT_KEY, &other, b"message")
            .unwrap()
            .unwrap();
        assert!(sr25519::Pair::verify(&signature, b"message", &other));
        assert!(view.sr25519_public_keys(babe).is_empty());
        assert!(view.sr25519_sign(babe, &session, b"message").unwrap().is_none());
    }

    #[test]
    fn an_account_is_made_once_and_a_secret_is_not_repeated_in_an_error() {
        let keystore = MemoryKeystore::new();
        assert_eq!(provide(&keystore, None).unwrap(), None);
        let made = keystore.sr25519_public_keys(ACCOUNT_KEY);
        assert_eq!(made.len(), 1);
        assert_eq!(provide(&keystore, None).unwrap(), None);
        assert_eq!(keystore.sr25519_public_keys(ACCOUNT_KEY), made);
        let named = provide(&keystore, Some("//Alice")).unwrap().unwrap();
        assert_eq!(
            named,
            sr25519::Pair::from_string("//Alice", None).unwrap().public()
        );
        let error = provide(&keystore, Some("no such secret words")).unwrap_err();
        assert!(!error.to_string().contains("secret words"), "{error}");
    }

    #[test]
    fn key_files_have_the_names_that_the_keystore_gives_them() {
        assert_eq!(file_name(&key(0xab)), format!("68796472{}", "ab".repeat(32)));
    }
}
