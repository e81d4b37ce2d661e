//! The description of the API: OpenAPI 3.1, made from the table of routes.
//!
//! What a route says of itself stands beside it (`about.rs`). What follows from what it needs
//! (credentials, the log that a header names, 401 and its kin) is added here, for all alike.
//! OpenAPI 3.1.1: <https://spec.openapis.org/oas/v3.1.1>.

use crate::about::{About, Answered, Group, Media, Parameter, Value as Values, running};
use crate::access::Refused;
use crate::access::policy::Action;
use crate::gate::Need;
use crate::routes::{self, Route};
use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::LazyLock;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| describe(&routes::table()));
static TEXT: LazyLock<String> = LazyLock::new(|| {
    // A document of plain texts and numbers has no way to fail.
    serde_json::to_string_pretty(&*DOCUMENT).unwrap_or_default() + "\n"
});

const TITLE: &str = "Tachograph";
const ABOUT: &str = "A tamper-evident audit log of what AI agents do: events in, questions and proofs out. Errors are \
                     RFC 9457 documents with a stable `code`.";
const BEARER: &str = "A token of this server (`tacho token create`), or one of a configured OpenID Connect issuer. The \
                      names beside it are the actions that its roles have to allow (docs/access.md).";
const CERTIFICATE: &str =
    "A TLS client certificate of a configured authority, for callers without a token.";
/// Codes that follow from a credential: also when the server cannot look at it just now.
const BUSY: &[&str] =
    &["too_slow", "overloaded", "log_down", "stopping", "tokens_unusable", "keys_unavailable"];

/// The description.
#[must_use]
pub fn document() -> &'static Value {
    &DOCUMENT
}

/// The description as it is served.
#[must_use]
pub fn text() -> &'static str {
    &TEXT
}

/// `GET /openapi.json`.
pub(crate) async fn openapi() -> Response<Body> {
    let mut response = Response::new(Body::from(text()));
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn describe(table: &[Route]) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|it| {
        it.definitions_path = "/components/schemas".into();
        it.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for route in table {
        let methods = paths.entry(route.path.replace("{*", "{")).or_default();
        let operation = operation(route, &mut generator);
        methods.insert(route.method.as_str().to_ascii_lowercase(), operation);
    }
    let shared: Map<String, Value> = common(Need::Log(Action::Verify))
        .into_iter()
        .filter_map(|(status, codes)| {
            Some((shared_name(status)?.to_owned(), response(status, &[], &codes, &mut generator)))
        })
        .collect();
    let tags = Group::ALL.map(|it| json!({ "name": it.title(), "description": it.text() }));
    let mut document = json!({
        "openapi": "3.1.1",
        "info": {
            "title": TITLE,
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT" },
        },
        "servers": [{ "url": "/" }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "responses": shared,
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "description": BEARER },
                "certificate": { "type": "mutualTLS", "description": CERTIFICATE },
            },
        },
    });
    tidy(&mut document);
    document
}

fn operation(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let about = &route.about;
    let mut members = Map::new();
    members.insert("tags".to_owned(), json!([about.group.title()]));
    members.insert("operationId".to_owned(), about.name.into());
    members.insert("summary".to_owned(), about.summary.into());
    if !about.detail.is_empty() {
        members.insert("description".to_owned(), about.detail.into());
    }
    let parameters = parameters(route);
    if !parameters.is_empty() {
        members.insert("parameters".to_owned(), parameters.into());
    }
    if !about.takes.is_empty() {
        let content = content(&about.takes, generator);
        members.insert("requestBody".to_owned(), json!({ "required": true, "content": content }));
    }
    members.insert("responses".to_owned(), responses(about, route.need, generator));
    members.insert("security".to_owned(), security(route.need));
    Value::Object(members)
}

