//! The server that answers JSON-RPC over HTTP and WebSocket, with the guard before it.
//!
//! The one that comes with the service can't be given a guard. It is left without anything to do ([`take_over`]), and
//! the same methods are served here. See docs/decisions/009-who-may-speak-to-the-node.md.

use super::{
    body::Reader,
    cors,
    guard::{Guard, Refusal},
};
use crate::{error::Error, ports};
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{self, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use jsonrpsee::{
    Methods, RpcModule,
    server::{
        HttpBody, HttpResponse, PingConfig, RandomStringIdProvider, RpcServiceBuilder, Server as JsonRpc,
        ServerHandle, StopHandle, stop_channel, ws,
    },
};
use sc_rpc::DenyUnsafe;
use sc_rpc_server::{MiddlewareLayer, NodeHealthProxyLayer};
use sc_service::config::{RpcConfiguration, RpcEndpoint, RpcMethods};
use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpStream, runtime::Runtime, sync::Semaphore, time::timeout};
use tower::Service as _;

const MIB: u32 = 1024 * 1024;
/// How long a client may take to say what it wants; also, how long an idle one stays connected.
const HEAD_TIME: Duration = Duration::from_secs(20);
/// How long one HTTP request may take to be answered.
const REQUEST_TIME: Duration = Duration::from_secs(120);
/// Sockets for each request that may be under way: many clients only keep a connection open, or are slow to begin.
const SOCKETS_PER_REQUEST: usize = 8;
/// What requests that aren't complete may hold in all, in MiB.
const UNFINISHED_MIB: u32 = 64;
/// How long to wait when no socket can be had.
const PAUSE: Duration = Duration::from_millis(200);

/// Takes the addresses out of the service's configuration, so that its own server is left with one that nobody knows
/// and a limit of no requests at all: it can't be configured to listen nowhere.
pub fn take_over(config: &mut RpcConfiguration) -> Result<Vec<RpcEndpoint>, Error> {
    let endpoints = config.addr.take().unwrap_or_default();
    let Some(first) = endpoints.first() else {
        return Err(Error::Input(
            "JSON-RPC needs an address to listen on: choose one with --rpc-port".into(),
        ));
    };
    if endpoints
        .iter()
        .any(|endpoint| endpoint.rate_limit_trust_proxy_headers)
    {
        return Err(Error::Input(
            "this node doesn't read a proxy's headers: leave out --rpc-rate-limit-trust-proxy-headers, and limit rates in \
             the proxy"
                .into(),
        ));
    }
    config.addr = Some(vec![RpcEndpoint {
        listen_addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        max_connections: 0,
        cors: Some(vec![]),
        rpc_methods: RpcMethods::Safe,
        is_optional: false,
        retry_random_port: false,
        ..first.clone()
    }]);
    Ok(endpoints)
}

/// Stops answering when it is dropped.
pub struct Server {
    _handle: ServerHandle,
    /// Its own, so that no flood of questions takes the threads on which blocks are made.
    runtime: Option<Runtime>,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Waiting for it isn't allowed where a task drops it.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Server {
    /// Listens on the endpoints and answers with `methods`, as many at a time as the first endpoint takes. Pages of this PC's
    /// trainer, which is at `trainer_port`, may ask, too.
    pub fn start(
        endpoints: Vec<RpcEndpoint>,
        methods: &RpcModule<()>,
        logged: u32,
        trainer_port: u16,
    ) -> Result<Self, Error> {
        let methods = with_list(methods)?;
        let (stop, handle) = stop_channel();
        let threads = endpoints.iter().map(|endpoint| endpoint.max_connections).max();
        let runtime = sc_rpc_server::create_rpc_runtime(threads.unwrap_or(1)).map_err(|error| {
            Error::Input(format!(
                "the system gives JSON-RPC no threads ({error}): stop other programs"
            ))
        })?;
        let tasks = runtime.handle().clone();
        let server = Self {
            _handle: handle,
            runtime: Some(runtime),
        };
        // What listens here is served there.
        let _there = tasks.enter();
        let mut addresses = Vec::new();
        for endpoint in endpoints {
            let address = endpoint.listen_addr;
            let listener = match listen(address, endpoint.is_optional) {
                Ok(listener) => listener,
                // IPv6, where there is none. Where another program has it, `localhost` would lead there.
                Err(error) if endpoint.is_optional && !ports::is_taken(&error) => {
                    log::debug!("JSON-RPC doesn't listen on {address}: {error}");
                    continue;
                }
                Err(error) => return Err(ports::refused(address, "--rpc-port", error)),
            };
            let bound = listener
                .local_addr()
                .map_err(|error| ports::refused(address, "--rpc-port", error))?;
            addresses.push(bound.to_string());
            let door = Arc::new(Door {
                guard: Guard::new(bound, endpoint.cors.clone(), trainer_port),
                bodies: Reader::new(
                    megabytes(endpoint.max_payload_in_mb),
                    megabytes(UNFINISHED_MIB),
                    HEAD_TIME,
                ),
                endpoint,
                methods: methods.clone(),
                stop: stop.clone(),
                logged,
            });
            tasks.spawn(door.serve(listener));
        }
        log::info!("Running JSON-RPC server: addr={}", addresses.join(","));
        Ok(server)
    }
}

