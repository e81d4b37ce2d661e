//! Scripted incidents: traces whose first cause is known, because it was written into them, and
//! healthy runs that look like trouble and are none. A function of the seed.
//!
//! Three sets by three sets of templates, each with its own vocabulary. `known` is what the rules
//! of forensics were written by; `held_out` was written before the rules and is only counted, so
//! that the count says how the rules do on what they were not made for. Not here: the rules
//! (`report`).

mod healthy;
mod held_out;
mod known;
mod script;
#[cfg(test)]
mod tests;

use crate::Random;
use script::Script;
use serde_json::Value;

/// One scripted trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// What happens in it.
    pub name: &'static str,
    /// The first cause, by the name that forensics gives it; `None` for a healthy run.
    pub cause: Option<&'static str>,
    /// Its trace id.
    pub trace_id: String,
    /// Its events as a producer sends them, in the order sent.
    pub events: Vec<Value>,
}

/// What one template writes.
type Template = (&'static str, Option<&'static str>, fn(&mut Script));

/// The 20 incidents that the rules were written by.
#[must_use]
pub fn known(seed: u64) -> Vec<Incident> {
    played(known::TEMPLATES, seed, 1)
}

/// The 20 incidents that were not looked at while the rules were written.
#[must_use]
pub fn held_out(seed: u64) -> Vec<Incident> {
    played(held_out::TEMPLATES, seed, 2)
}

/// The 10 runs in which nothing went wrong.
#[must_use]
pub fn healthy(seed: u64) -> Vec<Incident> {
    played(healthy::TEMPLATES, seed, 3)
}

/// `set` keeps the sets of one seed apart.
fn played(templates: &[Template], seed: u64, set: u64) -> Vec<Incident> {
    let mut random = Random::new(seed.wrapping_mul(4).wrapping_add(set));
    let play = |(name, cause, write): &Template| {
        let mut script = Script::new(random.fork());
        write(&mut script);
        let (trace_id, events) = script.end();
        Incident { name, cause: *cause, trace_id, events }
    };
    templates.iter().map(play).collect()
}
