//! Stories that went wrong once, each told with every seed and at every call that it needs.

use super::*;
use std::ops::Range;

/// A journal file with a single frame is larger than this, one without any is not.
const ROLL_ALWAYS: u64 = 65;

fn world(seed: u64, roll: u64) -> World {
    let mut world = World::create(seed, SimulatedFolder::new(seed)).unwrap();
    world.options.journal_roll_bytes = roll;
    world
}

/// A life of one batch and one publication that is stopped at a call.
fn stop_at(world: &mut World, at_call: u64, kind: FaultKind, end: End) -> Result<(), String> {
    world.faults = vec![Fault { at_call: world.folder.calls() + at_call, kind }];
    if let Some(mut writer) = world.open()?
        && let Step::Alive = world.append(&mut writer)?
    {
        let _ = world.publish(&mut writer)?;
    }
    world.end(end)?;
    world.faults.clear();
    Ok(())
}

/// Stops at every call of a life by `end`, begins another that succeeds, and loses power.
fn survives(roll: u64, kind: FaultKind, end: End) {
    survives_at(0..70, 3, roll, kind, end);
}

fn survives_at(calls: Range<u64>, seeds: u64, roll: u64, kind: FaultKind, end: End) {
    for at_call in calls {
        for seed in 0..seeds {
            let mut world = world(seed, roll);
            let story = |world: &mut World| {
                stop_at(world, at_call, kind, end)?;
                world.live(0)?;
                world.end(End::PowerCut)?;
                world.live(0)
            };
            if let Err(what) = story(&mut world) {
                let trace = world.folder.trace().join("\n");
                panic!("stopped at call {at_call}, seed {seed}: {what}\n{trace}");
            }
        }
    }
}

#[test]
fn a_power_cut_at_any_call_of_rolling_and_publishing_is_survived() {
    survives(ROLL_ALWAYS, FaultKind::CrashAfter, End::PowerCut);
}

#[test]
fn a_journal_file_whose_header_was_torn_by_a_power_cut_is_begun_again() {
    // The 39th call writes the header.
    survives_at(38..40, 60, ROLL_ALWAYS, FaultKind::CrashAfter, End::PowerCut);
}

#[test]
fn names_that_a_killed_process_left_undurable_are_made_durable_before_they_count() {
    survives(ROLL_ALWAYS, FaultKind::CrashAfter, End::Kill);
    survives(1 << 30, FaultKind::CrashAfter, End::Kill);
}

#[test]
fn bytes_whose_sync_failed_are_written_again_before_they_count() {
    survives(ROLL_ALWAYS, FaultKind::FailedSync, End::Reopen);
    survives(1 << 30, FaultKind::FailedSync, End::Reopen);
}

#[test]
fn publishing_does_not_touch_what_the_published_checkpoint_needs() {
    for seed in 0..20 {
        let mut world = world(seed, 1 << 30);
        let mut writer = world.open().unwrap().unwrap();
        // From 256 to 511 entries, every head needs the same tile of level 1.
        while writer.size() < 300 {
            world.append(&mut writer).unwrap();
        }
        world.publish(&mut writer).unwrap();
        world.append(&mut writer).unwrap();
        let files = 4;
        let at_call = world.folder.calls() + 3 * files - 2;
        world.folder.set_faults(vec![Fault { at_call, kind: FaultKind::CrashBefore }]);
        world.publish(&mut writer).unwrap();
        drop(writer);
        world.end(End::PowerCut).unwrap();
        if let Err(what) = world.live_in_peace() {
            panic!("seed {seed}: {what}\n{}", world.folder.trace().join("\n"));
        }
    }
}

