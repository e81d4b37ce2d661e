//! One file instead of a folder: an evidence document, or a bundle in any of its forms.

use crate::failure::Failure;
use checkpoint::{Policy, VerifierKey};
use prove::{EVIDENCE_BYTES_MAX, Report, Trust, verify_evidence};
use report::bundle::{self, BUNDLE_FILE_BYTES_MAX};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// What a `tlog-proof` begins with (C2SP `tlog-proof`).
const PROOF_HEADER: &[u8] = b"c2sp.org/tlog-proof@";

/// Checks a file.
pub(super) fn check(
    path: &Path,
    pinned: Vec<VerifierKey>,
    policy: Option<Policy>,
) -> Result<Report, Failure> {
    let mut bytes = Vec::new();
    let most = BUNDLE_FILE_BYTES_MAX.max(EVIDENCE_BYTES_MAX) as u64 + 1;
    let read = File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes));
    read.map_err(Failure::io("read", path))?;
    if bytes.starts_with(PROOF_HEADER) {
        return Err(Failure::new(format!(
            "{} proves an entry that is not in it; verify the evidence document instead (`tacho prove \
             --evidence`), which holds the entry and the record",
            path.display()
        )));
    }
    // Here the checkpoint of the document itself must be cosigned: there is no other one.
    let trust = Trust { pinned, policy, ..Trust::default() };
    if let Some(checked) = bundle::verify(&bytes, &trust) {
        return Ok(checked.report);
    }
    Ok(verify_evidence(&bytes, &trust))
}
