//! Policies: what their text means, and when a quorum is met.

use merkle::Hash;
use proptest::prelude::*;

use super::*;
use crate::head::Checkpoint;
use crate::open::{cosign, open_checkpoint, sign_checkpoint};
use crate::signer::SigningKey;
use crate::verifier::Algorithm;

const ORIGIN: &str = "log.example/main";
const WITNESSES: [&str; 6] = ["X1", "X2", "X3", "Y1", "Y2", "Y3"];

fn log() -> SigningKey {
    SigningKey::from_seed(ORIGIN, Algorithm::Ed25519, &[7; 32]).unwrap()
}

/// The witness at a place of [`WITNESSES`]; every other one signs with ML-DSA-44.
fn witness(place: usize) -> SigningKey {
    let algorithms = [Algorithm::Ed25519Cosignature, Algorithm::MlDsa44Cosignature];
    let name = format!("{}.example", WITNESSES[place]);
    SigningKey::from_seed(name, algorithms[place % 2], &[place as u8 + 1; 32]).unwrap()
}

/// The example of C2SP `tlog-policy`, with keys.
fn example() -> String {
    let mut text = format!("# logs\nlog {} https://log.example/\n\n", log().verifier_key());
    for (place, name) in WITNESSES.iter().enumerate() {
        text += &format!(" \twitness {name}\t{} \n", witness(place).verifier_key());
    }
    text + "group X-witnesses 2 X1 X2 X3\ngroup Y-witnesses any Y1 Y2 Y3\n  # both\n\
            group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n"
}

fn opened(policy: &Policy, cosigners: &[usize]) -> Verified {
    let head = Checkpoint::new(ORIGIN, 0, Hash::EMPTY_ROOT).unwrap();
    let note = sign_checkpoint(&head, &[&log()]).unwrap();
    let verified = open_checkpoint(&note, ORIGIN, &policy.keys()).unwrap();
    let mut note = verified.note().clone();
    for place in cosigners {
        note.add(cosign(&verified, &witness(*place), 1_700_000_000).unwrap()).unwrap();
    }
    open_checkpoint(note.to_string(), ORIGIN, &policy.keys()).unwrap()
}

#[test]
fn the_example_of_the_specification_has_its_quorum_and_no_other() {
    let policy = Policy::parse(&example()).unwrap();
    assert_eq!(policy.logs()[0].url.as_deref(), Some("https://log.example/"));
    assert_eq!(policy.witnesses().len(), 6);
    assert!(policy.needs_witnesses());
    for (cosigners, met) in [
        (vec![], false),
        (vec![0, 1, 2], false),
        (vec![3, 4, 5], false),
        (vec![0, 3], false),
        (vec![0, 1, 3], true),
        (vec![1, 2, 5], true),
        (vec![0, 1, 2, 3, 4, 5], true),
    ] {
        let verdict = policy.evaluate(&opened(&policy, &cosigners));
        assert_eq!(verdict.quorum_met, met, "{cosigners:?}");
        assert_eq!(verdict.is_met(), met);
        assert!(verdict.log_signed);
        let wanted: Vec<_> =
            cosigners.iter().map(|it| (WITNESSES[*it].to_owned(), 1_700_000_000)).collect();
        assert_eq!(verdict.witnesses, wanted);
    }
}

#[test]
fn one_witness_cosigning_twice_counts_once() {
    let policy = Policy::parse(&example()).unwrap();
    let verdict = policy.evaluate(&opened(&policy, &[0, 0, 0, 3]));
    assert!(!verdict.quorum_met);
}

#[test]
fn without_a_quorum_the_log_alone_is_enough_and_still_needed() {
    let text = format!("log {}\nquorum none\n", log().verifier_key());
    let policy = Policy::parse(&text).unwrap();
    assert!(!policy.needs_witnesses());
    assert!(policy.evaluate(&opened(&policy, &[])).is_met());

    let other = SigningKey::from_seed("log.example/other", Algorithm::Ed25519, &[9; 32]).unwrap();
    let text = format!("log {}\nquorum none\n", other.verifier_key());
    let verdict = Policy::parse(&text).unwrap().evaluate(&opened(&policy, &[]));
    assert!(verdict.quorum_met && !verdict.log_signed && !verdict.is_met());
}

