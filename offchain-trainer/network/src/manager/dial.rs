//! Who is being dialled, and who is wanted.
//!
//! A state machine without clock or sockets: it is told what happened and when, and says what is due. A dial goes to the addresses of
//! the peer itself first, and a moment later to those through a relay as well. Who is wanted for a fetch and has no address that works
//! is looked up meanwhile, and given up after a while.

use libp2p::{Multiaddr, PeerId, swarm::ConnectionId};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::time::Instant;

/// The relay's turn, if the peer itself doesn't answer.
const RELAY_AFTER: Duration = Duration::from_millis(800);
/// For how long a wanted peer is looked up.
const LOOK_UP: Duration = Duration::from_secs(8);
/// How often it is looked whether an address was found.
const LOOK: Duration = Duration::from_millis(200);
/// How often others are asked, in vain so far: whoever knows may have come since. Searches follow one another less and less often.
const ASK: Duration = Duration::from_secs(1);
/// So many addresses of a peer are dialled at the same time.
const MOST_ADDRESSES: usize = 16;
/// So many peers are wanted at a time.
const MOST_WANTED: usize = 256;

/// Why a peer is dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// It shall have a slot.
    Slot,
    /// Somebody wants a blob of its.
    Visit,
}

#[derive(Debug)]
struct Dial {
    why: Why,
    /// Those that haven't failed.
    attempts: Vec<ConnectionId>,
    /// Where, relays included.
    addresses: Vec<Multiaddr>,
    relayed: Vec<Multiaddr>,
    relayed_at: Instant,
}

#[derive(Debug)]
struct Want {
    until: Instant,
    /// What was tried in vain.
    tried: Vec<Multiaddr>,
    look_at: Instant,
    ask_at: Instant,
}

/// All dials that the peer manager has made, and all wants.
#[derive(Debug, Default)]
pub(super) struct Dials {
    dials: BTreeMap<PeerId, Dial>,
    /// Attempts that are under way though their peer is connected, and what they were for.
    late: BTreeMap<ConnectionId, Why>,
    wanted: BTreeMap<PeerId, Want>,
}

/// A dial that came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failed {
    pub(super) peer: PeerId,
    /// It is wanted, and another address of it would be of use.
    pub(super) wanted: bool,
}

impl Dials {
    /// Somebody wants this peer. Returns whether it is new.
    pub(super) fn want(&mut self, peer: PeerId, now: Instant) -> bool {
        if self.wanted.contains_key(&peer) || self.wanted.len() >= MOST_WANTED {
            return false;
        }
        self.wanted.insert(
            peer,
            Want {
                until: now + LOOK_UP,
                tried: Vec::new(),
                look_at: now,
                ask_at: now + ASK,
            },
        );
        true
    }

    /// Whom others are to be asked for once more.
    pub(super) fn asks_due(&mut self, now: Instant) -> Vec<PeerId> {
        let due = self.wanted.iter_mut().filter(|(_, want)| want.asks_by(now));
        due.map(|(peer, want)| {
            want.ask_at = now + ASK;
            *peer
        })
        .collect()
    }

    /// Who is wanted and could be dialled now, if `addresses` has news.
    pub(super) fn next_wanted(
        &mut self,
        now: Instant,
        addresses: impl Fn(&PeerId) -> Vec<Multiaddr>,
    ) -> Option<PeerId> {
        let due = self
            .wanted
            .iter_mut()
            .filter(|(peer, want)| want.look_at <= now && !self.dials.contains_key(peer));
        for (peer, want) in due {
            want.look_at = now + LOOK;
            let known = addresses(peer);
            if known.iter().any(|address| !want.tried.contains(address)) {
                want.tried = known;
                return Some(*peer);
            }
        }
        None
    }

    /// Who is wanted and is being dialled, with what has been found of it since: the dial may hang for as long as it takes to give up.
    /// Say with [`also`](Self::also) that a dial there was begun.
    pub(super) fn found_meanwhile(
        &mut self,
        now: Instant,
        addresses: impl Fn(&PeerId) -> Vec<Multiaddr>,
    ) -> Option<(PeerId, Vec<Multiaddr>)> {
        for (peer, want) in self.wanted.iter_mut().filter(|(_, want)| want.look_at <= now) {
            let Some(dial) = self.dials.get_mut(peer) else {
                continue;
            };
            want.look_at = now + LOOK;
            if want.until <= now {
                continue;
            }
            let mut new = addresses(peer);
            new.retain(|address| !dial.addresses.contains(address));
            new.truncate(MOST_ADDRESSES.saturating_sub(dial.addresses.len()));
            if !new.is_empty() {
                dial.addresses.extend(new.iter().cloned());
                want.tried.extend(new.iter().cloned());
                return Some((*peer, new));
            }
        }
        None
    }

