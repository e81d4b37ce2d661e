//! How much one caller may send: requests and events in a second, with a burst of each.
//!
//! Off unless configured: what a server takes is bounded anyway (bodies in memory, batches in
//! flight, the disk's reserve), and an event that is refused by a limit nobody chose is an act that
//! the log may never hear of. The counting is `governor`'s (GCRA: one number for each caller). Not
//! here: what the log records of it (`open_log.rs`).

use crate::access::Caller;
use crate::problem::Problem;
use axum::http::StatusCode;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Callers that have numbers of their own; beyond these some share one until others were quiet for
/// a while. It is some MiB.
const CALLERS_MAX: usize = 50_000;
/// How many numbers the callers beyond share.
const SHARED: u64 = 256;
/// Callers that a record of the log names; the others are added up.
const NAMED_MAX: usize = 32;
/// What stands for those that are not named.
const OTHERS: &str = "(others)";

/// So many in a second, and so many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// In the long run.
    pub per_second: NonZeroU32,
    /// At once, by who was quiet before.
    pub burst: NonZeroU32,
}

/// What one caller may send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// Requests of any kind that need a credential.
    pub requests: Option<Rate>,
    /// Events, whichever door they come through.
    pub events: Option<Rate>,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counted {
    Requests,
    Events,
}

type Counter = DefaultKeyedRateLimiter<u64>;

/// Counts what callers send.
#[derive(Default)]
pub(crate) struct Counters {
    requests: Option<(Counter, Rate)>,
    events: Option<(Counter, Rate)>,
    clock: DefaultClock,
    /// With random keys, because subjects are chosen outside.
    hasher: RandomState,
    refused: [AtomicU64; 2],
}

impl Counters {
    pub(crate) fn new(rates: Rates) -> Self {
        let counter = |rate: Option<Rate>| {
            let quota = |rate: Rate| Quota::per_second(rate.per_second).allow_burst(rate.burst);
            rate.map(|rate| (RateLimiter::keyed(quota(rate)), rate))
        };
        let (requests, events) = (counter(rates.requests), counter(rates.events));
        Self { requests, events, ..Self::default() }
    }

    /// Counts something that a caller sends.
    ///
    /// # Errors
    /// 429, with the seconds after which it may be sent.
    pub(crate) fn take(
        &self,
        caller: &Caller,
        counted: Counted,
        count: usize,
    ) -> Result<(), Problem> {
        let limit = match counted {
            Counted::Requests => &self.requests,
            Counted::Events => &self.events,
        };
        let wanted = u32::try_from(count).unwrap_or(u32::MAX);
        let (Some((counter, rate)), Some(wanted)) = (limit, NonZeroU32::new(wanted)) else {
            return Ok(());
        };
        let key = self.key(counter, caller);
        // More than may ever come at once takes all there is, rather than never getting through.
        let outcome = counter.check_key_n(&key, wanted.min(rate.burst));
        let Ok(Err(until)) = outcome else { return Ok(()) };
        if let Some(refused) = self.refused.get(counted as usize) {
            refused.fetch_add(u64::from(wanted.get()), Ordering::Relaxed);
        }
        Err(refusal(counted, *rate, until.wait_time_from(self.clock.now())))
    }

    fn key(&self, counter: &Counter, caller: &Caller) -> u64 {
        let key = self.hasher.hash_one((&caller.issuer, &caller.subject));
        if counter.len() < CALLERS_MAX { key } else { key % SHARED }
    }

    /// Forgets callers that were quiet for long enough. To be called now and then.
    pub(crate) fn tend(&self) {
        for (counter, _) in [&self.requests, &self.events].into_iter().flatten() {
            counter.retain_recent();
            counter.shrink_to_fit();
        }
    }

    /// What was refused since the start.
    pub(crate) fn refused(&self, counted: Counted) -> u64 {
        self.refused.get(counted as usize).map_or(0, |it| it.load(Ordering::Relaxed))
    }
}

fn refusal(counted: Counted, rate: Rate, wait: Duration) -> Problem {
    let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
    let what = match counted {
        Counted::Requests => "requests",
        Counted::Events => "events",
    };
    let detail = format!(
        "you send more than the {} {what} a second that this server takes of one caller ({} at once), \
         and nothing of this was taken; send it again in {seconds} s",
        rate.per_second, rate.burst
    );
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail).retry_after(seconds)
}

/// What was refused in a log since its last record of that.
#[derive(Debug, Default)]
pub(crate) struct Throttled {
    since_ms: Option<u64>,
    /// By caller: requests, and the events in them where these were counted.
    callers: BTreeMap<String, (u64, u64)>,
}

