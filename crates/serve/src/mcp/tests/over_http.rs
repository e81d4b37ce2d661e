//! MCP spoken to the router: the gate in front of it, no sessions, no strange hosts, and nothing of
//! a log that the caller may not reach.

use crate::access::policy::Policy;
use crate::access::refusals::RefusalCounter;
use crate::access::tokens::{NewToken, TokenStore};
use crate::access::{Logs as Reach, Role};
use crate::gate::Keeper;
use crate::{App, Logs, Settings, routes};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use keys::{Kek, KekOrigin, SecretKey, SystemEntropy};
use reading::DataFolder;
use seal::Options;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use store::Reservation;
use tower::ServiceExt as _;

/// A server with two logs, and tokens for it.
struct Server {
    router: Router,
    app: App,
    /// Sees metadata of `main`.
    reader: String,
    /// Sees content of `main`.
    analyst: String,
    /// Everything.
    admin: String,
    /// Appends only.
    producer: String,
    _folder: tempfile::TempDir,
}

impl Server {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let kek = Arc::new(Kek::from_secret(SecretKey::new([7; 32]), KekOrigin::Environment));
        let (of, new) = (Arc::clone(&kek), kek);
        let options = Options { reservation: Reservation::Off, ..Options::system() };
        let logs = Logs::open(
            DataFolder::new(folder.path().join("data")),
            Arc::new(move |_| Ok(Arc::clone(&of))),
            Arc::new(move || Ok(Arc::clone(&new))),
            Settings { options, disk_reserve: 0, retention: None, memory: None },
        );
        let logs = Arc::new(logs.unwrap());
        logs.create("main").unwrap();
        logs.create("other").unwrap();
        let path = |name: &str| folder.path().join(name);
        let entropy = SystemEntropy::new();
        let tokens = TokenStore::open(&path("tokens.json"), &path("secret"), &entropy).unwrap();
        let token = |name: &str, role: Role, logs: Reach| {
            let wish = NewToken { name: name.into(), roles: vec![role], logs, expires_ms: None };
            let (_, text) = tokens.create(wish, 1000, &entropy).unwrap();
            format!("Bearer {}", text.expose())
        };
        let reader = token("reader", Role::READER, Reach::only(["main"]));
        let analyst = token("analyst", Role::ANALYST, Reach::only(["main"]));
        let producer = token("producer", Role::PRODUCER, Reach::only(["main"]));
        let admin = token("admin", Role::ADMIN, Reach::All);
        let keeper = Keeper {
            tokens: Some(tokens),
            oidc: None,
            policy: Policy::built_in().unwrap(),
            refusals: Mutex::new(RefusalCounter::new()),
            default_log: "main".to_owned(),
        };
        let app = App::new(logs, keeper, BTreeSet::new());
        let app = app.reached_as(vec!["log.example.org".to_owned()]);
        let router = routes::router(app.clone());
        let server = Self { router, app, reader, analyst, admin, producer, _folder: folder };
        server.append("main", "CANARY-CONTENT", "T1").await;
        server.append("other", "CANARY-OTHER", "T2").await;
        server
    }

    async fn append(&self, log: &str, word: &str, task: &str) {
        let event = json!({
            "event_id": format!("e-{log}"), "event_type": "agent.tool_call", "agent_name": log,
            "task_id": task, "session_id": format!("s-{log}"), "tool": "lookup",
            "params": { "word": word },
        });
        let request = Request::post(format!("/api/v1/logs/{log}/events?ack=published"))
            .header("authorization", &self.admin)
            .header("content-type", "application/json")
            .body(Body::from(event.to_string()))
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{log}");
    }

    /// Posts a message, with headers beside the usual ones.
    async fn post(&self, headers: &[(&str, &str)], message: &Value) -> (StatusCode, Value) {
        let mut request = Request::post("/mcp")
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream");
        let host = headers.iter().find(|(name, _)| *name == "host");
        request = request.header("host", host.map_or("127.0.0.1:7411", |(_, value)| value));
        for (name, value) in headers.iter().filter(|(name, _)| *name != "host") {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(message.to_string())).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        assert!(!response.headers().contains_key("mcp-session-id"));
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// Calls a tool as somebody, in some log.
    async fn call(&self, token: &str, log: &str, tool: &str, arguments: Value) -> Value {
        let headers = [
            ("authorization", token),
            ("tachograph-log", log),
            ("mcp-protocol-version", "2025-06-18"),
        ];
        let (status, answer) = self.post(&headers, &message(tool, arguments)).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer["result"].clone()
    }
}

fn message(tool: &str, arguments: Value) -> Value {
    json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": tool, "arguments": arguments },
    })
}

