//! Stamps that hold.

use crate::{authorities, read};
use anchor::{StampError, verify};

#[test]
fn what_openssl_stamps_with_every_usual_key_and_hash_holds() {
    let (authorities, checkpoint) = (authorities("authority.pem"), read("checkpoint"));
    for (name, holder) in [
        ("rsa-sha256.tsr", "rsa"),
        ("rsa-sha384.tsr", "rsa"),
        ("rsa-sha512.tsr", "rsa"),
        ("p256-sha256.tsr", "p256"),
        ("p384-sha384.tsr", "p384"),
        ("p384-sha512.tsr", "p384"),
        ("older.tsr", "rsa"),
        ("chain.tsr", "below"),
        ("bare.token", "rsa"),
    ] {
        let stamp = verify(&read(name), &checkpoint, &authorities).expect(name);
        assert_eq!(stamp.authority, format!("CN={holder} stamping,O=Example"), "{name}");
        assert_eq!(stamp.accuracy_ms, Some(1_500), "{name}");
        assert_eq!(stamp.latest_ms(), stamp.time_ms + 1_500);
        assert!(stamp.time_ms > 1_700_000_000_000 && !stamp.serial.is_empty(), "{name}");
    }
}

#[test]
fn a_stamp_without_certificates_needs_that_of_its_signer_beside_the_authority() {
    let (stamp, checkpoint) = (read("without.tsr"), read("checkpoint"));
    let alone = verify(&stamp, &checkpoint, &authorities("authority.pem"));
    assert_eq!(alone, Err(StampError::NoCertificate));
    assert!(verify(&stamp, &checkpoint, &authorities("authority-and-signer.pem")).is_ok());
}
