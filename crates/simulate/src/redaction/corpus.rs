//! The labelled corpus: texts of agents with values that a redactor must take, and texts with what
//! only looks like one. A function of its part; `testdata/redaction` has the patterns and words.
//!
//! Not here: what is thought of a redactor that reads it (`judge`).

use super::spec::{self, Made, Mode};
use crate::Random;
use sha2::{Digest as _, Sha256};

const VALUES: &str = include_str!("../../../../testdata/redaction/values.txt");
const CLEAN: &str = include_str!("../../../../testdata/redaction/clean.txt");
const TUNE: &str = include_str!("../../../../testdata/redaction/carriers-tune.txt");
const HELD_OUT: &str = include_str!("../../../../testdata/redaction/carriers-held-out.txt");

const DIGESTS: &str = include_str!("../../../../testdata/redaction/digests.txt");

/// What follows the part of a value of which no near-miss is made.
const NO_NEAR: &str = ", no near";

/// Samples with values, of each part.
const VALUES_COUNT: u64 = 12_000;
/// Samples without, of each part.
const CLEAN_COUNT: u64 = 60_000;

/// One half of the corpus. They share the formats of values, and no text around them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CorpusPart {
    /// May be looked at while rules are tuned.
    Tune,
    /// May not.
    HeldOut,
}

impl CorpusPart {
    /// The seed, which with the files gives the whole part.
    #[must_use]
    pub fn seed(self) -> u64 {
        match self {
            Self::Tune => 1_001,
            Self::HeldOut => 2_002,
        }
    }

    /// As the files and reports name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tune => "tune",
            Self::HeldOut => "held-out",
        }
    }

    fn takes(self, part: &str) -> bool {
        part == "both" || self.as_str().starts_with(part)
    }
}

/// What is asked of a kind of value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    Fixed,
    Check,
    Generic,
    Personal,
}

impl Group {
    pub(super) const ALL: [Self; 4] = [Self::Fixed, Self::Check, Self::Generic, Self::Personal];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Check => "check",
            Self::Generic => "generic",
            Self::Personal => "personal",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.as_str() == name)
    }
}

/// A value and the rule that is meant to take it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) value: String,
    pub(super) rule: String,
    pub(super) group: Group,
}

/// One text, or one JSON object that is the parameters of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) number: u64,
    pub(super) text: String,
    pub(super) is_json: bool,
    /// Empty in clean samples.
    pub(super) labels: Vec<Label>,
    /// The rule of a value, or what a clean sample holds.
    pub(super) of: String,
    /// The language of the text around it.
    pub(super) language: &'static str,
}

/// A line of `values.txt`.
struct Value {
    rule: &'static str,
    group: Group,
    pattern: &'static str,
    /// Whether near-misses can be made of it.
    has_near: bool,
}

/// What stands around values: one text, its language, and whether it is JSON.
struct Carrier {
    language: &'static str,
    is_json: bool,
    pattern: &'static str,
}

/// A part of the corpus, read and ready to make samples.
pub(super) struct Corpus {
    part: CorpusPart,
    values: Vec<Value>,
    /// Rules in the order of the file, once each.
    rules: Vec<&'static str>,
    /// Whose turn it is: all rules, those of generic secrets more often.
    turns: Vec<&'static str>,
    clean: Vec<(&'static str, &'static str)>,
    carriers: Vec<Carrier>,
    words: Vec<(&'static str, Vec<&'static str>)>,
}

/// Lines that are not empty and no comments.
fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with("# "))
}

/// The fields of a line.
fn fields<const N: usize>(line: &'static str) -> Option<[&'static str; N]> {
    line.splitn(N, " | ").collect::<Vec<_>>().try_into().ok()
}

impl Corpus {
    pub(super) fn new(part: CorpusPart) -> Self {
        let values: Vec<Value> = lines(VALUES)
            .filter_map(|line| {
                let [rule, group, of, pattern] = fields(line)?;
                let group = Group::from_name(group)?;
                let has_near = !of.ends_with(NO_NEAR);
                let of = of.trim_end_matches(NO_NEAR);
                part.takes(of).then_some(Value { rule, group, pattern, has_near })
            })
            .collect();
        let clean = lines(CLEAN)
            .filter_map(|line| {
                let [name, of, pattern] = fields(line)?;
                part.takes(of).then_some((name, pattern))
            })
            .collect();
        let mut rules: Vec<&str> = values.iter().map(|value| value.rule).collect();
        rules.dedup();
        // They have the most forms, and most of what leaks is of their kind.
        let generic = values.iter().filter(|value| value.group == Group::Generic);
        let mut generic: Vec<&str> = generic.map(|value| value.rule).collect();
        generic.dedup();
        let turns = [rules.clone(), generic.clone(), generic].concat();
        let text = match part {
            CorpusPart::Tune => TUNE,
            CorpusPart::HeldOut => HELD_OUT,
        };
        let (carriers, words) = read_carriers(text);
        Self { part, values, rules, turns, clean, carriers, words }
    }

