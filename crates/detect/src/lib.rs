//! Sigma rules over events: which acts, alone or together, look like an attack, a fault or a loop.
//!
//! A [`RuleSet`] is compiled from YAML: rules that match single events, and correlations over them
//! (docs/detection.md lists what of Sigma is understood). An [`Engine`] takes events in the order
//! of the log and answers with [`Hit`]s, one for each incident. It has no clock and no files; the
//! same events give the same hits, and its memory is bounded whatever they hold.
//!
//! Not here: where events come from, and where alerts go (`serve`, `cli`).
//!
//! ```
//! use detect::{Engine, Item, RuleSet};
//! let rules = RuleSet::parse("mine.yml", r#"
//! title: A tool of which nobody heard
//! id: my-first-rule
//! logsource: { product: tachograph }
//! detection:
//!   call: { event_type: agent.tool_call, tool|startswith: shell_ }
//!   condition: call
//! level: high
//! "#)?;
//! let mut engine = Engine::new(rules.into(), "log.example");
//! let meta = br#"{"event_type":"agent.tool_call","tool":"shell_run"}"#;
//! let mut hits = Vec::new();
//! let kind = event::Kind::Event;
//! let item = Item { index: 7, recorded_at_ms: 0, kind, meta, content: b"" };
//! engine.offer(&item, &mut hits);
//! assert_eq!(hits[0].rule.name, "my-first-rule");
//! # Ok::<(), detect::RuleError>(())
//! ```

mod condition;
mod correlation;
mod detection;
mod engine;
mod field;
mod groups;
mod hit;
mod problem;
mod raw;
mod rule;
mod set;
mod shipped;
mod test;
mod view;
mod window;
mod yaml;

pub use engine::{Engine, Open};
pub use hit::{Hit, INDICES_MAX};
pub use problem::RuleError;
pub use rule::{About, Level};
pub use set::{FILE_BYTES_MAX, RULES_MAX, RuleSet};
pub use shipped::{SHIPPED, shipped};
pub use view::{ALERT_ACTION, Item};
