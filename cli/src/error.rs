//! Everything that can go wrong, as one sentence each: what happened, and what to do next.

use hydra_primitives::{ModelId, Version};
use std::{io, path::PathBuf};

use crate::{amount, image::ImageError};

/// What `--help` says about exit codes.
pub const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    a file or the system refused something
  2    the command line can't be understood
  3    the node can't be reached, or isn't a HydraAI node
  4    the trainer can't be reached, or refuses
  5    the time given by --timeout is over
  6    what was asked for isn't possible (image, model, balance, wallet); nothing was paid
  7    a transaction failed
  8    the local network can't be started or stopped working
  130  interrupted before the goal was reached";

/// Why a command failed. Each message is its own documentation.
#[allow(missing_docs)]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("can't write to standard output ({0}): check where it is redirected to")]
    Stdout(io::Error),
    #[error("can't {action} {}: {source}; check the path and its permissions", .path.display())]
    File {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("can't tell where your data folder is: set HOME or XDG_DATA_HOME, or use --base-path")]
    NoDataHome,

    #[error(
        "no node answers at {url} ({reason}): start one with `hydra up --local 4`, or name another one with --url"
    )]
    NodeUnreachable { url: String, reason: String },
    #[error("the node at {url} stopped answering ({reason}): look at its log, then run this again")]
    NodeLost { url: String, reason: String },
    #[error(
        "the node at {url} does not speak this version of HydraAI ({reason}): use the `hydra` and `hydra-node` that \
         were built together"
    )]
    NotHydra { url: String, reason: String },

    #[error(
        "the trainer at {url} does not answer ({reason}): start it with hydra-trainer or `hydra up`, or name its port \
         with --trainer-port"
    )]
    TrainerUnreachable { url: String, reason: String },
    #[error("the trainer refused: {0}")]
    TrainerRefused(String),
    #[error(
        "the trainer's answer can't be understood ({0}): use the `hydra` and `hydra-trainer` that were built together"
    )]
    TrainerGarbled(String),
    #[error(
        "what answers at {url} does not know the trainer's token, so it is not your trainer: find it with `ss -ltnp`, or \
         name the right port and token file with --trainer-port and --trainer-token-file"
    )]
    NotOurTrainer { url: String },
    #[error(
        "it is not known where the trainer is: name its port with --trainer-port and its token with \
         --trainer-token-file"
    )]
    NoTrainer,
    #[error("{} does not hold 64 hexadecimal characters: name the trainer's own token file", .0.display())]
    BadTokenFile(PathBuf),

    #[error("{0}")]
    Image(#[from] ImageError),
    #[error("there is no model {model} on this chain ({known}): choose one with --model")]
    NoModel { model: ModelId, known: String },
    #[error(
        "model {0} has not been trained yet: wait until its first version is confirmed (see `hydra status`)"
    )]
    NotTrained(ModelId),
    #[error(
        "the trainer holds version {held} of model {model} and the chain has confirmed version {confirmed}: wait a \
         moment until it has caught up"
    )]
    TrainerBehind {
        model: ModelId,
        held: Version,
        confirmed: Version,
    },
    #[error(
        "the wallet can't be read from --suri: give a phrase, a 0x… seed or, on a local network, //Alice"
    )]
    BadSuri,
    #[error("//Alice is nobody's wallet outside a local network: name yours with --suri")]
    NoWallet,
    #[error(
        "{who} has {} HYDRA to spend and this costs {} HYDRA: send some there first, or choose another wallet with --suri",
        amount::exact(*.spendable), amount::exact(*.cost)
    )]
    TooPoor {
        who: String,
        spendable: u128,
        cost: u128,
    },
    #[error(
        "the weights from the trainer (BLAKE3 {got}) are none that the chain has confirmed for model {model}: wait for \
         the round to end and try again; if it stays so, the trainer's store is damaged"
    )]
    NotConfirmed { model: ModelId, got: String },
    #[error(
        "the answer was made with weights that the chain has not confirmed for version {version} ({got}): don't trust it"
    )]
    ForeignAnswer { version: Version, got: String },

    #[error("the chain refused the transaction ({0}): nothing was paid; check the wallet and try again")]
    TransactionRefused(String),
    #[error(
        "the payment was sent, but it isn't known what became of it ({0}): look at the wallet's balance with `hydra \
         status` before asking again; after 64 blocks it can't be included any more"
    )]
    PaymentUnclear(String),
    #[error("the question was not paid: {0}")]
    TransactionFailed(String),
    #[error("the question was paid in block {block} but not answered: {reason}")]
    PaidButUnanswered { block: u64, reason: String },

    #[error(
        "can't find {program} ({tried}): build it with `cargo build --release`, or name it with {option}"
    )]
    NoProgram {
        program: &'static str,
        tried: String,
        option: &'static str,
    },
    #[error("there is no data set folder {}: name the folder that holds `digits` with --datasets", .0.display())]
    NoDataset(PathBuf),
    #[error(
        "port {port} (for {what}) is taken: stop the program that uses it, or choose other ports with --base-port"
    )]
    PortTaken { port: u16, what: String },
    #[error(
        "there is no local network in {path}: start one there with `hydra up --local 4 --base-path {path}`, without --only",
        path = .0.display()
    )]
    NoNetwork(PathBuf),
    #[error(
        "the network in {} is running already: stop that `hydra up` first, or choose another folder with --base-path",
        .0.display()
    )]
    AlreadyUp(PathBuf),
    #[error(
        "the table of rounds can't be read ({reason}): start the network again in the same folder and run `hydra rounds`"
    )]
    NoTable { reason: String },
    #[error("{} can't be understood ({reason}): start the network anew, or with another --base-path", .path.display())]
    BadNetworkFile { path: PathBuf, reason: String },
    #[error("the local network has no PC called {0}: choose one of those listed in its network.json")]
    NoSuchPc(String),
    #[error(
        "--pc {0} names a PC of a local network, and there is none: start one with `hydra up --local 4`, or name its folder with --base-path"
    )]
    NoLocalNetwork(String),
    #[error("can't start {program}: {source}")]
    Spawn { program: PathBuf, source: io::Error },
    #[error("{who} {exit} before it was ready; its log {} ends with:\n{tail}", .log.display())]
    DiedAtStart {
        who: String,
        exit: String,
        log: PathBuf,
        tail: String,
    },
    #[error("{who} was not ready after {seconds} s; its log {} ends with:\n{tail}", .log.display())]
    NotReady {
        who: String,
        seconds: u64,
        log: PathBuf,
        tail: String,
    },
    #[error("no PC of the local network is left running: look at the logs under {}", .0.display())]
    AllGone(PathBuf),
    #[error(
        "after {seconds} s the confirmed model has not reached an accuracy of {goal} ({seen}): allow more time with \
         --timeout, or look at the logs under {}", .logs.display()
    )]
    Timeout {
        seconds: u64,
        goal: f64,
        seen: String,
        logs: PathBuf,
    },
    #[error("interrupted before the model reached an accuracy of {goal} ({seen})")]
    Interrupted { goal: f64, seen: String },
}

