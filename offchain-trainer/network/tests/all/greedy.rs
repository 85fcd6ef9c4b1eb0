//! Peers that want more than their share of what we serve: they get their share, and others theirs.

use crate::common::{
    Node, PATIENCE, content, endless_patience, faults, first_of, limits, node, patient_node, raw_streams,
    raw_swarm, start,
};
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use hydra_blobs::H256;
use hydra_network::{
    FetchError, Keypair, Limits, NetworkConfig, PeerFault, SizeRule,
    wire::{REQUEST_HEAD, Request, Status, decode_status, encode_found, encode_request},
};
use libp2p::{
    Stream, StreamProtocol, Swarm,
    multiaddr::Protocol,
    swarm::{
        SwarmEvent,
        dial_opts::{DialOpts, PeerCondition},
    },
};
use std::{io::Read, net::TcpStream, time::Duration};

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn a_bad_request_closes_the_stream_without_an_answer() {
    let server = node().await;
    let hash = server.store.put(&content(100_000)).unwrap();
    let good = first_of(hash);
    let (streams, task) = raw_streams(&server, 6).await;
    let edit = |at: usize, bytes: &[u8]| {
        let mut request = good.clone();
        request[at..at + bytes.len()].copy_from_slice(bytes);
        request
    };
    let range = REQUEST_HEAD + 1;
    let bad = [
        edit(0, &[0]),
        edit(REQUEST_HEAD, &[0]),
        edit(REQUEST_HEAD, &[9]),
        edit(range + 4, &[0]),
        edit(range + 4, &[65]),
        edit(range, &u32::MAX.to_le_bytes()),
    ];
    for (mut stream, request) in streams.into_iter().zip(bad) {
        // After a few of them the peer is banned, and its connection closed.
        if stream.write_all(&request).await.is_err() || stream.flush().await.is_err() {
            continue;
        }
        let mut answer = Vec::new();
        // Closed or reset, whichever the multiplexer says.
        let _ = tokio::time::timeout(crate::common::PATIENCE, stream.read_to_end(&mut answer))
            .await
            .unwrap();
        assert!(answer.is_empty());
    }
    // Others are served as before.
    let (mut streams, second) = raw_streams(&server, 1).await;
    streams[0].write_all(&good).await.unwrap();
    streams[0].flush().await.unwrap();
    let mut header = [0; 9];
    streams[0].read_exact(&mut header).await.unwrap();
    assert_eq!(header, encode_found(100_000));
    task.abort();
    second.abort();
}

#[tokio::test]
async fn who_asks_for_what_lies_behind_the_end_is_told_that_it_is_not_here_and_no_more() {
    let server = node().await;
    let bytes = content(3 * MIB);
    let hash = server.store.put(&bytes).unwrap();
    let (mut streams, task) = raw_streams(&server, 1).await;
    let mut ask = async |slice| {
        let ranges = hydra_blobs::nth_slice(slice).into_iter().collect();
        let question = encode_request(&Request::Get { hash, ranges });
        streams[0].write_all(&question).await.unwrap();
        streams[0].flush().await.unwrap();
        let mut status = [0];
        let read = tokio::time::timeout(PATIENCE, streams[0].read_exact(&mut status)).await;
        read.expect("no answer").expect("hung up on");
        decode_status(status[0]).unwrap()
    };
    // It may have been told another size. Were it a fault, it would soon be banned.
    for _ in 0..8 {
        assert_eq!(ask(3).await, Status::NotFound);
    }
    assert!(server.store.has(hash));
    // Or it is us whose file has been shortened.
    let file = std::fs::File::options().write(true).open(server.store.path(hash));
    file.unwrap().set_len(MIB as u64).unwrap();
    assert_eq!(ask(2).await, Status::NotFound);
    assert!(!server.store.has(hash), "it was looked into");
    assert_eq!(ask(0).await, Status::NotFound);
    task.abort();
}

#[tokio::test]
async fn a_peer_cant_open_more_streams_than_its_share() {
    let server = node().await;
    let hash = server.store.put(b"blob").unwrap();
    let request = first_of(hash);
    let (mut streams, task) = raw_streams(&server, 9).await;
    let mut answers = Vec::new();
    for stream in &mut streams {
        stream.write_all(&request).await.unwrap();
        stream.flush().await.unwrap();
        let mut status = [0];
        stream.read_exact(&mut status).await.unwrap();
        answers.push(decode_status(status[0]).unwrap());
    }
    assert_eq!(answers.iter().filter(|a| **a == Status::Found).count(), 8);
    assert_eq!(answers.iter().filter(|a| **a == Status::Busy).count(), 1);
    task.abort();
}

