//! Files that open with the key and are still no segments of this version; and ranges of indexes.
//!
//! Damage, other keys and foreign files are tested from outside (`tests/it/damage.rs`).

use super::*;
use crate::properties::writer_properties;
use arrow_array::{Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::file::metadata::KeyValue;

/// What opening a file with these columns says, whose footer states this version.
fn opened(schema: &SchemaRef, version: Option<&str>) -> Result<Segment, SegmentError> {
    let key = SecretKey::new([7; 32]);
    let pair = version.map(|text| KeyValue::new(VERSION_KEY.to_owned(), text.to_owned()));
    let properties = writer_properties(&key, KeyId::from_bytes([0; 16]))
        .unwrap()
        .into_builder()
        .set_key_value_metadata(pair.map(|pair| vec![pair]))
        .build();
    let options = ArrowWriterOptions::new().with_properties(properties);
    let options = options.with_skip_arrow_metadata(true);
    let mut file = Vec::new();
    let writer = ArrowWriter::try_new_with_options(&mut file, Arc::clone(schema), options);
    let mut writer = writer.unwrap();
    if schema.fields().len() == 1 {
        let numbers = Arc::new(Int64Array::from(vec![1, 2]));
        writer.write(&RecordBatch::try_new(Arc::clone(schema), vec![numbers]).unwrap()).unwrap();
    }
    writer.close().unwrap();
    Segment::open(file, &key)
}

#[test]
fn other_versions_are_refused_by_name() {
    assert!(opened(&schema(), Some(VERSION)).is_ok());
    for (version, said) in [(Some("2"), "2"), (Some(""), ""), (None, "unknown")] {
        let refused = opened(&schema(), version).err().unwrap();
        assert!(matches!(&refused, SegmentError::Version { found } if found == said), "{refused}");
    }
}

#[test]
fn other_columns_are_refused() {
    let fields = vec![Field::new("index", DataType::Int64, false)];
    let refused = opened(&Arc::new(Schema::new(fields)), Some(VERSION)).err().unwrap();
    assert!(refused.to_string().contains("its columns are not those"), "{refused}");
}

#[test]
fn every_way_to_write_a_range_is_understood() {
    assert_eq!(from_bounds(&..), (0, u64::MAX));
    assert_eq!(from_bounds(&(3..)), (3, u64::MAX));
    assert_eq!(from_bounds(&(3..5)), (3, 4));
    assert_eq!(from_bounds(&(3..=5)), (3, 5));
    assert_eq!(from_bounds(&(..=5)), (0, 5));
    let behind = (Bound::Excluded(3), Bound::Unbounded);
    assert_eq!(from_bounds(&behind), (4, u64::MAX));
    for (first, last) in [
        from_bounds(&(0..0)),
        from_bounds(&(3..3)),
        from_bounds(&(Bound::Excluded(u64::MAX), Bound::Unbounded)),
    ] {
        assert!(first > last);
    }
}
