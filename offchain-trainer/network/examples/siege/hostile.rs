//! A hostile peer's connection: what libp2p offers, without any of our rules.

use crate::{Outcome, besieged::NETWORK};
use futures::StreamExt;
use hydra_network::{Keypair, Multiaddr, PeerId};
use libp2p::{
    StreamProtocol, Swarm, SwarmBuilder,
    gossipsub::{self, IdentTopic, MessageAuthenticity},
    identify,
    kad::{self, store::MemoryStore},
    noise,
    swarm::{
        NetworkBehaviour, SwarmEvent,
        dial_opts::{DialOpts, PeerCondition},
    },
    tcp, yamux,
};
use std::time::Duration;
use tokio::time::timeout;

/// Where hostile ones are.
const AT: &str = "/ip4/127.0.0.1/tcp/0";

#[derive(NetworkBehaviour)]
pub struct Behaviour {
    pub streams: libp2p_stream::Behaviour,
    pub identify: identify::Behaviour,
    pub kad: kad::Behaviour<MemoryStore>,
    pub gossip: gossipsub::Behaviour,
}

pub type Hostile = Swarm<Behaviour>;

/// What Kademlia is called among the besieged.
pub fn kademlia_protocol() -> Outcome<StreamProtocol> {
    Ok(StreamProtocol::try_from_owned(format!("/hydra/{NETWORK}/kad/1"))?)
}

pub fn trainers() -> IdentTopic {
    IdentTopic::new(format!("hydra/{NETWORK}/trainers/1"))
}

/// A new one, which listens.
pub async fn hostile(keypair: Keypair) -> Outcome<Hostile> {
    let gossip = gossipsub::ConfigBuilder::default()
        .max_transmit_size(4096)
        .flood_publish(true)
        .build()?;
    let author = MessageAuthenticity::Signed(keypair.clone());
    let mut gossip: gossipsub::Behaviour = gossipsub::Behaviour::new(author, gossip)?;
    gossip.subscribe(&trainers())?;
    let id = keypair.public().to_peer_id();
    let mut kad =
        kad::Behaviour::with_config(id, MemoryStore::new(id), kad::Config::new(kademlia_protocol()?));
    kad.set_mode(Some(kad::Mode::Server));
    let identify = identify::Config::new("/hydra/1".into(), keypair.public());
    let behaviour = Behaviour {
        streams: libp2p_stream::Behaviour::new(),
        identify: identify::Behaviour::new(identify),
        kad,
        gossip,
    };
    let mut swarm = SwarmBuilder::with_existing_identity(keypair)
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)?
        .with_behaviour(|_| behaviour)?
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::MAX))
        .build();
    swarm.listen_on(AT.parse()?)?;
    while !matches!(swarm.select_next_some().await, SwarmEvent::NewListenAddr { .. }) {}
    Ok(swarm)
}

/// Whether it gets in. What becomes of connections with others, whom it is told of there, doesn't matter.
pub async fn gets_in(swarm: &mut Hostile, peer: PeerId, address: &Multiaddr) -> bool {
    let dial = DialOpts::peer_id(peer)
        .condition(PeerCondition::Always)
        .addresses(vec![address.clone()])
        .build();
    let dialled = dial.connection_id();
    if swarm.dial(dial).is_err() {
        return false;
    }
    let outcome = async {
        loop {
            match swarm.select_next_some().await {
                SwarmEvent::ConnectionEstablished { connection_id, .. } if connection_id == dialled => {
                    return true;
                }
                SwarmEvent::OutgoingConnectionError { connection_id, .. } if connection_id == dialled => {
                    return false;
                }
                _ => {}
            }
        }
    };
    timeout(Duration::from_secs(5), outcome).await.unwrap_or(false)
}

/// Whether it gets in and may stay for a moment: who is banned sees its connection close at once.
pub async fn may_stay(swarm: &mut Hostile, peer: PeerId, address: &Multiaddr) -> bool {
    if !gets_in(swarm, peer, address).await {
        return false;
    }
    let closed = async {
        while !matches!(
            swarm.select_next_some().await,
            SwarmEvent::ConnectionClosed {
                peer_id,
                num_established: 0,
                ..
            } if peer_id == peer
        ) {}
    };
    timeout(Duration::from_secs(1), closed).await.is_err()
}
