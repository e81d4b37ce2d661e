//! What may be gone because somebody asked for it, and what must be.

use crate::workload::Planned;
use event::{Scope, Tier};

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// What was asked for, whether it was done or not.
#[derive(Clone, Debug)]
enum Asked {
    Erase {
        session: String,
        scope: Scope,
    },
    /// Records whose record time is so old by this clock.
    Expire {
        before_ms: u64,
    },
}

/// An erasure that was acknowledged: it concerns every record before this index.
#[derive(Clone, Debug)]
struct Done {
    session: String,
    scope: Scope,
    before: u64,
}

/// Everything that was asked for.
#[derive(Debug, Default)]
pub(crate) struct Removals {
    asked: Vec<Asked>,
    done: Vec<Done>,
}

impl Removals {
    /// Somebody asks for an erasure.
    pub(crate) fn ask_erasure(&mut self, session: &str, scope: Scope) {
        self.asked.push(Asked::Erase { session: session.to_owned(), scope });
    }

    /// Somebody asks for the expiry of what is older than so many days by this clock.
    pub(crate) fn ask_expiry(&mut self, now_ms: u64, days: u32) {
        let before_ms = now_ms.saturating_sub(u64::from(days) * DAY_MS);
        self.asked.push(Asked::Expire { before_ms });
    }

    /// An erasure was acknowledged, by the record at this index.
    pub(crate) fn erased(&mut self, session: &str, scope: Scope, authority: u64) {
        self.done.push(Done { session: session.to_owned(), scope, before: authority });
    }

    /// Whether anything may have gone of an event: then its id may be free again.
    pub(crate) fn may_concern(&self, planned: &Planned) -> bool {
        self.asked.iter().any(|asked| match asked {
            Asked::Erase { session, .. } => planned.session.as_ref() == Some(session),
            Asked::Expire { .. } => true,
        })
    }

    /// Whether an event's record may have gone so far.
    pub(crate) fn allow(&self, planned: &Planned, time_ms: u64, gone: Scope) -> bool {
        self.asked.iter().any(|asked| match asked {
            Asked::Erase { session, scope } => {
                planned.session.as_ref() == Some(session) && *scope >= gone
            }
            Asked::Expire { before_ms } => gone == Scope::Record && time_ms < *before_ms,
        })
    }

    /// How much of an event's record must have gone.
    pub(crate) fn demand(&self, planned: &Planned, index: u64) -> Option<Scope> {
        let concerns =
            |done: &&Done| planned.session.as_ref() == Some(&done.session) && index < done.before;
        self.done.iter().filter(concerns).map(|done| done.scope).max()
    }
}

/// The tiers whose days are short in a simulated policy: all of them.
pub(crate) const SHORT_DAYS: u32 = 2;

/// A policy under which everything goes after [`SHORT_DAYS`].
pub(crate) fn short_policy() -> retain::Policy {
    Tier::ALL.into_iter().fold(retain::Policy::default(), |policy, tier| {
        policy.with(tier, SHORT_DAYS).unwrap_or(policy)
    })
}
