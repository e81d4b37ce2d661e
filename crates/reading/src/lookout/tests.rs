//! A lookout on a log in memory, while a writer appends, rolls, removes and takes other keys.

use super::*;
use crate::answer;
use crate::reading::Reading;
use crate::view::View;
use event::{Cause, Content, Event, Json, Part, Principal, Removal, RemovedClass, Scope, Tier};
use keys::{KekOrigin, SecretKey, SystemEntropy};
use query::{By, Filter};
use seal::{Batch, Consequence, Identity, NewLog, Options, Writer};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use store::{Folder, Lock, MemoryFolder, Reservation, WriteFile};

fn kek() -> Arc<Kek> {
    Arc::new(Kek::from_secret(SecretKey::new([7; 32]), KekOrigin::Environment))
}

/// A folder that counts what is read of journal and ledger, and remembers moments.
#[derive(Default)]
struct Counting {
    folder: MemoryFolder,
    /// All files, after each document that was written to the ledger.
    moments: Mutex<Vec<BTreeMap<String, Vec<u8>>>>,
    journal_bytes: AtomicU64,
    documents: AtomicU64,
}

impl Counting {
    fn take(&self) -> (u64, u64) {
        let taken = |count: &AtomicU64| count.swap(0, Ordering::SeqCst);
        (taken(&self.journal_bytes), taken(&self.documents))
    }
}

impl Folder for Counting {
    fn list(&self, path: &str) -> Result<Vec<String>, StoreError> {
        self.folder.list(path)
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let is_document = path.starts_with(segment::LEDGER_FOLDER);
        self.documents.fetch_add(is_document.into(), Ordering::SeqCst);
        self.folder.read(path)
    }

    fn read_at(&self, path: &str, offset: u64, buffer: &mut [u8]) -> Result<usize, StoreError> {
        let read = self.folder.read_at(path, offset, buffer)?;
        if path.starts_with(store::JOURNAL_FOLDER) {
            self.journal_bytes.fetch_add(read as u64, Ordering::SeqCst);
        }
        Ok(read)
    }

    fn size(&self, path: &str) -> Result<Option<u64>, StoreError> {
        self.folder.size(path)
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.folder.write(path, bytes)?;
        if path.starts_with(segment::LEDGER_FOLDER) {
            self.moments.lock().unwrap().push(self.folder.snapshot());
        }
        Ok(())
    }

    fn sync(&self, paths: &[String]) -> Result<(), StoreError> {
        self.folder.sync(paths)
    }

    fn replace(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.folder.replace(path, bytes)
    }

    fn remove(&self, path: &str) -> Result<(), StoreError> {
        self.folder.remove(path)
    }

    fn open(&self, path: &str) -> Result<Box<dyn WriteFile>, StoreError> {
        self.folder.open(path)
    }

    fn lock(&self, path: &str) -> Result<Box<dyn Lock>, StoreError> {
        self.folder.lock(path)
    }
}

fn options() -> Options {
    Options { reservation: Reservation::Off, ..Options::system() }
}

/// A fresh log, its writer, and a lookout on it.
fn fresh() -> (Arc<Counting>, Writer, Lookout) {
    let counting = Arc::new(Counting::default());
    let folder: Arc<dyn Folder> = Arc::clone(&counting) as Arc<dyn Folder>;
    let new = NewLog { name: "main".to_owned(), origin: None, post_quantum: false };
    seal::create(&folder, &new, &kek(), [1; 16], &options()).unwrap();
    let writer = seal::open(&folder, kek(), options()).unwrap();
    let lookout = Lookout::new(log_in(&folder), kek());
    (counting, writer, lookout)
}

fn log_in(folder: &Arc<dyn Folder>) -> LogFolder {
    let identity = Identity::parse(&folder.read(seal::IDENTITY_PATH).unwrap().unwrap()).unwrap();
    LogFolder { path: PathBuf::new(), identity, folder: Arc::clone(folder) }
}

/// Appends events of three tiers whose content names them.
fn append(writer: &mut Writer, count: u64) {
    let size = writer.size();
    let kinds = ["agent.tool_call", "agent.decision", "agent.reasoning"];
    let line = |n: u64| {
        let kind = kinds[usize::try_from(n % 3).unwrap()];
        format!(
            r#"{{"event_id":"{size}-{n}","event_type":"{kind}","agent_name":"a{}",
                "params":{{"word":"secret{size}x{n}"}}}}"#,
            n % 5
        )
    };
    let lines: Vec<String> = (0..count).map(line).collect();
    let events = lines
        .iter()
        .map(|line| writer.redactor().redact(Event::from_json(line.as_bytes()).unwrap()));
    let batch = Batch::encode(events, writer.fingerprints(), &SystemEntropy::new(), 0).unwrap();
    writer.commit(vec![batch]).unwrap();
}

