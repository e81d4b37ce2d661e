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

    /// Appends the notes to those that came with the event. When they do not all fit, the last
    /// entry says how many more there were: path `*`, rule `<count> more`, action `various`.
    pub(crate) fn append_to(self, redactions: &mut Vec<Redaction<'_>>) {
        if self.notes.is_empty() {
            return;
        }
        let more = self.more;
        redactions.extend(self.notes);
        if redactions.len() + more.min(1) <= limits::LIST_ITEMS_MAX {
            return;
        }
        let more = more + redactions.len() - (limits::LIST_ITEMS_MAX - 1);
        redactions.truncate(limits::LIST_ITEMS_MAX - 1);
        redactions.push(Redaction {
            path: "*".into(),
            rule: format!("{more} more").into(),
            action: "various".into(),
        });
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
