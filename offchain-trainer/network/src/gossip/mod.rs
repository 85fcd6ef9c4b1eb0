//! Announcements: who has new blobs, who comes, goes or pauses.
//!
//! Gossipsub passes them from PC to PC, signed by their authors; what isn't an announcement, or not by a registered PC, goes no further.
//! It speeds things up; nothing may depend on it. Must never blame a peer for passing on what it couldn't know to be wrong.

pub(crate) mod behaviour;
pub(crate) mod config;
mod handle;
mod hints;
mod judge;
mod message;
mod standing;

pub use config::Config;
pub(crate) use hints::Hints;
pub use message::{Announcement, Have, Heard};

use self::{
    behaviour::Topics,
    judge::{Judge, Verdict, Why},
    message::Message,
    standing::Standing,
};
use crate::{
    behaviour::{Behaviour as Swarmed, BehaviourEvent},
    clock::Clock,
    common::Common,
    config::NetworkConfig,
    reports::Fault,
};
use codec::Encode;
use libp2p::{
    PeerId, Swarm,
    gossipsub::{self, MessageAcceptance, PublishError},
    swarm::SwarmEvent,
};
use std::{collections::VecDeque, time::Duration};
use tokio::{
    sync::{broadcast, oneshot},
    time::Instant,
};

/// Announcements that wait to be read by each who listens.
const UNREAD: usize = 256;
/// Own announcements that wait until somebody is there, how long, and how often that is looked at.
const WAITING: usize = 16;
const WAIT: Duration = Duration::from_secs(30);
const RETRY: Duration = Duration::from_secs(1);
/// How often it is looked up again who is registered.
const SCORES: Duration = Duration::from_secs(60);
/// The same after somebody came or went: a search brings dozens.
const SCORES_CHANGED: Duration = Duration::from_millis(500);

/// How many announcements came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GossipCounts {
    /// All of them, each as often as it came.
    pub copies: u64,
    /// Different ones that were told and passed on.
    pub accepted: u64,
    /// Different ones that ended here, and nobody was to blame.
    pub ignored: u64,
    /// Different ones that ended here, and should not have come.
    pub rejected: u64,
    /// Own ones that went out.
    pub announced: u64,
    /// Peers that news of trainers is passed on to.
    pub mesh: usize,
}

/// What handles ask of it.
pub(crate) enum Command {
    Announce(Announcement),
    Counts(oneshot::Sender<GossipCounts>),
}

/// What it shows to handles.
#[derive(Clone)]
pub(crate) struct View {
    heard: broadcast::Sender<Heard>,
    pub(crate) hints: Hints,
}

/// The part beside the swarm.
pub(crate) struct Gossip {
    common: Common,
    clock: Clock,
    topics: Topics,
    enabled: bool,
    judge: Judge,
    standing: Standing,
    sequence: u64,
    waiting: VecDeque<(Instant, Announcement)>,
    hints: Hints,
    heard: broadcast::Sender<Heard>,
    counts: GossipCounts,
    next_scores: Instant,
    next_try: Instant,
}

impl Gossip {
    pub(crate) fn new(config: &NetworkConfig, common: Common, now: Instant) -> (Self, View) {
        let (heard, _) = broadcast::channel(UNREAD);
        let hints = Hints::default();
        let view = View {
            heard: heard.clone(),
            hints: hints.clone(),
        };
        let gossip = Self {
            clock: config.clock.clone(),
            topics: Topics::of(&config.discovery.network()),
            enabled: config.gossip.enabled,
            common,
            judge: Judge::default(),
            standing: Standing::default(),
            sequence: 0,
            waiting: VecDeque::new(),
            hints,
            heard,
            counts: GossipCounts::default(),
            next_scores: now + SCORES,
            next_try: now + RETRY,
        };
        (gossip, view)
    }

