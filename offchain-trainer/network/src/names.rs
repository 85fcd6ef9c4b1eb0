//! Dialling peers by name.
//!
//! `/dns`, `/dns4` and `/dns6` are looked up as every other program on this computer looks names up (its hosts file, its
//! DNS as it is set now, names of the local network such as `pc.local`), anew for each dial: a PC that starts before its
//! network does, or changes networks, finds the name when it can be found. All addresses that a name has are tried, a
//! moment after one another, and the first that answers is used: an IPv6 that leads nowhere doesn't keep IPv4 waiting.
//! `/dnsaddr` needs TXT records, which the system doesn't look up; libp2p's resolver does, with `/etc/resolv.conf` as it is
//! at that moment. Addresses with an IP need none of this.

use crate::{chosen_names::ChosenNames, house::Outside};
use futures::{
    FutureExt, TryFutureExt,
    future::{BoxFuture, MapErr, select_ok},
};
use libp2p::{
    Multiaddr, Transport,
    core::transport::{DialOpts, ListenerId, TransportError, TransportEvent},
    dns,
    multiaddr::Protocol,
};
use std::{
    io,
    net::{IpAddr, ToSocketAddrs},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    thread,
    time::Duration,
};
use tokio::{
    sync::{Semaphore, oneshot},
    time::timeout,
};

/// How long after one of a name's addresses the next one is tried as well.
const STAGGER: Duration = Duration::from_millis(250);
/// So many of a name's addresses are tried.
const MAX_ADDRESSES: usize = 8;

/// So many names are looked up at a time of those that were chosen, and of others. A look-up goes on when nobody waits for it any more, for
/// as long as the system likes, and whoever names names that nobody answers for would have one thread after another.
const CHOSEN: usize = 32;
const OTHERS: usize = 8;

/// Why a peer couldn't be dialled by name, or at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NameError<E> {
    /// The name has no address, as far as this computer can find out.
    #[error(
        "the name {name} can't be found ({reason}); check its spelling, and this computer's DNS settings"
    )]
    NotFound { name: String, reason: String },
    /// Nothing here speaks what the address names.
    #[error(
        "{0} can't be dialled: it isn't an IP address or name with a TCP port, or with a UDP port and quic-v1"
    )]
    Unsupported(Multiaddr),
    /// A stranger says that it is his, and it leads to this computer or its owner's network.
    #[error("the name {name} leads to no address outside of this network, and nobody here chose it")]
    Stranger { name: String },
    /// The address was found, and it is what failed.
    #[error(transparent)]
    Address(E),
}

/// Dials names through `T`, which dials IP addresses.
pub(crate) struct Names<T> {
    inner: Shared<T>,
    patience: Duration,
    chosen: ChosenNames,
    outside: Outside,
    places: Places,
}

/// Look-ups that may begin; strangers' names take none from those that were chosen.
struct Places {
    chosen: Arc<Semaphore>,
    others: Arc<Semaphore>,
}

impl<T> Names<T> {
    /// A look-up may take as long as `patience`. Make it shorter than a dial may take altogether, or the name is never said
    /// to be the trouble. Names that aren't `chosen` are dialled only where they lead `outside`.
    pub(crate) fn new(inner: T, patience: Duration, chosen: ChosenNames, outside: Outside) -> Self {
        Self {
            patience,
            chosen,
            outside,
            inner: Shared(Arc::new(Mutex::new(inner))),
            places: Places {
                chosen: Arc::new(Semaphore::new(CHOSEN)),
                others: Arc::new(Semaphore::new(OTHERS)),
            },
        }
    }
}

