//! What the simulated disk promises, and what it does not.

use super::{Fault, FaultKind, SimulatedFolder};
use crate::random::Random;
use store::{Folder, StoreError, TEMPORARY_SUFFIX};

/// The same story under many seeds; whether `seen` was true for any of them, and for all.
fn any_and_all(seen: impl Fn(u64) -> bool) -> (bool, bool) {
    let outcomes: Vec<bool> = (0..200).map(seen).collect();
    (outcomes.contains(&true), !outcomes.contains(&false))
}

#[test]
fn unsynced_bytes_are_lost_torn_or_kept_and_synced_ones_are_always_there() {
    let story = |seed: u64, synced: bool| {
        let folder = SimulatedFolder::new(seed);
        let mut file = folder.open("journal/a").unwrap();
        file.write_at(0, &[1; 4096]).unwrap();
        if synced {
            file.sync().unwrap();
        }
        folder.power_cut(&mut Random::new(seed)).read("journal/a").unwrap().unwrap()
    };
    assert_eq!(any_and_all(|seed| story(seed, true) == vec![1; 4096]), (true, true));
    assert_eq!(any_and_all(|seed| story(seed, false) == vec![1; 4096]), (true, false));
    assert_eq!(any_and_all(|seed| story(seed, false).is_empty()), (true, false));
    let torn = |seed: u64| {
        let bytes = story(seed, false);
        bytes
            .chunks(512)
            .all(|sector| sector.iter().all(|byte| *byte == sector[0]))
            .then_some(bytes)
    };
    assert!((0..200).all(|seed| torn(seed).is_some()), "a sector is written whole or not at all");
    let holes = |seed| torn(seed).is_some_and(|bytes| bytes.contains(&0) && bytes.contains(&1));
    assert_eq!(any_and_all(holes), (true, false));
}

#[test]
fn writing_the_last_block_again_never_harms_what_was_synced_in_it() {
    let story = |seed: u64| {
        let folder = SimulatedFolder::new(seed);
        let mut file = folder.open("a").unwrap();
        file.write_at(0, &[1; 1024]).unwrap();
        file.sync().unwrap();
        file.write_at(1024, &[2; 100]).unwrap();
        folder.power_cut(&mut Random::new(seed)).read("a").unwrap().unwrap()
    };
    assert_eq!(any_and_all(|seed| story(seed)[..1024] == [1; 1024]), (true, true));
    assert_eq!(any_and_all(|seed| story(seed)[1024..1124] == [2; 100]), (true, false));
}

#[test]
fn a_written_name_may_lead_to_the_old_bytes_nothing_or_a_part_until_it_is_synced() {
    let story = |seed: u64, synced: bool| {
        let folder = SimulatedFolder::new(seed);
        folder.replace("tile/0", &[1; 2000]).unwrap();
        folder.write("tile/0", &[2; 2000]).unwrap();
        if synced {
            folder.sync(&["tile/0".to_owned()]).unwrap();
        }
        folder.power_cut(&mut Random::new(seed)).read("tile/0").unwrap().unwrap()
    };
    assert_eq!(any_and_all(|seed| story(seed, true) == [2; 2000]), (true, true));
    assert_eq!(any_and_all(|seed| story(seed, false) == [1; 2000]), (true, false));
    assert_eq!(any_and_all(|seed| story(seed, false) == [2; 2000]), (true, false));
    assert_eq!(any_and_all(|seed| story(seed, false).is_empty()), (true, false));
    let part = |seed| story(seed, false).len() < 2000 && story(seed, false).starts_with(&[2]);
    assert_eq!(any_and_all(part), (true, false));
}

#[test]
fn a_new_name_in_a_new_folder_is_lost_unless_it_was_synced_or_opened() {
    let story = |seed: u64, make: fn(&SimulatedFolder)| {
        let folder = SimulatedFolder::new(seed);
        make(&folder);
        folder.power_cut(&mut Random::new(seed)).size("a/b/c").unwrap().is_some()
    };
    assert_eq!(any_and_all(|s| story(s, |f| f.write("a/b/c", b"x").unwrap())), (true, false));
    assert_eq!(any_and_all(|s| story(s, |f| f.replace("a/b/c", b"x").unwrap())), (true, true));
    assert_eq!(any_and_all(|s| story(s, |f| drop(f.open("a/b/c").unwrap()))), (true, true));
    let removed = |f: &SimulatedFolder| {
        f.replace("a/b/c", b"x").unwrap();
        f.remove("a/b/c").unwrap();
    };
    assert_eq!(any_and_all(|seed| story(seed, removed)), (true, false));
}

