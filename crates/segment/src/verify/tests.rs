//! Segments that no writer of ours makes: whole, well encrypted, and lying.
//!
//! Damage and wrong commitments are tested from outside (`tests/it/verify.rs`).

use crate::batch::{Batch, Fixed};
use crate::cell::{Cell, Cells, no_cells};
use crate::column::{position, schema};
use crate::properties::writer_properties;
use crate::{Fault, Finding, Segment, Verified};
use event::record;
use keys::{KeyId, SecretKey};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;

type Content = (Option<&'static [u8]>, Option<&'static [u8; 16]>, Option<&'static [u8; 32]>);

/// A row with this metadata, given as shape and columns.
struct Lie {
    index: i64,
    text: &'static str,
    shape: &'static str,
    /// The shape, salt and commitment of its content.
    content: Content,
    cells: Cells<'static>,
}

fn lie(index: i64, text: &'static str, shape: &'static str) -> Lie {
    Lie { index, text, shape, content: (None, None, None), cells: no_cells() }
}

impl Lie {
    fn with(mut self, column: &str, cell: Cell<'static>) -> Self {
        self.cells[position(column)] = cell;
        self
    }
}

/// What verification finds in a segment of these rows, whose commitments are those of their texts.
fn verified(rows: &[Lie]) -> (Verified, Vec<Finding>) {
    let key = SecretKey::new([7; 32]);
    let (mut file, mut batch) = (Vec::new(), Batch::new());
    for row in rows {
        let fixed = Fixed {
            index: row.index,
            recorded_at: 0,
            kind: 0,
            tier: 0,
            meta_shape: row.shape.as_bytes(),
            meta_salt: &[0; 16],
            content_shape: row.content.0,
            content_salt: row.content.1,
            content_commitment: row.content.2,
        };
        batch.push(&fixed, &row.cells).unwrap();
    }
    let options = ArrowWriterOptions::new()
        .with_properties(writer_properties(&key, KeyId::from_bytes([0; 16])).unwrap())
        .with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(&mut file, schema(), options).unwrap();
    writer.write(&batch.drain().unwrap()).unwrap();
    writer.close().unwrap();

    let expected = |index: u64| {
        let row = rows.iter().find(|row| row.index as u64 == index)?;
        let meta = record::meta_commitment(&[0; 16], row.text.as_bytes());
        Some(record::commitment(&meta, &record::NO_CONTENT))
    };
    let mut findings = Vec::new();
    let segment = Segment::open(file, &key).unwrap();
    let verified = segment.verify(expected, |finding| findings.push(finding)).unwrap();
    (verified, findings)
}

fn text(text: &'static str) -> Cell<'static> {
    Cell::Text(text.into())
}

#[test]
fn columns_that_say_something_else_than_the_bytes_are_found() {
    let tool = "{\"tool\":\"a\"}";
    let cost = "{\"cost\":{\"amount\":1.50}}";
    let model = "{\"model\":{\"requested\":\"r\"}}";
    let (verified, findings) = verified(&[
        lie(0, tool, "{\"tool\":\u{1a}m}").with("tool", text("a")),
        // The value is in the bytes and not in the column.
        lie(1, tool, tool),
        // Another value is in the column.
        lie(2, tool, tool).with("tool", text("b")),
        lie(3, tool, "{\"tool\":\u{1a}m}").with("tool", text("a")).with("source", text("x")),
        lie(4, cost, cost).with("cost_amount", Cell::Number(1.5)),
        lie(5, cost, cost).with("cost_amount", Cell::Number(15.0)),
        lie(6, model, "{\"model\":{\"requested\":\u{1a}B}}")
            .with("model_requested", text("r"))
            .with("model", text("r")),
        lie(7, model, "{\"model\":{\"requested\":\u{1a}B}}")
            .with("model_requested", text("r"))
            .with("model", text("s")),
    ]);
    let found: Vec<u64> = findings.iter().map(|finding| finding.indexes.0).collect();
    assert_eq!(found, [1, 2, 3, 5, 7]);
    assert!(findings.iter().all(|finding| finding.fault == Fault::Columns), "{findings:?}");
    assert_eq!(verified, Verified { rows: 8, sound: 3 });
}

#[test]
fn shapes_that_cannot_be_filled_are_found_and_the_next_row_is_read() {
    let (verified, findings) =
        verified(&[lie(0, "", "\u{1a}m"), lie(1, "", "\u{1a}"), lie(2, "{}", "{}")]);
    assert_eq!(verified, Verified { rows: 3, sound: 1 });
    let told: Vec<String> = findings.iter().map(|finding| format!("{:?}", finding.fault)).collect();
    assert!(
        told[0].contains("record 0: its shape names column `tool`, which is empty"),
        "{told:?}"
    );
    assert!(told[1].contains("record 1: its shape ends inside a placeholder"), "{told:?}");
}

#[test]
fn rows_out_of_order_are_found() {
    let (verified, findings) = verified(&[lie(5, "{}", "{}"), lie(5, "{}", "{}")]);
    assert_eq!(verified.sound, 1);
    assert_eq!(findings, [Finding { indexes: (5, 5), fault: Fault::Order }]);
}

#[test]
fn contents_that_are_neither_there_nor_gone_are_found() {
    let (shape, salt, commitment) = (Some(&b"{}"[..]), Some(&[1; 16]), Some(&record::NO_CONTENT));
    let rows: Vec<Lie> = [
        (None, None, None),
        (shape, None, None),
        (None, salt, None),
        (shape, salt, commitment),
        (None, salt, commitment),
        (Some(&b""[..]), salt, None),
    ]
    .into_iter()
    .zip(0..)
    .map(|(content, index)| Lie { content, ..lie(index, "{}", "{}") })
    .collect();
    let (verified, findings) = verified(&rows);
    assert_eq!(verified, Verified { rows: 6, sound: 1 });
    assert_eq!(findings.len(), 5);
    for finding in &findings {
        let Fault::Unreadable(why) = &finding.fault else { panic!("{finding:?}") };
        assert!(why.contains("holds what no writer writes"), "{why}");
    }
}
