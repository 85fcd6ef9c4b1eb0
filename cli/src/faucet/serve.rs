//! Takes connections, a bounded number of them at a time, each for one request and a bounded time.
//!
//! It must never wait for a client longer than it takes an honest one.

use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    collections::{HashMap, hash_map::Entry},
    convert::Infallible,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{desk::Desk, limits::Client};

/// Connections at a time. More wait in the system's own queue until one ends.
const CONNECTIONS: usize = 64;
/// Those of one client among them, so that no client holds all. More are hung up on.
const PER_CLIENT: usize = 16;
/// How long the head of a request may take.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// The largest head.
const HEAD_SIZE: usize = 4 * 1024;
/// What is read ahead: as little as the HTTP library allows.
const READ_AHEAD: usize = 8 * 1024;
/// No connection lives longer: as long as a full queue of payments may take.
const AGE: Duration = Duration::from_secs(1_800);
/// How long to wait when no socket can be had.
const PAUSE: Duration = Duration::from_millis(200);

/// Serves until it is `ending`, and then until all requests are answered.
pub async fn serve(listener: TcpListener, desk: Arc<Desk>, mut ending: watch::Receiver<bool>) {
    let places = Places {
        free: Arc::new(Semaphore::new(CONNECTIONS)),
        held: Arc::default(),
    };
    let mut connections = JoinSet::new();
    let ends = ending.clone();
    loop {
        tokio::select! {
            Some((stream, place)) = accept(&listener, &places) => {
                connections.spawn(talk(stream, place, desk.clone(), ends.clone()));
            }
            // Collected, so that they don't add up. A panic was printed, and has cost its own connection only.
            Some(_) = connections.join_next() => {}
            _ = ending.wait_for(|ending| *ending) => break,
        }
    }
    drop((listener, desk));
    while connections.join_next().await.is_some() {}
}

/// How many connections each client has.
type Held = Arc<Mutex<HashMap<Client, usize>>>;

/// Places for connections.
struct Places {
    free: Arc<Semaphore>,
    held: Held,
}

/// A client's place. It is given back when this is dropped, whatever becomes of the connection.
struct Place {
    client: Client,
    held: Held,
    _one: OwnedSemaphorePermit,
}

/// The numbers now. Each change is one step, so a panic elsewhere leaves them as good as they were.
fn lock(held: &Held) -> MutexGuard<'_, HashMap<Client, usize>> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts one more of this client, unless it has as many as it may.
fn count(held: &Held, client: Client) -> bool {
    let mut held = lock(held);
    let number = held.entry(client).or_default();
    let may = *number < PER_CLIENT;
    if may {
        *number += 1;
    }
    may
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Entry::Occupied(mut number) = lock(&self.held).entry(self.client) {
            let left = number.get().saturating_sub(1);
            if left == 0 {
                number.remove();
            } else {
                *number.get_mut() = left;
            }
        }
    }
}

/// The next connection, once there is a place for it.
async fn accept(listener: &TcpListener, places: &Places) -> Option<(TcpStream, Place)> {
    let one = places.free.clone().acquire_owned().await.ok()?;
    loop {
        match listener.accept().await {
            Ok((stream, from)) => {
                let client = Client::from(from.ip());
                if count(&places.held, client) {
                    let place = Place {
                        client,
                        held: places.held.clone(),
                        _one: one,
                    };
                    return Some((stream, place));
                }
            }
            // One that was broken off already, or too many open files.
            Err(_) => sleep(PAUSE).await,
        }
    }
}

async fn talk(stream: TcpStream, place: Place, desk: Arc<Desk>, mut ending: watch::Receiver<bool>) {
    let client = place.client;
    let service = service_fn(move |request: Request<Incoming>| {
        let desk = desk.clone();
        async move { Ok::<_, Infallible>(desk.answer(request, client).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_header_size(HEAD_SIZE)
        .max_buf_size(READ_AHEAD)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let whole = async {
        tokio::select! {
            // An error is the other side's: it broke off, or sent something that is not HTTP.
            _ = connection.as_mut() => return,
            _ = ending.wait_for(|ending| *ending) => {}
        }
        connection.as_mut().graceful_shutdown();
        drop(connection.await);
    };
    drop(timeout(AGE, whole).await);
}
