//! A record's text taken apart: the values of known members into cells, the rest into a shape with
//! placeholders.
//!
//! Right for any bytes, not only for JSON: what is not recognised stays in the shape, and the
//! result is put together and compared before it is believed. Putting together is `rebuild`'s.

use std::ops::Range;

use crate::cell::{Cell, Cells};
use crate::column::{COLUMNS, Form, PLACEHOLDER, Part, Place, find, position};
use crate::rebuild::rebuild;
use crate::scan;

pub(crate) const MODEL: usize = position("model");
/// A model in parts still answers to one name: the first of these, by the rule of
/// `event::Model::display`.
pub(crate) const MODEL_NAMES: [usize; 2] =
    [position("model_responded"), position("model_requested")];

/// Takes texts apart, with buffers that live from one row to the next.
#[derive(Default)]
pub(crate) struct Splitter {
    scratch: Vec<u8>,
}

impl Splitter {
    /// Fills the cells of `part` from `bytes` and returns the shape through `shape`.
    ///
    /// The cells of `part` must be null.
    pub(crate) fn split<'a>(
        &mut self,
        part: Part,
        bytes: &'a [u8],
        cells: &mut Cells<'a>,
        shape: &mut Vec<u8>,
    ) {
        shape.clear();
        if let Ok(text) = std::str::from_utf8(bytes) {
            Cutter { text, copied: 0, hint: 0, cells, shape, scratch: &mut self.scratch }.cut(part);
            self.scratch.clear();
            let write = |at: usize, out: &mut Vec<u8>| cells[at].write(COLUMNS[at].form, out);
            if rebuild(part, shape, write, &mut self.scratch).is_ok() && self.scratch == bytes {
                return;
            }
        }
        // No text is known that gets here; if there is one, it is kept whole.
        let mine = cells.iter_mut().zip(&COLUMNS).filter(|(_, column)| column.place.part() == part);
        mine.for_each(|(cell, _)| *cell = Cell::Null);
        shape.clear();
        keep(bytes, shape);
    }
}

/// Appends bytes to a shape as they are.
fn keep(bytes: &[u8], shape: &mut Vec<u8>) {
    for piece in bytes.split_inclusive(|byte| *byte == PLACEHOLDER) {
        shape.extend_from_slice(piece);
        if piece.last() == Some(&PLACEHOLDER) {
            shape.push(PLACEHOLDER);
        }
    }
}

/// One text on its way apart.
struct Cutter<'a, 'c> {
    text: &'a str,
    /// Up to where the text is in the shape, as itself or as placeholders.
    copied: usize,
    /// The column behind the one found last: members mostly come in the order of the columns.
    hint: usize,
    cells: &'c mut Cells<'a>,
    shape: &'c mut Vec<u8>,
    scratch: &'c mut Vec<u8>,
}

impl Cutter<'_, '_> {
    fn cut(mut self, part: Part) {
        if self.text.starts_with('{') {
            let place = if part == Part::Meta { Place::Meta } else { Place::Content };
            // Where the text stops looking like an object, the rest of it is kept.
            let text = self.text;
            let _ = walk(text, 0, place, &mut |place, key, value| self.member(place, key, value));
        }
        keep(self.text.as_bytes().get(self.copied..).unwrap_or_default(), self.shape);
        if part == Part::Meta && self.cells[MODEL] == Cell::Null {
            let best = MODEL_NAMES.into_iter().find(|at| self.cells[*at] != Cell::Null);
            self.cells[MODEL] = best.map(|at| self.cells[at].clone()).unwrap_or_default();
        }
    }

    fn member(&mut self, place: Place, key: &str, value: Range<usize>) {
        let Some(at) = column(place, key, &mut self.hint) else { return };
        let Some(text) = self.text.get(value.clone()) else { return };
        let form = COLUMNS[at].form;
        let cell = Cell::parse(form, text);
        // The second of two members of one name stays where it is.
        if cell == Cell::Null || self.cells[at] != Cell::Null {
            return;
        }
        if self.is_cut(form, &cell, text) {
            keep(
                self.text.as_bytes().get(self.copied..value.start).unwrap_or_default(),
                self.shape,
            );
            self.shape.extend_from_slice(&[PLACEHOLDER, COLUMNS[at].code]);
            self.copied = value.end;
        }
        self.cells[at] = cell;
    }

