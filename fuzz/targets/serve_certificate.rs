//! Client certificates, as far as TLS lets them through: whoever comes of one has a name of a kind
//! that counts, printable and within bounds, and rights by a rule only; what is recorded of one
//! that is refused is short and printable.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::json;
use serve::access::certificate::{CertificateConfig, NAME_BYTES_MAX, claimed};
use std::sync::LazyLock;

const NOW_MS: i64 = 1_900_000_000_000;

static RULES: LazyLock<[CertificateConfig; 2]> = LazyLock::new(|| {
    [false, true].map(|common_name| {
        serde_json::from_value(json!({
            "common_name": common_name,
            "rules": [{ "name": "dns:*.agents.example", "roles": ["reader"], "logs": "all" }],
        }))
        .unwrap()
    })
});

fuzz_target!(|data: &[u8]| {
    let told = claimed(data);
    assert!(told.len() <= 128 && !told.chars().any(char::is_control), "{told:?}");
    for rules in &*RULES {
        let Ok(caller) = rules.caller(data, NOW_MS) else { continue };
        let (kind, name) = caller.subject.split_once(':').unwrap();
        assert!(
            ["uri", "dns", "email", "cn"].contains(&kind) && (kind != "cn" || rules.common_name)
        );
        assert!(!name.is_empty() && name.len() <= NAME_BYTES_MAX);
        assert!(!name.chars().any(char::is_control));
        let fits = kind == "dns"
            && name
                .strip_suffix(".agents.example")
                .is_some_and(|it| !it.is_empty() && !it.contains('.'));
        assert_eq!(!caller.grants.is_empty(), fits, "{name}");
    }
});
