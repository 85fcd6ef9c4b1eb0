//! Where tunnels end: connects other PCs' nodes with ours.
//!
//! Whoever may connect to us may ask, so places are few, per peer, per address of the internet and altogether, and those of
//! registered peers are no stranger's to take. The node behind sees connections from 127.0.0.1 that it would otherwise see from outside, no more.

use super::{OwnNode, PATIENCE, pipe::carry, wire::Question, wire::encode_answer};
use crate::{
    allowance::{Allowances, Rate},
    members::Members,
    origin::Origin,
    peers::PeerInfo,
    reports::{Fault, Reports},
    scope::{Scope, is_relayed},
    slots::{Slot, Slots},
};
use futures::{AsyncWriteExt, StreamExt};
use libp2p::{Multiaddr, PeerId, Stream};
use libp2p_stream::IncomingStreams;
use std::{io, net::Ipv4Addr, sync::Arc, time::Duration};
use tokio::{
    net::TcpStream,
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};

/// A place is taken for so long at least.
const PACE: Duration = Duration::from_secs(1);
/// How often a peer may ask, answered or not: more often than an honest entrance does whose node tries again and again.
const QUESTIONS: Rate = Rate {
    each_second: 16.0,
    burst: 256.0,
};

/// How many tunnels end here at a time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places {
    /// Of one peer: its node's, and one that is still closing, or a question.
    pub(crate) per_peer: usize,
    /// Of all peers at one address of the internet.
    pub(crate) per_address: usize,
    /// Of those who are registered, or of all while it isn't known who is.
    pub(crate) registered: usize,
    /// Of all others.
    pub(crate) strangers: usize,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            per_peer: 2,
            per_address: 6,
            registered: 24,
            strangers: 8,
        }
    }
}

/// The end of all tunnels to this PC.
pub(crate) struct Exit {
    carried: watch::Sender<usize>,
    own: watch::Receiver<Option<OwnNode>>,
    peers: watch::Receiver<Vec<PeerInfo>>,
    members: Members,
    registered: Arc<Slots<PeerId, ()>>,
    strangers: Arc<Slots<PeerId, ()>>,
    addresses: Arc<Slots<Origin, ()>>,
}

/// The right to one stream.
struct Place {
    _peer: Slot<PeerId, ()>,
    _address: Option<Slot<Origin, ()>>,
}

impl Exit {
    pub(crate) fn new(
        own: watch::Receiver<Option<OwnNode>>,
        peers: watch::Receiver<Vec<PeerInfo>>,
        members: Members,
        places: Places,
        carried: watch::Sender<usize>,
    ) -> Self {
        let of_peers = |total| Arc::new(Slots::new(places.per_peer, total, || ()));
        Self {
            carried,
            own,
            peers,
            members,
            registered: of_peers(places.registered),
            strangers: of_peers(places.strangers),
            addresses: Arc::new(Slots::new(
                places.per_address,
                places.registered + places.strangers,
                || (),
            )),
        }
    }

    /// Answers and connects until the network is gone. Aborting the task ends all tunnels here.
    pub(crate) async fn serve(self, mut incoming: IncomingStreams, reports: Reports) {
        let mut allowances = Allowances::new(QUESTIONS);
        let mut streams = JoinSet::new();
        loop {
            let (peer, stream) = tokio::select! {
                Some(_) = streams.join_next() => continue,
                next = incoming.next() => match next {
                    Some(next) => next,
                    None => return,
                },
            };
            if !allowances.take(peer, Instant::now()) {
                reports.fault(peer, Fault::Flood);
                continue;
            }
            // Who finds no place sees the stream close, and may ask again later.
            let Some(place) = self.place(peer) else {
                tracing::debug!(%peer, "no place for another tunnel of this peer");
                continue;
            };
            let (own, carried) = (self.own.clone(), self.carried.clone());
            streams.spawn(async move {
                let began = Instant::now();
                let ended = converse(stream, own, &carried).await;
                tracing::debug!(%peer, ?ended, "a tunnel's stream ended");
                // Whoever comes and goes costs the node a handshake each time.
                sleep_until(began + PACE).await;
                drop(place);
            });
        }
    }

    fn place(&self, peer: PeerId) -> Option<Place> {
        let is_known = self.members.know_none() || self.members.contains(&peer);
        let places = if is_known {
            &self.registered
        } else {
            &self.strangers
        };
        let of_peer = Slots::take(places, peer)?;
        let origin = {
            let peers = self.peers.borrow();
            // Who has gone already, or isn't shown yet, is at no address that could be counted.
            origin(&peers.iter().find(|info| info.peer_id == peer)?.address)
        };
        let of_address = match origin {
            Some(origin) => Some(Slots::take(&self.addresses, origin)?),
            None => None,
        };
        Some(Place {
            _peer: of_peer,
            _address: of_address,
        })
    }
}

