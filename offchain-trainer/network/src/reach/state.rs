//! How this PC is reached, as a state with a reason in plain words, and what would help.
//!
//! Without sockets and clock: it is given what is known, and when, and says what follows. Better news count at once, worse ones only
//! when they last: a relay that restarts, or one failed try, is no reason to tell everybody something else. Must never claim that
//! others reach this PC where none has.

use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};
use std::{collections::BTreeSet, net::IpAddr, time::Duration};
use tokio::time::Instant;

/// Worse news have to last so long.
const SLACK: Duration = Duration::from_secs(30);
/// So long after the first peer of the internet has been met, nobody having reached us says something.
const PATIENCE: Duration = Duration::from_secs(45);

/// How others reach this PC; each better than those before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Not known yet.
    Unknown,
    /// Nobody does; it sees those whom it dials.
    Unreachable,
    /// Through relays.
    Relayed,
    /// Directly, after a relay has introduced them.
    Punched,
    /// Directly, at a port that its router passes on.
    Mapped,
    /// Directly.
    Public,
}

impl State {
    /// Its name in JSON and on screens.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Unreachable => "unreachable",
            Self::Relayed => "relayed",
            Self::Punched => "punched",
            Self::Mapped => "mapped",
            Self::Public => "public",
        }
    }

    /// Whether strangers get in without being introduced.
    pub fn is_open(self) -> bool {
        self >= Self::Mapped
    }
}

/// What a person could do, so that others get in directly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    /// Have the router pass the ports on, by UPnP or by hand.
    OpenPorts,
    /// The router says that it does, and nobody gets in there: look after what else is in the way, and open them by hand.
    OpenByHand,
    /// The router does, and stands behind another one: that one has to as well.
    OpenOuterRouter,
}

/// How others reach this PC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reachability {
    /// In a word.
    pub state: State,
    /// Where others get in by themselves, as people write it.
    pub at: Option<String>,
    /// Why, in a sentence without capital and full stop. It has that place, too, and before it no more than the state says.
    pub reason: String,
    /// What would help, if something would.
    pub advice: Option<Advice>,
    /// Where, with our PeerId at the end; those through relays last.
    pub addresses: Vec<Multiaddr>,
}

impl Reachability {
    pub(crate) fn new(conclusion: Conclusion, addresses: Vec<Multiaddr>) -> Self {
        Self {
            state: conclusion.state,
            at: conclusion.at,
            reason: conclusion.reason,
            advice: conclusion.advice,
            addresses,
        }
    }
}

impl Default for Reachability {
    fn default() -> Self {
        Self::new(judge(&Facts::default()), Vec::new())
    }
}

/// What is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Facts {
    /// Where a person says that we are reached, or what is assumed.
    pub(crate) said: Vec<Multiaddr>,
    /// Where others got in, and how many.
    pub(crate) confirmed: Vec<(Multiaddr, usize)>,
    /// Ports that the router passes on, believed.
    pub(crate) mapped: Vec<Multiaddr>,
    /// The router passes a port on, but has no address of the internet itself.
    pub(crate) double_nat: Option<IpAddr>,
    /// The router passes a port on, and nobody gets in there.
    pub(crate) mapping_refuted: bool,
    /// Relays that keep a place for us.
    pub(crate) relays: BTreeSet<PeerId>,
    /// A direct connection came about through a relay lately.
    pub(crate) punched: bool,
    /// The router gives every connection another port.
    pub(crate) symmetric: bool,
    /// Where others tried and didn't get in.
    pub(crate) refuted: Vec<Multiaddr>,
    /// The port listened on; none: we only dial.
    pub(crate) port: Option<u16>,
    /// Since when peers of the internet are known.
    pub(crate) met: Option<Duration>,
}

/// What follows from it: a [`Reachability`] without addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Conclusion {
    pub(crate) state: State,
    at: Option<String>,
    reason: String,
    advice: Option<Advice>,
}

impl Conclusion {
    /// Others get in there.
    fn open(state: State, at: String, reason: String) -> Self {
        Self {
            at: Some(at),
            ..Self::closed(state, reason)
        }
    }

