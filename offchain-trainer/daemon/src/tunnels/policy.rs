//! Whose node is asked for, and which ways are closed: decisions without sockets.

use std::{fmt, time::Duration};

use hydra_network::{PeerId, PeerInfo, manager::Slot, reach::Path};

/// A node that is connected with so many others needs no more: as many as a trainer stays with.
pub(super) const ENOUGH: usize = 8;
/// Ways that are open at a time.
pub(super) const MOST: usize = 8;
/// A node that reaches so many by itself does without ways through trainers, one less each time.
pub(super) const PLENTY: usize = 16;
/// Between two that are closed for that reason.
pub(super) const TRIMS: Duration = Duration::from_secs(300);
/// Trainers that are asked at a time.
const ASKED: usize = 4;
/// A way that the node doesn't use, or that doesn't lead to the node that it should, is closed after this. The node tries again after
/// some seconds when a connection fails.
const USELESS: Duration = Duration::from_secs(90);
/// So long a trainer isn't asked again: whose node is connected already; it may go at any moment.
pub(super) const KNOWN: Duration = Duration::from_secs(60);
/// Who didn't answer, or has no node; twice as long each time, up to [`MISLED`].
const FAILED: Duration = Duration::from_secs(30);
/// Whose way didn't lead where it should, though it was there all the time.
const MISLED: Duration = Duration::from_secs(600);

/// The rest of a trainer that led to no node so many times in a row.
pub(super) fn after_failures(failures: u32) -> Duration {
    FAILED
        .saturating_mul(2u32.saturating_pow(failures.saturating_sub(1)))
        .min(MISLED)
}

/// What is decided upon.
pub(super) struct Situation<'a> {
    /// Nodes that the own node is connected with.
    pub(super) nodes: usize,
    /// How many connections of others' nodes their trainers carry here: whoever comes that way chose us, and not we him.
    pub(super) carried: usize,
    /// How many of them a way leads to.
    pub(super) through_tunnels: usize,
    /// The ways that are open, the oldest first.
    pub(super) open: &'a [Open],
    /// Connected trainers.
    pub(super) trainers: &'a [PeerInfo],
    /// Whether one isn't to be asked now.
    pub(super) rests: &'a dyn Fn(&PeerId) -> bool,
    /// Among equals, who has the least is asked first.
    pub(super) order: &'a dyn Fn(&PeerId) -> u64,
    /// Whether a way may be closed because there are enough.
    pub(super) may_trim: bool,
}

/// A way that is open.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open {
    pub(super) peer: PeerId,
    pub(super) node: PeerId,
    /// A connection through it ended because the other side said nothing any more.
    pub(super) silent: bool,
    /// The trainer was away since it was opened.
    pub(super) was_away: bool,
    /// For how long nothing has gone through it.
    pub(super) unused: Duration,
    /// For how long the node hasn't been connected with the one that it leads to.
    pub(super) unmet: Duration,
}

/// Why a way is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    Unused,
    Unneeded,
    Unmet,
    Away,
    Silent,
    Plenty,
}

impl Why {
    /// How long its trainer isn't asked again.
    pub(super) fn rests(self) -> Duration {
        match self {
            Self::Away => FAILED,
            Self::Unused | Self::Unneeded => KNOWN,
            Self::Unmet | Self::Silent | Self::Plenty => MISLED,
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unused => "the node reaches that one by itself",
            Self::Unmet => "it doesn't lead to that node",
            Self::Away => "that trainer has been away",
            Self::Silent => "nothing came through it any more",
            Self::Unneeded | Self::Plenty => "the node is connected with enough others",
        })
    }
}

/// What is to be done.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Decision {
    /// Ways that are closed, by their trainers.
    pub(super) close: Vec<(PeerId, Why)>,
    /// Trainers that are asked for their nodes.
    pub(super) ask: Vec<PeerId>,
}

