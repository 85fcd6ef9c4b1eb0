//! The panels: words for what is seen. Pure.

use hydra_primitives::{
    AccountBytes, ModelId,
    status::{ModelStatus, Phase, Waiting},
};
use hydra_trainer_api::{ModelState, Stage, Status};
use libp2p_identity::PeerId;
use std::collections::{BTreeMap, BTreeSet};

use super::{
    page::{Mood, Panel, Row, Words},
    seen::{Link, Member, Seen, Snapshot},
};
use crate::{
    accounts, amount,
    report::{
        figures::{accuracy, count, cut, percent},
        happenings::{Weight, say},
        models::results,
        own::share,
        reach::{self, Reach},
        work::{doing, progress},
    },
};

/// What isn't known.
const UNKNOWN: &str = "–";
/// How many of the newest blocks are shown even if nothing happened in them.
const ALWAYS: usize = 2;
/// The longest name in a list.
const NAME: usize = 14;
/// The longest word for a way.
const WAY: usize = 7;
/// The longest name of a data set that has a title to itself.
const TITLE: usize = 24;

/// `1 PC`, `4 PCs`.
fn several(number: usize, what: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{} {what}{s}", count(u64::try_from(number).unwrap_or(u64::MAX)))
}

/// The model that this PC works on, else the first.
fn work(status: Option<&Status>) -> Option<&ModelState> {
    let models = &status?.models;
    let busy = models.iter().find(|work| work.state != Stage::Idle);
    busy.or(models.first())
}

/// This PC: what it does.
pub fn pc(seen: &Seen) -> Panel {
    let stale = seen.trainer.as_ref().is_some_and(Link::is_away);
    let (state, mood) = state(seen);
    let Some(status) = &seen.status else {
        let more = match seen.trainer {
            None => ["name its port with --trainer-port", "to see what this PC does"],
            Some(_) => ["waiting for the trainer's first word", ""],
        };
        let mut rows = vec![Row::said(state).meant(mood)];
        rows.extend(more.map(Row::said));
        return Panel::new("This PC", stale, rows);
    };
    let standing = standing(seen, status);
    let work = work(Some(status));
    let task = match (&status.engine.reason, work.filter(|work| work.task.is_some())) {
        (Some(reason), _) => reason.clone(),
        (None, Some(work)) => doing(work),
        (None, None) => "no task right now".into(),
    };
    let progress = work.filter(|work| work.task.is_some()).and_then(progress);
    let progress = progress.unwrap_or_default();
    let held = match work.and_then(|work| work.version) {
        Some(version) => format!("version {} here", count(version.into())),
        None => "no version here yet".into(),
    };
    let reached = match Reach::of(status) {
        None | Some(Reach::Unknown) => Row::both(held, format!("trainer {}", status.version)),
        Some(Reach::Unreachable) if !reach::listens_here_only(status) => {
            Row::both(held, Reach::Unreachable.brief()).meant(Mood::Bad)
        }
        Some(reach) => Row::both(held, reach.brief()),
    };
    Panel::new(
        "This PC",
        stale,
        vec![
            Row::both(state, standing).meant(mood),
            Row::both(task, progress),
            reached,
        ],
    )
}

/// Whether this PC's account takes part: as the chain says, which knows until when it doesn't, else as the trainer does.
fn standing(seen: &Seen, status: &Status) -> String {
    if let Some(me) = seen.chain.as_ref().and_then(|chain| chain.me.as_ref()) {
        return me.presence.brief();
    }
    match status.standing.as_deref() {
        Some("ready") => "takes part",
        Some("joining") => "from next session",
        Some("paused") => "paused",
        Some("unstaked") => "no stake yet",
        Some("unregistered") => "not registered",
        _ => "",
    }
    .into()
}

