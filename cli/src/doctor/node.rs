//! What the node says, and what is to be thought of it. It is asked only if it is this PC's own: whoever else has its port
//! knows nothing of this PC.
//!
//! It must never send anything but questions.

use hydra_primitives::{AccountBytes, Balance};
use libp2p_identity::PeerId;
use std::time::{Duration, SystemTime};
use tokio::time::timeout;

use super::{
    check::{Check, State, Topic},
    place::Subject,
    process,
};
use crate::{
    accounts, amount,
    chain::{Block, Chain, Clock},
    error::Error,
    network::{self, Condition},
    report::{figures::duration, health, presence::Presence},
    up::{ENOUGH_FEES, FEES},
};

/// The newest rules that this release was made with: the runtime's `spec_version`.
pub const KNOWN_RULES: u32 = 4;
/// How long the node may take to answer at all.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long it may then take to answer everything.
const SLOW: Duration = Duration::from_secs(15);
/// So far may the newest final block be behind while all is well.
const LAG: u64 = 8;
/// So far behind, nothing becomes final any more.
const NO_FINALITY: u64 = 100;
/// The newest block may be so old in any network.
const OLD: Duration = Duration::from_secs(180);

/// What the node says.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// Its version.
    pub version: String,
    /// The version of the chain's rules.
    pub rules: u32,
    /// The newest block.
    pub best: u64,
    /// The newest final block.
    pub finalised: u64,
    /// The highest block that it has heard of.
    pub target: u64,
    /// The age of the newest block in seconds, negative if it lies ahead; genesis has none.
    pub block_age: Option<f64>,
    /// How long a slot lasts.
    pub slot: Duration,
    /// To how many others it is connected.
    pub peers: usize,
    /// Whether it is catching up.
    pub syncing: bool,
    /// What it says about the clock.
    pub clock: Option<Clock>,
    /// The PC's account.
    pub account: Option<Account>,
}

/// What the chain says of the PC's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Which one.
    pub account: AccountBytes,
    /// Whether it is registered.
    pub registered: bool,
    /// Whether it is registered with another trainer than this PC's.
    pub elsewhere: bool,
    /// Whether it takes part, and if not, why.
    pub presence: Presence,
    /// Its stake.
    pub stake: Balance,
    /// The least stake that takes part.
    pub least: Balance,
    /// What it can spend.
    pub spendable: Balance,
}

/// What is known of a network beside what its node says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Around {
    /// Whether there are other nodes that it should be connected to.
    pub has_others: bool,
    /// Whether it makes blocks, alone if need be.
    pub validator: bool,
    /// Whether enough of its network's validators could ever run here to make blocks final.
    pub can_finalise: bool,
    /// Whether this PC is to train.
    pub trains: bool,
    /// Whether it had its stake once.
    pub bonded: bool,
    /// What its owner wants to have at stake.
    pub wanted: Balance,
}

impl Around {
    /// Of this PC.
    pub fn of(subject: &Subject) -> Self {
        let network = &subject.network;
        let joined = subject.home.as_ref().map(|home| &home.joined);
        Self {
            has_others: joined.is_some() || network.pcs.len() > 1,
            validator: joined.is_none_or(|joined| joined.validator),
            can_finalise: joined.is_some() || 3 * network.pcs.len() > 2 * network.validators(),
            trains: subject.trains(),
            bonded: joined.is_none_or(|joined| joined.bonded),
            wanted: joined.map_or(0, |joined| amount::parse(&joined.stake).unwrap_or(0)),
        }
    }
}

/// Asks it, or says why there is nobody to be asked.
pub async fn ask(subject: &Subject) -> Result<Facts, Check> {
    let pc = &subject.pc;
    match network::condition(pc) {
        Condition::Runs => {}
        _ if network::starting(&subject.network) => {
            return Err(Check::warning(
                Topic::Node,
                "it is just starting",
                "wait a moment, and look again",
            ));
        }
        _ if runs_deaf(subject) => {
            return Err(Check::fault(
                Topic::Node,
                format!(
                    "its process {} runs, and nobody listens on its port {}",
                    pc.node.pid, pc.node.rpc_port
                ),
                format!(
                    "if it stays so, look at the end of its log: `tail {}`",
                    pc.node.log.display()
                ),
            ));
        }
        _ => return Err(away(Topic::Node, subject)),
    }
    let failed = |error: Error| Check::of(Topic::Node, State::Fault, &error);
    let (chain, best) = match timeout(PATIENCE, newest(subject)).await {
        Ok(answer) => answer.map_err(failed)?,
        Err(_) => {
            let pid = process::of_port(pc.node.rpc_port, pc.node.pid);
            return Err(Check::fault(
                Topic::Node,
                format!(
                    "{} does not answer within {} s",
                    process::named(pid),
                    PATIENCE.as_secs()
                ),
                format!("if it stays so, {}, and start it again", process::end(pid)),
            ));
        }
    };
    match timeout(SLOW, facts(&chain, best, subject)).await {
        Ok(facts) => facts.map_err(failed),
        // Who answers isn't stuck.
        Err(_) => Err(Check::warning(
            Topic::Node,
            "it answers, and takes long",
            "wait until this PC has less to do, and look again",
        )),
    }
}

