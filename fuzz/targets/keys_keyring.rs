//! Keyrings: what opens holds as many keys as its header says, none twice, and written again it
//! opens to the same keys. The tag over the whole is not checked here (`cfg(fuzzing)`), each
//! wrapped key is.

#![no_main]

use fuzz::sample_keyring::{Counted, kek};
use keys::{Kek, KeyId, KeyInfo, Keyring};
use libfuzzer_sys::fuzz_target;
use std::collections::HashSet;
use std::sync::LazyLock;

static KEK: LazyLock<Kek> = LazyLock::new(kek);

fuzz_target!(|data: &[u8]| {
    if let Ok(id) = std::str::from_utf8(data).unwrap_or_default().parse::<KeyId>() {
        assert_eq!(id.to_string().as_bytes(), data);
    }
    let header = Keyring::header(data);
    let Ok(mut keyring) = Keyring::open(data, &KEK) else { return };
    let header = header.expect("what opens has a header");
    let list: Vec<KeyInfo> = keyring.list().collect();
    assert_eq!(list.len(), header.keys as usize);
    assert_eq!((keyring.log_id(), keyring.generation()), (header.log_id, header.generation));
    let ids: HashSet<[u8; 16]> = list.iter().map(|info| *info.id.as_bytes()).collect();
    assert_eq!(ids.len(), list.len());
    let written = keyring.to_bytes(&KEK, &Counted::default()).expect("the same key");
    let back = Keyring::open(&written, &KEK).expect("what was written opens");
    assert_eq!(back.list().collect::<Vec<_>>(), list);
    assert!(list.iter().all(|info| back.get(info.id) == keyring.get(info.id)));
    assert_eq!(back.generation(), header.generation.saturating_add(1));
});
