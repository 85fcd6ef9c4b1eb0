//! What follows from what is known: where others may get in, how this PC is reached, what is told of it, who is asked to relay.

use super::{RELAYS_STAY, Reach, Reachability, Seen, again};
use crate::{
    behaviour::Behaviour as Swarmed,
    reach::state::{Conclusion, Facts, State},
    scope::{Scope, is_relayed},
};
use libp2p::{Multiaddr, Swarm, relay};
use std::{net::IpAddr, time::Duration};
use tokio::time::Instant;

/// A hole that was punched so long ago says nothing of the next.
const PUNCHED: Duration = Duration::from_secs(3600);

impl Reach {
    /// Draws the conclusions from whatever has changed.
    pub(super) fn settle(&mut self, swarm: &mut Swarm<Swarmed>, now: Instant) {
        let candidates = self.candidates();
        if candidates != self.candidates {
            self.candidates = candidates;
            self.holes.moved(now);
            self.tried_again = 0;
            self.try_again = Some(now + again(0));
        }
        self.evidence.keep(&self.candidates, now);
        let behaviour = &mut swarm.behaviour_mut().reach;
        if let Some(prober) = behaviour.prober.as_mut() {
            prober.try_at(&self.candidates);
        }
        let facts = self.facts(now);
        if let Some(puncher) = behaviour.puncher.as_mut() {
            let mut told: Vec<Multiaddr> = self.observed.for_punching().iter().map(Seen::address).collect();
            told.extend(facts.mapped.iter().chain(&facts.said).cloned());
            told.extend(facts.confirmed.iter().map(|(address, _)| address.clone()));
            // Of this computer's own nobody has to tell us.
            told.extend(self.candidates.iter().cloned());
            told.retain(|address| self.config.is_internet(address));
            puncher.tell(&told);
        }
        let conclusion = self.machine.update(&facts, now);
        let state = conclusion.state;
        self.announce(swarm, &facts, now);
        self.serve(swarm, state.is_open());
        self.use_relays(swarm, state, now);
        self.show(conclusion, swarm);
    }

    /// Where others may get in, perhaps.
    fn candidates(&self) -> Vec<Multiaddr> {
        let own = self.listening.iter().filter(|address| {
            // What identifies this computer on the internet itself, without a router.
            Scope::of(address) == Some(Scope::Public) && Seen::of(address).is_some()
        });
        let mut all: Vec<Multiaddr> = own.cloned().collect();
        all.extend(self.observed.candidates().iter().map(Seen::address));
        all.extend(self.mapped_addresses());
        all.retain(|address| self.config.is_internet(address));
        all.sort();
        all.dedup();
        all
    }

    /// What the router says that it passes on, if that is an address of the internet.
    fn mapped_addresses(&self) -> Vec<Multiaddr> {
        let both = [(self.mapped.tcp, false), (self.mapped.udp, true)];
        let mapped = both.into_iter().filter_map(|(address, quic)| {
            let address = address?;
            let seen = Seen {
                ip: (*address.ip()).into(),
                port: address.port(),
                quic,
            };
            (Scope::of_ip(seen.ip) == Some(Scope::Public)).then(|| seen.address())
        });
        mapped.collect()
    }

