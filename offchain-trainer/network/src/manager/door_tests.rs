use super::*;
use futures::StreamExt;
use libp2p::{
    Swarm, SwarmBuilder, noise,
    swarm::{
        DialError, SwarmEvent,
        dial_opts::{DialOpts, PeerCondition},
    },
    tcp, yamux,
};
use std::time::Duration;

const IDLE: Duration = Duration::from_millis(300);
const PATIENCE: Duration = Duration::from_secs(30);

async fn swarm() -> (Swarm<Door>, Multiaddr) {
    let mut swarm = SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
        .unwrap()
        .with_behaviour(|_| Door::default())
        .unwrap()
        .with_swarm_config(|config| config.with_idle_connection_timeout(IDLE))
        .build();
    swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse().unwrap()).unwrap();
    loop {
        if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
            return (swarm, address);
        }
    }
}

type Event = SwarmEvent<Infallible>;

/// Runs both until the first has said something that is looked for.
async fn until<T>(a: &mut Swarm<Door>, b: &mut Swarm<Door>, mut wanted: impl FnMut(Event) -> Option<T>) -> T {
    let run = async {
        loop {
            tokio::select! {
                event = a.select_next_some() => if let Some(found) = wanted(event) {
                    return found;
                },
                _ = b.select_next_some() => {}
            }
        }
    };
    tokio::time::timeout(PATIENCE, run)
        .await
        .expect("it didn't happen")
}

fn dial(from: &mut Swarm<Door>, to: &Swarm<Door>, address: &Multiaddr) -> Result<(), DialError> {
    let options = DialOpts::peer_id(*to.local_peer_id())
        // It may not have seen yet that a connection was closed.
        .condition(PeerCondition::Always)
        .addresses(vec![address.clone()]);
    from.dial(options.build())
}

fn connected(event: Event) -> Option<()> {
    matches!(event, SwarmEvent::ConnectionEstablished { .. }).then_some(())
}

fn closed(event: Event) -> Option<()> {
    matches!(event, SwarmEvent::ConnectionClosed { .. }).then_some(())
}

#[tokio::test]
async fn a_banned_peer_is_sent_away_and_refused_in_both_directions_until_its_ban_is_over() {
    let ((mut a, at_a), (mut b, at_b)) = (swarm().await, swarm().await);
    let other = *b.local_peer_id();
    a.behaviour_mut().keep(BTreeSet::from([other]));
    dial(&mut b, &a, &at_a).unwrap();
    until(&mut a, &mut b, connected).await;
    let sentence = a.behaviour_mut().ban(other, None, Instant::now()).unwrap();
    until(&mut a, &mut b, closed).await;
    assert!(matches!(dial(&mut a, &b, &at_b), Err(DialError::Denied { .. })));
    dial(&mut b, &a, &at_a).unwrap();
    until(&mut a, &mut b, |event| match event {
        SwarmEvent::IncomingConnectionError { .. } => Some(()),
        SwarmEvent::ConnectionEstablished { .. } => panic!("it was let in"),
        _ => None,
    })
    .await;
    // The next ban would be longer, and this one ends.
    assert!(a.behaviour().is_banned(&other, Instant::now()));
    assert!(!a.behaviour().is_banned(&other, Instant::now() + sentence.lasts));
}

#[tokio::test]
async fn a_connection_lives_for_as_long_as_it_is_kept_on_both_sides() {
    let ((mut a, at_a), (mut b, _)) = (swarm().await, swarm().await);
    let [first, second] = [*a.local_peer_id(), *b.local_peer_id()];
    // One is kept from the beginning, the other from when it is there.
    b.behaviour_mut().keep(BTreeSet::from([first]));
    dial(&mut b, &a, &at_a).unwrap();
    until(&mut a, &mut b, connected).await;
    a.behaviour_mut().keep(BTreeSet::from([second]));
    let idle = until(&mut a, &mut b, closed);
    let idle = tokio::time::timeout(4 * IDLE, idle).await;
    assert!(idle.is_err(), "it ended though it is kept");
    a.behaviour_mut().keep(BTreeSet::new());
    until(&mut a, &mut b, closed).await;
    assert!(a.behaviour().connections.is_empty());
}

#[tokio::test]
async fn a_banned_address_is_refused_before_it_has_said_who_it_is() {
    let mut door = Door::default();
    let address = |text: &str| -> Multiaddr { text.parse().unwrap() };
    let (here, there) = (address("/ip4/10.0.0.1/tcp/1"), address("/ip4/192.0.2.1/tcp/9"));
    let id = ConnectionId::new_unchecked(1);
    let origin = Origin::of(&there);
    for _ in 0..6 {
        assert!(door.handle_pending_inbound_connection(id, &here, &there).is_ok());
        door.ban(PeerId::random(), origin, Instant::now()).unwrap();
    }
    assert!(door.handle_pending_inbound_connection(id, &here, &there).is_err());
    let other = address("/ip4/192.0.2.2/tcp/9");
    assert!(door.handle_pending_inbound_connection(id, &here, &other).is_ok());
    // Through a relay at that address others come, too.
    let relay = address("/ip4/192.0.2.1/tcp/9/p2p-circuit");
    assert!(door.handle_pending_inbound_connection(id, &relay, &there).is_ok());
}
