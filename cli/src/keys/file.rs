//! Key files: the JSON that the polkadot-js extension and `@polkadot/keyring` export and import (version 3), for one account
//! or several.
//!
//! Whatever is in such a file comes from outside. It must never be believed that the key in it is the key of the account
//! that it names: [`KeyFile::open`] looks.

use base64::{Engine, engine::general_purpose::STANDARD};
use hydra_primitives::AccountBytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use subxt::utils::AccountId32;
use zeroize::Zeroizing;

use super::{
    error::KeysError,
    key::{Key, SECRET_LEN},
    sealed::{Cost, Sealed},
};

/// The largest file that is read. Those of one account have less than a kilobyte.
pub const MAX_BYTES: u64 = 1 << 20;
/// The most accounts in one file.
pub const MAX_ACCOUNTS: usize = 100;

/// What stands before the secret: a PKCS #8 header, as polkadot-js writes it.
const HEADER: [u8; 16] = [48, 83, 2, 1, 1, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
/// What stands between secret and public key.
const DIVIDER: [u8; 5] = [161, 35, 3, 33, 0];
const VERSION: &str = "3";
const CONTENT: [&str; 2] = ["pkcs8", "sr25519"];
const SEVERAL: &str = "batch-pkcs8";
const ENCRYPTION: [&str; 2] = ["scrypt", "xsalsa20-poly1305"];

/// One account in a file: its address in the open, its key encrypted.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct KeyFile {
    encoded: String,
    encoding: Encoding,
    address: String,
    /// What other wallets note is kept for them.
    #[serde(default)]
    meta: Map<String, Value>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Encoding {
    content: Words,
    #[serde(rename = "type")]
    kind: Words,
    version: String,
}

/// A list, or the single word that old files have in its place.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Words {
    Several(Vec<String>),
    One(String),
}

/// Several accounts in a file, encrypted together with one password, and each for itself with the password that it has
/// in the wallet that they come from.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct Several {
    encoded: String,
    encoding: Encoding,
}

/// One of several accounts in a file.
#[derive(Clone, PartialEq, Debug)]
pub struct Inside {
    /// What its owner calls it, or else its address.
    pub name: String,
    /// Its file, or why it can't be kept here.
    pub file: Result<KeyFile, KeysError>,
}

/// What a file holds.
#[derive(Clone, PartialEq, Debug)]
pub enum Content {
    /// One account.
    One(KeyFile),
    /// An export of several.
    Several(Several),
}

/// Understands a file as far as that goes without its password.
pub fn parse(bytes: &[u8]) -> Result<Content, KeysError> {
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_BYTES) {
        return Err(KeysError::TooLarge(MAX_BYTES));
    }
    // As editors on Windows begin a file.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    #[derive(Deserialize)]
    struct Kind {
        encoding: Encoding,
    }
    let json = |_| KeysError::NotAKeyFile;
    let kind: Kind = serde_json::from_slice(bytes).map_err(json)?;
    if kind.encoding.content.contain(SEVERAL) {
        let several: Several = serde_json::from_slice(bytes).map_err(json)?;
        several.encoding.check(&[SEVERAL])?;
        sealed(&several.encoded)?;
        return Ok(Content::Several(several));
    }
    let file: KeyFile = serde_json::from_slice(bytes).map_err(json)?;
    file.check()?;
    Ok(Content::One(file))
}

impl KeyFile {
    /// The file of this key.
    pub fn seal(key: &Key, password: &str, cost: Cost) -> Result<Self, KeysError> {
        let sealed = Sealed::seal(&encode(key), password, cost)?;
        Ok(Self {
            encoded: STANDARD.encode(sealed.encode()),
            encoding: Encoding {
                content: Words::list(&CONTENT),
                kind: Words::list(&ENCRYPTION),
                version: VERSION.into(),
            },
            address: AccountId32(key.account()).to_string(),
            meta: Map::new(),
        })
    }

    /// Its key.
    pub fn open(&self, password: &str) -> Result<Key, KeysError> {
        let content = sealed(&self.encoded)?.open(password)?;
        let (key, public) = decode(&content).ok_or(KeysError::Damaged)?;
        let account = key.account();
        if account != public || account != self.account()? {
            return Err(KeysError::OtherAccount);
        }
        Ok(key)
    }

    /// The account that it says it is of.
    pub fn account(&self) -> Result<AccountBytes, KeysError> {
        let address: AccountId32 = self.address.parse().map_err(|_| KeysError::NotAKeyFile)?;
        Ok(address.0)
    }

    /// What its owner calls the account.
    pub fn name(&self) -> Option<&str> {
        self.meta
            .get("name")?
            .as_str()
            .filter(|name| !name.trim().is_empty())
    }

    /// When the account was made or first noted, in milliseconds since 1970.
    pub fn created(&self) -> Option<u64> {
        self.meta.get("whenCreated")?.as_u64()
    }

