//! Charts as data, and as an SVG picture or a few lines of text.
//!
//! Two kinds are enough for a report: bars of named things, and columns over time. A part of each
//! may be drawn as bad (errors among calls). The picture has no colours of its own: classes, which
//! the page's style sheet gives colours for light and dark.

use super::html::escaped;
use query::render::{fit, width_of};
use std::fmt::Write as _;

/// What a chart looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bars from left to right, one below the other.
    Bars,
    /// Columns from bottom to top, one beside the other: time runs to the right.
    Columns,
}

/// One bar or column.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// What it is of.
    pub label: String,
    /// How long it is: 0 or more.
    pub value: f64,
    /// How much of it is bad: at most `value`.
    pub bad: f64,
    /// The value as people read it.
    pub shown: String,
}

/// A chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// What it shows.
    pub title: String,
    /// What it looks like.
    pub kind: Kind,
    /// The bars or columns.
    pub points: Vec<Point>,
    /// What is long: `calls`.
    pub unit: &'static str,
    /// What the bad part is, if there is one: `errors`.
    pub bad: Option<&'static str>,
}

/// Most points that a chart draws; the others are counted.
const POINTS_MAX: usize = 400;
/// Most bars: more make no picture.
const BARS_MAX: usize = 20;

const WIDTH: f64 = 720.0;
const ROW: f64 = 26.0;
const LABEL: f64 = 190.0;
const VALUE: f64 = 96.0;
const PLOT_HEIGHT: f64 = 150.0;
const LABEL_COLUMNS: usize = 26;

impl Chart {
    /// The points that are drawn.
    pub(super) fn drawn(&self) -> &[Point] {
        let most = if self.kind == Kind::Bars { BARS_MAX } else { POINTS_MAX };
        self.points.get(..most.min(self.points.len())).unwrap_or_default()
    }

    pub(super) fn greatest(&self) -> f64 {
        self.drawn().iter().map(|point| point.value).fold(0.0, f64::max)
    }

    /// What is drawn, in words: for those who do not see the picture, and below it.
    #[must_use]
    pub fn legend(&self) -> String {
        let rest = self.points.len() - self.drawn().len();
        let mut legend = self.unit.to_owned();
        if let Some(bad) = self.bad {
            let _ = write!(legend, ", {bad} in red");
        }
        if rest > 0 {
            let _ = write!(legend, "; {rest} more not drawn");
        }
        legend
    }
}

/// The share of the greatest, from 0 to 1.
pub(super) fn share(value: f64, greatest: f64) -> f64 {
    if greatest > 0.0 && value.is_finite() { (value / greatest).clamp(0.0, 1.0) } else { 0.0 }
}

/// The chart as an SVG element.
#[must_use]
pub fn svg(chart: &Chart) -> String {
    match chart.kind {
        Kind::Bars => bars(chart),
        Kind::Columns => columns(chart),
    }
}

fn open(out: &mut String, chart: &Chart, height: f64) {
    let label = escaped(&format!("{}: {}", chart.title, chart.legend()));
    // Writing to a string cannot fail, here and below.
    let _ =
        writeln!(out, "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{label}\">");
}

fn rectangle(out: &mut String, class: &str, (x, y): (f64, f64), (width, height): (f64, f64)) {
    if width > 0.0 && height > 0.0 {
        let _ = write!(
            out,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
             height=\"{height:.1}\" rx=\"2\"/>"
        );
    }
}

fn bars(chart: &Chart) -> String {
    let (points, greatest) = (chart.drawn(), chart.greatest());
    let mut out = String::new();
    open(&mut out, chart, ROW * points.len() as f64 + 2.0);
    for (row, point) in points.iter().enumerate() {
        let y = ROW * row as f64 + 3.0;
        let room = WIDTH - LABEL - VALUE;
        let length = (share(point.value, greatest) * room).max(1.5);
        let bad = share(point.bad, greatest) * room;
        let _ = write!(
            out,
            "<g><title>{}: {}</title><text class=\"label\" x=\"{:.0}\" y=\"{:.1}\">{}</text>",
            escaped(&point.label),
            escaped(&point.shown),
            LABEL - 10.0,
            y + 14.5,
            escaped(&fit(&query::escape::escape(&point.label), LABEL_COLUMNS)),
        );
        rectangle(&mut out, "rail", (LABEL, y), (room, ROW - 8.0));
        rectangle(&mut out, "bar", (LABEL, y), (length, ROW - 8.0));
        rectangle(&mut out, "bad", (LABEL, y), (bad, ROW - 8.0));
        let _ = writeln!(
            out,
            "<text class=\"value\" x=\"{:.1}\" y=\"{:.1}\">{}</text></g>",
            LABEL + room + 8.0,
            y + 14.5,
            escaped(&fit(&query::escape::escape(&point.shown), 14)),
        );
    }
    out.push_str("</svg>");
    out
}

