//! The console: its files, which are part of this program, and signing in to it.
//!
//! Files are sent as they were built (`console/` in the repository makes them). The page is one for
//! every address that a person may type: which view it shows is its own affair.

pub(crate) mod session;
pub(crate) mod sign_in;

use crate::problem::Problem;
use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::LazyLock;

/// What the page may do: its own files and this server, and nothing else whatsoever. Scripts cannot
/// make markup of text (trusted types), so what an agent wrote is never more than text.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
                      img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; \
                      form-action 'self'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";
/// The page.
const PAGE: &str = "index.html";

/// The files as they were built: name and bytes (`build.rs`).
static BUILT: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/console_files.rs"));

/// One of the files.
struct File {
    kind: &'static str,
    bytes: Bytes,
    /// The same, packed; absent where that saves nothing.
    packed: Option<Bytes>,
    tag: String,
}

static FILES: LazyLock<BTreeMap<&str, File>> =
    LazyLock::new(|| BUILT.iter().map(|(name, bytes)| (*name, File::new(name, bytes))).collect());

impl File {
    fn new(name: &str, bytes: &'static [u8]) -> Self {
        let tag = format!("\"{}\"", hex::encode(digest(&SHA256, bytes)));
        let packed = pack(bytes).filter(|packed| packed.len() < bytes.len() * 9 / 10);
        let packed = packed.map(Bytes::from);
        Self { kind: kind(name), bytes: Bytes::from_static(bytes), packed, tag }
    }

    fn answer(&self, asked: &HeaderMap, kept: &'static str) -> Response<Body> {
        let is_known = asked
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .any(|tags| tags.to_str().is_ok_and(|tags| tags.contains(&self.tag)));
        let packed = self.packed.as_ref().filter(|_| takes_gzip(asked));
        let bytes = packed.unwrap_or(&self.bytes);
        let mut response = Response::new(match is_known {
            true => Body::empty(),
            false => Body::from(bytes.clone()),
        });
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let headers = response.headers_mut();
        let coding = packed.map(|_| (header::CONTENT_ENCODING, "gzip"));
        let of_body = [Some((header::CONTENT_TYPE, self.kind)), coding];
        let of_all = [
            (header::CACHE_CONTROL, kept),
            (header::VARY, "accept-encoding"),
            (header::CONTENT_SECURITY_POLICY, POLICY),
        ];
        let of_body = of_body.into_iter().flatten().filter(|_| !is_known);
        for (name, value) in of_all.into_iter().chain(of_body) {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.extend(HeaderValue::try_from(&self.tag).ok().map(|tag| (header::ETAG, tag)));
        response
    }
}

/// `GET /`, and every address that belongs to nothing else when a browser goes there.
pub(crate) async fn page(asked: HeaderMap) -> Result<Response<Body>, Problem> {
    let page = FILES.get(PAGE).ok_or_else(no_such_file)?;
    let mut response = page.answer(&asked, "no-cache");
    let alone = HeaderValue::from_static("same-origin");
    response.headers_mut().insert("cross-origin-opener-policy", alone);
    Ok(response)
}

/// What a browser gets for an address that is no route: a file of the console, or, if a person went
/// there, the page. Nothing for programs.
pub(crate) async fn anywhere(
    method: &Method,
    address: &Uri,
    asked: HeaderMap,
) -> Option<Response<Body>> {
    if method != Method::GET {
        return None;
    }
    let named =
        FILES.get(address.path().strip_prefix('/')?).filter(|_| !address.path().ends_with(PAGE));
    match named {
        Some(file) => Some(file.answer(&asked, "no-cache")),
        None if is_visit(&asked) => page(asked).await.ok(),
        None => None,
    }
}

/// `GET /assets/{name}`: a file whose name changes with its bytes.
pub(crate) async fn asset(
    Path(name): Path<String>,
    asked: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let file = FILES.get(&*format!("assets/{name}")).ok_or_else(no_such_file)?;
    Ok(file.answer(&asked, "public, max-age=31536000, immutable"))
}

/// Whether a person's browser goes somewhere, rather than a program asking for something.
fn is_visit(asked: &HeaderMap) -> bool {
    let accepts = asked.get(header::ACCEPT).and_then(|accepts| accepts.to_str().ok());
    accepts.is_some_and(|accepts| accepts.contains("text/html"))
}

fn no_such_file() -> Problem {
    Problem::not_found("the console has no such file; reload the page")
}

fn takes_gzip(asked: &HeaderMap) -> bool {
    let all = asked.get_all(header::ACCEPT_ENCODING).iter().filter_map(|it| it.to_str().ok());
    let mut codings = all.flat_map(|line| line.split(',')).map(str::trim);
    codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim().eq_ignore_ascii_case("gzip") && !matches!(weight.trim(), "q=0" | "q=0.0")
    })
}

