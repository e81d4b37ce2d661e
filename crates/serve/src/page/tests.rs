//! The page shows every operation, and asks nothing of anybody else.

use super::*;

#[test]
fn every_operation_and_every_document_is_on_the_page() {
    let document = openapi::document();
    for (path, methods) in members(&document["paths"]) {
        for (_, operation) in members(methods) {
            let place = format!("<details id=\"{}\">", text(&operation["operationId"]));
            assert!(PAGE.contains(&place) && PAGE.contains(&escaped(path)), "{path}");
        }
    }
    for (name, _) in members(&document["components"]["schemas"]) {
        assert!(PAGE.contains(&format!("id=\"document-{name}\"")), "{name}");
    }
    // Every link within the page leads somewhere.
    for link in PAGE.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(PAGE.contains(&format!("id=\"{link}\"")), "{link}");
    }
}

#[test]
fn the_page_loads_nothing_and_runs_nothing() {
    for forbidden in
        ["<script", "<link", "<img", "@import", "url(", " style=", " onclick", "javascript:"]
    {
        assert!(!PAGE.contains(forbidden), "{forbidden}");
    }
    let policy = POLICY.as_ref().unwrap().to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
}

#[test]
fn whatever_a_description_says_is_shown_and_not_obeyed() {
    assert_eq!(prose("a <b> & `<c>`"), "a &lt;b&gt; &amp; <code>&lt;c&gt;</code>");
    assert_eq!(
        prose("see https://c2sp.org/x?a=\"b; then"),
        "see <a href=\"https://c2sp.org/x?a=&quot;b\">https://c2sp.org/x?a=&quot;b</a>; then"
    );
}
