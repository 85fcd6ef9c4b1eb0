//! Takes every connection at once, keeps a bounded number, and ends those that hold a place without using it.
//!
//! Any program of this PC may connect. None of them may use up the trainer's files and memory, or keep the node out: when
//! all places are taken, a newcomer gets the place of whoever has waited for longest without a complete request; see
//! [`Seat`].

use std::{collections::HashMap, pin::pin, sync::Arc, time::Duration};

use axum::{Router, extract::Request, serve::Listener};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{AbortHandle, Id, JoinSet},
    time::{sleep, timeout},
};

use super::seat::{Heard, Seat};

/// Connections at a time: the node, the dashboard and a few command lines have a few each.
pub(crate) const CONNECTIONS: usize = 64;
/// The largest head of a request, and what is read ahead of a body.
const READ_AHEAD: usize = 32 * 1024;
/// After so long a connection takes no further requests. No multiple of a block time, like the time that one may be idle.
const AGE: Duration = Duration::from_secs(307);
/// How long the last answer may then take: the weights of the largest model over a slow tunnel. Only those who know the
/// token get so much.
const LAST_ANSWER: Duration = Duration::from_secs(3600);
/// How long it may take when the trainer is to stop.
const PARTING: Duration = Duration::from_secs(120);

type Seats = HashMap<Id, (Arc<Seat>, AbortHandle)>;

/// Serves until `end`, and then until all requests are answered. Dropped, it closes all connections at once.
pub(crate) async fn serve(mut listener: TcpListener, router: Router, end: impl Future<Output = ()>) {
    let (ending, ends) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut seats = Seats::new();
    let mut end = pin!(end);
    loop {
        tokio::select! {
            // Errors are logged, and waited out, there.
            (stream, _) = Listener::accept(&mut listener) => {
                if seats.len() >= CONNECTIONS && !make_room(&mut seats) {
                    // All are being answered, which only those who know the token can bring about.
                    continue;
                }
                let seat = Seat::new();
                let talk = talk(stream, router.clone(), seat.clone(), ends.clone());
                let handle = connections.spawn(talk);
                seats.insert(handle.id(), (seat, handle));
            }
            // Collected, so that they don't add up. A panic was printed, and has cost its own connection only.
            Some(ended) = connections.join_next_with_id() => {
                let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
                seats.remove(&id);
            }
            () = &mut end => break,
        }
    }
    drop(listener);
    ending.send_replace(true);
    while connections.join_next().await.is_some() {}
}

/// Takes the least worthy place from its connection.
fn make_room(seats: &mut Seats) -> bool {
    let worth = |(id, (seat, _)): (&Id, &(Arc<Seat>, AbortHandle))| Some((seat.worth()?, *id));
    let Some((_, id)) = seats.iter().filter_map(worth).min_by_key(|(worth, _)| *worth) else {
        return false;
    };
    if let Some((_, connection)) = seats.remove(&id) {
        connection.abort();
    }
    true
}

async fn talk(stream: TcpStream, router: Router, seat: Arc<Seat>, mut ends: watch::Receiver<bool>) {
    let (service, asked) = (TowerToHyperService::new(router), seat.clone());
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(asked.clone());
        let (answer, seat) = (service.call(request), asked.clone());
        async move {
            let answer = answer.await;
            seat.answered();
            answer
        }
    });
    let stream = TokioIo::new(Heard {
        stream,
        seat: seat.clone(),
    });
    let connection = http1::Builder::new()
        // The seat has the deadlines.
        .header_read_timeout(None::<Duration>)
        .max_buf_size(READ_AHEAD)
        .serve_connection(stream, service);
    let mut connection = pin!(connection);
    let mut ends_too = ends.clone();
    let stops = async move {
        drop(ends_too.wait_for(|ends| *ends).await);
        sleep(PARTING).await;
    };
    tokio::select! {
        // An error is the other side's: it broke off, or sent something that is not HTTP.
        _ = connection.as_mut() => return,
        () = seat.overdue() => return,
        _ = ends.wait_for(|ends| *ends) => {}
        () = sleep(AGE) => {}
    }
    connection.as_mut().graceful_shutdown();
    let last = async {
        tokio::select! {
            _ = connection => {}
            () = seat.overdue() => {}
            () = stops => {}
        }
    };
    drop(timeout(LAST_ANSWER, last).await);
}
