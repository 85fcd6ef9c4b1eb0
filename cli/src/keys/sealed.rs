//! How polkadot-js encrypts: scrypt makes a key of the password, XSalsa20-Poly1305 (NaCl's secretbox) uses it.
//!
//! As bytes: salt 32 | N, p, r as u32 little-endian | nonce 24 | box. It must never spend memory or time that a file asks
//! for before it has looked whether any wallet writes such a cost.

use crypto_secretbox::{KeyInit, Nonce, XSalsa20Poly1305, aead::Aead};
use zeroize::Zeroizing;

use super::error::KeysError;

const SALT_LEN: usize = 32;
const NONCE_LEN: usize = 24;
/// Poly1305's tag.
const TAG_LEN: usize = 16;
const HEAD_LEN: usize = SALT_LEN + 12 + NONCE_LEN;

/// What scrypt costs, as a file names it: it takes 128 × N × r bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cost {
    log_n: u8,
    p: u32,
    r: u32,
}

const fn cost(log_n: u8, p: u32) -> Cost {
    Cost { log_n, p, r: 8 }
}

impl Cost {
    /// What polkadot-js writes now: 128 MiB, about half a second.
    pub const DEFAULT: Self = cost(17, 1);
    /// What it wrote before: a quarter of that.
    pub const FORMER: Self = cost(15, 1);
    /// All that it reads or ever read.
    const KNOWN: [Self; 6] = [
        cost(13, 10),
        cost(14, 5),
        cost(15, 3),
        Self::FORMER,
        cost(16, 2),
        Self::DEFAULT,
    ];

    fn n(self) -> u32 {
        1 << self.log_n
    }

    fn known(n: u32, p: u32, r: u32) -> Result<Self, KeysError> {
        let same = |cost: &Self| (cost.n(), cost.p, cost.r) == (n, p, r);
        Self::KNOWN
            .into_iter()
            .find(same)
            .ok_or(KeysError::Cost { n, p, r })
    }
}

/// Something encrypted with a password.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sealed {
    salt: [u8; SALT_LEN],
    cost: Cost,
    nonce: [u8; NONCE_LEN],
    boxed: Vec<u8>,
}

impl Sealed {
    /// Encrypts with a new salt and nonce.
    pub fn seal(content: &[u8], password: &str, cost: Cost) -> Result<Self, KeysError> {
        let (mut salt, mut nonce) = ([0; SALT_LEN], [0; NONCE_LEN]);
        for bytes in [salt.as_mut_slice(), nonce.as_mut_slice()] {
            getrandom::fill(bytes).map_err(|error| KeysError::NoRandomness(error.to_string()))?;
        }
        let boxed = cipher(password, &salt, cost)?
            .encrypt(Nonce::from_slice(&nonce), content)
            .map_err(|_| KeysError::NotEncrypted)?;
        Ok(Self {
            salt,
            cost,
            nonce,
            boxed,
        })
    }

    /// Decrypts.
    pub fn open(&self, password: &str) -> Result<Zeroizing<Vec<u8>>, KeysError> {
        cipher(password, &self.salt, self.cost)?
            .decrypt(Nonce::from_slice(&self.nonce), self.boxed.as_slice())
            .map(Zeroizing::new)
            .map_err(|_| KeysError::WrongPassword)
    }

    /// From its bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, KeysError> {
        let (salt, rest) = bytes.split_first_chunk().ok_or(KeysError::Damaged)?;
        let mut rest = rest;
        let mut number = || -> Result<u32, KeysError> {
            let (number, after) = rest.split_first_chunk().ok_or(KeysError::Damaged)?;
            rest = after;
            Ok(u32::from_le_bytes(*number))
        };
        let (n, p, r) = (number()?, number()?, number()?);
        let (nonce, boxed) = rest.split_first_chunk().ok_or(KeysError::Damaged)?;
        if boxed.len() < TAG_LEN {
            return Err(KeysError::Damaged);
        }
        Ok(Self {
            salt: *salt,
            cost: Cost::known(n, p, r)?,
            nonce: *nonce,
            boxed: boxed.into(),
        })
    }

    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD_LEN + self.boxed.len());
        bytes.extend_from_slice(&self.salt);
        for number in [self.cost.n(), self.cost.p, self.cost.r] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&self.nonce);
        bytes.extend_from_slice(&self.boxed);
        bytes
    }
}

fn cipher(password: &str, salt: &[u8], cost: Cost) -> Result<XSalsa20Poly1305, KeysError> {
    let mut key = Zeroizing::new([0; XSalsa20Poly1305::KEY_SIZE]);
    let Cost { log_n, p, r } = cost;
    let params =
        scrypt::Params::new(log_n, r, p, key.len()).map_err(|_| KeysError::Cost { n: cost.n(), p, r })?;
    scrypt::scrypt(&as_polkadot_js_reads(password), salt, &params, &mut *key)
        .map_err(|_| KeysError::NotEncrypted)?;
    Ok(XSalsa20Poly1305::new(crypto_secretbox::Key::from_slice(&*key)))
}

/// The bytes of a password. polkadot-js (`u8aToU8a`) takes "0x" with an even number of hexadecimal digits for the bytes
/// that these mean, and everything else for text.
fn as_polkadot_js_reads(password: &str) -> Zeroizing<Vec<u8>> {
    let bytes = password
        .strip_prefix("0x")
        .and_then(|digits| hex::decode(digits).ok());
    Zeroizing::new(bytes.unwrap_or_else(|| password.as_bytes().to_vec()))
}

#[cfg(test)]
#[path = "sealed_tests.rs"]
mod tests;
