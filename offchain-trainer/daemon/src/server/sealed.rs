//! Requests and answers that carry a tag made with the shared token.
//!
//! A tag proves that the sender knows the token, without showing it. Answers are tagged, too, refusals included, so that
//! whoever else gets hold of the port can't speak for the trainer. Nothing of a body is looked at before its tag.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{Extensions, HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::StreamExt;
use hydra_trainer_api::{MAX_BODY, TAG_HEADER, Tag};

use super::{
    Refusal,
    seat::{Answering, REQUEST, Seat},
};
use crate::secret::Secret;

/// How much of a body that is too large is read before it is refused.
const DRAINED: usize = 4 * MAX_BODY;

/// A request whose sender knows the token.
pub(super) struct Sealed {
    pub(super) body: Bytes,
    tag: Tag,
    answering: Option<Answering>,
}

impl Sealed {
    /// Reads the body, at most [`MAX_BODY`] bytes, and checks its tag.
    pub(super) async fn open(token: &Secret, request: Request) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let tag = tag_of(&parts.headers)?;
        let body = read(body).await?;
        check(&tag, &Tag::of_body(token.bytes(), &body))?;
        Ok(Self {
            body,
            tag,
            answering: answering(&parts.extensions),
        })
    }

    /// Checks the tag of a request without a body.
    pub(super) fn open_path(token: &Secret, request: &Request) -> Result<Self, Refusal> {
        let tag = tag_of(request.headers())?;
        check(&tag, &Tag::of_path(token.bytes(), request.uri().path()))?;
        Ok(Self {
            body: Bytes::new(),
            tag,
            answering: answering(request.extensions()),
        })
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
        let tag = self.tag.of_answer(token.bytes(), &body).header();
        let mut response = (status, [(header::CONTENT_TYPE, content_type)], body).into_response();
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            response.headers_mut().insert(TAG_HEADER, tag);
        }
        response
    }

    /// For an answer that is sent little by little and so has no tag: to be kept until all of it is sent.
    pub(super) fn into_answering(self) -> Option<Answering> {
        self.answering
    }
}

fn answering(of: &Extensions) -> Option<Answering> {
    of.get::<Arc<Seat>>().map(Seat::prove)
}

fn check(given: &Tag, right: &Tag) -> Result<(), Refusal> {
    if given == right {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::UNAUTHORIZED,
        "the request's tag is wrong: give node, trainer and command line the same token file",
    ))
}

fn tag_of(headers: &HeaderMap) -> Result<Tag, Refusal> {
    match headers.get(TAG_HEADER).map(|value| Tag::parse(value.as_bytes())) {
        Some(Ok(tag)) => Ok(tag),
        Some(Err(_)) => Err(Refusal::new(
            StatusCode::UNAUTHORIZED,
            format!(
                "the header {TAG_HEADER} must have 64 hexadecimal digits: the keyed BLAKE3 tag of the body, or of the \
                 path where there is none"
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
pub(super) async fn read(body: Body) -> Result<Bytes, Refusal> {
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
    // A little before the connection is given up, so that an honest sender still reads why.
    match tokio::time::timeout(REQUEST * 4 / 5, whole).await {
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
