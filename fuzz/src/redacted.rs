//! The promises of redaction: a known secret is gone, and a second time changes nothing.
//!
//! Not here: the events that are redacted; two targets make them in two ways.

use crate::stored::{assert_reads_back, stored};
use event::Event;
use redact::{Action, Policy, Redactor, RuleSetting};
use std::sync::LazyLock;

/// The secret that is planted; no rule but the one for this provider is needed to find it.
pub const CANARY: &str = "sk-ant-api03-cAnArYcAnArYcAnArY0123456789_cAnArYcAnArY";

/// What must not be found afterwards.
pub const CANARY_MARK: &str = "cAnArYcAnArY";

/// Every rule, with each action that takes something wherever it stands.
static REDACTORS: LazyLock<[Redactor; 3]> = LazyLock::new(|| {
    [Action::Mask, Action::Hash, Action::Drop].map(|action| {
        let every = RuleSetting { rule: "*".to_owned(), action, ..RuleSetting::default() };
        let policy = Policy { rules: vec![every], ..Policy::default() };
        Redactor::new(&policy, [7; 32]).expect("every rule is meant")
    })
});

/// Panics unless redacting `json` once is redacting it for ever, under every action, and no canary
/// is left. JSON that is no event is passed over.
pub fn assert_redaction_holds(json: &[u8]) {
    for redactor in &*REDACTORS {
        let Ok(event) = Event::from_json(json) else { return };
        let once = redactor.redact(event).into_inner();
        let (meta, content) = stored(&once);
        for bytes in [&meta, &content] {
            let text = std::str::from_utf8(bytes).expect("stored bytes are text");
            assert!(!text.contains(CANARY_MARK), "the canary is still there: {text}");
        }
        assert_reads_back(&once);
        let twice = redactor.redact(once.clone()).into_inner();
        assert_eq!(stored(&twice), (meta, content), "redacting again changed something");
    }
}
