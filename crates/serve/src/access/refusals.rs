//! Refused credentials, counted until the server records them; refused acts, one by one.
//!
//! Failed logins cost an attacker nothing, so they must not cost a record each: they are added up
//! by reason, by what was presented and by peer, and the sums are recorded. What an authenticated
//! caller was refused is rare and telling, so each is recorded.
//!
//! Only data: no clock (time is an argument), no log, no lock.

use std::collections::HashMap;

use super::policy::{Action, Decision};
use super::{Caller, Method, Refused};

/// The longest that a refusal waits for its record.
pub const FLUSH_AFTER_MS: i64 = 10_000;

/// So many refusals are recorded without waiting for [`FLUSH_AFTER_MS`].
pub const FLUSH_COUNT: u64 = 100;

/// The least time between two flushes, so that a flood of refusals is no flood of records: at most
/// [`KEYS_MAX`] and one for each reason in a second.
pub const FLUSH_APART_MS: i64 = 1000;

/// Rows between two flushes. Whatever else is refused counts in a row of its reason alone.
pub const KEYS_MAX: usize = 256;

/// Bytes of what was presented and of a peer's address.
pub const TEXT_BYTES_MAX: usize = 128;

/// What rows beyond [`KEYS_MAX`] show in place of what was presented and of the peer.
pub const OTHERS: &str = "(others)";

/// One row: the refusals of one reason, for one thing presented, from one peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedLogins {
    /// Why.
    pub reason: Refused,
    /// The public part of what was presented: a token's id, an issuer and a subject; unproven.
    pub presented: String,
    /// Where it came from.
    pub peer: String,
    /// How often.
    pub count: u64,
    /// The first time, in Unix milliseconds.
    pub first_ms: i64,
    /// The last time.
    pub last_ms: i64,
}

/// Counts refused credentials.
#[derive(Debug, Default)]
pub struct RefusalCounter {
    rows: HashMap<(Refused, String, String), RefusedLogins>,
    count: u64,
    first_ms: Option<i64>,
    flushed_ms: Option<i64>,
}

impl RefusalCounter {
    /// Nothing counted.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one refusal. `presented` must be free of secrets:
    /// [`public_part`](super::tokens::text::public_part) and [`claimed`](super::oidc::claimed)
    /// make it so. Ask [`RefusalCounter::is_due`] afterwards.
    pub fn count(&mut self, reason: Refused, presented: &str, peer: &str, now_ms: i64) {
        let mut key = (reason, shorten(presented), shorten(peer));
        if self.rows.len() >= KEYS_MAX && !self.rows.contains_key(&key) {
            key = (reason, OTHERS.to_owned(), OTHERS.to_owned());
        }
        let row =
            self.rows.entry(key).or_insert_with_key(|(reason, presented, peer)| RefusedLogins {
                reason: *reason,
                presented: presented.clone(),
                peer: peer.clone(),
                count: 0,
                first_ms: now_ms,
                last_ms: now_ms,
            });
        row.count += 1;
        row.last_ms = row.last_ms.max(now_ms);
        self.count += 1;
        self.first_ms.get_or_insert(now_ms);
    }

    /// Whether the rows are to be recorded now.
    #[must_use]
    pub fn is_due(&self, now_ms: i64) -> bool {
        let Some(first_ms) = self.first_ms else { return false };
        // A clock that was set back makes it due: rather one record more than one that never comes.
        let since =
            |then_ms: i64| u64::try_from(now_ms.saturating_sub(then_ms)).unwrap_or(u64::MAX);
        let apart =
            self.flushed_ms.is_none_or(|flushed_ms| since(flushed_ms) >= FLUSH_APART_MS as u64);
        apart && (self.count >= FLUSH_COUNT || since(first_ms) >= FLUSH_AFTER_MS as u64)
    }

    /// Takes the rows, in a fixed order, and begins anew. When the server ends, flush whatever is
    /// left.
    pub fn flush(&mut self, now_ms: i64) -> Vec<RefusedLogins> {
        let mut rows: Vec<RefusedLogins> = self.rows.drain().map(|(_, row)| row).collect();
        rows.sort_by(|a, b| {
            let key = |row: &RefusedLogins| (row.first_ms, row.reason);
            key(a).cmp(&key(b)).then_with(|| (&a.presented, &a.peer).cmp(&(&b.presented, &b.peer)))
        });
        self.count = 0;
        self.first_ms = None;
        self.flushed_ms = Some(now_ms);
        rows
    }
}

/// An act that an authenticated caller was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedAct {
    /// Who vouches for the caller.
    pub issuer: String,
    /// Who it is.
    pub subject: String,
    /// How it proved that.
    pub method: Method,
    /// What it wanted to do.
    pub action: Action,
    /// To which log; none for the server. As asked for, shortened: there may be no such log.
    pub log: Option<String>,
    /// The stable code of why not.
    pub ground: &'static str,
    /// The policies that forbade it.
    pub policies: Vec<String>,
    /// When, in Unix milliseconds.
    pub at_ms: i64,
}

