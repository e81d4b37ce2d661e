//! Changed, cut and foreign bytes: an error or the very same rows, and never a panic.
//!
//! Not here: what `verify` names (`verify`).

use crate::records::{KEY_ID, Owned, key, records, written};
use keys::SecretKey;
use segment::{IdFilters, Projection, Row, Segment, SegmentError, key_id};
use std::sync::Arc;

/// All rows, or what kept them from being read; a panic fails the test.
fn read(file: Vec<u8>) -> Result<Vec<Row>, SegmentError> {
    let segment = Segment::open(file, &key())?;
    segment.row_groups()?;
    segment.rows(.., Projection::All)?.collect()
}

#[test]
fn every_flipped_byte_is_noticed_or_harmless() {
    let records = records(48);
    let rows: Vec<Row> = records.iter().map(Owned::row).collect();
    let file = written(&records);
    let (mut refused, mut harmless) = (0, 0);
    for at in (0..file.len()).step_by(7) {
        for bit in [0x01, 0x80] {
            let mut bad = file.clone();
            bad[at] ^= bit;
            match read(bad) {
                Ok(read) => {
                    assert_eq!(read, rows, "byte {at}");
                    harmless += 1;
                }
                Err(SegmentError::Read(error)) => panic!("byte {at}: {error}"),
                Err(_) => refused += 1,
            }
        }
    }
    // Harmless are the lengths of modules where the reader knows them from elsewhere, and the name
    // of the key. The hash in the manifest of a segment covers them too.
    assert!(harmless * 20 < refused, "{harmless} of {refused}");
}

#[test]
fn every_length_of_a_cut_file_is_refused() {
    let file = written(&records(16));
    for length in (0..file.len()).step_by(11) {
        assert!(Segment::open(file[..length].to_vec(), &key()).is_err(), "{length}");
    }
}

#[test]
fn lengths_of_modules_that_lie_are_refused() {
    // The length of the first module of the first page stands behind the magic.
    let mut file = written(&records(16));
    file[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    let error = read(file.clone()).unwrap_err().to_string();
    assert!(error.contains("says it is 4294967295 bytes long"), "{error}");
    for length in 0..40_u32 {
        file[4..8].copy_from_slice(&length.to_le_bytes());
        assert!(read(file.clone()).is_err(), "{length}");
    }
    // And the length of the footer.
    let at = file.len() - 8;
    for length in [u32::MAX, file.len() as u32, 0, 1, 30] {
        file[at..at + 4].copy_from_slice(&length.to_le_bytes());
        assert!(read(file.clone()).is_err(), "{length}");
    }
}

#[test]
fn another_key_is_refused_with_the_name_of_the_right_one() {
    let refused = Segment::open(written(&records(3)), &SecretKey::new([8; 32])).err().unwrap();
    assert!(
        matches!(refused, SegmentError::WrongKey { key_id } if key_id == KEY_ID),
        "{refused:?}"
    );
    let text = refused.to_string();
    assert!(text.contains(&KEY_ID.to_string()) && text.contains("restore"), "{text}");
}

#[test]
fn files_that_are_no_segments_are_refused() {
    for bytes in [&b""[..], b"PAR1", b"PAR1\0\0\0\0\0\0\0\0PAR1", &[0; 1000]] {
        let refused = Segment::open(bytes.to_vec(), &key()).err().unwrap();
        assert!(matches!(refused, SegmentError::NotASegment(_)), "{refused:?}");
        let source: Arc<dyn segment::Source> = Arc::new(bytes.to_vec());
        assert!(matches!(key_id(&source), Err(SegmentError::NotASegment(_))));
    }
}

#[test]
fn pages_of_another_segment_do_not_fit() {
    // The same records under the same key: only the random identity of the files differs.
    let records = records(16);
    let (mut one, other) = (written(&records), written(&records));
    assert_eq!(one.len(), other.len());
    one[4..400].copy_from_slice(&other[4..400]);
    assert!(matches!(read(one), Err(SegmentError::Damaged(_))));
}

#[test]
fn filters_are_not_made_from_damage() {
    let mut file = written(&records(16));
    file[5] ^= 1;
    let segment = Segment::open(file, &key()).unwrap();
    // Only columns of ids are read; the first page is of `index`.
    assert!(IdFilters::from_segment(&segment, |_, _| 1).is_ok());
    assert!(segment.rows(.., Projection::MetaOnly).unwrap().any(|row| row.is_err()));
}