    /// They don't by themselves, as far as is known, and nothing has to be done.
    fn closed(state: State, reason: String) -> Self {
        Self {
            state,
            at: None,
            reason,
            advice: None,
        }
    }
}

/// What follows from these facts.
pub(crate) fn judge(facts: &Facts) -> Conclusion {
    if let Some(address) = facts.said.first() {
        let at = place(address);
        let reason = format!("others reach this PC at {at}, as was said at its start");
        return Conclusion::open(State::Public, at, reason);
    }
    if let Some(address) = facts.mapped.first() {
        let tried = facts.confirmed.iter().find(|(confirmed, _)| confirmed == address);
        let tried = tried.map_or(String::new(), |(_, count)| format!(": {}", got_in(*count)));
        let at = place(address);
        let reason = format!("this PC's router passes a port on to it, so others reach it at {at}{tried}");
        return Conclusion::open(State::Mapped, at, reason);
    }
    if let Some((address, count)) = facts.confirmed.iter().max_by_key(|(_, count)| *count) {
        let at = place(address);
        let reason = format!("others reach this PC at {at}: {}", got_in(*count));
        return Conclusion::open(State::Public, at, reason);
    }
    let why = why_not(facts);
    let relays: Vec<String> = facts.relays.iter().map(short).collect();
    let relays = match &relays[..] {
        [] => {
            return match facts.met {
                Some(since) if since >= PATIENCE => {
                    let reason = format!(
                        "{why}, and none of its peers is a relay, so it sees only those whom it dials itself"
                    );
                    Conclusion {
                        advice: help(facts),
                        ..Conclusion::closed(State::Unreachable, reason)
                    }
                }
                Some(_) => Conclusion::closed(
                    State::Unknown,
                    "peers are being asked whether they reach this PC".into(),
                ),
                None => Conclusion::closed(State::Unknown, "no PC on the internet was met".into()),
            };
        }
        [one] => format!("relay {one}"),
        several => format!("relays {}", several.join(" and ")),
    };
    // Through a router that changes its ports only some get in, after an introduction or not: those whom nothing stands before.
    if facts.punched && !facts.symmetric {
        return Conclusion::closed(
            State::Punched,
            format!("{why}; others are introduced by {relays}, and then connect directly"),
        );
    }
    Conclusion {
        advice: help(facts),
        ..Conclusion::closed(
            State::Relayed,
            format!("{why}, so others reach it through {relays}"),
        )
    }
}

/// Why nobody gets in, as far as is known.
fn why_not(facts: &Facts) -> String {
    let Some(_) = facts.port else {
        return "this PC doesn't listen for others".into();
    };
    if let Some(ip) = facts.double_nat {
        return format!(
            "this PC's router passes a port on to it, but stands behind another router itself (its address is {ip})"
        );
    }
    if facts.symmetric {
        return "this PC's router gives every connection another port, which keeps others out".into();
    }
    if facts.mapping_refuted {
        return "this PC's router says that it passes a port on, but nobody gets in there".into();
    }
    match facts.refuted.first() {
        Some(address) => format!(
            "others tried to reach this PC at {} and didn't get in",
            place(address)
        ),
        None => "nobody has reached this PC directly".into(),
    }
}

/// What a person could do where nobody gets in. Who only dials needs no port; and nobody is told to have done what the router does.
fn help(facts: &Facts) -> Option<Advice> {
    facts.port?;
    Some(if facts.double_nat.is_some() {
        Advice::OpenOuterRouter
    } else if facts.mapping_refuted {
        Advice::OpenByHand
    } else {
        Advice::OpenPorts
    })
}

fn got_in(count: usize) -> String {
    match count {
        1 => "one of them got in".into(),
        count => format!("{count} of them got in"),
    }
}

/// An address as people write it.
fn place(address: &Multiaddr) -> String {
    let mut parts = address.iter();
    let host = match parts.next() {
        Some(Protocol::Ip4(ip)) => ip.to_string(),
        Some(Protocol::Ip6(ip)) => format!("[{ip}]"),
        Some(Protocol::Dns(name) | Protocol::Dns4(name) | Protocol::Dns6(name)) => name.into_owned(),
        _ => return address.to_string(),
    };
    match parts.next() {
        Some(Protocol::Tcp(port) | Protocol::Udp(port)) => format!("{host}:{port}"),
        _ => host,
    }
}

