//! Bundles: whole ones hold, and whatever is changed, left out or added is found and named.

use crate::sample::{ORIGIN, checkpoint_of, key, signing_key};
use event::{Entry, Kind, Record, Tier};
use merkle::{MemoryTree, inclusion_proof, leaf_hash, range_proof};
use prove::{
    Absent, BUNDLE_FORMAT, Bundle, BundleRecord, EvidenceRecord, Extent, Figures, Finding,
    FindingKind, Level, REST_ENTRIES_MAX, Rest, Subject, SubjectKind, Trust, Verdict, check_page,
    fingerprint, verify_bundle,
};
use std::ops::Range;

/// Noon, and a day.
const NOON_MS: u64 = 1_767_268_800_000;
const DAY_MS: u64 = 86_400_000;

/// A log of records in sessions, one letter each; `|` is midnight.
struct Log {
    records: Vec<(String, String, Entry)>,
    tree: MemoryTree,
}

impl Log {
    fn new(sessions: &str) -> Self {
        let mut log = Self { records: Vec::new(), tree: MemoryTree::new() };
        let (mut day, mut previous) = (0, [0; 32]);
        let mut last: std::collections::HashMap<[u8; 16], u64> = std::collections::HashMap::new();
        for session in sessions.chars() {
            if session == '|' {
                day += 1;
                continue;
            }
            let index = log.records.len();
            let mut stream = [session as u8; 16];
            stream[0] = day as u8;
            let sequence = last.entry(stream).and_modify(|last| *last += 1).or_insert(1);
            let outcome = if index % 3 == 1 { "failure" } else { "success" };
            let meta = format!(
                "{{\"schema\":\"tachograph.event/1\",\"event_id\":\"e-{index}\",\
                 \"event_type\":\"agent.tool_call\",\"agent_name\":\"Ada\",\
                 \"session_id\":\"{session}\",\"trace_id\":\"t-{index}\",\"tool\":\"lookup\",\
                 \"outcome\":\"{outcome}\",\"duration_ms\":5,\
                 \"cost\":{{\"amount\":0.1,\"currency\":\"EUR\"}}}}"
            );
            let content = format!("{{\"params\":{{\"q\":\"</script><b>{index}\"}}}}");
            let record = Record {
                kind: Kind::Event,
                tier: Tier::Info,
                time_ms: NOON_MS + day * DAY_MS + index as u64,
                stream,
                sequence: *sequence,
                meta_salt: [index as u8; 16],
                content_salt: [!(index as u8); 16],
                meta: meta.as_bytes(),
                content: content.as_bytes(),
            };
            let entry = record.entry(previous);
            let leaf = leaf_hash(&entry.encode());
            previous = leaf.0;
            log.tree.push(leaf);
            log.records.push((meta.clone(), content.clone(), entry));
        }
        log
    }

    fn size(&self) -> u64 {
        self.records.len() as u64
    }

    fn record(&self, index: usize) -> BundleRecord {
        let (meta, content, entry) = &self.records[index];
        let proof = inclusion_proof(&self.tree, index as u64, self.size()).unwrap();
        BundleRecord {
            index: index as u64,
            entry: hex::encode(entry.encode()),
            proof: proof.iter().map(|hash| hex::encode(hash.0)).collect(),
            record: Some(EvidenceRecord {
                meta: meta.clone(),
                meta_salt: hex::encode([index as u8; 16]),
                content: Some(content.clone()),
                content_salt: Some(hex::encode([!(index as u8); 16])),
                content_commitment: None,
            }),
            absent: None,
        }
    }

    fn rest(&self, range: Range<u64>) -> Rest {
        let entries = &self.records[range.start as usize..range.end as usize];
        let bytes: Vec<u8> = entries.iter().flat_map(|(_, _, entry)| entry.encode()).collect();
        let proof = range_proof(&self.tree, range.clone(), self.size()).unwrap();
        Rest {
            first: range.start,
            entries: Rest::text(&bytes),
            proof: proof.iter().map(|hash| hex::encode(hash.0)).collect(),
        }
    }

