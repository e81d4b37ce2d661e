//! Stamps that do not count.

use crate::{authorities, read};
use anchor::{Authorities, Request, StampError, accept, verify};

#[test]
fn a_stamp_is_of_one_checkpoint_only() {
    let (stamp, authorities) = (read("rsa-sha256.tsr"), authorities("authority.pem"));
    let mut checkpoint = read("checkpoint");
    for at in 0..checkpoint.len() {
        checkpoint[at] ^= 1;
        let told = verify(&stamp, &checkpoint, &authorities);
        assert_eq!(told, Err(StampError::OtherMessage), "byte {at}");
        checkpoint[at] ^= 1;
    }
}

/// Bytes of a token that are not signed: its status, versions, the list of hashes, the certificates
/// (of which the one that signed is named by its hash), and what stands for the tag of a set.
#[test]
fn no_byte_of_a_stamp_can_change_what_it_says() {
    let (authorities, checkpoint) = (authorities("authority.pem"), read("checkpoint"));
    for name in ["rsa-sha256.tsr", "p256-sha256.tsr", "older.tsr"] {
        let mut bytes = read(name);
        let said = verify(&bytes, &checkpoint, &authorities).unwrap();
        let mut unnoticed = 0;
        for at in 0..bytes.len() {
            bytes[at] ^= 0x10;
            if let Ok(told) = verify(&bytes, &checkpoint, &authorities) {
                assert_eq!(told, said, "{name}, byte {at}");
                unnoticed += 1;
            }
            bytes[at] ^= 0x10;
        }
        assert!(unnoticed < 40, "{name}: {unnoticed}");
    }
}

#[test]
fn every_beginning_of_a_stamp_is_refused() {
    let (authorities, checkpoint) = (authorities("authority.pem"), read("checkpoint"));
    let bytes = read("p256-sha256.tsr");
    for end in 0..bytes.len() {
        assert!(verify(&bytes[..end], &checkpoint, &authorities).is_err(), "{end}");
    }
    let longer = [&bytes[..], b"\0"].concat();
    assert!(verify(&longer, &checkpoint, &authorities).is_err());
}

#[test]
fn an_authority_that_nobody_named_does_not_count() {
    let checkpoint = read("checkpoint");
    let told = verify(&read("stranger.tsr"), &checkpoint, &authorities("authority.pem"));
    assert!(matches!(told, Err(StampError::Chain(_))), "{told:?}");
    assert!(verify(&read("stranger.tsr"), &checkpoint, &authorities("stranger.pem")).is_ok());
    let told = verify(&read("rsa-sha256.tsr"), &checkpoint, &authorities("stranger.pem"));
    assert!(matches!(told, Err(StampError::Chain(_))), "{told:?}");
}

#[test]
fn a_certificate_counts_in_its_time_only() {
    let told = verify(&read("expired.tsr"), &read("checkpoint"), &authorities("authority.pem"));
    assert!(matches!(told, Err(StampError::Chain(_))), "{told:?}");
}

#[test]
fn a_certificate_that_a_stamp_does_not_name_by_its_hash_is_not_the_signers() {
    let authorities = authorities("authority-and-twin.pem");
    let told = verify(&read("without.tsr"), &read("checkpoint"), &authorities);
    assert_eq!(told, Err(StampError::Signature("it names another certificate")));
}

#[test]
fn what_an_authority_refused_is_no_stamp() {
    let told = verify(&read("refused.tsr"), &read("checkpoint"), &authorities("authority.pem"));
    assert!(matches!(told, Err(StampError::Refused { status: 2, .. })), "{told:?}");
}

#[test]
fn an_answer_to_another_request_is_not_accepted() {
    let (stamp, checkpoint) = (read("rsa-sha256.tsr"), read("checkpoint"));
    let told =
        accept(&stamp, &Request::new(&checkpoint, 7), &checkpoint, &authorities("authority.pem"));
    assert_eq!(told, Err(StampError::OtherNonce));
}

#[test]
fn a_file_of_authorities_has_certificates() {
    for bad in [&b""[..], b"x", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let told = Authorities::from_pem(bad).unwrap_err();
        assert!(told.to_string().contains("it holds certificates in PEM"), "{told}");
    }
}