/// The end of a PeerId: the beginning is the same for all.
fn short(peer: &PeerId) -> String {
    let text = peer.to_string();
    let from = text.len().saturating_sub(8);
    format!("…{}", text.get(from..).unwrap_or(&text))
}

/// What was said last, and since when it would be worse.
#[derive(Debug, Default)]
pub(crate) struct Machine {
    said: Option<Conclusion>,
    worse_since: Option<Instant>,
}

impl Machine {
    /// What is to be said now.
    pub(crate) fn update(&mut self, facts: &Facts, now: Instant) -> Conclusion {
        let conclusion = judge(facts);
        let worse = self
            .said
            .as_ref()
            .is_some_and(|said| conclusion.state < said.state);
        if worse {
            let since = *self.worse_since.get_or_insert(now);
            if now.saturating_duration_since(since) < SLACK
                && let Some(said) = &self.said
            {
                return said.clone();
            }
        }
        self.worse_since = None;
        self.said = Some(conclusion.clone());
        conclusion
    }

    /// When to look again although nothing has happened.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.worse_since.map(|since| since + SLACK)
    }
}

/// When what is said changes by itself, for somebody who met the internet at `met`.
pub(crate) fn patience_ends(met: Instant) -> Instant {
    met + PATIENCE
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn address(text: &str) -> Multiaddr {
        text.parse().unwrap()
    }

    fn met() -> Facts {
        Facts {
            port: Some(30400),
            met: Some(PATIENCE),
            ..Facts::default()
        }
    }

    fn relayed() -> Facts {
        Facts {
            relays: [PeerId::random()].into(),
            ..met()
        }
    }

    #[test]
    fn each_state_has_its_reason() {
        let here = address("/ip4/203.0.113.5/tcp/30400");
        let relay = relayed();
        let name = short(relay.relays.first().unwrap());
        let cases = [
            (Facts::default(), State::Unknown, "no PC on the internet was met".to_owned()),
            (
                Facts { met: Some(Duration::ZERO), ..met() },
                State::Unknown,
                "peers are being asked whether they reach this PC".into(),
            ),
            (
                met(),
                State::Unreachable,
                "nobody has reached this PC directly, and none of its peers is a relay, so it sees only those whom it dials itself".into(),
            ),
            (
                Facts { symmetric: true, ..relay.clone() },
                State::Relayed,
                format!("this PC's router gives every connection another port, which keeps others out, so others reach it through relay {name}"),
            ),
            (
                Facts { refuted: vec![here.clone()], punched: true, ..relay.clone() },
                State::Punched,
                format!("others tried to reach this PC at 203.0.113.5:30400 and didn't get in; others are introduced by relay {name}, and then connect directly"),
            ),
            (
                Facts { double_nat: Some([192, 168, 0, 2].into()), ..relay.clone() },
                State::Relayed,
                format!("this PC's router passes a port on to it, but stands behind another router itself (its address is 192.168.0.2), so others reach it through relay {name}"),
            ),
            (
                Facts { port: None, ..relay.clone() },
                State::Relayed,
                format!("this PC doesn't listen for others, so others reach it through relay {name}"),
            ),
            (
                Facts { mapped: vec![here.clone()], confirmed: vec![(here.clone(), 1)], ..relay.clone() },
                State::Mapped,
                "this PC's router passes a port on to it, so others reach it at 203.0.113.5:30400: one of them got in".into(),
            ),
            (
                Facts { confirmed: vec![(here.clone(), 2)], ..relay.clone() },
                State::Public,
                "others reach this PC at 203.0.113.5:30400: 2 of them got in".into(),
            ),
            (
                Facts { said: vec![address("/dns/pc.example.org/tcp/1")], ..met() },
                State::Public,
                "others reach this PC at pc.example.org:1, as was said at its start".into(),
            ),
        ];
        for (facts, state, reason) in cases {
            let conclusion = judge(&facts);
            assert_eq!(
                (conclusion.state, conclusion.reason.as_str()),
                (state, reason.as_str())
            );
            // Screens leave out what stands before the place.
            assert_eq!(conclusion.at.is_some(), state.is_open(), "{reason}");
            assert!(conclusion.at.is_none_or(|at| reason.contains(&at)), "{reason}");
        }
    }

    #[test]
    fn what_helps_depends_on_what_the_router_has_done_and_is_said_only_where_nobody_gets_in() {
        fn here() -> Multiaddr {
            address("/ip4/203.0.113.5/tcp/30400")
        }
        let but = |change: fn(&mut Facts)| {
            let mut facts = relayed();
            change(&mut facts);
            facts
        };
        // With a relay and without.
        let advised = |change: fn(&mut Facts)| {
            let mut facts = but(change);
            let by_relay = judge(&facts);
            facts.relays.clear();
            let alone = judge(&facts);
            assert_eq!(
                (by_relay.state, alone.state),
                (State::Relayed, State::Unreachable)
            );
            assert_eq!(by_relay.advice, alone.advice);
            alone.advice
        };
        assert_eq!(advised(|_| ()), Some(Advice::OpenPorts));
        assert_eq!(advised(|it| it.symmetric = true), Some(Advice::OpenPorts));
        // It was asked, said yes, and nobody came through: asking it again helps nobody.
        assert_eq!(advised(|it| it.mapping_refuted = true), Some(Advice::OpenByHand));
        let both = |it: &mut Facts| (it.mapping_refuted, it.symmetric) = (true, true);
        assert_eq!(advised(both), Some(Advice::OpenByHand));
        let outer = |it: &mut Facts| it.double_nat = Some([100, 64, 0, 2].into());
        assert_eq!(advised(outer), Some(Advice::OpenOuterRouter));
        assert_eq!(advised(|it| it.port = None), None, "it only dials");
        for nothing_to_do in [
            Facts::default(),
            but(|it| it.punched = true),
            but(|it| it.mapped = vec![here()]),
            but(|it| it.confirmed = vec![(here(), 1)]),
            but(|it| it.said = vec![here()]),
        ] {
            assert_eq!(judge(&nothing_to_do).advice, None, "{nothing_to_do:?}");
        }
    }

    #[test]
    fn good_news_count_at_once_and_bad_ones_when_they_last() {
        let mut machine = Machine::default();
        let now = Instant::now();
        assert_eq!(machine.update(&met(), now).state, State::Unreachable);
        assert_eq!(machine.update(&relayed(), now).state, State::Relayed);
        assert_eq!(machine.due(), None);
        // The relay restarts.
        let said = machine.update(&relayed(), now);
        assert_eq!(machine.update(&met(), now + SLACK / 2), said);
        assert_eq!(machine.due(), Some(now + SLACK / 2 + SLACK));
        assert_eq!(machine.update(&relayed(), now + SLACK).state, State::Relayed);
        assert_eq!(machine.due(), None, "it came back");
        // It is gone.
        assert_eq!(machine.update(&met(), now + SLACK * 2).state, State::Relayed);
        assert_eq!(machine.update(&met(), now + SLACK * 3).state, State::Unreachable);
        assert_eq!(machine.due(), None);
    }

    proptest! {
        /// Whatever comes and goes, what is said doesn't get worse twice within the slack.
        #[test]
        fn it_never_flaps(steps in prop::collection::vec((0_u64..40, 0_u8..4), 0..60)) {
            let mut machine = Machine::default();
            let mut now = Instant::now();
            let mut worse_at: Option<Instant> = None;
            let mut before = State::Unknown;
            for (seconds, kind) in steps {
                now += Duration::from_secs(seconds);
                let facts = match kind {
                    0 => Facts::default(),
                    1 => met(),
                    2 => relayed(),
                    _ => Facts { confirmed: vec![(address("/ip4/203.0.113.5/tcp/1"), 1)], ..met() },
                };
                let Conclusion { state, reason, .. } = machine.update(&facts, now);
                prop_assert!(!reason.is_empty());
                prop_assert!(state >= judge(&facts).state);
                if state < before {
                    prop_assert!(worse_at.is_none_or(|at| now - at >= SLACK));
                    worse_at = Some(now);
                }
                before = state;
            }
        }
    }
}
