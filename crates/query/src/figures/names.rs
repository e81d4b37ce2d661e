//! Names of all chunks as numbers: each chunk counts its words from zero, so they are brought
//! together here.

use crate::columns::{Column, NO_WORD};
use std::collections::HashMap;

/// The names of a chunk's rows as small numbers, whichever form the column has.
pub(super) struct Codes<'c> {
    column: &'c Column,
    own: Option<(Vec<u16>, Vec<&'c str>)>,
}

impl<'c> Codes<'c> {
    pub(super) fn of(column: &'c Column, rows: usize) -> Self {
        let own = match column {
            Column::Words(_) => None,
            // Hardly any repeats: numbers are given here. A chunk has fewer rows than there are
            // numbers.
            Column::Values(_) => {
                let (mut codes, mut names) = (Vec::with_capacity(rows), Vec::new());
                let mut known: HashMap<&str, u16> = HashMap::new();
                for row in 0..rows {
                    let code = column.text(row).map_or(NO_WORD, |text| {
                        *known.entry(text).or_insert_with(|| {
                            names.push(text);
                            u16::try_from(names.len() - 1).unwrap_or(NO_WORD)
                        })
                    });
                    codes.push(code);
                }
                Some((codes, names))
            }
        };
        Self { column, own }
    }

    /// A number for each row, or [`NO_WORD`].
    pub(super) fn codes(&self) -> &[u16] {
        match (&self.own, self.column) {
            (Some((codes, _)), _) => codes,
            (None, Column::Words(words)) => &words.codes,
            (None, Column::Values(_)) => &[],
        }
    }

    /// How many numbers there are.
    pub(super) fn count(&self) -> usize {
        match (&self.own, self.column) {
            (Some((_, names)), _) => names.len(),
            (None, Column::Words(words)) => arrow_array::Array::len(&words.words),
            (None, Column::Values(_)) => 0,
        }
    }

    /// The number of a row, or [`NO_WORD`].
    pub(super) fn code(&self, row: usize) -> u16 {
        self.codes().get(row).copied().unwrap_or(NO_WORD)
    }

    /// The name with a number.
    pub(super) fn name(&self, code: usize) -> Option<&str> {
        match (&self.own, self.column) {
            (Some((_, names)), _) => names.get(code).copied(),
            (None, Column::Words(words)) => words.word(u16::try_from(code).ok()?),
            (None, Column::Values(_)) => None,
        }
    }

    /// The number of a name, if any row has it.
    pub(super) fn find(&self, wanted: &str) -> Option<u16> {
        (0..self.count())
            .find(|code| self.name(*code) == Some(wanted))
            .and_then(|code| u16::try_from(code).ok())
    }
}

/// Names of all chunks, numbered as they come.
#[derive(Default)]
pub(super) struct Register {
    names: Vec<String>,
    numbers: HashMap<String, usize>,
}

impl Register {
    pub(super) fn number(&mut self, name: &str) -> usize {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), self.names.len() - 1);
        self.names.len() - 1
    }

    pub(super) fn into_names(self) -> Vec<String> {
        self.names
    }
}
