//! MCP over standard input and output: a client starts the program and talks to it through pipes.
//!
//! Standard output belongs to the protocol: whoever calls this prints nothing there.

use super::checks::Checks;
use super::server::Server;
use super::source::Source;
use super::tools::Tools;
use rmcp::ServiceExt as _;
use std::sync::Arc;
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
    let outcome = runtime.block_on(async {
        let protocol = |error: &dyn std::fmt::Display| StdioError::Protocol(error.to_string());
        let running = server.serve(rmcp::transport::io::stdio()).await;
        let running = running.map_err(|error| protocol(&error))?;
        running.waiting().await.map_err(|error| protocol(&error))
    });
    // A read of standard input cannot be cancelled, and must not keep the program alive.
    runtime.shutdown_background();
    outcome.map(drop)
}
