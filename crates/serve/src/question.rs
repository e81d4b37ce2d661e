//! What is asked behind an address: the same filters as the commands have, by the same names.

use crate::problem::Problem;
use axum::http::StatusCode;
use event::{Outcome, Tier, Timestamp};
use query::{Cursor, Filter, written};
use serde_json::{Value, json};

/// Records in one page, when nothing else is asked for, and at most.
const LIMIT: usize = 100;
const LIMIT_MAX: usize = 10_000;
/// Values of one question: more is not a question that anybody meant.
const VALUES_MAX: usize = 1_000;

/// A question about records.
#[derive(Clone, Debug, Default)]
pub(crate) struct Question {
    /// Which, in which order, how many.
    pub filter: Filter,
    /// Where the page begins.
    pub cursor: Option<Cursor>,
    /// One record a line instead of one document.
    pub is_lines: bool,
    /// Whether content is asked for; without the right to it that is refused, not ignored.
    pub content: Option<bool>,
    /// Parameters that are not ours, for those who know more.
    pub more: Vec<(String, String)>,
}

impl Question {
    /// Reads what stands behind `?`.
    ///
    /// # Errors
    /// 400 for a name that is not known, or a value that cannot be.
    pub(crate) fn parse(text: Option<&str>, now_ms: u64, more: &[&str]) -> Result<Self, Problem> {
        let limit = Some(LIMIT);
        let mut question = Self {
            filter: Filter { limit, newest_first: true, ..Filter::default() },
            ..Self::default()
        };
        let pairs = form_urlencoded::parse(text.unwrap_or_default().as_bytes());
        for (number, (name, value)) in pairs.enumerate() {
            if number >= VALUES_MAX {
                return Err(Problem::malformed("bad_parameter", "there are too many parameters"));
            }
            if more.contains(&&*name) {
                question.more.push((name.into_owned(), value.into_owned()));
                continue;
            }
            question.take(&name, value.into_owned(), now_ms)?;
        }
        Ok(question)
    }

    fn take(&mut self, name: &str, value: String, now_ms: u64) -> Result<(), Problem> {
        let filter = &mut self.filter;
        let time = |value: &str| {
            written::time(value, now_ms).ok_or_else(|| {
                bad(
                    name,
                    "write RFC 3339 (2026-11-02T14:23:00Z), a date, or how long ago (15m, 24h, 7d)",
                )
            })
        };
        match name {
            "event" => filter.events.push(value),
            "agent" => filter.agents.push(value),
            "type" => filter.types.push(written::event_type(&value)),
            "session" => filter.sessions.push(value),
            "trace" => filter.traces.push(value),
            "task" => filter.tasks.push(value),
            "tool" => filter.tools.push(value),
            "principal" => filter.principals.push(value),
            "error_type" => filter.error_types.push(value),
            "outcome" => {
                let known =
                    "choose success, failure, timeout, denied, escalated, cancelled or unknown";
                filter.outcomes.push(Outcome::from_name(&value).ok_or_else(|| bad(name, known))?);
            }
            "tier" => {
                let known = "choose debug, info, compliance or critical";
                filter.tiers.push(Tier::from_name(&value).ok_or_else(|| bad(name, known))?);
            }
            "kind" => {
                let known = "choose event (producers') or log (the log's own)";
                filter.kind = Some(written::kind(&value).ok_or_else(|| bad(name, known))?);
            }
            "from" => filter.from = Some(time(&value)?),
            "to" => filter.to = Some(time(&value)?),
            "text" => filter.text = Some(value),
            "limit" => {
                let number = value.parse().ok().filter(|number| (1..=LIMIT_MAX).contains(number));
                filter.limit =
                    Some(number.ok_or_else(|| bad(name, "write a number from 1 to 10000"))?);
            }
            "order" => match value.as_str() {
                "newest" => filter.newest_first = true,
                "oldest" => filter.newest_first = false,
                _ => return Err(bad(name, "choose newest or oldest")),
            },
            "cursor" => {
                let cursor = value.parse().map_err(|error: query::CursorError| {
                    Problem::malformed("bad_cursor", error.to_string())
                })?;
                self.cursor = Some(cursor);
            }
            "format" => match value.as_str() {
                "json" => self.is_lines = false,
                "ndjson" => self.is_lines = true,
                _ => return Err(bad(name, "choose json or ndjson")),
            },
            "content" => match value.as_str() {
                "1" | "true" => self.content = Some(true),
                "0" | "false" => self.content = Some(false),
                _ => return Err(bad(name, "a flag is 1 or 0")),
            },
            _ => return Err(unknown(name)),
        }
        Ok(())
    }

