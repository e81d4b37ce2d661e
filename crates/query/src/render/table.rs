//! Rows of texts as a table: aligned, and cut where a cell is long.

use super::layout::width_of;
use crate::escape::escape;
use std::io::{self, Write};

/// Characters of a cell.
const CELL_CHARACTERS_MAX: usize = 120;

/// One column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// What stands above it.
    pub name: String,
    /// Whether its cells stand at its right side.
    pub is_number: bool,
}

/// Writes rows under their columns. Whatever a cell holds, nothing that a terminal would obey comes
/// out.
///
/// # Errors
/// What `out` says.
pub fn table(
    columns: &[Column],
    rows: &[Vec<Option<String>>],
    out: &mut dyn Write,
) -> io::Result<()> {
    let head = columns.iter().map(|column| cell(&column.name)).collect();
    let mut lines: Vec<Vec<String>> = vec![head];
    lines.extend(rows.iter().map(|row| {
        row.iter().map(|text| cell(text.as_deref().unwrap_or_default())).collect::<Vec<_>>()
    }));
    let widths: Vec<usize> = (0..columns.len())
        .map(|at| lines.iter().filter_map(|line| line.get(at)).map(|c| width_of(c)).max())
        .map(Option::unwrap_or_default)
        .collect();
    for (number, line) in lines.iter().enumerate() {
        let mut text = String::new();
        for ((cell, wide), column) in line.iter().zip(&widths).zip(columns) {
            let space = " ".repeat(wide.saturating_sub(width_of(cell)));
            let (before, behind) = if column.is_number { (&*space, "") } else { ("", &*space) };
            text.push_str(before);
            text.push_str(cell);
            text.push_str(behind);
            text.push_str("  ");
        }
        writeln!(out, "{}", text.trim_end())?;
        if number == 0 {
            let rules: Vec<String> = widths.iter().map(|wide| "-".repeat(*wide)).collect();
            writeln!(out, "{}", rules.join("  "))?;
        }
    }
    Ok(())
}

fn cell(text: &str) -> String {
    let safe = escape(text);
    if safe.chars().count() <= CELL_CHARACTERS_MAX {
        return safe;
    }
    let cut: String = safe.chars().take(CELL_CHARACTERS_MAX - 1).collect();
    format!("{cut}…")
}