    /// The same file under this name.
    pub fn named(mut self, name: &str) -> Self {
        self.meta.insert("name".into(), name.into());
        self
    }

    /// The same file with the time that the account was made.
    pub fn made_at(mut self, milliseconds: u64) -> Self {
        self.meta.insert("whenCreated".into(), milliseconds.into());
        self
    }

    /// As the bytes of a file.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Strings, lists and maps of strings can be written.
        serde_json::to_vec(self).unwrap_or_default()
    }

    fn check(&self) -> Result<(), KeysError> {
        self.encoding.check(&CONTENT)?;
        self.account()?;
        sealed(&self.encoded).map(drop)
    }
}

impl Several {
    /// Its accounts. They stay locked: this is not their password.
    pub fn open(&self, password: &str) -> Result<Vec<Inside>, KeysError> {
        let content = sealed(&self.encoded)?.open(password)?;
        let accounts: Vec<Value> = serde_json::from_slice(&content).map_err(|_| KeysError::Damaged)?;
        match accounts.len() > MAX_ACCOUNTS {
            true => Err(KeysError::TooMany(accounts.len(), MAX_ACCOUNTS)),
            false => Ok(accounts.into_iter().map(Inside::new).collect()),
        }
    }
}

impl Inside {
    fn new(account: Value) -> Self {
        let text = |pointer: &str| {
            let text = account.pointer(pointer).and_then(Value::as_str);
            text.filter(|text| !text.trim().is_empty())
        };
        let name = text("/meta/name").or_else(|| text("/address"));
        let name = name.unwrap_or("an account without name").to_owned();
        let elsewhere = |word: &str| account.pointer(word) == Some(&Value::Bool(true));
        if text("/encoded").is_none() || elsewhere("/meta/isExternal") || elsewhere("/meta/isHardware") {
            let file = Err(KeysError::NoSecret);
            return Self { name, file };
        }
        let file: Result<KeyFile, _> = serde_json::from_value(account);
        let file = file.map_err(|_| KeysError::NotAKeyFile);
        let file = file.and_then(|file| file.check().map(|()| file));
        Self { name, file }
    }
}

impl Words {
    fn list(words: &[&str]) -> Self {
        Self::Several(words.iter().map(|word| (*word).to_owned()).collect())
    }

    fn contain(&self, word: &str) -> bool {
        match self {
            Self::Several(words) => words.iter().any(|each| each == word),
            Self::One(one) => one == word,
        }
    }

    fn said(&self) -> String {
        let said = match self {
            Self::Several(words) => words.join(" "),
            Self::One(word) => word.clone(),
        };
        said.chars().take(40).collect()
    }
}

impl Encoding {
    fn check(&self, content: &[&str]) -> Result<(), KeysError> {
        if self.version != VERSION {
            return Err(KeysError::OldFormat(self.version.chars().take(10).collect()));
        }
        if !content.iter().all(|word| self.content.contain(word)) {
            return Err(KeysError::OtherKind(self.content.said()));
        }
        if !ENCRYPTION.iter().all(|word| self.kind.contain(word)) {
            return Err(KeysError::OtherEncryption(self.kind.said()));
        }
        Ok(())
    }
}

fn sealed(encoded: &str) -> Result<Sealed, KeysError> {
    // Old exports are in hexadecimal digits. One file in 4,096 begins with 0x in Base64, too: what follows tells.
    let bytes = match encoded.strip_prefix("0x").map(hex::decode) {
        Some(Ok(bytes)) => bytes,
        Some(Err(_)) | None => STANDARD.decode(encoded).map_err(|_| KeysError::Damaged)?,
    };
    Sealed::decode(&bytes)
}

fn encode(key: &Key) -> Zeroizing<Vec<u8>> {
    let mut content = Zeroizing::new(Vec::with_capacity(HEADER.len() + SECRET_LEN + DIVIDER.len() + 32));
    content.extend_from_slice(&HEADER);
    content.extend_from_slice(&*key.secret());
    content.extend_from_slice(&DIVIDER);
    content.extend_from_slice(&key.account());
    content
}

/// The key, and the public key that stands beside it. The first versions of the format held the 32 byte seed instead of the
/// secret.
fn decode(content: &[u8]) -> Option<(Key, AccountBytes)> {
    let rest = content.strip_prefix(&HEADER)?;
    let (secret, public) = rest.split_at_checked(rest.len().checked_sub(DIVIDER.len() + 32)?)?;
    let public: AccountBytes = public.strip_prefix(&DIVIDER)?.try_into().ok()?;
    let key = match <&[u8; SECRET_LEN]>::try_from(secret) {
        Ok(secret) => Key::from_secret(secret)?,
        Err(_) => Key::from_seed(secret.try_into().ok()?).ok()?,
    };
    Some((key, public))
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
