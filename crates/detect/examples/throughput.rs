//! What the shipped rules cost: nanoseconds for each event, of events in a file.
//!
//! ```sh
//! tacho bench events --count 100000 > events.ndjson
//! cargo run --release -p detect --example throughput events.ndjson
//! ```

#![expect(clippy::unwrap_used, reason = "an example that cannot go on says why by ending")]
#![expect(clippy::print_stdout, reason = "a program for people")]

use detect::{Engine, Item, shipped};
use event::{Event, Kind};
use std::sync::Arc;
use std::time::Instant;

/// Rounds, of which the fastest counts: whatever else runs only makes it slower.
const ROUNDS: usize = 7;

fn main() {
    let path = std::env::args().nth(1).expect("give a file of events, one a line");
    let text = std::fs::read_to_string(path).unwrap();
    let records: Vec<(Vec<u8>, Vec<u8>)> = text
        .lines()
        .map(|line| {
            let event = Event::from_json(line.as_bytes()).unwrap();
            let (mut meta, mut content) = (Vec::new(), Vec::new());
            event.write_meta(&mut meta);
            event.write_content(&mut content);
            (meta, content)
        })
        .collect();
    let set = Arc::new(shipped(&[]).unwrap());
    let mut best = f64::MAX;
    let mut found = 0;
    for _ in 0..ROUNDS {
        let mut engine = Engine::new(Arc::clone(&set), "example.org");
        let mut hits = Vec::new();
        let begun = Instant::now();
        for (index, (meta, content)) in (0..).zip(&records) {
            // Some hundred events a second.
            let recorded_at_ms = index * 5;
            let item = Item { index, recorded_at_ms, kind: Kind::Event, meta, content };
            engine.offer(&item, &mut hits);
        }
        best = best.min(begun.elapsed().as_secs_f64());
        found = hits.len();
    }
    let count = records.len();
    let each = best * 1e9 / count as f64;
    println!("{count} events, {found} incidents, {each:.0} ns for each event");
}
