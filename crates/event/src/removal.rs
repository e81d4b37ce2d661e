//! What the log says when records, or their content, go for good: the content of a `log.erased` or
//! `log.expiry` record. It names indexes, never reasons: it is shown to everybody.
//!
//! Who wanted it and why stands in the record that it names as its authority, which is not shown.
//! Carrying it out is `seal`'s; holding what is gone against it is `prove`'s.

use crate::{Event, Tier, Timestamp, types};
use serde::{Deserialize, Serialize};

/// Ranges of indexes in one removal at most: a record has room for no more.
pub const REMOVAL_RANGES_MAX: usize = 16_384;

/// An authorised removal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// What brought it about.
    pub cause: Cause,
    /// How much of each record goes.
    pub scope: Scope,
    /// The index of the record that says who wanted it, and why.
    pub authority: u64,
    /// The records, by tier and day.
    pub classes: Vec<RemovedClass>,
    /// Segments of which nothing is left, so that no other takes their place.
    pub files: Vec<String>,
}

/// What brought a removal about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// Somebody asked for it (`log.erased`).
    Erasure,
    /// The records outlived their retention (`log.expiry`).
    Expiry,
}

/// How much of a record goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Its content and the content's salt: the metadata stays, and still proves.
    Content,
    /// All of it but its public entry.
    Record,
}

impl Scope {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Content => "content",
            Self::Record => "record",
        }
    }

    /// The scope with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Content, Self::Record].into_iter().find(|scope| scope.as_str() == name)
    }
}

/// Records of one tier and one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemovedClass {
    /// Their tier.
    pub tier: Tier,
    /// The day of their record time, counted from 1970-01-01.
    pub day: u64,
    /// Ranges of indexes, both ends included, ascending and apart. Every record of this tier and
    /// day in them is meant, and no other.
    pub indexes: Vec<(u64, u64)>,
}

/// Why the content of a record is no removal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a removal that the log announces: {0}")]
pub struct RemovalError(String);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Params {
    scope: String,
    authority: u64,
    classes: Vec<Class>,
    files: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Class {
    tier: String,
    date: String,
    indexes: Vec<(u64, u64)>,
}

#[derive(Deserialize)]
struct Stored {
    params: Params,
}

impl Removal {
    /// The type of the record that announces it.
    #[must_use]
    pub fn event_type(&self) -> &'static str {
        match self.cause {
            Cause::Erasure => types::LOG_ERASED,
            Cause::Expiry => types::LOG_EXPIRY,
        }
    }

    /// The `params` of that record.
    #[must_use]
    pub fn to_params(&self) -> serde_json::Value {
        let class = |class: &RemovedClass| Class {
            tier: class.tier.as_str().to_owned(),
            date: Timestamp::date_of_day(class.day),
            indexes: class.indexes.clone(),
        };
        let params = Params {
            scope: self.scope.as_str().to_owned(),
            authority: self.authority,
            classes: self.classes.iter().map(class).collect(),
            files: self.files.clone(),
        };
        // Texts and numbers: this cannot fail.
        serde_json::to_value(params).unwrap_or_default()
    }

    /// Reads the stored bytes of a record; `None` when it is of another type.
    ///
    /// # Errors
    /// [`RemovalError`] when it should announce a removal and does not read.
    pub fn from_stored(meta: &[u8], content: &[u8]) -> Result<Option<Self>, RemovalError> {
        let Ok(event) = Event::from_stored(meta, &[]) else { return Ok(None) };
        let cause = match &*event.event_type {
            types::LOG_ERASED => Cause::Erasure,
            types::LOG_EXPIRY => Cause::Expiry,
            _ => return Ok(None),
        };
        let Stored { params } = serde_json::from_slice(content)
            .map_err(|error| RemovalError(format!("column {}", error.column())))?;
        let wrong = |what: &str| RemovalError(what.to_owned());
        let scope = Scope::from_name(&params.scope).ok_or_else(|| wrong("its scope"))?;
        if cause == Cause::Expiry && scope == Scope::Content {
            return Err(wrong("its scope: what expires goes whole"));
        }
        let classes: Result<_, _> = params.classes.into_iter().map(RemovedClass::read).collect();
        let Params { authority, files, .. } = params;
        Ok(Some(Self { cause, scope, authority, classes: classes?, files }))
    }

    /// The class of a tier and day, if any of its records go.
    #[must_use]
    pub fn class(&self, tier: Tier, day: u64) -> Option<&RemovedClass> {
        self.classes.iter().find(|class| (class.tier, class.day) == (tier, day))
    }

    /// Whether the record at an index, of this tier and day, goes.
    #[must_use]
    pub fn removes(&self, tier: Tier, day: u64, index: u64) -> bool {
        self.class(tier, day).is_some_and(|class| class.overlaps(index, index))
    }
}

