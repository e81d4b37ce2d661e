//! Tokens from outside: what lets in, what does not, and what the file gives away.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use keys::SystemEntropy;
use proptest::prelude::*;

use super::*;
use crate::access::{Logs, Method, Role};

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn list(&self) -> PathBuf {
        self.folder.path().join("tokens.json")
    }

    fn secret(&self) -> PathBuf {
        self.folder.path().join("server-secret")
    }

    fn open(&self) -> Result<TokenStore, TokenError> {
        TokenStore::open(&self.list(), &self.secret(), &SystemEntropy::new())
    }
}

fn wish(name: &str) -> NewToken {
    NewToken {
        name: name.into(),
        roles: vec![Role::PRODUCER, Role::READER],
        logs: Logs::only(["main"]),
        expires_ms: None,
    }
}

fn make(store: &TokenStore, wish: NewToken) -> (TokenRecord, SecretString) {
    store.create(wish, 1000, &SystemEntropy::new()).unwrap()
}

#[test]
fn created_token_lets_its_holder_in_and_survives_a_restart() {
    let place = Place::new();
    let store = place.open().unwrap();
    let (record, text) = make(&store, wish("ci"));
    for store in [store, place.open().unwrap()] {
        let caller = store.check(text.expose(), 2000).unwrap();
        assert_eq!(caller.method, Method::Token);
        assert_eq!(caller.subject, format!("ci#{}", record.id));
        assert_eq!(caller.roles().collect::<Vec<_>>(), [&Role::PRODUCER, &Role::READER]);
        assert!(caller.reaches("main") && !caller.reaches("other"));
        assert_eq!(store.list().unwrap(), std::slice::from_ref(&record));
    }
}

#[test]
fn files_are_private_and_hold_no_secret() {
    let place = Place::new();
    let store = place.open().unwrap();
    let (record, text) = make(&store, wish("ci"));
    for path in [place.list(), place.secret()] {
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    }
    let secret_part = &text.expose()[23..];
    let line = fs::read_to_string(place.secret()).unwrap();
    let server_secret = line.trim_end().rsplit(':').next().unwrap();
    let shown = format!("{store:?} {record:?} {text:?} {:?}", store.check(text.expose(), 0));
    let list = fs::read_to_string(place.list()).unwrap();
    for silent in [&shown, &list] {
        assert!(!silent.contains(secret_part) && !silent.contains(server_secret), "{silent}");
    }
    assert!(!shown.contains(&hex::encode(record.hash)), "{shown}");
}

#[test]
fn revoked_token_is_refused_at_once_here_and_within_a_second_elsewhere() {
    let place = Place::new();
    let (here, there) = (place.open().unwrap(), place.open().unwrap());
    let (record, text) = make(&here, wish("ci"));
    assert!(there.check(text.expose(), 10_000).is_ok());
    let revoked = here.revoke(record.id, 20_000).unwrap();
    assert_eq!(here.check(text.expose(), 10_001), Err(Refused::Revoked));
    assert!(there.check(text.expose(), 10_999).is_ok(), "it looks once a second");
    assert_eq!(there.check(text.expose(), 11_000), Err(Refused::Revoked));
    // Again changes nothing, not even the time.
    assert_eq!(here.revoke(record.id, 30_000).unwrap(), revoked);
    assert_eq!(there.list().unwrap(), [revoked]);
    let unknown = here.revoke(TokenId::new([0; 8]), 0).unwrap_err().to_string();
    assert!(unknown.contains("0000000000000000"), "{unknown}");
}

#[test]
fn clock_set_back_does_not_stop_the_looking() {
    let place = Place::new();
    let (here, there) = (place.open().unwrap(), place.open().unwrap());
    let (record, text) = make(&here, wish("ci"));
    assert!(there.check(text.expose(), 1_000_000).is_ok());
    here.revoke(record.id, 0).unwrap();
    assert_eq!(there.check(text.expose(), 5), Err(Refused::Revoked));
}