/// Index and bytes of a record.
type Seen = (u64, Vec<u8>);

fn seen(found: &query::Found<'_>) -> Seen {
    (found.index, [&found.meta, &b"|"[..], &found.content].concat())
}

fn ask(view: &View, filter: &Filter) -> Vec<Seen> {
    let mut all = Vec::new();
    let unreadable = view
        .each::<ReadError>(filter, &(), &mut |found| {
            all.push(seen(found));
            Ok(ControlFlow::Continue(()))
        })
        .unwrap();
    assert_eq!(unreadable.count(), 0);
    all
}

fn all(view: &View) -> Vec<Seen> {
    assert!(view.library().unwrap().is_some());
    ask(view, &Filter::default())
}

/// The same from every record in turn.
fn scan(reading: &Reading) -> Vec<Seen> {
    let mut all = Vec::new();
    let unreadable = answer::scan::<ReadError>(reading, 0, &mut |found| {
        all.push(seen(found));
        Ok(ControlFlow::Continue(()))
    });
    assert_eq!(unreadable.unwrap(), answer::Unreadable::default());
    all
}

fn named(event: &str) -> Filter {
    Filter { events: vec![event.to_owned()], ..Filter::default() }
}

#[test]
fn a_window_is_shared_by_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Lookout>();
    shared::<View>();
}

#[test]
fn the_same_view_is_handed_out_until_the_checkpoint_moves() {
    let (_, mut writer, lookout) = fresh();
    append(&mut writer, 3);
    writer.publish().unwrap();
    let view = lookout.view().unwrap();
    assert!(Arc::ptr_eq(&view, &lookout.view().unwrap()));
    append(&mut writer, 3);
    assert!(Arc::ptr_eq(&view, &lookout.view().unwrap()));
    writer.publish().unwrap();
    let next = lookout.view().unwrap();
    assert!(!Arc::ptr_eq(&view, &next));
    assert_eq!(next.as_of().size, view.as_of().size + 3);
    assert_eq!(all(&view), all(&next)[..all(&view).len()]);
}

#[test]
fn the_next_view_reads_what_is_new_and_finds_it() {
    let (counting, mut writer, lookout) = fresh();
    (0..40).for_each(|_| append(&mut writer, 100));
    writer.publish().unwrap();
    let before = lookout.view().unwrap();
    counting.take();
    let whole = all(&before).len();
    let (all_bytes, _) = counting.take();
    append(&mut writer, 2);
    let (size, kept) = (writer.size(), writer.size() - 2);
    writer.publish().unwrap();
    let after = lookout.view().unwrap();
    assert_eq!(ask(&after, &named(&format!("{kept}-1"))).len(), 1);
    let (bytes, _) = counting.take();
    assert!(all_bytes > 400_000 && bytes < all_bytes / 10, "{bytes} of {all_bytes}");
    assert_eq!((all(&after).len(), after.as_of().size), (whole + 2, size));
    // The rows themselves are shared.
    let (one, other) = (before.library().unwrap().unwrap(), after.library().unwrap().unwrap());
    let shared = one.tail().zip(other.tail()).filter(|(one, other)| std::ptr::eq(*one, *other));
    assert!(shared.count() > whole / 2);
}

#[test]
fn a_view_that_nobody_asked_hands_on_what_it_was_given() {
    let (counting, mut writer, lookout) = fresh();
    (0..40).for_each(|_| append(&mut writer, 100));
    writer.publish().unwrap();
    all(&lookout.view().unwrap());
    let (all_bytes, _) = counting.take();
    for _ in 0..3 {
        append(&mut writer, 1);
        writer.publish().unwrap();
        lookout.view().unwrap();
    }
    let view = lookout.view().unwrap();
    counting.take();
    assert_eq!(all(&view).len() as u64, writer.size());
    assert!(counting.take().0 < all_bytes / 10);
}

