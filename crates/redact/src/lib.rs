//! Secrets leave before sealing: the redactor, its rules and policy, and the type wall that lets
//! nothing else through ([`Redacted`], which only this crate makes).
//!
//! Pure: no I/O, no clock, no randomness; the key of the hashes arrives from outside. Where events
//! come from is next door in `capture`; `seal` accepts only what comes out here.
//!
//! ```
//! use redact::{Policy, Redactor};
//! let redactor = Redactor::new(&Policy::default(), [7; 32])?;
//! let json = concat!(
//!     r#"{"event_type":"agent.error","error":"provider 503 key=sk-secret","#,
//!     r#""params":{"password":"x1"}}"#,
//! );
//! let event = event::Event::from_json(json.as_bytes())?;
//! let redacted = redactor.redact(event);
//! let mut content = Vec::new();
//! redacted.get().write_content(&mut content);
//! assert_eq!(
//!     String::from_utf8(content)?,
//!     concat!(
//!         r#"{"error":"provider 503 key=[redacted:assignment]","#,
//!         r#""params":{"password":"[redacted:sensitive_member]"}}"#,
//!     ),
//! );
//! assert_eq!(redacted.get().redactions[1].path, "params.password");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it cannot do
//! A secret that is split over two strings, compressed or encoded twice, or of a form that no rule
//! knows stays. Rules prefer to take too much: a password that was an ordinary word is worth its
//! sentence.

mod encoded;
mod gathered;
mod json;
mod marker;
mod notes;
mod policy;
mod redacted;
mod redactor;
mod rule;
mod rules;
mod ruling;
mod said;
mod scan;
mod text;

pub use policy::{Action, FieldSetting, Policy, PolicyError, Preset, RuleSetting};
pub use redacted::Redacted;
pub use redactor::Redactor;
pub use rule::{Group, Rule};
pub use rules::Examples;
pub use said::without_secrets;

/// What each rule takes and leaves, for documentation and for people who ask.
pub fn examples() -> impl Iterator<Item = &'static Examples> {
    rules::examples()
}
