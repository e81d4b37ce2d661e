//! A bundle of evidence (`prove::Bundle`) as it is handed over: one page that checks itself in a
//! browser, or a zip file with that page, the same text for programs, and proofs for any other
//! verifier.
//!
//! The page holds the checker as a WebAssembly module, `bundle/checker.wasm.gz`, which `cargo xtask
//! wasm` builds from `crates/checker` and compares (docs/decisions/0043). Not here: what is checked
//! (`prove`), how a bundle is put together (`reading`).
//!
//! | question | file |
//! |---|---|
//! | the page, and the bundle in a page | `bundle/page.rs`, `page.css`, `page.js` |
//! | in which form it goes, and what the log is told of it | `bundle/form.rs` |
//! | the bytes of a zip file | `bundle/archive.rs` |
//! | does a file hold, whichever of them it is? | this one |

mod archive;
mod form;
mod page;

pub use archive::ArchiveError;
pub use form::{Exported, Form, WriteError};
pub use page::page;

use prove::{
    BUNDLE_BYTES_MAX, BUNDLE_START, Bundle, CheckedBundle, Finding, FindingKind, Trust,
    verify_bundle,
};
use std::collections::BTreeMap;

/// The longest file that is read, in bytes: a zip file holds the bundle twice, and its proofs.
pub const BUNDLE_FILE_BYTES_MAX: usize = 3 * BUNDLE_BYTES_MAX;

const JSON: &str = "bundle.json";
const PAGE: &str = "bundle.html";
const README: &str = include_str!("bundle/README.txt");

/// A zip file with a bundle.
///
/// # Errors
/// When it does not fit into one.
pub fn zip(bundle: &Bundle) -> Result<Vec<u8>, ArchiveError> {
    archive::write(&files(bundle, &bundle.to_json()))
}

/// Every file of a zip file with a bundle.
fn files(bundle: &Bundle, json: &str) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::from([
        (JSON.to_owned(), json.as_bytes().to_vec()),
        (PAGE.to_owned(), page(bundle, json).into_bytes()),
        ("README.txt".to_owned(), README.as_bytes().to_vec()),
        ("checkpoint".to_owned(), bundle.checkpoint.clone().into_bytes()),
    ]);
    for (index, proof) in bundle.tlog_proofs() {
        files.insert(format!("proofs/{index}.tlog-proof"), proof.into_bytes());
    }
    files
}

/// Checks a file with a bundle, whichever form it has; `None` when it is none.
#[must_use]
pub fn verify(bytes: &[u8], trust: &Trust) -> Option<CheckedBundle> {
    if bytes.starts_with(BUNDLE_START.as_bytes()) {
        return Some(verify_bundle(bytes, trust));
    }
    if archive::is_one(bytes) {
        return Some(verify_archive(bytes, trust));
    }
    page::is_one(bytes).then(|| verify_page(bytes, trust))
}

fn corrupt(file: &str, detail: impl Into<String>) -> Finding {
    Finding::of_file(FindingKind::Corrupt, file, detail)
}

/// Checks the bundle in a page, and that the page around it is as this program writes it: one that
/// is not could show anything.
fn verify_page(bytes: &[u8], trust: &Trust) -> CheckedBundle {
    let json = match page::bundle_in(bytes) {
        Ok(json) => json,
        Err(detail) => {
            let mut checked = verify_bundle(&[], trust);
            checked.report = prove::Report::new("");
            checked.report.add(corrupt("page", detail));
            return checked;
        }
    };
    let mut checked = verify_bundle(json, trust);
    if let Some(bundle) = &checked.bundle
        && let Some(finding) = page::differs(bytes, &page(bundle, &String::from_utf8_lossy(json)))
    {
        checked.report.add(finding);
    }
    checked
}

/// Checks the bundle in a zip file, and that every other file there follows from it.
fn verify_archive(bytes: &[u8], trust: &Trust) -> CheckedBundle {
    let read = archive::read(bytes, BUNDLE_FILE_BYTES_MAX);
    let mut given = match read {
        Ok(files) => files,
        Err(error) => {
            let mut checked = verify_bundle(&[], trust);
            checked.report = prove::Report::new("");
            checked.report.add(corrupt("", error.to_string()));
            return checked;
        }
    };
    let json = given.get(JSON).cloned().unwrap_or_default();
    let mut checked = verify_bundle(&json, trust);
    let Some(bundle) = &checked.bundle else { return checked };
    let expected = files(bundle, &String::from_utf8_lossy(&json));
    let report = &mut checked.report;
    for (name, wanted) in &expected {
        match given.remove(name) {
            Some(bytes) if bytes == *wanted => {}
            Some(bytes) if name == PAGE => {
                let wanted = String::from_utf8_lossy(wanted);
                page::differs(&bytes, &wanted).into_iter().for_each(|finding| report.add(finding));
            }
            Some(_) => report.add(corrupt(name, "it is not what the bundle gives")),
            None => {
                let detail = "it is not in the zip file";
                report.add(Finding::of_file(FindingKind::Missing, name, detail));
            }
        }
    }
    for name in given.keys().filter(|name| !name.ends_with('/')) {
        let detail = "no bundle has this file";
        report.add(Finding::of_file(FindingKind::Unannounced, name, detail));
    }
    checked
}
