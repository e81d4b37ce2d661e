//! Secrets leave before sealing; the only maker of [`Redacted`].

mod policy;
mod redacted;
mod redactor;
mod rule;

pub use policy::{Action, Policy, PolicyError, RuleSetting};
pub use redacted::Redacted;
pub use redactor::Redactor;
pub use rule::Rule;
