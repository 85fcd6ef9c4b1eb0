//! Nodes' connections, carried between trainers.

use crate::common::{Node, PATIENCE, config, node, raw_streams_for, start};
use futures::{AsyncReadExt as _, AsyncWriteExt as _};
use hydra_network::{Keypair, NetworkConfig, OwnNode, PeerId, TunnelError};
use libp2p::{Stream, StreamProtocol, multiaddr::Protocol};
use std::{io, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

const NODES: StreamProtocol = StreamProtocol::new("/hydra/node/1");

/// Stands for a node: says its name, and returns whatever it hears until its peer ends.
async fn echo(name: &'static str) -> OwnNode {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = socket.split();
                to.write_all(name.as_bytes()).await?;
                tokio::io::copy(&mut from, &mut to).await?;
                to.shutdown().await
            });
        }
    });
    OwnNode {
        peer: PeerId::random(),
        port,
    }
}

/// What comes out at the other end of what is sent into a port; empty if the connection just closes.
async fn said(port: u16, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let talk = async {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).await?;
        let (mut from, mut to) = socket.split();
        let sending = async {
            to.write_all(bytes).await?;
            to.shutdown().await
        };
        let mut heard = Vec::new();
        let (sent, read) = tokio::join!(sending, from.read_to_end(&mut heard));
        sent.and(read).map(|_| heard)
    };
    timeout(PATIENCE, talk).await.expect("it ends")
}

/// Two trainers that are connected, the second with a node beside it.
async fn pair() -> (Node, Node, OwnNode) {
    let (here, there) = (node().await, node().await);
    here.connect(&there).await;
    let own = echo("node").await;
    there.net.set_own_node(Some(own));
    (here, there, own)
}

#[tokio::test]
async fn a_nodes_connection_goes_through_its_trainer_to_the_other_trainers_node() {
    let (here, there, own) = pair().await;
    assert_eq!(here.net.ask_node(there.id()).await.unwrap(), own.peer);
    let tunnel = here.net.dig_tunnel(there.id(), own.peer, None).await.unwrap();
    let bytes = vec![7; 1 << 20];
    let heard = said(tunnel.port(), &bytes).await.unwrap();
    assert!(
        heard.strip_prefix(b"node").unwrap() == bytes,
        "{} bytes",
        heard.len()
    );
    // Who comes and goes too fast is turned away, and may come again a moment later.
    let comes = async |wanted: bool| {
        let again = async {
            while said(tunnel.port(), b"again")
                .await
                .is_ok_and(|heard| heard == b"nodeagain")
                != wanted
            {}
        };
        timeout(PATIENCE, again)
            .await
            .expect("it has a place or has none")
    };
    comes(false).await;
    comes(true).await;
    let port = tunnel.port();
    drop(tunnel);
    // Another one may begin where one has ended.
    let next = here
        .net
        .dig_tunnel(there.id(), own.peer, Some(port))
        .await
        .unwrap();
    drop(next);
    let closed = async {
        while TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, closed)
        .await
        .expect("a tunnel ends with its owner");
}

#[tokio::test]
async fn a_tunnel_says_for_how_long_nothing_has_gone_through_it() {
    let (here, there, own) = pair().await;
    let tunnel = here.net.dig_tunnel(there.id(), own.peer, None).await.unwrap();
    let mut socket = TcpStream::connect(("127.0.0.1", tunnel.port())).await.unwrap();
    socket.read_exact(&mut [0; 4]).await.unwrap();
    assert_eq!(tunnel.idle(), Duration::ZERO);
    drop(socket);
    let idle = async {
        while tunnel.idle().is_zero() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, idle).await.expect("it isn't used any more");
}

