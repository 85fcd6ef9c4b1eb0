//! One account's key: made at random or derived from a phrase, and what signs.
//!
//! It derives as Substrate and polkadot-js do, so the same phrase is the same account in all of them. It must never show
//! itself: what it prints for debugging is the address.

use hydra_primitives::AccountBytes;
use schnorrkel::{
    ExpansionMode, Keypair, MiniSecretKey, SecretKey,
    derive::{ChainCode, Derivation},
};
use std::{fmt, iter, sync::LazyLock};
use subxt::{
    PolkadotConfig,
    transactions::Signer,
    utils::{AccountId32, MultiSignature},
};
use subxt_signer::{
    DEV_PHRASE, DeriveJunction, ExposeSecret, SecretUri,
    bip39::{self, Language, Mnemonic},
};
use zeroize::Zeroizing;

use super::error::KeysError;
use crate::accounts::DEVELOPMENT;

/// Bytes of a secret as key files hold it.
pub const SECRET_LEN: usize = 64;
/// Entropy of a new phrase: 12 words.
const ENTROPY_LEN: usize = 16;
/// What Substrate's signatures are made for.
const CONTEXT: &[u8] = b"substrate";

/// An account's key. Its memory is wiped when it is dropped.
#[derive(Clone)]
pub struct Key(Keypair);

/// A text that opens an account.
pub type Secret = Zeroizing<String>;

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", AccountId32(self.account()))
    }
}

impl Key {
    /// A new key, and the 12 words that it can be made from again.
    pub fn generate() -> Result<(Self, Secret), KeysError> {
        let mut entropy = Zeroizing::new([0; ENTROPY_LEN]);
        getrandom::fill(&mut *entropy).map_err(|error| KeysError::NoRandomness(error.to_string()))?;
        let words = Mnemonic::from_entropy_in(Language::English, &*entropy).map_err(explain)?;
        // Long enough from the beginning, so that no copy is left behind.
        let mut phrase = Zeroizing::new(String::with_capacity(ENTROPY_LEN * 16));
        for word in words.words() {
            if !phrase.is_empty() {
                phrase.push(' ');
            }
            phrase.push_str(word);
        }
        Ok((from_entropy(&*entropy, "")?, phrase))
    }

    /// The key that a secret URI means: a phrase or a 0x… seed, then //hard and /soft paths, then ///password.
    pub fn from_suri(text: &str) -> Result<Self, KeysError> {
        let uri: SecretUri = tidy(text).parse().map_err(|_| KeysError::NotAPhrase)?;
        let words = uri.phrase.expose_secret();
        let password = uri
            .password
            .as_ref()
            .map_or("", |password| password.expose_secret());
        let root = match words.strip_prefix("0x") {
            Some(digits) => {
                let mut seed = Zeroizing::new([0; 32]);
                hex::decode_to_slice(digits, &mut *seed).map_err(|_| KeysError::NotAPhrase)?;
                Self::from_seed(&seed)?
            }
            None => {
                let phrase = Mnemonic::parse_in_normalized(Language::English, words).map_err(explain)?;
                let (entropy, length) = phrase.to_entropy_array();
                let entropy = Zeroizing::new(entropy);
                from_entropy(entropy.get(..length).unwrap_or_default(), password)?
            }
        };
        Ok(root.derive(&uri.junctions))
    }

    /// The same, for a wallet to keep: nothing of which everyone knows the secret, as of the development accounts.
    pub fn from_own_suri(text: &str) -> Result<Self, KeysError> {
        let tidy = tidy(text);
        if tidy.is_empty() {
            return Err(KeysError::NotAPhrase);
        }
        let rest = tidy.strip_prefix(DEV_PHRASE).unwrap_or(&tidy);
        if rest.is_empty() || rest.starts_with('/') {
            return Err(KeysError::PublicSecret);
        }
        let key = Self::from_suri(&tidy)?;
        match is_public(&key.account()) {
            true => Err(KeysError::PublicSecret),
            false => Ok(key),
        }
    }

