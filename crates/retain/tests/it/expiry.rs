//! Expiry on a clock.

use super::*;
use retain::{Policy, Profile, expire, hold, plan, release};

fn expire_at(world: &mut World, now_ms: u64, policy: &Policy) -> retain::Expired {
    world.set(now_ms);
    expire(&mut world.writer, policy, now_ms, &by("tests")).unwrap()
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
            let expired = retain::plan(&mut world.writer, &Policy::default(), wrong).unwrap();
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
    let plan = plan(&mut world.writer, &Policy::default(), now_ms).unwrap();
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
