//! The columns of a segment: their names, types and placeholders. All of it is a contract, with
//! whoever writes SQL and with whoever reads a segment in another language.
//!
//! Not here: which encoding and compression each gets (`properties`).

use std::sync::{Arc, LazyLock};

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};

/// Which of a record's two texts a column was cut out of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Meta,
    Content,
}

/// Where a member stands whose value a column holds: at the top of one of the texts, or in an
/// object there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Place {
    Meta,
    Tokens,
    Cost,
    Model,
    Principal,
    Producer,
    Content,
}

impl Place {
    /// The text that it is in.
    pub(crate) const fn part(self) -> Part {
        match self {
            Self::Content => Part::Content,
            _ => Part::Meta,
        }
    }

    /// The place of the members of the object that is the member `key` here, if they have columns.
    pub(crate) fn within(self, key: &str) -> Option<Self> {
        match (self, key) {
            (Self::Meta, "tokens") => Some(Self::Tokens),
            (Self::Meta, "cost") => Some(Self::Cost),
            (Self::Meta, "model") => Some(Self::Model),
            (Self::Meta, "principal") => Some(Self::Principal),
            (Self::Meta, "producer") => Some(Self::Producer),
            _ => None,
        }
    }
}

/// What a column holds of a member, and so which text its placeholder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The decoded text; stands for it as a JSON string.
    Text,
    /// The JSON text of the value itself.
    Json,
    /// A double; stands for its shortest decimal text, with at least one digit behind the point.
    Number,
    /// A whole number; stands for its decimal text.
    Count,
    /// Nanoseconds since 1970 (UTC); stands for RFC 3339 with nine digits, as a JSON string.
    Time,
}

/// How values of a column repeat, which decides how they are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeats {
    /// From a few values, or in runs: a dictionary.
    Often,
    /// Hardly ever: the values one after the other.
    Seldom,
    /// Rising numbers: the differences.
    Rising,
}

/// A member with a column of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    /// The name in the file.
    pub(crate) name: &'static str,
    /// Where the member stands.
    pub(crate) place: Place,
    /// The name of the member.
    pub(crate) key: &'static str,
    /// What is held.
    pub(crate) form: Form,
    /// The byte behind [`PLACEHOLDER`] in a shape.
    pub(crate) code: u8,
    /// How its values repeat.
    pub(crate) repeats: Repeats,
}

/// Opens a placeholder in a shape: the next byte is a column's code, or this byte again for itself.
/// JSON text holds no control characters, so real shapes never need the latter.
pub(crate) const PLACEHOLDER: u8 = 0x1a;

/// The version of all this, as the footer states it under [`VERSION_KEY`].
pub(crate) const VERSION: &str = "1";

/// Where the footer states the version.
pub(crate) const VERSION_KEY: &str = "tachograph.segment";

/// Columns that every row has, beside [`COLUMNS`].
pub(crate) const INDEX: &str = "index";
pub(crate) const RECORDED_AT: &str = "recorded_at";
pub(crate) const KIND: &str = "kind";
pub(crate) const TIER: &str = "tier";
pub(crate) const META_SHAPE: &str = "meta_shape";
pub(crate) const META_SALT: &str = "meta_salt";
pub(crate) const CONTENT_SHAPE: &str = "content_shape";
pub(crate) const CONTENT_SALT: &str = "content_salt";
pub(crate) const CONTENT_COMMITMENT: &str = "content_commitment";

use Form::{Count, Json, Number, Text, Time};
use Place::{Content, Cost, Meta, Model, Principal, Producer, Tokens};
use Repeats::{Often, Rising, Seldom};

const fn meta(name: &'static str, form: Form, code: u8, repeats: Repeats) -> Column {
    Column { name, place: Meta, key: name, form, code, repeats }
}

const fn inner(
    name: &'static str,
    place: Place,
    key: &'static str,
    form: Form,
    code: u8,
    repeats: Repeats,
) -> Column {
    Column { name, place, key, form, code, repeats }
}

const fn content(name: &'static str, code: u8) -> Column {
    Column { name, place: Content, key: name, form: Json, code, repeats: Seldom }
}

