//! Announcements: how far they come, and which don't.

use crate::common::{Node, PATIENCE, absent, config, node, start};
use codec::Encode;
use futures::StreamExt;
use hydra_network::{
    Keypair, Member, NetworkConfig, PeerId,
    gossip::{Announcement, GossipCounts, Have, Heard},
};
use libp2p::{
    Swarm, SwarmBuilder,
    gossipsub::{self, IdentTopic, MessageAuthenticity},
    noise,
    swarm::SwarmEvent,
    tcp, yamux,
};
use std::time::Duration;
use tokio::sync::broadcast::Receiver;

/// `a` and `c` know `b` only.
async fn line() -> (Node, Node, Node) {
    let (a, b, c) = (node().await, lenient().await, node().await);
    a.connect(&b).await;
    c.connect(&b).await;
    (a, b, c)
}

/// One that looks at everything that a stranger says, however much of it is wrong.
async fn lenient() -> Node {
    start(NetworkConfig {
        manager: hydra_network::manager::Config {
            bans: false,
            ..hydra_network::manager::Config::default()
        },
        ..config()
    })
    .await
}

/// Announces until it is heard: who passes things on to whom takes some seconds to settle.
async fn heard(from: &Node, announcement: Announcement, ears: &mut Receiver<Heard>) -> Heard {
    let heard = async {
        loop {
            from.net.announce(announcement).await;
            if let Ok(Ok(heard)) = tokio::time::timeout(Duration::from_millis(500), ears.recv()).await {
                return heard;
            }
        }
    };
    tokio::time::timeout(PATIENCE, heard).await.unwrap()
}

