//! Passwords in URLs: `scheme://user:password@host`, of any scheme. User and host stay readable.

use super::{Finding, compile};
use crate::policy::PolicyError;
use crate::rule::Rule;
use regex_automata::meta::Regex;

pub(super) struct Urls(Regex);

impl Urls {
    pub(super) fn compile() -> Result<Self, PolicyError> {
        // Slashes may be escaped. The password goes up to the last `@` before the path.
        let pattern = r#":\\*/\\*/[^\s/?#:@"'<>\\]*:[^\s/?#"'<>\\]+@"#;
        Ok(Self(compile("urls", &[pattern])?))
    }

    pub(super) fn find(&self, text: &str, found: &mut Vec<Finding>) {
        for whole in self.0.find_iter(text) {
            let Some(matched) = text.get(whole.range()) else { continue };
            let user = matched.trim_start_matches([':', '/', '\\']);
            // `://:password@host` has no user: the trimming took the colon too.
            let skipped = matched.len() - user.len();
            let colon = if matched.get(..skipped).is_some_and(|lead| lead.ends_with(':')) {
                Some(0)
            } else {
                user.find(':').map(|at| at + 1)
            };
            if let Some(colon) = colon {
                let start = whole.start() + skipped + colon;
                found.push(Finding { start, end: whole.end() - 1, rule: Rule::UrlPassword });
            }
        }
    }
}
