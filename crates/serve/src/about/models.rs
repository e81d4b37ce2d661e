//! The Model Context Protocol.

use super::documents::Message;
use super::{About, Group, Media, Parameter, Value};

pub(crate) fn mcp() -> About {
    let document = || [Media::json::<serde_json::Map<String, serde_json::Value>>()];
    let accept = "Must take both `application/json` and `text/event-stream`.";
    let version = "The version of the protocol that was agreed on.";
    About::new(Group::Models, "mcp", "MCP over streamable HTTP, without sessions")
        .detail(
            "One JSON-RPC 2.0 message, at most 1 MiB (https://modelcontextprotocol.io/specification); docs/mcp.md lists the \
             tools. Only answered under this machine's names and those of the configuration (`hosts`).",
        )
        .reads([
            Parameter::header("Accept", Value::Text, accept),
            Parameter::header("Mcp-Protocol-Version", Value::Text, version),
        ])
        .takes([Media::json::<Message>()])
        .answers(200, "The answer to a request.", document())
        .answers(202, "A notification was taken.", [])
        .answers(400, "The message is not one of the protocol.", document())
        .answers(404, "There is no such method.", document())
        .refuses_bodies()
        .refuses(400, &["bad_message"])
        .refuses(403, &["forbidden_host"])
        .refuses(404, &["bad_message"])
        .refuses(406, &["bad_message"])
        .refuses(415, &["bad_message"])
}
