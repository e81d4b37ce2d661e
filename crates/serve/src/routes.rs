//! Every route of the server, and what it needs: one table, which the router, the matrix of
//! authorisations and the API's description are made from.
//!
//! There is no other way to add a route, and none without a [`Need`].

use crate::access::policy::Action;
use crate::app::App;
use crate::gate::{self, Need};
use crate::problem::Problem;
use crate::{answers, append, live, logs_api, mcp, metrics, otlp, public};
use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::routing::{MethodRouter, get, post};
use std::time::Duration;
use tokio::time::{Instant, timeout};
use tower_http::compression::CompressionLayer;

/// A request is answered within this time, or not at all.
const ANSWER_MAX: Duration = Duration::from_secs(120);
/// Bodies that are not events: names, statements.
const SMALL_BODY_BYTES_MAX: usize = 1 << 20;

/// A route.
pub struct Route {
    /// Its method.
    pub method: Method,
    /// Its path, with parameters in braces.
    pub path: &'static str,
    /// What it needs.
    pub need: Need,
    handler: MethodRouter<App>,
}

/// All of them.
#[must_use]
pub fn table() -> Vec<Route> {
    use Action::{AppendEvents, CreateLog, ReadMetadata, ReadMetrics, ReadProofs};
    use Need::{AnyCaller, Log, Nothing, PublicLog, Server};
    let get_route = |path, need, handler| Route { method: Method::GET, path, need, handler };
    let post_route = |path, need, handler| Route { method: Method::POST, path, need, handler };
    let events = "/api/v1/logs/{log}/events";
    vec![
        get_route("/healthz", Nothing, get(logs_api::healthz)),
        get_route("/readyz", Nothing, get(logs_api::readyz)),
        get_route("/metrics", Server(ReadMetrics), get(metrics::metrics)),
        get_route("/api/v1/logs", AnyCaller, get(logs_api::list)),
        post_route("/api/v1/logs", Server(CreateLog), post(logs_api::create)),
        get_route("/api/v1/logs/{log}", Log(ReadMetadata), get(logs_api::health_of_log)),
        post_route(events, Log(AppendEvents), post(append::append)),
        get_route(events, Log(ReadMetadata), get(answers::events)),
        get_route("/api/v1/logs/{log}/events/{id}", Log(ReadMetadata), get(answers::event)),
        get_route("/api/v1/logs/{log}/events/{id}/proof", Log(ReadProofs), get(answers::proof)),
        get_route("/api/v1/logs/{log}/traces/{id}", Log(ReadMetadata), get(answers::trace)),
        get_route("/api/v1/logs/{log}/traces/{id}/graph", Log(ReadMetadata), get(answers::graph)),
        get_route("/api/v1/logs/{log}/sessions", Log(ReadMetadata), get(answers::sessions)),
        get_route("/api/v1/logs/{log}/sessions/{id}", Log(ReadMetadata), get(answers::session)),
        get_route("/api/v1/logs/{log}/agents", Log(ReadMetadata), get(answers::agents)),
        get_route("/api/v1/logs/{log}/agents/{name}", Log(ReadMetadata), get(answers::agent)),
        get_route("/api/v1/logs/{log}/live", Log(ReadMetadata), get(live::live)),
        post_route("/mcp", Log(ReadMetadata), post(mcp::http::mcp)),
        get_route("/log/{log}/checkpoint", PublicLog(ReadProofs), get(public::checkpoint)),
        get_route("/log/{log}/tile/{*rest}", PublicLog(ReadProofs), get(public::tile)),
        get_route("/log/{log}/ledger", PublicLog(ReadProofs), get(public::ledger)),
        get_route("/log/{log}/ledger/{name}", PublicLog(ReadProofs), get(public::disclosed)),
        post_route("/v1/traces", Log(AppendEvents), post(otlp::traces)),
        post_route("/v1/logs", Log(AppendEvents), post(otlp::logs)),
        post_route("/api/v1/logs/{log}/otlp/v1/traces", Log(AppendEvents), post(otlp::traces)),
        post_route("/api/v1/logs/{log}/otlp/v1/logs", Log(AppendEvents), post(otlp::logs)),
        post_route(
            "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            Log(AppendEvents),
            post(otlp::grpc_traces),
        ),
        post_route(
            "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
            Log(AppendEvents),
            post(otlp::grpc_logs),
        ),
    ]
}

/// The router: every route behind its gate.
pub fn router(app: App) -> Router {
    let mut router = Router::new();
    for Route { path, need, handler, .. } in table() {
        let gate = from_fn_with_state((app.clone(), need), gate::gate);
        router = router.route(path, handler.route_layer(gate));
    }
    router
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(DefaultBodyLimit::max(SMALL_BODY_BYTES_MAX))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(app.clone(), around))
        .with_state(app)
}

async fn no_such_route() -> Problem {
    Problem::not_found("there is no such address; docs/server.md lists those that there are")
}

async fn no_such_method() -> Problem {
    let detail = "this address does not take this method; docs/server.md says which it takes";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
}

/// Around every request: a deadline, a count, and what every answer says to browsers.
async fn around(State(app): State<App>, request: Request, next: Next) -> Response<Body> {
    let (begun, grpc) = (Instant::now(), otlp::is_grpc(request.headers()));
    let mut response = match timeout(ANSWER_MAX, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let problem =
                Problem::busy("too_slow", "it could not be answered in time; ask for less");
            otlp::told(problem, grpc)
        }
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    // What is protected is kept by nobody on the way; files that never change say so themselves.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    app.metrics().answered(response.status(), begun.elapsed());
    response
}
