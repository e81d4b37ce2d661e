//! Nothing of a record can be read in the file without the key.
//!
//! Not here: that the file cannot be changed unnoticed (`damage`).

use crate::records::{KEY_ID, Owned, opened, records, written};
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
fn two_files_of_the_same_records_share_no_bytes() {
    let records = records(20);
    let (one, other) = (written(&records), written(&records));
    let same = one.iter().zip(&other).filter(|(one, other)| one == other).count();
    // Lengths of modules, the names of the key, and one byte in 256 by chance.
    assert!(same < one.len() / 8, "{same} of {}", one.len());
    assert!(records.iter().map(Owned::row).count() == 20);
}
