//! Some values of a row, found in its texts without taking these apart.
//!
//! A cell holds the same as the one that `split` cuts out: nothing is put together again here, so
//! nothing is compared either.

use crate::batch::Builder;
use crate::cell::Cell;
use crate::column::{COLUMNS, Part, Place};
use crate::row::Row;
use crate::split::{MODEL, MODEL_NAMES, column, walk};

/// Finds the values of some of [`COLUMNS`].
pub(crate) struct Peeker {
    /// Their positions in [`COLUMNS`], each once, in order; those that another is told by included.
    positions: Vec<usize>,
    /// For each of [`COLUMNS`] the place in `positions`.
    slots: [Option<usize>; COLUMNS.len()],
    reads_meta: bool,
    reads_content: bool,
}

impl Peeker {
    /// For the columns of these names; names of others are nothing to it.
    pub(crate) fn new(names: &[&str]) -> Self {
        let mut positions: Vec<usize> =
            (0..COLUMNS.len()).filter(|at| names.contains(&COLUMNS[*at].name)).collect();
        if positions.contains(&MODEL) {
            positions.extend(MODEL_NAMES);
            positions.sort_unstable();
            positions.dedup();
        }
        let mut slots = [None; COLUMNS.len()];
        for (slot, at) in positions.iter().enumerate() {
            slots[*at] = Some(slot);
        }
        let reads = |part| positions.iter().any(|at| COLUMNS[*at].place.part() == part);
        let (reads_meta, reads_content) = (reads(Part::Meta), reads(Part::Content));
        Self { positions, slots, reads_meta, reads_content }
    }

    /// Positions in [`COLUMNS`] of the cells that [`peek`](Self::peek) finds, in their order.
    pub(crate) fn positions(&self) -> impl Iterator<Item = usize> {
        self.positions.iter().copied()
    }

    /// A builder for each of the cells that was asked for by name.
    pub(crate) fn builders(&self, names: &[&str]) -> Vec<Option<Builder>> {
        let builder = |at: usize| {
            let column = &COLUMNS[at];
            names.contains(&column.name).then(|| Builder::new(column.form))
        };
        self.positions().map(builder).collect()
    }

    /// The cells of a row.
    pub(crate) fn peek<'r>(&self, row: &'r Row, cells: &mut Vec<Cell<'r>>) {
        cells.clear();
        cells.resize(self.positions.len(), Cell::Null);
        if self.reads_meta {
            self.peek_into(Place::Meta, &row.meta, cells);
            self.name_model(cells);
        }
        if self.reads_content {
            self.peek_into(Place::Content, row.content.bytes(), cells);
        }
    }

    fn peek_into<'r>(&self, place: Place, bytes: &'r [u8], cells: &mut [Cell<'r>]) {
        let Some(text) = std::str::from_utf8(bytes).ok().filter(|text| text.starts_with('{'))
        else {
            return;
        };
        let mut hint = 0;
        // Where the text stops looking like an object, there is nothing more to find.
        let _ = walk(text, 0, place, &mut |place, key, value| {
            let Some(at) = column(place, key, &mut hint) else { return };
            let Some(cell) = self.slots[at].and_then(|slot| cells.get_mut(slot)) else { return };
            // The first of two members of one name counts.
            if *cell == Cell::Null {
                *cell =
                    text.get(value).map(|it| Cell::parse(COLUMNS[at].form, it)).unwrap_or_default();
            }
        });
    }

    fn name_model(&self, cells: &mut [Cell<'_>]) {
        let Some(slot) = self.slots[MODEL].filter(|slot| cells.get(*slot) == Some(&Cell::Null))
        else {
            return;
        };
        let named = MODEL_NAMES.into_iter().filter_map(|at| cells.get(self.slots[at]?));
        let best = named.into_iter().find(|cell| **cell != Cell::Null).cloned();
        if let (Some(best), Some(cell)) = (best, cells.get_mut(slot)) {
            *cell = best;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::no_cells;
    use crate::column::position;
    use crate::row::ContentState;
    use crate::split::Splitter;
    use event::{Kind, Tier};
    use proptest::prelude::*;

    fn row(meta: &str, content: &str) -> Row {
        Row {
            index: 1,
            kind: Kind::Event,
            tier: Tier::Info,
            time_ms: 2,
            meta: meta.as_bytes().to_vec(),
            meta_salt: [0; 16],
            content: ContentState::Present { salt: [0; 16], bytes: content.as_bytes().to_vec() },
        }
    }

    /// Each column alone, and all at once, hold what the splitter cuts out.
    fn agrees_with_the_splitter(row: &Row) {
        let (mut cells, mut shape, mut splitter) = (no_cells(), Vec::new(), Splitter::default());
        splitter.split(Part::Meta, &row.meta, &mut cells, &mut shape);
        splitter.split(Part::Content, row.content.bytes(), &mut cells, &mut shape);
        let all: Vec<&str> = COLUMNS.iter().map(|column| column.name).collect();
        let mut found = Vec::new();
        Peeker::new(&all).peek(row, &mut found);
        assert_eq!(found, cells);
        for (at, column) in COLUMNS.iter().enumerate() {
            let peeker = Peeker::new(&[column.name]);
            peeker.peek(row, &mut found);
            let slot = peeker.positions().position(|position| position == at).unwrap();
            assert_eq!(found[slot], cells[at], "{}", column.name);
        }
    }

    #[test]
    fn odd_texts_hold_what_the_splitter_cuts_out() {
        let metas = [
            r#"{"event_id":"e","event_id":"f","tokens":{"input":1,"total":"x"},"x":1}"#,
            r#"{"model":{"provider":"p","requested":"r","responded":"s"}}"#,
            r#"{"model":{"requested":"r"}}"#,
            r#"{"model":{"provider":"p","name":"n"},"model":"m"}"#,
            r#"{"event_id":7,"event_id":"second"}"#,
            r#"{"cost":{"amount":1.50},"duration_ms":1e3,"timestamp":"2026-01-02T03:04:05Z"}"#,
            r#"{"event_type":"agent.err\u006fr","tool":"\u001a","principal":{"subject":"s"}"#,
            r#"{ "event_id":"e"}"#,
            "[1]",
            "",
        ];
        for meta in metas {
            agrees_with_the_splitter(&row(meta, r#"{"result":"x","params":{"a":1},"error":null}"#));
            agrees_with_the_splitter(&row(r#"{"tool":"t"}"#, meta));
        }
    }

    proptest! {
        #[test]
        fn any_members_hold_what_the_splitter_cuts_out(
            members in proptest::collection::vec(
                (0..COLUMNS.len(), prop_oneof![
                    Just("\"t\"".to_owned()), Just("3".to_owned()), Just("1.5".to_owned()),
                    Just("null".to_owned()), Just("{\"input\":2,\"name\":\"n\"}".to_owned()),
                    Just("\"2026-01-02T03:04:05.000000000Z\"".to_owned()),
                ]),
                0..12,
            )
        ) {
            let member = |(at, value): &(usize, String)| format!("\"{}\":{value}", COLUMNS[*at].key);
            let text = format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(","));
            agrees_with_the_splitter(&row(&text, &text));
        }
    }

    #[test]
    fn names_of_models_come_along_only_for_the_model() {
        assert_eq!(Peeker::new(&["model"]).positions().count(), 3);
        assert_eq!(Peeker::new(&["tool"]).positions().collect::<Vec<_>>(), [position("tool")]);
        assert_eq!(Peeker::new(&["index", "nothing"]).positions().count(), 0);
    }
}
