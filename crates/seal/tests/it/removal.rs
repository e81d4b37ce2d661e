//! Records, or their content, go for good: from every file, and no other record with them.

use super::roll::{DAY_MS, catalogue, clocked, mixed, rows};
use super::*;
use event::{Cause, Content, Event, Json, Part, Removal, RemovedClass, Scope, Tier};
use keys::{Keyring, Purpose};
use seal::{Consequence, SealError};
use segment::{ContentState, Row};
use std::sync::atomic::Ordering;

pub(super) fn intent(kind: &'static str) -> Event<'static> {
    let mut content = Content::default();
    content.set(Part::Params, Json::from_value(&serde_json::json!({ "reason": "asked for" })));
    Event { event_type: kind.into(), content, ..Event::default() }
}

pub(super) fn removal(scope: Scope, tier: Tier, indexes: Vec<(u64, u64)>) -> Removal {
    let classes = vec![RemovedClass { tier, day: 20_000, indexes }];
    Removal { cause: Cause::Erasure, scope, authority: 0, classes, files: Vec::new() }
}

/// A log with the events `e-0` to `e-29` at the indexes 2 to 31, all of them in segments.
fn settled() -> (MemoryFolder, Arc<dyn Folder>, Writer, Options) {
    let (memory, folder, _, options) = clocked();
    let mut writer = seal::open(&folder, kek(), options.clone()).unwrap();
    let batch = mixed(&writer, 0..30);
    writer.commit(vec![batch]).unwrap();
    writer.settle_tail().unwrap();
    (memory, folder, writer, options)
}

fn row(writer: &Writer, index: u64) -> Option<Row> {
    writer.settled_row(index).unwrap()
}

#[test]
fn erased_content_is_gone_and_what_committed_to_it_stays() {
    let (_, folder, mut writer, _) = settled();
    let before = row(&writer, 2).unwrap();
    assert!(matches!(&before.content, ContentState::Present { bytes, .. }
        if bytes.as_slice() == br#"{"params":{"n":0}}"#));
    let old: Vec<_> = catalogue(&folder).current().into_iter().cloned().collect();
    let authority = writer
        .decide(
            intent("log.erasure"),
            vec![Consequence::Remove(removal(Scope::Content, Tier::Info, vec![(2, 4)]))],
        )
        .unwrap();
    let after = row(&writer, 2).unwrap();
    assert!(matches!(after.content, ContentState::Erased { .. }));
    assert_eq!((after.commitment(), &after.meta), (before.commitment(), &before.meta));
    assert!(matches!(row(&writer, 5).unwrap().content, ContentState::Present { .. }));
    // 3 and 4 are in the range, and of other tiers.
    assert!(matches!(row(&writer, 3).unwrap().content, ContentState::Present { .. }));
    let erased = catalogue(&folder);
    let (_, removal) = erased.removals().next().unwrap();
    assert_eq!(removal.authority, authority);
    // The old file is gone, and so is its key: a copy of it opens with nothing.
    let keyring = Keyring::open(&folder.read("keyring").unwrap().unwrap(), &kek()).unwrap();
    let replaced = old.iter().find(|one| erased.replaces(&one.path())).unwrap();
    assert_eq!(folder.read(&replaced.path()).unwrap(), None);
    assert!(keyring.get(replaced.key_id).is_none());
    assert_eq!(keyring.by_purpose(Purpose::Segment).count(), erased.current().len());
}

#[test]
fn erased_records_are_gone_and_a_segment_of_which_nothing_is_left_has_no_successor() {
    let (memory, folder, mut writer, options) = settled();
    let info = |one: &&segment::Manifest| one.tier == Tier::Info;
    let file = catalogue(&folder).current().into_iter().find(info).unwrap().path();
    let all =
        Removal { files: vec![file.clone()], ..removal(Scope::Record, Tier::Info, vec![(0, 31)]) };
    let some = removal(Scope::Record, Tier::Debug, vec![(4, 4)]);
    // Together two of them leave nothing of a segment.
    let first = removal(Scope::Record, Tier::Compliance, vec![(0, 10)]);
    let second = removal(Scope::Record, Tier::Compliance, vec![(11, 31)]);
    let acts = [all, some, first, second].map(Consequence::Remove).into();
    writer.decide(intent("log.erasure"), acts).unwrap();
    let gone: Vec<u64> = (0..32).filter(|index| row(&writer, *index).is_none()).collect();
    let expected: Vec<u64> = (2..32).filter(|index| index % 3 != 1 || *index == 4).collect();
    assert_eq!(gone, expected);
    assert!(catalogue(&folder).current().iter().all(|one| one.tier != Tier::Info));
    assert!(!folder.list("segments").unwrap().contains(&file));
    writer.close().unwrap();
    let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::from_files(memory.snapshot()));
    let mut writer = seal::open(&folder, kek(), options).unwrap();
    assert_eq!(writer.carry_out().unwrap(), 0);
    assert_eq!(rows(&folder).keys().filter(|index| **index < 32).count(), 32 - gone.len());
    let batch = mixed(&writer, 30..31);
    writer.commit(vec![batch]).unwrap();
    writer.close().unwrap();
}

#[test]
fn more_than_a_frame_holds_is_refused_and_the_log_goes_on() {
    let (_, _, mut writer, _) = settled();
    let size = writer.size();
    let one = || Consequence::Remove(removal(Scope::Record, Tier::Compliance, vec![(3, 3)]));
    let acts = (0..=seal::REMOVALS_AT_ONCE_MAX).map(|_| one()).collect();
    let error = writer.decide(intent("log.erasure"), acts).unwrap_err();
    assert!(matches!(error, SealError::Refused { .. }), "{error}");
    assert_eq!(writer.size(), size, "nothing was said");
    writer.decide(intent("log.erasure"), vec![one()]).unwrap();
    assert!(row(&writer, 3).is_none());
}

#[test]
fn what_was_announced_is_carried_out_by_the_next_start() {
    let (memory, folder, mut writer, options) = settled();
    let before = memory.snapshot();
    let act = Consequence::Remove(removal(Scope::Record, Tier::Compliance, vec![(3, 3)]));
    writer.decide(intent("log.erasure"), vec![act]).unwrap();
    drop(writer);
    // As if it had stopped behind the announcement: segments and keyring as they were, ledger,
    // journal, tiles and checkpoint as they are.
    let mut files = memory.snapshot();
    let announced = catalogue(&folder).removals().map(|(index, _)| index).next().unwrap();
    files.retain(|path, _| !path.starts_with("segments/"));
    for (path, bytes) in &before {
        if path.starts_with("segments/") || path == "keyring" {
            files.insert(path.clone(), bytes.clone());
        }
    }
    files.retain(|path, _| segment::parse_ledger_path(path).is_none_or(|index| index <= announced));
    let stopped: Arc<dyn Folder> = Arc::new(MemoryFolder::from_files(files));
    // Its journal goes on behind: what was announced later is known from there.
    let opened = seal::open(&stopped, kek(), options);
    match opened {
        Ok(mut writer) => {
            writer.carry_out().unwrap();
            assert!(row(&writer, 3).is_none());
        }
        // The segment that the journal announces was never made in this folder.
        Err(error) => assert!(error.to_string().contains("segments/"), "{error}"),
    }
}

#[test]
fn what_must_stay_is_refused_before_anything_is_said() {
    let (_, _, mut writer, _) = settled();
    let size = writer.size();
    for (tier, indexes) in [(Tier::Critical, vec![(0, 1)]), (Tier::Info, vec![(2, 1_000)])] {
        let act = Consequence::Remove(removal(Scope::Record, tier, indexes));
        let error = writer.decide(intent("log.erasure"), vec![act]).unwrap_err();
        assert!(matches!(error, SealError::Refused { .. }), "{error}");
    }
    assert_eq!(writer.size(), size);
}

#[test]
fn compaction_carries_removals_out_and_a_hold_is_known_after_a_restart() {
    let (memory, folder, clock, options) = clocked();
    let mut writer = seal::open(&folder, kek(), options.clone()).unwrap();
    for part in 0..9 {
        let batch = mixed(&writer, part * 3..part * 3 + 3);
        writer.commit(vec![batch]).unwrap();
        writer.settle_tail().unwrap();
    }
    clock.0.store(20_000 * DAY_MS + 5_000, Ordering::Relaxed);
    let act = Consequence::Remove(removal(Scope::Record, Tier::Info, vec![(2, 2)]));
    let hold = Consequence::Hold { hold: "h-1".to_owned() };
    let authority = writer.decide(intent("log.erasure"), vec![act, hold]).unwrap();
    assert!(writer.compact().unwrap() >= 3);
    assert!(row(&writer, 2).is_none() && row(&writer, 3).is_some());
    writer.close().unwrap();
    let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::from_files(memory.snapshot()));
    let mut writer = seal::open(&folder, kek(), options).unwrap();
    assert_eq!(writer.catalogue().holds().collect::<Vec<_>>(), [("h-1", authority)]);
    writer
        .decide(intent("log.release"), vec![Consequence::Release { hold: "h-1".to_owned() }])
        .unwrap();
    assert_eq!(writer.catalogue().holds().count(), 0);
}

#[test]
fn an_erased_event_that_is_sent_again_is_not_sealed_anew_while_its_id_is_known() {
    let (memory, _, mut writer, options) = settled();
    let content = removal(Scope::Content, Tier::Info, vec![(2, 2)]);
    let record = removal(Scope::Record, Tier::Compliance, vec![(3, 3)]);
    let acts = [content, record].map(Consequence::Remove).into();
    writer.decide(intent("log.erasure"), acts).unwrap();
    let retry = |writer: &mut Writer| {
        let batch = mixed(writer, 0..3);
        writer.commit(vec![batch]).unwrap().remove(0).outcomes
    };
    let duplicates = |outcomes: &[Outcome]| {
        let is_one = |outcome: &Outcome| matches!(outcome, Outcome::Duplicate { .. });
        outcomes.iter().filter(|outcome| is_one(outcome)).count()
    };
    assert_eq!(duplicates(&retry(&mut writer)), 3, "the same process");
    writer.close().unwrap();
    let mut files = memory.snapshot();
    let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::from_files(files.clone()));
    let mut writer = seal::open(&folder, kek(), options.clone()).unwrap();
    assert_eq!(duplicates(&retry(&mut writer)), 3, "after a restart");
    drop(writer);
    // Without the cache: what was said is not there to compare, and of a record nothing is.
    files.retain(|path, _| !path.starts_with("cache/"));
    let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::from_files(files));
    let mut writer = seal::open(&folder, kek(), options).unwrap();
    let outcomes = retry(&mut writer);
    assert_eq!(outcomes[0], Outcome::Conflict { index: 2 });
    assert!(matches!(outcomes[1], Outcome::Sealed { .. }), "the limit that retention.md names");
    assert!(matches!(outcomes[2], Outcome::Duplicate { index: 4, .. }));
}