/// Whether the process that was started as the node is there without listening.
fn runs_deaf(subject: &Subject) -> bool {
    let pid = subject.pc.node.pid;
    let holder = hydra_host::Holder {
        pid,
        name: String::new(),
    };
    network::alive(pid) && network::own_part(&subject.pc, &holder) == Some("node")
}

/// What doesn't run: a fault only while what keeps it running is there.
pub fn away(topic: Topic, subject: &Subject) -> Check {
    let todo = format!("start it with `{}`", subject.again());
    match subject.is_up() {
        true => Check::fault(
            topic,
            format!(
                "it does not run, though `hydra` does (process {})",
                subject.network.hydra_pid
            ),
            format!("look at why it ended with `hydra logs`, or at the end of its log; then {todo}"),
        ),
        false => Check::warning(topic, "it does not run", todo),
    }
}

/// The node, once it has answered.
async fn newest(subject: &Subject) -> Result<(Chain, Block), Error> {
    let chain = Chain::connect(&subject.pc.node.rpc_url).await?;
    let best = chain.best().await?;
    Ok((chain, best))
}

async fn facts(chain: &Chain, best: Block, subject: &Subject) -> Result<Facts, Error> {
    let (peers, syncing) = chain.health().await?;
    let block_age = match best.number {
        0 => None,
        _ => Some(age(SystemTime::now(), chain.time(best.hash).await?)),
    };
    Ok(Facts {
        version: chain.node_version().await?,
        rules: chain.spec_version().await?,
        best: best.number,
        finalised: chain.finalised().await?.number,
        target: chain.sync_target().await?,
        block_age,
        slot: chain.slot(best.hash).await?,
        peers,
        syncing,
        clock: chain.clock().await?,
        account: account(chain, subject, best).await?,
    })
}

async fn account(chain: &Chain, subject: &Subject, at: Block) -> Result<Option<Account>, Error> {
    let account = match &subject.home {
        // That its keystore can't be read is said elsewhere.
        Some(home) => chain.counting(&home.accounts().unwrap_or_default()).await?,
        None => accounts::DEVELOPMENT
            .into_iter()
            .find(|name| name.eq_ignore_ascii_case(&subject.pc.name))
            .and_then(accounts::development),
    };
    let Some(account) = account else { return Ok(None) };
    let status = chain.node_status(&account, at.hash).await?;
    let ours = subject.pc.trainer.peer_id.parse::<PeerId>();
    Ok(Some(Account {
        account,
        registered: status.registered,
        elsewhere: status.registered && ours.is_ok_and(|ours| ours.to_bytes() != status.peer_id),
        presence: Presence::read(chain, &account, &status, at.hash).await?,
        stake: status.stake,
        least: chain.least_stake(at.hash).await?,
        spendable: chain.funds(&account, at.hash).await?.spendable,
    }))
}

/// Seconds from `then` to `now`; negative if it lies ahead.
fn age(now: SystemTime, then: SystemTime) -> f64 {
    match now.duration_since(then) {
        Ok(age) => age.as_secs_f64(),
        Err(ahead) => -ahead.duration().as_secs_f64(),
    }
}

/// Everything that follows from what the node says.
pub fn judge(facts: &Facts, around: Around) -> Vec<Check> {
    let mut checks = vec![
        sync(facts),
        peers(facts, around),
        finality(facts, around),
        rules(facts.rules),
    ];
    // What an old block says of it may have changed.
    if let Some(account) = facts.account.as_ref().filter(|_| !facts.syncing) {
        checks.extend(registration(account, around));
        checks.push(stake(account, around));
    }
    checks
}

fn sync(facts: &Facts) -> Check {
    if facts.syncing {
        return Check::warning(
            Topic::Sync,
            format!("at block {} of {}, catching up", facts.best, facts.target),
            "wait: nothing is earned meanwhile",
        );
    }
    match facts.block_age {
        Some(age) if age > health::quiet_limit(OLD, facts.slot).as_secs_f64() => Check::fault(
            Topic::Sync,
            format!("the newest block, {}, is {} old", facts.best, ago(age)),
            "the network makes none now, or this node has lost it: see peers; or this PC's clock is wrong: see clock",
        ),
        Some(age) => Check::ok(
            Topic::Sync,
            format!("at block {}, {} old", facts.best, ago(age.max(0.0))),
        ),
        None => Check::warning(
            Topic::Sync,
            "the node knows no block but the first",
            "wait: it has just begun; if it stays so, see peers",
        ),
    }
}

