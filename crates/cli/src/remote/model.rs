//! Messages of MCP, handed on: from a client that starts this program to a server's `/mcp`, and the
//! answers back. What is asked and answered is the server's to say (`serve::mcp`).
//!
//! Why a program between the two, which speak the same protocol: clients that only start programs
//! need not be told a token, and it is kept and sent as every other command does.

use crate::failure::Failure;
use crate::remote::Remote;
use link::Trouble;
use serde_json::{Value, json};
use std::io::{BufRead, Read as _, Write};

/// Bytes of one message: what a server takes.
const MESSAGE_BYTES_MAX: u64 = 1 << 20;
/// Codes of JSON-RPC 2.0, section 5.1: what is no JSON, and what the server behind this did not do.
const NO_JSON: i64 = -32_700;
const SERVER_FAILED: i64 = -32_000;

impl Remote {
    /// Hands on what comes, one message a line, until it ends.
    pub(crate) fn converse(
        &self,
        mut from: impl BufRead,
        mut to: impl Write,
    ) -> Result<(), Failure> {
        // The version that both sides agreed on, which every later request names.
        let mut version: Option<String> = None;
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = (&mut from).take(MESSAGE_BYTES_MAX).read_until(b'\n', &mut line);
            let read =
                read.map_err(|error| Failure::new(format!("cannot read standard input: {error}")))?;
            if read == 0 {
                return Ok(());
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            let Ok(message) = serde_json::from_slice::<Value>(&line) else {
                let why = "a message is one line of JSON of at most 1 MiB";
                answer(&mut to, &error(&Value::Null, NO_JSON, why))?;
                continue;
            };
            let said = match self.hand_on(&line, version.as_deref()) {
                Ok(said) => said,
                // Who wants no answer is told of no trouble either.
                Err(_) if message.get("id").is_none() => None,
                Err(trouble) => {
                    let id = message.get("id").unwrap_or(&Value::Null);
                    Some(error(id, SERVER_FAILED, &self.failure(&trouble).to_string()))
                }
            };
            let Some(said) = said else { continue };
            if message.get("method").is_some_and(|method| method == "initialize") {
                let agreed = said.pointer("/result/protocolVersion").and_then(Value::as_str);
                version = agreed.map(str::to_owned);
            }
            answer(&mut to, &said)?;
        }
    }

    /// One message; its answer, if it has one.
    fn hand_on(&self, message: &[u8], version: Option<&str>) -> Result<Option<Value>, Trouble> {
        let version = version.map(|version| ("mcp-protocol-version", version));
        let headers: Vec<(&str, &str)> =
            std::iter::once(("tachograph-log", self.log.as_str())).chain(version).collect();
        let Some(answer) = self.link.hand_on("/mcp", &headers, message)? else { return Ok(None) };
        let said = serde_json::from_slice(&answer.bytes);
        said.map(Some).map_err(|error| Trouble::Foreign(error.to_string()))
    }
}

fn answer(to: &mut impl Write, said: &Value) -> Result<(), Failure> {
    writeln!(to, "{said}")?;
    Ok(to.flush()?)
}

fn error(id: &Value, code: i64, message: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
}
