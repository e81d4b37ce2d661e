//! Every route of the server, and what it needs: one table, which the router, the matrix of
//! authorisations and the API's description are made from.
//!
//! There is no other way to add a route, and none without a [`Need`] and an `About`.

use crate::about::opentelemetry as exporting;
use crate::about::{
    About, appending, asking, keeping, models, papers, public_log, running, signing,
};
use crate::access::oidc::sign_in::RETURN_PATH;
use crate::access::policy::Action::{
    AppendEvents, CreateLog, Erase, ManageHolds, ManageKeys, ManageRetention, ReadMetadata,
    ReadMetrics, ReadProofs, ReadRetention, RunSql,
};
use crate::app::App;
use crate::gate::Need::{AnyCaller, Log, Nothing, PublicLog, Server};
use crate::gate::{self, Need};
use crate::problem::Problem;
use crate::{
    agent_keys, answers, append, body, bundles, console, dashboard, forensics, life_cycle_api,
    live, logs_api, mcp, metrics, openapi, otlp, page, public, reports, sql,
};
use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::routing::{MethodRouter, delete, get, post};
use tokio::time::{Instant, timeout};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate as _, SizeAbove};

/// Answers from this many bytes on are packed, and only for callers with a credential. A packer
/// takes far more memory than a refusal, and keeps it until whoever asked reads.
const PACKED_BYTES_MIN: u64 = 4 << 10;

/// A route.
pub struct Route {
    /// Its method.
    pub method: Method,
    /// Its path, with parameters in braces.
    pub path: &'static str,
    /// What it needs.
    pub need: Need,
    /// What it says about itself.
    pub(crate) about: About,
    handler: MethodRouter<App>,
}

fn at(path: &'static str, need: Need, about: About, handler: MethodRouter<App>) -> Route {
    Route { method: Method::GET, path, need, about, handler }
}

fn to(path: &'static str, need: Need, about: About, handler: MethodRouter<App>) -> Route {
    Route { method: Method::POST, path, need, about, handler }
}

fn off(path: &'static str, need: Need, about: About, handler: MethodRouter<App>) -> Route {
    Route { method: Method::DELETE, path, need, about, handler }
}

/// All of them.
#[must_use]
pub fn table() -> Vec<Route> {
    [server(), for_people(), logs(), keys(), questions(), life_cycle(), opentelemetry()]
        .into_iter()
        .flatten()
        .collect()
}

fn server() -> Vec<Route> {
    vec![
        at("/healthz", Nothing, running::healthz(), get(logs_api::healthz)),
        at("/readyz", Nothing, running::readyz(), get(logs_api::readyz)),
        at("/openapi.json", Nothing, running::description(), get(openapi::openapi)),
        at("/docs", Nothing, running::docs(), get(page::docs)),
        at("/metrics", Server(ReadMetrics), running::metrics(), get(metrics::metrics)),
        at("/api/v1/logs", AnyCaller, running::list(), get(logs_api::list)),
        to("/api/v1/logs", Server(CreateLog), running::create(), post(logs_api::create)),
        to("/mcp", Log(ReadMetadata), models::mcp(), post(mcp::http::mcp)),
    ]
}

/// The console.
fn for_people() -> Vec<Route> {
    let session = "/api/v1/session";
    vec![
        at("/", Nothing, running::console(), get(console::page)),
        at("/assets/{name}", Nothing, running::asset(), get(console::asset)),
        to(session, AnyCaller, running::sign_in(), post(console::session::begin)),
        at(session, AnyCaller, running::session(), get(console::session::current)),
        off(session, AnyCaller, running::sign_out(), delete(console::session::end)),
        at("/sign-in", Nothing, running::sign_in_issuers(), get(console::sign_in::issuers)),
        at("/sign-in/{issuer}", Nothing, running::sign_in_begins(), get(console::sign_in::begin)),
        at(RETURN_PATH, Nothing, running::sign_in_returns(), get(console::sign_in::finish)),
    ]
}

fn logs() -> Vec<Route> {
    let (log, events) = ("/api/v1/logs/{log}", "/api/v1/logs/{log}/events");
    let (checkpoint, tile) = ("/log/{log}/checkpoint", "/log/{log}/tile/{*rest}");
    let (ledger, disclosed) = ("/log/{log}/ledger", "/log/{log}/ledger/{name}");
    let (anchors, anchor) = ("/log/{log}/anchors", "/log/{log}/anchors/{name}");
    let (cosigned, tree) = ("/log/{log}/cosigned", PublicLog(ReadProofs));
    vec![
        at(log, Log(ReadMetadata), running::health_of_log(), get(logs_api::health_of_log)),
        to(events, Log(AppendEvents), appending::append(), post(append::append)),
        at(checkpoint, tree, public_log::checkpoint(), get(public::checkpoint)),
        at(cosigned, tree, public_log::cosigned(), get(public::cosigned)),
        at(anchors, tree, public_log::anchors(), get(public::anchors)),
        at(anchor, tree, public_log::anchor(), get(public::anchor)),
        at(tile, tree, public_log::tile(), get(public::tile)),
        at(ledger, tree, public_log::ledger(), get(public::ledger)),
        at(disclosed, tree, public_log::disclosed(), get(public::disclosed)),
    ]
}

/// The keys of agents.
fn keys() -> Vec<Route> {
    let (keys, manage) = ("/api/v1/logs/{log}/agent-keys", Log(ManageKeys));
    let revoke = "/api/v1/logs/{log}/agent-keys/{id}/revoke";
    vec![
        at(keys, Log(ReadMetadata), signing::list(), get(agent_keys::list)),
        to(keys, manage, signing::register(), post(agent_keys::register)),
        to(revoke, manage, signing::revoke(), post(agent_keys::revoke)),
    ]
}