/// Every member with a column, in the order of the format. A code is never given twice, and never
/// again to another column.
pub(crate) const COLUMNS: [Column; 52] = [
    meta("event_id", Text, b'a', Seldom),
    meta("event_type", Text, b'b', Often),
    meta("timestamp", Time, b'c', Rising),
    meta("agent_name", Text, b'd', Often),
    meta("agent_id", Text, b'e', Often),
    meta("agent_version", Text, b'f', Often),
    meta("task_id", Text, b'g', Often),
    meta("session_id", Text, b'h', Often),
    meta("trace_id", Text, b'i', Often),
    meta("parent_event_id", Text, b'j', Seldom),
    meta("caused_by", Json, b'k', Seldom),
    meta("action", Text, b'l', Often),
    meta("tool", Text, b'm', Often),
    meta("phase", Text, b'n', Often),
    meta("outcome", Text, b'o', Often),
    meta("confidence", Number, b'p', Often),
    meta("duration_ms", Number, b'q', Seldom),
    inner("tokens_input", Tokens, "input", Count, b'r', Often),
    inner("tokens_output", Tokens, "output", Count, b's', Often),
    inner("tokens_cache_read", Tokens, "cache_read", Count, b't', Often),
    inner("tokens_cache_write", Tokens, "cache_write", Count, b'u', Often),
    inner("tokens_reasoning", Tokens, "reasoning", Count, b'v', Often),
    inner("tokens_total", Tokens, "total", Count, b'w', Often),
    inner("cost_amount", Cost, "amount", Number, b'x', Seldom),
    inner("cost_currency", Cost, "currency", Text, b'y', Often),
    meta("model", Text, b'z', Often),
    inner("model_provider", Model, "provider", Text, b'A', Often),
    inner("model_requested", Model, "requested", Text, b'B', Often),
    inner("model_responded", Model, "responded", Text, b'C', Often),
    meta("version", Text, b'D', Often),
    meta("error_type", Text, b'E', Often),
    meta("source", Text, b'F', Often),
    inner("principal_issuer", Principal, "issuer", Text, b'G', Often),
    inner("principal_subject", Principal, "subject", Text, b'H', Often),
    inner("principal_method", Principal, "method", Text, b'I', Often),
    meta("on_behalf_of", Text, b'J', Often),
    meta("approver", Text, b'K', Often),
    inner("producer_id", Producer, "id", Text, b'L', Often),
    inner("producer_seq", Producer, "seq", Count, b'M', Rising),
    inner("producer_sdk", Producer, "sdk", Text, b'N', Often),
    meta("assurance", Text, b'O', Often),
    meta("signature", Text, b'P', Seldom),
    meta("redactions", Json, b'Q', Often),
    meta("tags", Json, b'R', Often),
    content("params", b'S'),
    content("result", b'T'),
    content("reasoning", b'U'),
    content("context", b'V'),
    content("error", b'W'),
    content("input", b'X'),
    content("output", b'Y'),
    content("attributes", b'Z'),
];

/// Some of the columns, by their positions in [`COLUMNS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ColumnSet(u64);

const _: () = assert!(COLUMNS.len() <= 64, "one bit a column");

impl ColumnSet {
    pub(crate) fn add(&mut self, column: usize) {
        self.0 |= 1 << column;
    }

    /// The columns that are in this set only, lowest first.
    pub(crate) fn without(self, other: Self) -> impl Iterator<Item = usize> {
        let mut left = self.0 & !other.0;
        std::iter::from_fn(move || {
            let lowest = (left != 0).then(|| left.trailing_zeros() as usize)?;
            left &= left - 1;
            Some(lowest)
        })
    }
}

/// The position in [`COLUMNS`] of the column with this name.
pub(crate) const fn position(name: &str) -> usize {
    let mut at = 0;
    while at < COLUMNS.len() {
        if equal(COLUMNS[at].name.as_bytes(), name.as_bytes()) {
            return at;
        }
        at += 1;
    }
    panic!("no such column")
}

const fn equal(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// Most bytes of the name of a member with a column.
const KEY_BYTES_MAX: usize = 15;

/// Place and key as one number, because a member is compared with many columns and there are many
/// members; 0 where the key is too long for any column.
const fn packed(place: Place, key: &str) -> u128 {
    let (key, mut bytes, mut at) = (key.as_bytes(), [0; KEY_BYTES_MAX + 1], 0);
    if key.len() > KEY_BYTES_MAX {
        return 0;
    }
    while at < key.len() {
        bytes[at] = key[at];
        at += 1;
    }
    // The length fits into four bits, the place into three. Eight, so that nothing packs to 0.
    bytes[KEY_BYTES_MAX] = (key.len() as u8) << 4 | 8 | place as u8;
    u128::from_le_bytes(bytes)
}

static PACKED: [u128; COLUMNS.len()] = {
    let mut table = [0; COLUMNS.len()];
    let mut at = 0;
    while at < COLUMNS.len() {
        table[at] = packed(COLUMNS[at].place, COLUMNS[at].key);
        at += 1;
    }
    table
};

/// The position in [`COLUMNS`] of the column for a member; the search begins at `hint`.
pub(crate) fn find(place: Place, key: &str, hint: usize) -> Option<usize> {
    let wanted = packed(place, key);
    let (before, behind) = PACKED.split_at(hint.min(COLUMNS.len()));
    let behind = behind.iter().position(|one| *one == wanted).map(|at| at + before.len());
    behind.or_else(|| before.iter().position(|one| *one == wanted))
}

/// The position in [`COLUMNS`] by code; [`COLUMNS`]`.len()` where there is none.
static BY_CODE: [u8; 256] = {
    let mut table = [COLUMNS.len() as u8; 256];
    let mut at = 0;
    while at < COLUMNS.len() {
        table[COLUMNS[at].code as usize] = at as u8;
        at += 1;
    }
    table
};

/// The column whose placeholder this code makes: its position in [`COLUMNS`].
pub(crate) fn by_code(code: u8, part: Part) -> Option<usize> {
    let at = usize::from(BY_CODE[usize::from(code)]);
    COLUMNS.get(at).is_some_and(|column| column.place.part() == part).then_some(at)
}

impl Column {
    fn data_type(&self) -> DataType {
        match self.form {
            Text | Json => DataType::Utf8,
            Number => DataType::Float64,
            Count => DataType::Int64,
            Time => timestamp(TimeUnit::Nanosecond),
        }
    }
}

fn timestamp(unit: TimeUnit) -> DataType {
    DataType::Timestamp(unit, Some("UTC".into()))
}

/// The schema of every segment: what `index`, `recorded_at` and so on are for an Arrow reader.
#[must_use]
pub fn schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let salt = || DataType::FixedSizeBinary(16);
        let mut fields = vec![
            Field::new(INDEX, DataType::Int64, false),
            Field::new(RECORDED_AT, timestamp(TimeUnit::Millisecond), false),
            Field::new(KIND, DataType::Int8, false),
            Field::new(TIER, DataType::Int8, false),
        ];
        fields.extend(COLUMNS.iter().map(|c| Field::new(c.name, c.data_type(), true)));
        fields.extend([
            Field::new(META_SHAPE, DataType::Binary, false),
            Field::new(META_SALT, salt(), false),
            Field::new(CONTENT_SHAPE, DataType::Binary, true),
            Field::new(CONTENT_SALT, salt(), true),
            Field::new(CONTENT_COMMITMENT, DataType::FixedSizeBinary(32), true),
        ]);
        Arc::new(Schema::new(fields))
    });
    Arc::clone(&SCHEMA)
}

