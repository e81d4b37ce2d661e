//! `GET /docs`: the description of the API for people, drawn from the same document that programs
//! get. One page without scripts, and without anything from elsewhere.
//!
//! Not here: what the API is (`routes.rs`, `about.rs`).

use crate::openapi;
use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use axum::http::{HeaderValue, Response, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::fmt::Write as _;
use std::sync::LazyLock;

const STYLE: &str = include_str!("page.css");
static PAGE: LazyLock<String> = LazyLock::new(|| draw(openapi::document()));
/// The page may have its own style, and nothing else whatsoever.
static POLICY: LazyLock<Option<HeaderValue>> = LazyLock::new(|| {
    let hash = STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).ok()
});

/// `GET /docs`.
pub(crate) async fn docs() -> Response<Body> {
    let mut response = Response::new(Body::from(PAGE.as_str()));
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, kind);
    // Without it the one for all answers holds, and the page has no style.
    headers.extend(POLICY.clone().map(|policy| (header::CONTENT_SECURITY_POLICY, policy)));
    response
}

fn draw(document: &Value) -> String {
    let mut out = String::with_capacity(256 << 10);
    let info = &document["info"];
    let title = escaped(text(&info["title"]));
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}: HTTP API</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<header>\n\
         <h1>{title} <small>HTTP API, version {}</small></h1>\n<p>{}</p>\n",
        escaped(text(&info["version"])),
        prose(text(&info["description"])),
    );
    out.push_str("<nav><ul>");
    for tag in items(&document["tags"]) {
        let name = text(&tag["name"]);
        let _ = write!(out, "<li><a href=\"#{}\">{}</a></li>", anchor(name), escaped(name));
    }
    out.push_str(
        "<li><a href=\"#credentials\">Credentials</a></li><li><a href=\"#documents\">Documents</a></li>\
         <li><a href=\"/openapi.json\">openapi.json</a></li></ul></nav>\n</header>\n<main>\n",
    );
    for tag in items(&document["tags"]) {
        group(&mut out, document, tag);
    }
    credentials(&mut out, document);
    out.push_str("<section>\n<h2 id=\"documents\">Documents</h2>\n");
    for (name, schema) in members(&document["components"]["schemas"]) {
        definition(&mut out, name, schema);
    }
    out.push_str(
        "</section>\n</main>\n<footer><p>Drawn by the server from the table that it routes requests \
         by. For programs: <a href=\"/openapi.json\">openapi.json</a>.</p></footer>\n</body>\n</html>\n",
    );
    out
}

/// The operations of one group.
fn group(out: &mut String, document: &Value, tag: &Value) {
    let name = text(&tag["name"]);
    let _ = write!(
        out,
        "<section>\n<h2 id=\"{}\">{}</h2>\n<p class=\"soft\">{}</p>\n",
        anchor(name),
        escaped(name),
        prose(text(&tag["description"])),
    );
    for (path, methods) in members(&document["paths"]) {
        for (method, operation) in members(methods) {
            if text(&operation["tags"][0]) == name {
                draw_operation(out, document, path, method, operation);
            }
        }
    }
    out.push_str("</section>\n");
}

fn draw_operation(out: &mut String, document: &Value, path: &str, method: &str, it: &Value) {
    let _ = write!(
        out,
        "<details id=\"{}\"><summary><b class=\"method {method}\">{}</b><code>{}</code><span>{}</span>\
         </summary>\n<div>\n",
        escaped(text(&it["operationId"])),
        method.to_uppercase(),
        escaped(path),
        prose(text(&it["summary"])),
    );
    if !it["description"].is_null() {
        let _ = writeln!(out, "<p>{}</p>", prose(text(&it["description"])));
    }
    let _ = writeln!(out, "<p class=\"soft\">Needs {}.</p>", needs(it));
    if !it["parameters"].is_null() {
        out.push_str("<h3>Parameters</h3>\n<table>\n");
        for parameter in items(&it["parameters"]) {
            let schema = &parameter["schema"];
            let _ = writeln!(
                out,
                "<tr><th><code>{}</code> <span class=\"soft\">{}</span></th><td class=\"kind\">{}</td>\
                 <td>{}</td></tr>",
                escaped(text(&parameter["name"])),
                escaped(text(&parameter["in"])),
                kind(schema),
                prose(text(&parameter["description"])),
            );
        }
        out.push_str("</table>\n");
    }
    if !it["requestBody"].is_null() {
        let bodies = bodies(&it["requestBody"]["content"]);
        let _ = writeln!(out, "<h3>Body</h3>\n<p>{bodies}</p>");
    }
    out.push_str("<h3>Answers</h3>\n<table>\n");
    for (status, answer) in members(&it["responses"]) {
        draw_answer(out, status, followed(document, answer));
    }
    out.push_str("</table>\n</div></details>\n");
}

fn draw_answer(out: &mut String, status: &str, answer: &Value) {
    let class = if status.starts_with('2') { "" } else { " class=\"bad\"" };
    let _ = write!(
        out,
        "<tr><th><code{class}>{}</code></th><td class=\"kind\">{}</td><td>{}",
        escaped(status),
        bodies(&answer["content"]),
        prose(text(&answer["description"])),
    );
    for (name, header) in members(&answer["headers"]) {
        let about = prose(text(&header["description"]));
        let _ = write!(out, "<br><code>{}</code>: {about}", escaped(name));
    }
    out.push_str("</td></tr>\n");
}

