//! How fast a redactor is: on standard events, and on texts that were made to slow it down.

use super::corpus::{Corpus, CorpusPart};
use crate::Random;
use event::Event;
use redact::Redactor;
use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use std::time::Duration;

/// Events of a batch: parsed, then redacted while they are in the cache, as in life.
const BATCH_EVENTS: usize = 200;
/// Bytes of a hostile text: an event of a mebibyte with everything around it.
const HOSTILE_BYTES: usize = (1 << 20) - 4096;
/// The text of near-misses of all rules.
pub(super) const EVERY_RULE: &str = "near-misses of every rule";
/// Each hostile text is tried so often, and the best counts.
const TRIES: usize = 2;

/// What rules look for, without what they need to find it.
const ANCHORS: &[&str] = &[
    "@",
    "a@",
    "a@a.",
    "%40",
    "=",
    ":",
    "key=",
    "key: ",
    "token ",
    "password=\"",
    "\"password\":",
    "password ",
    "://",
    "://a:",
    "://a:a@",
    "eyJ",
    "eyJ.",
    "eyJa.eyJ",
    "Bearer ",
    "basic a",
    "-",
    "sk-",
    "sk_",
    "AKIA",
    "SG.",
    "AIza",
    "0",
    "1-",
    "12 ",
    "4111 ",
    "1.1.1.",
    "a:",
    "::",
    "\\",
    "\\u0041",
    "\"",
    "{",
    "[{\"a\":",
    "[",
    "[redacted:",
    "-----BEGIN ",
    "MII",
    "DE",
    "+1 ",
    "born ",
    "密码",
    "é",
    "a",
    " ",
    "\n",
    "AccountKey=",
    "Password=;",
    "curl -u a:",
    "--password ",
    "lat=",
];

/// What rules find, over and over in one line: each of them may look at no more than its own value.
const FOUND: &[&str] = &["Authorization: Bearer whatever ", "Authorization:abcdefg1,"];

/// Time that this thread was given a core: what others do meanwhile does not count.
pub(super) fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let part = |number: i64| u64::try_from(number).unwrap_or(0);
    Duration::from_secs(part(time.tv_sec)) + Duration::from_nanos(part(time.tv_nsec))
}

/// Millions of bytes of `lines` a second, by the median batch, and what was taken out of them.
pub(super) fn throughput(
    redactor: &Redactor,
    lines: &[&str],
) -> Result<(f64, Vec<String>), String> {
    let mut rates = Vec::new();
    let mut taken = Vec::new();
    for batch in lines.chunks(BATCH_EVENTS) {
        let events: Vec<Event<'_>> = batch
            .iter()
            .map(|line| Event::from_json(line.as_bytes()).map_err(|error| error.to_string()))
            .collect::<Result<_, _>>()?;
        let mut redacted = Vec::with_capacity(batch.len());
        let begun = cpu_time();
        redacted.extend(events.into_iter().map(|event| redactor.redact(black_box(event))));
        let took = cpu_time().saturating_sub(begun);
        let bytes: usize = batch.iter().map(|line| line.len()).sum();
        rates.push(bytes as f64 / took.as_secs_f64() / 1e6);
        for (event, line) in redacted.iter().zip(batch) {
            if let Some(note) = event.get().redactions.first() {
                taken.push(format!("{} at {} of {line}", note.rule, note.path));
            }
        }
    }
    rates.sort_by(f64::total_cmp);
    Ok((rates.get(rates.len() / 2).copied().unwrap_or_default(), taken))
}

/// How long one hostile text took.
#[derive(Clone, Debug)]
pub(super) struct Hostile {
    /// What it consists of.
    pub(super) name: String,
    /// Milliseconds of one core.
    pub(super) ms: f64,
    /// So many times as long as a checksum of the same bytes, taken right before: the figure that
    /// depends least on the machine and on what else it does.
    pub(super) checksums: f64,
}

