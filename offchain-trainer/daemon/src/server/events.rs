//! The trainer's condition as it changes: server-sent events for the dashboard.
//!
//! An event is sent when something happened, several changes at once are one, and the last word of a change is always
//! sent. Must never wait for whoever listens: who is slow hears of fewer changes.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::stream::unfold;
use hydra_trainer_api::STATUS_EVENT;
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, sleep, timeout_at},
};

use super::{
    Context, Refusal, place,
    seat::{LISTENING, Listening, Seat},
};
use crate::changes::Listener;

/// Who listens at a time: a page in each of a few windows.
pub(super) const LISTENERS: usize = 8;
/// Changes within this time are told of together.
const TOGETHER: Duration = Duration::from_millis(100);
/// After so long without a change the condition is told of anyway: some of it is how long ago something was, and who
/// hears nothing for longer knows that the trainer is gone.
const AT_LEAST: Duration = Duration::from_secs(5);

struct Feed {
    context: Context,
    listener: Listener,
    /// Before that the connection would be given up.
    ends: Instant,
    first: bool,
    _place: OwnedSemaphorePermit,
    _listening: Option<Listening>,
}

/// A stream of events, for as long as somebody listens.
pub(super) fn events(context: Context, request: &Request) -> Result<Response, Refusal> {
    let place = place(&context.listeners, || {
        format!("{LISTENERS} pages are listening already: close one of them")
    })?;
    let feed = Feed {
        listener: context.shared.changes.listen(),
        ends: Instant::now() + LISTENING * 9 / 10,
        first: true,
        _place: place,
        _listening: request.extensions().get::<Arc<Seat>>().map(Seat::listen),
        context,
    };
    let stream = unfold(feed, |mut feed| async move {
        let event = feed.next().await?;
        Some((Ok::<_, Infallible>(event), feed))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((StatusCode::OK, headers, Body::from_stream(stream)).into_response())
}

impl Feed {
    /// The next event; `None` when it is over. A browser then listens anew.
    async fn next(&mut self) -> Option<Bytes> {
        if self.first {
            self.first = false;
        } else {
            let now = Instant::now();
            if now >= self.ends {
                return None;
            }
            match timeout_at(self.ends.min(now + AT_LEAST), self.listener.changed()).await {
                Ok(true) => {
                    sleep(TOGETHER).await;
                    self.listener.catch_up();
                }
                Ok(false) => return None,
                Err(_) => {}
            }
        }
        let status = serde_json::to_string(&self.context.status()).ok()?;
        Some(format!("event: {STATUS_EVENT}\nretry: 1000\ndata: {status}\n\n").into())
    }
}