    fn is_cut(&mut self, form: Form, cell: &Cell<'_>, text: &str) -> bool {
        cell.stands_for(form, text, self.scratch)
    }
}

/// The column of a member. `hint` is where the search begins, and ends up behind what was found.
pub(crate) fn column(place: Place, key: &str, hint: &mut usize) -> Option<usize> {
    let found = find(place, key, *hint);
    // `model` in parts may hold a bare name beside them.
    let found = found.or_else(|| (place == Place::Model && key == "name").then_some(MODEL));
    *hint = found.map_or(*hint, |at| at + 1);
    found
}

/// Tells `each` of the members of the object that opens at `open`, and of those of the objects in
/// it that have columns: where it stands, its name, and where in the text its value is. Returns the
/// position behind the object; `None` where the text stops looking like one.
pub(crate) fn walk<'a, F: FnMut(Place, &'a str, Range<usize>)>(
    text: &'a str,
    open: usize,
    place: Place,
    each: &mut F,
) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = open + 1;
    if bytes.get(at) == Some(&b'}') {
        return Some(at + 1);
    }
    loop {
        bytes.get(at).filter(|byte| **byte == b'"')?;
        let colon = scan::string_end(bytes, at + 1)?;
        bytes.get(colon).filter(|byte| **byte == b':')?;
        let key = text.get(at + 1..colon - 1)?;
        let value = colon + 1;
        let is_object = bytes.get(value) == Some(&b'{');
        let end = if let Some(inner) = place.within(key).filter(|_| is_object) {
            walk(text, value, inner, each)?
        } else {
            let end = scan::value_end(bytes, value)?;
            each(place, key, value..end);
            end
        };
        match bytes.get(end)? {
            b',' => at = end + 1,
            b'}' => return Some(end + 1),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::no_cells;
    use proptest::prelude::*;

    /// The shape with `¤` for the placeholder, and the named cells.
    fn split(part: Part, text: &str) -> (String, Vec<(&'static str, Cell<'_>)>) {
        let (mut cells, mut shape) = (no_cells(), Vec::new());
        Splitter::default().split(part, text.as_bytes(), &mut cells, &mut shape);
        let mut back = Vec::new();
        let write = |at: usize, out: &mut Vec<u8>| cells[at].write(COLUMNS[at].form, out);
        rebuild(part, &shape, write, &mut back).unwrap();
        assert_eq!(back, text.as_bytes());
        let shape = String::from_utf8(shape).unwrap().replace('\u{1a}', "¤");
        let named = COLUMNS.iter().zip(cells).filter(|(_, cell)| *cell != Cell::Null);
        (shape, named.map(|(column, cell)| (column.name, cell)).collect())
    }

    fn text(text: &str) -> Cell<'_> {
        Cell::Text(text.into())
    }

    #[test]
    fn known_members_go_into_their_columns() {
        let meta = r#"{"schema":"s","event_id":"e-1","event_type":"t","tokens":{"input":3,"total":4},"x":1}"#;
        let (shape, cells) = split(Part::Meta, meta);
        assert_eq!(
            shape,
            r#"{"schema":"s","event_id":¤a,"event_type":¤b,"tokens":{"input":¤r,"total":¤w},"x":1}"#
        );
        assert_eq!(
            cells,
            [
                ("event_id", text("e-1")),
                ("event_type", text("t")),
                ("tokens_input", Cell::Integer(3)),
                ("tokens_total", Cell::Integer(4)),
            ]
        );
    }

    #[test]
    fn a_model_answers_to_one_name() {
        let model = |json: &'static str| {
            let (shape, cells) = split(Part::Meta, json);
            (shape, cells.into_iter().find(|(name, _)| *name == "model").map(|(_, cell)| cell))
        };
        assert_eq!(model(r#"{"model":"m"}"#), (r#"{"model":¤z}"#.into(), Some(text("m"))));
        assert_eq!(
            model(r#"{"model":{"provider":"p","requested":"r","responded":"s"}}"#),
            (r#"{"model":{"provider":¤A,"requested":¤B,"responded":¤C}}"#.into(), Some(text("s")))
        );
        assert_eq!(model(r#"{"model":{"requested":"r"}}"#).1, Some(text("r")));
        assert_eq!(
            model(r#"{"model":{"provider":"p","name":"n"}}"#),
            (r#"{"model":{"provider":¤A,"name":¤z}}"#.into(), Some(text("n")))
        );
    }

    #[test]
    fn odd_values_stay_in_the_shape_and_fill_their_columns() {
        let (shape, cells) = split(Part::Meta, r#"{"cost":{"amount":1.50},"duration_ms":1e3}"#);
        assert_eq!(shape, r#"{"cost":{"amount":1.50},"duration_ms":1e3}"#);
        let numbers = [("duration_ms", Cell::Number(1e3)), ("cost_amount", Cell::Number(1.5))];
        assert_eq!(cells, numbers);
    }

    #[test]
    fn parts_of_the_content_are_cut_whole() {
        let (shape, cells) = split(
            Part::Content,
            r#"{"result":"x","params":{"event_id":"no"},"tokens":{"input":1}}"#,
        );
        assert_eq!(shape, r#"{"result":¤T,"params":¤S,"tokens":{"input":1}}"#);
        assert_eq!(cells, [("params", text(r#"{"event_id":"no"}"#)), ("result", text(r#""x""#))]);
    }

    #[test]
    fn doubled_and_misplaced_members_stay() {
        for json in [
            r#"{"x":{"event_id":"e"}}"#,
            r#"[{"event_id":"e"}]"#,
            r#"{ "event_id":"e"}"#,
            r#"{"event_id":7}"#,
            r#"{"event\u005fid":"e"}"#,
            r#"{"tokens":{"tokens":{"input":1}}}"#,
            "",
            "{",
            "{\"event_id\":",
            "{\"event_id\"",
        ] {
            assert_eq!(split(Part::Meta, json), (json.to_owned(), vec![]), "{json}");
        }
        let (shape, _) = split(Part::Meta, r#"{"event_id":"e","event_id":"f"}"#);
        assert_eq!(shape, r#"{"event_id":¤a,"event_id":"f"}"#);
    }

    #[test]
    fn placeholders_of_the_text_itself_are_doubled() {
        let (shape, _) = split(Part::Meta, "{\"\u{1a}a\":1,\"tool\":\"\u{1a}\u{1a}b\"}");
        assert_eq!(shape, "{\"¤¤a\":1,\"tool\":\"¤¤¤¤b\"}");
    }

    fn rebuilt(part: Part, bytes: &[u8]) -> Vec<u8> {
        let (mut cells, mut shape, mut back) = (no_cells(), Vec::new(), Vec::new());
        Splitter::default().split(part, bytes, &mut cells, &mut shape);
        let write = |at: usize, out: &mut Vec<u8>| cells[at].write(COLUMNS[at].form, out);
        rebuild(part, &shape, write, &mut back).unwrap();
        back
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_come_back(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(&rebuilt(Part::Meta, &bytes), &bytes);
            prop_assert_eq!(&rebuilt(Part::Content, &bytes), &bytes);
        }

        #[test]
        fn texts_that_look_like_records_come_back(
            pieces in proptest::collection::vec(proptest::sample::select(vec![
                "{", "}", ",", ":", "[", "]", "\"", "\"event_id\":", "\"a\"", "1.50", "12", "null",
                "\"tokens\":{", "\"input\":", "\"params\":", "\u{1a}", "\\", "\\u0041", "é",
                "\"model\":", "\"timestamp\":", "\"2026-01-01T00:00:00.000000000Z\"", "-0.0",
            ]), 0..30),
        ) {
            let text = pieces.concat();
            prop_assert_eq!(&rebuilt(Part::Meta, text.as_bytes()), text.as_bytes());
            prop_assert_eq!(&rebuilt(Part::Content, text.as_bytes()), text.as_bytes());
        }
    }
}
