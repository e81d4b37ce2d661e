//! Identity codes of letters and digits in one run: the Italian and the Mexican.

use super::{ids_europe, ids_world};
use crate::rule::Rule;

/// The rule that takes a whole run of letters and digits.
pub(super) fn code(run: &[u8]) -> Option<Rule> {
    match run.len() {
        16 if ids_europe::is_codice_fiscale(run) => Some(Rule::ItCodiceFiscale),
        18 if ids_world::is_curp(run) => Some(Rule::MxCurp),
        _ => None,
    }
}
