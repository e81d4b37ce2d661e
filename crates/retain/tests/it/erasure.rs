//! Erasure: gone from every file, with the keys of the old ones; refused where something keeps it.

use super::*;
use event::Scope;
use keys::{DataKey, KeyId, Keyring};
use retain::{Erasure, Policy, Profile, RetainError, erase, hold, holds, release};
use segment::{ContentState, Segment};
use store::{FrameFound, JournalReader};

fn request(selector: Selector, scope: Scope) -> Erasure {
    let (reason, ground) = ("asked for".to_owned(), Some("GDPR Art. 17".to_owned()));
    Erasure { selector, scope, reason, ground, by: by("dpo") }
}

fn run(world: &mut World, request: &Erasure) -> Result<retain::Erased, RetainError> {
    erase(&mut world.writer, request, &Policy::default(), BEGIN_MS)
}

/// The journal files of a folder, and which key each is encrypted with.
fn journal_keys(folder: &dyn Folder) -> Vec<(String, KeyId)> {
    let paths = folder.list("journal").unwrap().into_iter();
    paths
        .map(|path| {
            let reader = JournalReader::open(folder, &path, &[1; 16]).unwrap();
            let id = KeyId::from_bytes(reader.header().key_id);
            (path, id)
        })
        .collect()
}

/// What stands in a journal file, in clear.
fn frames(folder: &dyn Folder, path: &str, key: &DataKey) -> Vec<Vec<u8>> {
    let mut reader = JournalReader::open(folder, path, &[1; 16]).unwrap();
    let mut frames = Vec::new();
    while let FrameFound::Frame(located) = reader.next_frame().unwrap() {
        let mut payload = Vec::new();
        reader.open_frame(&located, key, &mut payload).unwrap();
        frames.push(payload);
    }
    frames
}

/// Whether a text stands in any file, in clear or behind any key that the keyring has.
fn is_anywhere(world: &World, text: &str) -> bool {
    let files = world.memory.snapshot();
    let keyring = Keyring::open(&files["keyring"], &kek()).unwrap();
    let has = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    if files.values().any(|bytes| has(bytes)) {
        return true;
    }
    if journal_keys(world.folder.as_ref()).iter().any(|(path, id)| {
        let key = keyring.get(*id).map(DataKey::new);
        key.is_some_and(|key| frames(world.folder.as_ref(), path, &key).iter().any(|it| has(it)))
    }) {
        return true;
    }
    for (path, bytes) in files.iter().filter(|(path, _)| path.starts_with("segments/")) {
        for (info, key) in keyring.by_purpose(keys::Purpose::Segment) {
            let Ok(segment) = Segment::open(bytes.clone(), key) else { continue };
            assert!(path.contains(&info.id.to_string()));
            for row in segment.rows(.., Projection::All).unwrap() {
                let row = row.unwrap();
                if has(&row.meta) || has(row.content.bytes()) {
                    return true;
                }
            }
        }
    }
    false
}

#[test]
fn the_content_of_a_session_is_gone_from_every_file_and_an_old_copy_does_not_open() {
    let mut world = World::new();
    ["s1", "s2"].iter().for_each(|name| world.append(name));
    world.writer.settle_tail().unwrap();
    let before = world.memory.snapshot();
    assert!(is_anywhere(&world, "canary-s1") && is_anywhere(&world, "canary-s2"));
    let erased = run(&mut world, &request(session("s1"), Scope::Content)).unwrap();
    assert_eq!(erased.records, 4);
    assert!(!is_anywhere(&world, "canary-s1") && is_anywhere(&world, "canary-s2"));
    let rows = world.rows();
    let gone = rows.values().filter(|row| matches!(row.content, ContentState::Erased { .. }));
    assert_eq!((gone.count(), world.left()), (4, [2, 2, 2, 2]), "the metadata still counts");
    // What was there before does not open with any key that is left.
    let keyring = Keyring::open(&world.folder.read("keyring").unwrap().unwrap(), &kek()).unwrap();
    let mut replaced = 0;
    for (path, bytes) in before.iter().filter(|(path, _)| path.starts_with("segments/")) {
        if world.folder.read(path).unwrap().is_none() {
            replaced += 1;
            for (_, key) in keyring.list().filter_map(|info| Some((info.id, keyring.get(info.id)?)))
            {
                assert!(Segment::open(bytes.clone(), key).is_err(), "{path}");
            }
        }
    }
    assert_eq!(replaced, 4, "one for each tier");
    world.writer.settle_tail().unwrap();
    assert_eq!((world.said("log.erasure"), world.said("log.removed")), (1, 1));
}

