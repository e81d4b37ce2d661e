//! What a server is asked to do with a log, and what it says of that: holds, erasures, retention;
//! and SQL, which is a question that is sent like an act.
//!
//! The wire is `serve`'s (docs/server.md); what comes back becomes the values that `retain` makes
//! of a folder, so that what is printed is printed by the same code.

use crate::exit::Exit;
use crate::failure::Failure;
use crate::remote::Remote;
use event::{Scope, Tier, Timestamp};
use link::{Answer, Trouble, segment};
use retain::{Due, Erased, Expired, Hold, Plan, Selector};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What is asked of SQL.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Statement<'s> {
    /// The statement.
    pub(crate) text: &'s str,
    /// Rows at most.
    pub(crate) limit: usize,
    /// Seconds at most.
    pub(crate) timeout: u64,
    /// `json`, `ndjson` or `csv`.
    pub(crate) format: &'static str,
}

/// A plan, the policy that it follows, and the document that told both.
pub(crate) struct Planned {
    /// The plan.
    pub(crate) plan: Plan,
    /// The profile of the policy.
    pub(crate) profile: String,
    /// How many days records stay, by tier.
    pub(crate) days: Vec<(Tier, u32)>,
    /// As it came.
    pub(crate) document: Value,
}

#[derive(Deserialize)]
struct Holds {
    holds: Vec<Told>,
}

/// A hold, as it is told.
#[derive(Deserialize)]
struct Told {
    hold: String,
    since: String,
    select: Selector,
    #[serde(default)]
    reason: String,
    by: Option<String>,
    record: u64,
}

#[derive(Deserialize)]
struct Put {
    hold: String,
}

#[derive(Deserialize)]
struct Gone {
    #[serde(default)]
    records: u64,
    #[serde(default)]
    held: u64,
    record: Option<u64>,
}

#[derive(Deserialize)]
struct PlanTold {
    clock: String,
    newest_record: String,
    policy: PolicyTold,
    classes: Vec<ClassTold>,
}

#[derive(Deserialize)]
struct PolicyTold {
    profile: String,
    days: BTreeMap<String, u32>,
}

#[derive(Deserialize)]
struct ClassTold {
    tier: String,
    date: String,
    due: String,
    records: u64,
    bytes: u64,
    going: u64,
    held: u64,
    own: u64,
}

impl Remote {
    /// The holds in force.
    pub(crate) fn holds(&self) -> Result<Vec<Hold>, Failure> {
        let Holds { holds } = self.told("/holds")?;
        let holds: Option<Vec<Hold>> = holds.into_iter().map(Told::hold).collect();
        holds.ok_or_else(|| self.foreign(&"a hold is not told as expected"))
    }

    /// Puts a hold on what is selected, and gives its name.
    pub(crate) fn hold(&self, selector: &Selector, reason: &str) -> Result<String, Failure> {
        let body = json!({ "select": select(selector), "reason": reason });
        let Put { hold } = self.done("/holds", &body)?;
        Ok(hold)
    }

    /// Releases a hold.
    pub(crate) fn release(&self, name: &str, reason: &str) -> Result<(), Failure> {
        let rest = format!("/holds/{}/release", segment(name));
        self.done::<Value>(&rest, &json!({ "reason": reason })).map(|_| ())
    }

    /// Erases, and waits until it is gone.
    pub(crate) fn erase(
        &self,
        selector: &Selector,
        scope: Scope,
        reason: &str,
        ground: Option<&str>,
    ) -> Result<Erased, Failure> {
        let mut body =
            json!({ "select": select(selector), "scope": scope.as_str(), "reason": reason });
        if let (Some(ground), Some(members)) = (ground, body.as_object_mut()) {
            members.insert("ground".to_owned(), ground.into());
        }
        let Gone { records, record, .. } = self.done("/erasures", &body)?;
        let authority =
            record.ok_or_else(|| self.foreign(&"it does not name the record of the erasure"))?;
        Ok(Erased { authority, records })
    }

    /// What would expire, and when, by the server's policy.
    pub(crate) fn plan(&self) -> Result<Planned, Failure> {
        let path = self.in_log("/retention");
        let answer = self.get(&path).map_err(|trouble| self.not_done(trouble))?;
        let document: Value = self.read(&answer)?;
        let told: PlanTold = self.read(&answer)?;
        told.planned(document).ok_or_else(|| self.foreign(&"a plan is not told as expected"))
    }

    /// Lets go what is due.
    pub(crate) fn expire(&self) -> Result<Expired, Failure> {
        let Gone { records, held, record } = self.done("/retention", &json!({}))?;
        Ok(Expired { authority: record, records, held })
    }

    /// The answer to a statement.
    pub(crate) fn select(&self, statement: Statement<'_>) -> Result<Answer, Failure> {
        let Statement { text, limit, timeout, format } = statement;
        let body = json!({ "statement": text, "limit": limit, "timeout": timeout });
        let path = self.in_log(&format!("/sql?format={format}"));
        self.act(&path, &body).map_err(|trouble| match trouble {
            // The engine's own sentence, as it is told where the engine is.
            Trouble::Answered { code, detail, .. } if code.starts_with("sql_") => {
                let exit = match code.as_str() {
                    "sql_not_read_only" => Exit::Refused,
                    "sql_timeout" | "sql_memory" | "sql_failed" | "sql_damaged" => Exit::Failed,
                    _ => Exit::Usage,
                };
                Failure::Sentence { exit, sentence: format!("{detail} ({code})") }
            }
            trouble => self.failure(&trouble),
        })
    }

