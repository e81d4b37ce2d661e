//! What the crate promises from outside, over time stamps that OpenSSL made (`testdata/anchor`).

mod lies;
mod live;
mod stamps;

use anchor::Authorities;
use std::path::PathBuf;

/// A file of `testdata/anchor`.
fn read(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testdata/anchor");
    std::fs::read(folder.join(name)).expect("testdata/anchor is complete")
}

fn authorities(name: &str) -> Authorities {
    Authorities::from_pem(&read(name)).expect("certificates in PEM")
}
