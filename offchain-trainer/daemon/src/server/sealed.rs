//! Requests and answers that carry a tag made with the shared token.
//!
//! A tag proves that the sender knows the token, without showing it. Answers are tagged, too, refusals included, so that
//! whoever else gets hold of the port can't speak for the trainer. Nothing of a body is looked at before its tag.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::StreamExt;
use hydra_primitives::duty::{MAX_BODY, TAG_HEADER, answer_tag, request_tag, tags_equal};

use super::Refusal;
use crate::secret::Secret;

/// How long a body may take to arrive; it comes from this PC.
const PATIENCE: Duration = Duration::from_secs(10);

/// How much of a body that is too large is read before it is refused.
const DRAINED: usize = 4 * MAX_BODY;

/// A request whose sender knows the token.
pub(super) struct Sealed {
    pub(super) body: Bytes,
    tag: [u8; 32],
}

impl Sealed {
    /// Reads the body, at most [`MAX_BODY`] bytes, and checks its tag.
    pub(super) async fn open(token: &Secret, request: Request) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let tag = tag_of(&parts.headers)?;
        let body = read(body).await?;
        if !tags_equal(&tag, &request_tag(token.bytes(), &body)) {
            return Err(Refusal::new(
                StatusCode::UNAUTHORIZED,
                "the request's tag is wrong: give node, trainer and command line the same token file",
            ));
        }
        Ok(Self { body, tag })
    }

    /// The answer to this request, or the refusal, with its tag.
    pub(super) fn answer(
        self,
        token: &Secret,
        content_type: &'static str,
        answered: Result<Vec<u8>, Refusal>,
    ) -> Response {
        let (status, content_type, body) = match answered {
            Ok(body) => (StatusCode::OK, content_type, body),
            Err(refusal) => (refusal.status, "application/json", refusal.body()),
        };
        let tag = hex::encode(answer_tag(token.bytes(), &self.tag, &body));
        let mut response = (status, [(header::CONTENT_TYPE, content_type)], body).into_response();
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            response.headers_mut().insert(TAG_HEADER, tag);
        }
        response
    }
}

fn tag_of(headers: &HeaderMap) -> Result<[u8; 32], Refusal> {
    let mut tag = [0; 32];
    let found = headers
        .get(TAG_HEADER)
        .map(|value| hex::decode_to_slice(value.as_bytes(), &mut tag));
    match found {
        Some(Ok(())) => Ok(tag),
        Some(Err(_)) => Err(Refusal::new(
            StatusCode::UNAUTHORIZED,
            format!(
                "the header {TAG_HEADER} must have 64 hexadecimal digits: the keyed BLAKE3 tag of the body"
            ),
        )),
        None => Err(Refusal::new(
            StatusCode::UNAUTHORIZED,
            format!(
                "the header {TAG_HEADER} is missing: only programs that know the trainer's token may ask this"
            ),
        )),
    }
}

/// The whole body, if it is at most [`MAX_BODY`] bytes. Of a larger one no more is kept, but up to [`DRAINED`] bytes are
/// taken off the wire: a sender that is cut off in the middle never reads why.
async fn read(body: Body) -> Result<Bytes, Refusal> {
    let whole = async {
        let (mut chunks, mut kept, mut seen) = (body.into_data_stream(), Vec::new(), 0usize);
        while let Some(chunk) = chunks.next().await {
            // A body that broke off has no reader for the answer.
            let Ok(chunk) = chunk else { break };
            seen = seen.saturating_add(chunk.len());
            if seen <= MAX_BODY {
                kept.extend_from_slice(&chunk);
            } else if seen > DRAINED {
                break;
            }
        }
        (seen <= MAX_BODY).then_some(kept)
    };
    match tokio::time::timeout(PATIENCE, whole).await {
        Ok(Some(body)) => Ok(body.into()),
        Ok(None) => Err(Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body has more than {MAX_BODY} bytes: send less at once"),
        )),
        Err(_) => Err(Refusal::new(
            StatusCode::REQUEST_TIMEOUT,
            "the body did not arrive in time: send it again",
        )),
    }
}
