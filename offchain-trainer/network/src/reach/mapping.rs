//! Asking the router to pass ports on: UPnP, PCP and NAT-PMP, whichever it has.
//!
//! A task keeps the mappings: it asks again as long as the router says no, and looks anew which protocols it speaks, since what is known
//! of that is soon forgotten. Must never keep anybody waiting who has no such router, and gives back what it got when it is told to end.

use portmapper::{Client, Config, Protocol};
use std::{net::SocketAddrV4, num::NonZeroU16, time::Duration};
use tokio::{
    sync::{oneshot, watch},
    time::{sleep, timeout},
};

/// Between two looks which protocols the router speaks; less than the ten minutes for which an answer holds.
const LOOK: Duration = Duration::from_secs(8 * 60);
/// The same while it passes nothing on, at first; doubles up to the above.
const FIRST_LOOK: Duration = Duration::from_secs(15);
/// Giving back may take so long.
const FAREWELL: Duration = Duration::from_millis(1500);

/// What the router passes on to us now: its own addresses, which need not be of the internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Mapped {
    pub(crate) tcp: Option<SocketAddrV4>,
    pub(crate) udp: Option<SocketAddrV4>,
}

/// The mappings, until dropped or ended.
pub(crate) struct Mapping {
    mapped: watch::Receiver<Mapped>,
    end: oneshot::Sender<oneshot::Sender<()>>,
}

impl Mapping {
    /// Has `port` passed on, of TCP and, if wanted, of UDP; and other programs' TCP ports.
    pub(crate) fn start(port: NonZeroU16, udp: bool, others: &[u16]) -> Self {
        let client = |protocol, port| {
            let config = Config {
                protocol,
                ..Config::default()
            };
            (Client::new(config), port)
        };
        let mut clients = vec![client(Protocol::Tcp, port)];
        if udp {
            clients.push(client(Protocol::Udp, port));
        }
        let own = clients.len();
        let others = others
            .iter()
            .filter_map(|port| NonZeroU16::new(*port))
            .filter(|other| *other != port);
        clients.extend(others.map(|port| client(Protocol::Tcp, port)));
        let (shown, mapped) = watch::channel(Mapped::default());
        let (end, ended) = oneshot::channel();
        tokio::spawn(keep(clients, own, shown, ended));
        Self { mapped, end }
    }

    /// What is passed on now.
    pub(crate) fn mapped(&self) -> Mapped {
        *self.mapped.borrow()
    }

    /// Gives everything back, or as much as goes in a second or so.
    pub(crate) async fn end(self) {
        let (done, finished) = oneshot::channel();
        if self.end.send(done).is_ok() {
            let _ = timeout(FAREWELL, finished).await;
        }
    }
}

async fn keep(
    clients: Vec<(Client, NonZeroU16)>,
    own: usize,
    shown: watch::Sender<Mapped>,
    mut ended: oneshot::Receiver<oneshot::Sender<()>>,
) {
    let look = look_after(&clients, own, &shown);
    tokio::select! {
        () = look => {}
        end = &mut ended => {
            let Ok(done) = end else { return };
            for (client, _) in &clients {
                client.deactivate();
            }
            // Each answers once it has done what it was told before.
            for (client, _) in &clients {
                let _ = client.probe().await;
            }
            let _ = done.send(());
        }
    }
}

async fn look_after(clients: &[(Client, NonZeroU16)], own: usize, shown: &watch::Sender<Mapped>) {
    let mut pause = FIRST_LOOK;
    let mut told = false;
    loop {
        for (client, port) in clients {
            // What it finds decides which protocol is used: asked for a port before, it would try UPnP alone.
            let _ = client.probe().await;
            client.update_local_port(*port);
        }
        let until = sleep(pause);
        tokio::pin!(until);
        loop {
            tokio::select! {
                () = &mut until => break,
                () = changed(clients) => {}
            }
            let external = |nth: usize| {
                clients
                    .get(nth)
                    .and_then(|(client, _)| *client.watch_external_address().borrow())
            };
            let mapped = Mapped {
                tcp: external(0),
                udp: external(1).filter(|_| own > 1),
            };
            shown.send_if_modified(|before| {
                let changed = *before != mapped;
                *before = mapped;
                changed
            });
            if !told && let Some(address) = mapped.tcp {
                told = true;
                tracing::info!("the router passes {address} on to this PC");
            }
        }
        let all = clients
            .iter()
            .all(|(client, _)| client.watch_external_address().borrow().is_some());
        pause = if all { LOOK } else { (pause * 2).min(LOOK) };
    }
}

/// Waits a moment, or until one of them changes.
async fn changed(clients: &[(Client, NonZeroU16)]) {
    let mut watches: Vec<_> = clients
        .iter()
        .map(|(client, _)| client.watch_external_address())
        .collect();
    let changes = watches.iter_mut().map(|watch| {
        watch.mark_unchanged();
        Box::pin(watch.changed())
    });
    let any = futures::future::select_all(changes);
    // What changed between two looks is seen a moment later.
    let _ = timeout(Duration::from_secs(5), any).await;
}
