//! The secrets of a PC, each made once and never replaced: its account, its session keys, and the identities of its node and
//! its trainer.
//!
//! A secret goes into a file that only its owner can read, and nowhere else.

use hydra_primitives::AccountBytes;
use libp2p_identity::ed25519;
use std::{fs, path::Path};
use zeroize::Zeroizing;

use crate::{
    accounts,
    error::Error,
    files,
    keys::{
        error::KeysError,
        key::{Key, Secret, tidy},
    },
    keystore::{self, Kind},
};

/// No phrase is longer.
const MAX_PHRASE: u64 = 4_096;
/// What a statement of possession begins with; the owner's bytes follow.
const POSSESSION: &[u8] = b"POP_";

/// The secrets of a PC's two network identities.
pub struct Identities {
    /// Its node's.
    pub node: [u8; 32],
    /// Its trainer's.
    pub trainer: [u8; 32],
}

/// The account whose key is in this keystore, and whether it was made just now: from this phrase, or else a new one. An
/// account that is there stays the only one.
pub fn make_account(keys: &Path, phrase: Option<&str>) -> Result<(AccountBytes, bool), Error> {
    if let Some(there) = check_account(keys, phrase)? {
        return Ok((there, false));
    }
    let (account, made) = match phrase {
        Some(phrase) => (account_of_phrase(phrase)?, Secret::new(phrase.into())),
        None => {
            let (key, phrase) = Key::generate()?;
            (key.account(), phrase)
        }
    };
    keystore::insert(keys, Kind::Account, &account, &made)?;
    Ok((account, true))
}

/// The account that is there and that this phrase, if there is one, is the secret of. Refuses another one's phrase.
pub fn check_account(keys: &Path, phrase: Option<&str>) -> Result<Option<AccountBytes>, Error> {
    let there = keystore::publics(keys, Kind::Account)?;
    let wanted = phrase.map(account_of_phrase).transpose()?;
    match (there.first(), wanted) {
        (Some(_), Some(wanted)) if there.contains(&wanted) => Ok(Some(wanted)),
        (Some(first), Some(_)) => Err(Error::AccountExists {
            account: accounts::address(first),
        }),
        (first, _) => Ok(first.copied()),
    }
}

/// The account that a phrase or a seed is the secret of.
fn account_of_phrase(phrase: &str) -> Result<AccountBytes, Error> {
    Ok(Key::from_suri(phrase)?.account())
}

/// The phrase or seed that a file holds, as the node reads it. What a wallet would not take is refused without repeating it.
pub fn read_phrase(path: &Path) -> Result<Secret, Error> {
    let bytes = files::read_bounded(path, MAX_PHRASE).map_err(Error::file("read", path))?;
    let bytes = bytes.map(Zeroizing::new);
    let text = bytes.as_ref().and_then(|bytes| std::str::from_utf8(bytes).ok());
    let text = text.ok_or_else(|| KeysError::NotAPhrase.of(path))?;
    Key::from_own_suri(text).map_err(|error| error.of(path))?;
    Ok(tidy(text))
}

/// Sees to it that there are session keys, one of each kind, and returns them: of BABE and of GRANDPA.
pub fn make_session_keys(keys: &Path) -> Result<[[u8; 32]; 2], Error> {
    let one = |kind, public_of: fn(&[u8; 32]) -> Result<[u8; 32], Error>| -> Result<[u8; 32], Error> {
        if let Some(there) = keystore::publics(keys, kind)?.first() {
            return Ok(*there);
        }
        let seed = random()?;
        let public = public_of(&seed)?;
        let secret = Secret::new(format!("0x{}", hex::encode(*seed)));
        keystore::insert(keys, kind, &public, &secret)?;
        Ok(public)
    };
    Ok([
        one(Kind::Babe, sr25519_public)?,
        one(Kind::Grandpa, ed25519_public)?,
    ])
}

