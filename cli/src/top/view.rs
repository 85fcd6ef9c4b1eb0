//! The page as a whole: what is shown, in words, made of what is seen. Pure.

use std::time::SystemTime;

use super::{
    page::{Mood, Notice, Panel, Words},
    panels,
    seen::{Link, Seen, Snapshot},
};
use crate::{
    accounts, amount,
    report::{
        figures::count,
        health, pace,
        reach::{self, Reach},
    },
    trainer::Status,
    up::{ENOUGH_FEES, FEES},
};

/// The page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct View {
    /// Which network, seen from where.
    pub heading: Words,
    /// How to leave; empty where nobody can.
    pub hint: &'static str,
    /// Whether colours may be used.
    pub styled: bool,
    /// What to know before everything else, the most important first.
    pub notices: Vec<Notice>,
    /// This PC.
    pub pc: Panel,
    /// What its account has.
    pub wallet: Panel,
    /// The network.
    pub network: Panel,
    /// The model.
    pub model: Panel,
    /// The other PCs.
    pub peers: Panel,
    /// The newest blocks.
    pub blocks: Panel,
}

impl View {
    /// Of what is seen now, plain.
    pub fn new(seen: &Seen, now: SystemTime) -> Self {
        let heading = match &seen.chain {
            Some(chain) => format!("{} at {}", chain.name, seen.url),
            None => seen.url.clone(),
        };
        Self {
            heading: Words::said(heading),
            hint: "",
            styled: false,
            notices: notices(seen, now),
            pc: panels::pc(seen),
            wallet: panels::wallet(seen),
            network: panels::network(seen),
            model: panels::model(seen),
            peers: panels::peers(seen),
            blocks: panels::blocks(seen),
        }
    }
}

fn notices(seen: &Seen, now: SystemTime) -> Vec<Notice> {
    let bad = |words| Notice {
        words,
        mood: Mood::Bad,
    };
    let plain = |text: String| Notice {
        words: Words::said(text),
        mood: Mood::Plain,
    };
    let mut list = Vec::new();
    match &seen.node {
        Link::Away { since, reason } => {
            let grey = match &seen.chain {
                Some(chain) => format!("; what is grey is from block {}", count(chain.best.number)),
                None => String::new(),
            };
            list.push(bad(Words::since(
                "Node away for ",
                *since,
                format!("{grey}: {reason}"),
            )));
        }
        Link::Starting => list.push(plain(format!("Starting: waiting for the node at {}", seen.url))),
        Link::Up => {}
    }
    if let Some(Link::Away { since, reason }) = &seen.trainer {
        list.push(bad(Words::since(
            "Trainer away for ",
            *since,
            format!(": {reason}"),
        )));
    }
    if let (Some(chain), Link::Up) = (&seen.chain, &seen.node) {
        list.extend(syncing(chain).map(plain));
        let trainers = seen.status.as_ref().and_then(|status| status.clock);
        let wrong = [
            health::of_clock(chain.clock.as_ref(), trainers.map(|clock| clock.offset_ms)),
            health::of_block(
                chain.best.number,
                health::age(now, chain.time),
                chain.syncing,
                chain.slot,
            ),
        ];
        list.extend(wrong.into_iter().flatten().map(|text| bad(Words::said(text))));
        list.extend(no_coins(chain).map(plain));
    }
    let is_up = matches!(seen.trainer, Some(Link::Up));
    list.extend(
        seen.status
            .iter()
            .filter(|_| is_up)
            .filter_map(unreachable)
            .map(bad),
    );
    let warnings = seen.status.iter().filter(|_| is_up);
    list.extend(
        warnings
            .flat_map(|status| &status.warnings)
            .map(|warning| bad(Words::said(warning))),
    );
    list
}

/// That nobody can connect to this PC, not even with a relay's help, and what to do.
fn unreachable(status: &Status) -> Option<Words> {
    let advice = (Reach::of(status)? == Reach::Unreachable).then(|| reach::advice(status, None))??;
    let found = reach::sentence(status)?;
    Some(Words::said(format!("{found}. To be reached, {advice}")))
}

fn syncing(chain: &Snapshot) -> Option<String> {
    let left = chain.left;
    chain.syncing.then(|| {
        format!(
            "Catching up with the network: block {} of {}{}. Until then balances and versions are old.",
            count(chain.best.number),
            count(chain.highest.max(chain.best.number)),
            left.map_or_else(String::new, |left| format!(", {}", pace::words(left)))
        )
    })
}

/// What taking part still costs, of a PC that doesn't and can't yet: some of what was asked for may be spent already.
fn no_coins(chain: &Snapshot) -> Option<String> {
    let me = chain.me.as_ref().filter(|me| me.status.stake == 0)?;
    let has = me.funds.free.saturating_add(me.funds.held);
    let enough = chain.needed.saturating_sub(FEES).saturating_add(ENOUGH_FEES);
    (has < enough && !chain.syncing).then(|| {
        format!(
            "{} HYDRA: taking part needs {}, the stake and fees. Ask a member for: hydra invite {}",
            amount::short(has),
            amount::short(chain.needed),
            accounts::address(&me.account)
        )
    })
}

#[cfg(test)]
#[path = "view_tests.rs"]
mod tests;
