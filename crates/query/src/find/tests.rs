//! Answers against those of a full scan; cursors; guides that are lost or damaged.

use super::*;
use crate::{AsOf, Selector, Volume};
use event::{Event, Kind, Outcome, Tier, Timestamp};
use keys::{KeyId, SecretKey, SystemEntropy};
use proptest::prelude::*;
use proptest::sample::select as one_of;
use segment::{ContentState, Manifest, Row, SegmentWriter};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use store::{Folder, MemoryFolder};

const DAY_MS: u64 = 86_400_000;

/// A small deterministic generator (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }

    fn pick<'t>(&mut self, table: &[&'t str]) -> &'t str {
        table[self.below(table.len() as u64) as usize]
    }
}

const AGENTS: [&str; 5] = ["planner", "Billing", "coder", "böb \"x\"", "rare"];
const TYPES: [&str; 5] =
    ["agent.tool_call", "agent.reasoning", "agent.error", "hub.post", "agent.decision"];
const TOOLS: [&str; 3] = ["mcp:search", "shell", "get_order"];
const WORDS: [&str; 8] =
    ["refund", "Zürich", "deadbeef", "order-1042", "a\\nline", "Quokka", "in the", "日本の首都"];
const ERRORS: [&str; 2] = ["TimeoutError", "HTTPError"];