    /// There is no room for another dial now: who is wanted and isn't being dialled is looked at a moment later.
    pub(super) fn put_off(&mut self, now: Instant) {
        for (peer, want) in &mut self.wanted {
            if !self.dials.contains_key(peer) {
                want.look_at = want.look_at.max(now + LOOK);
            }
        }
    }

    /// A dial to the peer itself or, where it has no such address, to its relays has begun, at these `addresses`; `relayed` is what
    /// is left.
    pub(super) fn began(
        &mut self,
        peer: PeerId,
        why: Why,
        attempt: ConnectionId,
        mut addresses: Vec<Multiaddr>,
        relayed: Vec<Multiaddr>,
        now: Instant,
    ) {
        addresses.extend(relayed.iter().cloned());
        let dial = Dial {
            why,
            attempts: vec![attempt],
            addresses,
            relayed,
            relayed_at: now + RELAY_AFTER,
        };
        self.dials.insert(peer, dial);
    }

    /// Whose relays are to be dialled as well, and where. Each is told once; say with [`also`](Self::also) that it was begun.
    pub(super) fn relays_due(&mut self, now: Instant) -> Vec<(PeerId, Vec<Multiaddr>)> {
        let due = self
            .dials
            .iter_mut()
            .filter(|(_, dial)| !dial.relayed.is_empty() && dial.relayed_at <= now);
        due.map(|(peer, dial)| (*peer, std::mem::take(&mut dial.relayed)))
            .collect()
    }

    /// A further dial of the same peer has begun.
    pub(super) fn also(&mut self, peer: &PeerId, attempt: ConnectionId) {
        if let Some(dial) = self.dials.get_mut(peer) {
            dial.attempts.push(attempt);
        }
    }

    /// A connection with the peer stands, whoever made it. Returns why we dialled it, if this is one of our dials.
    pub(super) fn connected(&mut self, peer: &PeerId, id: ConnectionId) -> Option<Why> {
        self.wanted.remove(peer);
        if let Some(dial) = self.dials.remove(peer) {
            // What is under way ends by itself.
            let attempts = dial.attempts.into_iter();
            self.late.extend(attempts.map(|attempt| (attempt, dial.why)));
        }
        self.late.remove(&id)
    }

    /// A dial failed. Returns whom it was to, unless another attempt goes on.
    pub(super) fn failed(&mut self, id: ConnectionId, now: Instant) -> Option<Failed> {
        self.late.remove(&id);
        let (peer, dial) = self
            .dials
            .iter_mut()
            .find(|(_, dial)| dial.attempts.contains(&id))?;
        dial.attempts.retain(|attempt| *attempt != id);
        if !dial.attempts.is_empty() {
            return None;
        }
        if !dial.relayed.is_empty() {
            dial.relayed_at = now;
            return None;
        }
        let peer = *peer;
        Some(self.give_up(peer))
    }

    /// Nothing of a dial is under way any more.
    pub(super) fn give_up(&mut self, peer: PeerId) -> Failed {
        self.dials.remove(&peer);
        Failed {
            peer,
            wanted: self.wanted.contains_key(&peer),
        }
    }

    /// Whether any attempt of this dial is under way, or a relay's turn still comes.
    pub(super) fn is_idle(&self, peer: &PeerId) -> bool {
        self.dials
            .get(peer)
            .is_some_and(|dial| dial.attempts.is_empty() && dial.relayed.is_empty())
    }

    /// Gives up who was wanted for too long and isn't being dialled; all such, if nobody can be asked for addresses.
    pub(super) fn expire(&mut self, now: Instant, nobody_to_ask: bool) {
        self.wanted.retain(|peer, want| {
            // Looked at once, at least.
            let looked = want.look_at > now;
            self.dials.contains_key(peer) || (now < want.until && !(nobody_to_ask && looked))
        });
    }

    /// Who is wanted and not given up.
    pub(super) fn coming(&self) -> BTreeSet<PeerId> {
        self.wanted.keys().copied().collect()
    }