impl Throttled {
    pub(crate) fn count(&mut self, caller: &Caller, counted: Counted, count: u64, now_ms: u64) {
        self.since_ms.get_or_insert(now_ms);
        let name = format!("{} {}", caller.issuer, caller.subject);
        let is_named = self.callers.len() < NAMED_MAX || self.callers.contains_key(&name);
        let name = if is_named { name } else { OTHERS.to_owned() };
        let (requests, events) = self.callers.entry(name).or_default();
        *requests += 1;
        *events += if counted == Counted::Events { count } else { 0 };
    }

    /// Since when something waits to be recorded.
    pub(crate) fn since_ms(&self) -> Option<u64> {
        self.since_ms
    }

    /// The details of the log's record.
    pub(crate) fn details(&self, now_ms: u64) -> serde_json::Value {
        let sum = |pick: fn(&(u64, u64)) -> u64| self.callers.values().map(pick).sum::<u64>();
        let callers = self.callers.iter().map(|(caller, (requests, events))| {
            serde_json::json!({ "caller": caller, "requests": requests, "events": events })
        });
        serde_json::json!({
            "reason": "rate_limited", "requests_refused": sum(|it| it.0),
            "events_refused": sum(|it| it.1), "callers": callers.collect::<Vec<_>>(),
            "since_ms": self.since_ms, "until_ms": now_ms,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Method;

    fn caller(subject: &str) -> Caller {
        let (issuer, subject) = ("i".to_owned(), subject.to_owned());
        Caller { issuer, subject, method: Method::Token, grants: Vec::new() }
    }

    fn rate(per_second: u32, burst: u32) -> Option<Rate> {
        let number = |number| NonZeroU32::new(number).unwrap();
        Some(Rate { per_second: number(per_second), burst: number(burst) })
    }

    #[test]
    fn who_sent_a_burst_waits_and_others_do_not() {
        let limits = Counters::new(Rates { requests: rate(1, 3), events: None });
        let (ann, bob) = (caller("ann"), caller("bob"));
        for _ in 0..3 {
            limits.take(&ann, Counted::Requests, 1).unwrap();
        }
        let refused = limits.take(&ann, Counted::Requests, 1).unwrap_err();
        assert_eq!((refused.status.as_u16(), refused.code), (429, "rate_limited"));
        assert!(refused.retry_after.is_some_and(|seconds| (1..=2).contains(&seconds)));
        limits.take(&bob, Counted::Requests, 1).unwrap();
        limits.take(&ann, Counted::Events, 1_000_000).unwrap();
        assert_eq!((limits.refused(Counted::Requests), limits.refused(Counted::Events)), (1, 0));
    }

    #[test]
    fn a_batch_larger_than_the_burst_gets_through_when_there_was_quiet() {
        let limits = Counters::new(Rates { requests: None, events: rate(1, 100) });
        let ann = caller("ann");
        limits.take(&ann, Counted::Events, 0).unwrap();
        limits.take(&ann, Counted::Events, 5_000).unwrap();
        let refused = limits.take(&ann, Counted::Events, 5_000).unwrap_err();
        assert!(refused.retry_after.is_some_and(|seconds| (90..=101).contains(&seconds)));
        assert_eq!(limits.refused(Counted::Events), 5_000);
    }

    #[test]
    fn memory_stays_bounded_whoever_comes() {
        let limits = Counters::new(Rates { requests: rate(1, 1_000), events: None });
        for number in 0..CALLERS_MAX + 10_000 {
            let _ = limits.take(&caller(&number.to_string()), Counted::Requests, 1);
        }
        let (counter, _) = limits.requests.as_ref().unwrap();
        assert!(counter.len() <= CALLERS_MAX + SHARED as usize, "{}", counter.len());
        let mut throttled = Throttled::default();
        for number in 0..1_000 {
            throttled.count(&caller(&number.to_string()), Counted::Events, 2, 7);
        }
        let details = throttled.details(9);
        assert_eq!(
            (&details["requests_refused"], &details["events_refused"]),
            (&1000.into(), &2000.into())
        );
        assert_eq!(details["callers"].as_array().unwrap().len(), NAMED_MAX + 1);
    }

    #[test]
    #[ignore = "a measurement: cargo test -p serve --lib what_a_count_costs -- --ignored --nocapture"]
    fn what_a_count_costs() {
        let rates = Rates { requests: rate(1_000_000, 1_000_000), events: None };
        let (limits, off) = (Counters::new(rates), Counters::default());
        let callers: Vec<Caller> = (0..1_000).map(|n| caller(&n.to_string())).collect();
        for (name, limits) in [("on", &limits), ("off", &off)] {
            let begun = std::time::Instant::now();
            for round in 0..1_000_000 {
                let _ = limits.take(&callers[round % callers.len()], Counted::Requests, 1);
            }
            println!("{name}: {} ns", begun.elapsed().as_nanos() / 1_000_000);
        }
    }
}
