//! The tools as an MCP server, whatever the transport: nothing but tools is offered.

use super::envelope::NOTE;
use super::tools::{Reply, Tools};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorCode, ErrorData,
    Implementation, ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig,
    Tool,
};
use rmcp::service::RequestContext;
use rmcp::{RoleServer, ServerHandler};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// How long a call waits for its turn.
const TURN_MAX: Duration = Duration::from_secs(5);

/// A server over some tools.
#[derive(Clone)]
pub(crate) struct Server {
    pub tools: Tools,
    /// Calls that are answered at the same time; each has a thread and its own memory.
    pub turns: Arc<Semaphore>,
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let us = Implementation::new("tachograph", env!("CARGO_PKG_VERSION"));
        let instructions = format!(
            "Read-only tools over a tamper-evident audit log of what AI agents did. {NOTE} Answers \
             are true for the checkpoint that they name; `cut` says what was left out and `next` how \
             to go on."
        );
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(us)
            .with_instructions(instructions)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(Tools::catalogue()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        Tools::catalogue().into_iter().find(|tool| tool.name == name)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let turn = timeout(TURN_MAX, Arc::clone(&self.turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            return Ok(failed("too many questions are being answered; ask again").into());
        };
        let tools = self.tools.clone();
        let arguments = request.arguments.map(Value::Object).unwrap_or_default();
        let work = move || {
            // Held by the thread, not by who waits for it.
            let _turn = turn;
            tools.call(&request.name, &arguments)
        };
        let outcome = tokio::task::spawn_blocking(work).await;
        match outcome {
            Ok(Some(Ok(reply))) => Ok(result(reply).into()),
            Ok(Some(Err(failure))) => Ok(failed(&failure.to_string()).into()),
            Ok(None) => Err(ErrorData::new(
                ErrorCode::INVALID_PARAMS,
                "there is no such tool; tools/list names those that there are",
                None,
            )),
            Err(_) => Ok(failed("the server failed at this; its own log says why").into()),
        }
    }
}

/// The document as structured content, and once more as text for clients that read only text.
fn result(reply: Reply) -> CallToolResult {
    let document = reply.document.to_string();
    let mut result =
        CallToolResult::success(vec![ContentBlock::text(reply.text), ContentBlock::text(document)]);
    result.structured_content = Some(reply.document);
    result
}

fn failed(why: &str) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(why)])
}