/// The same schema, with texts that repeat as numbers of a dictionary.
pub(crate) fn coded_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let is_coded = |name: &str| {
            let mut columns = COLUMNS.iter().filter(|column| column.name == name);
            columns.any(|it| it.repeats == Often && it.data_type() == DataType::Utf8)
        };
        let coded = |field: &Arc<Field>| match is_coded(field.name()) {
            true => {
                let (keys, values) = (Box::new(DataType::Int32), Box::new(DataType::Utf8));
                Arc::new(field.as_ref().clone().with_data_type(DataType::Dictionary(keys, values)))
            }
            false => Arc::clone(field),
        };
        Arc::new(Schema::new(schema().fields().iter().map(coded).collect::<Vec<_>>()))
    });
    Arc::clone(&SCHEMA)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_and_codes_are_given_once() {
        let schema = schema();
        let names: HashSet<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
        assert_eq!(names.len(), COLUMNS.len() + 9);
        let codes: HashSet<u8> = COLUMNS.iter().map(|column| column.code).collect();
        assert_eq!(codes.len(), COLUMNS.len());
        assert!(codes.iter().all(u8::is_ascii_graphic));
    }

    #[test]
    fn codes_lead_to_their_columns_in_their_part_alone() {
        for (at, column) in COLUMNS.iter().enumerate() {
            let part = column.place.part();
            assert_eq!(by_code(column.code, part), Some(at));
            let other = if part == Part::Meta { Part::Content } else { Part::Meta };
            assert_eq!(by_code(column.code, other), None);
        }
        assert_eq!(by_code(PLACEHOLDER, Part::Meta), None);
        assert_eq!(by_code(b'1', Part::Content), None);
    }

    #[test]
    fn members_lead_to_their_columns_wherever_the_search_begins() {
        for hint in 0..=COLUMNS.len() + 1 {
            for (at, column) in COLUMNS.iter().enumerate() {
                assert!(column.key.len() <= KEY_BYTES_MAX);
                assert_eq!(find(column.place, column.key, hint), Some(at));
                let nul = format!("{}\0", column.key);
                assert_eq!(find(column.place, &nul, hint), None);
            }
            for key in ["", "\0", "schema", "parent_event_ids", "a name of more than 15 bytes"] {
                assert_eq!(find(Meta, key, hint), None);
            }
            assert_eq!(find(Meta, "params", hint), None);
            assert_eq!(find(Tokens, "event_id", hint), None);
        }
    }

    #[test]
    fn a_set_without_another_names_what_is_left() {
        let set = |columns: &[usize]| {
            let mut set = ColumnSet::default();
            columns.iter().for_each(|column| set.add(*column));
            set
        };
        let all: Vec<usize> = (0..COLUMNS.len()).collect();
        let left = |one: &[usize], other| set(one).without(set(other)).collect::<Vec<_>>();
        assert_eq!(left(&all, &[]), all);
        assert_eq!(left(&[0, 3, 51], &[3, 4]), [0, 51]);
        assert_eq!(left(&[3], &all), [0_usize; 0]);
    }

    #[test]
    fn places_are_entered_from_the_top_of_the_metadata_alone() {
        for column in COLUMNS.iter().filter(|column| column.place.part() == Part::Meta) {
            let group = column.name.split('_').next().unwrap();
            let entered = Meta.within(group).filter(|_| column.place != Meta);
            assert_eq!(entered.unwrap_or(Meta), column.place, "{}", column.name);
        }
        assert_eq!(Content.within("tokens"), None);
        assert_eq!(Tokens.within("tokens"), None);
    }
}
