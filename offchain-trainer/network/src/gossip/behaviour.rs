//! Gossipsub as it is set up here, between bounds.

use super::message::LONGEST;
use crate::{
    allowance::{Allowances, Rate},
    common::Common,
    config::NetworkConfig,
    reports::{Fault, Reports},
    unkept::Unkept,
};
use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    gossipsub::{
        self, ConfigBuilder, DataTransform, IdentTopic, Message, MessageAuthenticity, MessageId,
        PeerScoreParams, PeerScoreThresholds, RawMessage, TopicHash, TopicScoreParams, ValidationMode,
        WhitelistSubscriptionFilter,
    },
    identity::Keypair,
    swarm::{
        ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
        THandlerOutEvent, ToSwarm, behaviour::toggle::Toggle,
    },
};
use std::{
    collections::HashSet,
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::Instant;

/// Peers that everything is passed on to: as many as possible, at least, at most.
const D: usize = 6;
const D_LOW: usize = 4;
const D_HIGH: usize = 8;
/// Of them, those that this PC chose itself.
const OWN_CHOICE: usize = 2;
/// What gossipsub's `max_transmit_size` really bounds (0.50): all that was read and isn't decoded yet, and it reads 8 KiB at a time. With
/// less, a few small messages in a row would end the stream.
const READ: usize = 16 * 1024;
/// How long a message may wait to be sent: a PC that trains on all its cores is late by seconds, and who is told late is told all the
/// same.
const LATE: Duration = Duration::from_secs(10);
/// Ids in one message: 18 bytes each, so they fit.
const IDS: usize = 160;
/// Messages of one peer, whatever is in them: an honest one passes on what it is let, and speaks of it once a second.
const MESSAGES: Rate = Rate {
    each_second: 150.0,
    burst: 1500.0,
};

pub(super) type Gossipsub = gossipsub::Behaviour<Counting, WhitelistSubscriptionFilter>;
/// What comes of a connection; libp2p has no other name for it.
type HandlerEvent = THandlerOutEvent<Gossipsub>;

/// The two topics of a network.
#[derive(Debug, Clone)]
pub(super) struct Topics {
    pub(super) blobs: TopicHash,
    pub(super) trainers: TopicHash,
}

impl Topics {
    pub(super) fn of(network: &str) -> Self {
        Self {
            blobs: IdentTopic::new(format!("hydra/{network}/blobs/1")).hash(),
            trainers: IdentTopic::new(format!("hydra/{network}/trainers/1")).hash(),
        }
    }
}

/// Counts messages on their way in, those that came before included.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counting(Arc<AtomicU64>);

impl Counting {
    pub(super) fn received(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl DataTransform for Counting {
    fn inbound_transform(&self, raw: RawMessage) -> io::Result<Message> {
        self.0.fetch_add(1, Ordering::Relaxed);
        // Gossipsub takes an empty one for none, and would pass it on without: then the signature is wrong, and the next one would hold
        // that against this PC.
        if raw.sequence_number.is_none() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(Message {
            source: raw.source,
            data: raw.data,
            sequence_number: raw.sequence_number,
            topic: raw.topic,
        })
    }

    fn outbound_transform(&self, _: &TopicHash, data: Vec<u8>) -> io::Result<Vec<u8>> {
        Ok(data)
    }
}

/// Gossipsub, with an eye on how much peers send.
pub(crate) struct Behaviour {
    pub(super) inner: Gossipsub,
    pub(super) counting: Counting,
    reports: Reports,
    messages: Allowances<PeerId>,
}

/// The part in the swarm, made before there is one.
pub(crate) fn build(config: &NetworkConfig, common: &Common) -> Toggle<Behaviour> {
    if !config.gossip.enabled {
        return None.into();
    }
    match gossipsub(&config.keypair, common, &config.discovery.network()) {
        Ok(behaviour) => Some(behaviour).into(),
        Err(error) => {
            tracing::error!(%error, "announcements can't be heard or told; all else works, later");
            None.into()
        }
    }
}

fn gossipsub(keypair: &Keypair, common: &Common, network: &str) -> Result<Behaviour, String> {
    let topics = Topics::of(network);
    let both = [topics.blobs, topics.trainers];
    let mut config = ConfigBuilder::default();
    for topic in &both {
        config.max_transmit_size_for_topic(LONGEST, topic.clone());
    }
    let config = config
        .validation_mode(ValidationMode::Strict)
        .validate_messages()
        .flood_publish(false)
        .max_transmit_size(READ)
        .max_control_message_size(LONGEST)
        .max_control_messages_sent(IDS)
        .max_publish_messages(32)
        .connection_handler_queue_len(512)
        .publish_queue_duration(LATE)
        .forward_queue_duration(LATE)
        .mesh_n(D)
        .mesh_n_low(D_LOW)
        .mesh_n_high(D_HIGH)
        .mesh_outbound_min(OWN_CHOICE)
        .gossip_lazy(D)
        .heartbeat_initial_delay(Duration::from_secs(1))
        .duplicate_cache_time(Duration::from_secs(120))
        .message_id_fn(id)
        .build()
        .map_err(|error| error.to_string())?;
    let filter = WhitelistSubscriptionFilter(both.iter().cloned().collect::<HashSet<_>>());
    let counting = Counting::default();
    let author = MessageAuthenticity::Signed(keypair.clone());
    let mut inner =
        Gossipsub::new_with_subscription_filter_and_transform(author, config, filter, counting.clone())?;
    inner.with_peer_score(scores(&both), thresholds())?;
    for topic in both {
        let topic = IdentTopic::new(topic.into_string());
        inner.subscribe(&topic).map_err(|error| error.to_string())?;
    }
    Ok(Behaviour {
        inner,
        counting,
        reports: common.reports.clone(),
        messages: Allowances::new(MESSAGES),
    })
}

/// The author's number of a message is chosen by gossipsub, anew with each start.
fn id(message: &Message) -> MessageId {
    let mut hasher = blake3::Hasher::new();
    if let Some(author) = message.source {
        hasher.update(&author.to_bytes());
    }
    hasher.update(&message.sequence_number.unwrap_or_default().to_le_bytes());
    let mut id = [0; 16];
    hasher.finalize_xof().fill(&mut id);
    MessageId::new(&id)
}

/// What counts: news, wrong messages, standing (`super::standing`), broken promises. How much a peer should pass on (P3) doesn't: in a
/// quiet network it is nothing.
fn scores(topics: &[TopicHash]) -> PeerScoreParams {
    let topic = TopicScoreParams {
        topic_weight: 1.0,
        time_in_mesh_weight: 0.01,
        time_in_mesh_quantum: Duration::from_secs(1),
        time_in_mesh_cap: 300.0,
        first_message_deliveries_weight: 0.5,
        first_message_deliveries_decay: 0.98,
        first_message_deliveries_cap: 10.0,
        mesh_message_deliveries_weight: 0.0,
        mesh_failure_penalty_weight: 0.0,
        // Squared: it is heard no more after the fifth, which bans it (`manager::score`). Were it unheard before, nothing would.
        invalid_message_deliveries_weight: -5.0,
        invalid_message_deliveries_decay: 0.995,
        ..TopicScoreParams::default()
    };
    PeerScoreParams {
        topics: topics.iter().map(|hash| (hash.clone(), topic.clone())).collect(),
        topic_score_cap: 10.0,
        app_specific_weight: 1.0,
        // See `standing`.
        ip_colocation_factor_weight: 0.0,
        behaviour_penalty_weight: -5.0,
        behaviour_penalty_threshold: 4.0,
        behaviour_penalty_decay: 0.95,
        retain_score: Duration::from_secs(600),
        ..PeerScoreParams::default()
    }
}

fn thresholds() -> PeerScoreThresholds {
    PeerScoreThresholds {
        gossip_threshold: -20.0,
        publish_threshold: -50.0,
        graylist_threshold: -100.0,
        // Nobody is believed about others.
        accept_px_threshold: 1000.0,
        opportunistic_graft_threshold: 2.0,
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Unkept<<Gossipsub as NetworkBehaviour>::ConnectionHandler>;
    type ToSwarm = gossipsub::Event;

    fn handle_pending_inbound_connection(
        &mut self,
        id: ConnectionId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.inner.handle_pending_inbound_connection(id, local, remote)
    }

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner
            .handle_established_inbound_connection(id, peer, local, remote)
            .map(Unkept)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: Option<PeerId>,
        addresses: &[Multiaddr],
        role: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        self.inner
            .handle_pending_outbound_connection(id, peer, addresses, role)
    }

    fn handle_established_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner
            .handle_established_outbound_connection(id, peer, address, role, port)
            .map(Unkept)
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        self.inner.on_swarm_event(event);
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, id: ConnectionId, event: THandlerOutEvent<Self>) {
        // What else happens on a connection is nothing that the peer sent.
        let sent = matches!(event, HandlerEvent::Message { .. });
        if sent && !self.messages.take(peer, Instant::now()) {
            self.reports.fault(peer, Fault::Flood);
        } else {
            self.inner.on_connection_handler_event(peer, id, event);
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        self.inner.poll(cx)
    }
}