/// Of an address of the internet: who is near, or came through a relay, doesn't answer for others there.
fn origin(address: &Multiaddr) -> Option<Origin> {
    let counts = !is_relayed(address) && Scope::of(address) == Some(Scope::Public);
    counts.then(|| Origin::of(address)).flatten()
}

/// Counts as long as it is there.
struct Carrying<'a>(&'a watch::Sender<usize>);

impl<'a> Carrying<'a> {
    fn begin(carried: &'a watch::Sender<usize>) -> Self {
        carried.send_modify(|count| *count += 1);
        Self(carried)
    }
}

impl Drop for Carrying<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}

async fn converse(
    mut stream: Stream,
    own: watch::Receiver<Option<OwnNode>>,
    carried: &watch::Sender<usize>,
) -> io::Result<()> {
    let opening = async {
        let question = Question::read(&mut stream).await?;
        let own = *own.borrow();
        let socket = match (question, own) {
            (Question::Connect, Some(own)) => TcpStream::connect((Ipv4Addr::LOCALHOST, own.port)).await.ok(),
            _ => None,
        };
        // A node that doesn't answer is none.
        let there = own.filter(|_| question == Question::Who || socket.is_some());
        let answer = encode_answer(there.as_ref().map(|own| &own.peer));
        stream.write_all(&answer).await?;
        stream.flush().await?;
        Ok::<_, io::Error>(socket)
    };
    let opened = timeout(PATIENCE, opening).await;
    match opened.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))? {
        Some(socket) => {
            let _counted = Carrying::begin(carried);
            carry(socket, stream).await.map(|_| ())
        }
        None => timeout(PATIENCE, stream.close())
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Member, peers::Carrier, reach::Path};

    fn exit(members: &Members, at: &[(PeerId, &str)]) -> Exit {
        let peers = at.iter().map(|(peer, address)| PeerInfo {
            peer_id: *peer,
            address: address.parse().unwrap(),
            latency: None,
            agent: None,
            path: Path::Direct,
            carrier: Carrier::Tcp,
            slot: crate::manager::Slot::None,
        });
        let places = Places {
            per_peer: 2,
            per_address: 3,
            registered: 4,
            strangers: 4,
        };
        let peers = watch::channel(peers.collect()).1;
        let (own, carried) = (watch::channel(None).1, watch::channel(0).0);
        Exit::new(own, peers, members.clone(), places, carried)
    }

    #[test]
    fn strangers_take_no_place_of_those_who_are_registered() {
        let [registered, ..] = [(); 3].map(|()| PeerId::random());
        let members = Members::default();
        members.set([Member {
            peer: registered,
            weight: 1,
        }]);
        let strangers: Vec<PeerId> = (0..10).map(|_| PeerId::random()).collect();
        let near = "/ip4/192.168.1.7/tcp/1";
        let all: Vec<_> = strangers
            .iter()
            .chain([&registered])
            .map(|peer| (*peer, near))
            .collect();
        let exit = exit(&members, &all);
        let places: Vec<_> = strangers.iter().filter_map(|peer| exit.place(*peer)).collect();
        assert_eq!(places.len(), 4);
        let places = [(); 3].map(|()| exit.place(registered));
        assert_eq!(places.map(|place| place.is_some()), [true, true, false]);
    }

    #[test]
    fn who_is_not_connected_gets_no_place() {
        let (here, gone) = (PeerId::random(), PeerId::random());
        let exit = exit(&Members::default(), &[(here, "/ip4/203.0.113.7/tcp/1")]);
        assert!(exit.place(here).is_some());
        assert!(exit.place(gone).is_none());
    }

    #[test]
    fn an_address_of_the_internet_has_few_whoever_is_there() {
        let peers: Vec<PeerId> = (0..8).map(|_| PeerId::random()).collect();
        let count = |address: &str| {
            let at: Vec<_> = peers.iter().map(|peer| (*peer, address)).collect();
            let exit = exit(&Members::default(), &at);
            let places: Vec<_> = peers.iter().filter_map(|peer| exit.place(*peer)).collect();
            places.len()
        };
        assert_eq!(count("/ip4/203.0.113.7/tcp/1"), 3);
        assert_eq!(count("/ip4/192.168.1.7/tcp/1"), 4);
        let relayed = format!("/ip4/203.0.113.7/tcp/1/p2p/{}/p2p-circuit", PeerId::random());
        assert_eq!(count(&relayed), 4, "the relay's address is not theirs");
    }
}