    /// Looks at everything that happens in the swarm. Returns whether what is shown of peers may have changed.
    pub(crate) fn on_event(
        &mut self,
        swarm: &mut Swarm<Swarmed>,
        event: &SwarmEvent<BehaviourEvent>,
    ) -> bool {
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Gossip(gossipsub::Event::Message {
                propagation_source,
                message_id,
                message,
            })) => self.on_message(swarm, *propagation_source, message_id, message),
            SwarmEvent::ConnectionEstablished {
                peer_id,
                connection_id,
                endpoint,
                ..
            } => {
                let remote = endpoint.get_remote_address();
                self.standing.connected(*connection_id, *peer_id, remote);
                self.score_soon();
            }
            SwarmEvent::ConnectionClosed { connection_id, .. } => {
                self.standing.disconnected(*connection_id);
                self.score_soon();
            }
            _ => {}
        }
        false
    }

    /// Does what a handle asks for.
    pub(crate) fn on_command(&mut self, swarm: &mut Swarm<Swarmed>, command: Command) {
        match command {
            Command::Announce(announcement) => {
                if self.enabled {
                    if self.waiting.len() >= WAITING {
                        self.waiting.pop_front();
                    }
                    self.waiting.push_back((Instant::now(), announcement));
                    self.publish(swarm, Instant::now());
                }
            }
            Command::Counts(reply) => {
                let mut counts = self.counts;
                if let Some(gossip) = swarm.behaviour().gossip.as_ref() {
                    counts.copies = gossip.counting.received();
                    counts.mesh = gossip.inner.mesh_peers(&self.topics.trainers).count();
                }
                // Whoever asked may have gone.
                let _ = reply.send(counts);
            }
        }
    }

    /// When [`tick`](Self::tick) is to be called, if nothing happens before.
    pub(crate) fn due(&self) -> Option<Instant> {
        let retry = (!self.waiting.is_empty()).then_some(self.next_try);
        let scores = self.enabled.then_some(self.next_scores);
        [retry, scores].into_iter().flatten().min()
    }

    /// Does what has become due by `now`. Returns as [`on_event`](Self::on_event).
    pub(crate) fn tick(&mut self, swarm: &mut Swarm<Swarmed>, now: Instant) -> bool {
        if self.next_scores <= now {
            self.next_scores = now + SCORES;
            self.score(swarm);
        }
        if self.next_try <= now {
            self.publish(swarm, now);
        }
        false
    }

    fn on_message(
        &mut self,
        swarm: &mut Swarm<Swarmed>,
        via: PeerId,
        id: &gossipsub::MessageId,
        message: &gossipsub::Message,
    ) {
        let Some(author) = message.source else {
            // Gossipsub lets none without an author through.
            return;
        };
        let of_blobs = message.topic == self.topics.blobs;
        let members = &self.common.members;
        let verdict = self
            .judge
            .judge(author, via, of_blobs, &message.data, members, Instant::now());
        let acceptance = match verdict {
            Verdict::Accept { .. } => MessageAcceptance::Accept,
            Verdict::Ignore(_) => MessageAcceptance::Ignore,
            Verdict::Reject => MessageAcceptance::Reject,
        };
        if let Some(gossip) = swarm.behaviour_mut().gossip.as_mut() {
            gossip
                .inner
                .report_message_validation_result(id, &via, acceptance);
        }
        match verdict {
            Verdict::Accept {
                sequence,
                announcement,
            } => {
                self.counts.accepted += 1;
                self.note(author, announcement);
                // Nobody may be listening.
                let _ = self.heard.send(Heard {
                    author,
                    via,
                    sequence,
                    announcement,
                });
            }
            Verdict::Ignore(why) => {
                self.counts.ignored += 1;
                tracing::trace!(%author, %via, ?why, "an announcement ends here");
                if why == Why::Flood {
                    self.common.reports.fault(via, Fault::Flood);
                }
            }
            Verdict::Reject => {
                self.counts.rejected += 1;
                self.common.reports.fault(via, Fault::Invalid);
            }
        }
    }

    /// Remembers what fetches can use.
    fn note(&self, author: PeerId, announcement: Announcement) {
        match announcement {
            Announcement::NewBlob { hash, .. } => self.hints.add(hash, author),
            Announcement::Going => self.hints.forget(&author),
            Announcement::Coming | Announcement::Pausing { .. } => {}
        }
    }

    /// Sends what waits, if somebody is there.
    fn publish(&mut self, swarm: &mut Swarm<Swarmed>, now: Instant) {
        self.next_try = now + RETRY;
        let Some(gossip) = swarm.behaviour_mut().gossip.as_mut() else {
            self.waiting.clear();
            return;
        };
        self.waiting
            .retain(|(since, _)| now.saturating_duration_since(*since) < WAIT);
        while let Some((_, announcement)) = self.waiting.front().copied() {
            // Numbers go on rising after a restart.
            self.sequence = self.clock.ms().max(self.sequence.saturating_add(1));
            let topic = match announcement.is_of_blobs() {
                true => self.topics.blobs.clone(),
                false => self.topics.trainers.clone(),
            };
            let message = Message::new(self.sequence, announcement).encode();
            match gossip.inner.publish(topic, message) {
                Ok(_) => self.counts.announced += 1,
                Err(PublishError::NoPeersSubscribedToTopic | PublishError::AllQueuesFull(_)) => return,
                Err(error) => tracing::debug!(%error, ?announcement, "an announcement isn't told"),
            }
            self.waiting.pop_front();
        }
    }

    fn score_soon(&mut self) {
        self.next_scores = self.next_scores.min(Instant::now() + SCORES_CHANGED);
    }

    fn score(&self, swarm: &mut Swarm<Swarmed>) {
        let Some(gossip) = swarm.behaviour_mut().gossip.as_mut() else {
            return;
        };
        for (peer, score) in self.standing.scores(&self.common.members) {
            gossip.inner.set_application_score(&peer, score);
        }
    }
}
