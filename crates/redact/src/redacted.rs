//! The type wall: a value that went through a redactor.
//!
//! Not here: the redacting. Nothing but this crate can make one, and nothing can change what is
//! inside.

/// A value from which secrets were taken out by the policy in force. Only [`crate::Redactor`] makes
/// one; the writer accepts nothing else, so that unredacted data cannot be sealed by mistake.
///
/// ```compile_fail
/// let forged = redact::Redacted(event::Event::new("agent.tool_call"));
/// ```
///
/// ```compile_fail
/// fn change(redacted: &mut redact::Redacted<event::Event<'_>>) {
///     redacted.get().action = None;
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Redacted<T>(T);

impl<T> Redacted<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, to read.
    #[must_use]
    pub fn get(&self) -> &T {
        &self.0
    }

    /// The same of what lies elsewhere.
    #[must_use]
    pub fn borrowed(&self) -> Redacted<&T> {
        Redacted(&self.0)
    }

    /// The value itself; what the owner adds from here on is the owner's to answer for.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.0
    }
}
