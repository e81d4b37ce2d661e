//! A table over any number of pages: columns as wide as they need, and the head again on each.

use super::letters::{Font, encoded};
use super::lines::{Lines, colour};
use super::sheet::{INK, MARGIN, PALE, ROOM, RULE, SOFT, Sheets, TOP, width_of};
use crate::document::{Cell, Table, Tone};

/// Between two columns.
const GAP: f32 = 10.0;
/// Above and below a row's text.
const AIR: f32 = 3.0;
/// Rows that are looked at for how wide a column is: the others are broken to fit.
const MEASURED_MAX: usize = 500;
/// A column of texts is no narrower than this, unless it needs less.
const TEXT_MIN: f32 = 28.0;

/// How a table is laid out.
struct Layout {
    size: f32,
    widths: Vec<f32>,
}

/// Draws a table. Whether every letter is in it.
pub(super) fn draw(sheets: &mut Sheets, table: &Table) -> bool {
    if table.rows.is_empty() {
        let (codes, is_whole) = encoded(table.otherwise);
        sheets.need(16.0);
        sheets.write((MARGIN, sheets.y + 10.0), (Font::Plain, 9.0, SOFT), &codes);
        sheets.y += 20.0;
        return is_whole;
    }
    let layout = Layout::of(table);
    sheets.need(layout.line() * 4.0);
    head(sheets, table, &layout);
    let mut is_whole = true;
    for row in &table.rows {
        is_whole &= draw_row(sheets, table, row, &layout);
    }
    sheets.y += 10.0;
    is_whole
}

impl Layout {
    fn of(table: &Table) -> Self {
        // Small print for many columns.
        let size = if table.columns.len() > 8 { 7.0 } else { 8.5 };
        let natural: Vec<f32> = (0..table.columns.len())
            .map(|at| {
                let title = table.columns.get(at).map_or("", |it| it.title);
                let title = Lines::of(&title.into(), size, f32::MAX, true).width();
                let cells = table.rows.iter().take(MEASURED_MAX).filter_map(|row| row.get(at));
                let width =
                    |cell: &Cell| Lines::of(&cell.shown, size, f32::MAX, false).width() + 0.5;
                cells.map(width).fold(title + 0.5, f32::max)
            })
            .collect();
        let gaps = GAP * natural.len().saturating_sub(1) as f32;
        Self { size, widths: fitted(table, &natural, ROOM - gaps - 2.0 * AIR) }
    }

    fn line(&self) -> f32 {
        self.size * 1.3
    }
}

/// As wide as they need to be; when that is too wide, texts are narrower, the widest first.
fn fitted(table: &Table, natural: &[f32], room: f32) -> Vec<f32> {
    let mut widths = natural.to_vec();
    let excess = |widths: &[f32]| widths.iter().sum::<f32>() - room;
    for only_texts in [true, false] {
        let may_shrink = |at: usize| {
            !only_texts || table.columns.get(at).is_some_and(|column| !column.is_number)
        };
        // Every turn takes half of what is too much from the widest: it ends soon, and levels them.
        for _ in 0..200 {
            let over = excess(&widths);
            if over <= 0.0 {
                return widths;
            }
            let least = if only_texts { TEXT_MIN } else { 14.0 };
            let widest = widths.iter_mut().enumerate().filter(|(at, _)| may_shrink(*at));
            let widest = widest.max_by(|(_, one), (_, other)| one.total_cmp(other));
            match widest.filter(|(_, width)| **width > least) {
                Some((_, width)) => *width = (*width - (over / 2.0).max(1.0)).max(least),
                None => break,
            }
        }
    }
    let scale = room / widths.iter().sum::<f32>().max(1.0);
    widths.iter().map(|width| width * scale.min(1.0)).collect()
}

fn head(sheets: &mut Sheets, table: &Table, layout: &Layout) {
    let titles: Vec<Lines> = table
        .columns
        .iter()
        .zip(&layout.widths)
        .map(|(column, width)| Lines::of(&column.title.into(), layout.size, *width, true))
        .collect();
    let count = titles.iter().map(|it| it.lines.len()).max().unwrap_or(1);
    let height = layout.line() * count as f32 + 2.0 * AIR;
    sheets.fill((MARGIN, sheets.y), (ROOM, height), PALE);
    let mut x = MARGIN + AIR;
    for ((column, width), title) in table.columns.iter().zip(&layout.widths).zip(&titles) {
        let mut y = sheets.y + AIR + layout.size;
        for line in &title.lines {
            let shift = if column.is_number { width - line.width } else { 0.0 };
            line.write(sheets, (x + shift.max(0.0), y), SOFT);
            y += layout.line();
        }
        x += width + GAP;
    }
    sheets.y += height;
}

/// Draws a row, in pieces where it is higher than what is left of a page.
fn draw_row(sheets: &mut Sheets, table: &Table, row: &[Cell], layout: &Layout) -> bool {
    let cells: Vec<(Lines, Tone)> = row
        .iter()
        .zip(&layout.widths)
        .map(|(cell, width)| (Lines::of(&cell.shown, layout.size, *width, false), cell.tone))
        .collect();
    let is_whole = cells.iter().all(|(lines, _)| lines.is_whole);
    let count = cells.iter().map(|(lines, _)| lines.lines.len()).max().unwrap_or(1);
    // A row that fits on a page is not broken.
    let page = super::sheet::BOTTOM - TOP - layout.line() * 3.0;
    let height = layout.line() * count as f32 + 2.0 * AIR;
    if height < page && sheets.need(height) {
        head(sheets, table, layout);
    }
    sheets.y += AIR;
    for at in 0..count {
        if sheets.need(layout.line() + AIR) {
            head(sheets, table, layout);
            sheets.y += AIR;
        }
        let (mut x, y) = (MARGIN + AIR, sheets.y + layout.size);
        for ((column, width), (lines, tone)) in table.columns.iter().zip(&layout.widths).zip(&cells)
        {
            if let Some(line) = lines.lines.get(at) {
                let shift = if column.is_number { width - line.width } else { 0.0 };
                let ink = if *tone == Tone::Plain { INK } else { colour(*tone) };
                line.write(sheets, (x + shift.max(0.0), y), ink);
            }
            x += width + GAP;
        }
        sheets.y += layout.line();
    }
    sheets.y += AIR;
    let y = sheets.y;
    sheets.line(&[(MARGIN, y), (MARGIN + ROOM, y)], 0.4, RULE);
    is_whole
}

/// As much of a text as fits into a width, in one line.
pub(super) fn cut(text: &str, font: Font, size: f32, width: f32) -> Vec<u8> {
    let (codes, _) = encoded(text);
    if width_of(&codes, font, size) <= width {
        return codes;
    }
    // Three dots, as one code.
    let dots = [0x85];
    let mut room = width - width_of(&dots, font, size);
    let fits = |code: &u8| {
        room -= width_of(&[*code], font, size);
        room >= 0.0
    };
    codes.iter().copied().take_while(fits).chain(dots).collect()
}
