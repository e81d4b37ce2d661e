//! An opened segment: its footer, decrypted and checked, and what it says about the row groups.
//!
//! Not here: rows (`rows`), their commitments (`verify`).

use std::ops::{Bound, RangeBounds};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use keys::{KeyId, SecretKey};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::encryption::decrypt::{FileDecryptionProperties, KeyRetriever};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};
use parquet::file::statistics::Statistics;

use crate::SegmentError;
use crate::column::{INDEX, RECORDED_AT, VERSION, VERSION_KEY, coded_schema, schema};
use crate::guard::guarded;
use crate::properties::decryption_properties;
use crate::row_set::RowSet;
use crate::rows::{Projection, Rows};
use crate::source::{Chunks, Source, read_exact_at};

/// The first and the last bytes of an encrypted Parquet file.
const MAGIC: &[u8; 4] = b"PARE";

/// Most bytes of a footer: 1,000 row groups take about 6 MB.
const FOOTER_BYTES_MAX: u32 = 256 << 20;

/// An opened segment. Cheap to clone: the footer is shared.
#[derive(Clone)]
pub struct Segment {
    pub(crate) source: Arc<dyn Source>,
    pub(crate) metadata: ArrowReaderMetadata,
    coded: Arc<OnceLock<ArrowReaderMetadata>>,
}

/// What the footer says about one row group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowGroup {
    /// Rows.
    pub rows: u64,
    /// First and last index; what lies between need not all be there.
    pub indexes: (u64, u64),
    /// Earliest and latest record time in Unix milliseconds.
    pub times_ms: (u64, u64),
    /// Bytes in the file.
    pub bytes: u64,
}

/// The id of the key that opens this segment. Nothing is decrypted for it, so nothing vouches for
/// it either: it is good for finding a key, which then opens the segment or does not.
///
/// # Errors
/// [`SegmentError::NotASegment`], [`SegmentError::Read`] or [`SegmentError::Damaged`].
pub fn key_id(source: &Arc<dyn Source>) -> Result<KeyId, SegmentError> {
    check_frame(&**source)?;
    let seen = Arc::new(Witness::default());
    let retriever = Arc::clone(&seen) as Arc<dyn KeyRetriever>;
    let properties = FileDecryptionProperties::with_key_retriever(retriever).build();
    let properties = properties.map_err(|error| SegmentError::reading(&error))?;
    let outcome = of_footer(source, |chunks| {
        let reader = ParquetMetaDataReader::new().with_decryption_properties(Some(properties));
        reader.parse_and_finish(chunks)
    });
    let text = seen.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (text, outcome) {
        (Some(text), _) => text.parse().map_err(|error| {
            SegmentError::Damaged(format!("the name of its key cannot be read: {error}"))
        }),
        (None, Err(error)) => Err(error),
        (None, Ok(_)) => Err(SegmentError::Damaged("it does not name its key".to_owned())),
    }
}

/// Runs a step that reads the footer.
fn of_footer<T>(
    source: &Arc<dyn Source>,
    step: impl FnOnce(&Chunks) -> parquet::errors::Result<T>,
) -> Result<T, SegmentError> {
    let chunks = Chunks::of_footer(Arc::clone(source));
    let outcome = guarded(|| step(&chunks).map_err(|error| SegmentError::reading(&error)));
    outcome.map_err(|error| chunks.failure().take().map_or(error, SegmentError::Read))
}

/// Remembers which key the footer asks for, and hands out none.
#[derive(Default)]
struct Witness(Mutex<Option<String>>);

impl KeyRetriever for Witness {
    fn retrieve_key(&self, key_metadata: &[u8]) -> parquet::errors::Result<Vec<u8>> {
        let text = String::from_utf8_lossy(key_metadata).into_owned();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
        Err(ParquetError::General("only the name of the key was asked for".to_owned()))
    }
}

/// Checks what every segment begins and ends with. In particular a Parquet file that is not
/// encrypted is refused here: the Parquet reader would take it, whatever key it was given.
fn check_frame(source: &dyn Source) -> Result<(), SegmentError> {
    let size = source.size();
    if size < 12 {
        return Err(SegmentError::NotASegment("it is shorter than a footer"));
    }
    let (mut head, mut tail) = ([0; 4], [0; 8]);
    read_exact_at(source, 0, &mut head).map_err(SegmentError::Read)?;
    read_exact_at(source, size - 8, &mut tail).map_err(SegmentError::Read)?;
    let [a, b, c, d, magic @ ..] = tail;
    if &head != MAGIC || &magic != MAGIC {
        return Err(SegmentError::NotASegment("it is not an encrypted Parquet file"));
    }
    let footer = u32::from_le_bytes([a, b, c, d]);
    if footer > FOOTER_BYTES_MAX || u64::from(footer) + 12 > size {
        return Err(SegmentError::Damaged(format!("{footer} bytes of footer are not there")));
    }
    Ok(())
}

