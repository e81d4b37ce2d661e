//! Every way to alter a log's folder a little is found, and the report names what was altered.

use event::Event;
use keys::{Kek, KekOrigin, SecretKey};
use prove::{Report, Verdict};
use reading::verify::{Options, verify};
use seal::{Batch, NewLog, Writer};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{Folder, MemoryFolder, Reservation};

type Files = BTreeMap<String, Vec<u8>>;

fn kek() -> Arc<Kek> {
    Arc::new(Kek::from_secret(SecretKey::new([7; 32]), KekOrigin::Environment))
}

fn options() -> seal::Options {
    seal::Options { reservation: Reservation::Off, ..seal::Options::system() }
}

fn append(writer: &mut Writer, numbers: std::ops::Range<u64>) {
    let lines: Vec<String> = numbers
        .map(|n| {
            format!(
                r#"{{"event_id":"e-{n}","event_type":"agent.tool_call","session_id":"s-{}","params":{{"n":{n}}}}}"#,
                n % 3
            )
        })
        .collect();
    let events = lines
        .iter()
        .map(|line| writer.redactor().redact(Event::from_json(line.as_bytes()).unwrap()));
    let batch =
        Batch::encode(events, writer.fingerprints(), &keys::SystemEntropy::new(), 0).unwrap();
    writer.commit(vec![batch]).unwrap();
}

/// Twelve events in three frames, with a restart between them and `log.*` records around them.
fn files() -> Files {
    let memory = MemoryFolder::default();
    let folder: Arc<dyn Folder> = Arc::new(memory.clone());
    let new = NewLog { name: "main".to_owned(), origin: None, post_quantum: false };
    seal::create(&folder, &new, &kek(), [1; 16], &options()).unwrap();
    let mut writer = seal::open(&folder, kek(), options()).unwrap();
    append(&mut writer, 0..5);
    append(&mut writer, 5..9);
    writer.close().unwrap();
    let mut writer = seal::open(&folder, kek(), options()).unwrap();
    append(&mut writer, 9..12);
    writer.close().unwrap();
    memory.snapshot()
}

fn check(files: Files) -> Report {
    let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::from_files(files));
    verify(&folder, Some(&kek()), &Options::default(), &mut |_| {})
}

/// Tampering was found, and a finding names the file, or a record.
#[track_caller]
fn assert_named(report: &Report, path: &str, what: &str) {
    let named = |finding: &prove::Finding| {
        finding.kind.is_failure() && (finding.file == path || finding.index.is_some())
    };
    assert!(
        report.verdict() == Verdict::Tampered && report.findings().iter().any(named),
        "{what} of {path}: {}",
        report.to_json()
    );
}

fn altered(files: &Files, path: &str, change: impl FnOnce(&mut Vec<u8>)) -> Files {
    let mut files = files.clone();
    change(files.get_mut(path).unwrap());
    files
}

#[test]
fn an_untouched_log_is_ok() {
    let report = check(files());
    assert_eq!(report.verdict(), Verdict::Ok, "{}", report.to_json());
    assert_eq!(report.size, 17);
    assert_eq!(report.counts.present, 17);
}

/// A log whose signing key was followed by another one.
fn rotated_files() -> Files {
    let memory = MemoryFolder::default();
    let folder: Arc<dyn Folder> = Arc::new(memory.clone());
    let new = NewLog { name: "main".to_owned(), origin: None, post_quantum: false };
    seal::create(&folder, &new, &kek(), [1; 16], &options()).unwrap();
    let mut writer = seal::open(&folder, kek(), options()).unwrap();
    append(&mut writer, 0..2);
    writer.rotate_keys(Some("yearly"), &event::Principal::default()).unwrap();
    append(&mut writer, 2..3);
    writer.close().unwrap();
    memory.snapshot()
}

#[test]
fn every_flipped_bit_is_found_and_its_file_named() {
    flip_all(files());
}

#[test]
fn every_flipped_bit_of_a_rotated_log_is_found_and_its_file_named() {
    let files = rotated_files();
    assert_eq!(check(files.clone()).verdict(), Verdict::Ok);
    flip_all(files);
}

