//! Keys of accounts: made and derived, kept in encrypted files, unlocked with a password.
//!
//! It must never write a secret anywhere but encrypted, never take one from an argument, and never put one into an error.
//! The files are those of the polkadot-js extension, so that nobody depends on this program to get at their coins.
//!
//! Start with [`key`], then [`file`](mod@file), how a key is written down (its encryption is [`sealed`]), [`store`], the folder
//! of such files, and [`payer`], which account a command pays with. [`password`] and [`terminal`] are where secrets are typed;
//! [`address`] reads what people give as an account.

pub mod address;
pub mod error;
pub mod file;
pub mod key;
pub mod password;
pub mod payer;
pub mod sealed;
pub mod store;
pub mod terminal;
