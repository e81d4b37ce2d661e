//! The rules, one file per family, and the search of one text by the families in question.
//!
//! Not here: whether a text is worth searching at all (`scan`) and what becomes of a finding
//! (`text`). Every search is linear in the text: the patterns run on automata, the rest looks back
//! and forward by bounded steps.

mod assignments;
mod cards;
mod email;
pub(crate) mod names;
mod private_keys;
mod provider_keys;
mod tokens;
mod urls;

use crate::policy::PolicyError;
use crate::rule::Rule;
use crate::scan::Families;
use regex_automata::meta::Regex;

/// Where in a text a secret stands, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) rule: Rule,
}

/// Every family, compiled.
pub(crate) struct Rules {
    provider_keys: provider_keys::ProviderKeys,
    tokens: tokens::Tokens,
    private_keys: private_keys::PrivateKeys,
    urls: urls::Urls,
    email: email::Email,
}

impl Rules {
    pub(crate) fn compile() -> Result<Self, PolicyError> {
        Ok(Self {
            provider_keys: provider_keys::ProviderKeys::compile()?,
            tokens: tokens::Tokens::compile()?,
            private_keys: private_keys::PrivateKeys::compile()?,
            urls: urls::Urls::compile()?,
            email: email::Email::compile()?,
        })
    }

    /// Everything that the rules of these families see in `text`, in no particular order; findings
    /// may overlap.
    pub(crate) fn find(&self, families: Families, text: &str) -> Vec<Finding> {
        let mut found = Vec::new();
        if families.has(Families::PRIVATE_KEYS) {
            self.private_keys.find(text, &mut found);
        }
        if families.has(Families::PROVIDER_KEYS) {
            self.provider_keys.find(text, &mut found);
        }
        if families.has(Families::TOKENS) {
            self.tokens.find(text, &mut found);
        }
        if families.has(Families::ADDRESSES) {
            self.urls.find(text, &mut found);
            self.email.find(text, &mut found);
        }
        if families.has(Families::CARDS) {
            cards::find(text, &mut found);
        }
        if families.has(Families::NAMES) {
            assignments::find(text, &mut found);
        }
        found
    }
}

/// Compiles the patterns of one family into one automaton; the earlier pattern wins.
fn compile(family: &'static str, patterns: &[&str]) -> Result<Regex, PolicyError> {
    Regex::new_many(patterns)
        .map_err(|error| PolicyError::Pattern { family, reason: error.to_string() })
}

/// True when the byte before `at` cannot belong to the same word.
fn starts_word(text: &str, at: usize) -> bool {
    at.checked_sub(1)
        .and_then(|before| text.as_bytes().get(before))
        .is_none_or(|b| !b.is_ascii_alphanumeric())
}

/// True when the byte at `at` cannot belong to the word that ends there.
fn ends_word(text: &str, at: usize) -> bool {
    text.as_bytes().get(at).is_none_or(|b| !b.is_ascii_alphanumeric())
}

/// Where a name before the operator at `operator` would end: before blanks, quotes, the backslashes
/// that escape them, and the stars of Markdown. `\t` is a tab in raw JSON text.
pub(crate) fn names_end(bytes: &[u8], operator: usize) -> usize {
    const GAP_BYTES_MAX: usize = 8;
    let mut end = operator;
    while operator - end < GAP_BYTES_MAX {
        let back = |steps: usize| end.checked_sub(steps).and_then(|at| bytes.get(at)).copied();
        end -= match (back(2), back(1)) {
            (Some(b'\\'), Some(b't')) => 2,
            (_, Some(b' ' | b'\t' | b'"' | b'\'' | b'`' | b'\\' | b'*')) => 1,
            _ => return end,
        };
    }
    end
}

#[cfg(test)]
mod tests;
