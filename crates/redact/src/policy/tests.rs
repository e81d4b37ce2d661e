//! Policies, read and compiled.

use super::*;
use event::Event;

fn setting(rule: &str, action: Action) -> RuleSetting {
    RuleSetting { rule: rule.to_owned(), action, ..RuleSetting::default() }
}

fn action(policy: &Policy, rule: Rule, path: &str, event_type: &str) -> Action {
    let compiled = policy.compile().unwrap();
    let event = Event::new(event_type.to_owned());
    compiled.ruling(&event).of(rule, path).action
}

#[test]
fn a_rule_that_the_policy_forgets_is_on() {
    let policy = Policy {
        rules: vec![setting("email", Action::Hash)],
        off: vec!["card_number".to_owned()],
        ..Policy::default()
    };
    for (rule, expected) in [
        (Rule::Email, Action::Hash),
        (Rule::CardNumber, Action::Allow),
        (Rule::Jwt, Action::Mask),
        (Rule::IpAddress, Action::Allow),
    ] {
        assert_eq!(action(&policy, rule, "params", "x"), expected, "{rule:?}");
    }
}

#[test]
fn no_preset_switches_a_secret_off() {
    for preset in Preset::ALL {
        let policy = Policy::preset(*preset);
        for rule in Rule::ALL.iter().filter(|rule| rule.group() == crate::Group::Secret) {
            let what = action(&policy, *rule, "params", "x");
            assert_ne!(what, Action::Allow, "{preset:?} {rule:?}");
        }
    }
}

#[test]
fn the_last_setting_that_fits_counts() {
    let only = |rule: &str, action, types: &[&str], tiers: &[&str], paths: &[&str]| RuleSetting {
        types: types.iter().map(|t| (*t).to_owned()).collect(),
        tiers: tiers.iter().map(|t| (*t).to_owned()).collect(),
        paths: paths.iter().map(|t| (*t).to_owned()).collect(),
        ..setting(rule, action)
    };
    let policy = Policy {
        rules: vec![
            setting("identifier", Action::Hash),
            only("email", Action::Allow, &["agent.tool_*"], &[], &[]),
            only("email", Action::Drop, &[], &[], &["params.to"]),
            only("iban", Action::Drop, &[], &["critical"], &[]),
        ],
        ..Policy::default()
    };
    for (rule, path, event_type, expected) in [
        (Rule::Email, "params.x", "agent.decision", Action::Hash),
        (Rule::Email, "params.x", "agent.tool_call", Action::Allow),
        (Rule::Email, "params.to", "agent.tool_call", Action::Drop),
        (Rule::Iban, "params.x", "agent.tool_call", Action::Hash),
        (Rule::Iban, "params.x", "agent.error", Action::Drop),
    ] {
        assert_eq!(action(&policy, rule, path, event_type), expected, "{path} {event_type}");
    }
    let mut late = policy.clone();
    late.rules.push(setting("*", Action::Mask));
    assert_eq!(action(&late, Rule::Email, "params.to", "agent.tool_call"), Action::Mask);
}

#[test]
fn unknown_names_are_refused_with_the_nearest() {
    for (wrong, right) in [
        ("emial", "email"),
        ("e-mail", "email"),
        ("OPENAI_KEY", "openai_key"),
        ("credit_card_number", "card_number"),
        ("jwts", "jwt"),
    ] {
        let policy = Policy { off: vec![wrong.to_owned()], ..Policy::default() };
        let error = policy.compile().unwrap_err();
        assert_eq!(error, PolicyError::UnknownRule { name: wrong.into(), nearest: right });
        assert!(error.to_string().contains(right));
    }
}

#[test]
fn contradictions_and_kept_secrets_are_refused() {
    let refused = |policy: Policy| policy.compile().unwrap_err();
    let twice = Policy {
        rules: vec![setting("jwt", Action::Drop)],
        off: vec!["jwt".to_owned()],
        ..Policy::default()
    };
    assert_eq!(refused(twice), PolicyError::NamedTwice("jwt".into()));
    for rule in ["jwt", "secret", "*"] {
        let kept = Policy { rules: vec![setting(rule, Action::Tokenise)], ..Policy::default() };
        assert_eq!(refused(kept), PolicyError::SecretKept(rule.into()));
    }
    let shown = RuleSetting { keep: 5, ..setting("iban", Action::Mask) };
    let shown = Policy { rules: vec![shown], ..Policy::default() };
    assert_eq!(refused(shown), PolicyError::KeepsTooMuch { name: "iban".into(), keep: 5 });
    let version = Policy { version: "a b".into(), ..Policy::default() };
    assert_eq!(refused(version), PolicyError::Version("a b".into()));
}

#[test]
fn a_policy_file_says_everything_and_nothing_unknown() {
    let policy = Policy::from_toml(
        r#"
        version = "2026-11"
        preset = "gdpr"
        off = ["in_pan"]

        [[rules]]
        rule = "card_number"
        action = "mask"
        keep = 4
        tiers = ["critical", "compliance"]
        types = ["agent.*"]
        paths = ["params.**"]

        [[fields]]
        path = "**.ssn"
        action = "drop"
        "#,
    )
    .unwrap();
    assert_eq!((policy.preset, policy.rules.len(), policy.fields.len()), (Preset::Gdpr, 1, 1));
    assert!(policy.id().starts_with("gdpr/2026-11#"), "{}", policy.id());
    for (text, kind, nearest) in [
        ("presets = 'x'", "key", "preset"),
        ("preset = 'gpdr'", "preset", "gdpr"),
        ("[[rules]]\nrule='jwt'\naction='mask'\nkeeps=1", "key", "keep"),
        ("[[rules]]\nrule='jwt'\naction='masks'", "action", "mask"),
        ("[[rules]]\nrule='jwt'\naction='mask'\ntiers=['criticl']", "tier", "critical"),
        ("[[fields]]\npaht='x'\naction='mask'", "key", "path"),
    ] {
        match Policy::from_toml(text).unwrap_err() {
            PolicyError::Unknown { kind: k, nearest: n, .. } => assert_eq!((k, n), (kind, nearest)),
            other => panic!("{text}: {other}"),
        }
    }
    for text in ["preset", "preset = 7", "[[rules]]\nrule='jwt'", "off = 'jwt'"] {
        assert!(matches!(Policy::from_toml(text), Err(PolicyError::Unreadable(_))), "{text}");
    }
    assert!(matches!(Policy::from_toml("off=['x']"), Err(PolicyError::UnknownRule { .. })));
    assert_eq!(Policy::from_toml("").unwrap(), Policy::default());
}

#[test]
fn the_id_is_that_of_the_words() {
    let one = Policy::default();
    assert!(one.id().starts_with("default#") && one.id() == Policy::default().id());
    let ids: Vec<String> = Preset::ALL.iter().map(|preset| Policy::preset(*preset).id()).collect();
    assert!(ids.iter().all(|id| ids.iter().filter(|other| *other == id).count() == 1));
    let other = Policy { off: vec!["jwt".into()], ..Policy::default() };
    assert_ne!(one.id(), other.id());
}
