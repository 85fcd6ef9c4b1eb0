//! Everything that can go wrong, as one sentence each: what happened, and what to do next.
//!
//! The kinds are here, all in one place; `codes` has their exit codes, [`Failure`] is what programs read, and the other files
//! hold what several sentences say of the same thing.

mod codes;
mod failure;
mod meant;
mod model;
mod place;
mod port;
mod trainer;

pub use failure::Failure;
pub use meant::Meant;
pub use model::ModelFault;
pub use place::Place;
pub use port::PortUse;
pub use trainer::TrainerState;

use hydra_datasets::FolderError;
use hydra_host::Holder;
use hydra_primitives::{ModelId, Version};
use std::{io, path::PathBuf};

use crate::{
    amount,
    image::ImageError,
    keys::error::{FileError, KeysError},
};
use meant::{STOP_IT, meant_or};
use place::names;
use port::in_its_place;

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
        "can't tell where your settings are: set HOME or XDG_CONFIG_HOME, or name the folder with the accounts with --keys"
    )]
    NoConfigHome,
    #[error(
        "your data folder {} can't be written ({source}): name a folder that can be with --base-path or XDG_DATA_HOME",
        .path.display()
    )]
    DataHome { path: PathBuf, source: io::Error },
    #[error(
        "the path {} is not UTF-8, and node and trainer could not be told of it: choose another --base-path", .0.display()
    )]
    NotUtf8(PathBuf),
    #[error("{} is no folder: name one, or a path where nothing is yet", .0.display())]
    NotAFolder(PathBuf),
    #[error(
        "{} holds something else, {found} for example, and a network needs a folder of its own: choose an empty or a new one \
         with --base-path", .folder.display()
    )]
    NotOurFolder { folder: PathBuf, found: String },
    #[error("{given} is no address of a node: {reason}, for example {example}")]
    BadUrl {
        given: String,
        reason: &'static str,
        example: String,
    },

    #[error(
        "`hydra top` draws a page on a terminal, and {0}: use `hydra status`, or `hydra top --once` for one page as text"
    )]
    NoPage(&'static str),
    #[error("`hydra top` is for people to read: for programs there is `hydra status --json`")]
    PageAsJson,

    #[error("no node answers at {url} ({reason}){}", meant_or(.meant, ""))]
    NodeUnreachable {
        url: String,
        reason: String,
        meant: Option<Meant>,
    },
    #[error("what answers at {url} is no HydraAI node ({reason}){}", meant_or(.meant, STOP_IT))]
    NotANode {
        url: String,
        reason: String,
        meant: Option<Meant>,
    },
    #[error(
        "what answers at {url} does not let this address speak to it ({reason}): a HydraAI node is reached by its IP \
         address and not by a name; on its own PC, as 127.0.0.1 or localhost"
    )]
    NotByThisName { url: String, reason: String },
    #[error(
        "the {} in {place} does not run{}: start it again with `{}`", .place.what(), in_its_place(.other), .place.again()
    )]
    NetworkStopped {
        place: Place,
        other: Option<(u16, Holder)>,
    },
    #[error(
        "{pc} of the {} in {place} does not run{}: start it again with `{}`",
        .place.what(), in_its_place(.other), .place.again_only(.pc)
    )]
    PcStopped {
        pc: String,
        place: Place,
        other: Option<(u16, Holder)>,
    },
    #[error("the {} in {} is just starting: wait until whoever started it says that its PCs are ready", .0.what(), .0)]
    NetworkStarting(Place),
    #[error("the node at {url} stopped answering ({reason}): look at its log, then run this again")]
    NodeLost { url: String, reason: String },
    #[error(
        "the node at {url} does not speak this version of HydraAI ({reason}): use the `hydra` and `hydra-node` that \
         were built together{}", meant_or(.meant, "")
    )]
    NotHydra {
        url: String,
        reason: String,
        meant: Option<Meant>,
    },

    #[error("the trainer at {url} does not answer ({reason}): {state}")]
    TrainerUnreachable {
        url: String,
        reason: String,
        state: TrainerState,
    },
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

    #[error("no validation set has an image {0}: choose a smaller number, or name a file as ./{0}")]
    NoSuchImage(String),
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
    #[error("that is no account (--suri): give a phrase, a 0x… seed or, on a local network, //Alice")]
    BadSuri,
    #[error(
        "//Alice and the other development accounts are for local networks only, since everyone knows their secrets: name an \
         account of yours with --from"
    )]
    DevelopmentOnly,
    #[error("--from and --suri name two accounts, and one pays: leave one of them out")]
    TwoPayers,
    #[error("{0}")]
    Keys(#[from] KeysError),
    #[error("{0}")]
    KeyFile(#[from] FileError),
    #[error(
        "{0} is neither an address nor the name of one of your accounts (see `hydra wallet list`): check it letter by letter"
    )]
    NoSuchReceiver(String),
    #[error(
        "{who} has nothing yet, and no account exists with less than {} HYDRA: send at least that much",
        amount::exact(*.least)
    )]
    TooLittle { who: String, least: u128 },
    #[error("{0} is not registered: register its PC first, with `hydra up` or as `hydra registration` says")]
    NotRegistered(String),
    #[error("{0}: there is nothing to do")]
    NothingToDo(String),
    #[error(
        "{who} has {} HYDRA at stake: unbond that much at the most, or --all of it where there is any",
        amount::exact(*.bonded)
    )]
    NotBonded { who: String, bonded: u128 },
    #[error(
        "that would leave a stake of {} HYDRA, and the least is {}: unbond less, or --all",
        amount::exact(*.left), amount::exact(*.least)
    )]
    StakeLeftTooSmall { left: u128, least: u128 },
    #[error(
        "nothing of {who}'s stake can be withdrawn now{}",
        .until.map_or_else(
            || ": `hydra stake unbond` takes stake back first".into(),
            |until| format!(": the first of it is free from block {until} on")
        )
    )]
    NothingToWithdraw { who: String, until: Option<u32> },
    #[error(
        "that would make a stake of {} HYDRA, and the least is {}: bond more at once",
        amount::exact(*.total), amount::exact(*.least)
    )]
    StakeTooSmall { total: u128, least: u128 },
    #[error(
        "nothing is owed to {who} for questions to model {model}: work on the model earns a part of what is paid for them"
    )]
    NothingToClaim { who: String, model: ModelId },
    #[error(
        "{who} has {} HYDRA to spend and this costs {} HYDRA: send some there first, or choose another account with --from",
        amount::exact(*.spendable), amount::exact(*.cost)
    )]
    TooPoor {
        who: String,
        spendable: u128,
        cost: u128,
    },
    #[error(
        "the node at {url} is still catching up with the chain (block {block}), so nothing was paid: wait until `hydra status` \
         no longer says so"
    )]
    Syncing { url: String, block: u64 },
    #[error(
        "the chain stands still: its newest block, {block}, is {seconds} s old and no other came, so nothing was paid; see \
         `hydra status`"
    )]
    Stalled { block: u64, seconds: u64 },
    #[error(
        "blocks do not become final: the newest is {best}, the newest final one {finalised}, and that did not change within \
         {seconds} s, so nothing was paid; start enough validators, or leave --finalized out"
    )]
    NoFinality { best: u64, finalised: u64, seconds: u64 },
    #[error(
        "{running} of the network's {validators} validators can't make blocks final, so --until-accuracy would never be \
         reached: at least {needed} must run; start that many, or leave --until-accuracy out"
    )]
    GoalOutOfReach {
        running: usize,
        validators: usize,
        needed: usize,
    },
    #[error(
        "it is not known which account to register: name it with --account (the node's log says `Trainer account: 5…`)"
    )]
    NoAccount,
    #[error(
        "{0} is registered already: there is nothing to do; more stake is bonded with `hydra stake bond`"
    )]
    Registered(String),
    #[error(
        "it is not known which identity the trainer has: name the file with its secret, as its --key-file does, with --key-file"
    )]
    NoIdentity,
    #[error(
        "the node at {url} makes no session keys ({reason}): on its own PC, --from this-pc needs no node for that; elsewhere start \
         the node with `--rpc-methods unsafe`, for as long as it takes"
    )]
    KeysRefused { url: String, reason: String },
    #[error(
        "the weights from the trainer (BLAKE3 {got}) are none that the chain has confirmed for model {model}: wait for \
         the round to end and try again; if it stays so, the trainer's store is damaged"
    )]
    NotConfirmed { model: ModelId, got: String },
    #[error(
        "the answer was made with weights that the chain has not confirmed for version {version} ({got}): don't trust it"
    )]
    ForeignAnswer { version: Version, got: String },

    #[error("the chain refused the transaction ({0}): nothing was paid; check the account and try again")]
    TransactionRefused(String),
    #[error(
        "the transaction was sent, but it isn't known what became of it ({0}): look at the account with `hydra wallet \
         balance` before trying again; after 64 blocks it can't be included any more"
    )]
    PaymentUnclear(String),
    #[error("the chain did not do it, and took the fee only: {0}")]
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
    #[error("there is no data set in {}: name the folder that holds `digits`, or another one, with --datasets", .0.display())]
    NoDataset(PathBuf),
    #[error(
        "two of this PC's ports would be {0}: give each its own with --rpc-port, --p2p-port, --trainer-http-port, \
         --trainer-p2p-port and, where it has a WebSocket, --wss-port"
    )]
    PortTwice(u16),
    #[error(
        "a WebSocket over TLS needs a port, a certificate and its key: give all of --wss-port, --wss-certificate and --wss-key \
         the first time, or --wss-port 0 for none"
    )]
    WssIncomplete,
    #[error("port {port} (for {what}) is taken {by}")]
    PortTaken { port: u16, what: String, by: PortUse },
    #[error(
        "there is no local network in {path}: start one there with `hydra demo --base-path {path}`, without --only",
        path = .0.display()
    )]
    NoNetwork(PathBuf),
    #[error(
        "the network in {} has {pcs} {}, and one PC alone is a network of another kind: leave --pcs out, or choose \
         another folder with --base-path", .folder.display(), if *.pcs == 1 { "PC" } else { "PCs" }
    )]
    OtherChain { folder: PathBuf, pcs: usize },
    #[error(
        "the network in {} is running already: stop that `hydra demo` first, or choose another folder with --base-path",
        .0.display()
    )]
    AlreadyUp(PathBuf),
    #[error(
        "the table of rounds can't be read ({reason}): start the network again in the same folder and run `hydra rounds`"
    )]
    NoTable { reason: String },
    #[error("{} can't be understood ({reason}): start the network anew, or with another --base-path", .path.display())]
    BadNetworkFile { path: PathBuf, reason: String },
    #[error("the local network has no PC called {name}; it has {}", names(.known))]
    NoSuchPc { name: String, known: Vec<String> },
    #[error("{pc} runs already, node and trainer: there is nothing to start")]
    PcRuns { pc: String },
    #[error(
        "--pc {0} names a PC of a local network, and there is none: start one with `hydra demo`, or name its folder with --base-path"
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

    #[error(
        "this PC takes part in no network yet: get the network's file from whoever founded it and run `hydra up --network \
         FILE`, or found one with `hydra network new`"
    )]
    NoNetworkYet,
    #[error(
        "this PC has parts of several networks, in {}: say which is meant with --base-path",
        names(.0)
    )]
    SeveralNetworks(Vec<String>),
    #[error("several PCs run on this machine, in {}: say which is meant with --base-path", names(.0))]
    SeveralUp(Vec<String>),
    #[error("{} is no network's file ({reason}): get a fresh copy from whoever founded the network", .path.display())]
    BadSpec { path: PathBuf, reason: String },
    #[error(
        "{} holds this PC's part of another network, {found}: choose another folder with --base-path", .folder.display()
    )]
    OtherNetwork { folder: PathBuf, found: String },
    #[error(
        "the network in {} is a local one of `hydra demo`: choose another folder with --base-path", .0.display()
    )]
    NotJoined(PathBuf),
    #[error(
        "the network in {folder} is one with others: run this PC of it with `hydra up --base-path {folder}`, or choose another \
         folder", folder = .0.display()
    )]
    NotLocal(PathBuf),
    #[error(
        "`hydra up` runs already in {folder}: look with `hydra status --base-path {folder}`, stop it with `hydra down \
         --base-path {folder}`",
        folder = .0.display()
    )]
    UpRuns(PathBuf),
    #[error(
        "`hydra up` (process {pid}) did not end within {seconds} s: end it with `kill -9 {pid}`, which harms nothing"
    )]
    StillUp { pid: u32, seconds: u64 },
    #[error(
        "this PC has the account {account} already, and a PC has one: leave --phrase-file out, or choose another folder with \
         --base-path"
    )]
    AccountExists { account: String },
    #[error("{} is no key of a node's keystore ({reason}): restore it from your backup", .path.display())]
    BadKey { path: PathBuf, reason: String },
    #[error("no key of an account is in {}: restore it from your backup", .0.display())]
    NoSender(PathBuf),
    #[error("the key of this PC's account {account} isn't in {}: restore it from your backup", .keystore.display())]
    KeyGone { account: String, keystore: PathBuf },
    #[error(
        "the keystore {} has the keys of {number} accounts, and a PC has one: move away the key of each that isn't meant, as \
         `hydra doctor` says", .keystore.display()
    )]
    SeveralKeys { keystore: PathBuf, number: usize },
    #[error(
        "port {port} (for {what}) is taken by {}: stop that program, or choose another port with {option}",
        .by.as_ref().map_or_else(|| "a program that can't be seen from here".into(), ToString::to_string)
    )]
    PortInUse {
        port: u16,
        what: &'static str,
        option: &'static str,
        by: Option<Holder>,
    },
    #[error("only {free} MiB are free where {} is, and {needed} are needed: free some space", .path.display())]
    NoSpace { path: PathBuf, free: u64, needed: u64 },
    #[error("{} is there already, and nothing is overwritten: move it away, or choose another name", .0.display())]
    Exists(PathBuf),
    #[error("{} describes no member ({reason}): make it with `hydra network member`", .path.display())]
    BadMember { path: PathBuf, reason: String },
    #[error("{} is no model that a network can begin with: {fault}", .path.display())]
    BadModel { path: PathBuf, fault: ModelFault },
    #[error("{0}")]
    Dataset(#[from] FolderError),
    #[error("this network can't be founded: {0}")]
    BadPlan(String),
    #[error(
        "hydra-node does not take the network's description ({0}): use the `hydra` and `hydra-node` that were built together"
    )]
    SpecRefused(String),

    #[error(
        "{0} is no local network, so its coins may be worth something, and a faucet gives them to whoever asks: say --really if \
         that is meant"
    )]
    NoTestNetwork(String),
    #[error("another `hydra faucet` gives away this network's coins, and remembers whom in {}: stop that one first", .0.display())]
    FaucetRuns(PathBuf),
    #[error(
        "{} is not what a faucet wrote ({reason}), so it isn't known whom it has paid: repair it, or move it away to pay \
         everyone anew", .path.display()
    )]
    BadFaucetFile { path: PathBuf, reason: String },
    #[error("can't listen on {address} ({source}): choose an address of this PC with --listen")]
    CantListen { address: String, source: io::Error },
}

impl Error {
    /// For `.map_err` on file operations.
    pub fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