pub(super) fn decide(now: &Situation) -> Decision {
    let chosen = chosen(now.nodes, now.carried);
    let closes = |way: &Open| Some((way.peer, useless(way, chosen >= ENOUGH)?));
    let mut close: Vec<(PeerId, Why)> = now.open.iter().filter_map(closes).collect();
    let by_itself = chosen.saturating_sub(now.through_tunnels);
    if close.is_empty()
        && now.may_trim
        && by_itself >= PLENTY
        && let Some(oldest) = now.open.first()
    {
        close.push((oldest.peer, Why::Plenty));
    }
    // Each way that is still to be used may become one more.
    let coming = now.open.len().saturating_sub(now.through_tunnels);
    let lacking = ENOUGH.saturating_sub(chosen + coming);
    let room = MOST.saturating_sub(now.open.len());
    let mut ask: Vec<&PeerInfo> = now
        .trainers
        .iter()
        .filter(|trainer| !now.open.iter().any(|way| way.peer == trainer.peer_id))
        .filter(|trainer| !(now.rests)(&trainer.peer_id))
        .collect();
    ask.sort_by_cached_key(|trainer| order(now, trainer));
    ask.truncate(lacking.min(room).min(ASKED));
    Decision {
        close,
        ask: ask.into_iter().map(|trainer| trainer.peer_id).collect(),
    }
}

/// So many nodes the own one is connected with that nobody but it chose: of all, without those that came through their trainers.
pub(super) fn chosen(nodes: usize, carried: usize) -> usize {
    nodes.saturating_sub(carried)
}

/// Why a way is of no use, if it isn't; with `enough` others the node wasn't told to use it.
fn useless(way: &Open, enough: bool) -> Option<Why> {
    match way {
        way if way.silent && way.was_away => Some(Why::Away),
        way if way.silent => Some(Why::Silent),
        way if way.unmet >= USELESS && way.was_away => Some(Why::Away),
        way if way.unmet >= USELESS && enough => Some(Why::Unneeded),
        way if way.unmet >= USELESS => Some(Why::Unmet),
        way if way.unused >= USELESS => Some(Why::Unused),
        _ => None,
    }
}

