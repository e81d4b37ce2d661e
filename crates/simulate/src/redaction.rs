//! How well the redactor finds secrets, and how fast: on a corpus with labels that is made from
//! seeds, on standard events, and on texts that were made to slow it down.
//!
//! | question | file |
//! |---|---|
//! | what is in the corpus? | `corpus.rs`, `testdata/redaction` |
//! | how is a value made? | `spec.rs`, `identifiers.rs`, `secrets.rs` |
//! | was it found? | `judge.rs` |
//! | what must hold? | `report.rs` |
//! | how fast? | `speed.rs` |
//! | what do others see of it? | `sheet.rs` |
//!
//! Pure but for the time that it takes. Not here: the rules (crate `redact`), and other programs
//! that are asked the same (`testdata/redaction/peers.py`).

mod corpus;
mod identifiers;
mod judge;
mod report;
mod secrets;
mod sheet;
mod spec;
mod speed;

pub use corpus::{CorpusPart, corpus_digest};
pub use report::{Bar, Report};
pub use sheet::{canaries, sheet};

use redact::{Policy, Preset, Redactor};

/// The key of hashes; any will do.
const HASH_KEY: [u8; 32] = [7; 32];

/// The policy under which every rule is on.
fn everything() -> Policy {
    Policy::preset(Preset::Strict)
}

fn redactor(policy: &Policy) -> Result<Redactor, String> {
    Redactor::new(policy, HASH_KEY).map_err(|error| error.to_string())
}

/// Has every sample of a part redacted, with every rule on, and counts.
///
/// # Errors
/// A sample that is no event, which is a fault of the corpus.
pub fn evaluate(part: CorpusPart) -> Result<Report, String> {
    let redactor = redactor(&everything())?;
    let corpus = corpus::Corpus::new(part);
    let mut report = Report::default();
    for sample in corpus.samples() {
        let leaves = judge::leaves(&redactor, &sample)?;
        report.add(&sample, &judge::judge(&sample, &leaves));
    }
    Ok(report)
}

/// Adds what standard events, one on each line, show under the default policy.
///
/// # Errors
/// A line that is no event.
pub fn measure_events(lines: &str, report: &mut Report) -> Result<(), String> {
    let redactor = redactor(&Policy::default())?;
    let lines: Vec<&str> = lines.lines().collect();
    let (rate, taken) = speed::throughput(&redactor, &lines)?;
    report.events = Some((lines.len() as u64, taken.len() as u64));
    report.throughput = Some(rate);
    report.taken_from_events = taken.into_iter().take(3).collect();
    Ok(())
}

/// Adds how long the slowest mebibyte takes.
///
/// # Errors
/// A text that is no event, which is a fault of the corpus.
pub fn measure_hostile(report: &mut Report) -> Result<(), String> {
    report.hostile = speed::hostile_times(&redactor(&everything())?)?;
    Ok(())
}
