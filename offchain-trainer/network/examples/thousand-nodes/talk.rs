//! What the nodes are doing, while they do it.

use super::{load::busy, memory_ip::Hub};
use hydra_network::{NetworkHandle, PeerId, discovery::Begun, manager::Slot};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Says again and again what the honest nodes search for, and how busy the computer is with all of them.
pub async fn talk(nodes: Arc<Mutex<Vec<NetworkHandle>>>, hub: Hub, slower: u32, began: Instant) {
    const EACH: Duration = Duration::from_secs(20);
    let mut before = (HashMap::<PeerId, Begun>::new(), busy(), hub.connections());
    loop {
        tokio::time::sleep(EACH).await;
        let nodes = nodes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let now = (
            nodes
                .iter()
                .map(|net| (net.local_peer_id(), net.discovery().begun))
                .collect::<HashMap<_, _>>(),
            busy(),
            hub.connections(),
        );
        let sum = |what: fn(&Begun) -> u64| {
            let all = |begun: &HashMap<_, Begun>| begun.values().map(what).sum::<u64>();
            all(&now.0) - all(&before.0)
        };
        let connected: Vec<Slot> = nodes
            .iter()
            .flat_map(|net| net.peers().into_iter().map(|peer| peer.slot))
            .collect();
        let visits = connected.iter().filter(|slot| **slot == Slot::None).count();
        let chosen = connected
            .iter()
            .filter(|slot| matches!(slot, Slot::LongTerm | Slot::Exploratory));
        let ended = now.2.ended - before.2.ended;
        let lasted = (now.2.lasted - before.2.lasted).as_secs_f64() / (ended as f64).max(1.0);
        let table: usize = nodes.iter().map(|net| net.discovery().table).sum();
        eprintln!(
            "{} s: {} honest nodes, {} peers, {} of them chosen, {visits} without a slot, {table} in tables; in {} s {} connections made, \
             {ended} ended after {lasted:.1} s, {:.0} % busy; peers {} asked for, {} wanted, {} members; searches {} for records, {} for \
             ways, {} walks, {} refreshes, {} tellings, {} for blobs",
            began.elapsed().as_secs(),
            nodes.len(),
            connected.len(),
            chosen.count(),
            EACH.as_secs(),
            now.2.made - before.2.made,
            100.0 * (now.1 - before.1) / EACH.as_secs_f64() / f64::from(slower),
            sum(|begun| begun.asked),
            sum(|begun| begun.wanted),
            sum(|begun| begun.members),
            sum(|begun| begun.records),
            sum(|begun| begun.ways),
            sum(|begun| begun.walks),
            sum(|begun| begun.refreshes),
            sum(|begun| begun.told),
            sum(|begun| begun.blobs),
        );
        before = now;
    }
}
