//! Expiry on a clock.

use super::*;
use retain::{Plan, Policy, Profile, expire, hold, holds, holds_seen, plan, release};

fn expire_at(world: &mut World, now_ms: u64, policy: &Policy) -> retain::Expired {
    world.set(now_ms);
    expire(&mut world.writer, policy, now_ms, &by("tests")).unwrap()
}

fn planned(world: &mut World, now_ms: u64) -> Plan {
    world.writer.settle_tail().unwrap();
    plan(&world.writer.settled(), &[], &Policy::default(), now_ms).unwrap()
}

#[test]
fn each_tier_goes_when_its_days_are_over_and_no_other() {
    let mut world = World::new();
    (0..3).for_each(|n| world.append(&format!("s{n}")));
    let policy = Policy::default();
    let steps = [
        (1, [3, 3, 3, 3]),
        (7, [3, 3, 3, 3]),
        (8, [0, 3, 3, 3]),
        (30, [0, 3, 3, 3]),
        (31, [0, 0, 3, 3]),
        (365, [0, 0, 3, 3]),
        (366, [0, 0, 0, 3]),
        (730, [0, 0, 0, 3]),
        (731, [0, 0, 0, 0]),
    ];
    let mut gone = 0;
    for (days, left) in steps {
        let now_ms = BEGIN_MS + days * DAY_MS;
        gone += expire_at(&mut world, now_ms, &policy).records;
        assert_eq!(world.left(), left, "after {days} days");
        assert_eq!(gone, 12 - left.iter().sum::<usize>() as u64);
        if days == 31 {
            world = world.reopened();
        }
    }
    // Its own records are there still, those of the expiries among them.
    world.writer.settle_tail().unwrap();
    assert_eq!((world.said("log.created"), world.said("log.expiry")), (1, 4));
    let again = expire_at(&mut world, BEGIN_MS + 731 * DAY_MS, &policy);
    assert_eq!((again.records, again.authority), (0, None));
}

#[test]
fn a_clock_that_is_wrong_by_a_day_removes_nothing_early() {
    let mut world = World::new();
    world.append("s");
    // Within the day, hour by hour: whatever the hour, nothing is younger than seven days when it
    // goes although the clock is fast by a day.
    for hours in (0..7 * 24).step_by(23) {
        let true_ms = BEGIN_MS + hours * 3_600_000;
        for wrong in [true_ms + DAY_MS, true_ms - DAY_MS] {
            let expired = planned(&mut world, wrong);
            let going: u64 = expired.classes.iter().map(|class| class.going).sum();
            assert_eq!(going, 0, "{hours} hours, clock {wrong}");
        }
    }
    expire_at(&mut world, BEGIN_MS + 8 * DAY_MS, &Policy::default());
    assert_eq!(world.left(), [0, 1, 1, 1]);
    // Set back afterwards: nothing more goes, and the log goes on.
    expire_at(&mut world, BEGIN_MS - DAY_MS, &Policy::default());
    assert_eq!(world.left(), [0, 1, 1, 1]);
}

#[test]
fn a_clock_that_is_wrong_by_a_day_expires_no_tier_early() {
    for (place, days) in [7, 30, 365, 730].into_iter().enumerate() {
        let mut world = World::new();
        world.append("s");
        // The last two days before it is due, forward and back by a day each time.
        for hours in (1..48).rev().step_by(5) {
            let true_ms = BEGIN_MS + days * DAY_MS - hours * 3_600_000;
            for wrong in [true_ms + DAY_MS, true_ms - DAY_MS] {
                expire_at(&mut world, wrong, &Policy::default());
                assert_eq!(world.left()[place], 1, "{hours} hours before {days} days");
            }
        }
        expire_at(&mut world, BEGIN_MS + (days + 1) * DAY_MS, &Policy::default());
        assert_eq!(world.left()[place], 0, "after {days} days and one");
    }
}

#[test]
fn a_profile_keeps_what_would_have_gone() {
    let mut world = World::new();
    world.append("s");
    let policy = Policy::of(Profile::EuAiAct);
    expire_at(&mut world, BEGIN_MS + 184 * DAY_MS, &policy);
    assert_eq!(world.left(), [1, 1, 1, 1]);
    expire_at(&mut world, BEGIN_MS + 185 * DAY_MS, &policy);
    assert_eq!(world.left(), [0, 0, 1, 1]);
}