impl<T> Transport for Names<T>
where
    T: Transport + Send + Unpin + 'static,
    T::Output: Send,
    T::Error: Send + Sync + 'static,
    T::Dial: Send + 'static,
{
    type Output = T::Output;
    type Error = NameError<T::Error>;
    type ListenerUpgrade = MapErr<T::ListenerUpgrade, fn(T::Error) -> Self::Error>;
    type Dial = BoxFuture<'static, Result<T::Output, Self::Error>>;

    fn listen_on(&mut self, id: ListenerId, address: Multiaddr) -> Result<(), TransportError<Self::Error>> {
        self.inner
            .listen_on(id, address)
            .map_err(|error| error.map(NameError::Address))
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.inner.remove_listener(id)
    }

    fn dial(
        &mut self,
        address: Multiaddr,
        options: DialOpts,
    ) -> Result<Self::Dial, TransportError<Self::Error>> {
        let first = address.iter().next().map(Protocol::acquire);
        Ok(match first {
            Some(Protocol::Dns(ref name) | Protocol::Dns4(ref name) | Protocol::Dns6(ref name)) => {
                let (only, places) = match self.chosen.has(name) {
                    true => (None, &self.places.chosen),
                    false => (Some(self.outside.clone()), &self.places.others),
                };
                let look_up = LookUp {
                    patience: self.patience,
                    places: places.clone(),
                    only,
                };
                dial_name(self.inner.clone(), look_up, address, options).boxed()
            }
            Some(Protocol::Dnsaddr(name)) => {
                let name = name.into_owned();
                if !self.chosen.has(&name) {
                    return Err(TransportError::Other(NameError::Stranger { name }));
                }
                dial_dnsaddr(self.inner.clone(), name, address, options).boxed()
            }
            _ => {
                let dial = self.inner.dial(address, options);
                let dial = dial.map_err(|error| error.map(NameError::Address))?;
                dial.map_err(NameError::Address).boxed()
            }
        })
    }

    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, Self::Error>> {
        Pin::new(&mut self.inner).poll(context).map(|event| {
            event
                .map_upgrade(|upgrade| upgrade.map_err(NameError::Address as fn(T::Error) -> Self::Error))
                .map_err(NameError::Address)
        })
    }
}

/// How a name is looked up.
struct LookUp {
    patience: Duration,
    places: Arc<Semaphore>,
    /// It may lead there alone; none: anywhere.
    only: Option<Outside>,
}

/// Looks the name up that `address` begins with, and dials what it stands for.
async fn dial_name<T>(
    inner: Shared<T>,
    how: LookUp,
    address: Multiaddr,
    options: DialOpts,
) -> Result<T::Output, NameError<T::Error>>
where
    T: Transport + Send + Unpin + 'static,
    T::Error: Send + 'static,
    T::Dial: Send + 'static,
{
    let LookUp {
        patience,
        places,
        only,
    } = how;
    let first = address.iter().next().map(Protocol::acquire);
    let (name, wanted) = match first {
        Some(Protocol::Dns(name)) => (name.into_owned(), Family::Any),
        Some(Protocol::Dns4(name)) => (name.into_owned(), Family::V4),
        Some(Protocol::Dns6(name)) => (name.into_owned(), Family::V6),
        _ => return Err(NameError::Unsupported(address)),
    };
    let not_found = |reason| NameError::NotFound {
        name: name.clone(),
        reason,
    };
    let found = match timeout(patience, look_up(name.clone(), &places)).await {
        Ok(found) => found.map_err(|error| not_found(error.to_string()))?,
        Err(_) => return Err(not_found(format!("no answer within {patience:?}"))),
    };
    let mut found: Vec<IpAddr> = found.into_iter().filter(|ip| wanted.includes(ip)).collect();
    let any = !found.is_empty();
    found.retain(|ip| only.as_ref().is_none_or(|only| only.has_ip(*ip)));
    if any && found.is_empty() {
        return Err(NameError::Stranger { name });
    }
    found.truncate(MAX_ADDRESSES);
    let rest = || address.iter().skip(1);
    let dials = found.into_iter().enumerate().map(|(nth, ip)| {
        let mut inner = inner.clone();
        let address: Multiaddr = std::iter::once(ip.into()).chain(rest()).collect();
        let dial = async move {
            tokio::time::sleep(STAGGER * nth as u32).await;
            let dial = inner.dial(address, options).map_err(|error| match error {
                TransportError::MultiaddrNotSupported(address) => NameError::Unsupported(address),
                TransportError::Other(error) => NameError::Address(error),
            })?;
            dial.await.map_err(NameError::Address)
        };
        dial.boxed()
    });
    let dials: Vec<_> = dials.collect();
    if dials.is_empty() {
        return Err(not_found(format!("it has no {wanted} address")));
    }
    select_ok(dials).await.map(|(connection, _)| connection)
}

