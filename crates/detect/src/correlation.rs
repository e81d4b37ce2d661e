//! What a rule says about events together: how many, how many different, in which order.
//!
//! The members and types are Sigma's; two things are ours, because rules about agents need them:
//! `unless` (what happened takes back what was seen before) and the type `new_value` (a value that
//! was not among the usual ones). docs/detection.md has both.

use crate::field::Field;
use crate::problem::{Problem, quoted};
use crate::yaml::Node;

/// Rules that one correlation is over.
const RULES_MAX: usize = 16;
/// Fields that it groups by.
const GROUP_FIELDS_MAX: usize = 8;
/// The longest time that events may be apart, in milliseconds.
const TIMESPAN_MS_MAX: u64 = 90 * 86_400_000;
/// The highest count.
pub(crate) const COUNT_MAX: u64 = 10_000;

/// A compiled correlation; the rules that it is over are known by name until the set is whole.
#[derive(Debug)]
pub(crate) struct Correlation {
    pub(crate) of: Of,
    pub(crate) rules: Vec<(String, usize)>,
    pub(crate) unless: Vec<(String, usize)>,
    pub(crate) group_by: Vec<Field>,
    pub(crate) timespan_ms: u64,
    pub(crate) timespan: String,
    /// Whether the rules that it is over tell as well when they match alone.
    pub(crate) generate: bool,
}

/// What is looked at, and from how much on it counts.
#[derive(Debug)]
pub(crate) enum Of {
    /// So many events.
    EventCount(u64),
    /// So many different values.
    ValueCount(Field, u64),
    /// Numbers that add up to so much.
    ValueSum(Field, f64),
    /// All of the rules, in any order.
    Temporal,
    /// All of the rules, one after the other.
    TemporalOrdered,
    /// A value that was not there in so many events before.
    NewValue(Field, u64),
}

impl Correlation {
    pub(crate) fn parse(node: &Node) -> Result<Self, Problem> {
        const MEMBERS: [&str; 7] =
            ["type", "rules", "unless", "group-by", "timespan", "condition", "generate"];
        for (name, value) in node.map("`correlation`")? {
            if !MEMBERS.contains(&name.as_str()) {
                let known = MEMBERS.join(", ");
                let reason =
                    format!("{} is no member of a correlation; there are {known}", quoted(name));
                return Err(value.wrong(reason));
            }
        }
        let member =
            |name: &str| node.get(name).ok_or_else(|| node.wrong(format!("`{name}` is missing")));
        let rules = names(member("rules")?)?;
        let unless = node.get("unless").map(names).transpose()?.unwrap_or_default();
        let timespan = member("timespan")?;
        let span_text = timespan.text("`timespan`")?;
        let timespan_ms = span_ms(span_text).ok_or_else(|| {
            timespan.wrong("`timespan` is a number and s, m, h or d: 30s, 5m, 90d at most")
        })?;
        let group_by = node.get("group-by").map(fields).transpose()?.unwrap_or_default();
        let kind = member("type")?;
        let of = of(kind, node.get("condition"), &rules)?;
        let generate = match node.get("generate") {
            None => false,
            Some(value) => match value.text("`generate`")? {
                "true" => true,
                "false" => false,
                _ => return Err(value.wrong("`generate` is true or false")),
            },
        };
        let timespan = span_text.to_owned();
        Ok(Self { of, rules, unless, group_by, timespan_ms, timespan, generate })
    }
}

fn names(node: &Node) -> Result<Vec<(String, usize)>, Problem> {
    let items = node.items();
    if items.is_empty() || items.len() > RULES_MAX {
        return Err(node.wrong(format!("a correlation is over 1 to {RULES_MAX} rules")));
    }
    items.iter().map(|item| Ok((item.text("a rule's name")?.to_owned(), item.line))).collect()
}

