//! A segment that somebody changed: its file, which the encryption must tell, and its footer, which
//! is encrypted again as somebody with the key would do. It is read, or it is refused; and every
//! row that comes out of a changed file is one that was written.
//!
//! Input: a byte that says which, then changes of five bytes each: a position, a length that goes
//! out there, and a byte that comes in.

#![no_main]

use event::{Kind, Tier};
use keys::{DataKey, KeyId, SecretKey};
use libfuzzer_sys::fuzz_target;
use segment::{ContentState, Projection, Row, RowSet, Segment, SegmentWriter, Value};
use std::sync::LazyLock;

const KEY: [u8; 32] = [7; 32];
const NONCE: [u8; 12] = [9; 12];
/// Changes of one input at most.
const CHANGES_MAX: usize = 16;

struct Sample {
    rows: Vec<Row>,
    /// What stands before the encrypted footer.
    head: Vec<u8>,
    /// The part of `head` that names the key and the encryption.
    crypto_bytes: usize,
    footer: Vec<u8>,
    aad: Vec<u8>,
}

static SAMPLE: LazyLock<Sample> = LazyLock::new(|| {
    // The library guards against panics of the Parquet reader, and libFuzzer's hook would end the
    // process before. What nobody catches still ends it.
    std::panic::set_hook(Box::new(|_| {}));
    sample()
});

fn sample() -> Sample {
    let rows: Vec<Row> = (0..40).map(row).collect();
    let mut file = Vec::new();
    let key_id = KeyId::from_bytes([1; 16]);
    let mut writer =
        SegmentWriter::new(&mut file, &SecretKey::new(KEY), key_id).expect("a segment begins");
    rows.iter().for_each(|row| writer.push_row(row).expect("a row is written"));
    writer.finish().expect("a segment ends");
    let end = file.len() - 8;
    let length = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().expect("four bytes"));
    let start = end - length(end) as usize;
    // The module: its length, a nonce, what is encrypted, a tag.
    let module = (start..end).find(|at| length(*at) as usize == end - at - 4).expect("a footer");
    let nonce: [u8; 12] = file[module + 4..module + 16].try_into().expect("a nonce");
    // Eight bytes of the part before, and a zero for the footer, are authenticated along with it.
    let (footer, aad) = file[start..module]
        .windows(8)
        .find_map(|unique| {
            let (mut sealed, aad) = (file[module + 16..end].to_vec(), [unique, &[0]].concat());
            let key = DataKey::new(&SecretKey::new(KEY));
            let plain = key.open_in_place(nonce, &aad, &mut sealed).ok()?.to_vec();
            Some((plain, aad))
        })
        .expect("the footer decrypts");
    let head = file[..module].to_vec();
    Sample { rows, head, crypto_bytes: module - start, footer, aad }
}

fn row(index: u64) -> Row {
    let meta = format!(
        r#"{{"schema":"tachograph.event/1","event_id":"e-{index}","event_type":"agent.tool_call"}}"#
    );
    let content = match index % 3 {
        0 => ContentState::None,
        1 => ContentState::Erased { commitment: [5; 32] },
        _ => ContentState::Present { salt: [2; 16], bytes: br#"{"params":{"a":1}}"#.to_vec() },
    };
    Row {
        index,
        kind: Kind::Event,
        tier: Tier::Info,
        time_ms: 1_767_225_600_000 + index,
        meta: meta.into(),
        meta_salt: [1; 16],
        content,
    }
}

impl Sample {
    /// The file with this footer.
    fn with(&self, footer: &[u8]) -> Vec<u8> {
        let mut sealed = footer.to_vec();
        let key = DataKey::new(&SecretKey::new(KEY));
        let tag = key.seal_in_place_separate_tag(NONCE, &self.aad, &mut sealed).expect("a tag");
        let module = [&NONCE[..], &sealed, &tag].concat();
        let total = (self.crypto_bytes + 4 + module.len()) as u32;
        let length = (module.len() as u32).to_le_bytes();
        [&self.head, &length[..], &module, &total.to_le_bytes(), b"PARE"].concat()
    }
}

fn change(bytes: &mut Vec<u8>, changes: &[u8]) {
    for one in changes.chunks_exact(5).take(CHANGES_MAX) {
        let at = u32::from_le_bytes([one[0], one[1], one[2], 0]) as usize % (bytes.len() + 1);
        let end = (at + usize::from(one[3])).min(bytes.len());
        bytes.splice(at..end, [one[4]]);
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((which, changes)) = data.split_first() else { return };
    let sample = &*SAMPLE;
    let (mut footer, is_footer) = (sample.footer.clone(), which % 2 == 1);
    if is_footer {
        change(&mut footer, changes);
    }
    let mut file = sample.with(&footer);
    if !is_footer {
        change(&mut file, changes);
    }
    let Ok(segment) = Segment::open(file, &SecretKey::new(KEY)) else { return };
    if let Ok(rows) = segment.rows(.., Projection::All) {
        // A footer may say that there are many row groups where there is one.
        for row in rows.take(1000).map_while(Result::ok) {
            assert!(is_footer || sample.rows.contains(&row), "a row that nobody wrote");
        }
    }
    let all = |_: &[Value<'_>]| true;
    for group in 0..segment.footer().num_row_groups().min(4) {
        let _ = segment.times_of(group);
        let _ = segment.pick(group, None, (0, u64::MAX), &["event_id", "timestamp"], &all);
        let _ = segment.rows_at(group, &RowSet::new(vec![3, 17]), Projection::MetaOnly);
    }
});
