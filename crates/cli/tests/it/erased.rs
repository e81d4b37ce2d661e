//! What was proved before a removal holds after it, and what a crash leaves of a removal is no
//! tampering.

use crate::program::{Home, json_lines};
use crate::rolled::{DAY_MS, Hands, append, check, check_with, fresh, kek};
use event::{Principal, Scope};
use keys::KekSource;
use prove::{Evidence, Trust, Verdict};
use retain::{Erasure, Policy, Selector};
use seal::{NewLog, Options, Writer};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use store::{DiskFolder, Folder, Lock, MemoryFolder, Reservation, StoreError, WriteFile};

/// A log on disk, written on a day in 2024: everything in it is older than its days.
fn old() -> (Home, String) {
    let home = Home::new();
    home.fine(&["init"]);
    std::fs::remove_dir_all(home.log()).unwrap();
    let kek = Arc::new(KekSource::File(home.path("config/tachograph/kek")).load().unwrap());
    let at = home.path("tachograph-data").join("01".repeat(16));
    let folder: Arc<dyn Folder> = Arc::new(DiskFolder::new(at));
    let clock = Arc::new(Hands(AtomicU64::new(20_000 * DAY_MS)));
    let options = Options { clock, reservation: Reservation::Off, ..Options::system() };
    let new = NewLog { name: "main".to_owned(), origin: None, post_quantum: false };
    seal::create(&folder, &new, &kek, [1; 16], &options).unwrap();
    let mut writer = seal::open(&folder, kek, options).unwrap();
    append(&mut writer, 0..8);
    let vkey = writer.identity().keys[0].clone();
    writer.close().unwrap();
    (home, vkey)
}

/// Evidence of a record, whole and without its content, in files of these names.
fn prove(home: &Home, event: &str) -> [String; 2] {
    let names = [format!("{event}.json"), format!("{event}-meta.json")];
    home.fine(&["prove", event, "--evidence", "-o", &names[0]]);
    home.fine(&["prove", event, "--evidence", "--metadata-only", "-o", &names[1]]);
    names
}

#[test]
fn every_proof_issued_before_an_erasure_or_an_expiry_verifies_after_it() {
    let (home, vkey) = old();
    let kept: Vec<String> = (0..8).flat_map(|n| prove(&home, &format!("e-{n}"))).collect();
    let paths: Vec<String> =
        (0..10).map(|index| home.fine(&["prove", &index.to_string()])).collect();
    let trust = Trust::pin(vkey.parse().unwrap());
    let hold = |after: &str| {
        for name in &kept {
            home.fine(&["verify", name, "--key", &vkey]);
            let json = std::fs::read(home.path(name)).unwrap();
            let evidence = Evidence::from_json(&json).unwrap();
            evidence.check(&trust).unwrap_or_else(|error| panic!("{name} after {after}: {error}"));
            // A lie would be found.
            let lie = String::from_utf8(json).unwrap().replacen("e-", "f-", 1);
            let lie = Evidence::from_json(lie.as_bytes()).map(|lie| lie.check(&trust).is_err());
            assert!(lie.unwrap_or(true), "{name} after {after}");
        }
        // The tree goes on, and its old paths stay provable.
        for (index, path) in paths.iter().enumerate() {
            let now = home.fine(&["prove", &index.to_string()]);
            let first = |text: &str| text.lines().take(2).map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(first(path), first(&now), "{index} after {after}");
        }
        home.fine(&["verify"]);
    };
    hold("nothing");
    for (event, scope) in [("e-0", "content"), ("e-1", "record")] {
        home.fine(&["erase", "--event", event, "--scope", scope, "--reason", "asked for"]);
        hold(scope);
    }
    // Of what was erased nothing more is handed out than there is.
    let rest = home.run(&["prove", "e-0", "--evidence", "-o", "rest.json"]);
    assert_eq!(rest.code, 0, "{}", rest.err);
    home.fine(&["verify", "rest.json", "--key", &vkey]);
    assert_eq!(home.run(&["prove", "e-1", "--evidence"]).code, 1);
    let applied = home.fine(&["retention", "apply", "--format", "json"]);
    assert_eq!(json_lines(&applied)[0]["records"], 7);
    hold("expiry");
    let counts = &json_lines(&home.fine(&["verify", "--format", "json"]))[0]["counts"];
    assert_eq!((&counts["erased"], &counts["expired"]), (&1.into(), &7.into()), "{counts}");
}

/// A folder in which no segment of tool calls can be written.
struct Full(MemoryFolder);

