//! Questions to a server, and its answers as the values that a folder's own answers are made of:
//! whatever is drawn from them is drawn by the same code.

use crate::failure::Failure;
use crate::remote::Remote;
use event::Timestamp;
use form_urlencoded::Serializer;
use link::{Answer, Trouble, segment};
use query::row::{PageRead, read_page};
use query::{AsOf, By, Cursor, Filter, Found, Line};
use reading::answer::Unreadable;
use serde::Deserialize;
use serde_json::Value;

/// Records of one page at most: what a server gives.
const PAGE_RECORDS_MAX: usize = 10_000;

/// One page, or several that were put together.
pub(crate) struct Page {
    /// The checkpoint that it is as of.
    pub(crate) as_of: AsOf,
    /// The records, in the order asked for.
    pub(crate) found: Vec<Found<'static>>,
    /// Where the next one begins.
    pub(crate) next: Option<Cursor>,
    /// Records that may belong to it and could not be read.
    pub(crate) unreadable: Unreadable,
}

/// Who was active.
pub(crate) struct Active {
    /// The checkpoint that it is as of.
    pub(crate) as_of: AsOf,
    /// The counts, most events first.
    pub(crate) lines: Vec<Line>,
    /// Events of names that were one too many.
    pub(crate) beyond: u64,
    /// Records that may count and could not be read.
    pub(crate) unreadable: Unreadable,
}

/// What a server says of a log.
#[derive(Debug, Deserialize)]
pub(crate) struct Described {
    /// Its first keys.
    #[serde(default)]
    pub(crate) keys: Vec<String>,
    /// How many records its published checkpoint covers.
    #[serde(default)]
    pub(crate) size: u64,
    /// Whether it takes events: `up` or `down`.
    #[serde(default)]
    pub(crate) status: String,
    /// Why not.
    #[serde(default)]
    pub(crate) reason: Option<String>,
    /// The origin of its checkpoints.
    #[serde(default)]
    pub(crate) origin: String,
    /// What the caller may do there.
    #[serde(default)]
    pub(crate) may: Vec<String>,
    /// What serves it.
    #[serde(default)]
    pub(crate) version: Option<String>,
    /// Bytes that are free on its disk.
    #[serde(default)]
    pub(crate) disk_free_bytes: Option<u64>,
}

impl Remote {
    /// The records of a question, from `cursor` on: as many pages as its limit takes.
    pub(crate) fn page(&self, filter: &Filter, cursor: Option<&Cursor>) -> Result<Page, Failure> {
        let mut whole: Option<Page> = None;
        let mut cursor = cursor.copied();
        loop {
            let have = whole.as_ref().map_or(0, |page| page.found.len());
            let wanted = filter.limit.map(|limit| limit.saturating_sub(have));
            let mut page = self.one_page(filter, cursor.as_ref(), wanted, None)?;
            if let Some(before) = whole.take() {
                page = before.and(page);
            }
            let is_enough = filter.limit.is_some_and(|limit| page.found.len() >= limit);
            cursor = page.next;
            if cursor.is_none() || is_enough {
                page.found.truncate(filter.limit.unwrap_or(usize::MAX));
                return Ok(page);
            }
            whole = Some(page);
        }
    }

    /// One page of at most `wanted` records; `content` as the server knows it.
    pub(crate) fn one_page(
        &self,
        filter: &Filter,
        cursor: Option<&Cursor>,
        wanted: Option<usize>,
        content: Option<bool>,
    ) -> Result<Page, Failure> {
        let limit = wanted.unwrap_or(PAGE_RECORDS_MAX).clamp(1, PAGE_RECORDS_MAX);
        let mut query = Serializer::new(question(filter));
        query.append_pair("limit", &limit.to_string());
        query.append_pair("order", if filter.newest_first { "newest" } else { "oldest" });
        if let Some(cursor) = cursor {
            query.append_pair("cursor", &cursor.to_string());
        }
        if let Some(content) = content {
            query.append_pair("content", if content { "1" } else { "0" });
        }
        let answer = self.ask(&self.in_log(&format!("/events?{}", query.finish())))?;
        let PageRead { as_of, found, next } =
            read_page(&answer.bytes).map_err(|error| self.foreign(&error))?;
        Ok(Page { as_of, found, next, unreadable: unreadable(&answer) })
    }

