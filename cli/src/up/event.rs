//! What `hydra up` says: each state as a line for people, whose words are in `words`, or as one JSON document in a line for
//! programs.

use schemars::JsonSchema;
use serde::Serialize;
use std::path::PathBuf;

use crate::output;

/// Something that happened, or a state that may last.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Event {
    /// What this PC has.
    Machine {
        /// Processor cores.
        cores: usize,
        /// Memory, in MiB.
        memory_mib: u64,
        /// What it trains with: `avx512`, `avx2`, `neon`, or `portable`, which is slow.
        instructions: String,
        /// Free space where its folder is, in MiB.
        free_mib: u64,
        /// How large the tasks may be that it takes on: 4 MiB of memory in class 0, and twice as much in each class after it.
        size_class: u8,
        /// How many tasks it takes on at a time.
        room: u8,
    },
    /// Which network it takes part in.
    Network {
        /// The network's name.
        name: String,
        /// The network's id.
        id: String,
        /// This PC's folder.
        folder: PathBuf,
    },
    /// The account that it trains for.
    Account {
        /// Its address.
        address: String,
        /// Whether it was made just now.
        is_new: bool,
        /// The file with its secret.
        key_file: PathBuf,
    },
    /// A program was started.
    Started {
        /// `node` or `trainer`.
        part: &'static str,
        /// Its process id.
        pid: u32,
        /// Its log.
        log: PathBuf,
    },
    /// A program that runs already is made use of.
    Adopted {
        /// `node` or `trainer`.
        part: &'static str,
        /// Its process id.
        pid: u32,
    },
    /// A program ended, and will be started again.
    Ended {
        /// `node` or `trainer`.
        part: &'static str,
        /// How it ended, in words.
        how: String,
        /// How long until it is started again, in seconds.
        again_in_seconds: u64,
        /// Its log.
        log: PathBuf,
        /// The end of that log.
        tail: String,
    },
    /// The node catches up with the chain.
    Syncing {
        /// The block it has got to.
        block: u64,
        /// The newest block that it has heard of.
        target: u64,
        /// Connected nodes.
        peers: usize,
        /// How long it still takes, in seconds, told from the last seconds; null where that can't be told.
        seconds_left: Option<u64>,
    },
    /// The node has caught up.
    Synced {
        /// The newest block.
        block: u64,
        /// Connected nodes.
        peers: usize,
        /// How many PCs are registered.
        registered: usize,
        /// How long it took since it was first seen to be behind, in seconds; null if it wasn't behind.
        seconds: Option<u64>,
    },
    /// This PC's clock was compared with those of other PCs: once, and again where it is wrong or right again.
    Clock {
        /// How far ahead it is, in milliseconds; negative: behind.
        offset_ms: i64,
        /// Whether it is so far that this PC's blocks and results may come too late.
        is_wrong: bool,
    },
    /// How other PCs' trainers reach this PC's: once that is known or stays unknown for minutes, and again when it changes.
    Reachability {
        /// `public`, by an address of its own; `mapped`, through a port that its router opened; `punched`, by a connection that
        /// both sides make at the same moment; `relayed`, through a third trainer only; `unreachable`; or `unknown`, if that lasts.
        how: String,
        /// Where others get in by themselves, such as `203.0.113.7:30400`; null where they don't.
        at: Option<String>,
        /// What shows that, or what is in the way. The words change.
        reason: String,
        /// To how many other trainers it is connected.
        peers: usize,
        /// What its owner can do so that others reach it better, if anything; a sentence without its full stop.
        todo: Option<String>,
    },
    /// The trainer has the model's confirmed version, with the very weights that the chain names.
    ModelChecked {
        /// The model.
        model: u32,
        /// Its data set.
        dataset: String,
        /// The version.
        version: u32,
        /// The share of the validation set that it gets right, from 0 to 1; null where it wasn't measured.
        #[schemars(range(min = 0, max = 1))]
        accuracy: Option<f64>,
    },
    /// The trainer shows its dashboard.
    Dashboard {
        /// Where, in a browser of this PC.
        url: String,
    },
    /// The trainer tests whether this PC computes what the network computes.
    EngineStarting,
    /// It does.
    EngineReady,
    /// It doesn't, or can't be tested.
    EngineFailed {
        /// Why, in a sentence.
        reason: String,
    },
    /// It runs without training, as `--no-train` says.
    Watching,
    /// The account is registered for another trainer.
    Elsewhere {
        /// The account's address.
        address: String,
    },
    /// The account has too little to take part.
    WaitingForCoins {
        /// The account's address.
        address: String,
        /// What it can spend, in HYDRA.
        spendable: String,
        /// What it needs, in HYDRA: the stake and fees.
        needed: String,
        /// The difference, in HYDRA.
        missing: String,
        /// The address as a QR code, for people.
        #[serde(skip)]
        qr: Option<String>,
    },
    /// A faucet is asked for coins.
    AskingFaucet {
        /// Where the faucet is.
        faucet: String,
    },
    /// A faucet says that it paid.
    FaucetPaid {
        /// Where the faucet is.
        faucet: String,
        /// How much, in HYDRA.
        amount: String,
        /// The block that the payment is in.
        block: u64,
    },
    /// A faucet gives nothing.
    FaucetRefused {
        /// Where the faucet is.
        faucet: String,
        /// Why, in a sentence.
        reason: String,
        /// How long until it is asked again, in seconds; null if it isn't.
        again_in_seconds: Option<u64>,
    },
    /// It has enough.
    CoinsCame {
        /// What it can spend, in HYDRA.
        spendable: String,
        /// Addresses of those who sent some while it was waited for, as far as the blocks say.
        from: Vec<String>,
    },
    /// The account is being registered, and its stake bonded in the same transaction.
    Registering {
        /// What is bonded, in HYDRA.
        amount: String,
    },
    /// It is registered, and its stake bonded.
    Registered {
        /// The block that it was registered in.
        block: u64,
        /// What was bonded, in HYDRA.
        amount: String,
        /// How long the proof took, in seconds.
        work_seconds: f64,
    },
    /// It says that it takes on more or less from now on.
    RoomChanged {
        /// The block in which it said so.
        block: u64,
        /// How large the tasks may be.
        size_class: u8,
        /// How many at a time.
        room: u8,
    },
    /// More stake is being bonded.
    Bonding {
        /// How much, in HYDRA.
        amount: String,
    },
    /// It is bonded.
    Bonded {
        /// The block that it was bonded in.
        block: u64,
        /// How much, in HYDRA.
        amount: String,
    },
    /// What is left of the stake is too little to take part.
    StakeShrank {
        /// What is left, in HYDRA.
        stake: String,
    },
    /// Everything is done, and it is drawn for nothing now.
    Resting {
        /// Why: `joining` (it takes part from the next session on), `silent` (from the session on that follows its next heartbeat),
        /// `away` (until it is heard of again), `out`, or `paused`.
        presence: &'static str,
        /// The session in which it may take part again, if it is out.
        out_until: Option<u32>,
        /// The same in words.
        reason: String,
        /// The trainer's address, for programs on this PC.
        trainer: String,
    },
    /// It takes part.
    Training {
        /// The trainer's address, for programs on this PC.
        trainer: String,
    },
    /// A round was settled.
    Round {
        /// The model.
        model: u32,
        /// The round.
        round: u32,
        /// The version it made, to be confirmed and paid during the next round.
        version: u32,
        /// Places whose result was accepted.
        accepted: usize,
        /// All its places.
        places: usize,
        /// Places that this PC held.
        mine: usize,
        /// Those of them whose result was accepted.
        mine_accepted: usize,
        /// Those of them whose result was rejected.
        mine_rejected: usize,
        /// What the account has now, in HYDRA.
        balance: String,
    },
    /// Something is wrong; it goes on all the same.
    Problem {
        /// What, in a sentence.
        reason: String,
    },
    /// It was asked to end, and stops its programs.
    Stopping,
    /// They have stopped.
    Stopped,
}

/// An event as programs read it: a state, and what people would read.
#[derive(Serialize, JsonSchema)]
pub struct Told<'a> {
    /// What happened.
    #[serde(flatten)]
    event: &'a Event,
    /// The line, or the lines, that people read. Their words change.
    text: String,
}

/// Says events.
#[derive(Clone, Copy, Debug)]
pub struct Say {
    json: bool,
}

impl Say {
    /// As JSON, or as lines.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Says this. That nobody listens is no reason to stop.
    pub fn tell(self, event: &Event) {
        let text = event.text();
        if self.json {
            let _ = output::event(&Told { event, text });
        } else {
            output::note(&text);
        }
    }
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
