//! The peer manager: who is dialled, who has a slot, who is shown the door.
//!
//! Must never let strangers take what peers with a slot need.

use crate::{
    behaviour::{Behaviour as Swarmed, BehaviourEvent},
    common::Common,
    config::NetworkConfig,
    handle::NetworkHandle,
    members::{Member, Members},
    reports::Report,
};
use libp2p::{
    PeerId, Swarm,
    identity::Keypair,
    swarm::{SwarmEvent, dummy},
};
use std::time::Duration;
use tokio::time::Instant;

/// How it is started.
#[derive(Debug, Clone)]
pub struct Config {
    /// After so long without a stream a connection ends.
    pub idle: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self { idle: Duration::MAX }
    }
}

/// What handles ask of it.
pub(crate) enum Command {}

/// What it shows to handles.
#[derive(Clone)]
pub(crate) struct View {
    members: Members,
}

impl NetworkHandle {
    /// Says who is registered on the chain.
    pub fn set_members(&self, members: impl IntoIterator<Item = Member>) {
        self.views().manager.members.set(members);
    }
}

/// What a peer is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    /// One of those we stay with.
    LongTerm,
    /// One of those we try out, to find better ones.
    Exploratory,
    /// It came to us and may stay.
    Inbound,
    /// It is here for as long as something moves.
    None,
}

/// The part in the swarm.
pub(crate) type Behaviour = dummy::Behaviour;

/// The part beside the swarm.
pub(crate) struct Manager {
    #[expect(dead_code)]
    common: Common,
}

/// The part in the swarm, made before there is one.
pub(crate) fn behaviour(_config: &NetworkConfig, _keypair: &Keypair, _common: &Common) -> Behaviour {
    dummy::Behaviour
}

impl Manager {
    pub(crate) fn new(_config: &NetworkConfig, common: Common, _now: Instant) -> (Self, View) {
        let members = common.members.clone();
        (Self { common }, View { members })
    }

    /// Looks at everything that happens in the swarm. Returns whether what is shown of peers may have changed.
    pub(crate) fn on_event(
        &mut self,
        _swarm: &mut Swarm<Swarmed>,
        _event: &SwarmEvent<BehaviourEvent>,
    ) -> bool {
        false
    }

    /// Hears what another part says of a peer. Returns as [`on_event`](Self::on_event).
    pub(crate) fn on_report(&mut self, _swarm: &mut Swarm<Swarmed>, _peer: PeerId, _report: Report) -> bool {
        false
    }

    /// How the peer stands with us, for what is shown of peers.
    pub(crate) fn slot(&self, _peer: &PeerId) -> Slot {
        Slot::None
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
