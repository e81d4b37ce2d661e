//! MCP over standard input and output: a client starts the program and talks to it through pipes.
//!
//! Standard output belongs to the protocol: whoever calls this prints nothing there.

use super::checks::Checks;
use super::server::Server;
use super::source::Source;
use super::tools::Tools;
use rmcp::ServiceExt as _;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;

/// Calls at the same time: one client, and each call may use every core.
const CALLS_MAX: usize = 2;

/// Why a conversation ended other than by the client's leaving.
#[derive(Debug, thiserror::Error)]
pub enum StdioError {
    /// There can be no threads for it.
    #[error("the server cannot start: {0}")]
    Start(std::io::Error),
    /// What came in was not MCP.
    #[error("the client does not speak MCP: {0}; start this from an MCP client")]
    Protocol(String),
}

/// Serves the tools over a source until the client closes its end. Blocks.
///
/// # Errors
/// [`StdioError`].
pub fn stdio(source: Arc<dyn Source>) -> Result<(), StdioError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(StdioError::Start)?;
    let tools = Tools::new(source, Arc::new(Checks::default()));
    let server = Server { tools, turns: Arc::new(Semaphore::new(CALLS_MAX)) };
    let outcome = runtime.block_on(converse(server, rmcp::transport::io::stdio()));
    // A read of standard input cannot be cancelled, and must not keep the program alive.
    runtime.shutdown_background();
    outcome
}

/// Serves whoever is at the other ends, until they leave.
async fn converse<R, W>(server: Server, ends: (R, W)) -> Result<(), StdioError>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let protocol = |error: &dyn std::fmt::Display| StdioError::Protocol(error.to_string());
    let running = server.serve(ends).await.map_err(|error| protocol(&error))?;
    running.waiting().await.map(drop).map_err(|error| protocol(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::tests::place::{Place, incident};
    use serde_json::{Value, json};
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

    #[tokio::test]
    async fn a_client_talks_through_pipes_and_its_leaving_ends_it() {
        let place = Place::with(&incident());
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let server = Server { tools: place.tools().clone(), turns: Arc::new(Semaphore::new(1)) };
        let serving = tokio::spawn(converse(server, tokio::io::split(ours)));
        let (reader, mut writer) = tokio::io::split(theirs);
        let mut lines = BufReader::new(reader).lines();
        let messages = [
            json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
                "protocolVersion": "2025-06-18", "capabilities": {},
                "clientInfo": { "name": "test", "version": "1" } } }),
            json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
            json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
                "name": "trace_task", "arguments": { "id": "T1" } } }),
        ];
        for message in messages {
            writer.write_all(format!("{message}\n").as_bytes()).await.unwrap();
            if message.get("id").is_none() {
                continue;
            }
            let line = lines.next_line().await.unwrap().unwrap();
            let answer: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(answer["id"], message["id"], "{answer}");
            assert!(answer["error"].is_null(), "{answer}");
            if message["id"] == 1 {
                let data = &answer["result"]["structuredContent"]["untrusted_data"];
                assert_eq!(data["nodes"][0]["event_id"], "e1");
            }
        }
        drop((writer, lines));
        assert!(serving.await.unwrap().is_ok());
    }

    #[tokio::test]
    async fn what_is_not_mcp_ends_with_a_reason() {
        let place = Place::with(&incident());
        let (ours, mut theirs) = tokio::io::duplex(1 << 16);
        let server = Server { tools: place.tools().clone(), turns: Arc::new(Semaphore::new(1)) };
        let serving = tokio::spawn(converse(server, tokio::io::split(ours)));
        theirs.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        drop(theirs);
        let reason = serving.await.unwrap().unwrap_err().to_string();
        assert!(reason.contains("does not speak MCP"), "{reason}");
    }
}