    /// The question as records of accesses have it.
    #[must_use]
    pub(crate) fn described(&self) -> Value {
        let filter = &self.filter;
        let mut members = serde_json::Map::new();
        let lists = [
            ("event", &filter.events),
            ("agent", &filter.agents),
            ("type", &filter.types),
            ("session", &filter.sessions),
            ("trace", &filter.traces),
            ("task", &filter.tasks),
            ("tool", &filter.tools),
            ("principal", &filter.principals),
            ("error_type", &filter.error_types),
        ];
        for (name, values) in lists.into_iter().filter(|(_, values)| !values.is_empty()) {
            members.insert(name.to_owned(), json!(values));
        }
        let outcomes: Vec<&str> = filter.outcomes.iter().map(|it| it.as_str()).collect();
        let tiers: Vec<&str> = filter.tiers.iter().map(|it| it.as_str()).collect();
        for (name, values) in [("outcome", outcomes), ("tier", tiers)] {
            if !values.is_empty() {
                members.insert(name.to_owned(), json!(values));
            }
        }
        let time = |time: Option<Timestamp>| time.map(|time| json!(time.to_string()));
        let text = filter.text.as_ref().map(|text| json!(text));
        let kind = filter.kind.map(|kind| json!(written::kind_name(kind)));
        let (from, to) = (time(filter.from), time(filter.to));
        for (name, value) in [("kind", kind), ("from", from), ("to", to), ("text", text)] {
            members.extend(value.map(|value| (name.to_owned(), value)));
        }
        Value::Object(members)
    }
}

fn bad(name: &str, what: &str) -> Problem {
    Problem::malformed("bad_parameter", format!("{name}: {what}"))
}

fn unknown(name: &str) -> Problem {
    let shown: String = query::escape::escape(name).chars().take(64).collect();
    let detail = format!("there is no parameter {shown:?}; GET /docs lists them");
    Problem::new(StatusCode::BAD_REQUEST, "unknown_parameter", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_has_a_name_and_anything_else_is_refused() {
        let text = "agent=a&agent=b&type=tool_call&session=s&trace=t&task=k&tool=l&principal=p&event=e\
                    &outcome=failure&error_type=x&tier=critical&kind=log&from=2026-11-02&to=1h&text=rare+word\
                    &limit=7&order=oldest&format=ndjson&content=0";
        let question = Question::parse(Some(text), 1_800_000_000_000, &[]).unwrap();
        let filter = &question.filter;
        assert_eq!(filter.agents, ["a", "b"]);
        assert_eq!(filter.types, ["agent.tool_call"]);
        assert_eq!((filter.limit, filter.newest_first), (Some(7), false));
        assert_eq!((question.is_lines, question.content), (true, Some(false)));
        assert_eq!(filter.text.as_deref(), Some("rare word"));
        let described = question.described();
        assert_eq!(described.as_object().unwrap().len(), 15, "{described}");
        for bad in [
            "limit=0",
            "limit=10001",
            "tier=x",
            "outcome=x",
            "kind=agent",
            "from=x",
            "cursor=00",
            "agents=a",
            "order=x",
            "format=xml",
            "content=x",
        ] {
            assert!(Question::parse(Some(bad), 0, &[]).is_err(), "{bad}");
        }
        let own = Question::parse(Some("by=task"), 0, &["by"]).unwrap();
        assert_eq!(own.more, [("by".to_owned(), "task".to_owned())]);
    }
}