/// What this PC does, in a few words.
fn state(seen: &Seen) -> (&'static str, Mood) {
    let Some(link) = &seen.trainer else {
        return ("not known where its trainer is", Mood::Plain);
    };
    if link.is_away() {
        return ("Trainer away", Mood::Bad);
    }
    let Some(status) = &seen.status else {
        return ("Starting", Mood::Plain);
    };
    match status.engine.state.as_str() {
        "failed" => return ("Can't train", Mood::Bad),
        "starting" => return ("Testing the engine", Mood::Plain),
        _ => {}
    }
    if seen.chain.as_ref().is_some_and(|chain| chain.syncing) {
        return ("Catching up", Mood::Plain);
    }
    match work(Some(status)).map_or(Stage::Idle, |work| work.state) {
        Stage::Fetching => return ("Fetching what is needed", Mood::Good),
        Stage::Folding => return ("Making the next version", Mood::Good),
        Stage::Training => return ("Training", Mood::Good),
        Stage::Verifying => return ("Checking others", Mood::Good),
        Stage::Idle => {}
    }
    match (status.standing.as_deref(), status.last_sheet) {
        (Some("unregistered" | "unstaked"), _) => ("Looking on", Mood::Plain),
        (Some("paused"), _) => ("Paused: `hydra resume`", Mood::Plain),
        (_, Some(_)) => ("Waiting", Mood::Plain),
        (_, None) => ("Waiting for the node", Mood::Plain),
    }
}

/// What this PC's account has.
pub fn wallet(seen: &Seen) -> Panel {
    let rows = match (
        seen.chain.as_ref().and_then(|chain| chain.me.as_ref()),
        seen.account,
    ) {
        (Some(me), _) => {
            let pending = match me.pending {
                0 => String::new(),
                pending => format!("+{} pending", amount::short(pending)),
            };
            let partly = if me.earned.partly { " at least" } else { "" };
            vec![
                Row::both(
                    format!("{} HYDRA", amount::short(me.funds.free)),
                    match me.status.unbonding {
                        0 => format!("stake {}", amount::short(me.status.stake)),
                        back => format!(
                            "stake {} (+{} on its way back)",
                            amount::short(me.status.stake),
                            amount::short(back)
                        ),
                    },
                ),
                Row::both(
                    format!("earned today{partly} {}", amount::short(me.earned.amount)),
                    format!("to claim {}", amount::short(me.owed())),
                ),
                Row::both(whose(&me.account), pending),
            ]
        }
        (None, Some(account)) => vec![
            Row::both(format!("{UNKNOWN} HYDRA"), format!("stake {UNKNOWN}")),
            Row::said("waiting for the node"),
            Row::said(whose(&account)),
        ],
        (None, None) => vec![
            Row::said("no account of this PC is known"),
            Row::said("`hydra wallet balance` shows yours"),
        ],
    };
    Panel::new("Wallet", seen.node.is_away(), rows)
}

/// An account by name and address, as far as they fit beside what is pending.
fn whose(account: &AccountBytes) -> String {
    let address = accounts::address(account);
    match accounts::name(account) {
        Some(name) => {
            let head = address.get(..8).unwrap_or_default();
            let tail = address.get(address.len().saturating_sub(6)..).unwrap_or_default();
            format!("{name}  {head}…{tail}")
        }
        None => {
            let head = address.get(..10).unwrap_or_default();
            let tail = address.get(address.len().saturating_sub(8)..).unwrap_or_default();
            format!("{head}…{tail}")
        }
    }
}

/// The network.
pub fn network(seen: &Seen) -> Panel {
    let Some(chain) = &seen.chain else {
        let rows = vec![Row::said("waiting for the node")];
        return Panel::new("Network", seen.node.is_away(), rows);
    };
    let age = match chain.best.number {
        // Genesis has no time.
        0 => Words::said("the first"),
        _ => Words::since("", chain.time, " ago"),
    };
    let electorate = &chain.electorate;
    let taking_part = format!(
        "{} in session {}",
        count(electorate.accounts.into()),
        count(electorate.session.into())
    );
    let registered = usize::try_from(electorate.registered).unwrap_or(usize::MAX);
    Panel::new(
        "Network",
        seen.node.is_away(),
        vec![
            Row {
                left: Words::said(format!("block {}", count(chain.best.number))),
                right: age,
                mood: Mood::Plain,
            },
            Row::both(
                format!("final {}", count(chain.finalised)),
                several(chain.peers, "node") + " connected",
            ),
            Row::both(several(registered, "PC") + " registered", taking_part),
        ],
    )
}