/// Who may: the names are the actions that a credential has to allow.
fn security(need: Need) -> Value {
    let either = |names: &[&str]| json!([{ "bearer": names }, { "certificate": names }]);
    match need {
        Need::Nothing => json!([]),
        Need::AnyCaller => either(&[]),
        Need::Server(action) | Need::Log(action) => either(&[action.as_str()]),
        // Nothing at all will do where anybody may read this log's tree.
        Need::PublicLog(action) => {
            let names = [action.as_str()];
            json!([{}, { "bearer": names }, { "certificate": names }])
        }
    }
}

fn parameters(route: &Route) -> Vec<Value> {
    let named =
        route.path.split(['{', '}']).skip(1).step_by(2).map(|it| it.trim_start_matches('*'));
    let in_path = named.map(|name| {
        let text = if name == "log" { "The log's name." } else { route.about.names };
        let schema = json!({ "type": "string", "minLength": 1 });
        json!({ "name": name, "in": "path", "required": true, "description": text, "schema": schema })
    });
    let log = Parameter::header(
        "Tachograph-Log",
        Values::Text,
        "The log; the one that the configuration names as default when nothing is said.",
    );
    let names_no_log = matches!(route.need, Need::Log(_)) && !route.path.contains("{log}");
    let others = names_no_log.then_some(log).into_iter().chain(route.about.parameters.clone());
    in_path.chain(others.map(|it| parameter(&it))).collect()
}

fn parameter(parameter: &Parameter) -> Value {
    let one = match parameter.value {
        Values::Text => json!({ "type": "string" }),
        Values::Bytes(min, max) => {
            json!({ "type": "string", "minLength": min, "maxLength": max, "pattern": "^[!-~]*$" })
        }
        Values::Number(min, max) => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Values::Choice(names) => json!({ "type": "string", "enum": names }),
        Values::Flag => json!({ "type": "string", "enum": ["1", "0", "true", "false"] }),
        Values::Time => json!({
            "type": "string",
            "description": "RFC 3339, a date, or how long ago (`15m`, `24h`, `7d`).",
            "examples": ["2026-11-02T14:23:00Z", "2026-11-02", "24h"],
        }),
    };
    let schema = match parameter.repeats {
        true => json!({ "type": "array", "items": one }),
        false => one,
    };
    let place = if parameter.is_header { "header" } else { "query" };
    json!({ "name": parameter.name, "in": place, "description": parameter.text, "schema": schema })
}

/// Problems that follow from what a route needs.
fn common(need: Need) -> BTreeMap<u16, Vec<&'static str>> {
    let mut problems = BTreeMap::from([(500, vec!["internal"]), (503, vec!["too_slow"])]);
    if need == Need::Nothing {
        return problems;
    }
    let answered = |it: &&Refused| !it.is_ours() && !it.ends_handshake();
    let refused = Refused::ALL.iter().filter(answered).map(|it| it.code());
    problems.insert(401, std::iter::once("no_credentials").chain(refused).collect());
    problems.insert(503, BUSY.to_vec());
    problems.insert(429, vec!["rate_limited"]);
    if need != Need::AnyCaller {
        problems.insert(403, vec!["forbidden"]);
        // Who is refused is recorded, for which there may be no room.
        problems.insert(507, vec!["disk_full"]);
    }
    if matches!(need, Need::Log(_) | Need::PublicLog(_)) {
        problems.insert(404, vec!["not_found"]);
    }
    problems
}

/// Under which name an answer stands that many routes have.
fn shared_name(status: u16) -> Option<&'static str> {
    match status {
        401 => Some("Unauthorized"),
        403 => Some("Forbidden"),
        404 => Some("NotFound"),
        429 => Some("RateLimited"),
        500 => Some("Internal"),
        503 => Some("Busy"),
        507 => Some("Full"),
        _ => None,
    }
}