#[test]
fn replace_leaves_the_old_bytes_or_the_new_ones_wherever_the_power_goes() {
    for at_call in 0..12 {
        for kind in [FaultKind::CrashBefore, FaultKind::CrashAfter] {
            for seed in 0..30 {
                let folder = SimulatedFolder::new(seed);
                folder.replace("keyring", &[1; 3000]).unwrap();
                folder.set_faults(vec![Fault { at_call: folder.calls() + at_call, kind }]);
                let outcome = folder.replace("keyring", &[2; 3000]);
                assert_eq!(outcome.is_err(), folder.is_off());
                let after = folder.power_cut(&mut Random::new(seed));
                let bytes = after.read("keyring").unwrap().unwrap();
                assert!(bytes == [2; 3000] || (outcome.is_err() && bytes == [1; 3000]));
            }
        }
    }
}

#[test]
fn a_failed_sync_loses_bytes_although_the_retry_says_yes() {
    let story = |seed: u64, restart: fn(&SimulatedFolder, &mut Random) -> SimulatedFolder| {
        let folder = SimulatedFolder::new(seed);
        let mut file = folder.open("a").unwrap();
        file.write_at(0, b"A").unwrap();
        file.sync().unwrap();
        file.write_at(0, b"B").unwrap();
        let fault = Fault { at_call: folder.calls(), kind: FaultKind::FailedSync };
        folder.set_faults(vec![fault]);
        assert!(file.sync().is_err());
        assert_eq!(folder.fired(), [fault]);
        file.sync().unwrap();
        assert_eq!(folder.read("a").unwrap().unwrap()[0], b'B', "the cache has it");
        restart(&folder, &mut Random::new(seed)).read("a").unwrap().unwrap()[0]
    };
    assert_eq!(any_and_all(|s| story(s, |f, r| f.power_cut(r)) == b'A'), (true, false));
    assert_eq!(any_and_all(|s| story(s, |f, r| f.process_kill(r)) == b'A'), (true, false));
    let written_again = |seed: u64| {
        let folder = SimulatedFolder::new(seed);
        let mut file = folder.open("a").unwrap();
        file.write_at(0, b"B").unwrap();
        folder.set_faults(vec![Fault { at_call: folder.calls(), kind: FaultKind::FailedSync }]);
        assert!(file.sync().is_err());
        file.write_at(0, b"B").unwrap();
        file.sync().unwrap();
        folder.power_cut(&mut Random::new(seed)).read("a").unwrap().unwrap()[0] == b'B'
    };
    assert_eq!(any_and_all(written_again), (true, true));
}

#[test]
fn a_process_that_dies_loses_nothing_but_its_lock() {
    let folder = SimulatedFolder::new(1);
    folder.write("log.json", b"{}").unwrap();
    let lock = folder.lock("log.json").unwrap();
    assert!(matches!(folder.lock("log.json"), Err(StoreError::Locked { .. })));
    let next = folder.process_kill(&mut Random::new(1));
    assert!(folder.read("log.json").is_err(), "the dead do nothing");
    assert_eq!(next.read("log.json").unwrap().unwrap(), b"{}");
    drop(next.lock("log.json").unwrap());
    drop(lock);
}

#[test]
fn short_writes_and_full_disks_leave_a_part_and_say_so() {
    for kind in [FaultKind::ShortWrite, FaultKind::Enospc] {
        let folder = SimulatedFolder::new(7);
        let mut file = folder.open("a").unwrap();
        folder.set_faults(vec![Fault { at_call: folder.calls(), kind }]);
        let error = file.write_at(0, &[1; 100]).unwrap_err();
        assert_eq!(error.is_out_of_space(), kind == FaultKind::Enospc);
        assert!(folder.size("a").unwrap().unwrap() < 4096);
        file.write_at(0, &[1; 100]).unwrap();
    }
}

#[test]
fn whatever_fails_in_a_write_no_half_file_gets_the_name() {
    for at_call in 0..6 {
        for kind in FaultKind::ERRORS {
            let folder = SimulatedFolder::new(at_call);
            folder.write("tile/0", b"old").unwrap();
            folder.set_faults(vec![Fault { at_call: folder.calls() + at_call, kind }]);
            let outcome = folder.write("tile/0", b"new bytes");
            folder.set_faults(Vec::new());
            let bytes = folder.read("tile/0").unwrap().unwrap();
            assert_eq!(bytes, if outcome.is_ok() { &b"new bytes"[..] } else { b"old" });
            let left = folder.list("").unwrap();
            assert!(left.iter().all(|path| !path.ends_with(TEMPORARY_SUFFIX)));
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_disk() {
    let story = |seed: u64| {
        let folder = SimulatedFolder::new(seed);
        for number in 0..20_u8 {
            folder.write(&format!("tile/{number}"), &[number; 1500]).unwrap();
        }
        let after = folder.power_cut(&mut Random::new(seed));
        let files = after.list("").unwrap();
        files.into_iter().map(|path| (after.read(&path).unwrap(), path)).collect::<Vec<_>>()
    };
    assert_eq!(story(3), story(3));
    assert_ne!(story(3), story(4));
}
