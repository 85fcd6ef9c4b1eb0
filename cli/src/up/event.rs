//! What `hydra up` says: each state as a line for people, or as one JSON document in a line for programs. The words of both
//! are here and nowhere else.

use schemars::JsonSchema;
use serde::Serialize;
use std::{path::PathBuf, time::Duration};

use crate::{
    output,
    report::{
        clock,
        figures::{count, cut, duration, percent},
        pace,
    },
};

/// The longest name of a data set that is shown.
const NAME: usize = 40;
/// A clock is said to be right within no less: nobody can tell by messages.
const EXACT_MS: u64 = 100;

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
        /// Whether the processor has AVX2, without which it can't train.
        avx2: bool,
        /// Free space where its folder is, in MiB.
        free_mib: u64,
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
        /// Whether it is so far that this PC's blocks and votes count for less.
        is_wrong: bool,
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
    /// The account is being registered.
    Registering,
    /// It is registered.
    Registered {
        /// The block that it was registered in.
        block: u64,
        /// How long the proof of work took, in seconds.
        work_seconds: f64,
    },
    /// Stake is being bonded.
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
        /// The version it made.
        version: u32,
        /// Accepted proposals.
        accepted: usize,
        /// All proposals.
        proposals: usize,
        /// What became of this PC's proposal: `accepted`, `rejected` or `undecided`; null if it made none.
        mine: Option<String>,
        /// What this PC earned by it, in HYDRA.
        earned: String,
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