#[test]
fn views_of_a_log_that_is_rolled_and_compacted_answer_as_a_fresh_reading() {
    let (counting, mut writer, lookout) = fresh();
    for round in 0..12 {
        append(&mut writer, 20 + round);
        if round % 2 == 1 {
            writer.end_journal_file();
            append(&mut writer, 2);
        }
        writer.publish().unwrap();
        if round % 3 == 2 {
            writer.roll().unwrap();
        }
        let view = lookout.view().unwrap();
        let fresh = View::open(lookout.log().clone(), &kek()).unwrap();
        assert_eq!(view.as_of(), fresh.as_of());
        let expected = scan(fresh.reading());
        assert_eq!(all(&view), expected, "{round}");
        assert_eq!(all(&fresh), expected);
        let of_agent = Filter { agents: vec!["a3".to_owned()], ..Filter::default() };
        let text = Filter { text: Some("secret".to_owned()), ..Filter::default() };
        for filter in [of_agent, text, named("0-1"), named("nobody")] {
            let filter = Filter { limit: Some(9), newest_first: true, ..filter };
            let page = |view: &View, cursor| view.page(&filter, cursor, &()).unwrap();
            let (mine, theirs) = (page(&view, None), page(&fresh, None));
            assert_eq!((&mine.found, mine.next), (&theirs.found, theirs.next));
            if let Some(next) = &mine.next {
                append(&mut writer, 1);
                writer.publish().unwrap();
                // A page is of the checkpoint that the cursor names, whoever is asked.
                let later = page(&lookout.view().unwrap(), Some(next));
                assert_eq!(later.found, page(&fresh, Some(next)).found);
                assert_eq!(later.as_of, *fresh.as_of());
            }
        }
        let counted = |view: &View| view.activity(By::Agent).unwrap().0.finish().len();
        assert_eq!(counted(&view), counted(&fresh));
    }
    // Documents that were read are not read again, and segments that are the same stay open.
    let before = lookout.view().unwrap().library().unwrap().unwrap();
    append(&mut writer, 1);
    writer.publish().unwrap();
    counting.take();
    let after = lookout.view().unwrap().library().unwrap().unwrap();
    assert_eq!(counting.take().1, 0);
    assert!(before.volumes().len() > 3);
    for (one, other) in before.volumes().iter().zip(after.volumes()) {
        assert!(Arc::ptr_eq(one.source(), other.source()));
    }
}

#[test]
fn a_view_of_the_moment_in_which_segments_are_announced_lacks_nothing() {
    let (counting, mut writer, lookout) = fresh();
    for _ in 0..12 {
        append(&mut writer, 9);
        writer.end_journal_file();
        append(&mut writer, 3);
        writer.publish().unwrap();
        writer.roll().unwrap();
    }
    let moments = std::mem::take(&mut *counting.moments.lock().unwrap());
    assert!(moments.len() > 20, "{}", moments.len());
    let whole = all(&lookout.view().unwrap());
    for (at, files) in moments.into_iter().enumerate() {
        let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::from_files(files));
        let view = View::open(log_in(&folder), &kek()).unwrap();
        let size = usize::try_from(view.as_of().size).unwrap();
        assert!(ask(&view, &Filter::default()) == whole[..size], "{at}");
        assert!(scan(view.reading()) == whole[..size], "{at}");
    }
}

#[test]
fn what_was_erased_is_in_no_answer_although_it_was_in_memory() {
    for scope in [Scope::Content, Scope::Record] {
        let (_, mut writer, lookout) = fresh();
        append(&mut writer, 30);
        writer.publish().unwrap();
        let before = lookout.view().unwrap();
        let first = all(&before).iter().position(|(_, bytes)| has(bytes, "secret")).unwrap();
        let (index, bytes) = all(&before)[first].clone();
        let word = word_in(&bytes);
        writer.settle_tail().unwrap();
        let settled = lookout.view().unwrap();
        assert!(all(&settled).iter().any(|(_, bytes)| has(bytes, &word)));
        erase(&mut writer, index, scope);
        let after = lookout.view().unwrap();
        assert_eq!(all(&after), scan(after.reading()), "{scope:?}");
        assert!(!all(&after).iter().any(|(_, bytes)| has(bytes, &word)), "{scope:?}");
        let text = Filter { text: Some(word.clone()), ..Filter::default() };
        assert!(ask(&after, &text).is_empty(), "{scope:?}");
        assert_eq!(all(&after).iter().any(|(at, _)| *at == index), scope == Scope::Content);
        assert!(Arc::ptr_eq(&after, &lookout.view().unwrap()));
        // Nothing that was in memory was taken over, not even what nobody erased.
        let volumes = |view: &View| view.library().unwrap().unwrap().volumes().to_vec();
        for (one, other) in volumes(&settled).iter().zip(volumes(&after)) {
            assert!(!Arc::ptr_eq(one.source(), other.source()));
        }
    }
}