    /// The checkpoint of today.
    pub(crate) fn head(&self) -> Result<AsOf, Failure> {
        let filter = Filter { newest_first: true, ..Filter::default() };
        Ok(self.one_page(&filter, None, Some(1), Some(false))?.as_of)
    }

    /// Who was active.
    pub(crate) fn activity(&self, by: By) -> Result<Active, Failure> {
        let (key, plural) = match by {
            By::Agent => ("agent", "agents"),
            By::Session => ("session", "sessions"),
        };
        let answer = self.ask(&self.in_log(&format!("/{plural}")))?;
        let document: Value =
            serde_json::from_slice(&answer.bytes).map_err(|error| self.foreign(&error))?;
        let list = document.get(plural).and_then(Value::as_array);
        let lines: Option<Vec<Line>> =
            list.and_then(|list| list.iter().map(|line| activity_line(line, key)).collect());
        let lines = lines.ok_or_else(|| self.foreign(&"who was active is not told as expected"))?;
        let as_of = as_of(&answer).ok_or_else(|| self.foreign(&"it names no checkpoint"))?;
        let beyond = document.get("beyond").and_then(Value::as_u64).unwrap_or(0);
        Ok(Active { as_of, lines, beyond, unreadable: unreadable(&answer) })
    }

    /// What a server says of the log.
    pub(crate) fn describe(&self) -> Result<Described, Failure> {
        let answer = self.ask(&self.in_log(""))?;
        serde_json::from_slice(&answer.bytes).map_err(|error| self.foreign(&error))
    }

    /// The proof of an event; `None` when the log has no such event. `evidence`: all that proves
    /// it, with its content or without.
    pub(crate) fn proof(
        &self,
        event: &str,
        evidence: Option<bool>,
    ) -> Result<Option<Answer>, Failure> {
        let rest = match evidence {
            None => "",
            Some(true) => "?evidence=1",
            Some(false) => "?evidence=1&content=0",
        };
        let path = self.in_log(&format!("/events/{}/proof{rest}", segment(event)));
        match self.get(&path) {
            Ok(answer) => Ok(Some(answer)),
            Err(Trouble::Answered { status: 404, code, .. }) if code == "not_found" => Ok(None),
            Err(trouble) => Err(self.failure(&trouble)),
        }
    }

    /// A bundle of evidence, in a form.
    pub(crate) fn bundle(
        &self,
        kind: &str,
        id: &str,
        form: &str,
        content: bool,
    ) -> Result<Vec<u8>, Failure> {
        let mut query = Serializer::new(String::new());
        query.append_pair(kind, id).append_pair("format", form);
        query.append_pair("content", if content { "1" } else { "0" });
        Ok(self.ask(&self.in_log(&format!("/bundle?{}", query.finish())))?.bytes)
    }

    /// A report in a format, the checkpoint that it is as of, and what could not be read. `pairs`:
    /// what else is asked.
    pub(crate) fn report(
        &self,
        name: &str,
        format: &str,
        pairs: &[(&str, String)],
    ) -> Result<(Vec<u8>, AsOf, Unreadable), Failure> {
        let mut query = Serializer::new(String::new());
        query.append_pair("format", format).extend_pairs(pairs);
        let path = format!("/reports/{}?{}", segment(name), query.finish());
        let answer = self.ask(&self.in_log(&path))?;
        let as_of = as_of(&answer).ok_or_else(|| self.foreign(&"it names no checkpoint"))?;
        let unreadable = unreadable(&answer);
        Ok((answer.bytes, as_of, unreadable))
    }

