//! The figures of an evaluation, the bars they must reach, and the table.

use super::corpus::{Group, Sample};
use super::judge::Verdict;
use super::speed::{EVERY_RULE, Hostile};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A share of at least this of the values of a group must be found, in percent.
const RECALL_BARS: [(Group, f64); 3] =
    [(Group::Fixed, 99.5), (Group::Check, 99.0), (Group::Generic, 90.0)];
/// Of what is taken, so much must be a value, in percent.
const PRECISION_BAR: f64 = 98.0;
/// Clean standard events of a thousand in which something is taken: less than this.
const CLEAN_EVENTS_BAR: f64 = 1.0;
/// Standard events a second on one core, in millions of bytes.
const THROUGHPUT_BAR: f64 = 300.0;
/// For a mebibyte of near-misses, in milliseconds: less than this.
const ADVERSARIAL_BAR: f64 = 20.0;

/// The bar is for near-misses of every rule. Texts that are worse than those, of one rule or of
/// nothing but beginnings, are not all below it: every change is held to what they reached, with
/// room for noise, so many times as long as a checksum of the same bytes in the same run.
const CHECKSUMS_MAX: f64 = 150.0;

/// On a machine that others use as well the first is held to this instead.
const EVERY_RULE_CHECKSUMS_MAX: f64 = 30.0;

/// A figure and what it must be.
#[derive(Clone, Debug)]
pub struct Bar {
    /// What it is.
    pub name: &'static str,
    /// What it is here, and what it must be.
    pub figure: String,
    /// Whether it is.
    pub holds: bool,
    /// Whether it is at least what was reached before.
    pub is_kept: bool,
}

impl Bar {
    fn new(name: &'static str, figure: String, holds: bool) -> Self {
        Self { name, figure, holds, is_kept: holds }
    }

    fn or_kept(self, is_kept: bool) -> Self {
        Self { is_kept: self.holds || is_kept, ..self }
    }
}

/// Misses and false hits that are shown of each rule.
const SHOWN: usize = 4;

/// What one rule did.
#[derive(Clone, Debug, Default)]
struct Row {
    values: u64,
    found: u64,
    /// Found, and by this very rule.
    named: u64,
    right: u64,
    wrong: u64,
    missed: Vec<String>,
    taken: Vec<String>,
}

/// Everything that was counted.
#[derive(Clone, Debug, Default)]
pub struct Report {
    rows: BTreeMap<String, Row>,
    groups: BTreeMap<Group, (u64, u64)>,
    languages: BTreeMap<&'static str, (u64, u64)>,
    samples: u64,
    clean: u64,
    right: u64,
    wrong: u64,
    wide: u64,
    /// Standard events, and those of them in which something was taken.
    pub(super) events: Option<(u64, u64)>,
    /// Millions of bytes of standard events a second.
    pub(super) throughput: Option<f64>,
    /// How long each hostile mebibyte took; the slowest first.
    pub(super) hostile: Vec<Hostile>,
    /// What a standard event lost.
    pub(super) taken_from_events: Vec<String>,
}

/// A part of a hundred; all of nothing.
fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 100.0 } else { part as f64 * 100.0 / whole as f64 }
}

impl Report {
    pub(super) fn add(&mut self, sample: &Sample, verdict: &Verdict) {
        self.samples += 1;
        self.clean += u64::from(sample.labels.is_empty());
        for (label, found) in sample.labels.iter().zip(&verdict.found) {
            let row = self.rows.entry(label.rule.clone()).or_default();
            row.values += 1;
            row.found += u64::from(found.is_some());
            row.named += u64::from(found.as_ref() == Some(&label.rule));
            if found.is_none() && row.missed.len() < SHOWN {
                row.missed.push(format!("{} in {}", quote(&label.value), quote(&sample.text)));
            }
            for (all, of) in [
                self.groups.entry(label.group).or_default(),
                self.languages.entry(sample.language).or_default(),
            ] {
                *all += 1;
                *of += u64::from(found.is_some());
            }
        }
        for rule in &verdict.right {
            self.rows.entry(rule.clone()).or_default().right += 1;
        }
        for (rule, text) in &verdict.wrong {
            let row = self.rows.entry(rule.clone()).or_default();
            row.wrong += 1;
            if row.taken.len() < SHOWN {
                let around = quote(&sample.text);
                row.taken.push(format!("{} ({}) in {around}", quote(text), sample.of));
            }
        }
        self.right += verdict.right.len() as u64;
        self.wrong += verdict.wrong.len() as u64;
        self.wide += verdict.wide;
    }