/// Session keys with what shows that their secrets are here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenKeys {
    /// Their public halves: of BABE and of GRANDPA.
    pub publics: [[u8; 32]; 2],
    /// A signature by each, in this order, that `owner` has it.
    pub proof: Vec<u8>,
}

/// The session keys that are there, or that are made now, and their proof for this account: as the SDK's `ownership_proof_is_valid`
/// checks it.
pub fn prove_session_keys(keys: &Path, owner: &AccountBytes) -> Result<ProvenKeys, Error> {
    let publics = make_session_keys(keys)?;
    let [babe, grandpa] = &publics;
    let statement = [POSSESSION, owner.as_slice()].concat();
    let of_babe = Key::from_suri(&keystore::secret(keys, Kind::Babe, babe)?)?;
    let secret = keystore::secret(keys, Kind::Grandpa, grandpa)?;
    let of_grandpa = ed25519_pair(&secret)
        .filter(|pair| pair.public().to_bytes() == *grandpa)
        .ok_or_else(|| Error::BadKey {
            path: keystore::path(keys, Kind::Grandpa, grandpa),
            reason: "it holds no seed of this key, so nothing can be proven with it".into(),
        })?;
    let signatures = [
        of_babe.sign_bytes(&statement).to_vec(),
        of_grandpa.sign(&statement),
    ];
    Ok(ProvenKeys {
        publics,
        proof: signatures.concat(),
    })
}

/// The key of a seed as the keystore has it: `0x` and 64 digits.
fn ed25519_pair(secret: &str) -> Option<ed25519::Keypair> {
    let mut seed = Zeroizing::new([0; 32]);
    hex::decode_to_slice(secret.strip_prefix("0x")?, &mut *seed).ok()?;
    let secret = ed25519::SecretKey::try_from_bytes(*seed).ok()?;
    Some(secret.into())
}

fn sr25519_public(seed: &[u8; 32]) -> Result<[u8; 32], Error> {
    Ok(Key::from_seed(seed)?.account())
}

fn ed25519_public(seed: &[u8; 32]) -> Result<[u8; 32], Error> {
    let secret = ed25519::SecretKey::try_from_bytes(*seed).map_err(|_| KeysError::NotAPhrase)?;
    Ok(ed25519::Keypair::from(secret).public().to_bytes())
}

/// Sees to it that node and trainer have identities, and that they share a token.
pub fn make_identities(folder: &Path, chain_folder: &Path) -> Result<Identities, Error> {
    files::make_private_folder(folder)?;
    files::make_private_folder(&folder.join("trainer"))?;
    let token = folder.join("trainer.token");
    files::write_secret_once(&token, &*random()?).map_err(Error::file("write", token))?;
    let trainer = folder.join("trainer.key");
    files::write_secret_once(&trainer, &*random()?).map_err(Error::file("write", &trainer))?;
    let network = chain_folder.join("network");
    files::make_private_folder(&network)?;
    let node = network.join("secret_ed25519");
    // The node takes 64 digits and nothing after them.
    files::write_private_once(&node, hex::encode(*random()?).as_bytes())
        .map_err(Error::file("write", &node))?;
    Ok(Identities {
        node: identity(&node)?,
        trainer: identity(&trainer)?,
    })
}

/// An identity's secret: as digits, or as the bytes that a node writes.
pub fn identity(path: &Path) -> Result<[u8; 32], Error> {
    let bytes = fs::read(path).map_err(Error::file("read", path))?;
    if let Ok(secret) = <[u8; 32]>::try_from(bytes.as_slice()) {
        return Ok(secret);
    }
    let secret = files::read_secret(path).map_err(Error::file("read", path))?;
    secret.ok_or_else(|| Error::BadKey {
        path: path.into(),
        reason: "it holds no 64 hexadecimal digits".into(),
    })
}