    /// What failed first in a trace, task or session, in a format; `None` when no record has this
    /// id.
    pub(crate) fn forensics(
        &self,
        id: &str,
        format: &str,
        is_alone: bool,
    ) -> Result<Option<(Vec<u8>, Unreadable)>, Failure> {
        let alone = u8::from(is_alone);
        let path = format!("/traces/{}/forensics?format={format}&alone={alone}", segment(id));
        match self.get(&self.in_log(&path)) {
            Ok(answer) => {
                let unreadable = unreadable(&answer);
                Ok(Some((answer.bytes, unreadable)))
            }
            Err(Trouble::Answered { status: 404, code, .. }) if code == "not_found" => Ok(None),
            Err(trouble) => Err(self.failure(&trouble)),
        }
    }

    fn ask(&self, path: &str) -> Result<Answer, Failure> {
        self.get(path).map_err(|trouble| self.failure(&trouble))
    }

    /// An answer that is none.
    pub(crate) fn foreign(&self, what: &dyn std::fmt::Display) -> Failure {
        self.failure(&Trouble::Foreign(what.to_string()))
    }
}

impl Page {
    /// Two pages that follow each other.
    fn and(mut self, later: Self) -> Self {
        self.found.extend(later.found);
        Self {
            as_of: self.as_of,
            found: self.found,
            next: later.next,
            unreadable: self.unreadable.and(later.unreadable),
        }
    }
}

/// The parameters that say which records are meant.
pub(crate) fn question(filter: &Filter) -> String {
    Serializer::new(String::new()).extend_pairs(filter.parameters()).finish()
}

/// The checkpoint that a header names: `origin size root`.
pub(crate) fn as_of(answer: &Answer) -> Option<AsOf> {
    let mut words = answer.header("tachograph-checkpoint")?.rsplitn(3, ' ');
    let (root_hex, size, origin) = (words.next()?, words.next()?, words.next()?);
    let (root_hex, origin) = (root_hex.to_owned(), origin.to_owned());
    Some(AsOf { origin, size: size.parse().ok()?, root_hex })
}

/// What could not be read, as headers tell it.
fn unreadable(answer: &Answer) -> Unreadable {
    let mut unreadable = Unreadable::default();
    let number = |name| answer.header(name).and_then(|text| text.parse().ok());
    if let Some(count) = number("tachograph-unreadable") {
        let first = number("tachograph-unreadable-from").unwrap_or(0);
        let detail =
            answer.header("tachograph-unreadable-why").unwrap_or("the server cannot read it");
        unreadable.add(first, count, detail);
    }
    unreadable
}

fn activity_line(line: &Value, key: &str) -> Option<Line> {
    let number = |name| line.get(name).and_then(Value::as_u64);
    let time = |name| line.get(name).and_then(Value::as_str).and_then(Timestamp::parse);
    Some(Line {
        name: line.get(key)?.as_str()?.to_owned(),
        events: number("events")?,
        errors: number("errors")?,
        tokens: number("tokens")?,
        first_seen: time("first_seen")?,
        last_seen: time("last_seen")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::{Kind, Outcome, Tier};

    #[test]
    fn a_question_names_every_filter() {
        let filter = Filter {
            agents: vec!["a b&c".to_owned(), "d".to_owned()],
            types: vec!["hub.*".to_owned()],
            outcomes: vec![Outcome::Timeout],
            tiers: vec![Tier::Critical],
            kind: Some(Kind::Event),
            text: Some("\"x y\" ü".to_owned()),
            from: Timestamp::parse("2026-11-02T14:23:00Z"),
            ..Filter::default()
        };
        assert_eq!(
            question(&filter),
            "agent=a+b%26c&agent=d&type=hub.*&outcome=timeout&tier=critical&kind=event\
             &from=2026-11-02T14%3A23%3A00.000000000Z&text=%22x+y%22+%C3%BC"
        );
    }
}