    /// The bundle of a session: its records, and the entries of these ranges.
    fn bundle(&self, session: &str, indexes: &[usize], rest: &[(u64, u64)]) -> Bundle {
        let mut streams: Vec<String> =
            indexes.iter().map(|index| hex::encode(self.records[*index].2.stream)).collect();
        streams.sort();
        streams.dedup();
        let note = checkpoint_of(self.size(), self.tree.root(), 1);
        let mut bundle = Bundle {
            format: BUNDLE_FORMAT.to_owned(),
            origin: ORIGIN.to_owned(),
            subject: Subject { kind: SubjectKind::Session, id: session.to_owned() },
            vkeys: vec![key().to_string()],
            successions: Vec::new(),
            checkpoint: String::from_utf8(note).unwrap(),
            figures: Figures::default(),
            records: indexes.iter().map(|index| self.record(*index)).collect(),
            streams,
            rest: rest.iter().map(|(first, end)| self.rest(*first..*end)).collect(),
        };
        bundle.figures = bundle.count().unwrap();
        bundle
    }
}

fn pinned() -> Trust {
    Trust::pin(key())
}

/// Two sessions in turns, and one other record behind both.
fn log() -> Log {
    Log::new("abacabd")
}

fn whole() -> Bundle {
    log().bundle("a", &[0, 2, 4], &[(5, 7)])
}

fn findings(bundle: &Bundle) -> Vec<Finding> {
    verify_bundle(bundle.to_json().as_bytes(), &pinned()).report.findings().to_vec()
}

fn extent(bundle: &Bundle) -> Extent {
    let checked = verify_bundle(bundle.to_json().as_bytes(), &pinned());
    checked.report.completeness.unwrap().extent
}

#[test]
fn a_whole_bundle_holds_with_and_without_content() {
    let mut bundle = whole();
    for withheld in [false, true] {
        if withheld {
            for record in &mut bundle.records {
                let shown = record.record.as_mut().unwrap();
                let salt =
                    <[u8; 16]>::try_from(hex::decode(shown.content_salt.take().unwrap()).unwrap());
                let content = shown.content.take().unwrap();
                let commitment =
                    event::record::content_commitment(&salt.unwrap(), content.as_bytes());
                shown.content_commitment = Some(hex::encode(commitment));
            }
        }
        let checked = verify_bundle(bundle.to_json().as_bytes(), &pinned());
        assert_eq!(checked.report.findings(), []);
        assert_eq!((checked.report.verdict(), checked.report.level), (Verdict::Ok, Level::Signed));
        let completeness = checked.report.completeness.unwrap();
        assert_eq!((completeness.extent, completeness.records), (Extent::Complete, 3));
        assert!(
            completeness.sentence.starts_with("Complete: these are all 3 records of session a")
        );
        let counted = checked.counted.unwrap();
        assert_eq!((counted.events, counted.errors, counted.tools["lookup"].calls), (3, 1, 3));
        assert_eq!(counted.costs["EUR"], "0.3");
    }
    assert!(!whole().to_json().contains('<'), "a page obeys nothing in it");
}

#[test]
fn whoever_is_not_pinned_is_not_vouched_for() {
    let json = whole().to_json();
    let checked = verify_bundle(json.as_bytes(), &Trust::default());
    assert_eq!((checked.report.verdict(), checked.report.level), (Verdict::Ok, Level::Local));
    let stranger = Trust::pin(signing_key(9).verifier_key().clone());
    let checked = verify_bundle(json.as_bytes(), &stranger);
    assert_eq!(checked.report.verdict(), Verdict::Tampered);
    assert_eq!(checked.report.findings()[0].file, "checkpoint");
}

/// The part that a byte is in, and the record; found without the checker's help. What separates the
/// parts belongs to none of them.
fn part(json: &str, place: usize) -> (&'static str, Option<u64>) {
    let of = |mark: &str, end: &str| {
        let begin = json.find(mark).unwrap() + mark.len();
        begin..begin + json[begin..].find(end).unwrap()
    };
    if of(",\"checkpoint\":\"", ",\"figures\":{").contains(&place) {
        return ("checkpoint", None);
    }
    if of(",\"figures\":{", ",\"records\":[").contains(&place) {
        return ("figures", None);
    }
    let Some(begun) = json[..place].rfind("{\"index\":") else { return ("any", None) };
    if place > json.find(",\"streams\":").unwrap() {
        return ("any", None);
    }
    let digits: String = json[begun + 9..].chars().take_while(char::is_ascii_digit).collect();
    // A record whose index is altered is another one.
    let is_index = place < begun + 9 + digits.len();
    ("record", digits.parse().ok().filter(|_| !is_index))
}