    pub(super) fn is_dialling(&self, peer: &PeerId) -> bool {
        self.dials.contains_key(peer)
    }

    /// How many dials are under way.
    pub(super) fn running(&self) -> usize {
        self.dials.len()
    }

    /// How many of them are for slots.
    pub(super) fn for_slots(&self) -> usize {
        self.dials.values().filter(|dial| dial.why == Why::Slot).count()
    }

    /// When something is due next.
    pub(super) fn due(&self) -> Option<Instant> {
        let relays = self
            .dials
            .values()
            .filter(|dial| !dial.relayed.is_empty())
            .map(|dial| dial.relayed_at);
        let looks = self
            .wanted
            .iter()
            .map(|(peer, want)| match self.dials.contains_key(peer) {
                true => want.look_at,
                false => want.look_at.min(want.until),
            });
        let asks = self.wanted.values().filter_map(Want::asks_at);
        relays.chain(looks).chain(asks).min()
    }
}

impl Want {
    fn asks_at(&self) -> Option<Instant> {
        Some(self.ask_at).filter(|at| *at < self.until)
    }

    fn asks_by(&self, now: Instant) -> bool {
        self.asks_at().is_some_and(|at| at <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: fn(usize) -> ConnectionId = ConnectionId::new_unchecked;

    fn address(port: u16) -> Multiaddr {
        format!("/ip4/192.0.2.1/tcp/{port}").parse().unwrap()
    }

    fn dials() -> (Dials, PeerId, Instant) {
        (Dials::default(), PeerId::random(), Instant::now())
    }

    #[test]
    fn a_wanted_peer_is_dialled_where_it_is_known_to_be_and_again_where_it_is_found() {
        let (mut dials, peer, now) = dials();
        assert!(dials.want(peer, now) && !dials.want(peer, now));
        assert_eq!(dials.due(), Some(now));
        assert_eq!(dials.next_wanted(now, |_| vec![]), None, "nothing is known");
        assert_eq!(dials.coming(), BTreeSet::from([peer]));
        let now = dials.due().unwrap();
        let known = |_: &PeerId| vec![address(1)];
        assert_eq!(dials.next_wanted(now, known), Some(peer));
        dials.began(peer, Why::Visit, ID(1), known(&peer), vec![], now);
        assert_eq!((dials.running(), dials.for_slots()), (1, 0));
        let failed = dials.failed(ID(1), now);
        assert_eq!(failed, Some(Failed { peer, wanted: true }));
        let now = dials.due().unwrap();
        assert_eq!(dials.next_wanted(now, known), None, "it isn't there");
        let now = dials.due().unwrap();
        let found = |_: &PeerId| vec![address(1), address(2)];
        assert_eq!(dials.next_wanted(now, found), Some(peer));
        dials.began(peer, Why::Visit, ID(2), vec![], vec![], now);
        assert_eq!(dials.connected(&peer, ID(2)), Some(Why::Visit));
        assert!(dials.coming().is_empty() && dials.running() == 0);
    }

    #[test]
    fn who_is_wanted_is_asked_for_until_it_is_given_up_and_dialled_where_it_is_found_though_a_dial_hangs() {
        let (mut dials, peer, mut now) = dials();
        dials.want(peer, now);
        let first = |_: &PeerId| vec![address(1)];
        assert_eq!(dials.next_wanted(now, first), Some(peer));
        dials.began(peer, Why::Visit, ID(1), first(&peer), vec![address(2)], now);
        dials.relays_due(now + RELAY_AFTER);
        let (end, mut asked) = (now + LOOK_UP - 2 * LOOK, 0);
        let known = |_: &PeerId| vec![address(2), address(1)];
        while now < end {
            now = dials.due().unwrap();
            asked += dials.asks_due(now).len();
            assert_eq!(dials.found_meanwhile(now, known), None, "it is dialled there");
            assert_eq!(dials.next_wanted(now, known), None);
        }
        assert_eq!(asked, 7);
        let found = |_: &PeerId| vec![address(1), address(3)];
        // There is room for no other dial.
        let (then, ()) = (now, dials.put_off(now));
        now += LOOK / 2;
        assert_eq!(dials.found_meanwhile(now, found), None, "a moment later");
        dials.put_off(now);
        now = then + LOOK;
        assert_eq!(dials.found_meanwhile(now, found), Some((peer, vec![address(3)])));
        dials.also(&peer, ID(2));
        let more = |_: &PeerId| (4..99).map(address).collect();
        let late = dials.found_meanwhile(end + 2 * LOOK, more);
        assert_eq!(late, None, "it was wanted for too long");
        assert_eq!(dials.failed(ID(1), now), None);
        assert_eq!(dials.connected(&peer, ID(2)), Some(Why::Visit));
        assert_eq!(dials.due(), None);
    }

    #[test]
    fn who_is_not_found_is_given_up_at_once_if_there_is_nobody_to_ask() {
        let (mut dials, peer, now) = dials();
        dials.want(peer, now);
        dials.expire(now, true);
        assert_eq!(dials.coming().len(), 1, "it wasn't even looked at");
        dials.next_wanted(now, |_| vec![]);
        dials.expire(now, false);
        assert_eq!(dials.coming().len(), 1);
        dials.expire(now, true);
        assert!(dials.coming().is_empty());
        dials.want(peer, now);
        dials.next_wanted(now, |_| vec![]);
        dials.expire(now + LOOK_UP, false);
        assert!(dials.coming().is_empty());
        assert_eq!(dials.due(), None);
    }

    #[test]
    fn the_relay_has_its_turn_a_moment_later_or_as_soon_as_the_peer_itself_does_not_answer() {
        let (mut dials, peer, now) = dials();
        dials.began(peer, Why::Slot, ID(1), vec![], vec![address(9)], now);
        assert!(dials.relays_due(now).is_empty());
        let due = dials.due().unwrap();
        assert_eq!(due, now + RELAY_AFTER);
        assert_eq!(dials.relays_due(due), [(peer, vec![address(9)])]);
        assert!(dials.relays_due(due).is_empty(), "once");
        dials.also(&peer, ID(2));
        assert_eq!(dials.failed(ID(1), due), None, "the relay may still lead there");
        assert_eq!(dials.failed(ID(2), due), Some(Failed { peer, wanted: false }));
        dials.began(peer, Why::Slot, ID(3), vec![], vec![address(9)], now);
        assert_eq!(dials.failed(ID(3), now), None);
        assert_eq!(dials.relays_due(now).len(), 1);
        assert!(dials.is_idle(&peer), "nothing was begun");
        dials.give_up(peer);
        assert_eq!(dials.running(), 0);
    }

    #[test]
    fn who_comes_by_itself_ends_our_dial() {
        let (mut dials, peer, now) = dials();
        dials.want(peer, now);
        dials.began(peer, Why::Visit, ID(1), vec![], vec![], now);
        assert_eq!(dials.connected(&peer, ID(7)), None, "not ours");
        assert!(dials.coming().is_empty() && !dials.is_dialling(&peer));
        assert_eq!(dials.failed(ID(1), now), None);
    }

    #[test]
    fn a_dial_is_what_it_was_for_though_another_way_to_the_peer_stands_by_then() {
        let (mut dials, peer, now) = dials();
        dials.began(peer, Why::Slot, ID(1), vec![], vec![], now);
        dials.also(&peer, ID(2));
        dials.also(&peer, ID(3));
        assert_eq!(dials.connected(&peer, ID(7)), None, "it came");
        assert_eq!(dials.connected(&peer, ID(1)), Some(Why::Slot));
        assert_eq!(dials.connected(&peer, ID(2)), Some(Why::Slot));
        assert_eq!(dials.connected(&peer, ID(2)), None, "it was told");
        assert_eq!(dials.failed(ID(3), now), None);
        assert!(dials.late.is_empty() && dials.running() == 0);
    }

    #[test]
    fn where_there_is_no_room_for_a_dial_nothing_is_due_at_once() {
        let (mut dials, peer, now) = dials();
        dials.want(peer, now);
        dials.put_off(now);
        assert_eq!(dials.due(), Some(now + LOOK));
        dials.put_off(now + LOOK_UP);
        dials.expire(now + LOOK_UP, false);
        assert_eq!(dials.due(), None, "it was wanted for too long");
    }

    #[test]
    fn wants_are_bounded() {
        let (mut dials, _, now) = dials();
        let taken = (0..2 * MOST_WANTED).filter(|_| dials.want(PeerId::random(), now));
        assert_eq!(taken.count(), MOST_WANTED);
    }
}