    /// The key that a 32 byte seed expands to.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, KeysError> {
        let seed = MiniSecretKey::from_bytes(seed).map_err(|_| KeysError::NotAPhrase)?;
        Ok(Self(seed.expand_to_keypair(ExpansionMode::Ed25519)))
    }

    /// The key with this secret, in the form that key files hold it; `None` if no key has it.
    pub fn from_secret(secret: &[u8; SECRET_LEN]) -> Option<Self> {
        let secret = SecretKey::from_ed25519_bytes(secret).ok()?;
        Some(Self(secret.into()))
    }

    /// Its secret, in the form that key files hold it.
    pub fn secret(&self) -> Zeroizing<[u8; SECRET_LEN]> {
        Zeroizing::new(self.0.secret.to_ed25519_bytes())
    }

    /// The account that it signs for.
    pub fn account(&self) -> AccountBytes {
        self.0.public.to_bytes()
    }

    /// A signature as Substrate checks it.
    pub fn sign_bytes(&self, message: &[u8]) -> [u8; 64] {
        let context = schnorrkel::signing_context(CONTEXT);
        self.0.sign(context.bytes(message)).to_bytes()
    }

    fn derive(self, junctions: &[DeriveJunction]) -> Self {
        let root = self.0.secret.clone();
        let secret = junctions.iter().fold(root, |secret, junction| match *junction {
            DeriveJunction::Soft(code) => secret.derived_key_simple(ChainCode(code), b"").0,
            DeriveJunction::Hard(code) => secret
                .hard_derive_mini_secret_key(Some(ChainCode(code)), b"")
                .0
                .expand(ExpansionMode::Ed25519),
        });
        Self(secret.into())
    }
}

impl Signer<PolkadotConfig> for Key {
    fn account_id(&self) -> AccountId32 {
        AccountId32(self.account())
    }

    fn sign(&self, payload: &[u8]) -> MultiSignature {
        MultiSignature::Sr25519(self.sign_bytes(payload))
    }
}

fn from_entropy(entropy: &[u8], password: &str) -> Result<Key, KeysError> {
    let seed =
        substrate_bip39::mini_secret_from_entropy(entropy, password).map_err(|_| KeysError::NotAPhrase)?;
    Ok(Key(seed.expand_to_keypair(ExpansionMode::Ed25519)))
}

/// The development accounts that every chain made with Substrate has.
static PUBLIC: LazyLock<Vec<AccountBytes>> = LazyLock::new(|| {
    let names = DEVELOPMENT.into_iter().chain(["One", "Two"]);
    let derived = names.flat_map(|name| [format!("//{name}"), format!("//{name}//stash")]);
    let all = iter::once(DEV_PHRASE.to_owned()).chain(derived);
    all.filter_map(|suri| Key::from_suri(&suri).ok())
        .map(|key| key.account())
        .collect()
});

/// Whether everyone knows this account's secret.
pub fn is_public(account: &AccountBytes) -> bool {
    PUBLIC.contains(account)
}

/// As people copy phrases: on several lines, with capitals, from an editor that marks the beginning of a file. What follows
/// the words is taken as it is: a password may end with a space, but with no end of a line.
pub fn tidy(text: &str) -> Secret {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let text = match text.contains("///") {
        true => text.trim_end_matches(['\n', '\r']),
        false => text.trim_end(),
    };
    let (words, rest) = text.split_at(text.find('/').unwrap_or(text.len()));
    let mut tidy = Zeroizing::new(String::with_capacity(text.len()));
    for word in words.split_whitespace() {
        if !tidy.is_empty() {
            tidy.push(' ');
        }
        tidy.extend(word.chars().map(|c| c.to_ascii_lowercase()));
    }
    tidy.push_str(rest);
    tidy
}

fn explain(error: bip39::Error) -> KeysError {
    match error {
        bip39::Error::BadWordCount(count) => KeysError::WordCount(count),
        bip39::Error::UnknownWord(index) => KeysError::UnknownWord(index.saturating_add(1)),
        bip39::Error::InvalidChecksum => KeysError::Checksum,
        bip39::Error::BadEntropyBitCount(_) | bip39::Error::AmbiguousLanguages(_) => KeysError::NotAPhrase,
    }
}

#[cfg(test)]
#[path = "key_tests.rs"]
mod tests;