#[test]
fn a_clock_that_is_ahead_only_while_the_log_opens_leaves_no_gap_in_a_stream() {
    for seed in 0..20 {
        let mut world = world(seed, 1 << 30);
        let story = |world: &mut World| {
            let mut writer = world.open()?.ok_or("not opened")?;
            for _ in 0..6 {
                world.append(&mut writer)?;
            }
            world.publish(&mut writer)?;
            drop(writer);
            world.clock.jump(DAY_MS);
            let mut writer = world.open()?.ok_or("not opened")?;
            world.clock.jump(-DAY_MS);
            for _ in 0..6 {
                world.append(&mut writer)?;
            }
            drop(writer);
            world.end(End::Kill)?;
            world.live_in_peace()
        };
        if let Err(what) = story(&mut world) {
            panic!("seed {seed}: {what}");
        }
    }
}

/// A log with events of all sessions in segments, in which a removal is stopped at a call.
fn stopped_removal(at_call: u64, kind: FaultKind, end: End) -> Result<u64, String> {
    let mut world = world(at_call % 7, 1 << 30);
    let mut writer = world.open()?.ok_or("it did not open")?;
    for _ in 0..6 {
        world.append(&mut writer)?;
    }
    world.roll(&mut writer)?;
    world.clock.jump(3 * DAY_MS);
    let before = world.folder.calls();
    world.folder.set_faults(vec![Fault { at_call: before + at_call, kind }]);
    world.remove(&mut writer)?;
    let calls = world.folder.calls() - before;
    drop(writer);
    world.end(end)?;
    world.live_in_peace()?;
    Ok(calls)
}

#[test]
fn a_removal_that_is_stopped_at_any_call_is_undone_or_finished() {
    for (kind, end) in [
        (FaultKind::CrashAfter, End::PowerCut),
        (FaultKind::CrashBefore, End::Kill),
        (FaultKind::FailedSync, End::Reopen),
        (FaultKind::Eio, End::PowerCut),
    ] {
        let mut longest = 0;
        // Every third call here; the slices of `cargo xtask simulate` reach all of them.
        for at_call in (0..160).step_by(3) {
            match stopped_removal(at_call, kind, end) {
                Ok(calls) => longest = longest.max(calls),
                Err(what) => panic!("{kind:?} at call {at_call}: {what}"),
            }
        }
        assert!(longest > 100, "the removals were too short: {longest} calls");
    }
}

/// A log in which a rotation is stopped at a call; another one follows in peace.
/// Returns the epoch in which the log was opened again.
fn stopped_rotation(at_call: u64, kind: FaultKind, end: End) -> Result<u64, String> {
    let mut world =
        world(at_call % 7, if at_call.is_multiple_of(2) { ROLL_ALWAYS } else { 1 << 30 });
    let told = stop_rotation(&mut world, at_call, kind, end);
    told.map_err(|what| format!("{what}\n{}", world.folder.trace().join("\n")))
}

fn stop_rotation(
    world: &mut World,
    at_call: u64,
    kind: FaultKind,
    end: End,
) -> Result<u64, String> {
    let mut writer = world.open()?.ok_or("it did not open")?;
    for _ in 0..3 {
        world.append(&mut writer)?;
    }
    let before = world.folder.calls();
    world.folder.set_faults(vec![Fault { at_call: before + at_call, kind }]);
    world.rotate(&mut writer)?;
    drop(writer);
    world.end(end)?;
    // Behind the last call of the rotation none is stopped.
    world.faults.clear();
    drop(world.open()?.ok_or("it did not open again")?);
    let epoch = world.model.epochs().last().number;
    world.end(End::Kill)?;
    world.live_in_peace()?;
    let mut writer = world.open()?.ok_or("it did not open in the end")?;
    world.rotate(&mut writer)?;
    writer.close().map_err(|error| error.to_string())?;
    world.look()?;
    Ok(epoch)
}

#[test]
fn a_rotation_that_is_stopped_at_any_call_is_undone_or_finished() {
    let mut epochs = std::collections::BTreeSet::new();
    let kinds = [
        (FaultKind::CrashAfter, End::PowerCut),
        (FaultKind::CrashBefore, End::Kill),
        (FaultKind::FailedSync, End::Reopen),
        (FaultKind::Eio, End::PowerCut),
    ];
    // Each call by one kind here; the slices of `cargo xtask simulate` reach all of them by all.
    for (at_call, (kind, end)) in (0..120).zip(kinds.into_iter().cycle()) {
        match stopped_rotation(at_call, kind, end) {
            Ok(epoch) => drop(epochs.insert(epoch)),
            Err(what) => panic!("{kind:?} at call {at_call}: {what}"),
        }
    }
    assert_eq!(epochs, [0, 1].into(), "some were undone, and some finished");
}

