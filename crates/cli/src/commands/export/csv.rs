//! Records as CSV (RFC 4180, UTF-8): one column for each typed field, the content as JSON text.
//!
//! Made for spreadsheets, which run texts as formulas (CWE-1236): whatever an agent or a tool said
//! could reach another machine through the one who opens the file. The rule is in `query::escape`:
//! a `'` is put before what begins a formula. Inside JSON the character is written as `\uXXXX`
//! instead, which is the same JSON. Numbers are numbers. Hidden characters become visible as
//! everywhere.

use csv::Writer;
use event::{Kind, Timestamp};
use query::Found;
use query::escape::{defuse_formulas, defused, escape, escape_json};
use segment::{PLAIN_FIXED, PlainValue, Plainer};
use std::io::{self, Write};

/// Writes rows as they come.
pub(super) struct CsvRows<W: Write> {
    csv: Writer<W>,
    plainer: Plainer,
    with_content: bool,
}

impl<W: Write> CsvRows<W> {
    /// Begins with the names of the columns.
    pub(super) fn begin(out: W, with_content: bool) -> io::Result<Self> {
        let mut csv = Writer::from_writer(out);
        let content = with_content.then_some("content");
        csv.write_record(PLAIN_FIXED.into_iter().chain(Plainer::meta_names()).chain(content))?;
        Ok(Self { csv, plainer: Plainer::default(), with_content })
    }

    /// Writes a record.
    pub(super) fn write(&mut self, found: &Found<'_>) -> io::Result<()> {
        let csv = &mut self.csv;
        csv.write_field(found.index.to_string())?;
        csv.write_field(found.recorded_at().to_string())?;
        csv.write_field(if found.kind == Kind::Log { "log" } else { "event" })?;
        csv.write_field(found.tier.as_str())?;
        csv.write_field(found.state.as_str())?;
        let mut written = Ok(());
        self.plainer.meta(&found.meta, &mut |value| {
            if written.is_ok() {
                written = csv.write_field(cell(value));
            }
        });
        written?;
        if self.with_content {
            csv.write_field(json(&String::from_utf8_lossy(&found.content)))?;
        }
        csv.write_record(None::<&[u8]>)?;
        Ok(())
    }

    /// Ends it and gives the writer back.
    pub(super) fn end(self) -> io::Result<W> {
        self.csv.into_inner().map_err(|error| error.into_error())
    }
}

/// A value as a cell says it.
fn cell(value: PlainValue<'_>) -> String {
    match value {
        PlainValue::None => String::new(),
        PlainValue::Text(text) => defused(&escape(text)),
        PlainValue::Json(text) => json(text),
        PlainValue::Number(number) => number.to_string(),
        PlainValue::Count(count) => count.to_string(),
        PlainValue::Time(nanoseconds) => u64::try_from(nanoseconds)
            .map(|nanoseconds| Timestamp(nanoseconds).to_string())
            .unwrap_or_default(),
    }
}

/// JSON text, with the same value.
fn json(text: &str) -> String {
    let mut visible = Vec::with_capacity(text.len());
    escape_json(text, &mut visible);
    defuse_formulas(&String::from_utf8_lossy(&visible), |c, out| {
        out.push_str(&format!("\\u{:04x}", u32::from(c)));
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> String {
        cell(PlainValue::Text(text))
    }

    #[test]
    fn no_text_begins_a_formula() {
        for (raw, safe) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("  =1", "  '=1"),
            ("\"=1", "\"'=1"),
            ("＝1", "'＝1"),
            ("a;=1", "a;'=1"),
            ("a; \"=1", "a; \"'=1"),
            ("\t=1", "\\t=1"),
            ("a=1", "a=1"),
            ("a-b", "a-b"),
            ("", ""),
        ] {
            assert_eq!(text(raw), safe, "{raw}");
        }
        assert_eq!(cell(PlainValue::Number(-1.5)), "-1.5");
        assert_eq!(cell(PlainValue::Count(-1)), "-1");
    }

    #[test]
    fn json_keeps_its_value_and_begins_no_formula() {
        for raw in [r#"{"a":"x;=1"}"#, r#"["=1",-2]"#, r#""=1""#, "\"\u{202e}\""] {
            let safe = json(raw);
            let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
            assert_eq!(value(&safe), value(raw));
            assert!(!safe.contains(";=") && !safe.starts_with("\"="), "{safe}");
        }
    }
}
