//! The columns of the table `events`: those of a segment without its salts, commitments and
//! shapes, and a few that are computed.

use arrow_schema::{DataType, Field as ArrowField, Schema, SchemaRef};
use std::sync::{Arc, LazyLock};

/// A column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    /// Its position in the table.
    pub(crate) position: usize,
    /// Its name.
    pub(crate) name: &'static str,
    /// Where its values come from.
    pub(crate) from: From,
}

/// Where the values of a column come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    /// The segment's column of this name.
    Column,
    /// The name for the number in that column.
    Tier,
    /// The name for the number in that column.
    Kind,
    /// Whether the content was erased.
    State,
    /// The tool, which stands behind the colon of `action` where there is no field for it.
    Tool,
    /// The metadata, put together again.
    Meta,
    /// The content, put together again.
    Content,
}

impl Field {
    /// Its name, where it stands for good.
    pub(super) fn name_slot(&self) -> &'static &'static str {
        const NONE: &&str = &"";
        TABLE.fields.get(self.position).map_or(NONE, |field| &field.name)
    }

    /// Texts put together are not worth their memory.
    pub(crate) fn is_cached(&self) -> bool {
        !matches!(self.from, From::Meta | From::Content)
    }
}

struct Table {
    fields: Vec<Field>,
    schema: SchemaRef,
}

/// Columns of a segment that nobody asks about.
const HIDDEN: [&str; 5] =
    ["meta_shape", "meta_salt", "content_shape", "content_salt", "content_commitment"];

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let stored = segment::schema();
    let mut named: Vec<(&'static str, From, DataType, bool)> = Vec::new();
    for field in stored.fields() {
        // Names are few and live as long as the program.
        let name: &'static str = Box::leak(field.name().clone().into_boxed_str());
        if HIDDEN.contains(&name) {
            continue;
        }
        let from = match name {
            "tier" => From::Tier,
            "kind" => From::Kind,
            "tool" => From::Tool,
            _ => From::Column,
        };
        let data_type = match (from, field.data_type()) {
            (From::Tier | From::Kind, _) | (_, DataType::Utf8) => DataType::Utf8View,
            (_, other) => other.clone(),
        };
        named.push((name, from, data_type, field.is_nullable()));
        if name == "tier" {
            named.push(("state", From::State, DataType::Utf8View, false));
        }
    }
    named.push(("meta", From::Meta, DataType::Utf8View, true));
    named.push(("content", From::Content, DataType::Utf8View, true));
    let arrow = named
        .iter()
        .map(|(name, _, data_type, nullable)| ArrowField::new(*name, data_type.clone(), *nullable));
    let schema = Arc::new(Schema::new(arrow.collect::<Vec<_>>()));
    let fields = named
        .iter()
        .enumerate()
        .map(|(position, (name, from, ..))| Field { position, name, from: *from })
        .collect();
    Table { fields, schema }
});

/// The columns, in their order.
pub(crate) fn fields() -> &'static [Field] {
    &TABLE.fields
}

/// The column of a name.
pub(crate) fn field(name: &str) -> Option<Field> {
    fields().iter().find(|field| field.name == name).copied()
}

/// The table's schema.
pub(crate) fn schema() -> SchemaRef {
    Arc::clone(&TABLE.schema)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_a_column_and_all_else_is() {
        let names: Vec<&str> = fields().iter().map(|field| field.name).collect();
        assert!(
            !names
                .iter()
                .any(|n| n.contains("salt") || n.contains("shape") || n.contains("commitment"))
        );
        assert_eq!(names[..6], ["index", "recorded_at", "kind", "tier", "state", "event_id"]);
        assert_eq!(names.len(), segment::schema().fields().len() - HIDDEN.len() + 3);
        assert_eq!(field("tool").unwrap().from, From::Tool);
        assert_eq!(schema().fields().len(), fields().len());
    }
}