#[test]
fn token_expires_on_the_millisecond() {
    let place = Place::new();
    let store = place.open().unwrap();
    let (_, text) = make(&store, NewToken { expires_ms: Some(5000), ..wish("ci") });
    assert!(store.check(text.expose(), 4999).is_ok());
    assert_eq!(store.check(text.expose(), 5000), Err(Refused::Expired));
    let late = NewToken { expires_ms: Some(1000), ..wish("ci") };
    let late = store.create(late, 1000, &SystemEntropy::new());
    assert!(matches!(late, Err(TokenError::ExpiryPassed { .. })), "{late:?}");
}

#[test]
fn reasons_are_told_only_to_the_holder_of_the_secret() {
    let place = Place::new();
    let store = place.open().unwrap();
    let (record, text) = make(&store, wish("ci"));
    store.revoke(record.id, 0).unwrap();
    let (_, other) = make(&store, wish("other"));
    let crossed = format!("{}{}", &text.expose()[..23], &other.expose()[23..]);
    assert_eq!(store.check(&crossed, 0), Err(Refused::UnknownToken));
    assert_eq!(store.check(text.expose(), 0), Err(Refused::Revoked));
    assert_eq!(store.check("Bearer x", 0), Err(Refused::Malformed));
}

#[test]
fn every_changed_byte_of_the_list_is_found() {
    let place = Place::new();
    let store = place.open().unwrap();
    make(&store, wish("ci"));
    let good = fs::read(place.list()).unwrap();
    for position in 0..good.len() - 1 {
        let mut bad = good.clone();
        bad[position] ^= 0x01;
        fs::write(place.list(), &bad).unwrap();
        assert!(store.list().is_err(), "byte {position} of {}", String::from_utf8_lossy(&bad));
    }
    let text = String::from_utf8(good).unwrap();
    fs::write(place.list(), text.replace("reader", "admin")).unwrap();
    let error = place.open().unwrap_err();
    assert!(matches!(error, TokenError::Edited { .. }), "{error}");
}

#[test]
fn edited_list_lets_nobody_in_until_it_is_mended() {
    let place = Place::new();
    let store = place.open().unwrap();
    let (_, text) = make(&store, wish("ci"));
    let good = fs::read(place.list()).unwrap();
    fs::write(place.list(), b"{}").unwrap();
    assert_eq!(store.check(text.expose(), 5000), Err(Refused::TokensUnusable));
    assert!(store.fault().unwrap().contains("tokens.json"));
    fs::write(place.list(), good).unwrap();
    assert!(store.check(text.expose(), 6000).is_ok());
    assert_eq!(store.fault(), None);
    fs::remove_file(place.list()).unwrap();
    assert_eq!(store.check(text.expose(), 7000), Err(Refused::UnknownToken));
}

#[test]
fn secret_is_never_made_for_tokens_that_exist() {
    let place = Place::new();
    make(&place.open().unwrap(), wish("ci"));
    let kept = fs::read(place.secret()).unwrap();
    fs::remove_file(place.secret()).unwrap();
    let error = place.open().unwrap_err();
    assert!(matches!(error, TokenError::SecretMissing { .. }), "{error}");
    assert!(!place.secret().exists());
    for bad in [&kept[..kept.len() - 6], b"", b"\xff\xfe", b"tachograph-server-secret-v1:AAAA"] {
        fs::write(place.secret(), bad).unwrap();
        fs::set_permissions(place.secret(), Permissions::from_mode(0o600)).unwrap();
        let error = place.open().unwrap_err();
        assert!(matches!(error, TokenError::BadSecret { .. }), "{error}");
    }
}

#[test]
fn files_that_others_can_get_at_are_refused_with_the_remedy() {
    let place = Place::new();
    make(&place.open().unwrap(), wish("ci"));
    for path in [place.list(), place.secret()] {
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let error = place.open().unwrap_err().to_string();
        assert!(error.contains(&format!("chmod 600 {}", path.display())), "{error}");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    }
}