    /// Asks what is told under an address in the log.
    pub(super) fn told<T: DeserializeOwned>(&self, rest: &str) -> Result<T, Failure> {
        let answer = self.get(&self.in_log(rest)).map_err(|trouble| self.not_done(trouble))?;
        self.read(&answer)
    }

    /// Has something done there.
    pub(super) fn done<T: DeserializeOwned>(&self, rest: &str, body: &Value) -> Result<T, Failure> {
        let answer =
            self.act(&self.in_log(rest), body).map_err(|trouble| self.not_done(trouble))?;
        self.read(&answer)
    }

    fn read<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, Failure> {
        serde_json::from_slice(&answer.bytes).map_err(|error| self.foreign(&error))
    }

    /// Why something was not done, or may not have been.
    fn not_done(&self, trouble: Trouble) -> Failure {
        match trouble {
            Trouble::Answered { status: 409, code, detail, .. }
                if matches!(code.as_str(), "held" | "kept_by_profile" | "refused") =>
            {
                Failure::refused(detail)
            }
            Trouble::Answered { code, detail, .. }
                if matches!(code.as_str(), "bad_agent_key" | "unknown_key") =>
            {
                Failure::refused(detail)
            }
            Trouble::Lost(what) => Failure::new(format!(
                "the connection to {} broke: {what}; it may have been done all the same: look at \
                 the newest records (`tacho tail`) before it is asked for again",
                self.address()
            )),
            trouble => self.failure(&trouble),
        }
    }
}

impl Told {
    fn hold(self) -> Option<Hold> {
        let Self { hold: name, since, select: selector, reason, by, record: authority } = self;
        Some(Hold { name, authority, since_ms: milliseconds(&since)?, selector, reason, by })
    }
}

impl PlanTold {
    fn planned(self, document: Value) -> Option<Planned> {
        let PolicyTold { profile, days } = self.policy;
        let days = Tier::ALL.iter().map(|tier| Some((*tier, *days.get(tier.as_str())?)));
        let plan = Plan {
            now_ms: milliseconds(&self.clock)?,
            newest_ms: milliseconds(&self.newest_record)?,
            classes: self.classes.iter().map(ClassTold::due).collect::<Option<_>>()?,
        };
        Some(Planned { plan, profile, days: days.collect::<Option<_>>()?, document })
    }
}

impl ClassTold {
    fn due(&self) -> Option<Due> {
        Some(Due {
            tier: Tier::from_name(&self.tier)?,
            day: Timestamp::day_of_date(&self.date)?,
            due_ms: milliseconds(&self.due)?,
            records: self.records,
            bytes: self.bytes,
            going: self.going,
            held: self.held,
            own: self.own,
        })
    }
}

fn milliseconds(text: &str) -> Option<u64> {
    Timestamp::parse(text).map(Timestamp::milliseconds)
}

/// A selection as the API takes it: times as texts.
fn select(selector: &Selector) -> Value {
    let Selector { event, session, trace, agent, principal, from_ms, to_ms } = selector;
    let time = |ms: &Option<u64>| ms.map(|ms| Timestamp::from_milliseconds(ms).to_string());
    let members = [
        ("event", event.clone()),
        ("session", session.clone()),
        ("trace", trace.clone()),
        ("agent", agent.clone()),
        ("principal", principal.clone()),
        ("from", time(from_ms)),
        ("to", time(to_ms)),
    ];
    members.into_iter().filter_map(|(name, text)| Some((name, text?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_names_what_it_selects_and_nothing_else() {
        let selector = Selector {
            session: Some("s".to_owned()),
            from_ms: Some(1_767_225_600_000),
            ..Selector::default()
        };
        let told = json!({ "session": "s", "from": "2026-01-01T00:00:00.000000000Z" });
        assert_eq!(select(&selector), told);
    }

    #[test]
    fn a_plan_is_read_as_retain_tells_it() {
        let due = Due {
            tier: Tier::Info,
            day: 20_000,
            due_ms: 1_800_000_000_000,
            records: 5,
            bytes: 6,
            going: 4,
            held: 1,
            own: 0,
        };
        let plan =
            Plan { now_ms: 1_767_225_600_000, newest_ms: 1_767_225_500_000, classes: vec![due] };
        let policy = retain::Policy::default();
        let document = plan.to_json(&policy);
        let told: PlanTold = serde_json::from_value(document.clone()).unwrap();
        let planned = told.planned(document).unwrap();
        assert_eq!(planned.plan.classes, plan.classes);
        assert_eq!((planned.plan.now_ms, planned.plan.newest_ms), (plan.now_ms, plan.newest_ms));
        assert_eq!(planned.profile, "default");
        assert_eq!(planned.days, Tier::ALL.map(|tier| (tier, policy.days(tier))));
    }
}