fn flip_all(files: Files) {
    let places: Vec<(&String, usize)> =
        files.iter().flat_map(|(path, bytes)| (0..bytes.len()).map(move |at| (path, at))).collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for part in places.chunks(places.len().div_ceil(threads)) {
            let files = &files;
            scope.spawn(move || part.iter().for_each(|(path, at)| flip(files, path, *at)));
        }
    });
}

fn flip(files: &Files, path: &str, at: usize) {
    for bit in [at % 8, (at * 5 + 3) % 8] {
        let report = check(altered(files, path, |bytes| bytes[at] ^= 1 << bit));
        let what = format!("bit {bit} of byte {at}");
        assert_named(&report, path, &what);
        assert!(
            report.findings().iter().any(|finding| finding.file == path),
            "{what} of {path}: {}",
            report.to_json()
        );
    }
}

#[test]
fn every_truncation_is_found() {
    let (files, rotated) = (files(), rotated_files());
    let ledger = rotated.iter().filter(|(path, _)| path.starts_with("ledger/"));
    for (files, path, bytes) in files
        .iter()
        .map(|(path, bytes)| (&files, path, bytes))
        .chain(ledger.map(|(path, bytes)| (&rotated, path, bytes)))
    {
        for length in 0..bytes.len() {
            let report = check(altered(files, path, |bytes| bytes.truncate(length)));
            assert_named(&report, path, &format!("cutting to {length} of {} bytes", bytes.len()));
        }
    }
}

#[test]
fn appended_bytes_are_found() {
    let files = files();
    for path in files.keys() {
        for extra in [&b"\0"[..], b"\n", b"\xff", b"TJF2", &[0; 600]] {
            let report = check(altered(&files, path, |bytes| bytes.extend_from_slice(extra)));
            assert_named(&report, path, &format!("appending {} bytes", extra.len()));
        }
    }
}

#[test]
fn the_beginning_of_a_frame_is_what_a_crash_leaves_and_no_tampering() {
    let files = files();
    let path = files.keys().find(|path| path.starts_with("journal/")).unwrap();
    let mut begun = b"TJF1\0\0\x01\0".to_vec();
    begun.extend(17_u64.to_be_bytes());
    for length in 1..=begun.len() {
        let report = check(altered(&files, path, |bytes| bytes.extend(&begun[..length])));
        assert_eq!(report.verdict(), Verdict::Ok, "{}", report.to_json());
        assert!(report.notes.iter().any(|note| note.contains("cut short")));
    }
    let other = check(altered(&files, path, |bytes| {
        bytes.extend(&begun[..8]);
        bytes.extend(18_u64.to_be_bytes());
    }));
    assert_named(&other, path, "the beginning of another frame");
}

#[test]
fn every_deleted_file_is_named() {
    let files = files();
    for path in files.keys() {
        let mut fewer = files.clone();
        fewer.remove(path);
        assert_named(&check(fewer), path, "deletion");
    }
}

#[test]
fn every_two_files_that_were_swapped_are_named() {
    let files = files();
    for (a, first) in &files {
        for (b, second) in files.iter().filter(|(b, _)| *b > a) {
            let mut swapped = files.clone();
            swapped.insert(a.clone(), second.clone());
            swapped.insert(b.clone(), first.clone());
            let report = check(swapped);
            assert_named(&report, a, &format!("swapping with {b}"));
            assert_named(&report, b, &format!("swapping with {a}"));
        }
    }
}

#[test]
fn files_that_do_not_belong_are_named() {
    let files = files();
    for path in [
        "notes.txt",
        "log.json.bak",
        "keyring.old",
        "tile/0/001",
        "tile/readme",
        "tile/entries/000.p/18",
        "journal/extra",
        "journal/00000000000000000017.journal.bak",
        "segments/x.parquet",
        "checkpoint.12-0.tmp",
        "keyring.12-1.tmp",
        "tile/0/000.p/17.12-2.tmp",
        "12-3.tmp",
        "cache",
    ] {
        let mut more = files.clone();
        more.insert(path.to_owned(), b"x".to_vec());
        assert_named(&check(more), path, "adding");
    }
    let mut cache = files.clone();
    cache.insert("cache/filter".to_owned(), b"x".to_vec());
    cache.insert("cache/12-0.tmp".to_owned(), b"x".to_vec());
    assert_eq!(check(cache).verdict(), Verdict::Ok, "a cache, and what a crash leaves");
}

