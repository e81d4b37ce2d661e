//! Whatever any test of this crate is answered has to be in the description: the status, the kind
//! of body, and for a problem its code.

use super::*;
use axum::http::Method;

/// Holds an answer to the description of its route; an address that has none is not described.
pub(crate) fn check(method: &Method, path: &str, answer: &Answer) {
    let document = serve::openapi::document();
    let paths = document["paths"].as_object().unwrap();
    let fitting = paths.iter().filter(|(template, _)| fits(template, path));
    let Some((template, methods)) = fitting.min_by_key(|(it, _)| it.matches('{').count()) else {
        return;
    };
    let operation = &methods[method.as_str().to_ascii_lowercase()];
    if operation.is_null() {
        return;
    }
    let place = format!("{method} {template}, answered to {path} with {answer:?}");
    let mut told = &operation["responses"][answer.status.as_str()];
    if let Some(reference) = told["$ref"].as_str() {
        told = document.pointer(&reference[1..]).unwrap();
    }
    assert!(!told.is_null(), "the status is not described: {place}");
    let Some(kind) = answer.headers.get(header::CONTENT_TYPE) else {
        assert!(answer.bytes.is_empty(), "a body of no kind: {place}");
        return;
    };
    let body = &told["content"][kind.to_str().unwrap()];
    assert!(!body.is_null(), "this kind of body is not described: {place}");
    if kind == "application/problem+json" {
        let code = &answer.json()["code"];
        let codes = body["schema"]["properties"]["code"]["enum"].as_array().unwrap();
        assert!(codes.contains(code), "the code is not described: {place}");
    }
}

fn fits(template: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap();
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some("{rest}"), Some(_)) => return true,
            (Some(name), Some(_)) if name.starts_with('{') => {}
            (Some(literal), Some(part)) if literal == part => {}
            _ => return false,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_and_its_page_are_open_to_everybody_and_the_same_for_all() {
    let rig = Rig::new();
    let described = rig.get("", "/openapi.json").await;
    assert_eq!(described.status, StatusCode::OK);
    assert_eq!(described.bytes, serve::openapi::text().as_bytes());
    assert_eq!(described.json()["openapi"], "3.1.1");
    let page = rig.get("", "/docs").await;
    assert_eq!(page.headers[header::CONTENT_TYPE], "text/html; charset=utf-8");
    let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.contains("style-src 'sha256-"), "{policy}");
    // Nothing of this server's logs is told to somebody without a credential.
    for answer in [&described, &page] {
        let text = String::from_utf8_lossy(&answer.bytes);
        assert!(!text.contains("tachograph.local/") && !text.contains("\"other\""));
    }
    let token = rig.admin();
    assert_eq!(rig.get(&token, "/openapi.json").await.bytes, described.bytes);
}