/// A server, and somebody who asks it for as many slices and reads none of them.
async fn with_idle_reader(slices_per_peer: usize, count: usize) -> (Node, H256, Vec<u8>, Vec<Stream>) {
    let server = start(NetworkConfig {
        limits: Limits {
            slices_served: 2,
            slices_per_peer,
            ..endless_patience()
        },
        ..crate::common::config()
    })
    .await;
    // More than the multiplexer buffers.
    let bytes = content(2 * MIB);
    let hash = server.store.put(&bytes).unwrap();
    let request = first_of(hash);
    let (mut streams, _) = raw_streams(&server, count).await;
    for (nth, stream) in streams.iter_mut().enumerate() {
        stream.write_all(&request).await.unwrap();
        stream.flush().await.unwrap();
        if nth < slices_per_peer {
            // An answer that has begun has taken its slice.
            stream.read_exact(&mut [0; 9]).await.unwrap();
        }
    }
    (server, hash, bytes, streams)
}

#[tokio::test]
async fn a_peer_cant_take_all_slices() {
    let (server, hash, bytes, _streams) = with_idle_reader(1, 4).await;
    let target = patient_node().await;
    target.connect(&server).await;
    let rule = SizeRule::Exact(bytes.len() as u64);
    let fetch = target.net.fetch_bytes(hash, rule, vec![]);
    let fetched = tokio::time::timeout(crate::common::PATIENCE, fetch).await;
    assert!(fetched.expect("no slice is left").unwrap() == bytes);
}

#[tokio::test]
async fn who_asks_in_vain_is_told_so_even_when_all_slices_are_taken() {
    let (server, hash, bytes, _streams) = with_idle_reader(2, 2).await;
    let target = patient_node().await;
    target.connect(&server).await;
    let fetch = target
        .net
        .fetch(crate::common::absent(), SizeRule::Exact(5), vec![]);
    let nowhere = tokio::time::timeout(crate::common::PATIENCE, fetch).await;
    assert!(
        matches!(nowhere, Ok(Err(FetchError::NotFound { .. }))),
        "{nowhere:?}"
    );
    let hasty = node().await;
    hasty.connect(&server).await;
    let busy = hasty
        .net
        .fetch(hash, SizeRule::Exact(bytes.len() as u64), vec![])
        .await;
    assert!(
        matches!(faults(busy)[..], [PeerFault::Stalled(_)]),
        "no slice is left"
    );
}

#[tokio::test]
async fn a_reader_that_doesnt_read_keeps_nobody_waiting() {
    let quick = Limits {
        stall: Duration::from_millis(400),
        slices_served: 1,
        ..limits()
    };
    let server = start(NetworkConfig {
        limits: quick,
        ..crate::common::config()
    })
    .await;
    let bytes = content(2 * MIB);
    let hash = server.store.put(&bytes).unwrap();
    let request = first_of(hash);
    // More than the multiplexer buffers; nobody reads it.
    let (mut streams, task) = raw_streams(&server, 1).await;
    streams[0].write_all(&request).await.unwrap();
    streams[0].flush().await.unwrap();
    let target = node().await;
    target.connect(&server).await;
    let rule = SizeRule::Exact(bytes.len() as u64);
    assert!(target.net.fetch_bytes(hash, rule, vec![]).await.unwrap() == bytes);
    task.abort();
}

#[tokio::test]
async fn an_idle_stream_is_closed() {
    let quick = Limits {
        idle_stream: Duration::from_millis(200),
        ..limits()
    };
    let server = start(NetworkConfig {
        limits: quick,
        ..crate::common::config()
    })
    .await;
    let (mut streams, task) = raw_streams(&server, 1).await;
    // Half a request counts as idle too.
    streams[0].write_all(&[0; 10]).await.unwrap();
    streams[0].flush().await.unwrap();
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(crate::common::PATIENCE, streams[0].read_to_end(&mut answer))
        .await
        .unwrap();
    assert!(answer.is_empty());
    task.abort();
}