impl RefusedAct {
    /// What is to be recorded of `decision`; nothing when it allows.
    #[must_use]
    pub fn of(
        caller: &Caller,
        action: Action,
        log: Option<&str>,
        decision: &Decision,
        now_ms: i64,
    ) -> Option<Self> {
        (!decision.allowed).then(|| Self {
            issuer: caller.issuer.clone(),
            subject: caller.subject.clone(),
            method: caller.method,
            action,
            log: log.map(shorten),
            ground: decision.ground.code(),
            policies: decision.policies.to_vec(),
            at_ms: now_ms,
        })
    }
}

/// At most [`TEXT_BYTES_MAX`] bytes, cut between characters.
fn shorten(text: &str) -> String {
    text[..text.floor_char_boundary(TEXT_BYTES_MAX)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::policy::Policy;
    use crate::access::{Grant, Logs, Role};
    use proptest::prelude::*;

    #[test]
    fn same_refusals_are_one_row_and_others_are_apart() {
        let mut counter = RefusalCounter::new();
        for now_ms in [5, 7, 6] {
            counter.count(Refused::UnknownToken, "tacho_a", "192.0.2.1", now_ms);
        }
        counter.count(Refused::Expired, "tacho_a", "192.0.2.1", 8);
        counter.count(Refused::UnknownToken, "tacho_b", "192.0.2.1", 9);
        counter.count(Refused::UnknownToken, "tacho_a", "192.0.2.2", 10);
        let rows = counter.flush(11);
        assert_eq!(rows.iter().map(|row| row.count).collect::<Vec<_>>(), [3, 1, 1, 1]);
        assert_eq!((rows[0].first_ms, rows[0].last_ms), (5, 7));
        assert_eq!(counter.flush(12), []);
    }

    #[test]
    fn rows_are_due_after_ten_seconds_or_a_hundred_but_not_twice_a_second() {
        let mut counter = RefusalCounter::new();
        assert!(!counter.is_due(1_000_000));
        counter.count(Refused::Expired, "a", "p", 1000);
        assert!(!counter.is_due(10_999));
        assert!(counter.is_due(11_000));
        assert!(counter.is_due(900), "a clock that was set back delays nothing");
        counter.flush(11_000);
        for _ in 0..FLUSH_COUNT {
            assert!(!counter.is_due(11_500));
            counter.count(Refused::Expired, "a", "p", 11_500);
        }
        assert!(!counter.is_due(11_999));
        assert!(counter.is_due(12_000));
        counter.flush(12_000);
        counter.count(Refused::Expired, "a", "p", 13_000);
        assert!(!counter.is_due(22_999), "it waits from its own time, not from an older one's");
        assert!(counter.is_due(23_000));
    }

    #[test]
    fn flood_of_different_refusals_stays_bounded_and_is_counted_whole() {
        let mut counter = RefusalCounter::new();
        for number in 0..10_000 {
            let reason = Refused::ALL[number % 7];
            counter.count(reason, &format!("tacho_{number}"), &format!("peer {number}"), 0);
        }
        let rows = counter.flush(1);
        assert!(rows.len() <= KEYS_MAX + 7, "{}", rows.len());
        assert_eq!(rows.iter().map(|row| row.count).sum::<u64>(), 10_000);
        assert_eq!(rows.iter().filter(|row| row.presented == OTHERS).count(), 7);
    }

    #[test]
    fn refused_act_says_who_what_and_why() {
        let grants = vec![Grant { role: Role::READER, logs: Logs::All }];
        let (issuer, subject, method) = ("i".to_owned(), "s".to_owned(), Method::Local);
        let caller = Caller { issuer, subject, method, grants };
        let policy = Policy::built_in().unwrap();
        let of = |action, log: &str| {
            let decision = policy.decide(&caller, action, Some(log));
            RefusedAct::of(&caller, action, Some(log), &decision, 7)
        };
        assert_eq!(of(Action::ReadMetadata, "main"), None);
        let act = of(Action::Erase, &"ä".repeat(1000)).unwrap();
        assert_eq!((act.ground, act.at_ms, act.method), ("nothing_permits", 7, Method::Local));
        assert_eq!(act.log.unwrap().len(), TEXT_BYTES_MAX);
    }

    proptest! {
        #[test]
        fn nothing_counted_is_lost(
            refusals in prop::collection::vec((0..5_usize, ".{0,3}", "[ab]", 0..50_000_i64), 0..400)
        ) {
            let (mut counter, mut flushed) = (RefusalCounter::new(), 0);
            let total = refusals.len() as u64;
            for (reason, presented, peer, now_ms) in refusals {
                counter.count(Refused::ALL[reason], &presented, &peer, now_ms);
                if counter.is_due(now_ms) {
                    flushed += counter.flush(now_ms).iter().map(|row| row.count).sum::<u64>();
                }
            }
            flushed += counter.flush(60_000).iter().map(|row| row.count).sum::<u64>();
            prop_assert_eq!(flushed, total);
        }
    }
}
