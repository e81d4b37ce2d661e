//! The table of roles, an operator's own policies, and that remembering changes no answer.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::access::{Grant, Method};

fn caller(grants: &[(&Role, Logs)]) -> Caller {
    Caller {
        issuer: "https://issuer.example".into(),
        subject: "someone".into(),
        method: Method::Oidc,
        grants: grants
            .iter()
            .map(|(role, logs)| Grant { role: (*role).clone(), logs: logs.clone() })
            .collect(),
    }
}

fn everywhere(role: &Role) -> Caller {
    caller(&[(role, Logs::All)])
}

fn log_of(action: Action) -> Option<&'static str> {
    (action.scope() == Scope::Log).then_some("main")
}

/// The table as text: actions down, roles across.
fn table(policy: &Policy) -> String {
    let mut text = format!("{:18}", "action");
    for role in Role::BUILT_IN {
        write!(text, " {role:8}").unwrap();
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    for action in Action::ALL {
        write!(text, "{:18}", action.as_str()).unwrap();
        for role in Role::BUILT_IN {
            let decision = policy.decide(&everywhere(&role), *action, log_of(*action));
            write!(text, " {:8}", if decision.allowed { "yes" } else { "-" }).unwrap();
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

#[test]
fn roles_may_what_the_table_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/access/roles.txt");
    let found = table(&Policy::built_in().unwrap());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &found).unwrap();
    }
    let wanted = std::fs::read_to_string(path).unwrap();
    assert_eq!(found, wanted, "UPDATE_GOLDEN=1 accepts it");
}

/// The promises behind the table, so that accepting a new table does not break one unnoticed.
#[test]
fn metadata_readers_see_no_content_and_auditors_change_nothing() {
    let policy = Policy::built_in().unwrap();
    let may =
        |role: &Role, action| policy.decide(&everywhere(role), action, log_of(action)).allowed;
    use Action::*;
    for role in [Role::PRODUCER, Role::READER, Role::OPERATOR] {
        for action in [ReadContent, RunSql, Export] {
            assert!(!may(&role, action), "{role} {action}");
        }
    }
    for role in [Role::READER, Role::ANALYST, Role::AUDITOR] {
        for action in
            [AppendEvents, ManageHolds, Erase, ManageRetention, ManageKeys, CreateLog, ManageTokens]
        {
            assert!(!may(&role, action), "{role} {action}");
        }
    }
    for action in Action::ALL {
        assert!(may(&Role::ADMIN, *action), "{action}");
        assert_eq!(may(&Role::PRODUCER, *action), *action == AppendEvents, "{action}");
    }
}

#[test]
fn decision_names_its_policy() {
    let policy = Policy::built_in().unwrap();
    let decision = policy.decide(&everywhere(&Role::PRODUCER), Action::AppendEvents, Some("main"));
    assert!(decision.allowed);
    assert_eq!(&*decision.policies, ["producer-appends"]);
    let decision = policy.decide(&everywhere(&Role::PRODUCER), Action::Erase, Some("main"));
    assert_eq!((decision.ground, decision.policies.len()), (Ground::NothingPermits, 0));
    for (action, log) in [(Action::Erase, None), (Action::CreateLog, Some("main"))] {
        let decision = policy.decide(&everywhere(&Role::ADMIN), action, log);
        assert_eq!((decision.allowed, decision.ground), (false, Ground::WrongResource));
    }
}

#[test]
fn grant_for_one_log_opens_no_other_and_not_the_server() {
    let open = "@id(\"open\") permit (principal, action, resource);";
    let policy = Policy::load(open, &[]).unwrap();
    let limited = caller(&[(&Role::ADMIN, Logs::only(["a"])), (&Role::READER, Logs::only(["b"]))]);
    let decide = |action, log| policy.decide(&limited, action, log);
    assert!(decide(Action::Erase, Some("a")).allowed);
    for other in ["c", "A", "a ", "", "main", "all"] {
        // Not even a policy that permits everything opens it.
        let decision = decide(Action::ReadMetadata, Some(other));
        assert_eq!((decision.allowed, decision.ground), (false, Ground::LogNotGranted), "{other}");
    }
    assert!(!decide(Action::ManageTokens, None).allowed);
    assert!(!decide(Action::CreateLog, None).allowed);
    assert!(decide(Action::ListLogs, None).allowed);
    let nobody = caller(&[]);
    for action in Action::ALL {
        assert!(!policy.decide(&nobody, *action, log_of(*action)).allowed, "{action}");
    }
}

#[test]
fn roles_do_not_spill_from_one_log_to_another() {
    let policy = Policy::built_in().unwrap();
    let mixed = caller(&[(&Role::ANALYST, Logs::only(["a"])), (&Role::PRODUCER, Logs::All)]);
    assert!(policy.decide(&mixed, Action::ReadContent, Some("a")).allowed);
    assert!(!policy.decide(&mixed, Action::ReadContent, Some("b")).allowed);
    assert!(policy.decide(&mixed, Action::AppendEvents, Some("b")).allowed);
}

#[test]
fn own_policies_permit_and_forbid() {
    let own = r#"
        @id("night")
        forbid (principal, action == Action::"Erase", resource)
        unless { principal.subject == "chief" };
        permit (principal in Role::"billing", action == Action::"Export", resource == Log::"costs");
        @id("quoted")
        forbid (principal, action, resource is Log) when { resource.name like "secret-*" };
    "#;
    let billing = Role::new("billing").unwrap();
    let policy = Policy::load(own, std::slice::from_ref(&billing)).unwrap();
    assert!(policy.knows(&billing) && !policy.knows(&Role::new("other").unwrap()));
    let decision = policy.decide(&everywhere(&Role::ADMIN), Action::Erase, Some("main"));
    assert_eq!(
        (decision.ground, &*decision.policies),
        (Ground::Forbidden, &["night".to_owned()][..])
    );
    let chief = Caller { subject: "chief".into(), ..everywhere(&Role::ADMIN) };
    assert!(policy.decide(&chief, Action::Erase, Some("main")).allowed);
    let decision = policy.decide(&everywhere(&billing), Action::Export, Some("costs"));
    assert!(decision.allowed && decision.policies[0].starts_with("own-"), "{decision:?}");
    assert!(!policy.decide(&everywhere(&billing), Action::Export, Some("main")).allowed);
    assert!(!policy.decide(&chief, Action::ReadMetadata, Some("secret-1")).allowed);
}

#[test]
fn names_from_outside_are_never_read_as_policy() {
    let own = r#"forbid (principal, action, resource == Log::"x") ;"#;
    let policy = Policy::load(own, &[]).unwrap();
    let hostile = ["\" || true", "Log::\"x\"", "a\u{0}b", "ä\n", "\\", "*", "x\u{202e}"];
    for text in hostile {
        let someone =
            Caller { subject: text.into(), issuer: text.into(), ..everywhere(&Role::READER) };
        assert!(policy.decide(&someone, Action::ReadMetadata, Some(text)).allowed, "{text:?}");
        assert!(!policy.decide(&someone, Action::ReadContent, Some(text)).allowed, "{text:?}");
        assert!(!policy.decide(&someone, Action::ReadMetadata, Some("x")).allowed, "{text:?}");
    }
}

#[test]
fn policies_that_cannot_mean_what_they_say_are_refused_with_the_place() {
    let refused = |own: &str| Policy::load(own, &[]).unwrap_err();
    let syntax = refused("permit (principal, action, resource);\n\npermit (principal, action");
    assert!(matches!(syntax, PolicyError::Syntax(_)), "{syntax}");
    assert!(syntax.to_string().contains("line 3"), "{syntax}");
    for misspelt in [
        r#"permit (principal in Role::"auditr", action, resource);"#,
        r#"permit (principal, action == Action::"Earse", resource);"#,
        r#"forbid (principal, action, resource) when { principal.subjekt == "x" };"#,
        r#"forbid (principal, action, resource) when { principal.subject == 1 };"#,
        r#"permit (principal in Group::"a", action, resource);"#,
        r#"forbid (principal, action, resource) when { principal in Role::"auditr" };"#,
    ] {
        let error = refused(misspelt);
        assert!(matches!(error, PolicyError::Schema(_)), "{misspelt}: {error}");
    }
    let twice = refused("@id(\"admin-may\") permit (principal, action, resource);");
    assert!(matches!(twice, PolicyError::DuplicateId(_)), "{twice}");
    let template = refused("permit (principal == ?principal, action, resource);");
    assert!(matches!(template, PolicyError::Template), "{template}");
    assert!(matches!(refused(&" ".repeat(POLICY_BYTES_MAX + 1)), PolicyError::TooLong(_)));
}

#[test]
fn policy_that_fails_allows_nothing() {
    // Adding beyond 63 bits fails when it is evaluated, which the schema cannot see.
    let own = "forbid (principal, action, resource) when { 9223372036854775807 + 1 == 0 };";
    let policy = Policy::load(own, &[]).unwrap();
    let decision = policy.decide(&everywhere(&Role::ADMIN), Action::Verify, Some("main"));
    assert_eq!((decision.allowed, decision.ground), (false, Ground::Failed));
}

#[test]
fn memory_is_bounded() {
    let mut policy = Policy::built_in().unwrap();
    policy.memo = Memo::new(8);
    for number in 0..100 {
        let log = format!("log-{number}");
        assert!(policy.decide(&everywhere(&Role::READER), Action::Verify, Some(&log)).allowed);
        assert!(policy.memo.len() <= 16);
    }
}

fn some_logs() -> impl Strategy<Value = Logs> {
    prop_oneof![
        Just(Logs::All),
        prop::collection::btree_set("[ab]{1,2}", 0..3).prop_map(Logs::Only),
    ]
}

/// Few values for each part, so that questions repeat, and differ in one part alone.
fn some_caller() -> impl Strategy<Value = Caller> {
    let grant = (0_usize..6, some_logs())
        .prop_map(|(role, logs)| Grant { role: Role::BUILT_IN[role].clone(), logs });
    ("[ab|]{0,2}", "[ab|]{0,2}", any::<bool>(), prop::collection::vec(grant, 1..3)).prop_map(
        |(issuer, subject, token, grants)| {
            let method = if token { Method::Token } else { Method::Mtls };
            Caller { issuer, subject, method, grants }
        },
    )
}

type Asked = (Caller, Action, Option<String>);

fn some_question() -> impl Strategy<Value = Asked> {
    (some_caller(), 0..Action::ALL.len(), prop::option::of("[ab]{0,2}"))
        .prop_map(|(caller, action, log)| (caller, Action::ALL[action], log))
}

/// Two questions that differ in one part, or in what stands where.
fn neighbours() -> impl Strategy<Value = [Asked; 2]> {
    (some_question(), some_question(), 0..7_usize).prop_map(|(first, other, part)| {
        let mut second = first.clone();
        match part {
            0 => second.0.issuer = other.0.issuer,
            1 => second.0.subject = other.0.subject,
            2 => second.0.method = other.0.method,
            3 => second.0.grants = other.0.grants,
            4 => second.1 = other.1,
            5 => second.2 = other.2,
            _ => std::mem::swap(&mut second.0.issuer, &mut second.0.subject),
        }
        [first, second]
    })
}

fn spelled((caller, action, log): &Asked) -> Vec<u8> {
    question(caller, &caller.roles().collect(), *action, log.as_deref())
}

#[test]
fn questions_are_spelled_apart() {
    let of = |issuer: &str, subject: &str, method, log: Option<&str>| {
        let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
        let caller = Caller { issuer, subject, method, ..everywhere(&Role::READER) };
        spelled(&(caller, Action::Verify, log.map(str::to_owned)))
    };
    let all = BTreeSet::from([
        of("ab", "c", Method::Token, Some("d")),
        of("a", "bc", Method::Token, Some("d")),
        of("abc", "", Method::Token, Some("d")),
        of("", "abc", Method::Token, Some("d")),
        of("ab", "cd", Method::Token, Some("")),
        of("ab", "c", Method::Mtls, Some("d")),
        of("ab", "c", Method::Token, None),
        of("ab", "c", Method::Token, Some("")),
        of("ab", "c", Method::Token, Some("dreader")),
    ]);
    assert_eq!(all.len(), 9);
}

proptest! {
    /// Questions share an answer only when every part is the same.
    #[test]
    fn questions_are_alike_only_when_they_are_the_same(asked in neighbours()) {
        let parts = |(caller, action, log): &Asked| {
            let roles: BTreeSet<Role> = caller.roles().cloned().collect();
            let who = (caller.issuer.clone(), caller.subject.clone(), caller.method);
            (who, roles, *action, log.clone())
        };
        let [first, second] = &asked;
        prop_assert_eq!(spelled(first) == spelled(second), parts(first) == parts(second));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever was asked before, the answer is that of policies without a memory.
    #[test]
    fn remembering_changes_no_answer(
        asked in prop::collection::vec(neighbours(), 1..30), room in 1_usize..80
    ) {
        let own = r#"
            @id("a") forbid (principal, action, resource) when { principal.subject == "a" };
            @id("b") permit (principal, action, resource is Log)
                when { principal.issuer == "b" && principal.method == "mtls" };
        "#;
        let mut remembering = Policy::load(own, &[]).unwrap();
        remembering.memo = Memo::new(room);
        let mut forgetful = Policy::load(own, &[]).unwrap();
        for (caller, action, log) in asked.iter().flatten().chain(asked.iter().flatten()) {
            forgetful.memo = Memo::new(1);
            let fresh = forgetful.decide(caller, *action, log.as_deref());
            prop_assert_eq!(remembering.decide(caller, *action, log.as_deref()), fresh);
        }
    }

    /// Any text is policies or an error, never a panic.
    #[test]
    fn any_text_is_read_or_refused(own in "[a-z(){}\\[\\],;:=\"@. ]{0,60}") {
        let _ = Policy::load(&own, &[]);
    }
}
