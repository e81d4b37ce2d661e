//! One text, redone.

use super::*;
use crate::policy::{Policy, RuleSetting};
use proptest::prelude::*;

pub(crate) fn redactor(action: Action) -> Redactor {
    let setting =
        |rule: &Rule| RuleSetting { rule: rule.as_str().into(), action, ..RuleSetting::default() };
    let rules = Rule::ALL.iter().map(setting).collect();
    Redactor::new(&Policy { rules, ..Policy::default() }, [7; 32]).unwrap()
}

fn redo(action: Action, usage: Use, text: &str) -> String {
    redactor(action).redact_plain(text, usage).map_or_else(|| text.into(), |redone| redone.text)
}

#[test]
fn each_action_does_what_it_says() {
    let text = "to a@b.co and c@d.co";
    assert_eq!(redo(Action::Mask, Use::Value, text), "to [redacted:email] and [redacted:email]");
    assert_eq!(redo(Action::Drop, Use::Value, text), "to  and ");
    let hashed = redo(Action::Hash, Use::Value, "to a@b.co and c@d.co, a@b.co");
    let hashes: Vec<&str> =
        hashed.match_indices("[hash:email:").map(|(at, _)| &hashed[at..at + 29]).collect();
    assert_eq!(hashes.len(), 3, "{hashed}");
    assert_eq!(hashes[0], hashes[2]);
    assert_ne!(hashes[0], hashes[1]);
}

#[test]
fn names_stay_different_and_ids_are_hashed_whole() {
    let name = redo(Action::Mask, Use::Name, "mail of a@b.co");
    assert!(name.starts_with("mail of [hash:email:"), "{name}");
    assert_ne!(name, redo(Action::Mask, Use::Name, "mail of a@b.cd"));
    for action in [Action::Drop, Action::Mask, Action::Hash] {
        let id = redo(action, Use::Id, "chat with a@b.co");
        assert!(id.starts_with("[hash:email:") && marker::is_marker(&id), "{id}");
        assert_eq!(id, redo(action, Use::Id, "chat with a@b.co"));
    }
}

#[test]
fn overlapping_findings_leave_no_rest() {
    let text = "key=abcAKIAIOSFODNN7EXAMPLE-def token=x@y.example-1a";
    let redone = redo(Action::Mask, Use::Value, text);
    assert!(
        !redone.contains("abc") && !redone.contains("def") && !redone.contains("1a"),
        "{redone}"
    );
}

#[test]
fn a_rule_that_is_off_finds_nothing() {
    let policy = Policy { off: vec!["email".into()], ..Policy::default() };
    let redactor = Redactor::new(&policy, [7; 32]).unwrap();
    assert!(redactor.redact_plain("a@b.co", Use::Value).is_none());
    assert!(redactor.redact_plain("password=hunter2", Use::Value).is_some());
}

#[test]
fn what_removal_joins_is_looked_at_again() {
    // Without the address in the middle this is a card number.
    let redone = redo(Action::Drop, Use::Value, "4111 1111 1111 a@b.co1111");
    assert!(!redone.contains("4111 1111 1111 1111"), "{redone}");
}

#[test]
fn long_hostile_texts_take_linear_time() {
    let long = |unit: &str| unit.repeat((1 << 18) / unit.len());
    for unit in [
        "key:",
        "key=",
        "a@",
        "a@b.",
        "://a:",
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "4111 ",
        "1-",
        "sk-",
        "ask-",
        "eyJ.",
        "Bearer ",
        "Cookie: a=b ",
        "\\\\\\\"",
        "[redacted:",
        "[",
        "password=\\",
        "AKIA",
        "key: \"",
        "secret='",
        "x@y.zz ",
        "[redacted:email]",
        "=",
        ":",
        " ",
        "\u{e9}@",
        "authorization:",
    ] {
        let start = std::time::Instant::now();
        let _ = redactor(Action::Drop).redact_plain(&long(unit), Use::Value);
        let spent = start.elapsed();
        assert!(spent.as_secs() < 20, "{unit}: {spent:?}");
    }
}

/// Pieces that rules know, and glue.
fn hostile() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "key",
        "password",
        "token",
        "=",
        ":",
        " ",
        "\"",
        "\\",
        "sk-",
        "sk-ant-",
        "AKIAIOSFODNN7EXAMPLE",
        "@",
        "a@b.co",
        ".co",
        "://",
        "u:p@h",
        "4111 1111 1111 1111",
        "4111",
        "-",
        "eyJhbGciOiJIUzI1NiJ9",
        ".",
        "Bearer ",
        "abc123def456",
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "[redacted:email]",
        "[hash:jwt:0123456789abcdef]",
        "[",
        "]",
        "é",
        "\n",
        "Cookie: a=b",
        "Authorization: ",
        "git",
        "%40",
        "'",
        "&",
        "{",
        "}",
        ",",
        "hf_",
        "1",
        "a",
        "\"name\":\"",
        "name",
        "\"value\":\"",
        "value",
    ]);
    prop::collection::vec(pieces, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn redoing_twice_changes_nothing(text in hostile()) {
        for action in [Action::Mask, Action::Hash, Action::Drop] {
            for usage in [Use::Value, Use::Name, Use::Id] {
                let redactor = redactor_once(action);
                if let Some(first) = redactor.redact_plain(&text, usage) {
                    let second = redactor.redact_plain(&first.text, usage);
                    prop_assert!(second.is_none(), "{text} -> {} -> {}", first.text, second.unwrap().text);
                }
            }
        }
    }

    #[test]
    fn the_fast_road_never_misses_what_a_rule_finds(text in hostile()) {
        let redactor = redactor_once(Action::Mask);
        for (from, to) in marker::pieces(&text) {
            let piece = &text[from..to];
            let families = scan::families(piece.as_bytes(), Families::ALL);
            let all = redactor.rules.find(Families::ALL, piece, "").len();
            prop_assert_eq!(redactor.rules.find(families, piece, "").len(), all);
            let raw = serde_json::Value::from(piece).to_string();
            let raw_families = scan::families(raw.as_bytes(), Families::ALL);
            prop_assert!(all == 0 || !raw_families.is_empty(), "{}", raw);
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in ".*", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let redactor = redactor_once(Action::Mask);
        let _ = redactor.redact_plain(&text, Use::Value);
        let _ = redactor.redact_plain(&String::from_utf8_lossy(&bytes), Use::Name);
        let _ = scan::families(&bytes, Families::ALL);
        let _ = redactor.rules.find(Families::ALL, &text, "");
    }
}

/// Compiling the patterns once keeps the cases cheap.
fn redactor_once(action: Action) -> &'static Redactor {
    static ONCE: [std::sync::OnceLock<Redactor>; 3] = [const { std::sync::OnceLock::new() }; 3];
    ONCE[action as usize].get_or_init(|| redactor(action))
}

#[test]
fn a_password_at_the_end_of_a_piece_takes_the_slow_road() {
    assert_eq!(
        redo(Action::Mask, Use::Value, "://:canary@[redacted:email]"),
        "://:[redacted:url_password]@[redacted:email]"
    );
}
