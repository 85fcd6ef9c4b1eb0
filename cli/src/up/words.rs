//! The words of what `hydra up` says to people. They are here and nowhere else.

use std::time::Duration;

use super::event::Event;
use crate::{
    report::{
        clock,
        figures::{count, cut, duration, percent},
        pace, reach,
    },
    room::Room,
};

/// The longest name of a data set that is shown.
const NAME: usize = 40;
/// A clock is said to be right within no less: nobody can tell by messages.
const EXACT_MS: u64 = 100;

impl Event {
    /// The line, or the lines, that people read.
    pub fn text(&self) -> String {
        match self {
            Self::Machine {
                cores,
                memory_mib,
                instructions,
                free_mib,
                size_class,
                room,
            } => {
                let able = match instructions.as_str() {
                    "portable" => "no AVX2: it trains slowly, and may come too late".to_owned(),
                    name => format!("{}: can train", name.to_uppercase()),
                };
                let (memory, free) = (memory_mib.div_ceil(1_024), free_mib / 1_024);
                let takes_on = takes_on(*size_class, *room);
                format!(
                    "This PC: {cores} cores, {memory} GB, {able}. Disk: {free} GB free. It takes on {takes_on}."
                )
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
                "! clock    about {} the other PCs': set it (timedatectl set-ntp true), what it does may come too \
                 late until then",
                clock::words(*offset_ms)
            ),
            Self::Reachability {
                how,
                at,
                reason,
                peers,
                todo,
            } => {
                let sign = match (todo, how.as_str()) {
                    (Some(_), _) | (None, "unreachable") => '!',
                    (None, "unknown") => '…',
                    (None, _) => '✓',
                };
                let todo = todo.as_ref().map_or_else(String::new, |todo| {
                    format!(". It takes part all the same; to be reached by all: {todo}")
                });
                format!(
                    "{sign} reach    {}; connected to {}{todo}",
                    reach::said(how, at.as_deref(), reason),
                    pcs(*peers)
                )
            }
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
            Self::Registering { amount } => {
                format!("… registering with {amount} HYDRA at stake, and a proof of work")
            }
            Self::Registered {
                block,
                amount,
                work_seconds,
            } => {
                let work = Duration::try_from_secs_f64(*work_seconds).unwrap_or_default();
                format!(
                    "✓ registered and bonded {amount} HYDRA in block {}; the proof of work took {}",
                    count(*block),
                    duration(work)
                )
            }
            Self::RoomChanged {
                block,
                size_class,
                room,
            } => format!(
                "✓ room     {} from block {} on",
                takes_on(*size_class, *room),
                count(*block)
            ),
            Self::Bonding { amount } => format!("… bonding {amount} HYDRA as stake"),
            Self::Bonded { block, amount } => format!("✓ bonded   {amount} HYDRA in block {block}"),
            Self::StakeShrank { stake } => format!(
                "! stake    {stake} HYDRA are left of it, which is too little to take part: if you didn't unbond it, find out why \
                 with `hydra rounds` and `hydra logs`; then `hydra up --stake HYDRA` bonds again"
            ),
            Self::Resting {
                presence: "paused", ..
            } => "! paused   this PC's account is drawn for nothing, and keeps its stake and its score. `hydra resume` ends that. \
                 To leave: Ctrl-C here, or `hydra down` in another terminal."
                .into(),
            Self::Resting { reason, trainer, .. } => format!(
                "… waiting  this PC's account {reason}. The dashboard is at {trainer}/ and `hydra top` shows how it goes. To \
                 leave: Ctrl-C here, or `hydra down` in another terminal."
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
                places,
                mine,
                mine_accepted,
                mine_rejected,
                balance,
            } => {
                let rejected = match mine_rejected {
                    0 => String::new(),
                    rejected => format!(", {rejected} rejected"),
                };
                let mine = match mine {
                    0 => "none of this PC's".into(),
                    mine => format!("{mine_accepted} of this PC's {mine} accepted{rejected}"),
                };
                format!(
                    "round {round} of model {model}: {accepted} of {places} results accepted, version {version}; {mine}; \
                     balance {balance}"
                )
            }
            Self::Problem { reason } => format!("! {reason}"),
            Self::Stopping => "stopping …".into(),
            Self::Stopped => "stopped; `hydra up` goes on where this was".into(),
        }
    }
}

fn takes_on(size_class: u8, tasks: u8) -> String {
    Room { size_class, tasks }.words()
}

/// `1 PC`, `4 PCs`.
fn pcs(number: usize) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{} PC{s}", count(u64::try_from(number).unwrap_or(u64::MAX)))
}
