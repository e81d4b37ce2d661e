//! Records to test with: ordinary ones, and every oddity that the format allows, from a counter.
//!
//! Not a generator of load; that is `examples/size.rs` with events from a file.

use event::{Event, Kind, Record, Tier};
use keys::{KeyId, SecretKey};
use segment::{Row, Segment, SegmentWriter};

pub(crate) const KEY_ID: KeyId = KeyId::from_bytes([0xab; 16]);

pub(crate) fn key() -> SecretKey {
    SecretKey::new([7; 32])
}

/// A record that owns its bytes.
#[derive(Clone, Debug)]
pub(crate) struct Owned {
    pub(crate) index: u64,
    pub(crate) kind: Kind,
    pub(crate) tier: Tier,
    pub(crate) time_ms: u64,
    pub(crate) meta: Vec<u8>,
    pub(crate) content: Vec<u8>,
}

impl Owned {
    pub(crate) fn record(&self) -> Record<'_> {
        // Salts only have to differ.
        let salt = |part: u8| {
            let mut salt = [part; 16];
            salt[..8]
                .copy_from_slice(&self.index.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
            salt
        };
        Record {
            kind: self.kind,
            tier: self.tier,
            time_ms: self.time_ms,
            stream: [1; 16],
            sequence: self.index + 1,
            meta_salt: salt(1),
            content_salt: salt(2),
            meta: &self.meta,
            content: &self.content,
        }
    }

    pub(crate) fn row(&self) -> Row {
        Row::of(self.index, &self.record())
    }
}

/// The record that a native event makes.
fn of_event(index: u64, json: &str) -> Owned {
    let event = Event::from_json(json.as_bytes()).unwrap();
    let (mut meta, mut content) = (Vec::new(), Vec::new());
    event.write_meta(&mut meta);
    event.write_content(&mut content);
    let (tier, time_ms) = (Tier::of(&event), 1_767_225_600_000 + index * 7);
    Owned { index, kind: Kind::Event, tier, time_ms, meta, content }
}

/// The record that these bytes make, whatever they are.
pub(crate) fn of_bytes(index: u64, meta: &[u8], content: &[u8]) -> Owned {
    let (meta, content) = (meta.to_vec(), content.to_vec());
    Owned { index, kind: Kind::Log, tier: Tier::Critical, time_ms: index, meta, content }
}

/// `count` records with gaps between their indexes.
pub(crate) fn records(count: u64) -> Vec<Owned> {
    (0..count).map(record).collect()
}

fn record(number: u64) -> Owned {
    let index = number * 3 + 10;
    let id =
        format!("{:08x}-0000-4000-8000-{number:012x}", (number as u32).wrapping_mul(2_654_435_769));
    let (trace, session, task) = (number / 9, number % 23, number / 40);
    let seconds = format!("2026-01-{:02}T10:{:02}:00.{number:06}Z", number % 28 + 1, number % 60);
    let common = format!(
        r#""event_id":"{id}","trace_id":"trace-{trace}","session_id":"session-{session}","task_id":"task-{task}","timestamp":"{seconds}","agent_name":"agent-{}","duration_ms":{}.{}"#,
        number % 7,
        number % 900,
        number % 100,
    );
    match number % 16 {
        0 => of_event(index, &format!(r#"{{"event_type":"agent.reasoning",{common}}}"#)),
        1 => of_event(
            index,
            &format!(
                r#"{{"event_type":"agent.tool_call",{common},"tool":"look:up","action":"say \"hi\"\n\u0001\u001a é😀\\","params":{{"q":1.50,"r":1e3,"s":[-0.0,12345678901234567890123],"t":"\u001a\u00e9"}}}}"#
            ),
        ),
        2 => of_event(
            index,
            &format!(
                r#"{{"event_type":"agent.llm_response",{common},"model":{{"provider":"p","requested":"m-1","responded":"m-1-{}"}},"tokens":{{"input":{number},"output":2,"cache_read":0,"total":{}}},"cost":{{"amount":0.00{number},"currency":"EUR"}},"output":"text {number}"}}"#,
                number % 3,
                number + 2
            ),
        ),
        3 => of_event(
            index,
            &format!(
                r#"{{"event_type":"agent.token_usage",{common},"model":"m","token_count":{number},"cost":{{"amount":1.50}}}}"#
            ),
        ),
        4 => of_event(
            index,
            &format!(
                r#"{{"event_type":"agent.error",{common},"error":{{"message":"no","stack":["a","b"]}},"error_type":"TimeoutError","outcome":"timeout","unknown":{{"deep":[[[{number}]]]}},"other":null}}"#
            ),
        ),
        5 => of_event(
            index,
            &format!(
                r#"{{"event_type":"agent.handoff",{common},"caused_by":["a","b{number}"],"tags":["x","y"],"signature":"sig{number}","producer":{{"id":"p-1","seq":{number},"sdk":"python/1"}},"phase":"intent","confidence":0.{}}}"#,
                number % 90 + 10
            ),
        ),
        6 => of_event(
            index,
            &format!(
                r#"{{"event_type":"acme.huge",{common},"result":"{}","input":[{number},"{}"]}}"#,
                "r".repeat(20_000),
                "\\u0041\\n".repeat(300)
            ),
        ),
        7 => of_event(
            index,
            r#"{"event_type":"x","timestamp":"1970-01-01T00:00:00Z","confidence":1}"#,
        ),
        8 => of_event(index, r#"{"event_type":"x","timestamp":18446744073.709551,"params":{}}"#),
        9 => of_event(
            index,
            r#"{"event_type":"x","timestamp":"2262-04-11T23:47:16.854775807Z","duration_ms":1e300}"#,
        ),
        10 => of_bytes(index, b"{\"schema\":\"s\",\"tokens\":{\"input\":99999999999999999999}}", b""),
        11 => of_bytes(
            index,
            b"{\"event_id\":\"\\u0041\",\"event_id\":\"b\"}",
            b"{\"params\":1,\"params\":2}",
        ),
        12 => of_bytes(index, b"\x1a\x1aa\xff\0", b"\xff\x1a"),
        13 => of_bytes(index, b"", b" "),
        14 => of_bytes(
            index,
            br#"{"principal":{"issuer":"i","subject":"s","method":"m"},"assurance":"imported","redactions":[{"path":"p","rule":"r","action":"mask"}]}"#,
            br#"{"attributes":{"a":{"b":"c"}},"context":[],"reasoning":"because","error":null}"#,
        ),
        _ => of_event(
            index,
            &format!(
                r#"{{"event_type":"agent.decision",{common},"approver":"a","on_behalf_of":"b","source":"user","version":"1","agent_id":"i","agent_version":"2","parent_event_id":"{id}","reasoning":"why {number}"}}"#
            ),
        ),
    }
}

/// The records as a segment's bytes.
pub(crate) fn written(records: &[Owned]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer = SegmentWriter::new(&mut file, &key(), KEY_ID).unwrap();
    for owned in records {
        writer.push(owned.index, &owned.record()).unwrap();
    }
    writer.finish().unwrap();
    file
}

pub(crate) fn opened(file: Vec<u8>) -> Segment {
    Segment::open(file, &key()).unwrap()
}