async fn dial_dnsaddr<T>(
    inner: Shared<T>,
    name: String,
    address: Multiaddr,
    options: DialOpts,
) -> Result<T::Output, NameError<T::Error>>
where
    T: Transport + Send + Unpin + 'static,
    T::Output: Send,
    T::Error: Send + Sync + 'static,
    T::Dial: Send + 'static,
{
    let not_found = |reason: String| NameError::NotFound { name, reason };
    let mut resolver = match dns::tokio::Transport::system(inner) {
        Ok(resolver) => resolver,
        Err(error) => return Err(not_found(format!("/etc/resolv.conf: {error}"))),
    };
    let dial = match resolver.dial(address, options) {
        Ok(dial) => dial,
        Err(error) => return Err(not_found(error.to_string())),
    };
    match dial.await {
        Ok(connection) => Ok(connection),
        Err(dns::Error::Transport(error)) => Err(NameError::Address(error)),
        Err(error) => Err(not_found(error.to_string().replace('\n', " "))),
    }
}

#[derive(Clone, Copy)]
enum Family {
    Any,
    V4,
    V6,
}

impl Family {
    fn includes(self, ip: &IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::V4 => ip.is_ipv4(),
            Self::V6 => ip.is_ipv6(),
        }
    }
}

impl std::fmt::Display for Family {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Any => "IP",
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}

/// Asks the system.
async fn look_up(name: String, places: &Arc<Semaphore>) -> io::Result<Vec<IpAddr>> {
    let ask = move || {
        let found = (name.as_str(), 0).to_socket_addrs()?;
        Ok(found.map(|address| address.ip()).collect())
    };
    on_thread(places, ask).await
}

/// On a thread of its own, while there is a place for it: a look-up can't be interrupted, and a runtime that ends would wait for it. The
/// place is the thread's, not that of whoever waits.
async fn on_thread(
    places: &Arc<Semaphore>,
    ask: impl FnOnce() -> io::Result<Vec<IpAddr>> + Send + 'static,
) -> io::Result<Vec<IpAddr>> {
    // It is the turn of whoever came first. Nobody closes it.
    let place = places.clone().acquire_owned().await;
    let place = place.map_err(io::Error::other)?;
    let (sender, found) = oneshot::channel();
    let work = move || {
        let found = ask();
        drop(place);
        let _ = sender.send(found);
    };
    thread::Builder::new().name("look-up".into()).spawn(work)?;
    found
        .await
        .unwrap_or_else(|_| Err(io::Error::other("the look-up ended early")))
}

/// A transport that several dials use at the same time.
struct Shared<T>(Arc<Mutex<T>>);

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Transport + Unpin> Transport for Shared<T> {
    type Output = T::Output;
    type Error = T::Error;
    type ListenerUpgrade = T::ListenerUpgrade;
    type Dial = T::Dial;

    fn listen_on(&mut self, id: ListenerId, address: Multiaddr) -> Result<(), TransportError<T::Error>> {
        self.lock().listen_on(id, address)
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.lock().remove_listener(id)
    }

    fn dial(&mut self, address: Multiaddr, options: DialOpts) -> Result<T::Dial, TransportError<T::Error>> {
        self.lock().dial(address, options)
    }

    fn poll(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<TransportEvent<T::ListenerUpgrade, T::Error>> {
        Pin::new(&mut *self.lock()).poll(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[tokio::test]
    async fn a_look_up_has_its_place_until_it_ends_though_nobody_waits_any_more() {
        let places = Arc::new(Semaphore::new(2));
        let (answer, answers) = mpsc::channel::<()>();
        let answers = Arc::new(Mutex::new(answers));
        for _ in 0..2 {
            let answers = answers.clone();
            let slow = on_thread(&places, move || {
                let _ = answers.lock().unwrap().recv();
                Ok(vec![])
            });
            assert!(timeout(Duration::from_millis(20), slow).await.is_err());
        }
        let moment = Duration::from_millis(20);
        let waits = timeout(moment, look_up("127.0.0.1".into(), &places)).await;
        assert!(waits.is_err(), "both places are taken");
        answer.send(()).unwrap();
        // Its thread takes a moment.
        let free = places.acquire().await.unwrap();
        let waits = timeout(moment, look_up("127.0.0.1".into(), &places)).await;
        assert!(waits.is_err(), "one is, and the other is ours");
        drop(free);
        assert_eq!(
            look_up("127.0.0.1".into(), &places).await.unwrap(),
            [IpAddr::from([127, 0, 0, 1])]
        );
    }
}
