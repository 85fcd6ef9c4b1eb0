//! A library's part of a connection, which keeps the connection for a while and no longer, whatever it hopes for.
//!
//! Must never end a connection that something else keeps, or over which something moves: it only stops speaking for it.

use libp2p::swarm::{ConnectionHandler, ConnectionHandlerEvent, SubstreamProtocol, handler::ConnectionEvent};
use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Sleep, sleep};

/// `H`, which keeps its connection for so long at the most.
pub(crate) struct KeptFor<H> {
    inner: H,
    /// None: its time is over.
    over: Option<Pin<Box<Sleep>>>,
}

impl<H> KeptFor<H> {
    /// The connection stands from now on.
    pub(super) fn new(inner: H, time: Duration) -> Self {
        Self {
            inner,
            over: Some(Box::pin(sleep(time))),
        }
    }
}

impl<H: fmt::Debug> fmt::Debug for KeptFor<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptFor")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

impl<H: ConnectionHandler> ConnectionHandler for KeptFor<H> {
    type FromBehaviour = H::FromBehaviour;
    type ToBehaviour = H::ToBehaviour;
    type InboundProtocol = H::InboundProtocol;
    type OutboundProtocol = H::OutboundProtocol;
    type InboundOpenInfo = H::InboundOpenInfo;
    type OutboundOpenInfo = H::OutboundOpenInfo;

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol, Self::InboundOpenInfo> {
        self.inner.listen_protocol()
    }

    fn connection_keep_alive(&self) -> bool {
        self.over.is_some() && self.inner.connection_keep_alive()
    }

    fn poll(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, Self::OutboundOpenInfo, Self::ToBehaviour>> {
        // It wakes the connection, which then asks whether it is kept.
        if let Some(over) = &mut self.over
            && over.as_mut().poll(context).is_ready()
        {
            self.over = None;
        }
        self.inner.poll(context)
    }

    fn poll_close(&mut self, context: &mut Context<'_>) -> Poll<Option<Self::ToBehaviour>> {
        self.inner.poll_close(context)
    }

    fn on_behaviour_event(&mut self, event: Self::FromBehaviour) {
        self.inner.on_behaviour_event(event);
    }

    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<
            Self::InboundProtocol,
            Self::OutboundProtocol,
            Self::InboundOpenInfo,
            Self::OutboundOpenInfo,
        >,
    ) {
        self.inner.on_connection_event(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use libp2p::{core::upgrade::DeniedUpgrade, swarm::handler::ConnectionEvent};
    use std::{convert::Infallible, future::poll_fn};
    use tokio::time::Instant;

    const MINUTE: Duration = Duration::from_secs(60);

    /// Keeps its connection as long as it likes.
    struct Clinging(bool);

    impl ConnectionHandler for Clinging {
        type FromBehaviour = bool;
        type ToBehaviour = Infallible;
        type InboundProtocol = DeniedUpgrade;
        type OutboundProtocol = DeniedUpgrade;
        type InboundOpenInfo = ();
        type OutboundOpenInfo = ();

        fn listen_protocol(&self) -> SubstreamProtocol<DeniedUpgrade> {
            SubstreamProtocol::new(DeniedUpgrade, ())
        }

        fn connection_keep_alive(&self) -> bool {
            self.0
        }

        fn poll(
            &mut self,
            _: &mut Context<'_>,
        ) -> Poll<ConnectionHandlerEvent<DeniedUpgrade, (), Infallible>> {
            Poll::Pending
        }

        fn on_behaviour_event(&mut self, keep: bool) {
            self.0 = keep;
        }

        fn on_connection_event(&mut self, _: ConnectionEvent<DeniedUpgrade, DeniedUpgrade>) {}
    }

    /// As a connection does: it looks whenever something wakes it.
    async fn is_let_go<H: ConnectionHandler>(handler: &mut H) {
        poll_fn(|context| {
            while handler.poll(context).is_ready() {}
            match handler.connection_keep_alive() {
                true => Poll::Pending,
                false => Poll::Ready(()),
            }
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_let_go_when_its_time_is_over_though_nothing_else_happens() {
        let (mut handler, start) = (KeptFor::new(Clinging(true), MINUTE), Instant::now());
        assert!(handler.connection_keep_alive());
        is_let_go(&mut handler).await;
        let after = start.elapsed();
        assert!(after >= MINUTE && after < MINUTE * 2, "{after:?}");
        handler.on_behaviour_event(true);
        assert!(!handler.connection_keep_alive(), "for good");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_is_not_needed_is_let_go_before() {
        let (mut handler, start) = (KeptFor::new(Clinging(true), MINUTE), Instant::now());
        handler.on_behaviour_event(false);
        is_let_go(&mut handler).await;
        assert!(start.elapsed() < MINUTE);
        handler.on_behaviour_event(true);
        assert!(
            handler.connection_keep_alive(),
            "it may change its mind meanwhile"
        );
    }
}