fn questions() -> Vec<Route> {
    let read = Log(ReadMetadata);
    let event = "/api/v1/logs/{log}/events/{id}";
    let proof = "/api/v1/logs/{log}/events/{id}/proof";
    let graph = "/api/v1/logs/{log}/traces/{id}/graph";
    let forensics = "/api/v1/logs/{log}/traces/{id}/forensics";
    let bundle = "/api/v1/logs/{log}/bundle";
    let session = "/api/v1/logs/{log}/sessions/{id}";
    let report = "/api/v1/logs/{log}/reports/{name}";
    let figures = "/api/v1/logs/{log}/dashboard";
    vec![
        at("/api/v1/logs/{log}/events", read, asking::events(), get(answers::events)),
        at(event, read, asking::event(), get(answers::event)),
        at(proof, Log(ReadProofs), asking::proof(), get(answers::proof)),
        at("/api/v1/logs/{log}/traces/{id}", read, asking::trace(), get(answers::trace)),
        at(graph, read, asking::graph(), get(answers::graph)),
        at(forensics, read, papers::forensics(), get(forensics::examination)),
        at("/api/v1/logs/{log}/sessions", read, asking::sessions(), get(answers::sessions)),
        at(session, read, asking::session(), get(answers::session)),
        at("/api/v1/logs/{log}/agents", read, asking::agents(), get(answers::agents)),
        at("/api/v1/logs/{log}/agents/{name}", read, asking::agent(), get(answers::agent)),
        at(report, read, papers::report(), get(reports::report)),
        at(figures, read, asking::dashboard(), get(dashboard::dashboard)),
        at(bundle, Log(ReadProofs), papers::bundle(), get(bundles::bundle)),
        at("/api/v1/logs/{log}/live", read, asking::live(), get(live::live)),
        to("/api/v1/logs/{log}/sql", Log(RunSql), asking::sql(), post(sql::select)),
    ]
}

fn life_cycle() -> Vec<Route> {
    use life_cycle_api as api;
    let (read, hold) = (Log(ReadRetention), Log(ManageHolds));
    let holds = "/api/v1/logs/{log}/holds";
    let release = "/api/v1/logs/{log}/holds/{id}/release";
    let erasures = "/api/v1/logs/{log}/erasures";
    let retention = "/api/v1/logs/{log}/retention";
    vec![
        at(holds, read, keeping::holds(), get(api::holds)),
        to(holds, hold, keeping::hold(), post(api::hold)),
        to(release, hold, keeping::release(), post(api::release)),
        at(erasures, read, keeping::erasures(), get(api::erasures)),
        to(erasures, Log(Erase), keeping::erase(), post(api::erase)),
        at(retention, read, keeping::plan(), get(api::plan)),
        to(retention, Log(ManageRetention), keeping::apply(), post(api::apply)),
    ]
}

fn opentelemetry() -> Vec<Route> {
    let append = Log(AppendEvents);
    let traces_of_log = "/api/v1/logs/{log}/otlp/v1/traces";
    let logs_of_log = "/api/v1/logs/{log}/otlp/v1/logs";
    let grpc_traces = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    let grpc_logs = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
    vec![
        to("/v1/traces", append, exporting::traces(), post(otlp::traces)),
        to("/v1/logs", append, exporting::logs(), post(otlp::logs)),
        to(traces_of_log, append, exporting::traces_of_log(), post(otlp::traces)),
        to(logs_of_log, append, exporting::logs_of_log(), post(otlp::logs)),
        to(grpc_traces, append, exporting::grpc_traces(), post(otlp::grpc_traces)),
        to(grpc_logs, append, exporting::grpc_logs(), post(otlp::grpc_logs)),
    ]
}

/// The router: every route behind its gate.
pub fn router(app: App) -> Router {
    let mut router = Router::new();
    let packed = DefaultPredicate::new().and(SizeAbove::new(PACKED_BYTES_MIN));
    let packing = CompressionLayer::new().compress_when(packed);
    for Route { path, need, handler, .. } in table() {
        let gate = from_fn_with_state((app.clone(), need), gate::gate);
        let handler = handler.route_layer(gate);
        let handler = if need == Nothing { handler } else { handler.layer(packing.clone()) };
        router = router.route(path, handler);
    }
    router
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(DefaultBodyLimit::max(body::SMALL_BYTES_MAX))
        .layer(from_fn_with_state(app.clone(), around))
        .with_state(app)
}

/// What a person types into a browser is the console's to make sense of.
async fn no_such_route(
    method: Method,
    address: Uri,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let answer = console::anywhere(&method, &address, headers).await;
    answer.ok_or_else(|| {
        Problem::not_found("there is no such address; GET /docs lists those that there are")
    })
}

async fn no_such_method() -> Problem {
    let detail = "this address does not take this method; GET /docs says which it takes";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
}

/// Around every request: a deadline, a count, and what every answer says to browsers.
async fn around(State(app): State<App>, request: Request, next: Next) -> Response<Body> {
    let (begun, grpc) = (Instant::now(), otlp::is_grpc(request.headers()));
    let telemetry = app.telemetry();
    let told = telemetry.and_then(|it| Some((it, it.begin(&request, app.logs().now_ms())?)));
    let mut response = match timeout(app.limits().answer, next.run(request)).await {
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
    if let Some((telemetry, begun)) = told {
        telemetry.end(begun, response.status());
    }
    response
}