#[test]
fn an_altered_record_is_named_and_no_other() {
    let files = files();
    let path = files.keys().find(|path| path.starts_with("journal/")).unwrap();
    let frames = frames(&files[path]);
    assert_eq!(frames.iter().map(|frame| frame.1).collect::<Vec<_>>(), [1, 6, 4, 1, 4, 1]);
    let mut first = 0;
    for (range, count) in frames {
        let mut named = std::collections::BTreeSet::new();
        // Ciphertext without the hash before the records and without the tag.
        for at in range.start + 44 + 32..range.end - 16 {
            let report = check(altered(&files, path, |bytes| bytes[at] ^= 0x10));
            let mut indexes = report.findings().iter().filter_map(|it| Some((it.index?, it.count)));
            let (index, of) = indexes.next().unwrap();
            assert_eq!((of, indexes.next()), (1, None), "byte {at}: {}", report.to_json());
            named.insert(index);
        }
        assert_eq!(named, (first..first + count).collect());
        first += count;
    }
}

/// The frames of a journal file: where each lies, and how many records it has.
fn frames(journal: &[u8]) -> Vec<(std::ops::Range<usize>, u64)> {
    let number = |at: usize| u32::from_be_bytes(journal[at..at + 4].try_into().unwrap());
    let (mut frames, mut at) = (Vec::new(), 64);
    while at < journal.len() {
        let end = at + 44 + number(at + 4) as usize;
        frames.push((at..end, u64::from(number(at + 16))));
        at = end;
    }
    frames
}

#[test]
fn an_older_keyring_is_found() {
    let memory = MemoryFolder::default();
    let folder: Arc<dyn Folder> = Arc::new(memory.clone());
    let new = NewLog { name: "main".to_owned(), origin: None, post_quantum: true };
    seal::create(&folder, &new, &kek(), [1; 16], &options()).unwrap();
    let before = memory.snapshot()["keyring"].clone();
    let small = seal::Options { journal_roll_bytes: 1, ..options() };
    let mut writer = seal::open(&folder, kek(), small).unwrap();
    (0..3).for_each(|n| append(&mut writer, n * 4..n * 4 + 4));
    writer.close().unwrap();
    let files = memory.snapshot();
    assert_eq!(check(files.clone()).verdict(), Verdict::Ok);
    let report = check(altered(&files, "keyring", |bytes| *bytes = before));
    assert!(
        report.findings().iter().any(|finding| finding.file == "keyring"),
        "{}",
        report.to_json()
    );
}

#[test]
fn an_older_keyring_with_the_same_keys_is_found() {
    let memory = MemoryFolder::default();
    let folder: Arc<dyn Folder> = Arc::new(memory.clone());
    let new = NewLog { name: "main".to_owned(), origin: None, post_quantum: false };
    seal::create(&folder, &new, &kek(), [1; 16], &options()).unwrap();
    let before = memory.snapshot()["keyring"].clone();
    let mut keyring = keys::Keyring::open(&before, &kek()).unwrap();
    let next = keyring.to_bytes(&kek(), &keys::SystemEntropy::new()).unwrap();
    folder.replace("keyring", &next).unwrap();
    let mut writer = seal::open(&folder, kek(), options()).unwrap();
    append(&mut writer, 0..2);
    writer.close().unwrap();
    let files = memory.snapshot();
    assert_eq!(check(files.clone()).verdict(), Verdict::Ok);
    let report = check(altered(&files, "keyring", |bytes| *bytes = before));
    assert_eq!(report.findings().len(), 1, "{}", report.to_json());
    assert_eq!(report.findings()[0].file, "keyring");
}

#[test]
fn another_key_leaves_the_check_incomplete_and_accuses_nobody() {
    let other = Kek::from_secret(SecretKey::new([8; 32]), KekOrigin::Environment);
    let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::from_files(files()));
    for kek in [None, Some(&other)] {
        let report = verify(&folder, kek, &Options::default(), &mut |_| {});
        assert_eq!(report.verdict(), Verdict::Incomplete, "{}", report.to_json());
        assert_eq!(report.findings().len(), 1);
        assert_eq!(report.findings()[0].file, "keyring");
    }
}
