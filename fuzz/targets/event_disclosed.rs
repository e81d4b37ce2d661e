//! A ledger document: what is read has one spelling, and a changed text another commitment.

#![no_main]

use event::Disclosed;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(disclosed) = Disclosed::parse(data) else { return };
    assert_eq!(disclosed.to_bytes(), data);
    let mut other = disclosed.clone();
    other.content.push(' ');
    assert_ne!(other.commitment(), disclosed.commitment());
});
