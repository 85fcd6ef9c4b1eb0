//! What can keep the node from starting, each said in one sentence that names what to do.

use std::{io, net::SocketAddr};

/// Why the node stopped or didn't start.
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

    #[error("{address} is in use by another program: stop it, or choose another port with {option}")]
    PortTaken {
        address: SocketAddr,
        option: &'static str,
    },

    #[error("can't listen on {address} ({source}): choose another address or port with {option}")]
    PortRefused {
        address: SocketAddr,
        option: &'static str,
        source: io::Error,
    },

    #[error("--trainer-suri is no secret phrase, seed or derivation path (like //Alice): {0}")]
    TrainerSuri(String),

    #[error("the keystore refused the trainer's key ({0}): check that its folder is writable to this user")]
    Keystore(String),
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