    /// Every sample of the part, in order.
    pub(super) fn samples(&self) -> impl Iterator<Item = Sample> {
        let seed = self.part.seed();
        (0..VALUES_COUNT + CLEAN_COUNT).map(move |number| {
            // A seed for each: what one sample needs shifts no other.
            let mut random = Random::new(seed << 32 ^ number);
            match number < VALUES_COUNT {
                true => self.with_value(number, &mut random),
                false => self.without(number, &mut random),
            }
        })
    }

    fn with_value(&self, number: u64, random: &mut Random) -> Sample {
        let place = usize::try_from(number % self.turns.len() as u64).unwrap_or(0);
        let rule = self.turns.get(place).copied().unwrap_or_default();
        let of: Vec<&Value> = self.values.iter().filter(|value| value.rule == rule).collect();
        let value = random.one_of(&of).map_or(&self.values[0], |value| *value);
        let words = self.words("en");
        if let Some(pattern) = value.pattern.strip_prefix("JSON ") {
            let made = spec::make(pattern, Mode::Right, words, random);
            let labels = labels(&made, value);
            let of = rule.to_owned();
            let text = made.text;
            return Sample { number, text, is_json: true, labels, of, language: "en" };
        }
        let made = spec::make(value.pattern, Mode::Right, words, random);
        let labels = labels(&made, value);
        self.carried(number, made.text, labels, rule.to_owned(), random)
    }

    fn without(&self, number: u64, random: &mut Random) -> Sample {
        let words = self.words("en");
        if random.percent(25) {
            let (of, text) = self.near_miss(None, random);
            return self.carried(number, text, Vec::new(), of, random);
        }
        let (name, pattern) = random.one_of(&self.clean).copied().unwrap_or_default();
        let text = spec::make(pattern, Mode::Right, words, random).text;
        self.carried(number, text, Vec::new(), name.to_owned(), random)
    }

    /// Nearly a value: of this rule, or of any.
    pub(super) fn near_miss(&self, rule: Option<&str>, random: &mut Random) -> (String, String) {
        let near: Vec<(&Value, Mode)> = self
            .values
            .iter()
            .filter(|value| rule.is_none_or(|rule| rule == value.rule))
            .filter_map(|value| Some((value, value.near()?)))
            .collect();
        let Some((value, mode)) = random.one_of(&near) else {
            return (String::new(), String::new());
        };
        let made = spec::make(value.pattern, *mode, self.words("en"), random);
        (format!("near {}", value.rule), made.text)
    }

    /// The rules that the corpus asks for.
    pub(super) fn rules(&self) -> &[&'static str] {
        &self.rules
    }

    /// The patterns of a rule.
    pub(super) fn patterns(&self, rule: &str) -> impl Iterator<Item = &'static str> {
        self.values.iter().filter(move |value| value.rule == rule).map(|value| value.pattern)
    }

    pub(super) fn words(&self, language: &str) -> &[&'static str] {
        self.words.iter().find(|(of, _)| *of == language).map_or(&[], |(_, words)| words)
    }

    fn carried(
        &self,
        number: u64,
        value: String,
        labels: Vec<Label>,
        of: String,
        random: &mut Random,
    ) -> Sample {
        let carrier = random.one_of(&self.carriers).unwrap_or(&self.carriers[0]);
        let words = self.words(carrier.language);
        // In French these quote; they mark values in patterns of values alone.
        let pattern = carrier.pattern.replace('«', "{=«}").replace('»', "{=»}");
        let around = spec::make(&pattern, Mode::Right, words, random).text;
        let text = if carrier.is_json {
            let quoted = serde_json::Value::from(value).to_string();
            let inner = quoted.trim_start_matches('"');
            around.replacen("{v}", inner.strip_suffix('"').unwrap_or(inner), 1)
        } else {
            around.replace("\\n", "\n").replacen("{v}", &value, 1)
        };
        Sample { number, text, is_json: carrier.is_json, labels, of, language: carrier.language }
    }
}

impl Value {
    /// The value alone, of random characters.
    fn is_bare(&self) -> bool {
        self.pattern.starts_with('«') && !self.pattern.contains("{@")
    }

    /// How a look-alike of it is made, where one can be. A token with a wrong checksum is none: one
    /// letter of it may be wrong, and the others are those of a real one.
    fn near(&self) -> Option<Mode> {
        if !self.has_near {
            return None;
        }
        match self.group {
            Group::Check => Some(Mode::WrongCheck),
            Group::Fixed if self.is_bare() => Some(Mode::Short),
            _ => None,
        }
    }
}

fn labels(made: &Made, of: &Value) -> Vec<Label> {
    made.spans
        .iter()
        .filter_map(|span| {
            let value = made.text.get(span.start..span.end)?.trim_end().to_owned();
            let rule = span.rule.clone().unwrap_or_else(|| of.rule.to_owned());
            Some(Label { value, rule, group: of.group })
        })
        .collect()
}

