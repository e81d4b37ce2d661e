//! A dictionary tried against pseudonyms by somebody who does not know the log's redaction secret.

use event::Event;
use hmac::{Hmac, KeyInit, Mac};
use redact::{Action, Policy, Redactor, RuleSetting};
use sha2::{Digest, Sha256};
use std::collections::HashSet;

const PEPPER: [u8; 32] = [0x5a; 32];

/// The name that nobody would guess from the pseudonym, and everybody finds in a list of names.
fn candidate(number: usize) -> String {
    format!("person{number}@example.com")
}

/// The sixteen digits that stand for each of the names.
fn pseudonyms(names: impl Iterator<Item = String>) -> HashSet<String> {
    let hash = RuleSetting { rule: "email".into(), action: Action::Hash, ..RuleSetting::default() };
    let policy = Policy { rules: vec![hash], ..Policy::default() };
    let redactor = Redactor::new(&policy, PEPPER).unwrap();
    let digits = names.map(|name| {
        let mut event = Event::new("x");
        event.agent_name = Some(name.into());
        let redacted = redactor.redact(event).into_inner().agent_name.unwrap();
        redacted.strip_prefix("[hash:email:").unwrap().strip_suffix(']').unwrap().to_owned()
    });
    digits.collect()
}

fn digits(bytes: &[u8]) -> String {
    hex::encode(&bytes[..8])
}

fn keyed(key: &[u8], name: &str) -> String {
    let mut mac: Hmac<Sha256> = Hmac::new_from_slice(key).unwrap();
    mac.update(b"email\0");
    mac.update(name.as_bytes());
    digits(&mac.finalize().into_bytes())
}

/// Everything that can be computed of a candidate without the secret.
fn guesses(name: &str) -> Vec<String> {
    let mut guesses = vec![
        digits(&Sha256::digest(name)),
        digits(&Sha256::digest(format!("email\0{name}"))),
        digits(&Sha256::new_with_prefix([0; 32]).chain_update(name).finalize()),
    ];
    for key in [&b""[..], b"email", b"redact", b"tachograph", &[0; 32], &[0xff; 32], &[0x5b; 32]] {
        guesses.push(keyed(key, name));
    }
    guesses
}

fn attack(candidates: usize) {
    // A thousand of the candidates are in the log.
    let step = candidates / 1000;
    let known = pseudonyms((0..1000).map(|number| candidate(number * step)));
    assert_eq!(known.len(), 1000);
    let mut found = 0;
    for number in 0..candidates {
        found += guesses(&candidate(number)).iter().filter(|guess| known.contains(*guess)).count();
    }
    assert_eq!(found, 0);
    // Who has the secret finds every one: the attack is one.
    let with_it = (0..candidates).filter(|n| known.contains(&keyed(&PEPPER, &candidate(*n))));
    assert_eq!(with_it.count(), 1000);
}

#[test]
fn a_dictionary_finds_no_pseudonym_without_the_secret() {
    attack(5_000);
}

#[test]
#[ignore = "a minute: cargo test --release -p redact --test it -- --ignored"]
fn a_dictionary_of_a_million_finds_no_pseudonym_without_the_secret() {
    attack(1_000_000);
}