    /// What each figure is, what it must be, and whether it is.
    #[must_use]
    pub fn bars(&self) -> Vec<Bar> {
        let mut bars = Vec::new();
        for (group, bar) in RECALL_BARS {
            let (all, found) = self.groups.get(&group).copied().unwrap_or_default();
            let share = percent(found, all);
            let name = match group {
                Group::Fixed => "recall, credentials with a fixed format",
                Group::Check => "recall, identifiers with check digits",
                _ => "recall, generic secrets",
            };
            let figure = format!("{share:.2} % ({found} of {all})");
            bars.push(Bar::new(name, format!("{figure}, bar {bar} %"), share >= bar));
        }
        let share = percent(self.right, self.right + self.wrong);
        let figure = format!("{share:.2} % ({} false hits), bar {PRECISION_BAR} %", self.wrong);
        bars.push(Bar::new("precision", figure, share >= PRECISION_BAR));
        if let Some((events, hit)) = self.events {
            let share = hit as f64 * 1000.0 / events.max(1) as f64;
            let figure = format!("{share:.3} ({hit} of {events}), bar under {CLEAN_EVENTS_BAR}");
            let name = "false hits in 1,000 clean events";
            bars.push(Bar::new(name, figure, share < CLEAN_EVENTS_BAR));
        }
        if let Some(rate) = self.throughput {
            let figure = format!("{rate:.0} MB/s, bar {THROUGHPUT_BAR}");
            let name = "standard events, default policy, one core";
            bars.push(Bar::new(name, figure, rate >= THROUGHPUT_BAR));
        }
        bars.extend(self.hostile_bars());
        bars
    }

    /// The mebibyte of near-misses of every rule, and the slowest of all.
    fn hostile_bars(&self) -> Vec<Bar> {
        let described = |text: &Hostile| {
            let Hostile { name, ms, checksums } = text;
            format!("{ms:.1} ms ({name}; {checksums:.0} checksums)")
        };
        let of_every_rule = self.hostile.iter().find(|text| text.name.starts_with(EVERY_RULE));
        let mut bars = Vec::from_iter(of_every_rule.map(|text| {
            let figure = format!("{}, bar under {ADVERSARIAL_BAR}", described(text));
            let is_fast = text.ms < ADVERSARIAL_BAR;
            let bar = Bar::new("a mebibyte of near-misses of every rule", figure, is_fast);
            bar.or_kept(text.checksums < EVERY_RULE_CHECKSUMS_MAX)
        }));
        bars.extend(self.hostile.first().map(|text| {
            let over = self.hostile.iter().filter(|text| text.ms >= ADVERSARIAL_BAR).count();
            let all = self.hostile.len();
            let figure =
                format!("{}; {over} of {all} take {ADVERSARIAL_BAR} ms and more", described(text));
            let holds = self.hostile.iter().all(|text| text.checksums < CHECKSUMS_MAX);
            Bar::new("slowest of the hostile mebibytes", figure, holds)
        }));
        bars
    }

    /// Tables in Markdown: one row for each rule, then what must hold.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = String::from(
            "| rule | values | found | recall | by this rule | false hits | precision |\n\
             |---|--:|--:|--:|--:|--:|--:|\n",
        );
        for (rule, row) in &self.rows {
            let Row { values, found, named, right, wrong, .. } = row;
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "| `{rule}` | {values} | {found} | {:.1} % | {named} | {wrong} | {:.1} % |",
                percent(*found, *values),
                percent(*right, right + wrong),
            );
        }
        let languages: Vec<String> = self
            .languages
            .iter()
            .map(|(language, (all, found))| format!("{language} {:.1} %", percent(*found, *all)))
            .collect();
        let _ = writeln!(
            text,
            "\n{} samples, {} of them clean; {} values taken with more than a few characters beside \
             them. Recall by language: {}.\n",
            self.samples,
            self.clean,
            self.wide,
            languages.join(", ")
        );
        text.push_str("| figure | is | |\n|---|---|---|\n");
        for Bar { name, figure, holds, .. } in self.bars() {
            let verdict = if holds { "holds" } else { "**missed**" };
            let _ = writeln!(text, "| {name} | {figure} | {verdict} |");
        }
        text
    }

    /// Some misses and false hits of each rule, for whoever tunes them.
    #[must_use]
    pub fn examples(&self) -> String {
        let mut text = String::new();
        for (rule, row) in &self.rows {
            for missed in &row.missed {
                let _ = writeln!(text, "{rule} missed {missed}");
            }
            for taken in &row.taken {
                let _ = writeln!(text, "{rule} took {taken}");
            }
        }
        for Hostile { name, ms, checksums } in self.hostile.iter().take(SHOWN * 3) {
            let _ = writeln!(text, "a mebibyte of {name}: {ms:.1} ms, {checksums:.0} checksums");
        }
        for taken in &self.taken_from_events {
            let _ = writeln!(text, "from a standard event: {taken}");
        }
        text
    }
}

/// A text on one line, not too long.
fn quote(text: &str) -> String {
    const CHARS_MAX: usize = 160;
    let cut: String = text.chars().take(CHARS_MAX).collect();
    format!("{cut:?}")
}
