//! What is seen of the nodes from outside, once they have settled.

use super::{
    draw::Draw,
    figures::{Figures, Honest, Log, Plan, Reach, Slots},
    load::{BUSY, Load},
    memory_ip::address,
};
use hydra_network::{
    PeerId,
    gossip::{Announcement, GossipCounts},
    manager::Slot,
};
use std::{
    collections::{HashMap, HashSet},
    net::Ipv4Addr,
    sync::{Arc, PoisonError},
    time::Duration,
};
use tokio::{sync::Semaphore, task::JoinSet, time::Instant};

/// Look-ups at a time, in all nodes together.
const LOOK_UPS: usize = 8;
/// How long an announcement may take.
const PATIENCE: Duration = Duration::from_secs(15);

pub async fn counts(nodes: &[Honest]) -> Vec<GossipCounts> {
    let mut all = Vec::new();
    for node in nodes {
        all.push(node.net.gossip_counts().await);
    }
    all
}

pub async fn look_up(
    nodes: &[Honest],
    victims: &[PeerId],
    plan: &Plan,
    load: &Load,
    draw: &mut Draw,
    figures: &mut Figures,
) {
    // Each looks, and each is looked for, about as often as the others; victims by some more.
    let mut pairs = Vec::new();
    let offset = |draw: &mut Draw| 1 + usize::try_from(draw.number() % (nodes.len() as u64 - 1)).unwrap_or(0);
    let mut by = offset(draw);
    for at in 0..plan.pairs {
        if at % nodes.len() == 0 {
            by = offset(draw);
        }
        pairs.push((at % nodes.len(), (at + by) % nodes.len()));
    }
    for victim in victims {
        let target = nodes.iter().position(|node| node.peer == *victim).unwrap_or(0);
        for at in (0..nodes.len())
            .step_by((nodes.len() / 20).max(1))
            .filter(|at| *at != target)
        {
            pairs.push((at, target));
        }
    }
    let permits = Arc::new(Semaphore::new(LOOK_UPS));
    let mut running = JoinSet::new();
    for (from, to) in pairs {
        let (Some(from), Some(to)) = (nodes.get(from), nodes.get(to)) else {
            continue;
        };
        let (net, peer, at) = (from.net.clone(), to.peer, to.at);
        let (permits, load) = (permits.clone(), load.clone());
        running.spawn(async move {
            let _permit = permits.acquire().await;
            load.below(BUSY).await;
            let began = Instant::now();
            let record = net.look_up(peer).await;
            (
                peer,
                record.map(|record| record.addresses.contains(&address(at))),
                began.elapsed(),
            )
        });
    }
    let mut times = Vec::new();
    while let Some(ended) = running.join_next().await {
        let Ok((peer, right, time)) = ended else { continue };
        figures.pairs += 1;
        figures.found += usize::from(right == Some(true));
        figures.wrong += usize::from(right == Some(false));
        if victims.contains(&peer) {
            figures.victims.1 += 1;
            figures.victims.0 += usize::from(right == Some(true));
        }
        times.push(time.as_secs_f64());
        if plan.talk && times.len().is_multiple_of(250) {
            eprintln!(
                "{} look-ups, the last in {:.1} s",
                times.len(),
                time.as_secs_f64()
            );
        }
    }
    times.sort_by(f64::total_cmp);
    let at = |part: f64| {
        times
            .get(((times.len() as f64 - 1.0) * part) as usize)
            .copied()
            .unwrap_or(0.0)
    };
    figures.look_up_s = (at(0.5), at(0.99), at(1.0));
}

