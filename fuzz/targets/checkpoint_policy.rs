//! Trust policies: a policy that is read names no key twice and stays in its limits; comments and
//! white space mean nothing; one more cosignature never turns an accepted checkpoint into a refused
//! one.

#![no_main]

use checkpoint::{
    Algorithm, Checkpoint, MAX_POLICY_NAMES, Policy, SigningKey, open_checkpoint,
    sign_checkpoint_at,
};
use fuzz::sample_log::{ORIGIN, signing_key};
use libfuzzer_sys::fuzz_target;
use merkle::Hash;
use std::sync::LazyLock;

/// One checkpoint, signed by the log and by every choice of three witnesses; bit n is witness n.
static NOTES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let checkpoint = Checkpoint::new(ORIGIN, 0, Hash::EMPTY_ROOT).expect("a good origin");
    let witnesses = [11, 12, 13].map(|seed| {
        SigningKey::from_seed(format!("w{seed}"), Algorithm::Ed25519Cosignature, &[seed; 32])
            .expect("a good name")
    });
    let note = |choice: usize| {
        let log = signing_key();
        let chosen = witnesses.iter().enumerate().filter(|(bit, _)| choice >> bit & 1 == 1);
        let keys: Vec<&SigningKey> =
            std::iter::once(&log).chain(chosen.map(|(_, key)| key)).collect();
        sign_checkpoint_at(&checkpoint, &keys, 1_767_225_600).expect("it signs")
    };
    (0..8).map(note).collect()
});

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(policy) = Policy::parse(text) else { return };
    assert!(policy.logs().len() <= MAX_POLICY_NAMES);
    assert!(policy.witnesses().len() <= MAX_POLICY_NAMES);
    let keys = policy.keys();
    assert_eq!(keys.len(), policy.logs().len() + policy.witnesses().len());
    assert!(!policy.needs_witnesses() || !policy.witnesses().is_empty());
    let spaced = format!("# a comment\n\n{}\n", text.replace('\n', " \t\n").replace(' ', "  "));
    let again = Policy::parse(&spaced).expect("white space and comments mean nothing");
    assert_eq!(again.keys(), keys);

    let met: Vec<bool> = NOTES
        .iter()
        .map(|note| {
            let opened = open_checkpoint(note, ORIGIN, &keys);
            let verdict = |policy: &Policy| {
                opened.as_ref().is_ok_and(|verified| policy.evaluate(verified).is_met())
            };
            assert_eq!(verdict(&policy), verdict(&again));
            verdict(&policy)
        })
        .collect();
    for (fewer, met_by_fewer) in met.iter().enumerate() {
        for (more, met_by_more) in met.iter().enumerate() {
            assert!(fewer & more != fewer || !met_by_fewer || *met_by_more);
        }
    }
    assert!(!policy.needs_witnesses() || !met[0], "a quorum is never met by nobody");
});