/// Journal files enough for a class of segments to be compacted, and a few more: not every one has
/// records of every tier.
const SMALL_FILES: usize = 12;

/// A log with ended journal files, of which segments are being made when it is stopped at a call.
fn stopped_roll(at_call: u64, kind: FaultKind, end: End) -> Result<Tally, String> {
    let mut world = world(3, 1 << 30);
    let mut writer = world.open()?.ok_or("it did not open")?;
    for _ in 0..3 {
        world.append(&mut writer)?;
        writer.end_journal_file();
    }
    world.append(&mut writer)?;
    stop_making(world, writer, (at_call, kind, end), World::make_segments)
}

/// The same, when small segments are being made one.
fn stopped_compaction(at_call: u64, kind: FaultKind, end: End) -> Result<Tally, String> {
    let mut world = world(3, 1 << 30);
    let mut writer = world.open()?.ok_or("it did not open")?;
    for _ in 0..SMALL_FILES {
        world.append(&mut writer)?;
        writer.end_journal_file();
    }
    world.append(&mut writer)?;
    world.make_segments(&mut writer)?;
    stop_making(world, writer, (at_call, kind, end), World::compact)
}

fn stop_making(
    mut world: World,
    mut writer: Writer,
    (at_call, kind, end): (u64, FaultKind, End),
    make: impl FnOnce(&mut World, &mut Writer) -> Result<(), String>,
) -> Result<Tally, String> {
    let before = world.folder.calls();
    world.folder.set_faults(vec![Fault { at_call: before + at_call, kind }]);
    make(&mut world, &mut writer)?;
    let (made, calls) = (world.tally, world.folder.calls() - before);
    let fired = !world.folder.fired().is_empty();
    drop(writer);
    world.end(end)?;
    // Behind the last call nothing is stopped.
    world.faults.clear();
    world.live_in_peace()?;
    Ok(Tally { faults: u64::from(fired), calls, ..made })
}

/// Runs a process whole, and then stops it at so many of its calls, from the first to the last,
/// each by one kind; the slices of `cargo xtask simulate` reach all of them by all. Returns what
/// the whole one did.
fn stop_at_many(
    stops: u64,
    stopped: impl Fn(u64, FaultKind, End) -> Result<Tally, String>,
) -> Tally {
    let kinds = [
        (FaultKind::CrashAfter, End::PowerCut),
        (FaultKind::CrashBefore, End::Kill),
        (FaultKind::FailedSync, End::Reopen),
        (FaultKind::Eio, End::PowerCut),
    ];
    let whole = stopped(7_000_000, FaultKind::Eio, End::Kill).unwrap();
    assert_eq!(whole.faults, 0);
    for (stop, (kind, end)) in (0..stops).zip(kinds.into_iter().cycle()) {
        let at_call = stop * whole.calls / stops;
        let outcome = stopped(at_call, kind, end);
        let tally = outcome.unwrap_or_else(|what| panic!("{kind:?} at call {at_call}: {what}"));
        // A sync that fails needs a sync: the next one after the call may be behind the last.
        let is_late = stop * 5 > stops * 4;
        assert!(tally.faults > 0 || is_late, "{kind:?} did not happen at call {at_call}");
    }
    whole
}

#[test]
fn a_roll_that_is_stopped_at_any_call_is_undone_or_finished() {
    let whole = stop_at_many(60, stopped_roll);
    assert!(whole.rolled >= 3 && whole.calls > 60, "{whole:?}");
}

#[test]
fn a_compaction_that_is_stopped_at_any_call_is_undone_or_finished() {
    let whole = stop_at_many(40, stopped_compaction);
    assert!(whole.compacted > 0 && whole.calls > 40, "{whole:?}");
}
