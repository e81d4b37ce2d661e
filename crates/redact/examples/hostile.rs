//! Milliseconds for hostile texts: `cargo run --release -p redact --example hostile`.
//!
//! For every rule, 1 MiB of each of its examples and near-misses, whole and cut, over and over, and
//! of every pair of letters that begin something. Prints the slowest; exits with 1 above the bound
//! given as an argument. Units named behind it are tried alone, and often, for a profiler.
#![expect(clippy::print_stdout, reason = "a program for people")]

use event::Event;
use redact::{Policy, Preset, Redactor};
use std::error::Error;
use std::time::Duration;

/// An event may have 1 MiB, its own names included.
const TEXT_BYTES: usize = (1 << 20) - 256;

/// What begins something that never ends.
const GLUE: &[&str] = &[
    "key:",
    "key=",
    "a@",
    "a@b.",
    "://a:",
    "-----BEGIN PRIVATE KEY-----",
    "4111 ",
    "1-",
    "1 ",
    "12-",
    "123-45-",
    "sk-",
    "ghp_",
    "eyJ.",
    "Bearer ",
    "Cookie: a=b ",
    "[redacted:",
    "[",
    "AKIA",
    "A",
    "a",
    "1",
    "0",
    "%41",
    "%",
    "+1 ",
    "1.",
    "::",
    "a:",
    "fe80:",
    "DE89 ",
    "DE89",
    "token ",
    "token A1b2C3d4E5f6G7h8 ",
    "ssn 123456789 ",
    "phone (0",
    " --password ",
    " -p",
    ";Password=",
    "Password=;",
    "Server=a;Password={",
    "thin:",
    "thin:a/",
    "Q~",
    ":AA",
    "1:AA",
    ".atlasv1.",
    "born 1990-",
    "born 1 ",
    "1 Main Street, ",
    "Musterstraße 1, 1",
    "12 rue ",
    "1.12345 ",
    "1.12345,",
    "lat ",
    "=",
    ":",
    "{",
    "secret='",
    "key: \\\"",
    "MTk4",
    "cGFzc3dvcmQ9",
];

/// So often a text is redacted that is asked for by name.
const ASKED_TRIES: usize = 30;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let bound = arguments.next().map(|ms| ms.parse::<u64>()).transpose()?;
    let asked: Vec<String> = arguments.collect();
    let mut times: Vec<(Duration, &str, String)> = Vec::new();
    for preset in [Preset::Default, Preset::Strict] {
        let redactor = Redactor::new(&Policy::preset(preset), [7; 32])?;
        let texts = if asked.is_empty() { units() } else { asked.clone() };
        for unit in texts {
            let text =
                if unit == MIXED { mixed() } else { unit.repeat(TEXT_BYTES / unit.len().max(1)) };
            let json = serde_json::Value::from(cut(&text));
            let json = serde_json::json!({ "event_type": "x", "result": json }).to_string();
            let tries = if asked.is_empty() { 2 } else { ASKED_TRIES };
            let mut best = Duration::MAX;
            for _ in 0..tries {
                let Ok(event) = Event::from_json(json.as_bytes()) else { continue };
                let start = on_cpu();
                let _ = redactor.redact(event);
                best = best.min(on_cpu() - start);
            }
            times.push((best, preset.as_str(), unit));
        }
    }
    times.sort_by_key(|(time, ..)| std::cmp::Reverse(*time));
    for (time, preset, unit) in times.iter().take(40) {
        println!("{:>8.1} ms  {preset:<8} {unit:?}", time.as_secs_f64() * 1e3);
    }
    match (bound, times.first()) {
        (Some(bound), Some((slowest, ..))) if slowest.as_millis() as u64 > bound => {
            Err(format!("slower than {bound} ms").into())
        }
        _ => Ok(()),
    }
}

/// The name of the text of all beginnings in any order.
const MIXED: &str = "mixed";

fn mixed() -> String {
    let (mut text, mut state) = (String::new(), 7_u64);
    while text.len() < TEXT_BYTES - 64 {
        // A generator of numbers that anybody can write down (Knuth, MMIX).
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push_str(GLUE.get((state >> 33) as usize % GLUE.len()).copied().unwrap_or_default());
    }
    text
}

/// Time that this thread ran: on a busy machine the clock measures the others.
fn on_cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let ns = text.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or_default();
    Duration::from_nanos(ns)
}

fn units() -> Vec<String> {
    let mut units: Vec<String> = GLUE.iter().map(|unit| (*unit).to_owned()).collect();
    units.push(MIXED.to_owned());
    for examples in redact::examples() {
        for marked in examples.takes {
            let text: String = marked.chars().filter(|c| !"«»¦".contains(*c)).collect();
            let half = cut_at(&text, text.len() / 2).to_owned();
            units.push(cut_at(&text, text.len().saturating_sub(1)).to_owned() + " ");
            units.push(half);
            units.push(text);
        }
        units.extend(examples.leaves.iter().map(|text| format!("{text} ")));
    }
    units.retain(|unit| !unit.is_empty());
    units
}

/// Room for the escapes of JSON.
fn cut(text: &str) -> &str {
    let escaped = text.bytes().filter(|b| matches!(b, b'"' | b'\\' | b'\n')).count();
    cut_at(text, text.len().saturating_sub(escaped))
}

fn cut_at(text: &str, mut end: usize) -> &str {
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
