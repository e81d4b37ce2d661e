//! Nanoseconds per event: `cargo run --release -p redact --example throughput`.
//!
//! 200,000 events of about 620 bytes in the shape that agents send; once without secrets, once with
//! a secret in every hundredth event. Deterministic, so two runs differ by the machine alone.
#![expect(clippy::print_stdout, reason = "a program for people")]

use event::Event;
use redact::{Policy, Preset, Redactor};
use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

const EVENTS: usize = 200_000;
const BATCH_EVENTS: usize = 200;

const WORDS: &[&str] = &[
    "the",
    "of",
    "to",
    "and",
    "order",
    "customer",
    "refund",
    "invoice",
    "ticket",
    "report",
    "query",
    "result",
    "table",
    "user",
    "account",
    "payment",
    "agent",
    "task",
    "plan",
    "step",
    "tool",
    "search",
    "page",
    "summary",
    "error",
    "retry",
    "policy",
    "check",
    "approve",
    "amount",
    "status",
    "token",
    "session",
    "model",
    "prompt",
    "because",
    "however",
    "therefore",
    "bodega",
    "zirconi",
    "rubigo",
    "fabote",
    "café",
    "sketch-book",
    "key",
];

/// xorshift64*: enough for test data.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() >> 33) as usize % end
    }

    fn uuid(&mut self) -> String {
        let hex = format!("{:016x}{:016x}", self.next(), self.next());
        format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
    }

    fn text(&mut self, words: usize) -> String {
        let words: Vec<&str> = (0..words).map(|_| WORDS[self.below(WORDS.len())]).collect();
        words.join(" ")
    }
}

fn event(numbers: &mut Numbers, secret: bool) -> String {
    let n = numbers;
    let leak = if secret { " provider 503 key=sk-secret" } else { "" };
    format!(
        concat!(
            r#"{{"event_id":"{}","event_type":"agent.tool_call","agent_name":"researcher-02","#,
            r#""task_id":"task-{:07}","session_id":"sess-{:05}","action":"tool_call:web_search","#,
            r#""params":{{"query":"{}","limit":{},"ref":"R{:06}","max_tokens":1024}},"result":"ok, {} rows{}","#,
            r#""reasoning":"{}","confidence":0.5,"source":"system","parent_event_id":"{}","#,
            r#""trace_id":"{}","timestamp":1767225600.{:06},"duration_ms":{}.25,"token_count":{},"#,
            r#""model":"gpt-4o-2024-08-06","version":"1.4.2","error":null,"error_type":null}}"#
        ),
        n.uuid(),
        n.below(10_000_000),
        n.below(100_000),
        n.text(5),
        n.below(50),
        n.below(1_000_000),
        n.below(500),
        leak,
        n.text(8),
        n.uuid(),
        n.uuid(),
        n.below(1_000_000),
        n.below(900),
        n.below(4000),
    )
}

fn measure(name: &str, one_in: usize, preset: Preset) -> Result<(), Box<dyn Error>> {
    let redactor = Redactor::new(&Policy::preset(preset), [7; 32])?;
    let mut numbers = Numbers(20_260_101);
    let lines: Vec<String> =
        (0..EVENTS).map(|i| event(&mut numbers, one_in > 0 && i % one_in == 0)).collect();
    let bytes: usize = lines.iter().map(String::len).sum();
    let (mut found, mut batches_ns) = (0, Vec::new());
    // As in life: a batch is parsed, then redacted while it is still in the cache.
    for batch in lines.chunks(BATCH_EVENTS) {
        let events: Vec<Event<'_>> =
            batch.iter().map(|line| Event::from_json(line.as_bytes())).collect::<Result<_, _>>()?;
        let mut redacted = Vec::with_capacity(BATCH_EVENTS);
        let start = Instant::now();
        redacted.extend(events.into_iter().map(|event| redactor.redact(black_box(event))));
        batches_ns.push(start.elapsed().as_nanos() as f64 / BATCH_EVENTS as f64);
        found += redacted.iter().filter(|r| !r.get().redactions.is_empty()).count();
    }
    // The median: on a busy machine the mean measures the others.
    batches_ns.sort_by(f64::total_cmp);
    let (low, median) = (batches_ns[batches_ns.len() / 10], batches_ns[batches_ns.len() / 2]);
    println!(
        "{name}: median {median:.0} ns/event, {:.0} MB/s, fastest tenth {low:.0} ns; {} bytes/event, {found} findings",
        (bytes / EVENTS) as f64 / median * 1e3,
        bytes / EVENTS
    );
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    measure("no findings", 0, Preset::Default)?;
    measure("1 % with findings", 100, Preset::Default)?;
    measure("1 % with findings, strict", 100, Preset::Strict)
}