impl Error {
    /// For `.map_err` on file operations.
    pub fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }

    /// The process's exit code, as documented in [`EXIT_CODES`].
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Stdout(_) | Self::File { .. } | Self::NoDataHome => 1,
            Self::NodeUnreachable { .. } | Self::NodeLost { .. } | Self::NotHydra { .. } => 3,
            Self::TrainerUnreachable { .. }
            | Self::TrainerRefused(_)
            | Self::TrainerGarbled(_)
            | Self::NotOurTrainer { .. }
            | Self::TrainerBehind { .. }
            | Self::NoTrainer
            | Self::BadTokenFile(_)
            | Self::ForeignAnswer { .. }
            | Self::PaidButUnanswered { .. } => 4,
            Self::Timeout { .. } => 5,
            Self::Image(_)
            | Self::NoModel { .. }
            | Self::NotTrained(_)
            | Self::BadSuri
            | Self::NoWallet
            | Self::TooPoor { .. }
            | Self::NotConfirmed { .. } => 6,
            Self::TransactionRefused(_) | Self::TransactionFailed(_) | Self::PaymentUnclear(_) => 7,
            Self::NoProgram { .. }
            | Self::NoDataset(_)
            | Self::PortTaken { .. }
            | Self::NoNetwork(_)
            | Self::BadNetworkFile { .. }
            | Self::NoSuchPc(_)
            | Self::NoLocalNetwork(_)
            | Self::AlreadyUp(_)
            | Self::NoTable { .. }
            | Self::Spawn { .. }
            | Self::DiedAtStart { .. }
            | Self::NotReady { .. }
            | Self::AllGone(_) => 8,
            Self::Interrupted { .. } => 130,
        }
    }
}