#[test]
fn what_a_crash_left_beside_the_list_does_not_matter() {
    let place = Place::new();
    let store = place.open().unwrap();
    fs::write(place.folder.path().join("tokens.json.new"), b"half").unwrap();
    let (_, text) = make(&store, wish("ci"));
    assert!(store.check(text.expose(), 0).is_ok());
}

#[test]
fn names_and_roles_that_would_confuse_are_refused() {
    let place = Place::new();
    let store = place.open().unwrap();
    for name in ["", "a b", "a\n", "a#b", "ä", &"a".repeat(65)] {
        let made = store.create(wish(name), 0, &SystemEntropy::new());
        assert!(matches!(made, Err(TokenError::BadName { .. })), "{name:?}");
    }
    let none = NewToken { roles: Vec::new(), ..wish("ci") };
    assert!(store.create(none, 0, &SystemEntropy::new()).is_err());
    assert!(store.list().unwrap().is_empty() && !place.list().exists());
}

#[test]
fn two_processes_that_create_at_once_lose_nothing() {
    let place = Place::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let store = place.open().unwrap();
                for _ in 0..5 {
                    make(&store, wish("ci"));
                }
            });
        }
    });
    assert_eq!(place.open().unwrap().list().unwrap().len(), 20);
}

/// One step of a story about tokens.
#[derive(Clone, Debug)]
enum Step {
    Create { life_ms: Option<i64> },
    Revoke { which: usize },
    Check { which: usize, later_ms: i64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        prop::option::of(1_i64..5000).prop_map(|life_ms| Step::Create { life_ms }),
        (0_usize..8).prop_map(|which| Step::Revoke { which }),
        (0_usize..8, 0_i64..3000).prop_map(|(which, later_ms)| Step::Check { which, later_ms }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// The store and a list in memory agree on every check, whatever happened before.
    #[test]
    fn store_agrees_with_a_model(steps in prop::collection::vec(step(), 1..20)) {
        let place = Place::new();
        let store = place.open().unwrap();
        let mut now_ms = 1000;
        let mut model: Vec<(TokenId, SecretString, Option<i64>, bool)> = Vec::new();
        for step in steps {
            match step {
                Step::Create { life_ms } => {
                    let expires_ms = life_ms.map(|life_ms| now_ms + life_ms);
                    let new = NewToken { expires_ms, ..wish("t") };
                    let (record, text) =
                        store.create(new, now_ms, &SystemEntropy::new()).unwrap();
                    model.push((record.id, text, expires_ms, false));
                }
                Step::Revoke { which } => {
                    let Some(token) = model.get_mut(which) else { continue };
                    store.revoke(token.0, now_ms).unwrap();
                    token.3 = true;
                }
                Step::Check { which, later_ms } => {
                    now_ms += later_ms;
                    let Some((_, text, expires_ms, revoked)) = model.get(which) else { continue };
                    let expected = match expires_ms {
                        _ if *revoked => Some(Refused::Revoked),
                        Some(expires_ms) if *expires_ms <= now_ms => Some(Refused::Expired),
                        _ => None,
                    };
                    prop_assert_eq!(store.check(text.expose(), now_ms).err(), expected);
                }
            }
        }
    }

    /// No other text gets in: every single character of a token counts.
    #[test]
    fn changed_token_is_never_let_in(position in 0_usize..66, byte in 0x20_u8..0x7f) {
        let place = Place::new();
        let store = place.open().unwrap();
        let (_, text) = make(&store, wish("ci"));
        let mut changed = text.expose().as_bytes().to_vec();
        prop_assume!(changed[position] != byte);
        changed[position] = byte;
        let changed = String::from_utf8(changed).unwrap();
        prop_assert!(store.check(&changed, 0).is_err());
    }
}
