//! A request's body, read before anybody is asked to answer it: jsonrpsee counts a request as under way from its first
//! byte, so bodies that never end would take the places of all others.

use http_body_util::BodyExt;
use hyper::{StatusCode, body::Body};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// What a body may have before room is asked for: nearly all have less.
const SMALL: usize = 64 * 1024;

/// Why a body wasn't taken: the status, and a sentence.
pub type Refusal = (StatusCode, &'static str);

/// Reads bodies, and bounds what all those that aren't complete may hold.
pub struct Reader {
    limit: usize,
    patience: Duration,
    room: Arc<Semaphore>,
}

/// A complete body, and its room until it is answered.
pub struct Whole {
    /// What was sent.
    pub bytes: Vec<u8>,
    _room: Option<OwnedSemaphorePermit>,
}

impl Reader {
    /// Of bodies up to `limit` bytes, `room` bytes of large ones at a time, each within `patience`.
    pub fn new(limit: usize, room: usize, patience: Duration) -> Self {
        Self {
            limit,
            patience,
            // A body that is allowed must find room when it is alone.
            room: Arc::new(Semaphore::new(room.max(limit).min(Semaphore::MAX_PERMITS))),
        }
    }

    /// Reads a body to its end.
    pub async fn read<B: Body<Data: AsRef<[u8]>> + Unpin>(&self, body: B) -> Result<Whole, Refusal> {
        let read = timeout(self.patience, self.read_on(body)).await;
        read.unwrap_or(Err((StatusCode::REQUEST_TIMEOUT, "the request came too slowly")))
    }

    async fn read_on<B: Body<Data: AsRef<[u8]>> + Unpin>(&self, mut body: B) -> Result<Whole, Refusal> {
        let mut bytes = Vec::new();
        let mut room: Option<OwnedSemaphorePermit> = None;
        while let Some(frame) = body.frame().await {
            let broken = (StatusCode::BAD_REQUEST, "the request ended before its end");
            let Ok(data) = frame.map_err(|_| broken)?.into_data() else {
                continue;
            };
            let data = data.as_ref();
            let length = bytes.len().saturating_add(data.len());
            if length > self.limit {
                return Err((StatusCode::PAYLOAD_TOO_LARGE, "the request is too large"));
            }
            if length > SMALL {
                let more = u32::try_from(data.len()).unwrap_or(u32::MAX);
                let Ok(more) = self.room.clone().acquire_many_owned(more).await else {
                    return Err((StatusCode::SERVICE_UNAVAILABLE, "the node is about to stop"));
                };
                match &mut room {
                    Some(room) => room.merge(more),
                    None => room = Some(more),
                }
            }
            bytes.extend_from_slice(data);
        }
        Ok(Whole { bytes, _room: room })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{Full, StreamBody};
    use hyper::body::{Bytes, Frame};
    use std::convert::Infallible;

    const LIMIT: usize = 4 * SMALL;

    fn reader() -> Reader {
        Reader::new(LIMIT, LIMIT, Duration::from_millis(200))
    }

    fn full(length: usize) -> Full<Bytes> {
        Full::new(vec![7; length].into())
    }

    /// The beginning of a body whose end never comes.
    fn half(length: usize) -> impl Body<Data = Bytes, Error = Infallible> + Unpin {
        let begun = futures::stream::iter([Ok(Frame::data(Bytes::from(vec![7; length])))]);
        StreamBody::new(futures::StreamExt::chain(begun, futures::stream::pending()))
    }

    #[tokio::test]
    async fn whole_bodies_are_taken_and_too_large_ones_refused() {
        for length in [0, 1, SMALL, SMALL + 1, LIMIT] {
            assert_eq!(
                reader().read(full(length)).await.ok().unwrap().bytes.len(),
                length
            );
        }
        let refused = reader().read(full(LIMIT + 1)).await.err().unwrap();
        assert_eq!(refused.0, StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[tokio::test]
    async fn a_body_that_never_ends_is_given_up() {
        let refused = reader().read(half(10)).await.err().unwrap();
        assert_eq!(refused.0, StatusCode::REQUEST_TIMEOUT);
    }

    #[tokio::test]
    async fn large_bodies_share_the_room_and_small_ones_need_none() {
        let reader = reader();
        let whole = reader.read(full(LIMIT)).await.ok().unwrap();
        assert_eq!(
            reader.read(full(LIMIT)).await.err().unwrap().0,
            StatusCode::REQUEST_TIMEOUT
        );
        assert!(reader.read(full(SMALL)).await.is_ok());
        drop(whole);
        assert!(reader.read(full(LIMIT)).await.is_ok());
        // Nor does what was given up keep any.
        assert!(reader.read(half(LIMIT)).await.is_err());
        assert!(reader.read(full(LIMIT)).await.is_ok());
    }
}
