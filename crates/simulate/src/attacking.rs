//! The mode `attack`: the table of `simulate::attack`, and its control.

use crate::arguments::Arguments;
use simulate::attack::{Cell, HonestTally, Row, attacks, honest_logs};
use std::path::Path;
use std::time::Instant;

/// The columns.
const HEADS: [&str; 9] =
    ["attack", "alone", "1 receipt", "receipts", "checkpoint", "witness", "stamp", "from", "named"];

/// Says what was found; `false` when an attack was not, or an honest log was accused.
pub(crate) fn run(arguments: &Arguments, say: fn(&str), progress: fn(&str, u64, u64)) -> bool {
    let Some(tacho) = &arguments.tacho else {
        say("attack wants --tacho");
        return false;
    };
    let folder = match tempfile::Builder::new().prefix("simulate-attack-").tempdir() {
        Ok(folder) => folder,
        Err(error) => {
            say(&format!("FAILED: {error}"));
            return false;
        }
    };
    let told = tell(arguments, tacho, folder.path(), say, progress);
    if let Err(what) = &told {
        let kept = folder.keep();
        say(&format!("FAILED: {what}\nthe folder is kept: {}", kept.display()));
    }
    told.unwrap_or(false)
}

fn tell(
    arguments: &Arguments,
    tacho: &Path,
    folder: &Path,
    say: fn(&str),
    progress: fn(&str, u64, u64),
) -> Result<bool, String> {
    let begun = Instant::now();
    let rows = attacks(tacho, folder, &arguments.only)?;
    say(&table(&rows, arguments.markdown));
    let missed: Vec<&str> =
        rows.iter().filter(|row| !row.is_found()).map(|row| row.attack).collect();
    say(&format!(
        "attacks: {} found out, {} not ({:.1} s)",
        rows.len() - missed.len(),
        missed.len(),
        begun.elapsed().as_secs_f64()
    ));
    missed.iter().for_each(|attack| say(&format!("NOT FOUND OUT: {attack}")));
    let begun = Instant::now();
    let (honest, seed) = (arguments.honest, arguments.seed.unwrap_or(1));
    let mut done = |number| progress("honest logs", number, honest);
    let HonestTally { logs, acts, comparisons, cosigned } =
        honest_logs(tacho, folder, honest, seed, &mut done)?;
    let acts: Vec<String> = acts.iter().map(|(name, count)| format!("{name} {count}")).collect();
    say(&format!(
        "honest logs: {logs}, 0 accused ({comparisons} comparisons, {cosigned} checkpoints cosigned; {}; \
         {:.1} s)",
        acts.join(", "),
        begun.elapsed().as_secs_f64()
    ));
    Ok(missed.is_empty())
}

/// The table: for people in a terminal, or for a document.
fn table(rows: &[Row], markdown: bool) -> String {
    let lines: Vec<[String; 9]> =
        std::iter::once(HEADS.map(str::to_owned)).chain(rows.iter().map(line)).collect();
    let mut widths = [0; 9];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        text.push(match markdown {
            true => format!("| {} |", line.join(" | ")),
            false => {
                let pad = |(cell, width): (&String, usize)| format!("{cell:width$}");
                let cells: Vec<String> = line.iter().zip(widths).map(pad).collect();
                cells.join("  ").trim_end().to_owned()
            }
        });
        if markdown && number == 0 {
            text.push("|---|---|---|---|---|---|---|---|---|".to_owned());
        }
    }
    text.join("\n")
}

fn line(row: &Row) -> [String; 9] {
    let cell = |cell: &Cell| match cell {
        Cell::Unasked => String::new(),
        Cell::Silent => "-".to_owned(),
        Cell::Found(kind) => kind.clone(),
    };
    let from = row.from.map_or_else(String::new, |from| format!("> {from}"));
    let [alone, receipt, receipts] = [&row.alone, &row.receipt, &row.receipts].map(cell);
    let [checkpoint, witness, stamp] = [&row.checkpoint, &row.witness, &row.stamp].map(cell);
    let (attack, named) = (row.attack.to_owned(), row.named.clone());
    [attack, alone, receipt, receipts, checkpoint, witness, stamp, from, named]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_nobody_found_out_is_told_apart_from_one_that_somebody_did() {
        let silent = Row { attack: "a", alone: Cell::Silent, ..Row::default() };
        let found = Row { witness: Cell::Found("422".to_owned()), ..silent.clone() };
        assert!(!silent.is_found() && found.is_found());
        let text = table(&[silent, found], false);
        assert_eq!(text.lines().count(), 3);
        assert!(text.lines().nth(2).is_some_and(|line| line.contains("422")));
    }

    #[test]
    fn a_document_gets_a_table_with_as_many_columns_in_every_line() {
        let row = Row { attack: "a", from: Some(7), ..Row::default() };
        let text = table(&[row], true);
        let columns = |line: &str| line.matches('|').count();
        assert!(text.lines().all(|line| columns(line) == HEADS.len() + 1), "{text}");
        assert!(text.contains("> 7"));
    }
}