#[test]
fn a_hold_keeps_what_it_names_until_it_is_released() {
    let mut world = World::new();
    (0..3).for_each(|n| world.append(&format!("s{n}")));
    let name = hold(&mut world.writer, &session("s1"), "a lawsuit", &by("counsel")).unwrap();
    world.append("s1b");
    let mut world = world.reopened();
    let now_ms = BEGIN_MS + 8 * DAY_MS;
    let plan = planned(&mut world, now_ms);
    let due = plan.classes.first().unwrap();
    assert_eq!((due.tier, due.going, due.held), (Tier::Debug, 3, 1));
    assert!(plan.classes.iter().skip(1).all(|class| class.going == 0));
    let expired = expire_at(&mut world, now_ms, &Policy::default());
    assert_eq!((expired.records, expired.held), (3, 1));
    assert_eq!(world.left(), [1, 4, 4, 4]);
    let expired = expire_at(&mut world, BEGIN_MS + 800 * DAY_MS, &Policy::default());
    assert_eq!(expired.held, 4);
    assert_eq!(world.left(), [1, 1, 1, 1]);
    release(&mut world.writer, &name, "settled", &by("counsel")).unwrap();
    assert!(release(&mut world.writer, &name, "again", &by("counsel")).is_err());
    expire_at(&mut world, BEGIN_MS + 800 * DAY_MS, &Policy::default());
    assert_eq!(world.left(), [0, 0, 0, 0]);
}

/// The records that were in no segment when `settled` was taken.
fn tail_of<'r>(settled: &seal::Settled, rows: &'r BTreeMap<u64, Row>) -> Vec<&'r Row> {
    let covered = settled.catalogue().covered();
    rows.values().filter(|row| row.index >= covered).collect()
}

#[test]
fn records_that_no_segment_has_yet_are_planned_as_the_segments_that_they_become() {
    let mut world = World::new();
    (0..3).for_each(|n| world.append(&format!("s{n}")));
    hold(&mut world.writer, &session("s1"), "a lawsuit", &by("counsel")).unwrap();
    world.writer.settle_tail().unwrap();
    let before = world.writer.settled();
    world.append("s1");
    world.append("s4");
    world.set(BEGIN_MS + DAY_MS);
    world.append("s5");
    world.writer.settle_tail().unwrap();
    let (after, rows) = (world.writer.settled(), world.rows());
    let tail = tail_of(&before, &rows);
    assert!(tail.len() > 12, "{}", tail.len());
    let policy = Policy::default();
    for days in [0, 8, 9, 31, 32, 400, 800] {
        let now_ms = BEGIN_MS + days * DAY_MS;
        let seen = plan(&before, &tail, &policy, now_ms).unwrap();
        let settled = plan(&after, &[], &policy, now_ms).unwrap();
        assert_eq!(seen.newest_ms, settled.newest_ms);
        // Segments are compressed, what waits for them is not.
        let told = |plan: &Plan| -> Vec<retain::Due> {
            plan.classes.iter().map(|due| retain::Due { bytes: 0, ..*due }).collect()
        };
        assert_eq!(told(&seen), told(&settled), "after {days} days");
    }
    let nothing = plan(&before, &[], &policy, BEGIN_MS + 800 * DAY_MS).unwrap();
    let all = plan(&before, &tail, &policy, BEGIN_MS + 800 * DAY_MS).unwrap();
    assert_eq!(all.going() - nothing.going(), 8, "two events of each tier, and not those held");
}

#[test]
fn holds_that_no_segment_has_yet_are_in_force_and_releases_end_them() {
    let mut world = World::new();
    world.append("s0");
    let old = hold(&mut world.writer, &session("s0"), "old", &by("counsel")).unwrap();
    world.writer.settle_tail().unwrap();
    let before = world.writer.settled();
    let new = hold(&mut world.writer, &session("s1"), "new", &by("counsel")).unwrap();
    world.writer.settle_tail().unwrap();
    let rows = world.rows();
    let tail = tail_of(&before, &rows);
    // The ledger of then shows the old one only, that of now both: the answer is the same.
    let both = holds(&world.writer.settled()).unwrap();
    let names = |holds: &[retain::Hold]| -> Vec<String> {
        holds.iter().map(|it| it.name.clone()).collect()
    };
    assert!(both.len() == 2 && names(&both).contains(&old) && names(&both).contains(&new));
    assert_eq!(holds_seen(&before, &tail).unwrap(), both);
    assert_eq!(names(&holds_seen(&before, &[]).unwrap()), std::slice::from_ref(&old));
    release(&mut world.writer, &old, "over", &by("counsel")).unwrap();
    release(&mut world.writer, &new, "over", &by("counsel")).unwrap();
    world.writer.settle_tail().unwrap();
    let rows = world.rows();
    assert_eq!(holds_seen(&before, &tail_of(&before, &rows)).unwrap(), []);
}
