//! E-mail addresses, also with an encoded `@` (`%40`).

use super::{Finding, compile};
use crate::policy::PolicyError;
use crate::rule::Rule;
use regex_automata::meta::Regex;

pub(super) struct Email(Regex);

/// Ends of file names that look like a domain (`icon@2x.png`).
const FILE_ENDINGS: &[&str] =
    &["png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "mjs", "ts", "tsx", "json", "html"];

impl Email {
    pub(super) fn compile() -> Result<Self, PolicyError> {
        let pattern = r"[\w.+%'-]+(?:@|%40)(?:[\w-]+\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]";
        Ok(Self(compile("email", &[pattern])?))
    }

    pub(super) fn find(&self, text: &str, found: &mut Vec<Finding>) {
        for address in self.0.find_iter(text) {
            let Some(matched) = text.get(address.range()) else { continue };
            if is_address(matched, text.get(address.end()..).unwrap_or_default()) {
                found.push(Finding {
                    start: address.start(),
                    end: address.end(),
                    rule: Rule::Email,
                });
            }
        }
    }
}

fn is_address(matched: &str, after: &str) -> bool {
    let ending = matched.rsplit('.').next().unwrap_or_default();
    let local = matched.split('@').next().unwrap_or_default();
    // `git@github.com:owner/repository` names a repository, not a person.
    let repository = local.trim_start_matches('\'') == "git" && after.starts_with(':');
    // `package@1.2.3-rc` names a version.
    let version = matched.split_once('@').is_some_and(|(_, domain)| {
        domain.split('.').all(|l| l.starts_with(|c: char| c.is_ascii_digit()))
            || domain.split('.').take(2).all(|l| l.bytes().all(|b| b.is_ascii_digit()))
    });
    !repository && !version && !FILE_ENDINGS.iter().any(|end| ending.eq_ignore_ascii_case(end))
}