#[test]
fn content_that_was_in_the_journal_is_gone_and_an_old_copy_of_it_does_not_open() {
    let mut world = World::new();
    ["s1", "s2"].iter().for_each(|name| world.append(name));
    let before = world.memory.snapshot();
    assert!(before.keys().all(|path| !path.starts_with("segments/")));
    assert!(is_anywhere(&world, "canary-s1") && is_anywhere(&world, "canary-s2"));
    assert_eq!(run(&mut world, &request(session("s1"), Scope::Content)).unwrap().records, 4);
    assert!(!is_anywhere(&world, "canary-s1") && is_anywhere(&world, "canary-s2"));
    // The backup has the canary; none of the keys that are left opens it.
    let keyring = Keyring::open(&world.folder.read("keyring").unwrap().unwrap(), &kek()).unwrap();
    let then = Keyring::open(&before["keyring"], &kek()).unwrap();
    let backup = MemoryFolder::from_files(before);
    let old = journal_keys(&backup);
    let held = |path: &str, id: KeyId| {
        let frames = frames(&backup, path, &DataKey::new(then.get(id).unwrap()));
        frames.iter().any(|bytes| bytes.windows(9).any(|window| window == b"canary-s1"))
    };
    assert!(old.iter().any(|(path, id)| held(path, *id)), "the copy held it");
    assert!(old.iter().all(|(_, id)| keyring.get(*id).is_none()), "{old:?}");
}

#[test]
fn a_whole_record_goes_by_its_event_id() {
    let mut world = World::new();
    ["s1", "s2"].iter().for_each(|name| world.append(name));
    let event = Some("s1-agent.decision".to_owned());
    let selector = Selector { event, ..Selector::default() };
    let erased = run(&mut world, &request(selector.clone(), Scope::Record)).unwrap();
    assert_eq!((erased.records, world.left()), (1, [2, 2, 1, 2]));
    let mut world = world.reopened();
    assert_eq!(world.left(), [2, 2, 1, 2]);
    let again = run(&mut world, &request(selector, Scope::Record));
    assert!(matches!(again, Err(RetainError::Nothing)), "{again:?}");
    let all = run(&mut world, &request(Selector::default(), Scope::Record));
    assert!(matches!(all, Err(RetainError::EmptySelection)), "{all:?}");
}

#[test]
fn a_hold_comes_before_an_erasure_and_the_refusal_is_in_the_log() {
    let mut world = World::new();
    ["s1", "s2"].iter().for_each(|name| world.append(name));
    let agent = Selector { agent: Some("a-s1".to_owned()), ..Selector::default() };
    let name = hold(&mut world.writer, &agent, "a lawsuit", &by("counsel")).unwrap();
    let refused = run(&mut world, &request(session("s1"), Scope::Content)).unwrap_err();
    let RetainError::Held { hold, count, refusal } = &refused else { panic!("{refused}") };
    assert_eq!((hold, *count), (&name, 4));
    assert!(is_anywhere(&world, "canary-s1"));
    world.writer.settle_tail().unwrap();
    let row = world.writer.settled_row(*refusal).unwrap().unwrap();
    assert!(String::from_utf8_lossy(&row.meta).contains("log.refused"));
    assert!(String::from_utf8_lossy(row.content.bytes()).contains(&format!("held by {name}")));
    let in_force = holds(&world.writer.settled()).unwrap();
    assert_eq!((in_force.len(), in_force[0].selector.clone()), (1, agent));
    release(&mut world.writer, &name, "settled", &by("counsel")).unwrap();
    run(&mut world, &request(session("s1"), Scope::Content)).unwrap();
    assert!(!is_anywhere(&world, "canary-s1"));
}