impl Segment {
    /// Reads and checks the footer.
    ///
    /// # Errors
    /// [`SegmentError::NotASegment`], [`SegmentError::WrongKey`], [`SegmentError::Version`],
    /// [`SegmentError::Damaged`] or [`SegmentError::Read`].
    pub fn open(source: impl Source + 'static, key: &SecretKey) -> Result<Self, SegmentError> {
        let source: Arc<dyn Source> = Arc::new(source);
        check_frame(&*source)?;
        let properties =
            decryption_properties(key).map_err(|error| SegmentError::reading(&error))?;
        let options = ArrowReaderOptions::new().with_file_decryption_properties(properties);
        let metadata = of_footer(&source, |chunks| ArrowReaderMetadata::load(chunks, options));
        let metadata = metadata.map_err(|error| match error {
            // The Parquet reader has no error of its own for it, only this text.
            SegmentError::Damaged(text) if text.contains("decrypt parquet footer") => {
                let key_id = key_id(&source);
                key_id.map_or_else(|error| error, |key_id| SegmentError::WrongKey { key_id })
            }
            other => other,
        })?;
        let segment = Self { source, metadata, coded: Arc::default() };
        segment.check_version()?;
        Ok(segment)
    }

    fn check_version(&self) -> Result<(), SegmentError> {
        let file = self.footer().file_metadata();
        let mut pairs = file.key_value_metadata().into_iter().flatten();
        let found = pairs.find(|pair| pair.key == VERSION_KEY).and_then(|pair| pair.value.clone());
        let found = found.unwrap_or_else(|| "unknown".to_owned());
        if found != VERSION {
            return Err(SegmentError::Version { found });
        }
        if self.metadata.schema().fields() != schema().fields() {
            let what = "its columns are not those of its version".to_owned();
            return Err(SegmentError::Damaged(what));
        }
        Ok(())
    }

    /// The footer as Parquet has it, for engines that read segments themselves.
    #[must_use]
    pub fn footer(&self) -> &Arc<ParquetMetaData> {
        self.metadata.metadata()
    }

    /// The same footer for readers that take texts that repeat as they are stored: as numbers of a
    /// dictionary.
    pub(crate) fn coded(&self) -> Result<&ArrowReaderMetadata, SegmentError> {
        if let Some(coded) = self.coded.get() {
            return Ok(coded);
        }
        let options = ArrowReaderOptions::new().with_schema(coded_schema());
        let coded = ArrowReaderMetadata::try_new(Arc::clone(self.footer()), options);
        let coded = coded.map_err(|error| SegmentError::reading(&error))?;
        Ok(self.coded.get_or_init(|| coded))
    }

    /// Rows in the segment.
    #[must_use]
    pub fn row_count(&self) -> u64 {
        self.footer().row_groups().iter().map(rows_in).sum()
    }

    /// What the footer says about each row group.
    ///
    /// # Errors
    /// [`SegmentError::Damaged`] where it says nothing.
    pub fn row_groups(&self) -> Result<Vec<RowGroup>, SegmentError> {
        self.footer().row_groups().iter().map(row_group).collect()
    }

    /// The rows whose indexes lie in `indexes`, in that order. Row groups without any are not read.
    ///
    /// # Errors
    /// As [`row_groups`](Self::row_groups); what the rows themselves hold is told as they come.
    pub fn rows(
        &self,
        indexes: impl RangeBounds<u64>,
        projection: Projection,
    ) -> Result<Rows, SegmentError> {
        Rows::new(self.clone(), from_bounds(&indexes), projection)
    }

    /// The row at `index`, if the segment holds it.
    ///
    /// # Errors
    /// As [`rows`](Self::rows).
    pub fn row(
        &self,
        index: u64,
        projection: Projection,
    ) -> Result<Option<crate::Row>, SegmentError> {
        for (position, group) in self.row_groups()?.iter().enumerate() {
            if index < group.indexes.0 || index > group.indexes.1 {
                continue;
            }
            let picked = self.pick(position, None, (index, index), &[], &|_| true)?;
            if let Some((at, _)) = picked.first() {
                let rows = RowSet::new(vec![*at]);
                return Ok(self.rows_at(position, &rows, projection)?.pop());
            }
        }
        Ok(None)
    }
}

/// First and last index of a range; empty when the first is larger.
fn from_bounds(indexes: &impl RangeBounds<u64>) -> (u64, u64) {
    const EMPTY: (u64, u64) = (1, 0);
    let first = match indexes.start_bound() {
        Bound::Included(first) => Some(*first),
        Bound::Excluded(before) => before.checked_add(1),
        Bound::Unbounded => Some(0),
    };
    let last = match indexes.end_bound() {
        Bound::Included(last) => Some(*last),
        Bound::Excluded(behind) => behind.checked_sub(1),
        Bound::Unbounded => Some(u64::MAX),
    };
    first.zip(last).unwrap_or(EMPTY)
}

pub(crate) fn rows_in(group: &RowGroupMetaData) -> u64 {
    u64::try_from(group.num_rows()).unwrap_or(0)
}

fn row_group(group: &RowGroupMetaData) -> Result<RowGroup, SegmentError> {
    Ok(RowGroup {
        rows: rows_in(group),
        indexes: extremes(group, INDEX)?,
        times_ms: extremes(group, RECORDED_AT)?,
        bytes: u64::try_from(group.compressed_size()).unwrap_or(0),
    })
}

fn extremes(group: &RowGroupMetaData, name: &str) -> Result<(u64, u64), SegmentError> {
    let column = group.columns().iter().find(|column| column.column_path().string() == name);
    let both = match column.and_then(|column| column.statistics()) {
        Some(Statistics::Int64(numbers)) => {
            numbers.min_opt().copied().zip(numbers.max_opt().copied())
        }
        _ => None,
    };
    let both = both.and_then(|(least, most)| Some((least.try_into().ok()?, most.try_into().ok()?)));
    both.ok_or_else(|| SegmentError::Damaged(format!("a row group does not say its {name}")))
}

#[cfg(test)]
mod tests;