fn listen(address: SocketAddr, beside_ipv4: bool) -> std::io::Result<tokio::net::TcpListener> {
    let listener = ports::listen(address, beside_ipv4)?;
    listener.set_nonblocking(true)?;
    tokio::net::TcpListener::from_std(listener)
}

fn megabytes(count: u32) -> usize {
    usize::try_from(count.saturating_mul(MIB)).unwrap_or(usize::MAX)
}

/// The methods and, as every Substrate node has it, one that lists them.
fn with_list(methods: &RpcModule<()>) -> Result<Methods, Error> {
    let mut module = methods.clone();
    let mut names: Vec<&str> = module.method_names().chain(["rpc_methods"]).collect();
    names.sort_unstable();
    module
        .register_method(
            "rpc_methods",
            move |_, _, _| serde_json::json!({ "methods": names }),
        )
        .map_err(|error| Error::Input(format!("the list of JSON-RPC methods can't be made ({error})")))?;
    Ok(module.into())
}

/// One address: who may come in, and what is behind it.
struct Door {
    guard: Guard,
    bodies: Reader,
    endpoint: RpcEndpoint,
    methods: Methods,
    stop: StopHandle,
    logged: u32,
}

impl Door {
    async fn serve(self: Arc<Self>, listener: tokio::net::TcpListener) {
        let requests = usize::try_from(self.endpoint.max_connections).unwrap_or(usize::MAX);
        let places = requests
            .saturating_mul(SOCKETS_PER_REQUEST)
            .clamp(1, Semaphore::MAX_PERMITS);
        let places = Arc::new(Semaphore::new(places));
        let service = self.json_rpc();
        let mut stopped = std::pin::pin!(self.stop.clone().shutdown());
        loop {
            let Ok(place) = places.clone().acquire_owned().await else {
                return;
            };
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = &mut stopped => return,
            };
            match accepted {
                Ok((socket, peer)) => {
                    let connection = self.clone().connection(socket, peer, service.clone());
                    tokio::spawn(async move {
                        connection.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    log::debug!("JSON-RPC: a connection was lost before it began: {error}");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// What answers once the guard is passed: as the service's own server would.
    fn json_rpc(&self) -> JsonRpcBuilder {
        let endpoint = &self.endpoint;
        JsonRpc::builder()
            .max_request_body_size(endpoint.max_payload_in_mb.saturating_mul(MIB))
            .max_response_body_size(endpoint.max_payload_out_mb.saturating_mul(MIB))
            .max_connections(endpoint.max_connections)
            .max_subscriptions_per_connection(endpoint.max_subscriptions_per_connection)
            .set_message_buffer_capacity(endpoint.max_buffer_capacity_per_connection)
            .set_batch_request_config(endpoint.batch_config)
            .enable_ws_ping(
                PingConfig::new()
                    .ping_interval(Duration::from_secs(30))
                    .inactive_limit(Duration::from_secs(60))
                    .max_failures(3),
            )
            .set_id_provider(RandomStringIdProvider::new(16))
            .to_service_builder()
    }

    async fn connection(self: Arc<Self>, socket: TcpStream, peer: SocketAddr, json_rpc: JsonRpcBuilder) {
        let trusted = &self.endpoint.rate_limit_whitelisted_ips;
        let limit = match self.endpoint.rate_limit {
            Some(limit) if !trusted.iter().any(|network| network.contains(peer.ip())) => {
                Some(MiddlewareLayer::new().with_rate_limit_per_minute(limit))
            }
            _ => None,
        };
        let middleware = RpcServiceBuilder::new()
            .rpc_logger(self.logged)
            .option_layer(limit);
        let answering = json_rpc
            .clone()
            .set_rpc_middleware(middleware.clone())
            .build(self.methods.clone(), self.stop.clone());
        // WebSockets, and what watches a node's health: neither has a body.
        let watching = json_rpc
            .set_rpc_middleware(middleware)
            .set_http_middleware(tower::ServiceBuilder::new().layer(NodeHealthProxyLayer))
            .build(self.methods.clone(), self.stop.clone());
        let door = self.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let mut answering = answering.clone();
            let mut watching = watching.clone();
            let door = door.clone();
            async move {
                let origin = match door.guard.check(&request) {
                    Ok(origin) => origin,
                    Err(refusal) => return Ok::<_, Infallible>(refuse(&refusal)),
                };
                let mut response = if cors::is_preflight(&request) {
                    cors::preflight(&request)
                } else {
                    let mut request = request;
                    request.extensions_mut().insert(door.unsafe_methods());
                    let answer = if ws::is_upgrade_request(&request) {
                        // Answered at once; what follows on the WebSocket has its own pings.
                        Ok(watching.call(request).await)
                    } else if request.method() == Method::GET || is_watched(request.uri().path()) {
                        timeout(REQUEST_TIME, watching.call(request)).await
                    } else {
                        let (head, body) = request.into_parts();
                        let whole = match door.bodies.read(body).await {
                            Ok(whole) => whole,
                            Err((status, sentence)) => return Ok(close(text(status, sentence))),
                        };
                        let request = Request::from_parts(head, HttpBody::from(whole.bytes));
                        timeout(REQUEST_TIME, answering.call(request)).await
                    };
                    let Ok(answer) = answer else {
                        return Ok(close(text(
                            StatusCode::REQUEST_TIMEOUT,
                            "the request took too long",
                        )));
                    };
                    answer.unwrap_or_else(|error| {
                        log::debug!("JSON-RPC: a request from {peer} failed: {error}");
                        text(
                            StatusCode::INTERNAL_SERVER_ERROR,
                            "the request could not be answered",
                        )
                    })
                };
                if let Some(origin) = origin {
                    cors::show_to(origin, &mut response);
                }
                Ok(response)
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME)
            .serve_connection(TokioIo::new(socket), service)
            .with_upgrades();
        tokio::select! {
            ended = connection => if let Err(error) = ended {
                log::debug!("JSON-RPC: the connection from {peer} ended: {error}");
            },
            () = self.stop.clone().shutdown() => {}
        }
    }

    /// Methods that show or change what is the owner's alone must be asked for, on this PC too.
    fn unsafe_methods(&self) -> DenyUnsafe {
        match self.endpoint.rpc_methods {
            RpcMethods::Unsafe => DenyUnsafe::No,
            RpcMethods::Safe | RpcMethods::Auto => DenyUnsafe::Yes,
        }
    }
}

/// The paths that aren't JSON-RPC's. Whatever is sent there besides is denied without being read.
fn is_watched(path: &str) -> bool {
    matches!(path, "/health" | "/health/readiness")
}

type JsonRpcBuilder =
    jsonrpsee::server::TowerServiceBuilder<tower::layer::util::Identity, tower::layer::util::Identity>;

fn refuse(refusal: &Refusal) -> HttpResponse {
    log::debug!("JSON-RPC: refused a request: {refusal}");
    close(text(StatusCode::FORBIDDEN, &refusal.to_string()))
}

/// Whatever else the client wanted to say, it is not listened to.
fn close(mut response: HttpResponse) -> HttpResponse {
    response
        .headers_mut()
        .insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

fn text(status: StatusCode, sentence: &str) -> HttpResponse {
    let mut response = Response::new(HttpBody::from(format!("{sentence}\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}
