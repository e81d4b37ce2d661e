//! How fast a scan goes: run with `cargo test --release -p query -- --ignored rate --nocapture`.

use crate::incident::refund;
use query::{Filter, Sieve};
use std::time::Instant;

#[test]
#[ignore = "a measurement; needs an optimised build"]
fn scan_rate() {
    let records = refund();
    let one = |value: &str| vec![value.to_owned()];
    let from = event::Timestamp::parse("2027-01-01T00:00:00Z");
    for (name, filter) in [
        ("trace, none match", Filter { traces: one("nobody"), ..Filter::default() }),
        ("agent, half match", Filter { agents: one("Billing"), ..Filter::default() }),
        ("type, none match", Filter { types: one("hub.*"), ..Filter::default() }),
        ("text, none match", Filter { text: Some("nothing like it".into()), ..Filter::default() }),
        (
            "text, two match",
            Filter { text: Some("service unavailable".into()), ..Filter::default() },
        ),
        ("from, none match", Filter { from, ..Filter::default() }),
    ] {
        let sieve = Sieve::new(&filter);
        let (start, mut matched) = (Instant::now(), 0_u64);
        for _ in 0..100_000 {
            for found in &records {
                matched += u64::from(sieve.accepts(found).unwrap());
            }
        }
        let rate = 100_000.0 * records.len() as f64 / start.elapsed().as_secs_f64();
        println!("{name:20} {:6.2} M records/s, {matched} matched", rate / 1e6);
    }
}