type Words = Vec<(&'static str, Vec<&'static str>)>;

fn read_carriers(text: &'static str) -> (Vec<Carrier>, Words) {
    let (mut carriers, mut words): (Vec<Carrier>, Words) = (Vec::new(), Vec::new());
    let (mut language, mut kind) = ("en", "prose");
    for line in lines(text) {
        let section = line.strip_prefix('[').and_then(|line| line.strip_suffix(']'));
        if let Some((one, two)) = section.and_then(|section| section.split_once(' '))
            && two.bytes().all(|b| b.is_ascii_lowercase())
        {
            (language, kind) = (one, two);
        } else if kind == "words" {
            words.push((language, line.split(' ').collect()));
        } else {
            carriers.push(Carrier { language, is_json: kind == "json", pattern: line });
        }
    }
    (carriers, words)
}

/// SHA-256 over every text, every label and every origin of a part: two machines that print the
/// same one judge by the same corpus.
///
/// # Errors
/// A digest that is not the kept one: then the files, the generator or the machine changed.
pub fn corpus_digest(part: CorpusPart) -> Result<String, String> {
    let mut hash = Sha256::new();
    for sample in Corpus::new(part).samples() {
        for text in [&sample.text, &sample.of] {
            hash.update(text.len().to_le_bytes());
            hash.update(text);
        }
        for label in &sample.labels {
            hash.update(label.value.len().to_le_bytes());
            hash.update(&label.value);
            hash.update(&label.rule);
        }
    }
    let digest: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let line = format!("{} {digest}", part.as_str());
    if DIGESTS.lines().any(|known| known == line) {
        return Ok(digest);
    }
    Err(format!(
        "the corpus is not the one of testdata/redaction/digests.txt; if it was meant to change, \
         write there: {line}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn both() -> [Corpus; 2] {
        [CorpusPart::Tune, CorpusPart::HeldOut].map(Corpus::new)
    }

    #[test]
    fn every_line_of_the_files_is_understood() {
        for line in lines(VALUES) {
            let [_, group, part, pattern] = fields(line).unwrap();
            assert!(Group::from_name(group).is_some(), "{line}");
            let part = part.trim_end_matches(NO_NEAR);
            assert!(["tune", "held", "both"].contains(&part), "{line}");
            assert!(pattern.contains('«') && pattern.contains('»'), "{line}");
        }
        for line in lines(CLEAN) {
            let [_, part, _] = fields(line).unwrap();
            assert!(["tune", "held", "both"].contains(&part), "{line}");
        }
        for corpus in both() {
            assert!(corpus.carriers.iter().all(|one| one.pattern.contains("{v}")));
            let languages: BTreeSet<&str> =
                corpus.carriers.iter().map(|one| one.language).collect();
            assert_eq!(languages.len(), 6);
            for sample in corpus.samples().step_by(7) {
                assert!(!sample.text.contains("{@"), "{}", sample.text);
                if sample.is_json {
                    let read: Result<serde_json::Value, _> = serde_json::from_str(&sample.text);
                    assert!(read.is_ok(), "{}", sample.text);
                }
            }
        }
    }

    #[test]
    fn it_is_large_enough_and_every_value_stands_in_its_text() {
        const STEP: usize = 5;
        let (mut values, mut clean) = (0, 0);
        for corpus in both() {
            let mut counts: BTreeMap<String, usize> = BTreeMap::new();
            for sample in corpus.samples().step_by(STEP) {
                clean += usize::from(sample.labels.is_empty());
                for label in &sample.labels {
                    values += 1;
                    *counts.entry(label.rule.clone()).or_default() += 1;
                    let inner = serde_json::Value::from(label.value.as_str()).to_string();
                    let inner = inner.trim_matches('"');
                    let there = sample.text.contains(&label.value) || sample.text.contains(inner);
                    assert!(there && label.value.len() > 3, "{sample:?}");
                }
            }
            assert!(counts.values().all(|count| count * STEP >= 50), "{counts:?}");
        }
        assert!(values * STEP >= 20_000 && clean * STEP >= 100_000, "{values} {clean}");
    }

    #[test]
    fn nothing_around_a_value_stands_in_both_parts() {
        let [tune, held_out] = both();
        let of = |corpus: &Corpus| -> BTreeSet<&str> {
            let carriers = corpus.carriers.iter().map(|one| one.pattern);
            carriers.filter(|pattern| *pattern != "{v}").collect()
        };
        assert!(of(&tune).is_disjoint(&of(&held_out)));
        let words = |corpus: &Corpus| -> BTreeSet<&str> {
            corpus
                .words
                .iter()
                .filter(|(language, _)| *language == "en")
                .flat_map(|(_, all)| all.clone())
                .collect()
        };
        assert!(words(&tune).is_disjoint(&words(&held_out)));
    }
}
