//! Texts that strangers write (`testdata/hostile/payloads.json`), in through every field and every
//! address, and out of every door: nothing that moves a cursor, forges a line, reorders or hides
//! letters comes out, no table runs as a formula, no picture as a page, and nothing outside the
//! data folder is opened.

use crate::program::{Home, testdata};
use crate::served::Served;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// What a file outside the data folder says; no answer may.
const CANARY: &str = "canary-8d1f outside of every log";

fn payloads() -> Vec<String> {
    let text = std::fs::read(testdata("hostile/payloads.json")).unwrap();
    let mut all: Vec<String> = serde_json::from_slice(&text).unwrap();
    assert!(all.len() >= 300, "{}", all.len());
    all.extend(["A".repeat(70_000), "\u{202e}".repeat(20_000), "](".repeat(30_000)]);
    all
}

/// An event with this text in every field that takes one.
fn event(number: usize, text: &str) -> Value {
    // Ids and names are short.
    let short: String = text.chars().take(200).collect();
    let name = format!("n{short}");
    json!({
        "event_id": format!("{number}-{short}"), "event_type": "agent.tool_call",
        "agent_name": name, "agent_id": name, "task_id": name, "session_id": "s1",
        "trace_id": format!("{:032x}", number / 40 + 1), "action": format!("tool_call:{short}"),
        "tool": name, "outcome": "failure", "error_type": name, "error": text, "model": name,
        "provider": name, "cost": { "amount": 1, "currency": name }, "source": name,
        "tags": [name], "params": { "task": text, name.clone(): text, "list": [text] },
        "result": text, "reasoning": text, "attributes": { name.clone(): text },
    })
}

/// The first character that must not come out.
fn fault(text: &str) -> Option<(usize, char)> {
    text.char_indices().find(|(_, c)| query::escape::is_hidden(*c) && *c != '\n')
}

#[track_caller]
fn check(what: &str, text: &str) {
    if let Some((at, c)) = fault(text) {
        let from = text[..at].char_indices().rev().nth(40).map_or(0, |(at, _)| at);
        panic!("{what}: U+{:04X} behind {:?}", u32::from(c), &text[from..at]);
    }
    assert!(!text.contains(CANARY), "{what}");
}

/// A home with a log that all of it went into, and something beside it that nobody is to see.
fn home() -> Home {
    let home = Home::new();
    std::fs::create_dir(home.path("outside")).unwrap();
    home.write("outside/secret.txt", CANARY);
    home.fine(&["init"]);
    let payloads = payloads();
    let lines = payloads.iter().enumerate().map(|(number, text)| event(number, text).to_string());
    let lines: Vec<String> = lines.collect();
    let appended = home.feed(&["append"], lines.join("\n").as_bytes());
    check("append", &appended.out);
    check("append's errors", &appended.err);
    let refused = appended.out.lines().filter(|line| line.contains("\"error\"")).count();
    // An empty text or an invisible one is no name; the rest must be in.
    assert!(refused < payloads.len() / 4, "{refused} refused: {}", appended.err);
    home
}