#[test]
fn a_statutory_minimum_comes_before_an_erasure() {
    let mut world = World::new();
    world.append("s1");
    let request = request(session("s1"), Scope::Content);
    let policy = Policy::of(Profile::Hipaa);
    let refused = erase(&mut world.writer, &request, &policy, BEGIN_MS + DAY_MS).unwrap_err();
    assert!(matches!(refused, RetainError::Minimum { days: 2192, count: 1, .. }), "{refused}");
    let late = BEGIN_MS + 2193 * DAY_MS;
    assert_eq!(erase(&mut world.writer, &request, &policy, late).unwrap().records, 4);
}

#[test]
fn a_ledger_that_hides_a_hold_stops_every_removal() {
    let mut world = World::new();
    world.append("s1");
    hold(&mut world.writer, &session("s1"), "a lawsuit", &by("counsel")).unwrap();
    world.writer.settle_tail().unwrap();
    let held = |path: &String, bytes: &[u8]| {
        segment::parse_ledger_path(path).is_some()
            && String::from_utf8_lossy(bytes).contains("log.held")
    };
    let files = world.memory.snapshot();
    let path = files.iter().find(|(path, bytes)| held(path, bytes)).unwrap().0.clone();
    world.folder.remove(&path).unwrap();
    let mut world = world.reopened();
    let refused = run(&mut world, &request(session("s1"), Scope::Content)).unwrap_err();
    assert!(matches!(refused, RetainError::Ledger(_)), "{refused}");
}

/// Events in which the same texts stand in many places, so that only the right one counts.
fn alike() -> Vec<Event<'static>> {
    let texts = ["a", "b\"\\", "zürich", "s-1", ""];
    let mut events = Vec::new();
    for (at, text) in texts.iter().cycle().take(60).enumerate() {
        let other = texts[(at / texts.len() + 1) % texts.len()];
        let mut event = Event { event_type: "agent.decision".into(), ..Event::default() };
        event.event_id = Some(format!("e-{at}").into());
        let some = |text: &'static str, divisor| (at % divisor == 0).then(|| text.into());
        event.session_id = some(text, 2);
        event.trace_id = some(other, 3);
        event.agent_name = some(text, 3);
        event.agent_id = some(other, 5);
        event.on_behalf_of = some(text, 7);
        event.principal = (at % 4 == 0).then(|| by(other));
        events.push(event);
    }
    events
}

#[test]
fn what_is_erased_is_what_a_full_scan_finds() {
    let text = |text: &str| Some(text.to_owned());
    let none = Selector::default;
    let mut found = Vec::new();
    for selector in [
        Selector { event: text("e-17"), ..none() },
        Selector { session: text("b\"\\"), ..none() },
        Selector { trace: text("zürich"), ..none() },
        Selector { agent: text("a"), ..none() },
        Selector { principal: text("s-1"), ..none() },
        Selector { session: text("a"), agent: text("zürich"), ..none() },
        Selector { principal: text("a"), trace: text("s-1"), to_ms: Some(u64::MAX), ..none() },
        Selector { session: text(""), ..none() },
        Selector { from_ms: Some(BEGIN_MS), ..none() },
        Selector { session: text("nobody"), ..none() },
    ] {
        let mut world = World::new();
        world.seal(alike());
        world.append("s1");
        world.writer.settle_tail().unwrap();
        let is_meant = |row: &&Row| row.kind == event::Kind::Event && selector.matches(row);
        let expected = world.rows().values().filter(is_meant).count() as u64;
        match run(&mut world, &request(selector, Scope::Record)) {
            Ok(erased) => assert_eq!(erased.records, expected),
            Err(RetainError::Nothing) => assert_eq!(expected, 0),
            Err(error) => panic!("{error}"),
        }
        found.push(expected);
    }
    assert!(found[..6].iter().all(|count| *count > 0), "{found:?}");
}
