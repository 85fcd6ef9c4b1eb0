//! The HTTP server on 127.0.0.1: for the node, the command line tool and the dashboard of this PC.
//!
//! Everything that costs work or changes something needs the token, or a payment on chain; what anyone may read holds no
//! secrets. Must never listen on another address, or answer a page of another site.

mod download;
mod events;
mod guard;
mod page;
mod paid;
mod sealed;
mod seat;
mod serve;

pub(crate) use serve::serve;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{HeaderValue, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use codec::{DecodeAll, Encode};
use hydra_primitives::duty::{DUTY_PROTOCOL, DutySheet};
use hydra_trainer_api::{
    CHECK_PATH, DUTIES_PATH, EVENTS_PATH, INFER_PATH, NODE_PATH, NodeReport, PAID_PATH, Question,
    STATUS_PATH, Status, WEIGHTS_ROUTE,
};
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    ask::{self, AskError},
    node::Node,
    secret::Secret,
    status::status,
    tasks::Shared,
    torch::TorchError,
    tunnels::Tunnels,
};
use download::Downloads;
use events::LISTENERS;
use paid::Payments;
use sealed::Sealed;

/// Questions at a time: more would take the places of others, and the engine answers a few at a time.
const QUESTIONS: usize = 16;

/// What handlers work with.
#[derive(Clone)]
pub(crate) struct Context {
    shared: Arc<Shared>,
    token: Secret,
    questions: Arc<Semaphore>,
    downloads: Arc<Downloads>,
    listeners: Arc<Semaphore>,
    payments: Arc<Payments>,
    node: Node,
    tunnels: Arc<Tunnels>,
    page_policy: HeaderValue,
}

impl Context {
    pub(crate) fn new(shared: Arc<Shared>, tunnels: Arc<Tunnels>, token: Secret, node_rpc_port: u16) -> Self {
        let node = Node::new(node_rpc_port);
        Self {
            shared,
            token,
            questions: Arc::new(Semaphore::new(QUESTIONS)),
            downloads: Arc::default(),
            listeners: Arc::new(Semaphore::new(LISTENERS)),
            payments: Arc::new(Payments::new(node)),
            node,
            tunnels,
            page_policy: page::policy(node_rpc_port),
        }
    }

    fn status(&self) -> Status {
        status(&self.shared, self.node.port())
    }

    fn place_for_a_question(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        place(&self.questions, || {
            format!("{QUESTIONS} questions are being answered already: ask again in a moment")
        })
    }
}

/// One of the places, if one is free: nobody waits with a connection open.
fn place(places: &Arc<Semaphore>, taken: impl FnOnce() -> String) -> Result<OwnedSemaphorePermit, Refusal> {
    places
        .clone()
        .try_acquire_owned()
        .map_err(|_| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, taken()))
}

/// A request that is refused: a status and one sentence.
#[derive(Clone, Debug)]
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
        let refusal = hydra_trainer_api::Refusal {
            error: self.sentence.clone(),
        };
        // Text can always be written.
        serde_json::to_vec(&refusal).unwrap_or_default()
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
    page::routes(Router::new())
        .route(DUTIES_PATH, post(duties))
        .route(NODE_PATH, post(lead_node))
        .route(STATUS_PATH, get(show_status))
        .route(EVENTS_PATH, get(listen))
        .route(PAID_PATH, post(answer_paid))
        .route(INFER_PATH, post(infer))
        .route(CHECK_PATH, post(check_image))
        .route(WEIGHTS_ROUTE, get(weights))
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
        Ok(sheet) => Ok(context.shared.read(sheet).await.encode()),
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

async fn lead_node(State(context): State<Context>, request: Request) -> Result<Response, Refusal> {
    let sealed = Sealed::open(&context.token, request).await?;
    let answered = read_report(&sealed.body)
        .and_then(|report| {
            let told = context.tunnels.hear(&report);
            told.map_err(|error| Refusal::new(StatusCode::BAD_REQUEST, error.to_string()))
        })
        .and_then(json);
    Ok(sealed.answer(&context.token, "application/json", answered))
}

fn read_report(body: &[u8]) -> Result<NodeReport, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        Refusal::new(
            StatusCode::BAD_REQUEST,
            format!("what the node says of itself is not understood ({error}): use a node and a trainer of one release"),
        )
    })
}

async fn show_status(State(context): State<Context>) -> Json<Status> {
    Json(context.status())
}

async fn listen(State(context): State<Context>, request: Request) -> Result<Response, Refusal> {
    events::events(context, &request)
}

async fn answer_paid(State(context): State<Context>, request: Request) -> Result<Response, Refusal> {
    context.payments.answer(&context, request).await
}

async fn infer(State(context): State<Context>, request: Request) -> Result<Response, Refusal> {
    let sealed = Sealed::open(&context.token, request).await?;
    let answered = async {
        let question = read_question(&sealed.body)?;
        let _place = context.place_for_a_question()?;
        json(ask::infer(&context.shared, &question).await.map_err(refuse)?)
    };
    let answered = answered.await;
    Ok(sealed.answer(&context.token, "application/json", answered))
}

async fn check_image(State(context): State<Context>, request: Request) -> Result<Response, Refusal> {
    let sealed = Sealed::open(&context.token, request).await?;
    let answered = async {
        let question = read_question(&sealed.body)?;
        let _place = context.place_for_a_question()?;
        json(ask::check(&context.shared, &question).await.map_err(refuse)?)
    };
    let answered = answered.await;
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
        AskError::WrongPixels { .. }
        | AskError::BadPixel { .. }
        | AskError::BadIndex { .. }
        | AskError::WrongReadings { .. } => StatusCode::BAD_REQUEST,
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

async fn weights(
    State(context): State<Context>,
    model: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Refusal> {
    let sealed = Sealed::open_path(&context.token, &request)?;
    // A path that is no text names no model either.
    let model = model.map_or_else(|_| "?".into(), |Path(model)| model);
    Ok(match context.downloads.begin(&context.shared, &model).await {
        Ok(download) => download.answer(sealed),
        Err(refusal) => sealed.answer(&context.token, "application/json", Err(refusal)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{
        plan,
        tests::{description, models, sheet, train, verify},
    };
    use proptest::prelude::*;

    #[test]
    fn who_finds_no_place_is_told_so_at_once() {
        let places = Arc::new(Semaphore::new(1));
        let first = place(&places, String::new).unwrap();
        let refused = place(&places, || "come back".into()).unwrap_err();
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.sentence, "come back");
        drop(first);
        assert!(place(&places, String::new).is_ok());
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_a_sheet_or_a_refusal(bytes in proptest::collection::vec(any::<u8>(), 0..2000), at in any::<usize>()) {
            let _ = read_sheet(&bytes);
            let _ = read_question(&bytes);
            let _ = read_report(&bytes);
            // Of our protocol, and of what is almost a sheet, too.
            let _ = read_sheet(&[&DUTY_PROTOCOL.to_le_bytes()[..], &bytes].concat());
            let mut good = sheet(vec![train(), verify(1, 20)]);
            good.described = vec![description()];
            let mut sheet = good.encode();
            let at = at % sheet.len();
            for (byte, other) in sheet[at..].iter_mut().zip(&bytes) {
                *byte ^= other;
            }
            if let Ok(sheet) = read_sheet(&sheet) {
                let _ = plan(&sheet, &models(&sheet));
            }
        }
    }
}
