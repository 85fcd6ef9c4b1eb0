//! Takes connections, a bounded number at a time, and ends those that hold a place without using it.
//!
//! Any program of this PC may connect. None of them may use up the trainer's files and memory, or keep the node out for
//! longer than the timeouts here.

use std::{pin::pin, sync::Arc, time::Duration};

use axum::{Router, serve::Listener};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{sleep, timeout},
};

/// Connections at a time: the node, the dashboard and a few command lines have a few each. More wait to be accepted.
pub(crate) const CONNECTIONS: usize = 64;
/// How long the head of a request may take, and how long a connection may be idle between two. No multiple of a
/// block time: a node that asks again then must not meet a connection that is just being closed.
const HEAD: Duration = Duration::from_secs(15);
/// After so long a connection takes no further requests.
const AGE: Duration = Duration::from_secs(300);
/// How long the last answer may then take: more than the longest one.
const LAST_ANSWER: Duration = Duration::from_secs(120);

/// Serves until `end`, and then until all requests are answered. Dropped, it closes all connections at once.
pub(crate) async fn serve(mut listener: TcpListener, router: Router, end: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let (ending, ends) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut end = pin!(end);
    loop {
        let accepted = async {
            let place = places.clone().acquire_owned().await;
            // Errors are logged, and waited out, there.
            (place, Listener::accept(&mut listener).await.0)
        };
        tokio::select! {
            (place, stream) = accepted => {
                let talk = talk(stream, router.clone(), ends.clone());
                connections.spawn(async move {
                    talk.await;
                    drop(place);
                });
            }
            // Collected, so that they don't add up. A panic was printed, and has cost its own connection only.
            Some(_) = connections.join_next() => {}
            () = &mut end => break,
        }
    }
    drop(listener);
    ending.send_replace(true);
    while connections.join_next().await.is_some() {}
}

async fn talk(stream: TcpStream, router: Router, mut ends: watch::Receiver<bool>) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    tokio::select! {
        // An error is the other side's: it broke off, was too slow, or sent something that is not HTTP.
        _ = connection.as_mut() => return,
        _ = ends.wait_for(|ends| *ends) => {}
        () = sleep(AGE) => {}
    }
    connection.as_mut().graceful_shutdown();
    drop(timeout(LAST_ANSWER, connection).await);
}