/// 32 bytes from the operating system's random generator.
fn random() -> Result<Zeroizing<[u8; 32]>, Error> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes).map_err(|error| KeysError::NoRandomness(error.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use subxt_signer::sr25519;

    #[test]
    fn an_account_is_made_once_and_its_phrase_leads_back_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let (account, is_new) = make_account(folder.path(), None).unwrap();
        assert!(is_new);
        assert_eq!(make_account(folder.path(), None).unwrap(), (account, false));
        let phrase = keystore::secret(folder.path(), Kind::Account, &account).unwrap();
        assert_eq!(phrase.split(' ').count(), 12);
        assert_eq!(account_of_phrase(&phrase).unwrap(), account);
        assert_eq!(
            make_account(folder.path(), Some(&phrase)).unwrap(),
            (account, false)
        );
        let other = make_account(folder.path(), Some("//Alice"));
        assert!(matches!(other, Err(Error::AccountExists { .. })));
    }

    #[test]
    fn session_keys_are_made_once_and_their_seeds_lead_back_to_them() {
        let folder = tempfile::tempdir().unwrap();
        let keys = make_session_keys(folder.path()).unwrap();
        assert_eq!(make_session_keys(folder.path()).unwrap(), keys);
        let seed = keystore::secret(folder.path(), Kind::Babe, &keys[0]).unwrap();
        assert_eq!(account_of_phrase(&seed).unwrap(), keys[0]);
    }

    #[test]
    fn session_keys_prove_who_has_them_as_the_chain_checks_it() {
        let folder = tempfile::tempdir().unwrap();
        let owner = [7; 32];
        let proven = prove_session_keys(folder.path(), &owner).unwrap();
        assert_eq!(proven.publics, make_session_keys(folder.path()).unwrap());
        let statement = [b"POP_".as_slice(), &owner].concat();
        let (babe, grandpa) = proven.proof.split_at(64);
        let signature = sr25519::Signature(babe.try_into().unwrap());
        let public = sr25519::PublicKey(proven.publics[0]);
        assert!(sr25519::verify(&signature, &statement, &public));
        let public = ed25519::PublicKey::try_from_bytes(&proven.publics[1]).unwrap();
        assert!(grandpa.len() == 64 && public.verify(&statement, grandpa));
    }

    /// The well-known development key, whose public half every Substrate tool agrees on.
    #[test]
    fn an_ed25519_seed_has_the_public_key_that_the_node_derives() {
        let seed = "abf8e5bdbe30c65656c0a3cbd181ff8a56294a69dfedd27982aace4a76909115";
        let public = "88dc3417d5058ec4b4503e0c12ea1a0a89be200fe98922423d4334014fa6b0ee";
        let seed = hex::decode(seed).unwrap().try_into().unwrap();
        assert_eq!(hex::encode(ed25519_public(&seed).unwrap()), public);
    }

    #[test]
    fn identities_are_made_once_and_read_in_either_form() {
        let folder = tempfile::tempdir().unwrap();
        let chain = folder.path().join("node/chains/x");
        let first = make_identities(folder.path(), &chain).unwrap();
        let again = make_identities(folder.path(), &chain).unwrap();
        assert_eq!((first.node, first.trainer), (again.node, again.trainer));
        fs::write(chain.join("network/secret_ed25519"), [5; 32]).unwrap();
        assert_eq!(make_identities(folder.path(), &chain).unwrap().node, [5; 32]);
    }

    #[test]
    fn a_file_without_a_secret_is_refused_and_never_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("phrase");
        for bad in ["", "//Alice", "abandon abandon words"] {
            fs::write(&file, bad).unwrap();
            let error = read_phrase(&file).unwrap_err().to_string();
            assert!(!error.contains("abandon"), "{error}");
        }
        let (_, phrase) = Key::generate().unwrap();
        fs::write(&file, format!("{}\n", phrase.replace(' ', "\n"))).unwrap();
        assert_eq!(read_phrase(&file).unwrap(), phrase);
    }
}
