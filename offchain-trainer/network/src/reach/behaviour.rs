//! What reachability has in the swarm.

use crate::{
    common::Common,
    config::NetworkConfig,
    house::Outside,
    reach::{
        announcer::Announcer, answerer::Answerer, circuits::Circuits, prober::Prober, puncher::Puncher,
        server,
    },
};
use libp2p::{
    relay,
    swarm::{NetworkBehaviour, behaviour::toggle::Toggle},
};

/// The library's protocols, each as far as it is switched on.
#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    pub(super) announcer: Announcer,
    pub(super) prober: Toggle<Prober>,
    pub(super) answerer: Toggle<Answerer>,
    pub(super) relay: Toggle<relay::Behaviour>,
    pub(super) circuits: Toggle<Circuits>,
    pub(super) puncher: Toggle<Puncher>,
}

impl Behaviour {
    /// Made before there is a swarm; `circuits` is what the transport leaves for those who use relays.
    pub(crate) fn new(
        config: &NetworkConfig,
        common: &Common,
        circuits: Option<relay::client::Behaviour>,
    ) -> Self {
        let reach = &config.reach;
        let outside = Outside::new(reach.internet, common.house.clone());
        Self {
            announcer: Announcer::default(),
            prober: reach.autonat.then(|| Prober::new(outside.clone())).into(),
            answerer: reach.autonat.then(|| Answerer::new(outside.clone())).into(),
            relay: reach
                .relay_server
                .then(|| server::relay(common.local, &common.members))
                .into(),
            // Without relayed connections there is nothing to get away from.
            puncher: (reach.dcutr && circuits.is_some())
                .then(|| Puncher::new(common.local, outside))
                .into(),
            circuits: circuits.map(Circuits).into(),
        }
    }
}
