//! What can keep the node from starting, each said in one sentence that names what to do.

use hydra_host::Holder;
use std::{io, net::SocketAddr, path::PathBuf};

/// Why the node stopped or didn't start.
#[allow(missing_docs, reason = "each message is its own documentation")]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    Input(String),

    #[error(transparent)]
    Cli(sc_cli::Error),

    #[error(transparent)]
    Service(sc_service::Error),

    #[error("the genesis in the chain spec can't be used ({0}): correct the spec, or get a fresh copy of it")]
    Genesis(String),

    #[error("{address} is in use by {}: stop it, or choose another port with {option}", named(.holder))]
    PortTaken {
        address: SocketAddr,
        option: &'static str,
        holder: Option<Holder>,
    },

    #[error("can't listen on {address} ({source}): choose another address or port with {option}")]
    PortRefused {
        address: SocketAddr,
        option: &'static str,
        source: io::Error,
    },

    #[error(
        "{what} is not UTF-8 ({text}), and would be mangled on its way to the disk: use a name that is, or convert it with \
         convmv"
    )]
    NotUtf8 { what: &'static str, text: String },

    #[error(
        "there is no home folder to keep the node's data in (HOME is not set, and the system names none for this user): \
         name a folder with --base-path"
    )]
    NoHome,

    #[error(
        "the node's folder {} can't be used ({source}): make it writable to this user, or name another with --base-path",
        path.display()
    )]
    BasePath { path: PathBuf, source: io::Error },

    #[error(
        "too little space: {free} MiB are free in {}, and the node needs {needed}: delete what isn't needed, move the base \
         path to a larger disk, or choose another limit with --db-storage-threshold",
        path.display()
    )]
    OutOfSpace { path: PathBuf, free: u64, needed: u64 },

    #[error("--trainer-suri is no secret phrase, seed or derivation path (like //Alice): {0}")]
    TrainerSuri(String),

    #[error("the keystore refused the trainer's key ({0}): check that its folder is writable to this user")]
    Keystore(String),
}

/// Who holds a port, for a sentence. Nothing is known of other users' programs.
fn named(holder: &Option<Holder>) -> String {
    match holder {
        Some(holder) => holder.to_string(),
        None => "a program of another user".into(),
    }
}

impl From<sc_cli::Error> for Error {
    fn from(error: sc_cli::Error) -> Self {
        match error {
            // Already a whole sentence.
            sc_cli::Error::Input(sentence) => Self::Input(sentence),
            other => Self::Cli(other),
        }
    }
}

impl From<sc_service::Error> for Error {
    fn from(error: sc_service::Error) -> Self {
        // A runtime that refuses its genesis answers with pages: a backtrace, or the whole genesis.
        let sc_service::Error::Client(sp_blockchain::Error::Storage(message)) = &error else {
            return Self::Service(error);
        };
        if message.starts_with("wasm call error") {
            Self::Genesis("the runtime refused it, for the reason logged above".into())
        } else if let Some((reason, _)) = message.split_once(" for blob:") {
            Self::Genesis(reason.into())
        } else {
            Self::Service(error)
        }
    }
}
