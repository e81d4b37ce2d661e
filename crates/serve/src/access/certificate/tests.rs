//! Certificates made here, by a library of another make.

use proptest::prelude::*;
use rcgen::{CertificateParams, DnType, DnValue, KeyPair, SanType};

use super::*;

const DAY_S: i64 = 86_400;

/// When the certificates of these tests are valid: the year 2030.
const NOW_MS: i64 = 1_900_000_000_000;

fn made(names: Vec<SanType>, common_names: &[&str]) -> Vec<u8> {
    let mut parameters = CertificateParams::default();
    parameters.subject_alt_names = names;
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    for name in common_names {
        parameters.distinguished_name.push(DnType::CommonName, DnValue::Utf8String((*name).into()));
    }
    parameters.distinguished_name.push(DnType::OrganizationName, "Example");
    parameters.not_before = rcgen::date_time_ymd(2030, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(2031, 1, 1);
    let key = KeyPair::generate().unwrap();
    parameters.self_signed(&key).unwrap().der().to_vec()
}

fn text(text: &str) -> rcgen::string::Ia5String {
    text.try_into().unwrap()
}

fn uri(name: &str) -> SanType {
    SanType::URI(text(name))
}

fn dns(name: &str) -> SanType {
    SanType::DnsName(text(name))
}

fn email(name: &str) -> SanType {
    SanType::Rfc822Name(text(name))
}

fn config() -> CertificateConfig {
    toml::from_str(
        r#"
        [[rules]]
        name = "uri:spiffe://example/agent/*"
        roles = ["producer"]
        logs = "all"
        [[rules]]
        name = "dns:*.agents.example"
        roles = ["producer", "reader"]
        logs = ["main"]
        [[rules]]
        name = "cn:old one"
        roles = ["reader"]
        logs = ["main"]
        "#,
    )
    .unwrap()
}

fn caller(der: &[u8]) -> Result<Caller, Refused> {
    config().caller(der, NOW_MS)
}

#[test]
fn uri_comes_before_dns_before_email_and_never_the_common_name() {
    let all =
        vec![email("a@Example.org"), dns("A.agents.example"), uri("spiffe://example/agent/7")];
    let found = caller(&made(all.clone(), &["admin"])).unwrap();
    assert_eq!(found.subject, "uri:spiffe://example/agent/7");
    assert_eq!(found.method, Method::Mtls);
    assert!(found.issuer.contains("O=Example"), "{}", found.issuer);
    assert_eq!(found.grants, [Grant { role: Role::PRODUCER, logs: Logs::All }]);
    let found = caller(&made(all[..2].to_vec(), &["admin"])).unwrap();
    assert_eq!(found.subject, "dns:a.agents.example");
    assert_eq!(found.grants.len(), 2);
    let found = caller(&made(all[..1].to_vec(), &["admin"])).unwrap();
    assert_eq!((found.subject.as_str(), found.grants.len()), ("email:a@example.org", 0));
    assert_eq!(caller(&made(Vec::new(), &["old one"])), Err(Refused::NoName));
}

#[test]
fn common_name_counts_only_when_configured_and_alone() {
    let allowing = CertificateConfig { common_name: true, ..config() };
    let of = |der: &[u8]| allowing.caller(der, NOW_MS);
    let found = of(&made(Vec::new(), &["old one"])).unwrap();
    assert_eq!((found.subject.as_str(), found.grants.len()), ("cn:old one", 1));
    let found = of(&made(vec![dns("x.example")], &["old one"])).unwrap();
    assert_eq!((found.subject.as_str(), found.grants.len()), ("dns:x.example", 0));
    assert_eq!(of(&made(Vec::new(), &[])), Err(Refused::NoName));
    assert_eq!(of(&made(Vec::new(), &["a\u{202e}b"])), Err(Refused::BadName));
    assert_eq!(of(&made(Vec::new(), &[""])), Err(Refused::BadName));
    // A common name that looks like another kind of name stays a common name.
    let found = of(&made(Vec::new(), &["uri:spiffe://example/agent/7"])).unwrap();
    assert!(found.subject.starts_with("cn:uri:") && found.grants.is_empty());
}

#[test]
fn names_that_leave_open_whose_they_are_are_refused() {
    let two = vec![uri("spiffe://example/agent/1"), uri("spiffe://example/agent/2")];
    assert_eq!(caller(&made(two, &[])), Err(Refused::SeveralNames));
    for bad in ["", "a b", "a\nb", "a\u{0}.agents.example", "*.agents.example"] {
        assert_eq!(caller(&made(vec![dns(bad)], &[])), Err(Refused::BadName), "{bad:?}");
    }
    let long = "a".repeat(NAME_BYTES_MAX + 1);
    assert_eq!(caller(&made(vec![dns(&long)], &[])), Err(Refused::BadName));
    let address = SanType::IpAddress([192, 0, 2, 1].into());
    assert_eq!(caller(&made(vec![address], &["old one"])), Err(Refused::NoName));
}

#[test]
fn certificate_is_valid_within_its_time_only() {
    let der = made(vec![dns("a.agents.example")], &[]);
    let start_ms = 1_893_456_000_000;
    let end_ms = start_ms + 365 * DAY_S * 1000;
    let at = |now_ms| config().caller(&der, now_ms).map(|_| ());
    assert_eq!(at(start_ms - 1), Err(Refused::NotYetValid));
    assert_eq!(at(start_ms), Ok(()));
    assert_eq!(at(end_ms), Ok(()));
    assert_eq!(at(end_ms + 1000), Err(Refused::Expired));
    assert_eq!(at(i64::MIN), Err(Refused::NotYetValid));
    assert_eq!(at(i64::MAX), Err(Refused::Expired));
}

#[test]
fn bytes_that_are_no_certificate_are_refused() {
    let der = made(vec![dns("a.agents.example")], &[]);
    assert_eq!(caller(b""), Err(Refused::BadCertificate));
    assert_eq!(caller(&der[..der.len() - 1]), Err(Refused::BadCertificate));
    assert_eq!(caller(&[&der[..], b"\0"].concat()), Err(Refused::BadCertificate));
    assert_eq!(caller(&vec![0x30; CERTIFICATE_BYTES_MAX + 1]), Err(Refused::TooLong));
}

#[test]
fn configuration_refuses_what_it_does_not_know() {
    for bad in [
        "comon_name = true",
        "[[rules]]\nname = \"dns:a\"\nroles = [\"Reader\"]\nlogs = \"all\"",
        "[[rules]]\nname = \"dns:a\"\nroles = [\"reader\"]\nlogs = \"main\"",
        "[[rules]]\nname = \"a\"\nroles = [\"reader\"]\nlogs = \"all\"",
    ] {
        assert!(toml::from_str::<CertificateConfig>(bad).is_err(), "{bad}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever byte changes, it is read or refused.
    #[test]
    fn changed_bytes_never_panic(
        changes in prop::collection::vec((any::<u16>(), any::<u8>()), 1..4)
    ) {
        let mut der = made(vec![dns("a.agents.example")], &["x"]);
        for (position, byte) in changes {
            let position = usize::from(position) % der.len();
            der[position] = byte;
        }
        let _ = CertificateConfig { common_name: true, ..config() }.caller(&der, NOW_MS);
    }
}