    fn facts(&self, now: Instant) -> Facts {
        let mut said = self.config.external.clone();
        if self.config.assume_public {
            said.extend(self.listening.iter().cloned());
        }
        let mapped = self.mapped_addresses();
        let refuted: Vec<&Multiaddr> = mapped
            .iter()
            .filter(|address| self.evidence.failures(address) >= 2)
            .collect();
        // Peers that see another address than the router's tell of a second router.
        let others = self.observed.candidates();
        let elsewhere = others.iter().find(|seen| {
            !seen.ip.is_ipv6() && {
                let ip = Multiaddr::empty().with(seen.ip.into());
                !mapped.is_empty()
                    && mapped
                        .iter()
                        .all(|mapped| mapped.iter().next() != ip.iter().next())
            }
        });
        let own = self
            .mapped
            .tcp
            .or(self.mapped.udp)
            .map(|address| IpAddr::from(*address.ip()));
        let private = own.filter(|ip| Scope::of_ip(*ip) != Some(Scope::Public));
        let double_nat = private.or(own.filter(|_| elsewhere.is_some()));
        let mapping_refuted = !refuted.is_empty();
        let believed = mapped
            .iter()
            .filter(|address| double_nat.is_none() && !refuted.contains(address))
            .cloned()
            .collect();
        Facts {
            said,
            confirmed: self.evidence.confirmed(),
            mapped: believed,
            double_nat,
            mapping_refuted,
            relays: self.relays.kept().copied().collect(),
            punched: self.ways.any_punched()
                || self
                    .punched_at
                    .is_some_and(|at| now.saturating_duration_since(at) < PUNCHED),
            symmetric: self.observed.is_symmetric(),
            refuted: self.evidence.refuted(),
            port: self.port(),
            met: self.met.map(|met| now.saturating_duration_since(met)),
        }
    }

    /// The port that we listen on.
    fn port(&self) -> Option<u16> {
        self.listening
            .iter()
            .filter_map(Seen::of)
            .map(|seen| seen.port)
            .next()
    }

    /// Tells the swarm where we are reached.
    fn announce(&mut self, swarm: &mut Swarm<Swarmed>, facts: &Facts, now: Instant) {
        let kept = self
            .relayed
            .iter()
            .filter(|(listener, _)| self.relays.is_kept(**listener));
        let addresses = facts
            .said
            .iter()
            .chain(&facts.mapped)
            .chain(facts.confirmed.iter().map(|(address, _)| address))
            .chain(kept.flat_map(|(_, addresses)| addresses));
        let addresses = addresses.cloned().collect();
        if swarm.behaviour_mut().reach.announcer.tell(addresses) {
            self.tell_soon(now);
        }
    }

    /// Who knows us is to learn where we are, once all of it is known.
    fn tell_soon(&mut self, now: Instant) {
        let pace = self.config.pace;
        self.tell.get_or_insert(now + pace);
    }

    /// Is a relay for others, or isn't.
    fn serve(&mut self, swarm: &mut Swarm<Swarmed>, open: bool) {
        if open == self.serving {
            return;
        }
        self.serving = open;
        if let Some(relay) = swarm.behaviour_mut().reach.relay.as_mut() {
            relay.set_status(Some(match open {
                true => relay::Status::Enable,
                false => relay::Status::Disable,
            }));
        }
    }

    fn use_relays(&mut self, swarm: &mut Swarm<Swarmed>, state: State, now: Instant) {
        if !state.is_open() {
            self.open_since = None;
        } else if now.saturating_duration_since(*self.open_since.get_or_insert(now)) >= RELAYS_STAY {
            for listener in self.relays.give_up() {
                swarm.remove_listener(listener);
            }
        }
        if state.is_open() || !self.config.relay_client {
            return;
        }
        for (relay, address) in self.relays.to_ask(now) {
            match swarm.listen_on(address) {
                Ok(listener) => self.relays.asked(&relay, listener),
                Err(error) => {
                    tracing::debug!(%relay, %error, "a relay can't be asked");
                    self.relays.failed(&relay, now);
                }
            }
        }
    }

    fn show(&mut self, conclusion: Conclusion, swarm: &Swarm<Swarmed>) {
        let told = swarm.behaviour().reach.announcer.told();
        let (relayed, direct): (Vec<&Multiaddr>, Vec<&Multiaddr>) =
            told.iter().partition(|address| is_relayed(address));
        let local = self.common.local;
        let addresses = direct
            .into_iter()
            .chain(relayed)
            .map(|address| {
                let address = address.clone();
                address.with_p2p(local).unwrap_or_else(|address| address)
            })
            .collect();
        let now = Reachability::new(conclusion, addresses);
        self.shown.send_if_modified(|before| {
            if before.state != now.state {
                tracing::info!("{}: {}", now.state.name(), now.reason);
            }
            let changed = *before != now;
            *before = now;
            changed
        });
    }
}
