//! Reading columns of a chunk: from a segment or from the tail.

use super::column::{Column, NO_WORD, Words};
use super::table::{Field, From};
use super::{Chunk, Place};
use crate::tail::Tail;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int8Type, Int64Type};
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, StringArray, StringViewArray};
use arrow_select::concat::concat;
use arrow_select::filter::filter_record_batch;
use event::{Kind, Tier, types};
use segment::{Row, Segment, SegmentError};
use std::sync::Arc;

/// What the state of a record is told by.
const ERASED_BY: &str = "content_commitment";

/// The indexes in a row group.
pub(super) fn indexes(segment: &Segment, group: usize) -> Result<Vec<u64>, SegmentError> {
    let mut indexes = Vec::new();
    for batch in segment.columns(group, &["index"])? {
        let array = column_of(&batch, "index")?;
        let numbers = array.as_primitive_opt::<Int64Type>().ok_or_else(|| wrong("index"))?;
        indexes.extend(numbers.values().iter().map(|index| u64::try_from(*index).unwrap_or(0)));
    }
    Ok(indexes)
}

/// Columns of a chunk that are stored or computed.
pub(super) fn load(
    segments: &[Segment],
    tail: &Tail,
    chunk: &Chunk,
    fields: &[Field],
) -> Result<Vec<Arc<Column>>, SegmentError> {
    let mut names: Vec<&str> = fields.iter().flat_map(|field| stored(field)).copied().collect();
    names.sort_unstable();
    names.dedup();
    let mut loaded =
        Loaded { batches: batches(segments, tail, chunk, &names)?, stored: Vec::new() };
    fields.iter().map(|field| loaded.column(field)).collect()
}

/// The stored columns that a column is made of.
fn stored(field: &Field) -> &'static [&'static str] {
    match field.from {
        From::Column | From::Tier | From::Kind => std::slice::from_ref(field.name_slot()),
        From::State => &[ERASED_BY],
        From::Tool => &["tool", "action", "event_type"],
        From::Meta | From::Content => &[],
    }
}

fn batches(
    segments: &[Segment],
    tail: &Tail,
    chunk: &Chunk,
    names: &[&str],
) -> Result<Vec<RecordBatch>, SegmentError> {
    match &chunk.place {
        Place::Tail(rows) => Ok(vec![segment::columns_of(tail.rows_at(rows.clone()), names)?]),
        Place::Group(segment, group) => match segments.get(*segment) {
            Some(segment) => segment.columns(*group, names),
            None => Ok(Vec::new()),
        },
    }
}

/// What was read of a chunk.
struct Loaded {
    batches: Vec<RecordBatch>,
    /// Stored columns that were asked for: others may be made of them, too.
    stored: Vec<(&'static str, Arc<Column>)>,
}

impl Loaded {
    fn column(&mut self, field: &Field) -> Result<Arc<Column>, SegmentError> {
        let (batches, name) = (&self.batches, field.name);
        let made = match field.from {
            From::Column => return self.stored_as(name),
            From::Tier => numbered(batches, name, |n| Tier::from_number(n).map(Tier::as_str))?,
            From::Kind => numbered(batches, name, |n| {
                Kind::from_number(n).map(|kind| if kind == Kind::Log { "log" } else { "event" })
            })?,
            From::State => {
                let array = whole(batches, ERASED_BY)?;
                let states = (0..array.len()).map(|row| {
                    Some(if array.is_valid(row) { "content-erased" } else { "present" })
                });
                words(states, name)?
            }
            From::Tool => {
                let [tools, actions, kinds] =
                    ["tool", "action", "event_type"].map(|name| self.stored_as(name));
                let rows = self.batches.iter().map(RecordBatch::num_rows).sum();
                let (tools, actions, kinds) = (tools?, actions?, kinds?);
                tool(&tools, &actions, &kinds, rows)
            }
            // Put together by `texts`, and never asked for here.
            From::Meta | From::Content => return Err(wrong(name)),
        };
        Ok(Arc::new(made))
    }

    fn stored_as(&mut self, name: &'static str) -> Result<Arc<Column>, SegmentError> {
        if let Some((_, column)) = self.stored.iter().find(|(known, _)| *known == name) {
            return Ok(Arc::clone(column));
        }
        let column = Column::stored(whole(&self.batches, name)?).ok_or_else(|| wrong(name))?;
        let column = Arc::new(column);
        self.stored.push((name, Arc::clone(&column)));
        Ok(column)
    }
}

/// The names of the numbers in a column.
fn numbered(
    batches: &[RecordBatch],
    name: &str,
    name_of: impl Fn(u8) -> Option<&'static str>,
) -> Result<Column, SegmentError> {
    let array = whole(batches, name)?;
    let numbers = array.as_primitive_opt::<Int8Type>().ok_or_else(|| wrong(name))?;
    words(numbers.iter().map(|number| number.and_then(|n| name_of(u8::try_from(n).ok()?))), name)
}

fn words<'t>(
    texts: impl ExactSizeIterator<Item = Option<&'t str>>,
    name: &str,
) -> Result<Column, SegmentError> {
    Words::of(texts).map(Column::Words).ok_or_else(|| wrong(name))
}