/// What a caller needs, in words.
fn needs(operation: &Value) -> String {
    let ways: Vec<_> = items(&operation["security"]).collect();
    let Some(way) = ways.iter().find(|way| !way["bearer"].is_null()) else {
        return "no credential".to_owned();
    };
    let mut told = match items(&way["bearer"]).next() {
        Some(action) => {
            format!("a credential that allows <code>{}</code>", escaped(text(action)))
        }
        None => "any good credential".to_owned(),
    };
    if ways.iter().any(|way| members(way).next().is_none()) {
        told.push_str(", unless the log is open to everybody");
    }
    told
}

fn credentials(out: &mut String, document: &Value) {
    out.push_str("<section>\n<h2 id=\"credentials\">Credentials</h2>\n<table>\n");
    for (name, scheme) in members(&document["components"]["securitySchemes"]) {
        let about = prose(text(&scheme["description"]));
        let _ = writeln!(out, "<tr><th><code>{}</code></th><td>{about}</td></tr>", escaped(name));
    }
    out.push_str("</table>\n</section>\n");
}

/// A document, member by member.
fn definition(out: &mut String, name: &str, schema: &Value) {
    let _ = write!(
        out,
        "<details id=\"document-{0}\"><summary><code>{0}</code></summary>\n<div>\n",
        escaped(name),
    );
    if !schema["description"].is_null() {
        let _ = writeln!(out, "<p>{}</p>", prose(text(&schema["description"])));
    }
    let required: Vec<&str> = items(&schema["required"]).map(text).collect();
    if schema["properties"].is_null() {
        let _ = writeln!(out, "<p>{}</p>", kind(schema));
    } else {
        out.push_str("<table>\n");
        for (member, value) in members(&schema["properties"]) {
            let always = if required.contains(&member.as_str()) { " always" } else { "" };
            let _ = writeln!(
                out,
                "<tr><th><code>{}</code><span class=\"soft\">{always}</span></th>\
                 <td class=\"kind\">{}</td><td>{}</td></tr>",
                escaped(member),
                kind(value),
                prose(text(&value["description"])),
            );
        }
        out.push_str("</table>\n");
    }
    out.push_str("</div></details>\n");
}

/// Kinds of body, with the documents in them.
fn bodies(content: &Value) -> String {
    let each = members(content).map(|(media, body)| {
        let schema = &body["schema"];
        let line = &schema["x-tachograph-line"];
        let what = match (line.is_null(), schema["$ref"].is_null()) {
            (false, _) => format!(": {} a line", kind(line)),
            (true, false) => format!(": {}", kind(schema)),
            _ => String::new(),
        };
        format!("<code>{}</code>{what}", escaped(media))
    });
    each.collect::<Vec<_>>().join("<br>")
}

/// What a schema allows, in few words. It nests as our own types do.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|it| it.rsplit('/').next()) {
        let name = escaped(name);
        return format!("<a href=\"#document-{name}\">{name}</a>");
    }
    let joined = |all: &Value, with: &str| {
        items(all).map(kind).filter(|it| !it.is_empty()).collect::<Vec<_>>().join(with)
    };
    if let Some(constant) = schema["const"].as_str() {
        return format!("<code>{}</code>", escaped(constant));
    }
    for choice in ["anyOf", "oneOf"] {
        if !schema[choice].is_null() {
            return joined(&schema[choice], " or ");
        }
    }
    if !schema["enum"].is_null() {
        let names = items(&schema["enum"]).map(|it| format!("<code>{}</code>", escaped(text(it))));
        return names.collect::<Vec<_>>().join(" ");
    }
    let of_items = &schema["items"];
    match text(&schema["type"]) {
        "array" => format!("any number of {}", kind(of_items)),
        "" => "anything".to_owned(),
        name => {
            let number = |key: &str| schema[key].as_u64().filter(|it| *it < u64::MAX);
            match (number("minimum"), number("maximum")) {
                (Some(min), Some(max)) => format!("{} {min} to {max}", escaped(name)),
                _ => escaped(name),
            }
        }
    }
}

/// What a reference leads to.
fn followed<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let target = value["$ref"].as_str().and_then(|it| it.strip_prefix('#'));
    target.and_then(|it| document.pointer(it)).unwrap_or(value)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// A name as the end of an address.
fn anchor(name: &str) -> String {
    name.to_lowercase().replace(|it: char| !it.is_ascii_alphanumeric(), "-")
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(character),
        }
    }
    out
}

/// Sentences, in which backticks set off what is typed, and addresses lead somewhere.
fn prose(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (place, part) in text.split('`').enumerate() {
        if place % 2 == 1 {
            let _ = write!(out, "<code>{}</code>", escaped(part));
            continue;
        }
        let mut rest = part;
        while let Some(begin) = rest.find("https://") {
            let (before, from) = rest.split_at(begin);
            let ends = |it: char| it.is_whitespace() || matches!(it, ')' | ';' | ',' | '>');
            let (link, after) = from.split_at(from.find(ends).unwrap_or(from.len()));
            let link = escaped(link);
            let _ = write!(out, "{}<a href=\"{link}\">{link}</a>", escaped(before));
            rest = after;
        }
        out.push_str(&escaped(rest));
    }
    out
}

#[cfg(test)]
mod tests;
