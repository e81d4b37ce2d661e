//! A whole document as an answer: in the format that was asked for, with the headers that every
//! answer out of a log has.
//!
//! Not here: answers made of records (`answers.rs`), and what a document says (`report`).

use crate::parameters::bad;
use crate::problem::Problem;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, header};
use query::AsOf;
use query::render::{Style, View};
use reading::answer::Unreadable;
use report::document::{self, Document};

/// Formats of a document without tables of its own, the first of which is what nobody asked for.
pub(crate) const FORMATS: &[&str] = &["json", "md", "html", "text", "pdf"];

/// Columns of a text: as wide as commands write where there is no terminal.
const TEXT: View = View { width: 100, style: Style::Plain };

/// A document that was written, and what it is as of.
pub(crate) struct Paper {
    /// What is sent.
    pub(crate) bytes: Vec<u8>,
    /// Its format: `json`, `md`, `html`, `text`, `pdf`, `csv` or `zip`.
    pub(crate) format: &'static str,
    /// Records that it is made of.
    pub(crate) records: u64,
    /// The checkpoint.
    pub(crate) as_of: AsOf,
    /// What belongs to it and could not be read.
    pub(crate) unreadable: Unreadable,
}

/// Writes a document; as JSON in its own way.
pub(crate) fn write(it: &Document, format: &str, json: impl FnOnce() -> String) -> Vec<u8> {
    match format {
        "md" => document::markdown(it).into_bytes(),
        "html" => document::html(it).into_bytes(),
        "text" => document::text(it, TEXT).into_bytes(),
        "pdf" => document::pdf(it),
        _ => json().into_bytes(),
    }
}

/// Writes a document that has tables: as CSV the one of this name, else its first.
///
/// # Errors
/// 400 when it has no such table.
pub(crate) fn write_with_tables(
    it: &Document,
    format: &str,
    table: Option<&str>,
    json: impl FnOnce() -> String,
) -> Result<Vec<u8>, Problem> {
    match format {
        "csv" => document::csv(it, table)
            .map(String::into_bytes)
            .map_err(|error| bad("table", &error.to_string())),
        format => Ok(write(it, format, json)),
    }
}

impl Paper {
    /// The answer, shown as it is.
    pub(crate) fn respond(self) -> Response<Body> {
        let is_page = self.format == "html";
        let mut response = self.bare();
        if is_page && let Ok(policy) = HeaderValue::try_from(document::page_policy()) {
            // The one for all answers would take the page its style. Nothing else is allowed it.
            response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        response
    }

    /// The answer, to be kept as a file: no browser shows it as a page of this server.
    pub(crate) fn respond_as_file(self, name: &str) -> Response<Body> {
        let name = format!("attachment; filename=\"{}.{}\"", harmless(name), self.format);
        let mut response = self.bare();
        if let Ok(name) = HeaderValue::try_from(name) {
            response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
        }
        response
    }

    fn bare(self) -> Response<Body> {
        let kind = HeaderValue::from_static(kind(self.format));
        let mut response = Response::new(Body::from(self.bytes));
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        tell(response.headers_mut(), &self.as_of, &self.unreadable);
        response
    }
}

/// Says what an answer is as of, and what of it could not be read.
pub(crate) fn tell(headers: &mut HeaderMap, as_of: &AsOf, unreadable: &Unreadable) {
    let mut say = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    let AsOf { origin, size, root_hex } = as_of;
    say("tachograph-checkpoint", format!("{origin} {size} {root_hex}"));
    if let Some((first, why)) = unreadable.first() {
        say("tachograph-unreadable", unreadable.count().to_string());
        say("tachograph-unreadable-from", first.to_string());
        say("tachograph-unreadable-why", why.to_owned());
    }
}

fn kind(format: &str) -> &'static str {
    match format {
        "md" => "text/markdown; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "text" => "text/plain; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "pdf" => "application/pdf",
        "zip" => "application/zip",
        _ => "application/json",
    }
}

/// A name of a file in which nothing has a meaning, whoever chose it.
fn harmless(name: &str) -> String {
    let fits = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.');
    name.chars().take(80).map(|it| if fits(it) { it } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_somebody_chose_is_no_more_than_a_name() {
        assert_eq!(harmless("bundle-a\"; x=\r\n../é"), "bundle-a---x---..--");
        assert_eq!(harmless(&"x".repeat(500)).len(), 80);
    }
}
