//! The HTTP server on 127.0.0.1: for the node, the command line tool and the dashboard of this PC.
//!
//! Everything that costs work or changes something needs the token; what anyone may read holds no secrets. Must never
//! listen on another address, or answer a page of another site.

mod guard;
mod sealed;
mod serve;

pub(crate) use serve::serve;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use codec::{DecodeAll, Encode};
use hydra_primitives::duty::{DUTIES_PATH, DUTY_PROTOCOL, DutyAnswer, DutySheet};
use hydra_trainer_api::Question;
use serde::Serialize;

use crate::{
    ask::{self, AskError},
    secret::Secret,
    status::Status,
    tasks::Shared,
    torch::TorchError,
    weights::file,
};
use sealed::Sealed;

/// Header with the name of the weights that are downloaded.
const WEIGHTS_HEADER: &str = "x-hydra-weights-hash";
/// Header with their version.
const VERSION_HEADER: &str = "x-hydra-weights-version";

/// What handlers work with.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) shared: Arc<Shared>,
    pub(crate) token: Secret,
}

/// A request that is refused: a status and one sentence.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    sentence: String,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, sentence: impl Into<String>) -> Self {
        Self {
            status,
            sentence: sentence.into(),
        }
    }

    fn body(&self) -> Vec<u8> {
        serde_json::json!({ "error": self.sentence })
            .to_string()
            .into_bytes()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (
            self.status,
            [(header::CONTENT_TYPE, "application/json")],
            self.body(),
        )
            .into_response()
    }
}

/// All paths.
pub(crate) fn router(context: Context) -> Router {
    Router::new()
        .route(DUTIES_PATH, post(duties))
        .route("/v1/status", get(status))
        .route("/v1/infer", post(infer))
        .route("/v1/check-image", post(check_image))
        .route("/v1/model/{id}/weights", get(weights))
        .fallback(async || {
            Refusal::new(
                StatusCode::NOT_FOUND,
                "there is nothing at this path: see /v1/status for what the trainer does",
            )
        })
        .method_not_allowed_fallback(async || {
            Refusal::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "this path takes another method: POST for duties and questions, GET else",
            )
        })
        .layer(middleware::from_fn(guard::guard))
        .with_state(context)
}

async fn duties(State(context): State<Context>, request: Request) -> Result<Response, Refusal> {
    let sealed = Sealed::open(&context.token, request).await?;
    let answered = match read_sheet(&sealed.body) {
        Ok(sheet) => Ok(DutyAnswer {
            results: context.shared.read(sheet),
        }
        .encode()),
        Err(refusal) => Err(refusal),
    };
    Ok(sealed.answer(&context.token, "application/octet-stream", answered))
}

fn read_sheet(mut body: &[u8]) -> Result<DutySheet, Refusal> {
    // First, because nothing else of another protocol's sheet can be relied on.
    if let Some(protocol) = body.first_chunk::<2>().map(|bytes| u16::from_le_bytes(*bytes))
        && protocol != DUTY_PROTOCOL
    {
        return Err(Refusal::new(
            StatusCode::CONFLICT,
            format!(
                "the node speaks duty protocol {protocol}, this trainer {DUTY_PROTOCOL}: use a node and a trainer of one release"
            ),
        ));
    }
    DutySheet::decode_all(&mut body).map_err(|error| {
        Refusal::new(
            StatusCode::BAD_REQUEST,
            format!("the duty sheet does not decode ({error}): use a node and a trainer of one release"),
        )
    })
}

async fn status(State(context): State<Context>) -> Json<Status> {
    Json(Status::of(&context.shared))
}

async fn infer(State(context): State<Context>, request: Request) -> Result<Response, Refusal> {
    let sealed = Sealed::open(&context.token, request).await?;
    let answered = match read_question(&sealed.body) {
        Ok(question) => ask::infer(&context.shared, &question)
            .await
            .map_err(refuse)
            .and_then(json),
        Err(refusal) => Err(refusal),
    };
    Ok(sealed.answer(&context.token, "application/json", answered))
}

async fn check_image(State(context): State<Context>, request: Request) -> Result<Response, Refusal> {
    let sealed = Sealed::open(&context.token, request).await?;
    let answered = match read_question(&sealed.body) {
        Ok(question) => ask::check(&context.shared, &question)
            .await
            .map_err(refuse)
            .and_then(json),
        Err(refusal) => Err(refusal),
    };
    Ok(sealed.answer(&context.token, "application/json", answered))
}

fn read_question(body: &[u8]) -> Result<Question, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        Refusal::new(
            StatusCode::BAD_REQUEST,
            format!(
                "the question is not understood ({error}): send {{\"model\":0,\"image\":{{\"Pixels\":[…]}}}} or \
                 {{\"model\":0,\"image\":{{\"ValidationIndex\":0}}}}"
            ),
        )
    })
}

fn json(value: impl Serialize) -> Result<Vec<u8>, Refusal> {
    serde_json::to_vec(&value).map_err(|error| {
        Refusal::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("the answer can't be written: {error}"),
        )
    })
}

fn refuse(error: AskError) -> Refusal {
    let status = match &error {
        AskError::UnknownModel { .. } => StatusCode::NOT_FOUND,
        AskError::WrongPixels { .. } | AskError::BadPixel { .. } | AskError::BadIndex { .. } => {
            StatusCode::BAD_REQUEST
        }
        AskError::NoSheet | AskError::NoWeights { .. } | AskError::NoData(_) | AskError::Busy => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        AskError::Torch(TorchError::Starting | TorchError::Failed(_) | TorchError::Stopping) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        AskError::Torch(TorchError::Engine(_)) | AskError::BadData(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    Refusal::new(status, error.to_string())
}

async fn weights(State(context): State<Context>, Path(id): Path<String>) -> Result<Response, Refusal> {
    let not_found = |sentence: String| Refusal::new(StatusCode::NOT_FOUND, sentence);
    let model = id
        .parse()
        .map_err(|_| not_found(format!("{id:?} is no model's number: use one such as 0")))?;
    let duties = context.shared.model(model);
    let duties = duties.ok_or_else(|| {
        not_found(format!(
            "this trainer knows no model {model}: see `models` in /v1/status; it learns them from its node"
        ))
    })?;
    let missing = || not_found(AskError::NoWeights { model }.to_string());
    let held = context.shared.weights.confirmed_held(model).ok_or_else(missing)?;
    let bytes = context.shared.depot.local(file(&duties.spec, held.hash)).await;
    let bytes = bytes.map_err(|error| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    let bytes = bytes.ok_or_else(missing)?;
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    if let Ok(hash) = HeaderValue::from_str(&format!("{:?}", held.hash)) {
        headers.insert(WEIGHTS_HEADER, hash);
    }
    headers.insert(VERSION_HEADER, held.version.into());
    Ok(response)
}
