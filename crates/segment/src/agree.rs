//! Do the columns of a row say what its bytes say? Questions are answered from the columns, and
//! only the bytes are under the log's commitment.
//!
//! To split a row again and compare says it for certain, and takes longer than to read the row. But
//! a column that is a placeholder in the shape gave the bytes itself; all that is left to know is
//! that the placeholder stands where a writer puts it, and that is the same for all rows of one
//! shape. So each shape is split once, and what follows for its columns is remembered.

use std::collections::HashMap;
use std::sync::Arc;

use crate::cell::{Cell, Cells, no_cells};
use crate::column::{COLUMNS, ColumnSet, Form, PLACEHOLDER, Part, by_code, position};
use crate::decode::Columns;
use crate::row::Row;
use crate::scan;
use crate::split::Splitter;

/// Shapes that are remembered of each text, and their length; others are split for every row.
const SHAPES_MAX: usize = 1024;
const SHAPE_BYTES_MAX: usize = 4096;

const MODEL: usize = position("model");
const MODEL_REQUESTED: usize = position("model_requested");
const MODEL_RESPONDED: usize = position("model_responded");

/// Compares columns with bytes, row after row.
#[derive(Default)]
pub(crate) struct Agreement {
    splitter: Splitter,
    shape: Vec<u8>,
    meta: Plans,
    content: Plans,
}

/// What was found out about shapes.
#[derive(Default)]
struct Plans {
    known: HashMap<Arc<[u8]>, Plan>,
    /// The shape of the row before, which is the most likely one.
    last: Option<(Arc<[u8]>, Plan)>,
}

/// What the columns must hold in every row of a shape; `None` when each row is to be split.
type Plan = Option<Arc<Expectations>>;

/// What the columns must hold in the rows of a shape.
#[derive(Default)]
struct Expectations {
    /// The columns that hold nothing: most of them, and so are most columns of a batch.
    nothing: ColumnSet,
    /// The others.
    something: Vec<(usize, Expected)>,
}

/// What a column must hold.
#[derive(Clone, Debug)]
enum Expected {
    /// Nothing, or what the shape itself says.
    Constant(Cell<'static>),
    /// What the bytes were made of, if that is one value that a writer cuts out.
    Placeholder,
    /// The same as another column.
    Same(usize),
}

impl Agreement {
    /// True when the columns hold exactly what they would hold if the row were written again.
    pub(crate) fn holds(&mut self, columns: &Columns<'_>, at: usize, row: &Row) -> bool {
        self.of_part(Part::Meta, &row.meta, columns, at)
            && self.of_part(Part::Content, row.content.bytes(), columns, at)
    }

    fn of_part(&mut self, part: Part, bytes: &[u8], columns: &Columns<'_>, at: usize) -> bool {
        // The shape of a text that is not there is empty.
        let shape = columns.shape(part, at).unwrap_or_default();
        let plans = if part == Part::Meta { &mut self.meta } else { &mut self.content };
        match plans.of(shape) {
            Some(Some(plan)) => plan.are_met(columns, at),
            Some(None) => self.split_again(part, bytes, columns, at, None),
            None => self.split_again(part, bytes, columns, at, Some(shape)),
        }
    }

    /// Splits a text and compares; remembers what that says about `shape`.
    fn split_again(
        &mut self,
        part: Part,
        bytes: &[u8],
        columns: &Columns<'_>,
        at: usize,
        shape: Option<&[u8]>,
    ) -> bool {
        let mut cells: Cells<'_> = no_cells();
        self.splitter.split(part, bytes, &mut cells, &mut self.shape);
        if let Some(shape) = shape {
            let plan = if shape == self.shape { plan(part, shape, &cells) } else { None };
            let plans = if part == Part::Meta { &mut self.meta } else { &mut self.content };
            plans.remember(shape, plan);
        }
        of(part).all(|column| cells[column].same(&columns.cell(column, at)))
    }
}

impl Plans {
    /// What is known of a shape; `None` when nothing is.
    fn of(&mut self, shape: &[u8]) -> Option<Plan> {
        if let Some((last, plan)) = &self.last
            && **last == *shape
        {
            return Some(plan.clone());
        }
        let Some((known, plan)) = self.known.get_key_value(shape) else {
            let is_full = self.known.len() >= SHAPES_MAX || shape.len() > SHAPE_BYTES_MAX;
            return is_full.then_some(None);
        };
        self.last = Some((Arc::clone(known), plan.clone()));
        Some(plan.clone())
    }