#[test]
fn no_command_prints_what_a_stranger_wrote_as_it_is() {
    let home = home();
    let limit = "1000";
    for arguments in [
        &["events", "--limit", limit][..],
        &["events", "--limit", limit, "--format", "json"],
        &["events", "--limit", limit, "--format", "ndjson"],
        &["tail"],
        &["agent"],
        &["agent", "--format", "json"],
        &["session"],
        &["session", "s1"],
        &["session", "s1", "--format", "json"],
        &["replay", "s1"],
        &["forensics", "s1"],
        &["forensics", "s1", "--format", "json"],
        &["forensics", "s1", "--format", "md"],
        &["forensics", "s1", "--format", "html"],
        &["provenance", "40"],
        &["provenance", "40", "--format", "json"],
        &["trace", "s1", "--diff", "s1"],
        &["trace", "s1", "--diff", "s1", "--format", "json"],
        &["export", "--format", "csv"],
        &["export", "--format", "cef"],
        &["export", "--format", "ecs"],
        &["export", "--format", "ocsf"],
        &["verify"],
        &["doctor"],
    ] {
        let ran = home.run(arguments);
        check(&format!("{arguments:?}"), &ran.out);
        check(&format!("{arguments:?}, errors"), &ran.err);
    }
    for format in ["timeline", "tree", "json", "dot", "mermaid", "svg"] {
        let drawn = home.fine(&["trace", "s1", "--format", format]);
        check(format, &drawn);
        if format == "svg" {
            check_svg(&drawn);
        }
    }
    check_table(&home.fine(&["export", "--format", "csv"]));
    for name in ["summary", "tool-usage", "error-analysis", "cost", "agents", "daily"] {
        for format in ["text", "json", "md", "html", "csv"] {
            let ran = home.run(&["report", name, "--format", format]);
            assert_eq!(ran.code, 0, "{name} {format}: {}", ran.err);
            check(&format!("report {name} {format}"), &ran.out.replace("\r\n", "\n"));
            check(&format!("report {name} {format}, errors"), &ran.err);
        }
    }
    check_table(&home.fine(&["report", "tool-usage", "--format", "csv"]));
    // Every byte is kept where programs read: each text comes back as it went in.
    let exported = home.fine(&["export", "--format", "ndjson"]);
    let texts: Vec<Value> =
        exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // Nor does any of it end a line.
    for format in ["cef", "ecs", "ocsf"] {
        let lines = home.fine(&["export", "--kind", "event", "--format", format]);
        let records = texts.iter().filter(|row| row["kind"] == "event").count();
        assert_eq!(lines.lines().count(), records, "{format}");
    }
    let texts = texts.iter().filter_map(|row: &Value| row["content"]["reasoning"].as_str());
    assert!(texts.count() > 250);
}

#[test]
fn no_command_repeats_what_it_was_asked_as_it_was() {
    let home = Home::new();
    home.fine(&["init"]);
    // What an argument cannot hold never gets here, and a process starts for each.
    for text in payloads().iter().filter(|text| !text.contains('\0') && text.len() < 300).step_by(5)
    {
        for arguments in [
            &["trace", "--", text][..],
            &["events", "--agent", text],
            &["events", "--from", text],
            &["--log", text, "events"],
            &["prove", "--", text],
            &["forensics", "--", text],
            &["provenance", "--", text],
            &["init", "--log", text],
            &["ask", "--", text],
            &["report", "summary", "--table", text, "--format", "csv"],
        ] {
            let ran = home.run(arguments);
            check(&format!("{arguments:?}"), &format!("{}{}", ran.out, ran.err));
        }
    }
    check_places(&home);
}