/// The tool of an event as `--tool` understands it: its field, or for calls and results what stands
/// behind the colon of `action`.
fn tool(tools: &Column, actions: &Column, kinds: &Column, rows: usize) -> Column {
    let is_use = |kind: Option<&str>| matches!(kind, Some(types::TOOL_CALL | types::TOOL_RESULT));
    if let (Column::Words(tools), Column::Words(actions), Column::Words(kinds)) =
        (tools, actions, kinds)
    {
        let uses: Vec<bool> = kinds.words.iter().map(is_use).collect();
        let is_use = |row: usize| {
            let kind = kinds.codes.get(row).copied().unwrap_or(NO_WORD);
            uses.get(usize::from(kind)).copied().unwrap_or(false)
        };
        if let Some(words) = Words::first_of(tools, actions, tool_of, is_use) {
            return Column::Words(words);
        }
    }
    let made: StringArray = (0..rows)
        .map(|row| {
            let other = || actions.text(row).filter(|_| is_use(kinds.text(row))).and_then(tool_of);
            tools.text(row).or_else(other)
        })
        .collect();
    Column::texts(&made)
}

/// What stands behind the colon of an action.
fn tool_of(action: &str) -> Option<&str> {
    action.split_once(':').map(|(_, tool)| tool).filter(|tool| !tool.is_empty())
}

fn column_of<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b ArrayRef, SegmentError> {
    batch.column_by_name(name).ok_or_else(|| wrong(name))
}

/// A column of all batches as one array.
fn whole(batches: &[RecordBatch], name: &str) -> Result<ArrayRef, SegmentError> {
    let arrays: Vec<&dyn Array> = batches
        .iter()
        .map(|batch| column_of(batch, name).map(|array| &**array))
        .collect::<Result<_, _>>()?;
    match (arrays.as_slice(), batches) {
        ([_], [batch]) => column_of(batch, name).map(Arc::clone),
        _ => concat(&arrays).map_err(|error| SegmentError::Damaged(error.to_string())),
    }
}

fn wrong(name: &str) -> SegmentError {
    SegmentError::Damaged(format!("column `{name}` is missing or of another type"))
}

/// Metadata and content of some rows.
pub(crate) struct Texts {
    /// The metadata.
    pub(crate) meta: StringViewArray,
    /// The content; null where there is none.
    pub(crate) content: StringViewArray,
}

impl Default for Texts {
    fn default() -> Self {
        let none = || StringViewArray::from_iter_values(std::iter::empty::<&str>());
        Self { meta: none(), content: none() }
    }
}

/// Puts the texts of the chosen rows of a chunk together.
pub(super) fn texts(
    segments: &[Segment],
    tail: &Tail,
    chunk: &Chunk,
    mask: Option<&BooleanArray>,
) -> Result<Texts, SegmentError> {
    let (mut meta, mut content) = (Vec::new(), Vec::new());
    let mut take = |row: &Row| {
        meta.push(text(&row.meta));
        content.push(text(row.content.bytes()));
    };
    match &chunk.place {
        Place::Tail(positions) => {
            let is_chosen = |at: usize| mask.is_none_or(|mask| mask.is_valid(at) && mask.value(at));
            let rows = tail.rows_at(positions.clone()).enumerate();
            rows.filter(|(at, _)| is_chosen(*at)).for_each(|(_, row)| take(row));
        }
        Place::Group(segment, group) => {
            let batches = segments.get(*segment).map(|it| it.batches(*group)).transpose()?;
            let mut offset = 0;
            for batch in batches.unwrap_or_default() {
                let rows = batch.num_rows().min(chunk.rows.saturating_sub(offset));
                let mut batch = batch.slice(0, rows);
                if let Some(mask) = mask {
                    let mask = mask.slice(offset, rows);
                    batch = filter_record_batch(&batch, &mask)
                        .map_err(|error| SegmentError::Damaged(error.to_string()))?;
                }
                offset += rows;
                segment::decode(&batch)?.iter().for_each(&mut take);
            }
        }
    }
    Ok(Texts { meta: meta.into_iter().collect(), content: content.into_iter().collect() })
}

/// Bytes as text; nothing where there are none. What is no UTF-8 cannot be JSON.
fn text(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    (!text.is_empty()).then(|| text.into_owned())
}
