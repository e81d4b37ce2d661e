//! `POST /mcp`: MCP over streamable HTTP, without sessions: every request stands for itself, and
//! has passed the gate like any other.
//!
//! A web page in somebody's browser must not talk to a server on their machine (DNS rebinding): the
//! request has to name a host, and may only name an origin, that is this machine or configured.

use super::server::Server;
use super::source::{Access, Failure, Rights, Source};
use super::tools::Tools;
use crate::access::policy::Action;
use crate::app::App;
use crate::ask;
use crate::body;
use crate::gate::Granted;
use crate::open_log::OpenLog;
use crate::problem::Problem;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse as _;
use event::Principal;
use http_body_util::Full;
use keys::Kek;
use reading::View;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use seal::Act;
use std::sync::Arc;

/// Bytes of what the SDK says when it refuses.
const REFUSAL_BYTES_MAX: usize = 4 << 10;
/// This machine, by any name.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// `POST /mcp`.
pub(crate) async fn mcp(
    State(app): State<App>,
    granted: Granted,
    request: Request,
) -> Result<Response<Body>, Problem> {
    let source = LogOf {
        log: Arc::clone(granted.log()?),
        principal: granted.principal(),
        rights: Rights {
            content: ask::may(&app, &granted, Action::ReadContent),
            proofs: ask::may(&app, &granted, Action::ReadProofs),
            verify: ask::may(&app, &granted, Action::Verify),
            export: ask::may(&app, &granted, Action::Export),
            access_records: ask::may(&app, &granted, Action::ReadAccessRecords),
        },
        app: app.clone(),
    };
    let tools = Tools::new(Arc::new(source), Arc::clone(app.checks()));
    let server = Server { tools, turns: Arc::clone(app.questions()) };
    let service = StreamableHttpService::new(
        move || Ok(server.clone()),
        Arc::new(NeverSessionManager::default()),
        configuration(app.hosts()),
    );
    // Read here, like every other body: with a deadline and a budget, and packed if that is said.
    let (mut head, body) = request.into_parts();
    let received = body::receive_small(app.budget(), &head.headers, body).await?;
    head.headers.remove(header::CONTENT_ENCODING);
    let request = Request::from_parts(head, Full::new(received.bytes()));
    let mut response = service.handle(request).await.map(Body::new);
    if response.status() == StatusCode::FORBIDDEN {
        return Ok(no_such_host().into_response());
    }
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_document = kind.is_some_and(|kind| kind == "application/json");
    if !response.status().is_success() && !is_document {
        return Err(refused(response).await);
    }
    // Answers stand for themselves; nobody on the way keeps them.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn configuration(hosts: &[String]) -> StreamableHttpServerConfig {
    let hosts = || LOOPBACK.iter().copied().chain(hosts.iter().map(String::as_str));
    let origins = hosts().flat_map(|host| ["http", "https"].map(|it| format!("{it}://{host}:*")));
    StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(body::SMALL_BYTES_MAX)
        .with_allowed_hosts(hosts().map(|host| host.trim_matches(['[', ']'])))
        .with_allowed_origins(origins)
        .enforce_origin_validation()
}

/// What is no message of the protocol, the SDK refuses in a few words.
async fn refused(response: Response<Body>) -> Problem {
    let status = response.status();
    let told = axum::body::to_bytes(response.into_body(), REFUSAL_BYTES_MAX).await;
    let told = String::from_utf8_lossy(&told.unwrap_or_default()).into_owned();
    Problem::new(status, "bad_message", format!("{told}; docs/mcp.md says what is taken"))
}

fn no_such_host() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "forbidden_host",
        "the request's Host or Origin is neither this machine nor a name that the server was \
         configured with; a web page may not talk to it",
    )
}

/// A log of this server, for one caller.
struct LogOf {
    app: App,
    log: Arc<OpenLog>,
    principal: Principal<'static>,
    rights: Rights,
}

impl Source for LogOf {
    fn view(&self) -> Result<Arc<View>, Failure> {
        Ok(self.log.view()?)
    }

    fn rights(&self) -> Rights {
        self.rights
    }

    fn record(&self, access: Access) -> Result<(), Failure> {
        let act = match access.is_export {
            true => Act::Export(access.details()),
            false => Act::Access(access.details()),
        };
        Ok(self.log.record_blocking(act, &self.principal).map(drop)?)
    }

    fn kek(&self) -> Arc<Kek> {
        Arc::clone(self.log.kek())
    }

    fn now_ms(&self) -> u64 {
        self.app.logs().now_ms()
    }
}