#[test]
fn no_address_of_a_server_answers_with_what_a_stranger_wrote_as_it_is() {
    let home = home();
    let server = Served::start(&home);
    let token = std::fs::read_to_string(home.path("config/tachograph/admin-token")).unwrap();
    let ask = |method: &str, target: &str, body: &str| {
        let answer = ask(server.port(), method, target, token.trim(), body);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        check(target, &head.replace("\r\n", "\n"));
        // The lengths of chunks.
        check(target, &body.replace("\r\n", "\n"));
        assert!(!head.starts_with("HTTP/1.1 5"), "{target}: {answer}");
        (head.to_owned(), body.to_owned())
    };
    let log = "/api/v1/logs/main";
    for path in [
        "/events?limit=1000",
        "/events?limit=1000&format=ndjson",
        "/sessions",
        "/sessions/s1",
        "/agents",
        "/traces/s1",
        "/traces/s1/graph?format=json",
        "/traces/s1/graph?format=dot",
        "/traces/s1/graph?format=mermaid",
    ] {
        let (head, body) = ask("GET", &format!("{log}{path}"), "");
        assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
        assert!(body.len() > 200, "{path}");
    }
    check_svg(&ask("GET", &format!("{log}/traces/s1/graph?format=svg"), "").1);
    for text in payloads().iter().filter(|text| text.len() < 300) {
        let text = encoded(text);
        for target in [
            format!("/api/v1/logs/{text}/events"),
            format!("{log}/events/{text}"),
            format!("{log}/events/{text}/proof"),
            format!("{log}/traces/{text}/graph?format={text}"),
            format!("{log}/agents/{text}"),
            format!("{log}/events?agent={text}&limit=2"),
            format!("{log}/events?{text}={text}&cursor={text}"),
            format!("/log/main/tile/{text}"),
            format!("/log/{text}/checkpoint"),
            format!("/{text}"),
        ] {
            ask("GET", &target, "");
        }
    }
    for text in payloads().iter().filter(|text| text.len() < 300).step_by(4) {
        ask("POST", "/api/v1/logs", &json!({ "name": text }).to_string());
        ask("POST", &format!("{log}/events"), text);
    }
    // Not tidied up by a client on the way.
    for target in [
        "/../outside/secret.txt",
        "/log/main/tile/../../../outside/secret.txt",
        "/log/main/tile/0/../../../../outside/secret.txt",
        "/log/main/tile/%2e%2e/%2e%2e/%2e%2e/outside/secret.txt",
        "/log/../outside/checkpoint",
        "//outside/secret.txt",
        "/log/main/tile//etc/passwd",
    ] {
        let (head, body) = ask("GET", target, "");
        assert!(head.starts_with("HTTP/1.1 4"), "{target}: {head}");
        assert!(!body.contains("root:"), "{target}");
    }
    server.stop();
    check_places(&home);
}

/// One request; everything that comes back.
pub(crate) fn ask(port: u16, method: &str, target: &str, token: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let length = body.len();
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

/// For a part of an address.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").unwrap();
        }
    }
    out
}

/// A spreadsheet runs nothing of it.
fn check_table(table: &str) {
    let mut reader = csv::ReaderBuilder::new().has_headers(true).from_reader(table.as_bytes());
    let mut rows = 0;
    for row in reader.records() {
        rows += 1;
        for cell in &row.unwrap() {
            let first = cell.chars().next().unwrap_or('x');
            let is_number = cell.parse::<f64>().is_ok();
            assert!(is_number || !"=+-@\t\r".contains(first), "{cell}");
        }
    }
    assert!(rows > 250, "{rows}");
}

/// Nothing but shapes and words: whatever a text holds, it opens no element of its own.
fn check_svg(drawn: &str) {
    let known = [
        "?xml", "svg", "g", "rect", "text", "tspan", "line", "path", "polyline", "polygon",
        "circle", "ellipse", "defs", "marker", "title", "desc", "style", "clipPath", "a",
    ];
    for part in drawn.split('<').skip(1) {
        let name: String = part
            .trim_start_matches('/')
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '?')
            .collect();
        assert!(known.contains(&name.as_str()), "<{}", &part[..part.len().min(60)]);
        let tag = part.split('>').next().unwrap();
        assert!(!tag.contains("onload=") && !tag.contains("javascript:"), "<{tag}>");
    }
}

/// Nothing was made beside the folders that are ours, whatever a log was called.
fn check_places(home: &Home) {
    let mut names: Vec<String> = std::fs::read_dir(home.path("."))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !["outside", "config", "tachograph-data"].contains(&name.as_str()))
        .collect();
    names.sort();
    assert!(names.is_empty(), "{names:?}");
    for log in std::fs::read_dir(home.path("tachograph-data")).unwrap() {
        let name = log.unwrap().file_name().into_string().unwrap();
        // Logs are named by their id on disk.
        let is_id = name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        assert!(is_id || name.starts_with('.') || name.ends_with(".json"), "{name}");
    }
}
