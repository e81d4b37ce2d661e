//! Events made of the input, member by member, out of words that redaction looks for: names of
//! secrets, keys with prefixes, addresses, cards, JSON inside strings. Redacting again changes
//! nothing, a planted secret is gone, and what is left reads back from what is stored.

#![no_main]

use fuzz::redacted::{CANARY, assert_redaction_holds};
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};

/// Pieces of strings and keys.
const WORDS: &[&str] = &[
    "password",
    "api_key",
    "token",
    "secret",
    "key",
    "name",
    "value",
    "header",
    "type",
    "description",
    "Authorization",
    "Bearer abcdef0123456789",
    "Basic dXNlcjpwYXNz",
    "Cookie: a=b",
    "a@b.co",
    "@",
    "b.co",
    "sk-",
    "sk-abcdefghij0123456789",
    "AKIAABCDEFGHIJ012345",
    "ghp_",
    "xoxb-0123456789",
    "eyJhbGciOi.eyJzdWIi.sig",
    "4111 1111 1111 1111",
    "4111111111111111",
    "-----BEGIN PRIVATE KEY-----",
    "-----END PRIVATE KEY-----",
    "https://user:pass@host/x?token=abc",
    "://",
    "=",
    ": ",
    " ",
    "\n",
    "\"",
    "\\",
    "'",
    "{",
    "}",
    "[",
    "]",
    ",",
    ";",
    "&",
    "[redacted:email]",
    "[redacted:",
    "[hash:email:0123456789abcdef]",
    "null",
    "true",
    "é",
    "\u{0}",
    "~",
    "",
];

/// Metadata fields that hold text.
const TEXTS: &[&str] = &[
    "event_id",
    "agent_name",
    "agent_id",
    "session_id",
    "trace_id",
    "parent_event_id",
    "action",
    "tool",
    "version",
    "error_type",
    "source",
    "on_behalf_of",
    "approver",
    "signature",
    "model",
    "task_id",
];

/// Places of the content.
const PARTS: &[&str] = &[
    "params",
    "result",
    "reasoning",
    "context",
    "error",
    "input",
    "output",
    "attributes",
    "other",
];

fuzz_target!(|data: &[u8]| {
    if let Ok(json) = any_event(&mut Unstructured::new(data)) {
        assert_redaction_holds(json.to_string().as_bytes());
    }
});

fn any_event(input: &mut Unstructured<'_>) -> Result<Value> {
    let mut event = Map::new();
    event.insert("event_type".to_owned(), "agent.tool_call".into());
    for _ in 0..input.int_in_range(0..=3)? {
        event.insert((*input.choose(TEXTS)?).to_owned(), any_text(input)?.into());
    }
    for name in ["tags", "caused_by"] {
        if input.ratio(1, 8)? {
            event.insert(name.to_owned(), Value::Array(vec![any_text(input)?.into()]));
        }
    }
    for _ in 0..input.int_in_range(1..=4)? {
        event.insert((*input.choose(PARTS)?).to_owned(), any_value(input, 0)?);
    }
    Ok(Value::Object(event))
}

fn any_value(input: &mut Unstructured<'_>, depth: usize) -> Result<Value> {
    let nested = depth < 6;
    Ok(match input.int_in_range(0..=if nested { 8 } else { 4 })? {
        0 => Value::Null,
        1 => input.arbitrary::<i64>()?.into(),
        2 => 4_111_111_111_111_111_u64.into(),
        3 | 4 => any_text(input)?.into(),
        5 => {
            let count = input.int_in_range(0..=3)?;
            (0..count).map(|_| any_value(input, depth + 1)).collect::<Result<Vec<_>>>()?.into()
        }
        6 => any_value(input, depth + 1)?.to_string().into(),
        _ => {
            let mut members = Map::new();
            for _ in 0..input.int_in_range(0..=3)? {
                members.insert(any_text(input)?, any_value(input, depth + 1)?);
            }
            Value::Object(members)
        }
    })
}

fn any_text(input: &mut Unstructured<'_>) -> Result<String> {
    let mut text = String::new();
    for _ in 0..input.int_in_range(0..=4)? {
        match input.int_in_range(0..=9)? {
            0 => {
                text.push(' ');
                text.push_str(CANARY);
                text.push(' ');
            }
            1 => text.push(input.arbitrary()?),
            _ => text.push_str(input.choose(WORDS)?),
        }
    }
    Ok(text)
}