/// FNV-1a: one multiplication after the other, for each byte one, on any machine.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The hostile texts, the slowest first.
pub(super) fn hostile_times(redactor: &Redactor) -> Result<Vec<Hostile>, String> {
    let mut times = Vec::new();
    for (name, text) in hostile() {
        let json = format!(
            "{{\"event_type\":\"agent.tool_call\",\"result\":{}}}",
            serde_json::Value::from(text)
        );
        let (mut best, mut calibrated) = (f64::INFINITY, f64::INFINITY);
        for _ in 0..TRIES {
            let begun = cpu_time();
            black_box(checksum(black_box(json.as_bytes())));
            calibrated = calibrated.min(cpu_time().saturating_sub(begun).as_secs_f64() * 1e3);
            let event =
                Event::from_json(json.as_bytes()).map_err(|error| format!("{name}: {error}"))?;
            let begun = cpu_time();
            black_box(redactor.redact(black_box(event)));
            best = best.min(cpu_time().saturating_sub(begun).as_secs_f64() * 1e3);
        }
        let checksums = best / calibrated.max(f64::MIN_POSITIVE);
        times.push(Hostile { name, ms: best, checksums });
    }
    times.sort_by(|left, right| right.ms.total_cmp(&left.ms));
    Ok(times)
}

/// One text for each rule, of its near-misses, and of those of all rules; one for each anchor; all
/// of them mixed; and some of what is found.
fn hostile() -> Vec<(String, String)> {
    let corpus = Corpus::new(CorpusPart::Tune);
    let mut random = Random::new(7);
    let mut texts = Vec::new();
    let mut of_every_rule = Vec::new();
    for rule in corpus.rules() {
        let pieces = near_misses(&corpus, rule, &mut random);
        texts.push(((*rule).to_owned(), repeated(&pieces, " ", &mut random)));
        texts.push((format!("{rule}, joined"), repeated(&pieces, "", &mut random)));
        of_every_rule.push(pieces);
    }
    texts.push((EVERY_RULE.to_owned(), in_turn(&of_every_rule, " ", &mut random)));
    let joined = in_turn(&of_every_rule, "", &mut random);
    texts.push((format!("{EVERY_RULE}, joined"), joined));
    for anchor in ANCHORS {
        texts.push((format!("{anchor:?}"), repeated(&[(*anchor).to_owned()], "", &mut random)));
    }
    let all: Vec<String> = ANCHORS.iter().map(|anchor| (*anchor).to_owned()).collect();
    texts.push(("all anchors".to_owned(), repeated(&all, "", &mut random)));
    for found in FOUND {
        texts.push((format!("{found:?}"), repeated(&[(*found).to_owned()], "", &mut random)));
    }
    texts
}

/// What looks like the rule's values and is none, what stands before a value, and that with a third
/// of the value.
fn near_misses(corpus: &Corpus, rule: &str, random: &mut Random) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    for _ in 0..50 {
        let (_, near) = corpus.near_miss(Some(rule), random);
        if !near.is_empty() {
            pieces.push(near);
        }
    }
    for pattern in corpus.patterns(rule) {
        let made = super::spec::make(
            pattern.trim_start_matches("JSON "),
            super::spec::Mode::Right,
            corpus.words("en"),
            random,
        );
        for span in &made.spans {
            let mut cut = span.start + (span.end - span.start) / 3;
            while !made.text.is_char_boundary(cut) {
                cut -= 1;
            }
            pieces.push(made.text.get(..span.start).unwrap_or_default().to_owned());
            pieces.push(made.text.get(..cut).unwrap_or_default().to_owned());
        }
    }
    pieces
}

/// Pieces in any order until there are enough bytes.
fn repeated(pieces: &[String], between: &str, random: &mut Random) -> String {
    filled(std::iter::from_fn(|| random.one_of(pieces)), between)
}

/// A piece of each group in turn, so that every group has as many as any other.
fn in_turn(groups: &[Vec<String>], between: &str, random: &mut Random) -> String {
    filled(groups.iter().cycle().map_while(|group| random.one_of(group)), between)
}

/// As many of the pieces as there is room for, as they stand in JSON.
fn filled<'p>(pieces: impl Iterator<Item = &'p String>, between: &str) -> String {
    let mut text = String::new();
    let mut bytes = 0;
    for piece in pieces {
        let added = serde_json::Value::from(piece.as_str()).to_string().len() - 2 + between.len();
        bytes += added;
        if bytes > HOSTILE_BYTES || added == 0 {
            break;
        }
        text.push_str(piece);
        text.push_str(between);
    }
    text
}