fn has(bytes: &[u8], word: &str) -> bool {
    String::from_utf8_lossy(bytes).contains(word)
}

fn word_in(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let from = text.find("secret").unwrap();
    text[from..].split('"').next().unwrap().to_owned()
}

fn erase(writer: &mut Writer, index: u64, scope: Scope) {
    let class = writer
        .catalogue()
        .current()
        .into_iter()
        .find(|manifest| {
            let (first, last) = (manifest.first, manifest.last);
            manifest.tier == Tier::Info && (first..=last).contains(&index)
        })
        .map(|manifest| RemovedClass {
            tier: manifest.tier,
            day: manifest.day,
            indexes: vec![(index, index)],
        });
    let removal = Removal {
        cause: Cause::Erasure,
        scope,
        authority: 0,
        classes: vec![class.unwrap()],
        files: Vec::new(),
    };
    let mut content = Content::default();
    content.set(Part::Params, Json::from_value(&serde_json::json!({ "reason": "asked for" })));
    let intent = Event { event_type: "log.erasure".into(), content, ..Event::default() };
    writer.decide(intent, vec![Consequence::Remove(removal)]).unwrap();
}

#[test]
fn a_window_goes_on_when_keys_follow_each_other_and_ends_with_its_own_key() {
    let (_, mut writer, lookout) = fresh();
    append(&mut writer, 5);
    writer.publish().unwrap();
    let before = all(&lookout.view().unwrap());
    let by = Principal { subject: Some("somebody".into()), ..Principal::default() };
    writer.rotate_keys(None, &by).unwrap();
    append(&mut writer, 5);
    writer.publish().unwrap();
    let view = lookout.view().unwrap();
    assert_eq!(all(&view)[..before.len()], before);
    assert_eq!(all(&view), scan(view.reading()));
    let other = Arc::new(Kek::from_secret(SecretKey::new([8; 32]), KekOrigin::Environment));
    writer.rewrap(Arc::clone(&other), &by).unwrap();
    assert!(lookout.view().is_err());
    let lookout = Lookout::new(lookout.log().clone(), other);
    assert_eq!(all(&lookout.view().unwrap())[..before.len()], before);
}

#[test]
fn what_was_read_of_a_log_is_not_taken_for_another_that_was_put_in_its_place() {
    let (counting, mut writer, lookout) = fresh();
    append(&mut writer, 5);
    writer.publish().unwrap();
    let earlier = counting.folder.snapshot();
    append(&mut writer, 10);
    writer.publish().unwrap();
    let before = all(&lookout.view().unwrap());
    drop(writer);
    // A copy of the folder goes on in another way, and comes back longer than this one was.
    let copy: Arc<dyn Folder> = Arc::new(MemoryFolder::from_files(earlier));
    let mut writer = seal::open(&copy, kek(), options()).unwrap();
    append(&mut writer, 40);
    writer.close().unwrap();
    for path in copy.list("").unwrap() {
        counting.replace(&path, &copy.read(&path).unwrap().unwrap()).unwrap();
    }
    let view = lookout.view().unwrap();
    assert!(all(&view).len() > before.len());
    assert_eq!(all(&view), scan(view.reading()));
}

#[test]
fn what_eight_threads_are_answered_meanwhile_is_what_a_scan_finds() {
    let (_, mut writer, lookout) = fresh();
    let is_over = AtomicBool::new(false);
    let asked = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while !is_over.load(Ordering::SeqCst) {
                    let view = lookout.view().unwrap();
                    let answer = ask(&view, &Filter::default());
                    assert_eq!(answer.len() as u64, view.as_of().size);
                    assert!(answer == scan(view.reading()), "a scan found something else");
                    asked.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let mut round = 0;
        while round < 40 || asked.load(Ordering::SeqCst) < 80 {
            append(&mut writer, 1 + round % 17);
            writer.publish().unwrap();
            if round % 10 == 9 {
                writer.end_journal_file();
                append(&mut writer, 1);
                writer.publish().unwrap();
                writer.roll().unwrap();
            }
            round += 1;
        }
        is_over.store(true, Ordering::SeqCst);
    });
    assert_eq!(all(&lookout.view().unwrap()).len() as u64, lookout.view().unwrap().as_of().size);
}
