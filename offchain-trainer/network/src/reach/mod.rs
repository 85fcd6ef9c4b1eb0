//! How others reach this PC, and how it reaches them: port mapping, AutoNAT, relays, hole punching.
//!
//! Must never claim an address that nobody has confirmed.

use crate::{
    behaviour::{Behaviour as Swarmed, BehaviourEvent},
    common::Common,
    config::NetworkConfig,
    scope::is_relayed,
};
use libp2p::{
    Multiaddr, PeerId, Swarm,
    identity::Keypair,
    relay,
    swarm::{SwarmEvent, dummy},
};
use tokio::time::Instant;

/// How it is started.
#[derive(Debug, Clone, Default)]
pub struct Config {}

/// What handles ask of it.
pub(crate) enum Command {}

/// What it shows to handles.
#[derive(Clone)]
pub(crate) struct View {}

/// How a connection came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Path {
    /// From one PC to the other.
    Direct,
    /// From one PC to the other, after a relay had introduced them.
    Punched,
    /// Through a relay.
    Relayed,
}

/// The part in the swarm.
pub(crate) type Behaviour = dummy::Behaviour;

/// The part beside the swarm.
pub(crate) struct Reach {
    #[expect(dead_code)]
    common: Common,
}

/// The part in the swarm, made before there is one.
pub(crate) fn behaviour(
    _config: &NetworkConfig,
    _keypair: &Keypair,
    _common: &Common,
    _relay: Option<relay::client::Behaviour>,
) -> Behaviour {
    dummy::Behaviour
}

impl Reach {
    pub(crate) fn new(_config: &NetworkConfig, common: Common, _now: Instant) -> (Self, View) {
        (Self { common }, View {})
    }

    /// Looks at everything that happens in the swarm. Returns whether what is shown of peers may have changed.
    pub(crate) fn on_event(
        &mut self,
        _swarm: &mut Swarm<Swarmed>,
        _event: &SwarmEvent<BehaviourEvent>,
    ) -> bool {
        false
    }

    /// How a connection with this peer came about that leads to this address.
    pub(crate) fn path(&self, _peer: &PeerId, address: &Multiaddr) -> Path {
        if is_relayed(address) {
            Path::Relayed
        } else {
            Path::Direct
        }
    }

    /// Does what a handle asks for.
    pub(crate) fn on_command(&mut self, _swarm: &mut Swarm<Swarmed>, command: Command) {
        match command {}
    }

    /// When [`tick`](Self::tick) is to be called, if nothing happens before.
    pub(crate) fn due(&self) -> Option<Instant> {
        None
    }

    /// Does what has become due by `now`. Returns as [`on_event`](Self::on_event).
    pub(crate) fn tick(&mut self, _swarm: &mut Swarm<Swarmed>, _now: Instant) -> bool {
        false
    }
}