impl Folder for Full {
    fn list(&self, path: &str) -> Result<Vec<String>, StoreError> {
        self.0.list(path)
    }
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.read(path)
    }
    fn read_at(&self, path: &str, offset: u64, buffer: &mut [u8]) -> Result<usize, StoreError> {
        self.0.read_at(path, offset, buffer)
    }
    fn size(&self, path: &str) -> Result<Option<u64>, StoreError> {
        self.0.size(path)
    }
    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.0.write(path, bytes)
    }
    fn sync(&self, paths: &[String]) -> Result<(), StoreError> {
        self.0.sync(paths)
    }
    fn replace(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.0.replace(path, bytes)
    }
    fn remove(&self, path: &str) -> Result<(), StoreError> {
        self.0.remove(path)
    }
    fn open(&self, path: &str) -> Result<Box<dyn WriteFile>, StoreError> {
        if path.starts_with("segments/tier=info") {
            let source = std::io::ErrorKind::StorageFull.into();
            return Err(StoreError::Io { action: "open", path: path.to_owned(), source });
        }
        self.0.open(path)
    }
    fn lock(&self, path: &str) -> Result<Box<dyn Lock>, StoreError> {
        self.0.lock(path)
    }
}

fn erase(writer: &mut Writer, event: &str) -> Result<retain::Erased, retain::RetainError> {
    let selector = Selector { event: Some(event.to_owned()), ..Selector::default() };
    let (reason, by) = ("asked for".to_owned(), Principal::default());
    let scope = Scope::Record;
    let erasure = Erasure { selector, scope, reason, ground: None, by };
    retain::erase(writer, &erasure, &Policy::default(), 0)
}

/// A crash may come when a segment was written anew without what an erasure took, and before the
/// log said so: the new file is then one that nobody announced.
#[test]
fn a_segment_that_is_being_written_anew_for_a_removal_that_waits_is_no_stranger() {
    let memory = MemoryFolder::default();
    let (mut writer, _) = fresh(&memory);
    append(&mut writer, 0..10);
    // Two segments of the tier, so that the new one is not taken for one of several.
    writer.settle_tail().unwrap();
    append(&mut writer, 10..20);
    writer.settle_tail().unwrap();
    writer.close().unwrap();
    let settled = memory.snapshot();
    let memory = MemoryFolder::from_files(settled.clone());
    // What the tail becomes has room; what is written anew has none.
    let full: Arc<dyn Folder> = Arc::new(Full(memory.clone()));
    let options = Options { reservation: Reservation::Off, ..Options::system() };
    let mut writer = seal::open(&full, kek(), options.clone()).unwrap();
    let error = erase(&mut writer, "e-2").unwrap_err();
    assert!(error.to_string().contains("segments/"), "{error}");
    drop(writer);
    let waiting = memory.snapshot();
    assert_eq!(check(&waiting).verdict(), Verdict::Ok, "{}", check(&waiting).to_json());
    // The next start carries it out; as if it had died before it said so.
    let folder: Arc<dyn Folder> = Arc::new(memory.clone());
    let mut writer = seal::open(&folder, kek(), options).unwrap();
    assert_eq!(writer.carry_out().unwrap(), 1);
    drop(writer);
    let after = memory.snapshot();
    let is_new = |path: &&String| path.starts_with("segments/") && !waiting.contains_key(*path);
    let made: Vec<&String> = after.keys().filter(is_new).collect();
    assert_eq!(made.len(), 1, "{made:?}");
    let with = |files: &crate::rolled::Files| {
        let mut files = files.clone();
        files.insert(made[0].clone(), after[made[0]].clone());
        files
    };
    for report in [check(&with(&waiting)), check_with(&with(&waiting), None)] {
        let named = |it: &&prove::Finding| it.file == *made[0];
        assert_eq!(report.findings().iter().find(named), None, "{}", report.to_json());
        assert!(report.notes.iter().any(|note| note.contains(made[0])), "{}", report.to_json());
    }
    // Where no removal waits, it is one.
    for report in [check(&with(&settled)), check_with(&with(&settled), None)] {
        assert_eq!(report.verdict(), Verdict::Tampered, "{}", report.to_json());
        assert!(report.findings().iter().any(|it| it.file == *made[0]), "{}", report.to_json());
    }
}

#[test]
fn what_is_held_and_what_would_go_is_told_without_writing_a_byte() {
    let (home, _) = old();
    let hold = ["hold", "add", "--event", "e-1", "--reason", "Case 12"];
    let name = home.fine(&hold);
    let plan =
        |home: &Home| json_lines(&home.fine(&["retention", "plan", "--format", "json"])).remove(0);
    let going = |plan: &serde_json::Value| -> u64 {
        plan["classes"].as_array().unwrap().iter().map(|it| it["going"].as_u64().unwrap()).sum()
    };
    let (writer, before) = (crate::answers::open(&home), home.files("tachograph-data"));
    // Beside a writer too, which has the log's only lock.
    let first = plan(&home);
    let listed = json_lines(&home.fine(&["hold", "list", "--format", "ndjson"]));
    assert_eq!((&listed[0]["hold"], listed.len()), (&name.trim().into(), 1));
    home.fine(&["retention", "plan"]);
    home.fine(&["hold", "list"]);
    assert!(home.files("tachograph-data") == before, "a byte was written");
    writer.close().unwrap();
    assert_eq!(going(&first), 7, "{first}");
    let applied = home.fine(&["retention", "apply", "--format", "json"]);
    assert_eq!(json_lines(&applied)[0]["records"], 7, "what the plan said");
    assert_eq!(json_lines(&applied)[0]["held"], 1);
    let then = plan(&home);
    assert_eq!(going(&then), 0, "{then}");
}