type Raw = Swarm<libp2p_stream::Behaviour>;

/// Connects and stays connected for a moment: a refused connection ends before the first stream could.
async fn gets_in(swarm: &mut Raw, server: &Node) -> bool {
    let options = DialOpts::peer_id(server.id())
        .condition(PeerCondition::Always)
        .addresses(vec![server.address()]);
    swarm.dial(options.build()).unwrap();
    let mut control = swarm.behaviour().new_control();
    let protocol = hydra_network::wire::PROTOCOL;
    let asks = async {
        let mut stream = control.open_stream(server.id(), protocol).await.ok()?;
        let request = first_of(crate::common::absent());
        stream.write_all(&request).await.ok()?;
        stream.flush().await.ok()?;
        stream.read_exact(&mut [0]).await.ok()
    };
    let mut asks = std::pin::pin!(asks);
    let outcome = async {
        loop {
            tokio::select! {
                answered = &mut asks => return answered.is_some(),
                event = swarm.select_next_some() => match event {
                    SwarmEvent::OutgoingConnectionError { .. } => return false,
                    SwarmEvent::ConnectionClosed { num_established: 0, .. } => return false,
                    _ => {}
                },
            }
        }
    };
    tokio::time::timeout(PATIENCE, outcome)
        .await
        .expect("neither let in nor refused")
}

async fn with_limits(limits: Limits) -> Node {
    start(NetworkConfig {
        limits,
        ..crate::common::config()
    })
    .await
}

#[tokio::test]
async fn one_address_cant_take_all_connections_however_many_names_it_has() {
    let server = with_limits(Limits {
        connections_per_address: 2,
        ..limits()
    })
    .await;
    let mut peers: Vec<Raw> = (0..3).map(|_| raw_swarm(Keypair::generate_ed25519())).collect();
    assert!(gets_in(&mut peers[0], &server).await);
    assert!(gets_in(&mut peers[1], &server).await);
    assert!(
        !gets_in(&mut peers[2], &server).await,
        "the third from this address"
    );
    peers.remove(0);
    server.until(|peers| peers.len() == 1).await;
    assert!(gets_in(&mut peers[1], &server).await, "a place has become free");
}

#[tokio::test]
async fn connections_are_bounded_altogether_and_ours_to_others_are_not_among_them() {
    let server = with_limits(Limits {
        connections: 1,
        ..limits()
    })
    .await;
    let mut peers: Vec<Raw> = (0..2).map(|_| raw_swarm(Keypair::generate_ed25519())).collect();
    assert!(gets_in(&mut peers[0], &server).await);
    assert!(!gets_in(&mut peers[1], &server).await);
    let friend = node().await;
    assert_eq!(server.net.dial(friend.address()).await, Ok(friend.id()));
}

#[tokio::test]
async fn one_peer_cant_take_all_connections() {
    let server = with_limits(Limits {
        connections_per_peer: 2,
        ..limits()
    })
    .await;
    // One whose older connections the server leaves to it to close.
    let keypair = std::iter::repeat_with(Keypair::generate_ed25519)
        .find(|keypair| keypair.public().to_peer_id() < server.id())
        .unwrap();
    let mut swarms: Vec<Raw> = (0..3).map(|_| raw_swarm(keypair.clone())).collect();
    assert!(gets_in(&mut swarms[0], &server).await);
    assert!(gets_in(&mut swarms[1], &server).await);
    assert!(!gets_in(&mut swarms[2], &server).await);
    let other = node().await;
    other.connect(&server).await;
}

