//! Identity codes of letters and digits in one run: the Italian and the Mexican.

use super::letters::{self, ALPHANUMERIC};
use super::{Finding, ids_europe, ids_world};
use crate::rule::Rule;

pub(super) fn find(text: &str, found: &mut Vec<Finding>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let rest = bytes.get(at..).unwrap_or_default();
        let length = letters::run(rest, ALPHANUMERIC, usize::MAX);
        let run = rest.get(..length).unwrap_or_default();
        let rule = match length {
            16 if ids_europe::is_codice_fiscale(run) => Some(Rule::ItCodiceFiscale),
            18 if ids_world::is_curp(run) => Some(Rule::MxCurp),
            _ => None,
        };
        found.extend(rule.map(|rule| Finding { start: at, end: at + length, rule }));
        at += length + 1;
    }
}
