//! How a segment is stored: encodings, compression, statistics, row groups, encryption.
//!
//! Every choice was measured with `examples/size.rs`. Not here: what the columns mean (`column`).

use std::sync::Arc;

use keys::{KeyId, SecretKey};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::encryption::decrypt::FileDecryptionProperties;
use parquet::encryption::encrypt::FileEncryptionProperties;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{
    EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterVersion,
};
use parquet::schema::types::ColumnPath;

use crate::column::{
    COLUMNS, CONTENT_COMMITMENT, CONTENT_SALT, CONTENT_SHAPE, Form, INDEX, META_SALT, META_SHAPE,
    RECORDED_AT, Repeats, VERSION, VERSION_KEY,
};

/// Most rows in a row group: what id filters point at and what threads share out. 16 Ki rows are
/// about 2.2 MB on disk; four times as many take no less space, half as many 1 % more.
pub const ROW_GROUP_ROWS_MAX: usize = 1 << 14;

/// Most bytes of metadata and content in a row group. It bounds what a writer holds and what a
/// reader decompresses; average records reach the other limit first, at 10 MB.
pub(crate) const ROW_GROUP_BYTES_MAX: usize = 32 << 20;

/// About how many bytes of values are in a page: what is decrypted and decompressed of a column to
/// reach one row. Columns of few bytes, such as names in a dictionary, have one page in a row
/// group, so that headers do not add up; texts have dozens. Without pages the file is 2.6 %
/// smaller, with half the bytes 1.1 % larger (docs/decisions/0019).
const PAGE_BYTES_MAX: usize = 64 << 10;

/// How many values are written before the size of the page is looked at again.
const WRITE_BATCH_ROWS: usize = 512;

/// Most bytes in the dictionary of a column in a row group; beyond it the rest is stored plain.
const DICTIONARY_BYTES_MAX: usize = 1 << 20;

/// How to write a segment under this key.
pub(crate) fn writer_properties(
    key: &SecretKey,
    key_id: KeyId,
) -> Result<WriterProperties, ParquetError> {
    let version = KeyValue::new(VERSION_KEY.to_owned(), VERSION.to_owned());
    let mut builder = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        // The writer ends row groups itself.
        .set_max_row_group_row_count(None)
        .set_data_page_row_count_limit(ROW_GROUP_ROWS_MAX)
        .set_data_page_size_limit(PAGE_BYTES_MAX)
        .set_write_batch_size(WRITE_BATCH_ROWS)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES_MAX)
        .set_offset_index_disabled(true)
        // Bloom filters of Parquet stay off: the writer of `parquet` 59 leaves them in clear text
        // in an encrypted file. `IdFilters` are in their place.
        .set_bloom_filter_enabled(false)
        .set_key_value_metadata(Some(vec![version]))
        .with_file_encryption_properties(encryption_properties(key, key_id)?);
    for name in [INDEX, RECORDED_AT] {
        builder = rising(builder, name);
    }
    for name in [META_SALT, CONTENT_SALT, CONTENT_COMMITMENT] {
        builder = random(builder, name);
    }
    for name in [META_SHAPE, CONTENT_SHAPE] {
        builder = without_statistics(builder, name);
    }
    for column in &COLUMNS {
        builder = match (column.repeats, column.form) {
            (Repeats::Often, _) => builder,
            (Repeats::Rising, _) => rising(builder, column.name),
            (Repeats::Seldom, Form::Text | Form::Json) => texts(builder, column.name),
            (Repeats::Seldom, _) => numbers(builder, column.name),
        };
    }
    Ok(builder.build())
}

/// Nobody asks for the least and the greatest of these.
fn without_statistics(builder: WriterPropertiesBuilder, name: &str) -> WriterPropertiesBuilder {
    builder.set_column_statistics_enabled(ColumnPath::from(name), EnabledStatistics::None)
}

fn rising(builder: WriterPropertiesBuilder, name: &str) -> WriterPropertiesBuilder {
    builder
        .set_column_dictionary_enabled(ColumnPath::from(name), false)
        .set_column_encoding(ColumnPath::from(name), Encoding::DELTA_BINARY_PACKED)
}

/// Lengths apart from bytes: with the lengths in between, ids take 1.3 bytes more each.
fn texts(builder: WriterPropertiesBuilder, name: &str) -> WriterPropertiesBuilder {
    builder
        .set_column_dictionary_enabled(ColumnPath::from(name), false)
        .set_column_encoding(ColumnPath::from(name), Encoding::DELTA_LENGTH_BYTE_ARRAY)
}

/// Doubles with few digits share most of their bytes, which zstd finds; splitting their bytes into
/// streams hides it (4.8 bytes instead of 3.1 for durations), and a dictionary of doubles with many
/// digits is larger than they are.
fn numbers(builder: WriterPropertiesBuilder, name: &str) -> WriterPropertiesBuilder {
    builder
        .set_column_dictionary_enabled(ColumnPath::from(name), false)
        .set_column_encoding(ColumnPath::from(name), Encoding::PLAIN)
}

/// Random bytes: nothing makes them smaller.
fn random(builder: WriterPropertiesBuilder, name: &str) -> WriterPropertiesBuilder {
    without_statistics(builder, name)
        .set_column_dictionary_enabled(ColumnPath::from(name), false)
        .set_column_encoding(ColumnPath::from(name), Encoding::PLAIN)
        .set_column_compression(ColumnPath::from(name), Compression::UNCOMPRESSED)
}

/// How a segment is encrypted: standard Parquet modular encryption, AES-GCM in every module, footer
/// included, all under one key, and no prefix to the associated data, so that any reader that knows
/// the standard opens it with the key alone. The key id stands readable in the file, as text.
///
/// # Errors
/// None in practice: a 32-byte key always fits. `parquet` keeps a copy of the key that is not wiped
/// when it is dropped.
pub fn encryption_properties(
    key: &SecretKey,
    key_id: KeyId,
) -> Result<Arc<FileEncryptionProperties>, ParquetError> {
    FileEncryptionProperties::builder(key.expose().to_vec())
        .with_footer_key_metadata(key_id.to_string().into_bytes())
        .build()
}

/// The same for reading, to hand to an engine that opens segments itself.
///
/// # Errors
/// None in practice, as above.
pub fn decryption_properties(
    key: &SecretKey,
) -> Result<Arc<FileDecryptionProperties>, ParquetError> {
    FileDecryptionProperties::builder(key.expose().to_vec()).build()
}