#[test]
fn a_log_key_vouches_only_for_the_origin_that_it_is_named_after() {
    let other = SigningKey::from_seed("log.example/other", Algorithm::Ed25519, &[9; 32]).unwrap();
    let text = format!("log {}\nquorum none\n", other.verifier_key());
    let policy = Policy::parse(&text).unwrap();
    let head = Checkpoint::new(ORIGIN, 0, Hash::EMPTY_ROOT).unwrap();
    let note = sign_checkpoint(&head, &[&other]).unwrap();
    let verified = open_checkpoint(note, ORIGIN, &policy.keys()).unwrap();
    assert!(!verified.is_signed_by_origin());
    assert!(!policy.evaluate(&verified).is_met());
}

#[test]
fn every_deviation_is_refused_with_its_line() {
    let (x1, x2) = (witness(0).verifier_key().clone(), witness(1).verifier_key().clone());
    let plain = log().verifier_key().clone();
    for (line, text) in [
        (1, "quorum X1\n".to_owned()),
        (2, "quorum none\nquorum none\n".to_owned()),
        (1, "quorum\n".to_owned()),
        (1, "quorum none none\n".to_owned()),
        (1, "Quorum none\n".to_owned()),
        (1, "log\n".to_owned()),
        (1, "log key\n".to_owned()),
        (1, format!("log {plain} url more\n")),
        (2, format!("log {plain}\nlog {plain}\n")),
        (1, format!("log {x1}\n")),
        (1, format!("witness X1 {plain}\n")),
        (1, format!("witness none {x1}\n")),
        (2, format!("witness X1 {x1}\nwitness X2 {x1}\n")),
        (2, format!("witness X1 {x1}\nwitness X1 {x2}\n")),
        (2, format!("witness X1 {x1}\ngroup X1 any X1\n")),
        (2, format!("witness X1 {x1}\ngroup none any X1\n")),
        (2, format!("witness X1 {x1}\ngroup g any\n")),
        (2, format!("witness X1 {x1}\ngroup g 0 X1\n")),
        (2, format!("witness X1 {x1}\ngroup g 2 X1\n")),
        (2, format!("witness X1 {x1}\ngroup g 01 X1\n")),
        (2, format!("witness X1 {x1}\ngroup g most X1\n")),
        (2, format!("witness X1 {x1}\ngroup g any X1 X1\n")),
        (2, format!("witness X1 {x1}\ngroup g any g\n")),
        (2, format!("witness X1 {x1}\ngroup g any none\n")),
        (3, format!("witness X1 {x1}\ngroup g any X1\ngroup h any X1\n")),
        (1, "group g any later\nquorum none\n".to_owned()),
    ] {
        let error = Policy::parse(&text).unwrap_err();
        let (PolicyError::Line { line: got, .. }
        | PolicyError::Key { line: got, .. }
        | PolicyError::Name { line: got, .. }) = error
        else {
            panic!("{text}: {error}");
        };
        assert_eq!(got, line, "{text}");
    }
}

#[test]
fn a_cut_or_misshapen_file_is_refused() {
    assert_eq!(Policy::parse("").unwrap_err(), PolicyError::Unterminated);
    assert_eq!(Policy::parse("quorum none").unwrap_err(), PolicyError::Unterminated);
    assert_eq!(Policy::parse("\n").unwrap_err(), PolicyError::NoQuorum);
    let control = |text| Policy::parse(text).unwrap_err();
    assert_eq!(control("quorum none\r\n"), PolicyError::Control { line: 1 });
    assert_eq!(control("\n# \u{7f}\nquorum none\n"), PolicyError::Control { line: 2 });
    let long = "\n".repeat(policy_text::MAX_POLICY_BYTES + 1);
    assert!(matches!(Policy::parse(&long), Err(PolicyError::TooLong(_))));
}

#[test]
fn names_are_compared_byte_by_byte() {
    let key = witness(0).verifier_key().clone();
    let kelvin = format!("witness K {key}\nquorum \u{212a}\n");
    assert!(Policy::parse(&kelvin).is_err());
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(
        text: String,
        lines in "((log|witness|group|quorum|none|any|all|1|a|b|#|\t| ) ?|\n){0,60}\n",
    ) {
        let _ = Policy::parse(&text);
        let _ = Policy::parse(&lines);
    }
}
