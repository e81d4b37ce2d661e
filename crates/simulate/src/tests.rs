//! A slice of what `cargo xtask simulate` runs at length.

use crate::{Fault, FaultKind, Tally, faults, on_a_lying_disk, power_cuts};

#[test]
fn power_cuts_kills_and_faults_lose_nothing_acknowledged() {
    let mut total = Tally::default();
    for seed in 0..60 {
        match power_cuts(seed) {
            Ok(tally) => total += tally,
            Err(failure) => panic!("seed {seed}: {failure}"),
        }
    }
    assert!(total.power_cuts > 100 && total.kills > 20 && total.faults > 100, "{total:?}");
    assert!(total.acknowledged > 5_000, "{total:?}");
}

#[test]
fn a_failure_at_any_call_is_final_until_the_log_is_reopened() {
    for at_call in 0..40 {
        for kind in FaultKind::ERRORS {
            if let Err(failure) = faults(1, &[Fault { at_call, kind }]) {
                panic!("{failure}");
            }
        }
    }
}

#[test]
fn a_lying_sync_is_noticed() {
    let noticed = (0..40).filter(|seed| on_a_lying_disk(*seed).is_err()).count();
    assert!(
        noticed > 30,
        "a disk that does not sync went unnoticed in {} of 40 runs",
        40 - noticed
    );
}

#[test]
fn a_seed_repeats_its_run() {
    let first = power_cuts(5);
    let second = power_cuts(5);
    match (first, second) {
        (Ok(first), Ok(second)) => assert_eq!(first, second),
        (Err(first), Err(second)) => assert_eq!(first.to_string(), second.to_string()),
        (first, second) => panic!("{first:?} and {second:?}"),
    }
}
