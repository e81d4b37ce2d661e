//! The page of a bundle: its text, the checker, and a script that shows what the checker says.
//!
//! Nothing that an event holds is written as markup: the bundle stands in a block of data, and the
//! script writes texts only. The policy in the page allows this one script, this one style, the
//! module, and nothing from anywhere.

use crate::document::escaped;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prove::{Bundle, Finding, FindingKind};
use sha2::{Digest as _, Sha256};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
const CHECKER: &[u8] = include_bytes!("checker.wasm.gz");

const START: &str = "<!doctype html>\n<html lang=\"en\" data-verdict=\"checking\">\n";
const DATA: &str = "<script type=\"application/json\" id=\"bundle\">";
const GENERATOR: &str =
    concat!("<meta name=\"generator\" content=\"tacho ", env!("CARGO_PKG_VERSION"), "\">");

/// Writes the page of a bundle whose text is `json`.
#[must_use]
pub fn page(bundle: &Bundle, json: &str) -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    let (style, script) = (hash(STYLE), hash(SCRIPT));
    let title =
        escaped(&format!("Evidence: {} {}", bundle.subject.kind.as_str(), bundle.subject.id));
    let checker = STANDARD.encode(CHECKER);
    format!(
        "{START}<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         script-src 'sha256-{script}' 'wasm-unsafe-eval'; style-src 'sha256-{style}'; \
         base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n{GENERATOR}\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main id=\"page\">\n\
         <section class=\"verdict doubt\" role=\"status\"><b class=\"mark\">…</b><div>\
         <p class=\"word\">Not checked yet</p><p>This page checks itself with JavaScript and \
         WebAssembly. While you read this, it has not, or could not: believe nothing of it, or run \
         <code>tacho verify</code> on the file.</p></div></section>\n</main>\n\
         {DATA}{json}</script>\n\
         <script type=\"application/gzip\" id=\"checker\">{checker}</script>\n\
         <script>{SCRIPT}</script>\n</body>\n</html>\n"
    )
}

/// Whether it is a page of a bundle, of whatever version.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    bytes.starts_with(b"<!doctype html>") && find(bytes, DATA).is_some()
}

/// The text of the bundle in a page.
pub(super) fn bundle_in(bytes: &[u8]) -> Result<&[u8], &'static str> {
    let lost = "the page holds no bundle";
    let begin = find(bytes, DATA).ok_or(lost)? + DATA.len();
    let after = bytes.get(begin..).unwrap_or_default();
    if find(after, "id=\"bundle\"").is_some() {
        return Err("the page holds two bundles: what a browser shows need not be what is checked");
    }
    // No `<` stands in the text of a bundle.
    let end = find(after, "</script>").ok_or(lost)?;
    after.get(..end).ok_or(lost)
}

/// What is wrong with a page that should be `wanted`.
pub(super) fn differs(bytes: &[u8], wanted: &str) -> Option<Finding> {
    if bytes == wanted.as_bytes() {
        return None;
    }
    if find(bytes, GENERATOR).is_none() {
        let detail = "the page was written by another version of tacho: the evidence in it was checked, \
                      what the page says by itself was not";
        return Some(Finding::of_file(FindingKind::Unassessed, "page", detail));
    }
    let same = wanted.bytes().zip(bytes).take_while(|(one, other)| one == *other).count();
    let detail = format!(
        "byte {same} of the page is not as tacho writes it: what a browser shows may be forged"
    );
    Some(Finding::of_file(FindingKind::Corrupt, "page", detail))
}

fn find(bytes: &[u8], mark: &str) -> Option<usize> {
    memchr::memmem::find(bytes, mark.as_bytes())
}
