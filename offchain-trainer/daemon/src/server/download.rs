//! The download of a model's weights: from the file, little by little, and only a few at a time.
//!
//! Must never hold a whole file in memory: it has as many bytes as the chain allows a model.

use std::{io, sync::Arc};

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::stream::try_unfold;
use hydra_primitives::{BlobRef, ModelId};
use hydra_trainer_api::{VERSION_HEADER, WEIGHTS_HEADER};
use tokio::{
    fs::File,
    io::{AsyncReadExt, Take},
    sync::{OwnedSemaphorePermit, Semaphore},
};

use super::{Refusal, place, sealed::Sealed};
use crate::{
    ask::AskError,
    tasks::Shared,
    weights::{Held, file},
};

/// Downloads at a time.
const DOWNLOADS: usize = 4;
/// Bytes of a file that are in memory at a time.
const CHUNK: usize = 256 * 1024;

/// The downloads that are under way.
pub(super) struct Downloads(Arc<Semaphore>);

impl Default for Downloads {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(DOWNLOADS)))
    }
}

/// A download that can begin.
pub(super) struct Download {
    place: OwnedSemaphorePermit,
    held: Held,
    blob: BlobRef,
    file: File,
}

impl Downloads {
    /// Finds the newest confirmed weights of the model with this number.
    pub(super) async fn begin(&self, shared: &Shared, model: &str) -> Result<Download, Refusal> {
        let not_found = |sentence: String| Refusal::new(StatusCode::NOT_FOUND, sentence);
        let model: ModelId = model
            .parse()
            .map_err(|_| not_found(format!("{model:?} is no model's number: use one such as 0")))?;
        let known = shared.model(model).ok_or_else(|| {
            not_found(format!(
                "this trainer knows no model {model}: see `models` in /v1/status; it learns them from its node"
            ))
        })?;
        let place = place(&self.0, || {
            format!("{DOWNLOADS} downloads are under way already: try again in a minute")
        })?;
        let missing = || not_found(AskError::NoWeights { model }.to_string());
        let held = shared.weights.held(model).ok_or_else(missing)?;
        let blob = file(known.spec(), held.weights.hash);
        let opened = shared.depot.file(blob).await;
        let opened =
            opened.map_err(|error| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
        Ok(Download {
            place,
            held,
            blob,
            file: File::from_std(opened.ok_or_else(missing)?),
        })
    }
}

impl Download {
    /// The answer. It has no tag: whoever downloads compares the hash with what the chain has confirmed.
    pub(super) fn answer(self, sealed: Sealed) -> Response {
        // Until all of it is sent, or the other side is gone.
        let held_on_to = (self.place, sealed.into_answering());
        let chunks = try_unfold(
            (self.file.take(self.blob.size), held_on_to),
            |(mut file, held_on_to)| async move {
                let chunk = next_chunk(&mut file).await?;
                Ok::<_, io::Error>(chunk.map(|chunk| (chunk, (file, held_on_to))))
            },
        );
        let mut response = Body::from_stream(chunks).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/octet-stream"),
        );
        // A file that became shorter is then seen to be cut off.
        headers.insert(header::CONTENT_LENGTH, self.blob.size.into());
        if let Ok(hash) = HeaderValue::from_str(&format!("{:?}", self.held.weights.hash)) {
            headers.insert(WEIGHTS_HEADER, hash);
        }
        headers.insert(VERSION_HEADER, self.held.version.into());
        response
    }
}

async fn next_chunk(file: &mut Take<File>) -> io::Result<Option<Bytes>> {
    let mut chunk = vec![0; CHUNK];
    let read = file.read(&mut chunk).await?;
    chunk.truncate(read);
    Ok((read > 0).then(|| chunk.into()))
}