/// The model that this PC works on, else the first.
pub fn model(seen: &Seen) -> Panel {
    let stale = seen.node.is_away();
    let Some(chain) = &seen.chain else {
        return Panel::new("Model", stale, vec![Row::said("waiting for the node")]);
    };
    let wanted: Option<ModelId> = work(seen.status.as_ref()).map(|work| work.model);
    let found = chain
        .models
        .iter()
        .position(|model| Some(model.model) == wanted)
        .unwrap_or(0);
    let Some(model) = chain.models.get(found) else {
        return Panel::new("Model", stale, vec![Row::said("nothing yet: no model is there")]);
    };
    let others = match chain.models.len() {
        0 | 1 => String::new(),
        several => format!(", one of {several}"),
    };
    let dataset = String::from_utf8_lossy(&model.dataset.name);
    let room = if others.is_empty() { TITLE } else { NAME };
    let share = chain
        .me
        .as_ref()
        .and_then(|me| me.parts.get(found))
        .and_then(share);
    let share = match share {
        Some(share) => format!("my share {:.1} %", share * 100.0),
        None => String::new(),
    };
    Panel::new(
        format!("Model {}: {}{others}", model.model, cut(&dataset, room)),
        stale,
        vec![
            version(model),
            Row::both(
                format!("round {}", count(model.round.into())),
                phase(model, chain.best.number),
            ),
            Row::both(far(model), share),
        ],
    )
}

fn version(model: &ModelStatus) -> Row {
    let right = match model.score.and_then(|score| accuracy(&score)) {
        Some(share) => format!("{} right", percent(Some(share))),
        None => "not measured yet".into(),
    };
    let newer = match model.version_poll {
        Some(_) => format!(", {} made", count(model.version.into())),
        None => String::new(),
    };
    Row::both(
        format!("version {}{newer}", count(model.confirmed_version.into())),
        right,
    )
}

/// How far the round is: results, or why there are none.
fn far(model: &ModelStatus) -> String {
    if let Some(reason) = model.waiting {
        return format!("waits: {}", brief(reason));
    }
    let results = results(model.phase, model.places, model.proposals, model.decided);
    match model.phase {
        Phase::Pause => "between two rounds".into(),
        Phase::Train => format!("{results} results"),
        Phase::Verify => format!("{results} checked"),
    }
}

/// Why it waits, in a few words.
fn brief(reason: Waiting) -> &'static str {
    match reason {
        Waiting::Participants => "too few take part",
        Waiting::Room => "too little room",
        Waiting::Progress => "nothing new",
        Waiting::Turn => "its turn",
        Waiting::Payer => "nobody pays",
    }
}

/// The phase, and how many blocks are left of it at the most.
fn phase(model: &ModelStatus, best: u64) -> String {
    let name = match model.phase {
        Phase::Pause => "pause",
        Phase::Train => "training",
        Phase::Verify => "checking",
    };
    match u64::from(model.phase_ends_at).saturating_sub(best) {
        0 => format!("{name}, about to end"),
        1 => format!("{name}, 1 block left"),
        left => format!("{name}, {} blocks left", count(left)),
    }
}

