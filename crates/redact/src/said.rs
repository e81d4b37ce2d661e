//! What is said of an event that nobody took: names of fields are those who sent it's, and reasons
//! may repeat one.

use crate::policy::Policy;
use crate::redactor::Redactor;
use event::Event;
use std::borrow::Cow;
use std::sync::LazyLock;

/// The rules of the preset `default`, whatever a log lets through. What they take is not to be
/// joined by anybody, so that the key of hashes does not matter.
static RULES: LazyLock<Option<Redactor>> =
    LazyLock::new(|| Redactor::new(&Policy::default(), [0; 32]).ok());

/// A sentence for whoever sent an event, or asked, and for their log: no secret that was a name or
/// a value in it comes back.
#[must_use]
pub fn without_secrets(sentence: impl Into<Cow<'static, str>>) -> Cow<'static, str> {
    let Some(rules) = &*RULES else { return Cow::Borrowed("[withheld]") };
    let mut said = Event::new("agent.error");
    said.action = Some(sentence.into());
    rules.redact(said).into_inner().action.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_comes_back_in_a_sentence_about_it() {
        let said = without_secrets("field `tokens.password=hunter2-abc`: no such member here");
        assert_eq!(said, "field `tokens.password=[redacted:assignment]`: no such member here");
        let said = without_secrets("field `event_type`: is missing".to_owned());
        assert_eq!(said, "field `event_type`: is missing");
        assert_eq!(without_secrets(""), "");
    }
}
