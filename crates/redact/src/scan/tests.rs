//! That the fast road never says no wrongly.

use super::marks::may_be_anchors;
use super::*;
use crate::rules;
use proptest::prelude::*;
use wide::u8x16;

fn may_be_anchor(byte: u8) -> bool {
    may_be_anchors(u8x16::splat(byte)).to_bitmask() != 0
}

#[test]
fn every_anchor_is_one_and_little_else_is() {
    for byte in b"@=:\\-_%./~bAZKJSGEQ" {
        assert!(may_be_anchor(*byte), "{byte}");
    }
    assert_eq!((0..=255).filter(|byte| may_be_anchor(*byte)).count(), 40);
}

#[test]
fn a_short_block_is_what_it_was_made_of() {
    let bytes: Vec<u8> = (1..16).collect();
    for length in 0..16 {
        let (block, made_of) = (short_block(&bytes[..length]), &bytes[..length]);
        assert_eq!(block.split_at(length), (made_of, &[0; 16][length..]));
    }
}

#[test]
fn every_byte_of_a_block_has_its_bit() {
    let marks = marks(b"12ab-34567-89 x.");
    assert_eq!(marks.digits, 0b0001_1011_1110_0011);
    assert_eq!(marks.stops, 0b1010_0100_0001_0000);
    assert_eq!(marks.anchors, 0b1000_0100_0001_1000);
}

#[test]
fn usual_ids_are_told_from_what_only_looks_like_them() {
    let uuid = "0192f3a1-7b4c-7def-8a90-b1c2d3e4f5A6";
    let digest = "0123456789abcdef".repeat(4);
    for id in
        [uuid, &digest, &digest[..40], &digest[..32], &digest[..16], "ABCDEF0123456789a0000000"]
    {
        assert_eq!(is_plain_id(id.as_bytes()), id.len() != 24, "{id}");
        for (at, byte) in id.bytes().enumerate() {
            let mut other = id.as_bytes().to_vec();
            other[at] = if byte == b'-' { b'a' } else { b'-' };
            assert!(!is_plain_id(&other), "{at} of {id}");
            other[at] = b'g';
            assert!(!is_plain_id(&other), "{at} of {id}");
        }
    }
    for id in ["", "4111111111111111", "0123456789ABCDEF", &uuid[1..], &format!("{uuid}a")] {
        assert!(!is_plain_id(id.as_bytes()), "{id}");
    }
}

/// Whatever stands before and after: the prefix of every form leads to it.
#[test]
fn every_form_of_key_has_an_anchor() {
    for prefix in rules::prefixes() {
        for lead in ["", " ", "\\n", "(", "é"] {
            let text = format!("{lead}{prefix}A1b2C3d4e5f6A7b8C9d0e1f2");
            let families = families(text.as_bytes(), Families::ALL);
            let led = families.has(Families::KEYS) || families.has(Families::WORDS);
            assert!(led, "{text}: {families:?}");
        }
    }
}

/// Byte by byte: what the blocks must come to.
fn one_by_one(bytes: &[u8]) -> Families {
    let mut families = Families::default();
    if bytes.len() < SECRET_BYTES_MIN {
        return families;
    }
    for at in (0..bytes.len()).filter(|at| may_be_anchor(bytes[*at])) {
        families.add(confirm(bytes, at, Families::ALL));
    }
    if bytes.split(|b| !b.is_ascii_alphanumeric()).any(|run| run.len() >= RUN_BYTES_MIN) {
        families.add(Families::WORDS);
    }
    if numbers::has_number(bytes, 0, bytes.len(), &mut 0) {
        families.add(Families::NUMBERS);
    }
    if bytes.iter().filter(|b| b.is_ascii_digit()).count() >= PERSONAL_DIGITS_MIN {
        families.add(Families::PERSONAL);
    }
    families
}

proptest! {
    #[test]
    fn blocks_find_what_bytes_find(
        pieces in proptest::collection::vec(
            proptest::sample::select(vec![
                "@", "=", ":", "\\u0041", "-", "_", "%40", "eyJ", "AKIA", "ASIA", "SG.", "AIza",
                "Bearer ", "basic", "sk", "ghp", "password", "key", "x", "ab", "1234", " ", "é",
                "4111 1111", "123-45-6789", "DE89", "1.5", "2026-11-20", "12345678Z", "hvs.",
                "1//0", "8Q~", ".atlasv1.", ":AA", "-----BEGIN ", " -p", " --",
            ]),
            0..24,
        )
    ) {
        let text = pieces.concat();
        for start in (0..text.len().min(20)).filter(|at| text.is_char_boundary(*at)) {
            let bytes = &text.as_bytes()[start..];
            let all = one_by_one(bytes);
            prop_assert_eq!(families(bytes, Families::ALL), all);
            prop_assert_eq!(is_clean(bytes, Families::ALL), all.is_empty());
            for family in (0..13).map(|bit| Families(1 << bit)) {
                prop_assert_eq!(families(bytes, family), all.only(family));
                prop_assert_eq!(is_clean(bytes, family), !all.has(family));
            }
        }
    }
}