fn columns(chart: &Chart) -> String {
    let (points, greatest) = (chart.drawn(), chart.greatest());
    let mut out = String::new();
    open(&mut out, chart, PLOT_HEIGHT + 34.0);
    let (left, right) = (44.0, WIDTH - 6.0);
    for part in [0.0, 0.5, 1.0] {
        let y = 10.0 + PLOT_HEIGHT * (1.0 - part);
        let _ = write!(
            out,
            "<line class=\"grid\" x1=\"{left}\" x2=\"{right}\" y1=\"{y}\" y2=\"{y}\"/>"
        );
        // Counts have no halves.
        if (greatest * part).fract() == 0.0 {
            let (x, y, value) = (left - 8.0, y + 4.0, greatest * part);
            let _ = write!(out, "<text class=\"tick\" x=\"{x}\" y=\"{y}\">{value}</text>");
        }
        out.push('\n');
    }
    let step = (right - left) / points.len().max(1) as f64;
    let every = (points.len() as f64 / 8.0).ceil().max(1.0);
    for (at, point) in points.iter().enumerate() {
        let x = left + step * at as f64;
        let width = (step * 0.78).min(46.0);
        let (height, bad) =
            (share(point.value, greatest) * PLOT_HEIGHT, share(point.bad, greatest) * PLOT_HEIGHT);
        let place = x + (step - width) / 2.0;
        let _ =
            write!(out, "<g><title>{}: {}</title>", escaped(&point.label), escaped(&point.shown));
        rectangle(&mut out, "bar", (place, 10.0 + PLOT_HEIGHT - height), (width, height));
        rectangle(&mut out, "bad", (place, 10.0 + PLOT_HEIGHT - bad), (width, bad));
        if (at as f64 / every).fract() == 0.0 {
            let _ = write!(
                out,
                "<text class=\"when\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                x + step / 2.0,
                PLOT_HEIGHT + 28.0,
                escaped(&fit(&query::escape::escape(&point.label), 12)),
            );
        }
        out.push_str("</g>\n");
    }
    out.push_str("</svg>");
    out
}

/// Eighths of a column of characters.
const EIGHTHS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// The chart as lines of text, for at most so many columns. Labels and values are escaped.
#[must_use]
pub fn lines(chart: &Chart, width: usize) -> Vec<String> {
    let (points, greatest) = (chart.drawn(), chart.greatest());
    let escape = query::escape::escape;
    if chart.kind == Kind::Columns {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 8")]
        let eighth = |value: f64| {
            let height = (share(value, greatest) * 8.0).ceil() as usize;
            EIGHTHS.get(height).copied().unwrap_or(" ")
        };
        let ends = (points.first(), points.last());
        let (Some(first), Some(last)) = ends else { return Vec::new() };
        return points
            .chunks(width.clamp(20, 200) - 4)
            .map(|row| row.iter().map(|point| eighth(point.value)).collect())
            .chain([format!("{} … {}", escape(&first.label), escape(&last.label))])
            .collect();
    }
    let label = points.iter().map(|point| width_of(&escape(&point.label))).max().unwrap_or(0);
    let label = label.min(LABEL_COLUMNS);
    let value = points.iter().map(|point| width_of(&escape(&point.shown))).max().unwrap_or(0);
    let room = width.saturating_sub(label + value + 8).clamp(8, 40);
    points
        .iter()
        .map(|point| {
            let name = fit(&escape(&point.label), LABEL_COLUMNS);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "columns")]
            let cells = |value: f64| (share(value, greatest) * room as f64).round() as usize;
            let bad = cells(point.bad).max(usize::from(point.bad > 0.0));
            let good = cells(point.value).max(usize::from(point.value > 0.0)).saturating_sub(bad);
            let pad = " ".repeat(label.saturating_sub(width_of(&name)));
            let bar = "▓".repeat(bad) + &"█".repeat(good);
            let rest = " ".repeat(room.saturating_sub(bad + good));
            format!("{name}{pad}  {bar}{rest}  {}", escape(&point.shown)).trim_end().to_owned()
        })
        .collect()
}