fn ago(seconds: f64) -> String {
    duration(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

fn peers(facts: &Facts, around: Around) -> Check {
    let found = "the node is connected to nobody";
    match (facts.peers, around) {
        (
            0,
            Around {
                has_others: false, ..
            },
        ) => Check::ok(Topic::Peers, "none: it is a network of its own"),
        (0, Around { validator: true, .. }) => Check::warning(
            Topic::Peers,
            found,
            "if others run: look at this PC's network connection and its firewall",
        ),
        (0, _) => Check::fault(
            Topic::Peers,
            found,
            "look at this PC's network connection and its firewall, and ask whoever founded the network whether the nodes that \
             its file names run",
        ),
        (1, _) => Check::ok(Topic::Peers, "connected to 1 other"),
        (others, _) => Check::ok(Topic::Peers, format!("connected to {others} others")),
    }
}

fn finality(facts: &Facts, around: Around) -> Check {
    let lag = facts.best.saturating_sub(facts.finalised);
    let found = format!(
        "the newest final block, {}, is {lag} behind the newest",
        facts.finalised
    );
    let blocks = if lag == 1 { "block" } else { "blocks" };
    match lag {
        // Who catches up is told so already.
        _ if facts.syncing => Check::ok(Topic::Finality, format!("{lag} {blocks} behind")),
        0..=LAG => Check::ok(Topic::Finality, format!("{lag} {blocks} behind")),
        _ if !around.can_finalise => Check::warning(
            Topic::Finality,
            found,
            "nothing becomes final with two of four PCs: start three or four",
        ),
        NO_FINALITY.. => Check::fault(
            Topic::Finality,
            found,
            "more than a third of those who make blocks final are away, or this node is on a fork of its own: see peers",
        ),
        _ => Check::warning(
            Topic::Finality,
            found,
            "wait, and look again: it should become less",
        ),
    }
}

fn rules(version: u32) -> Check {
    match version > KNOWN_RULES {
        true => Check::warning(
            Topic::Rules,
            format!("the chain's are of version {version}, and this release knows {KNOWN_RULES}"),
            "install the release that the referendum named, if node or trainer complain",
        ),
        false => Check::ok(Topic::Rules, format!("version {version}")),
    }
}

fn registration(account: &Account, around: Around) -> Option<Check> {
    let who = accounts::short(&account.account);
    if account.elsewhere && !around.trains {
        let found = format!("{who} is another PC's trainer's, and this PC isn't to train");
        return Some(Check::ok(Topic::Registration, found));
    }
    if account.elsewhere {
        return Some(Check::fault(
            Topic::Registration,
            format!("{who} is registered for another trainer than this PC's"),
            "restore this PC's trainer.key from your backup, or use another account: `hydra up --base-path NEW-FOLDER`",
        ));
    }
    let found = format!("{who} {}", account.presence.words());
    Some(match account.presence {
        Presence::In | Presence::Joining => Check::ok(Topic::Registration, found),
        Presence::Silent => Check::warning(
            Topic::Registration,
            found,
            "see trainer and engine: whoever runs gives its heartbeat once a session by itself",
        ),
        Presence::Away { .. } => Check::warning(
            Topic::Registration,
            found,
            "see trainer and engine: a trainer that runs brings it back by itself",
        ),
        Presence::Out { .. } => Check::warning(
            Topic::Registration,
            found,
            "wait; if it was out before, find out why with `hydra rounds` and `hydra logs`",
        ),
        Presence::Paused => Check::ok(Topic::Registration, format!("{found}; `hydra resume` ends that")),
        Presence::Unstaked => Check::warning(Topic::Registration, found, "see stake"),
        Presence::Unregistered if around.trains => Check::warning(
            Topic::Registration,
            format!("{who} isn't registered yet"),
            "`hydra up` does it as soon as the coins are there",
        ),
        Presence::Unregistered => Check::ok(Topic::Registration, "none: this PC isn't to train"),
    })
}

fn stake(account: &Account, around: Around) -> Check {
    let (stake, spendable) = (amount::exact(account.stake), amount::exact(account.spendable));
    let found = format!("{stake} HYDRA at stake, {spendable} to spend");
    // What is lost of a stake isn't bonded again unasked: it only has to be enough.
    let wanted = match around.bonded {
        true => account.least,
        false => around.wanted.max(account.least),
    };
    if account.stake >= wanted || !around.trains {
        return Check::ok(Topic::Stake, found);
    }
    if around.bonded {
        return Check::fault(
            Topic::Stake,
            format!(
                "{stake} HYDRA are left of the stake, and the least is {}",
                amount::exact(account.least)
            ),
            "if you didn't unbond it, find out why with `hydra rounds` and `hydra logs`; then `hydra up --stake HYDRA` bonds again",
        );
    }
    let lacking = wanted.saturating_sub(account.stake);
    // As `hydra up` has it: less is enough than is asked for, because some of that may be spent by then.
    match account.spendable < lacking.saturating_add(ENOUGH_FEES) {
        true => Check::warning(
            Topic::Stake,
            format!(
                "{found}; to take part it needs {}",
                amount::exact(lacking.saturating_add(FEES))
            ),
            format!(
                "ask a member for `hydra invite {}`",
                accounts::address(&account.account)
            ),
        ),
        false => Check::warning(
            Topic::Stake,
            found,
            "`hydra up` registers with the stake, or adds to it",
        ),
    }
}

#[cfg(test)]
#[path = "node_tests.rs"]
mod tests;