#[test]
fn every_changed_byte_is_found_and_its_part_named() {
    let json = Log::new("abac").bundle("a", &[0, 2], &[(3, 4)]).to_json();
    for place in 0..json.len() {
        let mut altered = json.clone().into_bytes();
        // Letters stay letters, so that most changes reach what is behind the syntax.
        altered[place] ^= if altered[place].is_ascii_alphanumeric() { 1 } else { 4 };
        let checked = verify_bundle(&altered, &pinned());
        let (part, index) = part(&json, place);
        let near = String::from_utf8_lossy(&json.as_bytes()[place.saturating_sub(20)..place + 1]);
        let found = checked.report.findings();
        assert_eq!(checked.report.verdict(), Verdict::Tampered, "byte {place}: {near}");
        let names = |finding: &Finding| match part {
            "any" => true,
            // Whether the entry or its proof was altered, or the record in another byte that both
            // need, is not always known; which record it is, always.
            "record" => {
                matches!(&*finding.file, "entry" | "proof" | "record")
                    && (index.is_none() || finding.index == index)
            }
            part => finding.file == part,
        };
        assert!(found.iter().any(names), "byte {place} ({part} {index:?}, {near}): {found:?}");
    }
}

#[test]
fn the_same_in_another_spelling_is_refused_and_its_place_named() {
    let json = whole().to_json();
    let spelled = |from: &str, to: &str| {
        let altered = json.replacen(from, to, 1);
        let checked = verify_bundle(altered.as_bytes(), &pinned());
        let found = checked.report.findings().to_vec();
        assert_eq!((found.len(), found[0].kind), (1, FindingKind::Corrupt), "{to}: {found:?}");
        (found[0].file.clone(), found[0].index)
    };
    assert_eq!(spelled("e-0", "e-\\u0030"), ("record".to_owned(), Some(0)));
    assert_eq!(spelled("\\u003c", "<"), ("record".to_owned(), Some(0)));
    assert_eq!(spelled("\"errors\":1", "\"errors\": 1"), ("figures".to_owned(), None));
    assert_eq!(spelled("\"index\":2,", "\"index\":2 ,"), ("entry".to_owned(), Some(2)));
}

#[test]
fn what_is_altered_with_care_is_named_precisely() {
    let alter = |change: &dyn Fn(&mut Bundle)| {
        let mut bundle = whole();
        change(&mut bundle);
        let found = findings(&bundle);
        (found[0].file.clone(), found[0].index, found.len())
    };
    let of = |bundle: &mut Bundle, at: usize| bundle.records[at].record.clone().unwrap();
    let meta = alter(&|bundle| {
        let mut record = of(bundle, 1);
        record.meta = record.meta.replace("success", "failure");
        bundle.records[1].record = Some(record);
    });
    assert_eq!(meta, ("record".to_owned(), Some(2), 1));
    let content = alter(&|bundle| {
        let mut record = of(bundle, 2);
        record.content = record.content.map(|text| text.replace('4', "5"));
        bundle.records[2].record = Some(record);
    });
    assert_eq!(content, ("record".to_owned(), Some(4), 1));
    let proof = alter(&|bundle| bundle.records[0].proof[1] = "00".repeat(32));
    assert_eq!(proof, ("proof".to_owned(), Some(0), 1));
    let figures = alter(&|bundle| bundle.figures.tools.get_mut("lookup").unwrap().calls = 4);
    assert_eq!(figures, ("figures".to_owned(), None, 1));
    let figures = alter(&|bundle| drop(bundle.figures.costs.insert("EUR".into(), "0.03".into())));
    assert_eq!(figures, ("figures".to_owned(), None, 1));
    let subject = alter(&|bundle| bundle.subject.id = "b".to_owned());
    assert_eq!((subject.0.as_str(), subject.1), ("record", Some(0)));
    let rest = alter(&|bundle| bundle.rest[0].proof[0] = "00".repeat(32));
    assert_eq!(rest, ("rest".to_owned(), Some(5), 1));
}

#[test]
fn a_record_left_out_breaks_completeness_wherever_it_stood() {
    let log = log();
    for left_out in [0, 2, 4] {
        let indexes: Vec<usize> = [0, 2, 4].into_iter().filter(|it| *it != left_out).collect();
        // Whoever leaves the last one out and shows what follows, shows it.
        for rest in [[(5, 7)], [(3, 7)]] {
            let bundle = log.bundle("a", &indexes, &rest);
            let found = findings(&bundle);
            assert_eq!(extent(&bundle), Extent::Broken, "without {left_out}");
            assert!(found.iter().any(|it| it.kind == FindingKind::Missing), "{found:?}");
        }
    }
}