#[tokio::test]
async fn a_trainer_without_a_node_leads_nowhere_and_says_so() {
    let (here, there) = (node().await, node().await);
    here.connect(&there).await;
    let none = here.net.ask_node(there.id()).await;
    assert!(matches!(none, Err(TunnelError::NoNode(_))), "{none:?}");
    let own = echo("node").await;
    there.net.set_own_node(Some(own));
    let tunnel = here.net.dig_tunnel(there.id(), own.peer, None).await.unwrap();
    assert_eq!(
        said(tunnel.port(), b"").await.unwrap(),
        b"node",
        "there is one now"
    );
    // A node that has ended is none.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = OwnNode {
        peer: PeerId::random(),
        port: listener.local_addr().unwrap().port(),
    };
    drop(listener);
    there.net.set_own_node(Some(gone));
    let tunnel = here.net.dig_tunnel(there.id(), gone.peer, None).await.unwrap();
    assert!(said(tunnel.port(), b"").await.is_ok_and(|heard| heard.is_empty()));
}

#[tokio::test]
async fn no_byte_goes_to_another_node_than_the_one_that_is_meant() {
    let (here, there, own) = pair().await;
    let right = here.net.dig_tunnel(there.id(), own.peer, None).await.unwrap();
    assert_eq!(said(right.port(), b"").await.unwrap(), b"node");
    let meant = PeerId::random();
    let tunnel = here.net.dig_tunnel(there.id(), meant, None).await.unwrap();
    let heard = said(tunnel.port(), b"").await.unwrap_or_default();
    assert_eq!(heard, b"", "it was led to {}", own.peer);
}

#[tokio::test]
async fn a_trainer_whose_connection_was_lost_is_connected_to_again() {
    let keypair = Keypair::generate_ed25519();
    let at = |address| NetworkConfig {
        keypair: keypair.clone(),
        listen: vec![address],
        ..config()
    };
    let (here, there) = (
        node().await,
        start(at("/ip4/127.0.0.1/tcp/0".parse().unwrap())).await,
    );
    here.connect(&there).await;
    let (own, address) = (echo("node").await, there.net.listen_addresses().remove(0));
    there.net.set_own_node(Some(own));
    let tunnel = here.net.dig_tunnel(there.id(), own.peer, None).await.unwrap();
    assert_eq!(said(tunnel.port(), b"1").await.unwrap(), b"node1");
    there.net.shutdown().await;
    here.until(|peers| peers.is_empty()).await;
    let mut parts: Vec<Protocol> = address.iter().collect();
    parts.pop();
    let there = start(at(parts.into_iter().collect())).await;
    there.net.set_own_node(Some(own));
    assert_eq!(said(tunnel.port(), b"2").await.unwrap(), b"node2");
}

#[tokio::test]
async fn hostile_bytes_lead_nowhere_and_a_peer_has_few_streams() {
    let (_here, there, own) = pair().await;
    let (streams, task) = raw_streams_for(&there, NODES, 3).await;
    for (mut stream, bytes) in streams.into_iter().zip([&b"\x02"[..], b"\xff\xff", b""]) {
        // Whoever is turned away may see it while it still speaks.
        let _ = stream.write_all(bytes).await;
        let _ = stream.close().await;
        assert_eq!(rest(stream).await, b"");
    }
    task.abort();
    // Two that ask nothing have all of their peer's places, and the third finds none.
    let (mut streams, task) = raw_streams_for(&there, NODES, 3).await;
    let mut last = streams.pop().unwrap();
    let _ = last.write_all(&[0]).await;
    let _ = last.flush().await;
    assert_eq!(rest(last).await, b"");
    // Another peer does.
    let (mut streams, _swarm) = raw_streams_for(&there, NODES, 1).await;
    let mut first = streams.pop().unwrap();
    first.write_all(&[0]).await.unwrap();
    first.flush().await.unwrap();
    assert!(rest(first).await.ends_with(&own.peer.to_bytes()));
    task.abort();
}

async fn rest(mut stream: Stream) -> Vec<u8> {
    let mut heard = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut heard))
        .await
        .expect("it ends");
    heard
}