/// The other PCs: whom the trainer is connected to, then who else is registered.
pub fn peers(seen: &Seen) -> Panel {
    let stale = seen.node.is_away() || seen.trainer.as_ref().is_some_and(Link::is_away);
    let members: BTreeMap<String, &Member> = seen
        .chain
        .iter()
        .flat_map(|chain| &chain.members)
        .filter_map(|member| {
            let peer_id = PeerId::from_bytes(&member.status.peer_id).ok()?;
            Some((peer_id.to_string(), member))
        })
        .collect();
    let status = seen.status.as_ref();
    let mut connected = Vec::new();
    let mut told: BTreeSet<&str> = status.iter().map(|status| status.peer_id.as_str()).collect();
    for peer in status.iter().flat_map(|status| &status.peers) {
        if !told.insert(peer.peer_id.as_str()) {
            continue;
        }
        let member = members.get(&peer.peer_id).copied();
        let latency = peer.latency_ms.map(|ms| format!("{} ms", count(ms)));
        let link = [latency.as_deref(), reach::way(peer)];
        connected.push(peer_row(member, &peer.peer_id, link, ""));
    }
    let mut others = Vec::new();
    for (peer_id, member) in &members {
        // Without a trainer this PC is one of them.
        if told.contains(peer_id.as_str()) || seen.account == Some(member.account) {
            continue;
        }
        let unconnected = if status.is_some() { ", not connected" } else { "" };
        others.push(peer_row(Some(*member), peer_id, [None; 2], unconnected));
    }
    let title = match status {
        Some(_) => format!("Peers: {} connected", connected.len()),
        None => "Peers".into(),
    };
    connected.sort_by(|(a, _), (b, _)| a.cmp(b));
    others.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut rows: Vec<Row> = connected.into_iter().chain(others).map(|(_, row)| row).collect();
    if rows.is_empty() {
        rows.push(Row::said("no other PC yet"));
    }
    Panel::new(title, stale, rows)
}

/// What a peer is sorted by, members first, and its row. The link is how far away it is, and which way the connection takes.
fn peer_row(
    member: Option<&Member>,
    peer_id: &str,
    link: [Option<&str>; 2],
    more: &str,
) -> ((bool, String), Row) {
    let name = member.map_or_else(|| cut(peer_id, NAME), |member| accounts::short(&member.account));
    let standing = match member {
        Some(member) if member.status.paused => "paused",
        Some(member) if member.status.active => "takes part",
        Some(_) => "away",
        None => "only looks on",
    };
    let score = member.map_or_else(String::new, |member| {
        let score = f64::from(member.status.reputation.deconstruct()) / 1e9;
        format!("score {score:.3}")
    });
    let [latency, way] = link.map(|known| known.unwrap_or(UNKNOWN));
    let way = cut(way, WAY);
    let row = Row::both(
        format!("{name:<NAME$} {latency:>8}  {way:<WAY$}  {standing}{more}"),
        score,
    );
    ((member.is_none(), name), row)
}

/// The newest blocks, and those before them in which something happened.
pub fn blocks(seen: &Seen) -> Panel {
    let news = seen
        .chain
        .iter()
        .flat_map(|chain| chain.blocks.iter().enumerate());
    let mut rows: Vec<Row> = news
        .filter_map(|(index, news)| {
            let said = say(&news.happenings);
            if index >= ALWAYS && said.weight < Weight::News {
                return None;
            }
            let words = match said.words.as_str() {
                "" => UNKNOWN,
                words => words,
            };
            let line = Words::since(
                format!("{:>9} ", count(news.block.number)),
                news.time,
                format!(" {:>3}  {words}", news.transactions),
            );
            let row = Row {
                left: line.in_column(7),
                ..Row::default()
            };
            Some(row.meant(match said.weight {
                Weight::Trouble => Mood::Bad,
                Weight::News | Weight::Course | Weight::Nothing => Mood::Plain,
            }))
        })
        .collect();
    if rows.is_empty() {
        rows.push(Row::said(no_blocks(seen.chain.as_ref())));
    }
    Panel::new(
        "Blocks: age, transactions, what happened",
        seen.node.is_away(),
        rows,
    )
}

fn no_blocks(chain: Option<&Snapshot>) -> &'static str {
    match chain {
        None => "waiting for the node",
        Some(chain) if chain.syncing => "what happened is shown when the node has caught up",
        Some(_) => "nothing yet: no block is there",
    }
}
