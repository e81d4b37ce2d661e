//! What stands behind an address: flags, and the names of things.

use crate::problem::Problem;
use event::Timestamp;
use query::written;
use serde::{Deserialize as _, Deserializer, de::Error as _};
use std::collections::BTreeMap;

/// `1`, `true` or nothing behind the name; `0`, `false`.
pub(crate) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match std::borrow::Cow::<str>::deserialize(deserializer)?.as_ref() {
        "1" | "true" | "" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err(D::Error::custom("a flag is 1 or 0")),
    }
}

/// What a question for a whole document says: each name once, and none that is not known. Filters
/// of records are `question.rs`.
#[derive(Debug)]
pub(crate) struct Parameters(BTreeMap<&'static str, String>);

impl Parameters {
    /// Reads what stands behind `?`.
    ///
    /// # Errors
    /// 400 for a name that is not among `known`, or one that is there twice.
    pub(crate) fn parse(
        text: Option<&str>,
        known: &'static [&'static str],
    ) -> Result<Self, Problem> {
        let mut found = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(text.unwrap_or_default().as_bytes()) {
            let Some(name) = known.iter().find(|known| **known == name) else {
                let detail = format!("known here: {}", known.join(", "));
                return Err(Problem::malformed("unknown_parameter", detail));
            };
            if found.insert(*name, value.into_owned()).is_some() {
                return Err(bad(name, "say it once"));
            }
        }
        Ok(Self(found))
    }

    /// What stands behind a name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A flag.
    ///
    /// # Errors
    /// 400 when it is neither `1` nor `0`.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Problem> {
        match self.get(name) {
            None => Ok(None),
            Some("1" | "true") => Ok(Some(true)),
            Some("0" | "false") => Ok(Some(false)),
            Some(_) => Err(bad(name, "a flag is 1 or 0")),
        }
    }

    /// One of these; the first of them when nothing is said.
    ///
    /// # Errors
    /// 400 when it is another.
    pub(crate) fn one_of(
        &self,
        name: &str,
        known: &'static [&'static str],
    ) -> Result<&'static str, Problem> {
        let wanted = self.get(name);
        let found = known.iter().find(|known| wanted.is_none_or(|wanted| wanted == **known));
        found.copied().ok_or_else(|| bad(name, &format!("choose one of: {}", known.join(", "))))
    }

    /// The period `[from, to)`.
    ///
    /// # Errors
    /// 400 for what is no time, or a period that ends before it begins.
    pub(crate) fn period(
        &self,
        now_ms: u64,
    ) -> Result<(Option<Timestamp>, Option<Timestamp>), Problem> {
        let how = "write RFC 3339 (2026-11-02T14:23:00Z), a date, or how long ago (15m, 24h, 7d)";
        let time = |name| {
            let read = |value: &str| written::time(value, now_ms).ok_or_else(|| bad(name, how));
            self.get(name).map(read).transpose()
        };
        let (from, to) = (time("from")?, time("to")?);
        if let (Some(from), Some(to)) = (from, to)
            && from >= to
        {
            return Err(bad("from", "it is not before to"));
        }
        Ok((from, to))
    }
}

/// 400: a value that cannot be.
pub(crate) fn bad(name: &str, what: &str) -> Problem {
    Problem::malformed("bad_parameter", format!("{name}: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["format", "alone", "from", "to"];

    #[test]
    fn what_is_not_known_or_said_twice_is_refused() {
        let given = Parameters::parse(Some("format=md&alone=1&from=2026-11-02"), KNOWN).unwrap();
        assert_eq!(given.one_of("format", &["json", "md"]), Ok("md"));
        assert_eq!(given.one_of("other", &["json", "md"]), Ok("json"));
        assert_eq!((given.flag("alone"), given.flag("content")), (Ok(Some(true)), Ok(None)));
        assert!(matches!(given.period(0), Ok((Some(_), None))));
        for wrong in ["form=md", "alone=1&alone=0"] {
            assert!(Parameters::parse(Some(wrong), KNOWN).is_err(), "{wrong}");
        }
        let given = Parameters::parse(Some("format=x&alone=x&from=2&to=1"), KNOWN).unwrap();
        assert!(given.one_of("format", &["json"]).is_err() && given.flag("alone").is_err());
        assert!(given.period(0).is_err());
        let given = Parameters::parse(Some("from=2026-11-02&to=2026-11-01"), KNOWN).unwrap();
        assert!(given.period(0).is_err());
    }
}