impl RemovedClass {
    fn read(class: Class) -> Result<Self, RemovalError> {
        let wrong = |what: &str| RemovalError(what.to_owned());
        let Class { tier, date, indexes } = class;
        let tier = Tier::from_name(&tier).ok_or_else(|| wrong("a tier"))?;
        let day = Timestamp::day_of_date(&date).ok_or_else(|| wrong("a date"))?;
        let mut next = Some(0);
        for (first, last) in &indexes {
            if next.is_none_or(|next| *first < next) || last < first {
                return Err(wrong("its indexes are not in order"));
            }
            // Ranges that touch would be one.
            next = last.checked_add(2);
        }
        Ok(Self { tier, day, indexes })
    }

    /// Whether a record between these indexes, both included, is meant.
    #[must_use]
    pub fn overlaps(&self, first: u64, last: u64) -> bool {
        let place = self.indexes.partition_point(|(_, end)| *end < first);
        self.indexes.get(place).is_some_and(|(begin, _)| *begin <= last)
    }

    /// Whether every record between these indexes, both included, is meant.
    #[must_use]
    pub fn covers(&self, first: u64, last: u64) -> bool {
        let place = self.indexes.partition_point(|(_, end)| *end < first);
        self.indexes.get(place).is_some_and(|(begin, end)| *begin <= first && last <= *end)
    }

    /// Adds an index behind those that are there.
    pub fn push(&mut self, index: u64) {
        match self.indexes.last_mut() {
            Some((_, last)) if *last + 1 >= index => *last = index.max(*last),
            _ => self.indexes.push((index, index)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn removal() -> Removal {
        Removal {
            cause: Cause::Erasure,
            scope: Scope::Content,
            authority: 7,
            classes: vec![RemovedClass {
                tier: Tier::Info,
                day: 20_454,
                indexes: vec![(1, 3), (5, 5)],
            }],
            files: vec!["segments/x".to_owned()],
        }
    }

    fn stored(event_type: &str, params: &str) -> Result<Option<Removal>, RemovalError> {
        let meta = format!("{{\"schema\":\"tachograph.event/1\",\"event_type\":\"{event_type}\"}}");
        Removal::from_stored(meta.as_bytes(), format!("{{\"params\":{params}}}").as_bytes())
    }

    #[test]
    fn a_removal_reads_back_from_the_record_that_announces_it() {
        let params = removal().to_params().to_string();
        assert_eq!(stored("log.erased", &params), Ok(Some(removal())));
        assert_eq!(stored("log.heartbeat", &params), Ok(None));
        let expiry = Removal { cause: Cause::Expiry, scope: Scope::Record, ..removal() };
        assert_eq!(expiry.event_type(), "log.expiry");
        assert_eq!(stored("log.expiry", &expiry.to_params().to_string()), Ok(Some(expiry)));
    }

    #[test]
    fn a_removal_that_contradicts_itself_is_refused() {
        let good = removal().to_params().to_string();
        for (from, to) in [
            ("\"content\"", "\"all\""),
            ("[5,5]", "[4,5]"),
            ("[5,5]", "[3,5]"),
            ("[5,5]", "[6,5]"),
            ("[5,5]", "[18446744073709551615,18446744073709551615],[0,0]"),
            ("2026-01-01", "2026-1-1"),
            ("\"info\"", "\"none\""),
            ("\"authority\":7", "\"authority\":-7"),
            ("\"authority\":7", "\"authority\":7,\"more\":1"),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good, "{from}");
            assert!(stored("log.erased", &bad).is_err(), "{to}");
        }
        assert!(stored("log.expiry", &good).is_err(), "what expires goes whole");
    }

    #[test]
    fn only_records_of_the_class_within_the_ranges_are_meant() {
        let removal = removal();
        let meant: Vec<u64> = (0..9).filter(|i| removal.removes(Tier::Info, 20_454, *i)).collect();
        assert_eq!(meant, [1, 2, 3, 5]);
        assert!(
            !removal.removes(Tier::Info, 20_455, 1) && !removal.removes(Tier::Debug, 20_454, 1)
        );
        let class = removal.class(Tier::Info, 20_454).unwrap();
        assert!(class.overlaps(4, 5) && class.overlaps(0, 1) && !class.overlaps(4, 4));
        assert!(!class.overlaps(6, u64::MAX));
        assert!(class.covers(1, 3) && !class.covers(1, 4) && !class.covers(3, 5));
        let mut class = RemovedClass { indexes: Vec::new(), ..class.clone() };
        [1, 2, 3, 5].into_iter().for_each(|index| class.push(index));
        assert_eq!(class, removal.classes[0]);
    }
}