#[test]
fn what_is_claimed_to_be_something_else_cannot_hide_in_a_session() {
    let mut bundle = whole();
    bundle.records[1].record = None;
    bundle.records[1].absent = Some(Absent::Other);
    bundle.figures = bundle.count().unwrap();
    assert_eq!(extent(&bundle), Extent::Broken);
    assert_eq!(
        (findings(&bundle)[0].kind, findings(&bundle)[0].index),
        (FindingKind::Missing, Some(2))
    );
    bundle.records[1].absent = Some(Absent::Removed);
    assert_eq!(extent(&bundle), Extent::Partial);
    let checked = verify_bundle(bundle.to_json().as_bytes(), &pinned());
    assert_eq!(checked.report.verdict(), Verdict::Incomplete);
}

#[test]
fn without_streams_nobody_can_tell_whether_it_is_all() {
    let mut bundle = whole();
    bundle.streams.clear();
    assert_eq!(extent(&bundle), Extent::Unknown);
    let checked = verify_bundle(bundle.to_json().as_bytes(), &pinned());
    assert_eq!(checked.report.verdict(), Verdict::Incomplete);
}

#[test]
fn what_follows_may_be_left_out_only_when_it_is_too_much() {
    let mut bundle = whole();
    bundle.rest.clear();
    assert_eq!(extent(&bundle), Extent::Broken);
    assert_eq!(
        (&*findings(&bundle)[0].file, findings(&bundle)[0].kind),
        ("rest", FindingKind::Missing)
    );
    let long = Log::new(&format!("a{}", "b".repeat(REST_ENTRIES_MAX + 1)));
    let bundle = long.bundle("a", &[0], &[]);
    assert_eq!(extent(&bundle), Extent::Unknown);
    assert_eq!(findings(&bundle)[0].kind, FindingKind::Unassessed);
}

#[test]
fn a_session_of_two_days_has_two_streams_and_each_ends_with_its_day() {
    let log = Log::new("ab|ba|cd");
    // The first stream ends at record 2, of the next day; the second at record 4.
    let bundle = log.bundle("a", &[0, 3], &[(1, 3), (4, 5)]);
    assert_eq!(findings(&bundle), []);
    assert_eq!(extent(&bundle), Extent::Complete);
    let early = log.bundle("a", &[0, 3], &[(1, 2), (4, 5)]);
    assert_eq!(extent(&early), Extent::Broken);
}

#[test]
fn a_page_tells_a_reader_who_pastes_a_key_or_a_fingerprint_whether_it_fits() {
    let json = whole().to_json();
    let ask = |expected: &str| -> serde_json::Value {
        serde_json::from_str(&check_page(json.as_bytes(), expected)).unwrap()
    };
    let plain = ask("");
    assert_eq!((&plain["report"]["level"], &plain["is_pinned"]), (&"local".into(), &false.into()));
    assert_eq!(plain["records"][1]["state"], "holds");
    let vkey = key().to_string();
    let print = fingerprint(&vkey);
    let spaced: String = print.to_uppercase().chars().flat_map(|digit| [digit, ' ']).collect();
    for expected in [&vkey, &print, &format!("SHA256:{print}"), &spaced] {
        assert_eq!(ask(expected)["report"]["level"], "signed", "{expected}");
    }
    let stranger = signing_key(9).verifier_key().to_string();
    for wrong in [&stranger, &fingerprint(&stranger), "nonsense", "a+b"] {
        assert_eq!(ask(wrong)["report"]["verdict"], "tampered", "{wrong}");
    }
}

#[test]
fn bytes_that_are_no_bundle_are_refused_without_a_panic() {
    let json = whole().to_json();
    for cut in (0..json.len()).step_by(7) {
        let checked = verify_bundle(&json.as_bytes()[..cut], &pinned());
        assert_eq!(checked.report.verdict(), Verdict::Tampered);
    }
    let other = json.replacen("bundle/1", "bundle/2", 1);
    let checked = verify_bundle(other.as_bytes(), &pinned());
    assert!(checked.report.findings()[0].detail.contains("bundle/2"));
}
