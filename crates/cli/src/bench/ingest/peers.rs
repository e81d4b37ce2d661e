//! The same events into tamper-evident logs from PyPI: those that have an event on the disk when
//! they return. They are libraries with one writer, called in a process of Python; nothing lies
//! between.
//!
//! What is measured, and how each is called, stands in `peers.py`.

use super::super::Pool;
use super::IngestRow;
use super::client::Load;
use serde::Deserialize;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const SCRIPT: &str = include_str!("peers.py");

/// The contenders that the script knows.
const CONTENDERS: [&str; 4] = ["pymerkle", "arcaeon", "agent-airlock", "merkle-audit"];

/// Events that are taken round and round: parsed before the clock starts.
const EVENTS: usize = 5_000;

/// What the script says at its end.
#[derive(Deserialize)]
struct Answer {
    events: u64,
    seconds: f64,
    version: String,
}

/// Lets each contender append for `length`.
///
/// # Errors
/// A sentence when Python does not start, or what `row_done` says.
pub(super) fn run(
    python: &Path,
    scratch: &Path,
    pool: &Pool,
    load: Load,
    length: Duration,
    row_done: &mut dyn FnMut(IngestRow) -> Result<(), String>,
) -> Result<(), String> {
    let mut lines = Vec::new();
    pool.source(load.run).fill(EVENTS, &mut lines);
    for contender in CONTENDERS {
        let task = serde_json::json!({
            "contender": contender,
            "seconds": length.as_secs_f64(),
            "batch": load.batch,
            "folder": scratch,
        });
        let answer = ask(python, SCRIPT, &task, &lines)?;
        row_done(IngestRow {
            case: format!("{contender} {}", answer.version),
            events_per_second: answer.events as f64 / answer.seconds.max(1e-9),
            until_s: answer.seconds,
            ..IngestRow::of_others(load.batch, 1)
        })?;
    }
    Ok(())
}

fn ask(
    python: &Path,
    script: &str,
    task: &serde_json::Value,
    lines: &[u8],
) -> Result<Answer, String> {
    let cannot = |error: std::io::Error| format!("{}: {error}", python.display());
    let mut command = Command::new(python);
    command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(cannot)?;
    if let Some(mut input) = child.stdin.take() {
        // One that ended early says why on its own.
        let _ = writeln!(input, "{task}").and_then(|()| input.write_all(lines));
    }
    let output = child.wait_with_output().map_err(cannot)?;
    let last = output.stdout.rsplit(|byte| *byte == b'\n').find(|line| !line.is_empty());
    serde_json::from_slice(last.unwrap_or_default()).map_err(|_| {
        "a contender of `--peers` did not answer (see above); `cargo xtask bench ingest --peers` \
         installs them"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_contender_says_last_counts_and_silence_is_told() {
        let task = serde_json::json!({});
        let says = |script, lines: &[u8]| ask(Path::new("sh"), script, &task, lines);
        let answer =
            r#"echo words; n=$(wc -l); echo "{\"events\":$n,\"seconds\":2,\"version\":\"1\"}""#;
        let told = says(answer, b"{}\n{}\n").map(|it| (it.events, it.version));
        assert_eq!(told, Ok((3, "1".to_owned())));
        let why = says("exit 1", &[b'\n'; 99_999]).map(|it| it.events).unwrap_err();
        assert!(why.contains("cargo xtask bench ingest --peers"), "{why}");
    }
}