/// An event with every member that a filter asks for, now and then without.
fn json(random: &mut Random, number: u64) -> String {
    let mut members = vec![format!(r#""event_type":"{}""#, random.pick(&TYPES))];
    let agent = match random.below(400) {
        0 => "rare".to_owned(),
        _ => random.pick(&AGENTS[..4]).replace('"', "\\\""),
    };
    let member = match random.below(5) {
        0 => "agent_id",
        _ => "agent_name",
    };
    members.push(format!(r#""event_id":"e-{number}","{member}":"{agent}""#));
    let trace = number / 40 * 3 + random.below(3);
    members.push(format!(r#""trace_id":"t-{trace}","session_id":"s-{}""#, trace / 2));
    match random.below(6) {
        0 => members.push(format!(r#""tool":"{}""#, random.pick(&TOOLS))),
        1 => members.push(format!(r#""action":"tool_call:{}""#, random.pick(&TOOLS))),
        2 => members.push(format!(r#""task_id":"k-{}""#, trace / 3)),
        3 => members.push(format!(r#""error_type":"{}","error":"no""#, random.pick(&ERRORS))),
        4 => members.push(r#""outcome":"failure""#.to_owned()),
        _ => {}
    }
    if random.below(3) > 0 {
        members.push(format!(
            r#""timestamp":"2026-01-0{}T0{}:00:00Z""#,
            1 + number % 3,
            number % 10
        ));
    }
    let words: Vec<&str> = (0..random.below(4)).map(|_| random.pick(&WORDS)).collect();
    let needle = if random.below(3000) == 0 { " Needle-in-hay" } else { "" };
    members.push(format!(
        r#""params":{{"q":"{}{needle} no-{}","n":{number},"ref":"REF{number:05}"}}"#,
        words.join(" "),
        number * 7 % 100_000
    ));
    format!("{{{}}}", members.join(","))
}

fn row(random: &mut Random, index: u64) -> Row {
    let json = json(random, index);
    let mut event = Event::from_json(json.as_bytes()).unwrap();
    let principal = event::Principal { subject: Some("ada".into()), ..event::Principal::default() };
    event.principal = (random.below(50) == 0).then_some(principal);
    let kind = if random.below(20) == 0 { Kind::Log } else { Kind::Event };
    if kind == Kind::Log {
        event.event_type = "log.heartbeat".into();
    }
    let (mut meta, mut content) = (Vec::new(), Vec::new());
    event.write_meta(&mut meta);
    event.write_content(&mut content);
    let content = match random.below(30) {
        0 => ContentState::Erased { commitment: [9; 32] },
        _ if content.is_empty() => ContentState::None,
        _ => ContentState::Present { salt: [2; 16], bytes: content },
    };
    Row {
        index,
        kind,
        tier: Tier::ALL[(random.below(20).min(3)) as usize],
        time_ms: 1_767_225_600_000 + index * 2_000,
        meta,
        meta_salt: [1; 16],
        content,
    }
}

/// The rows as segments for each tier, day and span of so many indexes; those from `rolled` on are
/// the tail.
fn library(rows: &[Row], rolled: u64, span: u64, size: u64) -> Library {
    let mut parts: BTreeMap<(u64, u8, u64), Vec<&Row>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.index < rolled) {
        let part = (row.index / span, row.tier as u8, row.time_ms / DAY_MS);
        parts.entry(part).or_default().push(row);
    }
    let volumes = parts.iter().enumerate().map(|(number, ((part, tier, day), rows))| {
        let key = SecretKey::new([number as u8; 32]);
        let key_id = KeyId::from_bytes([number as u8; 16]);
        let mut file = Vec::new();
        let mut writer = SegmentWriter::new(&mut file, &key, key_id).unwrap();
        rows.iter().for_each(|row| writer.push_row(row).unwrap());
        writer.finish().unwrap();
        let manifest = Manifest {
            first: part * span,
            last: ((part + 1) * span).min(rolled) - 1,
            tier: Tier::from_number(*tier).unwrap(),
            day: *day,
            key_id,
            sha256: [0; 32],
            bytes: file.len() as u64,
            rows: rows.len() as u64,
            replaces: Vec::new(),
            applied: None,
        };
        Volume::new(manifest, Arc::new(file), key)
    });
    let as_of = AsOf { origin: "log.example/1".to_owned(), size, root_hex: "00".repeat(32) };
    let tail: Vec<Row> = rows.iter().filter(|row| row.index >= rolled).cloned().collect();
    Library::new(as_of, volumes.collect(), tail)
}

const ROWS: u64 = 22_000;

/// Segments with several row groups, a tail, and two records that the checkpoint does not cover.
fn shared() -> &'static (Vec<Row>, Library) {
    static SHARED: OnceLock<(Vec<Row>, Library)> = OnceLock::new();
    SHARED.get_or_init(|| {
        let mut random = Random(7);
        let rows: Vec<Row> = (0..ROWS).map(|index| row(&mut random, index)).collect();
        let library = library(&rows, ROWS - 1_500, 20_400, ROWS - 2);
        (rows, library)
    })
}

/// What a scan of everything says.
fn scanned(rows: &[Row], size: u64, filter: &Filter) -> (Vec<Found<'static>>, u64) {
    let mut selector = Selector::new(filter);
    for row in rows.iter().filter(|row| row.index < size) {
        if selector.offer(&row.into()).is_break() {
            break;
        }
    }
    let selection = selector.finish();
    (selection.found, selection.unreadable)
}

/// All pages of an answer.
fn paged(library: &Library, filter: &Filter, limit: usize) -> Vec<Found<'static>> {
    let filter = Filter { limit: Some(limit), ..filter.clone() };
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let page = find(library, &filter, cursor.as_ref()).unwrap();
        assert!(page.found.len() == limit || page.next.is_none());
        all.extend(page.found);
        match page.next {
            Some(next) => cursor = Some(next.to_string().parse().unwrap()),
            None => return all,
        }
    }
}

fn texts(table: &'static [&'static str], most: usize) -> impl Strategy<Value = Vec<String>> {
    prop_oneof![
        6 => Just(Vec::new()),
        1 => proptest::collection::vec(one_of(table).prop_map(str::to_owned), 1..=most),
    ]
}

fn ids(letter: char, bound: u64) -> impl Strategy<Value = Vec<String>> {
    let id = (0..bound).prop_map(move |number| format!("{letter}-{number}"));
    prop_oneof![6 => Just(Vec::new()), 1 => proptest::collection::vec(id, 1..3)]
}

fn time() -> impl Strategy<Value = Option<Timestamp>> {
    let time =
        (0_u64..4 * DAY_MS).prop_map(|it| Timestamp::from_milliseconds(1_767_225_600_000 + it));
    prop_oneof![4 => Just(None), 1 => time.prop_map(Some), 1 => Just(Some(Timestamp(u64::MAX)))]
}

fn filters() -> impl Strategy<Value = Filter> {
    let types = &["agent.tool_call", "agent.*", "hub.*", "agent.decision", "*", "none"];
    let text = one_of(vec![
        "refund",
        "quokka",
        "\"needle-in\"",
        "hay needle",
        "zürich refund",
        "deadbeef",
        "1042",
        "line",
        "ound",
        "首都",
        "nowhere",
        "",
        "ORDER-1042",
        "ORDER-10421",
        "no-12345",
        "x17-0000",
        "REF123",
        "böb",
    ]);
    let text = prop_oneof![2 => Just(None), 1 => text.prop_map(|it| Some(it.to_owned()))];
    let names = (ids('e', ROWS), ids('t', 1_650), ids('s', 830), ids('k', 550));
    let outcomes = prop_oneof![5 => Just(vec![]), 1 => Just(vec![Outcome::Failure])];
    let tiers = prop_oneof![3 => Just(vec![]), 1 => Just(vec![Tier::Critical, Tier::Debug])];
    let subjects = texts(&["ada", "bob"], 2);
    let kinds =
        prop_oneof![4 => Just(None), 1 => Just(Some(Kind::Event)), 1 => Just(Some(Kind::Log))];
    let what = (texts(&AGENTS, 2), texts(types, 2), texts(&TOOLS, 2), texts(&ERRORS, 1), subjects);
    (names, what, outcomes, tiers, (time(), time()), text, (kinds, any::<bool>())).prop_map(|it| {
        let (
            (events, traces, sessions, tasks),
            (agents, types, tools, error_types, principals),
            ..,
        ) = it.clone();
        let (.., outcomes, tiers, (from, to), text, (kind, newest_first)) = it;
        Filter {
            events,
            agents,
            types,
            sessions,
            traces,
            tasks,
            tools,
            principals,
            outcomes,
            error_types,
            tiers,
            from,
            to,
            text,
            kind,
            without_access_records: false,
            limit: None,
            newest_first,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn answers_are_those_of_a_full_scan(filter in filters(), limit in 1_usize..300) {
        let (rows, library) = shared();
        let size = library.as_of().size;
        let (expected, unreadable) = scanned(rows, size, &filter);
        let page = find(library, &filter, None).unwrap();
        prop_assert_eq!(page.found.len(), expected.len());
        prop_assert!(page.found == expected, "{:?}", filter);
        prop_assert_eq!((page.next, page.unreadable), (None, unreadable));
        let limited = Filter { limit: Some(limit), ..filter.clone() };
        let page = find(library, &limited, None).unwrap();
        prop_assert!(page.found == scanned(rows, size, &limited).0, "{:?}", limited);
        prop_assert_eq!(page.next.is_some(), expected.len() > limit);
        if expected.len() < 40 * limit {
            prop_assert!(paged(library, &filter, limit) == expected, "{:?}", filter);
        }
        let mut each = Vec::new();
        find_each(library, &limited, &mut |found| {
            each.push(found.to_owned());
            ControlFlow::Continue(())
        }).unwrap();
        prop_assert!(each == page.found);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn answers_do_not_depend_on_where_the_records_lie(
        seed: u64,
        count in 1_u64..300,
        rolled in 0_u64..300,
        span in 20_u64..200,
        size in 0_u64..310,
        asked in proptest::collection::vec(filters(), 6),
    ) {
        let mut random = Random(seed);
        let rows: Vec<Row> = (0..count).map(|index| row(&mut random, index)).collect();
        let size = size.min(count);
        let library = library(&rows, rolled.min(count), span, size);
        for filter in asked {
            let expected = scanned(&rows, size, &filter).0;
            prop_assert!(find(&library, &filter, None).unwrap().found == expected, "{:?}", filter);
            prop_assert!(paged(&library, &filter, 7) == expected, "{:?}", filter);
        }
    }
}

#[test]
fn records_that_are_no_events_are_counted_wherever_they_are() {
    let mut random = Random(1);
    let mut rows: Vec<Row> = (0..30).map(|index| row(&mut random, index)).collect();
    for at in [3, 25] {
        rows[at].meta = br#"{"schema":"tachograph.event/9","event_type":7}"#.to_vec();
    }
    let library = library(&rows, 20, 20, 30);
    let filter = Filter { from: Some(Timestamp(1)), newest_first: true, ..Filter::default() };
    let page = find(&library, &filter, None).unwrap();
    let (expected, unreadable) = scanned(&rows, 30, &filter);
    assert_eq!((page.found, page.unreadable), (expected, unreadable));
    assert_eq!((page.unreadable, page.first_unreadable), (2, Some(25)));
}

#[test]
fn activity_is_that_of_a_full_scan() {
    let (rows, library) = shared();
    for by in [crate::By::Agent, crate::By::Session] {
        let mut scanned = crate::Activity::new(by);
        for row in rows.iter().filter(|row| row.index < library.as_of().size) {
            scanned.offer(&row.into(), &Event::from_stored(&row.meta, &[]).unwrap());
        }
        let counted = activity(library, by).unwrap().unwrap().finish();
        assert!(counted.len() > 3 && counted == scanned.finish(), "{by:?}");
    }
}

#[test]
fn cursors_of_other_answers_are_refused() {
    let (_, library) = shared();
    let filter = Filter { limit: Some(10), newest_first: true, ..Filter::default() };
    let next = find(library, &filter, None).unwrap().next.unwrap();
    for other in [
        Filter { newest_first: false, ..filter.clone() },
        Filter { tools: vec!["shell".to_owned()], ..filter.clone() },
    ] {
        let error = find(library, &other, Some(&next)).unwrap_err();
        assert!(matches!(error, FindError::Cursor(CursorError::OtherQuestion)), "{error}");
    }
    let longer = Filter { limit: Some(20), from: Some(Timestamp(1)), ..filter.clone() };
    assert_eq!(find(library, &longer, Some(&next)).unwrap().found.len(), 20);
    let rows: Vec<Row> = library.tail().cloned().collect();
    let as_of = AsOf { size: library.as_of().size - 1, ..library.as_of().clone() };
    let error = find(&Library::new(as_of, vec![], rows), &filter, Some(&next)).unwrap_err();
    assert!(matches!(error, FindError::Cursor(CursorError::OtherSize { .. })), "{error}");
}

/// A library whose segments nobody has opened yet, with a cache.
fn fresh(rows: &[Row], folder: &Arc<dyn Folder>) -> Library {
    let library = library(rows, rows.len() as u64, 1_000, rows.len() as u64);
    library.with_cache(Arc::clone(folder), Arc::new(SystemEntropy::new()))
}

#[test]
fn guides_are_kept_encrypted_and_made_again_when_they_are_lost_or_changed() {
    let mut random = Random(3);
    let rows: Vec<Row> = (0..1_500).map(|index| row(&mut random, index)).collect();
    let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::default());
    let asked = Filter {
        agents: vec!["planner".to_owned()],
        text: Some("quokka".to_owned()),
        ..Filter::default()
    };
    let expected = scanned(&rows, 1_500, &asked).0;
    assert!(!expected.is_empty());
    let answer = || {
        let library = fresh(&rows, &folder);
        prepare(&library, &asked, &|done, total| assert!(done <= total)).unwrap();
        find(&library, &asked, None).unwrap().found
    };
    assert_eq!(answer(), expected);
    let files = folder.list(store::CACHE_FOLDER).unwrap();
    let volumes = fresh(&rows, &folder).volumes().len();
    assert_eq!(files.len(), 2 * volumes, "{files:?}");
    let contents = || -> Vec<Vec<u8>> {
        files.iter().map(|path| folder.read(path).unwrap().unwrap()).collect()
    };
    let kept = contents();
    for bytes in &kept {
        for word in ["quokka", "planner", "refund", "tachoid", "tachowd"] {
            assert!(memchr::memmem::find(bytes, word.as_bytes()).is_none(), "{word}");
        }
    }
    assert_eq!(answer(), expected);
    assert_eq!(contents(), kept, "nothing was made again");
    // Gone, cut, changed, empty, of another segment.
    for (round, path) in files.iter().enumerate() {
        match round % 5 {
            0 => folder.remove(path).unwrap(),
            1 => folder.write(path, &kept[round][..20]).unwrap(),
            2 => {
                let mut bytes = kept[round].clone();
                bytes[30] ^= 1;
                folder.write(path, &bytes).unwrap();
            }
            3 => folder.write(path, b"").unwrap(),
            _ => folder.write(path, &kept[round - 1]).unwrap(),
        }
    }
    assert_eq!(answer(), expected);
    let healed = contents();
    assert!(healed.iter().zip(&kept).all(|(healed, kept)| healed.len() == kept.len()));
    assert!(healed != kept);
    assert_eq!(answer(), expected);
    assert_eq!(contents(), healed);
}

#[test]
fn a_segment_that_cannot_be_read_is_an_error_with_its_path() {
    let mut random = Random(5);
    let rows: Vec<Row> = (0..100).map(|index| row(&mut random, index)).collect();
    let sound = library(&rows, 100, 100, 100);
    let volumes: Vec<Volume> = sound.volumes().to_vec();
    let broken = |volume: &Volume| {
        let cut: Arc<dyn segment::Source> = Arc::new(vec![0_u8; 40]);
        Volume::new(volume.manifest().clone(), cut, volume.key().duplicate())
    };
    let path = volumes[0].manifest().path();
    let library = Library::new(
        sound.as_of().clone(),
        volumes
            .iter()
            .enumerate()
            .map(|(at, it)| if at == 0 { broken(it) } else { it.clone() })
            .collect(),
        Vec::new(),
    );
    let error = find(&library, &Filter::default(), None).unwrap_err();
    assert!(error.to_string().starts_with(&path), "{error}");
    // What is not asked of it does not meet the damage.
    let tier = volumes[1].manifest().tier;
    assert_ne!(tier, volumes[0].manifest().tier);
    let filter = Filter { tiers: vec![tier], ..Filter::default() };
    assert_eq!(find(&library, &filter, None).unwrap().found, scanned(&rows, 100, &filter).0);
}