    fn remember(&mut self, shape: &[u8], plan: Plan) {
        self.known.insert(shape.into(), plan);
    }
}

/// The positions of the columns of a text.
fn of(part: Part) -> impl Iterator<Item = usize> {
    (0..COLUMNS.len()).filter(move |column| COLUMNS[*column].place.part() == part)
}

/// What every row must hold whose text has this shape, told from one that was split into `cells`.
fn plan(part: Part, shape: &[u8], cells: &Cells<'_>) -> Plan {
    let is_placeholder = placeholders(part, shape);
    let occurs = |name: &[u8]| memchr::memmem::find_iter(shape, name).count();
    let expected = |column: usize| {
        if is_placeholder[column] {
            return Some(Expected::Placeholder);
        }
        if column == MODEL && cells[MODEL] != Cell::Null {
            // By which of several members it goes is told by the names of those members alone when
            // none of them stands twice.
            if occurs(b"\"model\":") > 1 || occurs(b"\"name\":") > 0 {
                return None;
            }
            let parts = [MODEL_RESPONDED, MODEL_REQUESTED];
            let best = parts.into_iter().find(|part| cells[*part] != Cell::Null);
            if let Some(best) = best {
                return Some(Expected::Same(best));
            }
        }
        Some(Expected::Constant(cells[column].to_owned()))
    };
    // A row whose placeholder has no value was not read, and any text or count is one value.
    let is_open = |column: &usize| {
        !is_placeholder[*column] || matches!(COLUMNS[*column].form, Form::Json | Form::Number)
    };
    let mut expectations = Expectations::default();
    for column in of(part).filter(is_open) {
        match expected(column)? {
            Expected::Constant(Cell::Null) => expectations.nothing.add(column),
            other => expectations.something.push((column, other)),
        }
    }
    Some(Arc::new(expectations))
}

/// Which columns have a placeholder in a shape.
fn placeholders(part: Part, shape: &[u8]) -> [bool; COLUMNS.len()] {
    let mut found = [false; COLUMNS.len()];
    let mut rest = shape;
    while let Some(at) = memchr::memchr(PLACEHOLDER, rest) {
        let code = rest.get(at + 1).copied().unwrap_or(PLACEHOLDER);
        if let Some(column) = by_code(code, part) {
            found[column] = true;
        }
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    found
}

impl Expectations {
    fn are_met(&self, columns: &Columns<'_>, at: usize) -> bool {
        let mut to_look_at = self.nothing.without(columns.empty());
        to_look_at.all(|column| columns.cell(column, at) == Cell::Null)
            && self.something.iter().all(|(column, expected)| {
                expected.is_met(COLUMNS[*column].form, &columns.cell(*column, at), columns, at)
            })
    }
}

impl Expected {
    fn is_met(&self, form: Form, cell: &Cell<'_>, columns: &Columns<'_>, at: usize) -> bool {
        match (self, form, cell) {
            (Self::Constant(constant), ..) => constant.same(cell),
            (Self::Same(other), ..) => cell.same(&columns.cell(*other, at)),
            // Such a text is one value, and so ends where the shape goes on.
            (Self::Placeholder, Form::Json, Cell::Text(text)) => is_one_value(text.as_bytes()),
            (Self::Placeholder, Form::Number, Cell::Number(number)) => number.is_finite(),
            (Self::Placeholder, _, Cell::Null) => false,
            (Self::Placeholder, ..) => true,
        }
    }
}

/// Whether JSON text is one value as far as its end goes.
fn is_one_value(text: &[u8]) -> bool {
    match text.first() {
        Some(b'"' | b'{' | b'[') => scan::value_end(text, 0) == Some(text.len()),
        Some(_) => !text.iter().any(|byte| matches!(byte, b',' | b'}' | b']')),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{Batch, Fixed};
    use arrow_array::RecordBatch;

    /// Texts of a few shapes, with values of every form, some of which stay in the shape.
    const METAS: [&str; 7] = [
        r#"{"schema":"s","event_id":"e-1","event_type":"t","timestamp":"2026-01-01T00:00:00.000000001Z"}"#,
        r#"{"schema":"s","event_id":"e-2","event_type":"u\n","timestamp":"2026-01-01T00:00:00.000000002Z"}"#,
        r#"{"event_id":"e","caused_by":["a","b"],"confidence":0.5,"tokens":{"input":3},"cost":{"amount":1.50}}"#,
        r#"{"event_id":"e","model":{"provider":"p","requested":"m","responded":"m-1"},"tags":["x"]}"#,
        r#"{"event_id":"e","model":{"provider":"p","requested":"m"},"duration_ms":12.0}"#,
        r#"{"event_id":"e","model":{"provider":"p","requested":"m","name":"n"},"tags":[]}"#,
        r#"{"event_id":"e","event_id":"f","agent_name":"\u0041","x":"tool","version":3}"#,
    ];
    const CONTENTS: [&str; 3] =
        [r#"{"params":{"a":[1,"}"]},"attributes":{"b":null}}"#, r#"{"result":7}"#, ""];

    /// The rows that these texts make, each once as it is and once after a change.
    fn batch(change: &dyn Fn(Part, &mut Vec<u8>, &mut Cells<'static>)) -> RecordBatch {
        let mut batch = Batch::new();
        let mut splitter = Splitter::default();
        let mut index = 0;
        for meta in METAS {
            for content in CONTENTS {
                for is_changed in [false, true, false] {
                    let (mut cells, mut shapes) = (no_cells(), [Vec::new(), Vec::new()]);
                    splitter.split(Part::Meta, meta.as_bytes(), &mut cells, &mut shapes[0]);
                    splitter.split(Part::Content, content.as_bytes(), &mut cells, &mut shapes[1]);
                    if is_changed {
                        change(Part::Meta, &mut shapes[0], &mut cells);
                        change(Part::Content, &mut shapes[1], &mut cells);
                    }
                    let is_there = !content.is_empty();
                    let fixed = Fixed {
                        index,
                        recorded_at: 0,
                        kind: 0,
                        tier: 0,
                        meta_shape: &shapes[0],
                        meta_salt: &[0; 16],
                        content_shape: is_there.then_some(&*shapes[1]),
                        content_salt: is_there.then_some(&[0; 16]),
                        content_commitment: None,
                    };
                    batch.push(&fixed, &cells).unwrap();
                    index += 1;
                }
            }
        }
        batch.drain().unwrap()
    }

    /// What splitting each row again says.
    fn for_certain(columns: &Columns<'_>, at: usize, row: &Row) -> bool {
        let (mut cells, mut shape) = (no_cells(), Vec::new());
        let mut splitter = Splitter::default();
        splitter.split(Part::Meta, &row.meta, &mut cells, &mut shape);
        splitter.split(Part::Content, row.content.bytes(), &mut cells, &mut shape);
        (0..COLUMNS.len()).all(|column| cells[column].same(&columns.cell(column, at)))
    }

    /// How many of the rows that can be read do not agree.
    fn differing(batch: &RecordBatch) -> usize {
        let columns = Columns::of(batch).unwrap();
        let mut agreement = Agreement::default();
        let mut differing = 0;
        for at in 0..batch.num_rows() {
            let Ok(row) = columns.row(at) else { continue };
            let holds = agreement.holds(&columns, at, &row);
            assert_eq!(holds, for_certain(&columns, at, &row), "{at}: {row:?}");
            differing += usize::from(!holds);
        }
        differing
    }

    #[test]
    fn what_a_writer_wrote_agrees() {
        assert_eq!(differing(&batch(&|_, _, _| ())), 0);
    }

    #[test]
    fn a_column_that_says_something_else_is_found() {
        for column in 0..COLUMNS.len() {
            let other: Cell<'static> = match COLUMNS[column].form {
                Form::Text | Form::Json => Cell::Text("\"other\"".into()),
                Form::Number => Cell::Number(77.25),
                Form::Count | Form::Time => Cell::Integer(77),
            };
            let changed = batch(&|_, _, cells| cells[column] = other.clone());
            // Where it has a placeholder it changes the bytes instead; `event_id` always has one.
            assert_eq!(differing(&changed) > 0, column != position("event_id"), "{column}");
            let emptied = batch(&|_, _, cells| cells[column] = Cell::Null);
            differing(&emptied);
        }
    }

    #[test]
    fn placeholders_at_other_places_and_values_that_break_out_are_found() {
        let swapped = batch(&|_, shape, _| {
            for at in 1..shape.len() {
                if shape[at - 1] == PLACEHOLDER {
                    shape[at] = match shape[at] {
                        b'a' => b'b',
                        b'b' => b'a',
                        b'S' => b'Z',
                        b'Z' => b'S',
                        code => code,
                    };
                }
            }
        });
        assert!(differing(&swapped) > 0);
        for text in ["1},\"event_type\":\"x\"", "[1],\"tool\":\"x\"", "\"a\",\"b\":1", "", "]"] {
            for column in [position("caused_by"), position("tags"), position("params")] {
                let broken_out = batch(&|_, _, cells| {
                    if cells[column] != Cell::Null {
                        cells[column] = Cell::Text(text.into());
                    }
                });
                differing(&broken_out);
            }
        }
    }
}