fn pack(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(bytes).ok()?;
    packer.finish().ok()
}

/// What a file is, by the end of its name.
fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, end)| end) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "gz" => "application/gzip",
        "json" | "webmanifest" => "application/json",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the page loads before it asks for anything: the budget is 300 kB, packed.
    const FIRST_LOAD_BYTES_MAX: usize = 300_000;

    fn sent(file: &File) -> usize {
        file.packed.as_ref().unwrap_or(&file.bytes).len()
    }

    #[test]
    fn the_page_loads_only_files_that_are_there_and_runs_nothing_of_its_own() {
        let page = std::str::from_utf8(&FILES[PAGE].bytes).unwrap();
        let mut loaded = vec![&FILES[PAGE]];
        for part in page.split(['"', '\'']).filter(|part| part.starts_with("/assets/")) {
            loaded.push(FILES.get(&part[1..]).unwrap_or_else(|| panic!("{part} is not there")));
        }
        assert!(loaded.len() > 2, "a script and a style at least");
        assert!(loaded.into_iter().map(sent).sum::<usize>() < FIRST_LOAD_BYTES_MAX);
        assert!(!page.contains("<style") && !page.contains("style=") && !page.contains("://"));
        for script in page.split("<script").skip(1) {
            let (opening, rest) = script.split_once('>').unwrap();
            assert!(
                opening.contains("src=\"/assets/") && rest.starts_with("</script>"),
                "{script}"
            );
        }
    }

    #[test]
    fn every_file_has_a_kind_that_browsers_know() {
        for (name, file) in FILES.iter() {
            assert_ne!(file.kind, "application/octet-stream", "{name}");
        }
    }

    #[test]
    fn packed_is_sent_only_to_who_takes_it_and_nothing_to_who_has_it() {
        let file = File::new("a.js", &[b' '; 10_000]);
        let asked = |name: header::HeaderName, value: &str| {
            HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
        };
        let coding = |value| {
            let answer = file.answer(&asked(header::ACCEPT_ENCODING, value), "no-cache");
            answer.headers().contains_key(header::CONTENT_ENCODING)
        };
        assert!(coding("br, gzip") && coding("GZIP;q=0.5"));
        assert!(!coding("br") && !coding("gzip;q=0, br") && !coding(""));
        let known = file.answer(&asked(header::IF_NONE_MATCH, &file.tag), "no-cache");
        assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
        let other = file.answer(&asked(header::IF_NONE_MATCH, "\"other\""), "no-cache");
        assert_eq!(other.status(), StatusCode::OK);
        assert_eq!(other.headers()["etag"], file.tag.as_str());
        // What would not shrink is not packed.
        assert!(File::new("b.png", b"\x89PNG").packed.is_none());
    }

    #[test]
    fn only_browsers_visit() {
        let visit = |value: &str| {
            is_visit(&HeaderMap::from_iter([(
                header::ACCEPT,
                HeaderValue::from_str(value).unwrap(),
            )]))
        };
        assert!(visit("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"));
        assert!(!visit("*/*") && !visit("application/json") && !is_visit(&HeaderMap::new()));
    }
}