fn fields(node: &Node) -> Result<Vec<Field>, Problem> {
    let items = node.items();
    if items.len() > GROUP_FIELDS_MAX {
        return Err(node.wrong(format!("`group-by` has at most {GROUP_FIELDS_MAX} fields")));
    }
    items.iter().map(field).collect()
}

fn field(node: &Node) -> Result<Field, Problem> {
    let name = node.text("a field's name")?;
    Field::parse(name).ok_or_else(|| {
        node.wrong(format!("events have no field {}; docs/detection.md lists them", quoted(name)))
    })
}

/// `5m` in milliseconds.
fn span_ms(text: &str) -> Option<u64> {
    let unit = text.chars().last()?;
    let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
    let unit_ms = match unit {
        's' => 1_000,
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => 86_400_000,
        _ => return None,
    };
    number.checked_mul(unit_ms).filter(|ms| (1..=TIMESPAN_MS_MAX).contains(ms))
}

fn of(kind: &Node, condition: Option<&Node>, rules: &[(String, usize)]) -> Result<Of, Problem> {
    let name = kind.text("`type`")?;
    let is_temporal = matches!(name, "temporal" | "temporal_ordered");
    if is_temporal && rules.len() < 2 {
        return Err(kind.wrong(format!("`{name}` is over two rules or more")));
    }
    if is_temporal {
        if let Some(condition) = condition {
            return Err(
                condition.wrong(format!("`{name}` has no condition: it is all of the rules"))
            );
        }
        return Ok(match name {
            "temporal" => Of::Temporal,
            _ => Of::TemporalOrdered,
        });
    }
    let condition = condition.ok_or_else(|| kind.wrong(format!("`{name}` needs a `condition`")))?;
    for (member, value) in condition.map("`condition`")? {
        if !["field", "gte", "gt"].contains(&member.as_str()) {
            return Err(value.wrong(format!(
                "{} is not understood here: there are field, gte and gt",
                quoted(member)
            )));
        }
    }
    let field = condition.get("field").map(field).transpose()?;
    let need = || condition.wrong(format!("`{name}` needs a `field` in its condition"));
    match (name, field) {
        ("event_count", None) => Ok(Of::EventCount(count(condition)?)),
        ("event_count", Some(_)) => Err(condition.wrong("`event_count` has no `field`")),
        ("value_count", field) => Ok(Of::ValueCount(field.ok_or_else(need)?, count(condition)?)),
        ("value_sum", field) => Ok(Of::ValueSum(field.ok_or_else(need)?, sum(condition)?)),
        ("new_value", field) => Ok(Of::NewValue(field.ok_or_else(need)?, count(condition)?)),
        _ => Err(kind.wrong(format!(
            "the type {} is not understood; there are event_count, value_count, value_sum, \
             temporal, temporal_ordered, new_value",
            quoted(name)
        ))),
    }
}

/// The least count that is meant.
fn count(condition: &Node) -> Result<u64, Problem> {
    let number = |node: &Node, more: u64| -> Result<u64, Problem> {
        let parsed: Option<u64> = node.text("a count")?.parse().ok();
        let count = parsed.and_then(|count| count.checked_add(more));
        count
            .filter(|count| (1..=COUNT_MAX).contains(count))
            .ok_or_else(|| node.wrong(format!("a count is a whole number from 1 to {COUNT_MAX}")))
    };
    match (condition.get("gte"), condition.get("gt")) {
        (Some(node), None) => number(node, 0),
        (None, Some(node)) => number(node, 1),
        _ => Err(condition.wrong("write `gte: N` or `gt: N`")),
    }
}

fn sum(condition: &Node) -> Result<f64, Problem> {
    let node = match (condition.get("gte"), condition.get("gt")) {
        (Some(node), None) | (None, Some(node)) => node,
        _ => return Err(condition.wrong("write `gte: N` or `gt: N`")),
    };
    let number: Option<f64> = node.text("a sum")?.parse().ok();
    number
        .filter(|number| number.is_finite() && *number > 0.0)
        .ok_or_else(|| node.wrong("a sum is a number above 0"))
}
