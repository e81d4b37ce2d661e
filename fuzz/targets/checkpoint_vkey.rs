//! Verifier keys: text that is read is written back the same, and the parts make the same key.

#![no_main]

use checkpoint::VerifierKey;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(key) = text.parse::<VerifierKey>() else { return };
    assert_eq!(key.to_string(), text);
    let again = VerifierKey::new(key.name(), key.algorithm(), &key.public_bytes());
    assert_eq!(again.as_ref(), Ok(&key));
    let renamed =
        VerifierKey::new(format!("{}x", key.name()), key.algorithm(), &key.public_bytes());
    if let Ok(renamed) = renamed {
        assert_ne!(renamed, key);
    }
});
