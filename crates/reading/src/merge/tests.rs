//! Segments in memory, whole and not: what comes out in which order, and what is said of the rest.

use super::*;
use event::{Kind, Record, Tier};
use keys::{Kek, KekOrigin, KeyId, Purpose, SecretKey};
use prove::Report;
use segment::{Manifest, SegmentWriter};
use store::MemoryFolder;

/// Segments being made.
struct Made {
    memory: MemoryFolder,
    keyring: Keyring,
    shelf: Shelf,
    count: u8,
}

/// What a merge handed out: the runs, and the faults beside them.
struct Merged {
    runs: Vec<String>,
    faults: Vec<String>,
}

const INFO: (Tier, u64) = (Tier::Info, 20_000);
const CRITICAL: (Tier, u64) = (Tier::Critical, 20_000);

impl Made {
    fn new() -> Self {
        let kek = Kek::from_secret(SecretKey::new([7; 32]), KekOrigin::Environment);
        let (memory, keyring) = (MemoryFolder::default(), Keyring::create([1; 16], &kek));
        Self { memory, keyring, shelf: Shelf::default(), count: 0 }
    }

    /// Adds a segment of a span and class that holds rows of these indexes and classes.
    fn with(
        mut self,
        (first, last): (u64, u64),
        (tier, day): (Tier, u64),
        rows: &[(u64, (Tier, u64))],
    ) -> Self {
        self.count += 1;
        let (key, key_id) = (SecretKey::new([self.count; 32]), KeyId::from_bytes([self.count; 16]));
        let mut bytes = Vec::new();
        let mut writer = SegmentWriter::new(&mut bytes, &key, key_id).unwrap();
        for (index, (tier, day)) in rows {
            let meta = format!(r#"{{"event_id":"e-{index}"}}"#);
            let record = Record {
                kind: Kind::Event,
                tier: *tier,
                time_ms: day * DAY_MS + index,
                stream: [0; 16],
                sequence: 1,
                meta_salt: [1; 16],
                content_salt: [2; 16],
                meta: meta.as_bytes(),
                content: b"{\"params\":1}",
            };
            writer.push(*index, &record).unwrap();
        }
        writer.finish().unwrap();
        let manifest = Manifest {
            first,
            last,
            tier,
            day,
            key_id,
            sha256: [0; 32],
            bytes: bytes.len() as u64,
            rows: rows.len() as u64,
            replaces: Vec::new(),
            applied: None,
        };
        self.keyring.insert(key_id, Purpose::Segment, key, 0).unwrap();
        self.memory.write(&manifest.path(), &bytes).unwrap();
        let path: Arc<str> = manifest.path().into();
        self.shelf.volumes.push(Volume { path, manifest, is_announced: true });
        self.shelf.volumes.sort_by_key(|volume| volume.manifest.first);
        self
    }

    fn of_indexes(self, span: (u64, u64), class: (Tier, u64), indexes: &[u64]) -> Self {
        let rows: Vec<(u64, (Tier, u64))> = indexes.iter().map(|index| (*index, class)).collect();
        self.with(span, class, &rows)
    }

    fn path(&self, number: usize) -> String {
        self.shelf.volumes[number].path.to_string()
    }

    fn merge(&self, first: u64, end: u64) -> Merged {
        let folder: Arc<dyn Folder> = Arc::new(self.memory.clone());
        let access = Access { folder: &folder, keyring: &self.keyring, columns: true };
        let (mut merge, mut faults) = (Merge::new(&self.shelf, first, end), Faults::default());
        let mut runs = Vec::new();
        let mut next = first;
        while let Some(step) = merge.next(&access, &mut faults) {
            let run =
                |what: &str, first: u64, count: u64| format!("{what} {first}..{}", first + count);
            let (said, from, count) = match step {
                Step::Rows { rows } => {
                    let from = rows[0].row.index;
                    let indexes = rows.iter().map(|placed| placed.row.index);
                    assert!(indexes.eq(from..from + rows.len() as u64));
                    (run("rows", from, rows.len() as u64), from, rows.len() as u64)
                }
                Step::Missing { file, first_index, count } => {
                    let what = if file.is_some() { "gone" } else { "missing" };
                    (run(what, first_index, count), first_index, count)
                }
                Step::Damaged { first_index, count, .. } => {
                    (run("damaged", first_index, count), first_index, count)
                }
                other => panic!("{other:?}"),
            };
            assert_eq!(from, next, "without a gap and in order");
            next += count;
            runs.push(said);
        }
        assert_eq!(next, end.max(first), "up to the end");
        let mut report = Report::new("");
        faults.tell(&mut report);
        let fault = |it: &prove::Finding| format!("{:?} {:?} {}", it.kind, it.index, it.detail);
        Merged { runs, faults: report.findings().iter().map(fault).collect() }
    }

    #[track_caller]
    fn assert_runs(&self, (first, end): (u64, u64), runs: &[&str]) {
        let merged = self.merge(first, end);
        assert_eq!(
            (merged.runs, merged.faults),
            (runs.iter().map(|it| (*it).to_owned()).collect(), vec![])
        );
    }
}

/// Two spans of two classes each.
fn two_spans() -> Made {
    Made::new()
        .of_indexes((0, 9), INFO, &[0, 2, 3, 5, 6, 7, 9])
        .of_indexes((0, 9), CRITICAL, &[1, 4, 8])
        .of_indexes((10, 14), INFO, &[10, 11])
        .of_indexes((10, 14), CRITICAL, &[12, 13, 14])
}

#[test]
fn classes_and_spans_come_out_as_one_sequence_from_anywhere_to_anywhere() {
    let made = two_spans();
    for first in 0..15 {
        for end in first + 1..16 {
            let last = end.min(15);
            let mut runs = vec![format!("rows {first}..{last}")];
            if end > last {
                runs.push(format!("missing {last}..{end}"));
            }
            let runs: Vec<&str> = runs.iter().map(String::as_str).collect();
            made.assert_runs((first, end), &runs);
        }
    }
    made.assert_runs((5, 5), &[]);
    Made::new().assert_runs((3, 7), &["missing 3..7"]);
}

#[test]
fn large_batches_are_handed_out_in_parts() {
    let indexes: Vec<u64> = (0..2500).collect();
    let made = Made::new().of_indexes((0, 2499), INFO, &indexes);
    made.assert_runs((0, 2500), &["rows 0..1024", "rows 1024..2048", "rows 2048..2500"]);
}

#[test]
fn rows_that_are_not_there_are_missing_where_they_should_be() {
    let made = Made::new()
        .of_indexes((0, 9), INFO, &[0, 2, 6, 7])
        .of_indexes((0, 9), CRITICAL, &[1, 4])
        .of_indexes((20, 21), INFO, &[20, 21]);
    let runs = ["rows 0..3", "missing 3..4", "rows 4..5", "missing 5..6", "rows 6..8"];
    made.assert_runs((0, 8), &runs);
    made.assert_runs((8, 22), &["missing 8..20", "rows 20..22"]);
}

#[test]
fn a_segment_that_is_gone_or_damaged_leaves_what_others_have() {
    let made = two_spans();
    let (gone, damaged) = (made.path(1), made.path(2));
    made.memory.remove(&gone).unwrap();
    let bytes = made.memory.read(&damaged).unwrap().unwrap();
    for at in [bytes.len() - 20, 4, bytes.len() / 2] {
        let mut bad = bytes.clone();
        bad[at] ^= 1;
        made.memory.write(&damaged, &bad).unwrap();
        let merged = made.merge(0, 15);
        let expected =
            ["rows 0..1", "gone 1..2", "rows 2..4", "gone 4..5", "rows 5..8", "gone 8..9"];
        assert_eq!(merged.runs[..6], expected);
        let rest = &merged.runs[6..];
        // A byte that nothing depends on may be the one that was changed, in an index of pages.
        let is_told =
            rest == ["rows 9..10", "damaged 10..12", "rows 12..15"] || rest == ["rows 9..15"];
        assert!(is_told, "{at}: {rest:?}");
    }
    made.memory.write(&damaged, b"short").unwrap();
    assert_eq!(made.merge(10, 15).runs, ["damaged 10..12", "rows 12..15"]);
}

#[test]
fn a_key_that_is_gone_is_the_keyrings_fault() {
    let mut made = two_spans();
    made.keyring.destroy(KeyId::from_bytes([4; 16])).unwrap();
    let merged = made.merge(10, 15);
    assert_eq!(merged.runs, ["rows 10..12", "damaged 12..15"]);
    assert_eq!(merged.faults.len(), 1);
    assert!(merged.faults[0].contains("it lacks the key 0404"), "{:?}", merged.faults);
}

#[test]
fn rows_that_do_not_belong_are_faults() {
    let other_day = (Tier::Info, 20_001);
    let made = Made::new()
        .with((0, 4), INFO, &[(0, INFO), (1, CRITICAL), (2, other_day), (3, INFO), (7, INFO)])
        .of_indexes((0, 4), CRITICAL, &[3, 4]);
    let merged = made.merge(0, 8);
    assert_eq!(merged.runs, ["rows 0..5", "missing 5..8"]);
    assert_eq!(merged.faults.len(), 3, "{:?}", merged.faults);
    for (fault, part) in merged.faults.iter().zip([
        "Corrupt Some(1) its record is of another tier or day",
        "Unannounced Some(7) its record lies outside",
        "Unannounced Some(3) its record is in another segment too",
    ]) {
        assert!(fault.starts_with(part), "{fault}");
    }
}

#[test]
fn what_nobody_announced_fills_gaps_and_is_no_fault() {
    let mut made = Made::new()
        .of_indexes((0, 4), INFO, &[0, 2, 4])
        .of_indexes((0, 4), CRITICAL, &[1, 3])
        .of_indexes((0, 4), INFO, &[0, 2, 4])
        .of_indexes((0, 4), INFO, &[0, 2, 4]);
    for number in [1, 2, 3] {
        made.shelf.volumes[number].is_announced = false;
    }
    made.keyring.destroy(KeyId::from_bytes([4; 16])).unwrap();
    made.memory.write(&made.path(2), b"not a segment").unwrap();
    made.assert_runs((0, 5), &["rows 0..5"]);
    made.shelf.volumes.remove(0);
    made.assert_runs(
        (0, 5),
        &["missing 0..1", "rows 1..2", "missing 2..3", "rows 3..4", "missing 4..5"],
    );
}

#[test]
fn another_number_of_rows_than_announced_is_a_fault() {
    let mut made = two_spans();
    made.shelf.volumes[0].manifest.rows += 1;
    let merged = made.merge(0, 10);
    assert_eq!(merged.runs, ["rows 0..10"]);
    assert_eq!(merged.faults, ["Corrupt None it holds 7 records, and the log announced 8"]);
}
