//! Charts: the same bars and columns as the page has (`chart.rs`).

use super::letters::{Font, encoded};
use super::sheet::{BAD, BAR, INK, MARGIN, PALE, ROOM, RULE, SOFT, Sheets, width_of};
use super::table::cut;
use crate::document::chart::{Chart, Kind, share};

const ROW: f32 = 17.0;
const LABEL: f32 = 140.0;
const VALUE: f32 = 70.0;
const PLOT: f32 = 110.0;
/// For the numbers beside columns.
const TICKS: f32 = 34.0;
const SMALL: f32 = 7.5;

/// Draws a chart with its title. Whether every letter is in it.
pub(super) fn draw(sheets: &mut Sheets, chart: &Chart) -> bool {
    let height = match chart.kind {
        Kind::Bars => ROW * chart.drawn().len() as f32,
        Kind::Columns => PLOT + 22.0,
    };
    sheets.need(height + 24.0);
    let y = sheets.y + 10.0;
    let (title, is_whole) = encoded(&chart.title);
    sheets.write((MARGIN, y), (Font::Strong, 9.0, INK), &title);
    let x = MARGIN + width_of(&title, Font::Strong, 9.0) + 6.0;
    let legend = cut(&chart.legend(), Font::Plain, SMALL, MARGIN + ROOM - x);
    sheets.write((x, y), (Font::Plain, SMALL, SOFT), &legend);
    sheets.y += 18.0;
    match chart.kind {
        Kind::Bars => bars(sheets, chart),
        Kind::Columns => columns(sheets, chart),
    }
    sheets.y += 12.0;
    is_whole && chart.drawn().iter().all(|point| encoded(&point.label).1)
}

#[expect(clippy::cast_possible_truncation, reason = "a place on a page")]
fn part(value: f64, greatest: f64) -> f32 {
    share(value, greatest) as f32
}

fn bars(sheets: &mut Sheets, chart: &Chart) {
    let (greatest, room) = (chart.greatest(), ROOM - LABEL - VALUE);
    for point in chart.drawn() {
        let y = sheets.y + 2.0;
        let label = cut(&point.label, Font::Plain, SMALL, LABEL - 8.0);
        let shift = LABEL - 8.0 - width_of(&label, Font::Plain, SMALL);
        sheets.write((MARGIN + shift, y + 8.5), (Font::Plain, SMALL, INK), &label);
        let left = MARGIN + LABEL;
        sheets.fill((left, y), (room, ROW - 6.0), PALE);
        let length = (part(point.value, greatest) * room).max(1.0);
        sheets.fill((left, y), (length, ROW - 6.0), BAR);
        sheets.fill((left, y), (part(point.bad, greatest) * room, ROW - 6.0), BAD);
        let value = cut(&point.shown, Font::Plain, SMALL, VALUE - 6.0);
        sheets.write((left + room + 6.0, y + 8.5), (Font::Plain, SMALL, SOFT), &value);
        sheets.y += ROW;
    }
}

fn columns(sheets: &mut Sheets, chart: &Chart) {
    let (points, greatest) = (chart.drawn(), chart.greatest());
    let (left, right, top) = (MARGIN + TICKS, MARGIN + ROOM, sheets.y);
    for (share, value) in [(0.0_f32, 0.0), (0.5, greatest * 0.5), (1.0, greatest)] {
        let y = top + PLOT * (1.0 - share);
        sheets.line(&[(left, y), (right, y)], 0.4, RULE);
        // Counts have no halves.
        if value.fract() == 0.0 {
            let text = cut(&value.to_string(), Font::Plain, 7.0, TICKS - 6.0);
            let x = left - 6.0 - width_of(&text, Font::Plain, 7.0);
            sheets.write((x, y + 2.5), (Font::Plain, 7.0, SOFT), &text);
        }
    }
    let step = (right - left) / points.len().max(1) as f32;
    let every = points.len().div_ceil(8).max(1);
    for (at, point) in points.iter().enumerate() {
        let x = left + step * at as f32;
        let width = (step * 0.78).min(34.0);
        let place = x + (step - width) / 2.0;
        let height = part(point.value, greatest) * PLOT;
        sheets.fill((place, top + PLOT - height), (width, height), BAR);
        let bad = part(point.bad, greatest) * PLOT;
        sheets.fill((place, top + PLOT - bad), (width, bad), BAD);
        if at.is_multiple_of(every) {
            let room = step * every as f32 - 2.0;
            let label = cut(&point.label, Font::Plain, 7.0, room.max(12.0));
            let wide = width_of(&label, Font::Plain, 7.0);
            let x = (x + step / 2.0 - wide / 2.0).clamp(left, (right - wide).max(left));
            sheets.write((x, top + PLOT + 11.0), (Font::Plain, 7.0, SOFT), &label);
        }
    }
    sheets.y += PLOT + 22.0;
}
