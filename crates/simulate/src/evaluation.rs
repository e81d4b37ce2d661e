//! The mode `redaction`: the evaluation of `simulate::redaction`, with standard events that the
//! real binary makes.

use crate::arguments::Arguments;
use simulate::redaction::{
    CorpusPart, canaries, corpus_digest, evaluate, measure_events, measure_hostile, sheet,
};
use std::path::Path;
use std::process::Command;

/// Standard events: some 60 MB.
const EVENTS: &str = "100000";

/// Says what it was asked for; `false` when a bar is missed or something failed.
pub(crate) fn run(arguments: &Arguments, say: fn(&str)) -> bool {
    match answer(arguments, say) {
        Ok(fine) => fine,
        Err(what) => {
            say(&format!("FAILED: {what}"));
            false
        }
    }
}

fn answer(arguments: &Arguments, say: fn(&str)) -> Result<bool, String> {
    let part = if arguments.tune { CorpusPart::Tune } else { CorpusPart::HeldOut };
    if let Some(count) = arguments.canaries {
        say(canaries(count)?.trim_end());
        return Ok(true);
    }
    if let Some(step) = arguments.sheet {
        say(sheet(part, step)?.trim_end());
        return Ok(true);
    }
    let digest = corpus_digest(part)?;
    let mut report = evaluate(part)?;
    if let Some(tacho) = &arguments.tacho {
        measure_events(&standard_events(tacho)?, &mut report)?;
    }
    measure_hostile(&mut report)?;
    say(&format!("{}part {}, SHA-256 {}", report.table(), part.as_str(), digest));
    if arguments.tune {
        say(report.examples().trim_end());
    }
    let bars = report.bars();
    let missed = bars.iter().filter(|bar| !bar.holds).count();
    say(&format!("redaction: {} bars hold, {missed} missed", bars.len() - missed));
    Ok(if arguments.keeps { bars.iter().all(|bar| bar.is_kept) } else { missed == 0 })
}

/// What `tacho bench` appends.
fn standard_events(tacho: &Path) -> Result<String, String> {
    let made = Command::new(tacho).args(["bench", "events", "--count", EVENTS]).output();
    let made = made.map_err(|error| format!("{}: {error}", tacho.display()))?;
    if !made.status.success() {
        return Err(format!("tacho bench events: {}", String::from_utf8_lossy(&made.stderr)));
    }
    String::from_utf8(made.stdout).map_err(|error| error.to_string())
}
