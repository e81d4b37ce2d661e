//! Notes on what was removed: path, rule and action, bounded in number and length.

use crate::rule::Rule;
use event::{Redaction, limits};
use std::borrow::Cow;

/// Longest path in bytes; what is cut off shows as an ellipsis.
const PATH_BYTES_MAX: usize = 256;

/// The notes of one event while it is redacted.
#[derive(Default)]
pub(crate) struct Notes {
    notes: Vec<Redaction<'static>>,
    more: usize,
    originals: Vec<(String, String)>,
}

impl Notes {
    /// Adds a note; one per path, rule and action. `path` holds no secret.
    pub(crate) fn add(&mut self, path: &str, rule: Rule, action: &'static str) {
        if self.notes.len() >= limits::LIST_ITEMS_MAX {
            self.more += 1;
            return;
        }
        let path = shorten(path);
        let known =
            |n: &Redaction<'_>| n.path == path && n.rule == rule.as_str() && n.action == action;
        if self.notes.iter().rev().any(known) {
            return;
        }
        self.notes.push(Redaction {
            path: path.into_owned().into(),
            rule: rule.as_str().into(),
            action: action.into(),
        });
    }

    /// Appends the notes to those that came with the event, and the policy by which they came
    /// about: path `*`, rule `policy`, its id as the action. When they do not all fit, the entry
    /// before says how many more there were: path `*`, rule `<count> more`, action `various`.
    pub(crate) fn append_to(self, redactions: &mut Vec<Redaction<'_>>, policy: &str) {
        if self.notes.is_empty() {
            return;
        }
        let entry = |rule: String, action: &str| Redaction {
            path: "*".into(),
            rule: rule.into(),
            action: action.to_owned().into(),
        };
        redactions.extend(self.notes);
        let mut more = self.more;
        if redactions.len() + more.min(1) >= limits::LIST_ITEMS_MAX {
            more += redactions.len() - (limits::LIST_ITEMS_MAX - 2);
            redactions.truncate(limits::LIST_ITEMS_MAX - 2);
        }
        if more > 0 {
            redactions.push(entry(format!("{more} more"), "various"));
        }
        redactions.push(entry("policy".to_owned(), policy));
    }

    /// Keeps the original of a token for the content.
    pub(crate) fn keep(&mut self, token: String, original: &str) {
        if !self.originals.iter().any(|(known, _)| *known == token) {
            self.originals.push((token, original.to_owned()));
        }
    }

    /// The originals of all tokens in the metadata.
    pub(crate) fn take_originals(&mut self) -> Vec<(String, String)> {
        std::mem::take(&mut self.originals)
    }
}

/// Cuts a path at a character.
pub(crate) fn shorten(path: &str) -> Cow<'_, str> {
    if path.len() <= PATH_BYTES_MAX + "…".len() {
        return Cow::Borrowed(path);
    }
    let mut end = PATH_BYTES_MAX;
    while !path.is_char_boundary(end) {
        end -= 1;
    }
    Cow::Owned(format!("{}…", path.get(..end).unwrap_or_default()))
}
