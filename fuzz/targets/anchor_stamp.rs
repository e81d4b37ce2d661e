//! Answers of time-stamping authorities: whatever comes, what is accepted as a stamp of the
//! checkpoint says exactly what one that an authority made says; nothing is a stamp of other bytes;
//! and what is told of it can be shown.

#![no_main]

use anchor::{Authorities, Stamp, StampError, verify};
use libfuzzer_sys::fuzz_target;
use std::collections::HashSet;
use std::sync::LazyLock;

const CHECKPOINT: &[u8] = include_bytes!("../../testdata/anchor/checkpoint");
const MADE: [&[u8]; 6] = [
    include_bytes!("../../testdata/anchor/rsa-sha256.tsr"),
    include_bytes!("../../testdata/anchor/rsa-sha512.tsr"),
    include_bytes!("../../testdata/anchor/p256-sha256.tsr"),
    include_bytes!("../../testdata/anchor/p384-sha384.tsr"),
    include_bytes!("../../testdata/anchor/older.tsr"),
    include_bytes!("../../testdata/anchor/chain.tsr"),
];

static AUTHORITIES: LazyLock<Authorities> = LazyLock::new(|| {
    Authorities::from_pem(include_bytes!("../../testdata/anchor/authority.pem")).unwrap()
});

/// What those say that an authority made.
static SAID: LazyLock<HashSet<(u64, String, String)>> = LazyLock::new(|| {
    let said = |bytes: &&[u8]| key(&verify(bytes, CHECKPOINT, &AUTHORITIES).unwrap());
    MADE.iter().map(said).collect()
});

fn key(stamp: &Stamp) -> (u64, String, String) {
    (stamp.latest_ms(), stamp.serial.clone(), stamp.authority.clone())
}

fuzz_target!(|data: &[u8]| {
    match verify(data, CHECKPOINT, &AUTHORITIES) {
        Ok(stamp) => {
            assert!(SAID.contains(&key(&stamp)), "{stamp:?}");
            let other = verify(data, b"other bytes", &AUTHORITIES);
            assert_eq!(other, Err(StampError::OtherMessage));
        }
        Err(error) => assert!(!error.to_string().chars().any(char::is_control), "{error:?}"),
    }
});
