//! Our requests, answered by OpenSSL here and now; where it is not installed there is nobody to
//! ask.

use anchor::{Authorities, Request, StampError, accept};
use std::path::Path;
use std::process::Command;

const AUTHORITY: &str = include_str!("../../../../testdata/anchor/authority.sh");

/// Has the authority in a folder do something; false where there is none.
fn authority(at: &Path, does: &str) -> bool {
    let mut command = Command::new("sh");
    let run = command.args(["-c", AUTHORITY, "sh", does]).current_dir(at).output();
    let run = run.expect("there is a shell");
    let is_missing = run.status.code() == Some(127);
    assert!(is_missing || run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    !is_missing
}

#[test]
fn openssl_answers_our_request_and_the_answer_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    if !authority(at, "make") {
        return;
    }
    let message = b"some checkpoint";
    let request = Request::new(message, 0x0123_4567_89ab_cdef);
    std::fs::write(at.join("query"), request.to_der()).unwrap();
    assert!(authority(at, "reply"));
    let answer = std::fs::read(at.join("answer")).unwrap();
    let pem = std::fs::read(at.join("ca.pem")).unwrap();
    let authorities = Authorities::from_pem(&pem).unwrap();
    let stamp = accept(&answer, &request, message, &authorities).unwrap();
    assert_eq!((stamp.authority.as_str(), stamp.accuracy_ms), ("CN=stamper", None));
    let another = Request::new(message, 0x0123_4567_89ab_cdee);
    assert_eq!(accept(&answer, &another, message, &authorities), Err(StampError::OtherNonce));
}