/// Those we chose first, since nobody can make himself one of them, and direct ways before relayed ones, which others pay for.
fn order(now: &Situation, trainer: &PeerInfo) -> (u8, bool, u64) {
    let chosen = match trainer.slot {
        Slot::LongTerm => 0,
        Slot::Exploratory => 1,
        Slot::Inbound => 2,
        Slot::None => 3,
    };
    (
        chosen,
        trainer.path == Path::Relayed,
        (now.order)(&trainer.peer_id),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydra_network::Carrier;

    fn trainer(slot: Slot, path: Path) -> PeerInfo {
        PeerInfo {
            peer_id: PeerId::random(),
            address: "/ip4/203.0.113.7/tcp/1".parse().unwrap(),
            latency: None,
            agent: None,
            path,
            carrier: Carrier::Tcp,
            slot,
        }
    }

    fn trainers(count: usize) -> Vec<PeerInfo> {
        (0..count)
            .map(|_| trainer(Slot::LongTerm, Path::Direct))
            .collect()
    }

    fn way(unused: u64, unmet: u64) -> Open {
        Open {
            peer: PeerId::random(),
            node: PeerId::random(),
            silent: false,
            was_away: false,
            unused: Duration::from_secs(unused),
            unmet: Duration::from_secs(unmet),
        }
    }

    fn decided(nodes: usize, through_tunnels: usize, open: &[Open], trainers: &[PeerInfo]) -> Decision {
        decide(&Situation {
            nodes,
            carried: 0,
            through_tunnels,
            open,
            trainers,
            rests: &|_| false,
            order: &|_| 0,
            may_trim: true,
        })
    }

    #[test]
    fn a_node_that_reaches_few_is_led_to_more_and_one_that_reaches_enough_is_not() {
        let trainers = trainers(20);
        let asked = |nodes, through, open: usize| {
            let open: Vec<Open> = (0..open).map(|_| way(0, 0)).collect();
            decided(nodes, through, &open, &trainers).ask.len()
        };
        assert_eq!(asked(0, 0, 0), 4, "a few at a time");
        assert_eq!(asked(1, 0, 4), 3, "those that are opening count");
        assert_eq!(asked(5, 4, 4), 3);
        assert_eq!(asked(8, 0, 0), 0);
        assert_eq!(asked(7, 7, 8), 0, "no more than so many ways");
    }

    #[test]
    fn those_who_came_through_their_trainers_are_no_reason_to_choose_nobody() {
        let trainers = trainers(20);
        let asked = |carried| {
            let situation = Situation {
                nodes: 10,
                carried,
                through_tunnels: 0,
                open: &[],
                trainers: &trainers,
                rests: &|_| false,
                order: &|_| 0,
                may_trim: true,
            };
            decide(&situation).ask.len()
        };
        assert_eq!([0, 2, 4, 10, 20].map(asked), [0, 0, 2, 4, 4]);
    }

    #[test]
    fn who_leads_nowhere_is_asked_less_and_less_often() {
        let rests = [1, 2, 3, 40].map(|failures| after_failures(failures).as_secs());
        assert_eq!(rests, [30, 60, 120, 600]);
    }

    #[test]
    fn whom_we_chose_is_asked_first_and_a_relayed_one_last_of_its_kind() {
        let mut trainers = vec![
            trainer(Slot::None, Path::Direct),
            trainer(Slot::LongTerm, Path::Relayed),
            trainer(Slot::Inbound, Path::Direct),
            trainer(Slot::LongTerm, Path::Direct),
        ];
        let ids: Vec<PeerId> = trainers.iter().map(|trainer| trainer.peer_id).collect();
        let asked = decided(0, 0, &[], &trainers).ask;
        assert_eq!(asked, [ids[3], ids[1], ids[2], ids[0]]);
        // Neither who has a way already, nor who rests.
        let mut open = way(0, 0);
        open.peer = ids[3];
        let asked = decide(&Situation {
            nodes: 0,
            carried: 0,
            through_tunnels: 0,
            open: &[open],
            trainers: &trainers,
            rests: &|peer| *peer == ids[1],
            order: &|_| 0,
            may_trim: true,
        });
        assert_eq!(asked.ask, [ids[2], ids[0]]);
        trainers.clear();
        assert_eq!(decided(0, 0, &[], &trainers), Decision::default());
    }

    #[test]
    fn a_way_that_is_not_used_or_does_not_lead_there_is_closed() {
        let mut open = [
            way(0, 0),
            way(95, 0),
            way(0, 95),
            way(80, 80),
            way(0, 95),
            way(0, 0),
        ];
        open[4].was_away = true;
        open[5].silent = true;
        let closed = decided(4, 2, &open, &[]).close;
        let whys = [
            (1, Why::Unused),
            (2, Why::Unmet),
            (4, Why::Away),
            (5, Why::Silent),
        ];
        assert_eq!(closed, whys.map(|(at, why)| (open[at].peer, why)));
        // Who was away may be asked soon: it is as alone as we are.
        assert!(Why::Away.rests() < Why::Unused.rests() && Why::Unused.rests() < Why::Unmet.rests());
    }

    #[test]
    fn a_way_that_a_node_with_enough_others_was_not_told_to_use_is_no_fault_of_its_trainer() {
        let open = [way(95, 95)];
        assert_eq!(decided(7, 0, &open, &[]).close, [(open[0].peer, Why::Unmet)]);
        assert_eq!(decided(8, 0, &open, &[]).close, [(open[0].peer, Why::Unneeded)]);
        assert_eq!(Why::Unneeded.rests(), KNOWN);
    }

    #[test]
    fn who_reaches_plenty_by_itself_gives_up_one_way_at_a_time() {
        let open = [way(0, 0), way(0, 0)];
        assert_eq!(decided(18, 2, &open, &[]).close, [(open[0].peer, Why::Plenty)]);
        assert!(decided(17, 2, &open, &[]).close.is_empty());
        let not_yet = decide(&Situation {
            nodes: 18,
            carried: 0,
            through_tunnels: 2,
            open: &open,
            trainers: &[],
            rests: &|_| false,
            order: &|_| 0,
            may_trim: false,
        });
        assert!(not_yet.close.is_empty());
    }
}