fn initialize() -> Value {
    json!({
        "jsonrpc": "2.0", "id": 0, "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18", "capabilities": {},
            "clientInfo": { "name": "test", "version": "1" },
        },
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_shakes_hands_lists_and_calls() {
    let server = Server::new().await;
    let token = [("authorization", server.analyst.as_str())];
    let (status, hello) = server.post(&token, &initialize()).await;
    assert_eq!(status, StatusCode::OK, "{hello}");
    assert_eq!(hello["result"]["serverInfo"]["name"], "tachograph");
    assert!(hello["result"]["instructions"].as_str().unwrap().contains("never an instruction"));
    assert!(hello["result"]["capabilities"]["resources"].is_null());
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    let (_, list) = server.post(&token, &list).await;
    let tools = list["result"]["tools"].as_array().unwrap();
    assert_eq!(tools.len(), 11);
    assert!(tools.iter().all(|tool| tool["annotations"]["readOnlyHint"] == true));
    let result = server.call(&server.analyst, "main", "trace_task", json!({ "id": "T1" })).await;
    assert_eq!(result["isError"], false, "{result}");
    let document = &result["structuredContent"];
    assert_eq!(document["untrusted_data"]["nodes"][0]["event_id"], "e-main");
    // Clients that read only text get the same document.
    let text: Value = serde_json::from_str(result["content"][1]["text"].as_str().unwrap()).unwrap();
    assert_eq!(&text, document);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn content_is_for_those_who_may_see_it_and_the_log_says_so() {
    let server = Server::new().await;
    let one = json!({ "event": "e-main" });
    let seen = server.call(&server.analyst, "main", "get_event", one.clone()).await;
    assert!(seen.to_string().contains("CANARY-CONTENT"));
    let unseen = server.call(&server.reader, "main", "get_event", one).await;
    assert_eq!(unseen["isError"], false, "{unseen}");
    assert!(!unseen.to_string().contains("CANARY-CONTENT"), "{unseen}");
    let export = server.call(&server.reader, "main", "export_events", json!({})).await;
    assert_eq!(export["isError"], true);
    let log = server.app.logs().get("main").unwrap();
    let size = log.view().unwrap().as_of().size;
    log.published(size + 1).await.unwrap();
    let accesses =
        server.call(&server.admin, "main", "search_events", json!({ "type": "log.access" })).await;
    let events = accesses["structuredContent"]["untrusted_data"]["events"].clone();
    assert_eq!(events.as_array().unwrap().len(), 1, "{events}");
    assert!(events[0]["principal"].as_str().unwrap().starts_with("analyst#"), "{events}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_another_log_is_told() {
    let server = Server::new().await;
    let all = super::place::every_call("e-main", "T1", "s-main", "main");
    let of_other = super::place::every_call("e-other", "T2", "s-other", "other");
    for (tool, arguments) in all.into_iter().chain(of_other.clone()) {
        let result = server.call(&server.analyst, "main", tool, arguments).await;
        assert!(!result.to_string().contains("CANARY-OTHER"), "{tool}: {result}");
        assert!(!result.to_string().contains("e-other"), "{tool}: {result}");
    }
    for token in [&server.analyst, &server.reader] {
        for log in ["other", "none", "../other"] {
            let headers = [("authorization", token.as_str()), ("tachograph-log", log)];
            let (status, answer) =
                server.post(&headers, &message("recent_events", json!({}))).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{log}");
            assert!(!answer.to_string().contains("CANARY"), "{answer}");
        }
    }
    let (tool, arguments) = of_other[2].clone();
    let seen = server.call(&server.admin, "other", tool, arguments).await;
    assert!(seen.to_string().contains("CANARY-OTHER"), "the test sees what it looks for");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_and_strange_hosts_are_refused() {
    let server = Server::new().await;
    let call = message("recent_events", json!({}));
    let analyst = ("authorization", server.analyst.as_str());
    assert_eq!(server.post(&[], &call).await.0, StatusCode::UNAUTHORIZED);
    let bad = [("authorization", "Bearer tacho_bad")];
    assert_eq!(server.post(&bad, &call).await.0, StatusCode::UNAUTHORIZED);
    let producer = [("authorization", server.producer.as_str())];
    assert_eq!(server.post(&producer, &call).await.0, StatusCode::FORBIDDEN);
    for (name, value, fits) in [
        ("host", "localhost:7411", true),
        ("host", "[::1]:7411", true),
        ("host", "log.example.org", true),
        ("host", "evil.example", false),
        ("host", "127.0.0.1.evil.example", false),
        ("origin", "http://localhost:3000", true),
        ("origin", "http://[::1]:3000", true),
        ("origin", "https://log.example.org", true),
        ("origin", "https://evil.example", false),
        ("origin", "null", false),
        ("origin", "http://localhost.evil.example", false),
    ] {
        let (status, answer) = server.post(&[analyst, (name, value)], &call).await;
        let wanted = if fits { StatusCode::OK } else { StatusCode::FORBIDDEN };
        assert_eq!(status, wanted, "{name}: {value}: {answer}");
        if !fits {
            assert_eq!(answer["code"], "forbidden_host");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_mcp_is_refused() {
    let server = Server::new().await;
    let analyst = [("authorization", server.analyst.as_str())];
    for bad in [json!({}), json!([]), json!("x"), json!({ "jsonrpc": "2.0", "id": 1 })] {
        let (status, _) = server.post(&analyst, &bad).await;
        assert!(status.is_client_error(), "{bad}: {status}");
    }
    let (_, answer) = server.post(&analyst, &message("append_event", json!({}))).await;
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
    let long = message("recent_events", json!({ "cursor": "x".repeat(2 << 20) }));
    assert_eq!(server.post(&analyst, &long).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    for method in ["GET", "DELETE", "PUT"] {
        let request = Request::builder()
            .method(method)
            .uri("/mcp")
            .header("authorization", &server.analyst)
            .header("host", "localhost")
            .body(Body::empty())
            .unwrap();
        let response = server.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{method}");
    }
}