pub async fn announce(nodes: &[Honest], log: &Log, plan: &Plan, draw: &mut Draw) -> Reach {
    log.lock().unwrap_or_else(PoisonError::into_inner).clear();
    let copies_before: u64 = counts(nodes).await.iter().map(|counts| counts.copies).sum();
    let pause = Duration::from_secs_f64(1.0 / plan.rate);
    let mut next = Instant::now();
    for at in 0..plan.announcements {
        if let Some(node) = draw.one_of(nodes) {
            node.net
                .announce(Announcement::Pausing { paused: at % 2 == 0 })
                .await;
        }
        next += pause;
        tokio::time::sleep_until(next).await;
    }
    // Until all have heard all, or no longer.
    let honest: HashSet<PeerId> = nodes.iter().map(|node| node.peer).collect();
    let until = Instant::now() + PATIENCE;
    loop {
        let done = {
            let log = log.lock().unwrap_or_else(PoisonError::into_inner);
            let all = log.iter().filter(|((author, _), _)| honest.contains(author));
            let full = all.filter(|(_, heard)| heard.len() + 1 >= nodes.len());
            full.count() >= plan.announcements
        };
        if done || Instant::now() >= until {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let copies: u64 = counts(nodes)
        .await
        .iter()
        .map(|counts| counts.copies)
        .sum::<u64>()
        - copies_before;
    let log = log.lock().unwrap_or_else(PoisonError::into_inner);
    let mut reach = Reach {
        announcements: plan.announcements,
        worst: 1.0,
        ..Reach::default()
    };
    let (mut heard, mut near) = (0, 0);
    let others = (nodes.len() - 1) as f64;
    for ((author, _), by) in log.iter().filter(|((author, _), _)| honest.contains(author)) {
        heard += by.len();
        reach.worst = reach.worst.min(by.len() as f64 / others);
        for node in by.keys() {
            // Hostile ones pass on, too; what they did before isn't seen, and counts as one hop.
            let hops = hops(node, author, by);
            near += usize::from(hops <= 8);
            *reach.hops.entry(hops).or_default() += 1;
        }
    }
    let all = plan.announcements as f64 * others;
    reach.heard = heard as f64 / all;
    reach.within_8 = near as f64 / all;
    if log.keys().filter(|(author, _)| honest.contains(author)).count() < plan.announcements {
        reach.worst = 0.0;
    }
    reach.copies = copies as f64 / (heard as f64).max(1.0);
    reach
}

fn hops(node: &PeerId, author: &PeerId, by: &HashMap<PeerId, PeerId>) -> usize {
    let (mut hops, mut at) = (0, node);
    while at != author && hops < 100 {
        hops += 1;
        match by.get(at) {
            Some(via) => at = via,
            // The author is the next one of somebody unseen.
            None => break,
        }
    }
    hops
}

pub fn slots(nodes: &[Honest]) -> Slots {
    let honest: HashSet<PeerId> = nodes.iter().map(|node| node.peer).collect();
    let mut slots = Slots {
        different_16: 1.0,
        ..Slots::default()
    };
    let (mut counts, mut chosen, mut hostile) = (Vec::new(), 0usize, 0usize);
    for node in nodes {
        let with_slot: Vec<_> = node
            .net
            .peers()
            .into_iter()
            .filter(|peer| peer.slot != Slot::None)
            .collect();
        let mut addresses: HashMap<Ipv4Addr, usize> = HashMap::new();
        let mut neighbourhoods: HashMap<u32, usize> = HashMap::new();
        let mut wide: HashSet<u32> = HashSet::new();
        for peer in &with_slot {
            if matches!(peer.slot, Slot::LongTerm | Slot::Exploratory) {
                chosen += 1;
                hostile += usize::from(!honest.contains(&peer.peer_id));
            }
            if let Some(libp2p::multiaddr::Protocol::Ip4(ip)) = peer.address.iter().next() {
                *addresses.entry(ip).or_default() += 1;
                *neighbourhoods.entry(u32::from(ip) >> 8).or_default() += 1;
                wide.insert(u32::from(ip) >> 16);
            }
        }
        counts.push(with_slot.len());
        slots.one_address = slots
            .one_address
            .max(addresses.values().copied().max().unwrap_or(0));
        slots.one_neighbourhood = slots
            .one_neighbourhood
            .max(neighbourhoods.values().copied().max().unwrap_or(0));
        if !with_slot.is_empty() {
            slots.different_16 = slots.different_16.min(wide.len() as f64 / with_slot.len() as f64);
        }
    }
    counts.sort_unstable();
    slots.count = (
        counts.first().copied().unwrap_or(0),
        middle(&counts),
        counts.last().copied().unwrap_or(0),
    );
    slots.hostile_chosen = hostile as f64 / (chosen as f64).max(1.0);
    slots
}

pub fn middle(sorted: &[usize]) -> usize {
    sorted.get(sorted.len() / 2).copied().unwrap_or(0)
}
