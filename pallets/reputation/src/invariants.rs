//! What is true of this pallet's state after every block.

use frame_support::pallet_prelude::*;
use hydra_primitives::{model::MAX_SIZE_CLASS, traits::Sessions as _};

use crate::{Config, Nodes, Pallet, PeerIds};

impl<T: Config> Pallet<T> {
    /// The pallet's invariants, each with its name.
    pub fn do_try_state() -> Result<(), &'static str> {
        ensure!(
            Nodes::<T>::count() <= T::MaxNodes::get(),
            "reputation: more nodes than MaxNodes"
        );
        let nodes = Nodes::<T>::iter().count();
        ensure!(
            u32::try_from(nodes) == Ok(Nodes::<T>::count()),
            "reputation: as many nodes as are counted"
        );
        ensure!(
            PeerIds::<T>::iter().count() == nodes,
            "reputation: as many PeerIds as nodes"
        );
        let session = T::Sessions::current();
        for (who, node) in Nodes::<T>::iter() {
            ensure!(
                PeerIds::<T>::get(&node.peer_id) == Some(who),
                "reputation: every node's PeerId leads back to it"
            );
            ensure!(
                node.room > 0 && node.size_class <= MAX_SIZE_CLASS,
                "reputation: every node has room for something"
            );
            ensure!(
                node.joined <= session
                    && node.heartbeat.is_none_or(|heartbeat| heartbeat <= session)
                    && node.absences.is_none_or(|(of, _)| of <= session),
                "reputation: nothing of a node is in the future"
            );
            ensure!(
                node.since <= node.heartbeat.unwrap_or(node.joined).saturating_add(1),
                "reputation: a node stands in electorates from the first one on to the last"
            );
            ensure!(
                node.out_until <= session.saturating_add(2),
                "reputation: no node is out for longer than both electorates know it"
            );
            ensure!(
                !node.away || node.absences.is_some(),
                "reputation: whoever is away missed something"
            );
            ensure!(
                node.away_until <= Self::now().saturating_add(T::Sessions::blocks()),
                "reputation: nobody is kept away for longer than a session"
            );
            ensure!(
                node.returned_at <= Self::now(),
                "reputation: nobody came back in the future"
            );
        }
        Ok(())
    }
}
