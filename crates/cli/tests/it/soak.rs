//! `tacho bench soak`, for some seconds: that it does what it says, and judges what it saw. How
//! long a server holds out is not for a test to say.

use crate::program::Home;
use serde_json::Value;

/// The shortest that shows everything.
const SHORT: [&str; 14] = [
    "bench",
    "soak",
    "--minutes",
    "0.02",
    "--peak-seconds",
    "1",
    "--overload-seconds",
    "1",
    "--recovery-seconds",
    "1",
    "--overload-connections",
    "8",
    "--case",
    "2x10",
];

#[test]
fn a_soak_goes_through_its_phases_and_says_of_each_bar_whether_it_held() {
    let home = Home::new();
    let ran = home.run(&[&SHORT[..], &["--format", "json"]].concat());
    // Whether the rest held is the machine's affair.
    assert!(ran.code <= 1 && !ran.err.contains("error:"), "{}: {}", ran.code, ran.err);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let rows = report["rows"].as_array().unwrap();
    let mut phases: Vec<&str> = rows.iter().map(|row| row["phase"].as_str().unwrap()).collect();
    assert!(phases.iter().filter(|phase| **phase == "half").count() >= 5, "{phases:?}");
    phases.dedup();
    assert_eq!(phases, ["peak", "half", "overload", "recovery"]);
    let offered = |phase: &str| {
        let row = rows.iter().find(|row| row["phase"] == phase).unwrap();
        row["offered_per_second"].as_f64().unwrap()
    };
    assert!((offered("overload") / offered("half") - 6.0).abs() < 1e-6, "{rows:?}");
    let bars = report["bars"].as_array().unwrap();
    let met = |at: usize| bars[at]["is_met"].as_bool();
    assert_eq!(bars.len(), 6, "{bars:?}");
    assert_eq!((met(0), met(1)), (None, None), "a second says nothing about hours: {bars:?}");
    assert_eq!((met(2), met(3)), (Some(true), Some(true)), "{bars:?}");
    let is_missed = bars.iter().any(|bar| bar["is_met"] == false);
    assert_eq!(ran.code == 1, is_missed, "{bars:?}");
    // Nothing is left of the server and its folder.
    let names = std::fs::read_dir(home.path(".")).unwrap().map(|it| it.unwrap().file_name());
    let left: Vec<_> = names.filter(|it| it.to_string_lossy().contains("bench")).collect();
    assert!(left.is_empty(), "{left:?}");
}
