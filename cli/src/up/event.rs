//! What `hydra up` says: each state as a line for people, or as one JSON document in a line for programs. The words of both
//! are here and nowhere else.

use serde::Serialize;
use std::path::PathBuf;

use crate::output;

/// Something that happened, or a state that may last.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
#[allow(missing_docs, reason = "each line is its own documentation")]
pub enum Event {
    Machine {
        cores: usize,
        memory_mib: u64,
        avx2: bool,
        free_mib: u64,
    },
    Network {
        name: String,
        id: String,
        folder: PathBuf,
    },
    Account {
        address: String,
        is_new: bool,
        key_file: PathBuf,
    },
    Started {
        part: &'static str,
        pid: u32,
        log: PathBuf,
    },
    Adopted {
        part: &'static str,
        pid: u32,
    },
    Ended {
        part: &'static str,
        how: String,
        again_in_seconds: u64,
        log: PathBuf,
        tail: String,
    },
    Syncing {
        block: u64,
        target: u64,
        peers: usize,
    },
    Synced {
        block: u64,
        peers: usize,
    },
    EngineStarting,
    EngineReady,
    EngineFailed {
        reason: String,
    },
    Watching,
    Elsewhere {
        address: String,
    },
    WaitingForCoins {
        address: String,
        spendable: String,
        needed: String,
        missing: String,
        #[serde(skip)]
        qr: Option<String>,
    },
    CoinsCame {
        spendable: String,
    },
    Registering,
    Registered {
        block: u64,
    },
    Bonding {
        amount: String,
    },
    Bonded {
        block: u64,
        amount: String,
    },
    StakeShrank {
        stake: String,
    },
    Training {
        trainer: String,
    },
    Round {
        model: u32,
        round: u32,
        version: u32,
        accepted: usize,
        proposals: usize,
        mine: Option<String>,
        earned: String,
        balance: String,
    },
    Problem {
        reason: String,
    },
    Stopping,
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
            } if target <= block => "… node: looking for other PCs of the network".into(),
            Self::Syncing { block, target, peers } => {
                format!("… node: block {block} of {target}, connected to {peers}")
            }
            Self::Synced { block, peers } => format!("✓ node     at block {block}, connected to {peers}"),
            Self::EngineStarting => {
                "… trainer: testing whether this PC computes what the network computes".into()
            }
            Self::EngineReady => "✓ trainer  this PC computes what the network computes".into(),
            Self::EngineFailed { reason } => format!(
                "! trainer  this PC can't train: {reason}. Nothing is paid; node and trainer go on without. See `hydra logs \
                 trainer`"
            ),
            Self::Watching => {
                "Running without training (--no-train). With --train this PC takes part.".into()
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
            Self::CoinsCame { spendable } => format!("✓ coins    {spendable} HYDRA are here"),
            Self::Registering => "… registering, with a proof of work".into(),
            Self::Registered { block } => format!("✓ registered in block {block}"),
            Self::Bonding { amount } => format!("… bonding {amount} HYDRA as stake"),
            Self::Bonded { block, amount } => format!("✓ bonded   {amount} HYDRA in block {block}"),
            Self::StakeShrank { stake } => format!(
                "! stake    {stake} HYDRA are left of it, which is too little to take part: find out why with `hydra rounds` \
                 and `hydra logs`; then `hydra up --stake HYDRA` bonds again"
            ),
            Self::Training { trainer } => {
                format!(
                    "Training. Look with `hydra status`; the trainer is at {trainer}. Ctrl-C stops this PC."
                )
            }
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
        #[derive(Serialize)]
        struct Told<'a> {
            #[serde(flatten)]
            event: &'a Event,
            text: String,
        }
        let text = event.text();
        if self.json {
            let _ = output::event(&Told { event, text });
        } else {
            output::note(&text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_for_coins_says_how_much_and_where_to() {
        let event = Event::WaitingForCoins {
            address: "5Gx".into(),
            spendable: "0".into(),
            needed: "1.2".into(),
            missing: "1.2".into(),
            qr: None,
        };
        let text = event.text();
        assert!(
            text.contains("hydra invite 5Gx") && text.contains("needs 1.2"),
            "{text}"
        );
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(json["state"], "waiting_for_coins");
        assert_eq!(json["missing"], "1.2");
    }

    #[test]
    fn a_key_that_was_made_is_shown_once_with_where_it_is() {
        let account = |is_new| Event::Account {
            address: "5Gx".into(),
            is_new,
            key_file: "/k/68".into(),
        };
        assert!(account(true).text().contains("/k/68"));
        assert!(!account(false).text().contains("/k/68"));
    }
}
