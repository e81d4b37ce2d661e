//! The rules, one file per family, and the search of one text by the families in question.
//!
//! Each family has its examples beside it: what a rule takes and what looks like it and stays. Not
//! here: whether a text is worth searching at all (`scan`) and what becomes of a finding (`text`).
//! Every search is linear in the text: automata, or steps with a bound.

mod assignments;
mod births;
mod cards;
mod commands;
mod connection_strings;
mod context;
mod email;
mod examples;
mod forms;
mod iban;
mod ids_europe;
mod ids_world;
mod keys_ai;
mod keys_cloud;
mod keys_code;
mod keys_services;
mod kinds;
mod letters;
mod lexicon;
pub(crate) mod names;
mod network;
mod numbers;
pub(crate) mod pairs;
mod people;
mod phones;
mod places;
mod private_keys;
mod tokens;
mod urls;
mod words;

use crate::policy::PolicyError;
use crate::rule::Rule;
use crate::scan::Families;
use std::cell::LazyCell;

pub use examples::Examples;
pub(crate) use examples::all as examples;
pub(crate) use letters::{ANY_BASE64, next_run};
pub(crate) use tokens::{decode_base64, decodes_to_all};
pub(crate) use words::RUN_BYTES_MIN;

/// Where in a text a secret stands, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) rule: Rule,
}

/// The families that have keys with a prefix.
const FORMS: &[&[forms::Form]] =
    &[keys_ai::FORMS, keys_cloud::FORMS, keys_code::FORMS, keys_services::FORMS];

/// Every family, compiled.
pub(crate) struct Rules {
    forms: forms::Forms,
    context: context::Context,
    shapes: numbers::Shapes,
    commands: commands::Commands,
}

impl Rules {
    pub(crate) fn compile() -> Result<Self, PolicyError> {
        Ok(Self {
            forms: forms::Forms::new(FORMS),
            context: context::Context::new(),
            shapes: numbers::Shapes::new(),
            commands: commands::Commands::compile()?,
        })
    }

    /// Everything that the rules of these families see in `text`, in no particular order; findings
    /// may overlap. `name` is that of the member whose value the text is, or empty.
    pub(crate) fn find(&self, families: Families, text: &str, name: &str) -> Vec<Finding> {
        let mut found = Vec::new();
        let kinds = LazyCell::new(|| kinds::Kinds::of(text.as_bytes()));
        let spoken = LazyCell::new(|| context::Spoken::new(&self.context, (text, &*kinds), name));
        if families.has(Families::PRIVATE_KEYS) {
            private_keys::find(text, &mut found);
        }
        if families.has(Families::KEYS) || families.has(Families::WORDS) {
            self.forms.find(text, &kinds, &mut found);
        }
        if families.has(Families::WORDS) {
            words::find(text, &spoken, &mut found);
        }
        if families.has(Families::SIGNS) {
            words::find_signs(text, &mut found);
        }
        if families.has(Families::TOKENS) {
            tokens::find(text, &mut found);
        }
        if families.has(Families::ADDRESSES) {
            urls::find(text, &mut found);
            email::find(text, &mut found);
        }
        if families.has(Families::IBAN) {
            iban::find(text, &kinds, &mut found);
        }
        if families.has(Families::NAMES) {
            assignments::find(text, &mut found);
            connection_strings::find(text, &mut found);
        }
        if families.has(Families::COMMANDS) {
            self.commands.find(text, &mut found);
        }
        if families.has(Families::NUMBERS) || families.has(Families::PERSONAL) {
            let groups = numbers::groups(text.as_bytes(), &kinds);
            let place = numbers::Place { text, spoken: &spoken, groups: &groups };
            if families.has(Families::NUMBERS) {
                cards::find(text.as_bytes(), &groups, &mut found);
                numbers::find(&place, &self.shapes, &mut found);
            }
            if families.has(Families::PERSONAL) {
                Self::find_personal(&place, &mut found);
            }
        }
        found
    }

    fn find_personal(place: &numbers::Place<'_>, found: &mut Vec<Finding>) {
        phones::find(place, found);
        network::find(place.text, found);
        births::find(place, found);
        places::find(place, found);
    }
}

/// Every prefix of a key.
#[cfg(test)]
pub(crate) fn prefixes() -> impl Iterator<Item = &'static str> {
    FORMS.iter().flat_map(|forms| forms.iter()).map(|form| form.prefix)
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
