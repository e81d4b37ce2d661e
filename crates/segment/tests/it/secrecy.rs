//! Nothing of a record can be read in the file without the key.
//!
//! Not here: that the file cannot be changed unnoticed (`damage`).

use crate::records::{KEY_ID, Owned, of_bytes, opened, records, written};
use segment::schema;

#[test]
fn no_text_of_a_record_stands_in_the_file() {
    let records = records(200);
    let file = written(&records);
    let contains = |needle: &[u8]| memchr::memmem::find(&file, needle).is_some();
    // What is there in clear text: the magic and the name of the key.
    assert!(contains(KEY_ID.to_string().as_bytes()));
    for owned in &records {
        for text in [&owned.meta, &owned.content] {
            for word in text.split(|byte| !byte.is_ascii_alphanumeric()).filter(|w| w.len() > 4) {
                assert!(!contains(word), "{}", String::from_utf8_lossy(word));
            }
        }
        assert!(!contains(&owned.record().meta_salt) && !contains(&owned.record().content_salt));
    }
    for field in schema().fields().iter().filter(|field| field.name().len() > 4) {
        assert!(!contains(field.name().as_bytes()), "{field}");
    }
}

#[test]
fn no_bloom_filter_is_written() {
    // `parquet` 59 would leave it in clear text: anybody could ask it for ids.
    let segment = opened(written(&records(10)));
    let chunks = segment.footer().row_groups().iter().flat_map(|group| group.columns());
    assert!(chunks.into_iter().all(|chunk| chunk.bloom_filter_offset().is_none()));
}

#[test]
fn pages_are_not_indexed_and_hide_what_they_hold() {
    // A value in every page of a column with many: nothing beside the pages may repeat it.
    let planted = |n: u64| format!("planted-{:08}", n / 100);
    let record = |n: u64| {
        let text = format!("{:016x}", n.wrapping_mul(0x9E37_79B9_7F4A_7C15)).repeat(4);
        let meta = format!(r#"{{"event_id":"{}","action":"{text}"}}"#, planted(n));
        let content = format!(r#"{{"params":"{} {text}"}}"#, planted(n));
        of_bytes(n, meta.as_bytes(), content.as_bytes())
    };
    let file = written(&(0..20_000).map(record).collect::<Vec<_>>());
    assert!(memchr::memmem::find(&file, b"planted").is_none());
    let segment = opened(file);
    for chunk in segment.footer().row_groups().iter().flat_map(|group| group.columns()) {
        assert_eq!((chunk.offset_index_offset(), chunk.column_index_offset()), (None, None));
    }
}

#[test]
fn two_files_of_the_same_records_share_no_bytes() {
    let records = records(20);
    let (one, other) = (written(&records), written(&records));
    let same = one.iter().zip(&other).filter(|(one, other)| one == other).count();
    // Lengths of modules, the names of the key, and one byte in 256 by chance.
    assert!(same < one.len() / 8, "{same} of {}", one.len());
    assert!(records.iter().map(Owned::row).count() == 20);
}