fn responses(about: &About, need: Need, generator: &mut SchemaGenerator) -> Value {
    let mut problems = common(need);
    let whole = common(Need::Log(Action::Verify));
    for (status, codes) in &about.problems {
        let all = problems.entry(*status).or_default();
        all.extend(codes.iter().filter(|code| !all.contains(code)).copied().collect::<Vec<_>>());
    }
    let statuses = about.answers.iter().map(|it| it.status).chain(problems.keys().copied());
    let mut statuses: Vec<u16> = statuses.collect();
    statuses.sort_unstable();
    statuses.dedup();
    let each = statuses.into_iter().map(|status| {
        let answers: Vec<_> = about.answers.iter().filter(|it| it.status == status).collect();
        let codes = problems.get(&status).cloned().unwrap_or_default();
        let told = match shared_name(status) {
            Some(name) if answers.is_empty() && whole.get(&status) == Some(&codes) => {
                json!({ "$ref": format!("#/components/responses/{name}") })
            }
            _ => response(status, &answers, &codes, generator),
        };
        (status.to_string(), told)
    });
    Value::Object(each.collect())
}

/// One answer: documents, a problem, or either.
fn response(
    status: u16,
    answers: &[&Answered],
    codes: &[&str],
    generator: &mut SchemaGenerator,
) -> Value {
    let title = StatusCode::from_u16(status).ok().and_then(|it| it.canonical_reason());
    let mut text: Vec<String> = answers.iter().map(|it| it.text.to_owned()).collect();
    let mut bodies = Map::new();
    let mut headers = Map::new();
    for answer in answers {
        bodies.extend(content(&answer.media, generator));
        headers.extend(answer.headers.iter().map(|(name, text)| header(name, text)));
    }
    if !codes.is_empty() {
        let title = title.unwrap_or("A problem");
        let codes_told: Vec<String> = codes.iter().map(|code| format!("`{code}`")).collect();
        text.push(format!("{title}: {}.", codes_told.join(", ")));
        let problem = running::problem();
        let mut schema = (problem.schema)(generator).to_value();
        if let Some(members) = schema.as_object_mut() {
            members.insert("properties".to_owned(), json!({ "code": { "enum": codes } }));
        }
        bodies.insert(problem.kind.to_owned(), json!({ "schema": schema }));
    }
    if matches!(status, 429 | 503 | 507) {
        headers.extend([header("Retry-After", "When to send it again, in seconds.")]);
    }
    if status == 401 {
        headers.extend([header("WWW-Authenticate", "How to send a credential.")]);
    }
    let mut members = Map::from_iter([("description".to_owned(), text.join(" ").into())]);
    for (name, value) in [("headers", headers), ("content", bodies)] {
        if !value.is_empty() {
            members.insert(name.to_owned(), value.into());
        }
    }
    Value::Object(members)
}

fn header(name: &str, text: &str) -> (String, Value) {
    (name.to_owned(), json!({ "description": text, "schema": { "type": "string" } }))
}

fn content(media: &[Media], generator: &mut SchemaGenerator) -> Map<String, Value> {
    let each = media.iter().map(|media| {
        let schema = (media.schema)(generator).to_value();
        (media.kind.to_owned(), json!({ "schema": schema }))
    });
    each.collect()
}

/// What is absent is left out and never null, so no schema says that it may be; and sentences are
/// not broken where the source is. The nesting is that of our own types.
fn tidy(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Object(members) => {
            if let Some(Value::Array(types)) = members.get_mut("type") {
                types.retain(|it| it != "null");
                if let [one] = types.as_slice() {
                    let one = one.clone();
                    members.insert("type".to_owned(), one);
                }
            }
            if let Some(Value::Array(choices)) = members.get_mut("anyOf") {
                choices.retain(|it| *it != json!({ "type": "null" }));
                if let [Value::Object(one)] = choices.as_slice() {
                    let one = one.clone();
                    members.remove("anyOf");
                    members.extend(one);
                }
            }
            if let Some(Value::String(text)) = members.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            members.values_mut().for_each(tidy);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