#[tokio::test]
async fn one_address_cant_take_all_slices_however_many_names_it_has() {
    let server = with_limits(Limits {
        slices_served: 2,
        slices_per_peer: 1,
        slices_per_address: 1,
        ..endless_patience()
    })
    .await;
    // More than the multiplexer buffers.
    let bytes = content(2 * MIB);
    let hash = server.store.put(&bytes).unwrap();
    let request = first_of(hash);
    // Two names, neither of which reads what it asked for.
    let mut open = Vec::new();
    for nth in 0..2 {
        let (mut streams, _) = raw_streams(&server, 1).await;
        streams[0].write_all(&request).await.unwrap();
        streams[0].flush().await.unwrap();
        if nth == 0 {
            // An answer that has begun has taken its slice.
            streams[0].read_exact(&mut [0; 9]).await.unwrap();
        }
        open.push(streams);
    }
    // One that the server has chosen, by name, has a share of its own though it is at the same address.
    let friend = patient_node().await;
    server.connect_by_name(&friend).await;
    let rule = SizeRule::Exact(bytes.len() as u64);
    let fetch = friend.net.fetch_bytes(hash, rule, vec![]);
    let fetched = tokio::time::timeout(PATIENCE, fetch).await;
    assert!(fetched.expect("no slice is left").unwrap() == bytes);
    // The second name is still waiting for its turn.
    let mut none = [0; 9];
    let second = tokio::time::timeout(Duration::from_millis(100), open[1][0].read_exact(&mut none));
    assert!(second.await.is_err(), "the address has more than its share");
}

#[tokio::test]
async fn half_made_connections_end_by_themselves_and_let_others_in() {
    let server = with_limits(Limits {
        connections_pending: 4,
        handshake: Duration::from_secs(2),
        ..limits()
    })
    .await;
    let address = server.address();
    let mut address = address.iter();
    let (Some(Protocol::Ip4(ip)), Some(Protocol::Tcp(port))) = (address.next(), address.next()) else {
        panic!("{}", server.address())
    };
    // They never say a word. Those above the bound are closed at once, the others when their time is up.
    let silent: Vec<TcpStream> = (0..20).map(|_| TcpStream::connect((ip, port)).unwrap()).collect();
    let all_closed = tokio::task::spawn_blocking(move || {
        for mut stream in silent {
            // Closed or reset, whichever the system says.
            let _ = stream.read_to_end(&mut Vec::new());
        }
    });
    tokio::time::timeout(PATIENCE, all_closed)
        .await
        .expect("they stay for ever")
        .unwrap();
    let friend = node().await;
    friend.connect(&server).await;
}

/// Asks the same again and again, on a stream for each question or on one for as many as it is good for, until it is banned. Returns how
/// often it was answered.
async fn floods(server: &Node, protocol: StreamProtocol, question: &[u8], answer: usize) -> usize {
    let mut swarm = raw_swarm(Keypair::generate_ed25519());
    let id = *swarm.local_peer_id();
    let mut control = swarm.behaviour().new_control();
    swarm.dial(server.address()).unwrap();
    let task = tokio::spawn(async move {
        loop {
            swarm.select_next_some().await;
        }
    });
    server
        .until(|peers| peers.iter().any(|peer| peer.peer_id == id))
        .await;
    let mut answered = 0;
    let asks = async {
        while server.net.peers().iter().any(|peer| peer.peer_id == id) {
            let Ok(mut stream) = control.open_stream(server.id(), protocol.clone()).await else {
                continue;
            };
            while stream.write_all(question).await.is_ok()
                && stream.flush().await.is_ok()
                && stream.read_exact(&mut vec![0; answer]).await.is_ok()
            {
                answered += 1;
            }
        }
    };
    tokio::time::timeout(PATIENCE, asks)
        .await
        .expect("it may ask for ever");
    task.abort();
    answered
}

#[tokio::test]
async fn who_asks_without_an_end_what_there_is_is_banned_and_others_are_answered() {
    let server = node().await;
    let here = server.store.put(&content(1000)).unwrap();
    for hash in [here, crate::common::absent()] {
        let question = encode_request(&Request::Have { hash });
        let answer = if hash == here { 9 } else { 1 };
        let protocol = hydra_network::wire::PROTOCOL;
        let answered = floods(&server, protocol, &question, answer).await;
        // Hundreds are what an honest one may ask at once.
        assert!(answered >= 1000, "{answered}");
    }
    let friend = node().await;
    friend.connect(&server).await;
    let fetched = friend.net.fetch(here, SizeRule::Exact(1000), vec![]).await;
    assert_eq!(fetched.unwrap(), 1000);
}

#[tokio::test]
async fn who_asks_for_the_time_or_the_node_without_an_end_is_banned() {
    let server = node().await;
    let answered = floods(&server, StreamProtocol::new("/hydra/time/1"), &[0], 8).await;
    assert!(answered >= 100, "{answered}");
    floods(&server, StreamProtocol::new("/hydra/node/1"), &[0], 1).await;
}
