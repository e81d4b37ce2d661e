//! C-ACC-1: whoever read the log, took records out of it or changed how it is served is recorded,
//! by name.

use super::predicate::{End, Item, Predicate};
use super::{Assessed, Named};
use event::types;

const ACTS: &[&str] = &[
    types::LOG_ACCESS,
    types::LOG_EXPORT,
    types::LOG_KEY_EXPORTED,
    types::LOG_CONFIGURATION,
    types::LOG_DENIED,
    types::LOG_RESTORED,
];

#[derive(Default)]
pub(super) struct Access {
    looked_at: u64,
    offending: Named,
}

impl Predicate for Access {
    fn offer(&mut self, item: &Item<'_>) {
        if !item.is_log || !ACTS.contains(&item.kind()) {
            return;
        }
        self.looked_at += 1;
        if item.facts.principal.is_none() {
            self.offending.note(item);
        }
    }

    fn finish(self: Box<Self>, _: &End<'_>) -> Assessed {
        if self.looked_at == 0 {
            return Assessed::nothing("the log records no access, export or change of roles");
        }
        Assessed::by(self.offending, self.looked_at, "accesses name nobody")
            .asking("a name with each access, export and change of roles")
    }
}