async fn until(node: &Node, wanted: impl Fn(&GossipCounts) -> bool) -> GossipCounts {
    let seen = async {
        loop {
            let counts = node.net.gossip_counts().await;
            if wanted(&counts) {
                return counts;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    match tokio::time::timeout(PATIENCE, seen).await {
        Ok(counts) => counts,
        Err(_) => panic!("not as wanted: {:?}", node.net.gossip_counts().await),
    }
}

#[tokio::test]
async fn an_announcement_reaches_those_who_know_only_others() {
    let (a, b, c) = line().await;
    let mut ears = c.net.announcements();
    let announcement = Announcement::NewBlob {
        hash: absent(),
        size: 5 << 20,
        have: Have::Whole,
    };
    let first = heard(&a, announcement, &mut ears).await;
    assert_eq!(
        (first.author, first.via, first.announcement),
        (a.id(), b.id(), announcement)
    );
    let second = heard(&a, Announcement::Going, &mut ears).await;
    assert!(second.sequence > first.sequence);
}

#[tokio::test]
async fn an_announcement_waits_for_somebody_to_hear_it() {
    let (a, b) = (node().await, node().await);
    let mut ears = b.net.announcements();
    a.net.announce(Announcement::Coming).await;
    a.connect(&b).await;
    let heard = tokio::time::timeout(PATIENCE, ears.recv())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((heard.author, heard.announcement), (a.id(), Announcement::Coming));
}

/// Somebody who announces what it likes, connected with `node`.
struct Stranger {
    swarm: Swarm<gossipsub::Behaviour>,
    topic: IdentTopic,
}

impl Stranger {
    async fn meet(node: &Node, keypair: Keypair) -> Self {
        let topic = IdentTopic::new("hydra/hydra/trainers/1");
        let mut swarm = SwarmBuilder::with_existing_identity(keypair)
            .with_tokio()
            .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
            .unwrap()
            .with_behaviour(|keypair| {
                let config = gossipsub::ConfigBuilder::default().build().unwrap();
                let mut gossip =
                    gossipsub::Behaviour::new(MessageAuthenticity::Signed(keypair.clone()), config).unwrap();
                gossip.subscribe(&topic).unwrap();
                gossip
            })
            .unwrap()
            .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::MAX))
            .build();
        swarm.dial(node.address()).unwrap();
        while !matches!(
            swarm.select_next_some().await,
            SwarmEvent::Behaviour(gossipsub::Event::Subscribed { .. })
        ) {}
        Self { swarm, topic }
    }

    fn id(&self) -> PeerId {
        *self.swarm.local_peer_id()
    }

    fn say(&mut self, bytes: Vec<u8>) {
        self.swarm
            .behaviour_mut()
            .publish(self.topic.hash(), bytes)
            .unwrap();
    }

    /// Goes on until what `wanted` waits for has come.
    async fn until<T>(&mut self, wanted: impl Future<Output = T>) -> T {
        tokio::pin!(wanted);
        loop {
            tokio::select! {
                done = &mut wanted => return done,
                _ = self.swarm.select_next_some() => {}
            }
        }
    }
}

/// Version, number, `coming`.
fn coming(sequence: u64) -> Vec<u8> {
    (1u8, sequence, 1u8).encode()
}

#[tokio::test]
async fn what_isnt_an_announcement_goes_no_further() {
    let (a, b, c) = line().await;
    let mut ears = c.net.announcements();
    heard(&a, Announcement::Coming, &mut ears).await;
    let mut stranger = Stranger::meet(&b, Keypair::generate_ed25519()).await;
    // Of a later version, which others may understand; then what nobody can. Who brings such things isn't listened to for long.
    stranger.say(vec![2; 50]);
    let wrong_topic = (1u8, 9u64, 0u8, [0u8; 32], 1u64, 0u8).encode();
    for wrong in [vec![1, 2, 3], vec![1; 1000], wrong_topic] {
        stranger.say(wrong);
    }
    let counts = stranger
        .until(until(&b, |counts| counts.rejected == 3 && counts.ignored == 1))
        .await;
    // What comes after it went the same way, so nothing of it is still under way.
    let before = c.net.gossip_counts().await.copies;
    let heard = heard(&a, Announcement::Going, &mut ears).await;
    assert_eq!(heard.author, a.id());
    let after = c.net.gossip_counts().await;
    assert_eq!(
        (after.rejected, after.ignored),
        (0, 0),
        "{counts:?} {before} {after:?}"
    );
}

#[tokio::test]
async fn who_announces_nonsense_five_times_is_banned() {
    let (a, b) = (node().await, node().await);
    a.connect(&b).await;
    let mut stranger = Stranger::meet(&b, Keypair::generate_ed25519()).await;
    for sequence in 0..5 {
        stranger.say(vec![1, 99, sequence]);
    }
    let banned = async {
        while b.net.banned().await.is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        b.net.banned().await
    };
    let banned = stranger
        .until(tokio::time::timeout(PATIENCE, banned))
        .await
        .unwrap();
    assert_eq!(banned.len(), 1, "{banned:?}");
    assert_ne!(banned[0].peer, a.id());
}

#[tokio::test]
async fn who_isnt_registered_is_heard_by_nobody_and_nobody_is_blamed() {
    let (a, b, c) = line().await;
    let mut ears = c.net.announcements();
    heard(&a, Announcement::Coming, &mut ears).await;
    for node in [&b, &c] {
        node.net.set_members([Member {
            peer: a.id(),
            weight: 1,
        }]);
    }
    let mut stranger = Stranger::meet(&b, Keypair::generate_ed25519()).await;
    stranger.say(coming(1));
    stranger.until(until(&b, |counts| counts.ignored == 1)).await;
    let next = stranger.until(heard(&a, Announcement::Going, &mut ears)).await;
    assert_eq!(next.author, a.id());
    // Now it is registered.
    for node in [&b, &c] {
        node.net.set_members([Member {
            peer: stranger.id(),
            weight: 1,
        }]);
    }
    stranger.say(coming(2));
    let id = stranger.id();
    let arrives = async {
        loop {
            if ears.recv().await.unwrap().author == id {
                return;
            }
        }
    };
    stranger
        .until(tokio::time::timeout(PATIENCE, arrives))
        .await
        .unwrap();
    let counts = c.net.gossip_counts().await;
    assert_eq!((counts.rejected, counts.ignored), (0, 0), "{counts:?}");
}

#[tokio::test]
async fn a_flood_ends_at_the_first_who_gets_it() {
    let (a, b, c) = line().await;
    let mut ears = c.net.announcements();
    heard(&a, Announcement::Coming, &mut ears).await;
    let mut stranger = Stranger::meet(&b, Keypair::generate_ed25519()).await;
    let before = c.net.gossip_counts().await.copies;
    for sequence in 0..400 {
        stranger.say(coming(sequence + 1));
    }
    stranger.until(until(&b, |counts| counts.ignored >= 300)).await;
    let next = stranger.until(heard(&a, Announcement::Going, &mut ears)).await;
    assert!(next.author == a.id() || next.author == stranger.id());
    let passed = c.net.gossip_counts().await.copies - before;
    assert!(passed < 60, "{passed} of 400 were passed on");
}