impl Event {
    /// The line, or the lines, that people read.
    pub fn text(&self) -> String {
        match self {
            Self::Machine {
                cores,
                memory_mib,
                avx2,
                free_mib,
            } => {
                let able = if *avx2 {
                    "AVX2: can train"
                } else {
                    "no AVX2: it can run a node and pass on models, but not train"
                };
                let (memory, free) = (memory_mib.div_ceil(1_024), free_mib / 1_024);
                format!("This PC: {cores} cores, {memory} GB, {able}. Disk: {free} GB free.")
            }
            Self::Network { name, id, folder } => format!("Network  {name} ({id}), in {}", folder.display()),
            Self::Account {
                address,
                is_new: true,
                key_file,
            } => format!(
                "Account  {address}, made now. Its secret is in {}: copy that file to a safe place, whoever has it owns the \
                 account.",
                key_file.display()
            ),
            Self::Account { address, .. } => format!("Account  {address}"),
            Self::Started { part, pid, log } => {
                format!("… {part} started (process {pid}; log {})", log.display())
            }
            Self::Adopted { part, pid } => format!("✓ {part} runs already (process {pid})"),
            Self::Ended {
                part,
                how,
                again_in_seconds,
                log,
                tail,
            } => format!(
                "! {part} {how}; it is started again in {again_in_seconds} s. Its log {} ends with:\n{tail}",
                log.display()
            ),
            Self::Syncing {
                block,
                target,
                peers: 0,
                ..
            } if target <= block => "… node: looking for other PCs of the network".into(),
            Self::Syncing {
                block,
                target,
                peers,
                seconds_left,
            } => {
                let left = seconds_left.map_or_else(String::new, |seconds| {
                    format!("; {}", pace::words(Duration::from_secs(seconds)))
                });
                let (block, target) = (count(*block), count(*target));
                format!("… node: {} found, block {block} of {target}{left}", pcs(*peers))
            }
            Self::Synced {
                block,
                peers,
                registered,
                seconds,
            } => {
                let took = seconds.map_or_else(String::new, |seconds| {
                    format!(" after {}", duration(Duration::from_secs(seconds)))
                });
                format!(
                    "✓ node     at the newest block, {}{took}; {} found, {} registered",
                    count(*block),
                    pcs(*peers),
                    count(u64::try_from(*registered).unwrap_or(u64::MAX)),
                )
            }
            Self::Clock {
                offset_ms,
                is_wrong: false,
            } => {
                let within = Duration::from_millis(offset_ms.unsigned_abs().max(EXACT_MS));
                format!("✓ clock    right within {} of the other PCs'", duration(within))
            }
            Self::Clock { offset_ms, .. } => format!(
                "! clock    about {} the other PCs': set it (timedatectl set-ntp true), this PC's blocks and votes count for \
                 less until then",
                clock::words(*offset_ms)
            ),
            Self::ModelChecked {
                model,
                dataset,
                version,
                accuracy,
            } => {
                let right = match accuracy {
                    Some(_) => format!("{} right", percent(*accuracy)),
                    None => "not measured yet".into(),
                };
                format!(
                    "✓ model    {model}, \"{}\": version {}, {right}, checked against the chain",
                    cut(dataset, NAME),
                    count((*version).into())
                )
            }
            Self::Dashboard { url } => format!("✓ dashboard {url}"),
            Self::EngineStarting => {
                "… trainer: testing whether this PC computes what the network computes".into()
            }
            Self::EngineReady => "✓ trainer  this PC computes what the network computes".into(),
            Self::EngineFailed { reason } => format!(
                "! trainer  this PC can't train: {reason}. Nothing is paid; node and trainer go on without. See `hydra logs \
                 trainer`"
            ),
            Self::Watching => {
                "Running without training (--no-train). With --train this PC takes part. To leave: Ctrl-C here, or `hydra \
                 down` in another terminal."
                    .into()
            }
            Self::Elsewhere { address } => format!(
                "! account  {address} is registered for another trainer than this PC's: restore this PC's trainer.key from \
                 your backup, or use another account (--base-path with a new folder)"
            ),
            Self::WaitingForCoins {
                address,
                spendable,
                needed,
                missing,
                qr,
            } => {
                let lines = qr.iter().flat_map(|qr| qr.lines());
                let qr: String = lines.map(|line| format!("\n           {line}")).collect();
                format!(
                    "! coins    {spendable} HYDRA. To take part this PC needs {needed}: the stake (yours, it stays yours) and \
                     fees. {missing} are missing.\n           Ask a member for  hydra invite {address}\n           or send \
                     them to  {address}{qr}\n           Waiting. Ctrl-C is safe; `hydra up` goes on here."
                )
            }
            Self::AskingFaucet { faucet } => format!("… coins    asking the faucet at {faucet}"),
            Self::FaucetPaid {
                faucet,
                amount,
                block,
            } => format!(
                "… coins    the faucet at {faucet} says that it sent {amount} HYDRA, in block {block}"
            ),
            Self::FaucetRefused {
                faucet,
                reason,
                again_in_seconds: None,
            } => format!("! coins    nothing from the faucet at {faucet}: {reason}. It isn't asked again"),
            Self::FaucetRefused {
                faucet,
                reason,
                again_in_seconds: Some(seconds),
            } => format!(
                "! coins    nothing from the faucet at {faucet}: {reason}. It is asked again in {} min",
                seconds.div_ceil(60)
            ),
            Self::CoinsCame { spendable, from } => match from.as_slice() {
                [] => format!("✓ coins    {spendable} HYDRA are here"),
                from => format!("✓ coins    {spendable} HYDRA are here, from {}", from.join(" and ")),
            },
            Self::Registering => "… registering, with a proof of work".into(),
            Self::Registered { block, work_seconds } => {
                let work = Duration::try_from_secs_f64(*work_seconds).unwrap_or_default();
                format!(
                    "✓ registered in block {}; the proof of work took {}",
                    count(*block),
                    duration(work)
                )
            }
            Self::Bonding { amount } => format!("… bonding {amount} HYDRA as stake"),
            Self::Bonded { block, amount } => format!("✓ bonded   {amount} HYDRA in block {block}"),
            Self::StakeShrank { stake } => format!(
                "! stake    {stake} HYDRA are left of it, which is too little to take part: find out why with `hydra rounds` \
                 and `hydra logs`; then `hydra up --stake HYDRA` bonds again"
            ),
            Self::Training { trainer } => format!(
                "Training. The dashboard is at {trainer}/ and `hydra top` shows how it goes. To leave: Ctrl-C here, or `hydra \
                 down` in another terminal. To come back: `hydra up`, which goes on where this was."
            ),
            Self::Round {
                model,
                round,
                version,
                accepted,
                proposals,
                mine,
                earned,
                balance,
            } => {
                let mine = match mine {
                    Some(outcome) => format!("this PC's {outcome}, earned {earned} HYDRA"),
                    None => "none of this PC's".into(),
                };
                format!(
                    "round {round} of model {model}: {accepted} of {proposals} proposals accepted, version {version}; {mine}; \
                     balance {balance}"
                )
            }
            Self::Problem { reason } => format!("! {reason}"),
            Self::Stopping => "stopping …".into(),
            Self::Stopped => "stopped; `hydra up` goes on where this was".into(),
        }
    }
}

/// `1 PC`, `4 PCs`.
fn pcs(number: usize) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{} PC{s}", count(u64::try_from(number).unwrap_or(u64::MAX)))
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
