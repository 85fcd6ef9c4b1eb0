//! Announcements: who has new blobs, who comes, goes or pauses.
//!
//! It speeds things up; nothing may depend on it.

use crate::{
    behaviour::{Behaviour as Swarmed, BehaviourEvent},
    common::Common,
    config::NetworkConfig,
};
use libp2p::{
    Swarm,
    identity::Keypair,
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

/// The part in the swarm.
pub(crate) type Behaviour = dummy::Behaviour;

/// The part beside the swarm.
pub(crate) struct Gossip {
    #[expect(dead_code)]
    common: Common,
}

/// The part in the swarm, made before there is one.
pub(crate) fn behaviour(_config: &NetworkConfig, _keypair: &Keypair, _common: &Common) -> Behaviour {
    dummy::Behaviour
}

impl Gossip {
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
