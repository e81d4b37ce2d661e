//! One rule as it is written: what it is called, what it needs, and what it looks for.

use crate::correlation::Correlation;
use crate::detection::Detection;
use crate::problem::{Problem, quoted};
use crate::yaml::Node;
use serde::{Deserialize, Serialize};

/// Bytes of a title, a description, and the like.
const TEXT_BYTES_MAX: usize = 8_192;
/// Bytes of a name or an id.
const NAME_BYTES_MAX: usize = 128;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth knowing.
    Informational,
    /// Worth a look when there is time.
    Low,
    /// Worth a look today.
    Medium,
    /// Worth a look now.
    High,
    /// Worth waking somebody.
    Critical,
}

impl Level {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Informational, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The name, as Sigma has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The level of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == name)
    }
}

/// What a rule says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct About {
    /// Its name: what correlations and people call it. The id where there is none.
    pub name: String,
    /// Its id, which stays when it is renamed.
    pub id: String,
    /// What it finds, in a line.
    pub title: String,
    /// Why that matters.
    pub description: String,
    /// How bad it is.
    pub level: Level,
    /// `attack.t1059`, `owasp.asi01`.
    pub tags: Vec<String>,
    /// What events must hold for it to find anything.
    pub needs: String,
    /// What looks like it and is none.
    pub falsepositives: Vec<String>,
    /// Whether it is about events together rather than one.
    pub is_correlation: bool,
}

/// A compiled rule.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) about: About,
    pub(crate) line: usize,
    pub(crate) kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Single(Detection),
    Together(Correlation),
}

const MEMBERS: [&str; 20] = [
    "title",
    "id",
    "name",
    "related",
    "taxonomy",
    "status",
    "description",
    "license",
    "references",
    "author",
    "date",
    "modified",
    "logsource",
    "detection",
    "correlation",
    "fields",
    "falsepositives",
    "level",
    "tags",
    "scope",
];

impl Rule {
    pub(crate) fn parse(node: &Node) -> Result<Self, Problem> {
        for (name, value) in node.map("a rule")? {
            if !MEMBERS.contains(&name.as_str()) {
                let known = MEMBERS.join(", ");
                let reason = format!("{} is no member of a rule; there are {known}", quoted(name));
                return Err(value.wrong(reason));
            }
        }
        let kind = match (node.get("detection"), node.get("correlation")) {
            (Some(detection), None) => Kind::Single(Detection::parse(detection)?),
            (None, Some(correlation)) => Kind::Together(Correlation::parse(correlation)?),
            _ => return Err(node.wrong("a rule has either a `detection` or a `correlation`")),
        };
        let is_correlation = matches!(kind, Kind::Together(_));
        let needs = logsource(node, is_correlation)?;
        let about = about(node, needs, is_correlation)?;
        Ok(Self { about, line: node.line, kind })
    }
}

fn about(node: &Node, needs: String, is_correlation: bool) -> Result<About, Problem> {
    let text = |name: &str| match node.get(name) {
        Some(value) if value.is_null() => Ok(None),
        Some(value) => bounded(value, &format!("`{name}`"), TEXT_BYTES_MAX).map(Some),
        None => Ok(None),
    };
    let title = text("title")?.ok_or_else(|| node.wrong("`title` is missing"))?;
    let (id, name) = (identifier(node, "id")?, identifier(node, "name")?);
    let (name, id) = match (name, id) {
        (Some(name), Some(id)) => (name, id),
        (None, Some(id)) => (id.clone(), id),
        (Some(name), None) => (name.clone(), name),
        (None, None) => {
            return Err(node.wrong("`id` is missing: a UUID, or a name that nobody else has"));
        }
    };
    let level = match node.get("level") {
        None => Level::Medium,
        Some(value) => Level::from_name(value.text("`level`")?).ok_or_else(|| {
            value.wrong("`level` is informational, low, medium, high or critical")
        })?,
    };
    let description = text("description")?.unwrap_or_default();
    Ok(About {
        name,
        id,
        title,
        description,
        level,
        tags: list(node, "tags")?,
        needs,
        falsepositives: list(node, "falsepositives")?,
        is_correlation,
    })
}

fn bounded(value: &Node, what: &str, most: usize) -> Result<String, Problem> {
    let text = value.text(what)?.trim();
    match text.len() > most {
        true => Err(value.wrong(format!("{what} has at most {most} bytes"))),
        false => Ok(text.to_owned()),
    }
}

fn identifier(node: &Node, member: &str) -> Result<Option<String>, Problem> {
    let Some(value) = node.get(member) else { return Ok(None) };
    let text = bounded(value, &format!("`{member}`"), NAME_BYTES_MAX)?;
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if text.is_empty() || !text.bytes().all(is_fine) {
        let reason = format!("`{member}` is made of letters, digits, `_`, `-` and `.`");
        return Err(value.wrong(reason));
    }
    Ok(Some(text))
}

fn list(node: &Node, member: &str) -> Result<Vec<String>, Problem> {
    let Some(value) = node.get(member) else { return Ok(Vec::new()) };
    let what = format!("an item of `{member}`");
    value.items().iter().map(|item| bounded(item, &what, TEXT_BYTES_MAX)).collect()
}

/// Sees that a rule was written for events of agents, and returns what it needs.
fn logsource(node: &Node, is_correlation: bool) -> Result<String, Problem> {
    let Some(source) = node.get("logsource") else {
        return match is_correlation {
            true => Ok(String::new()),
            false => Err(node.wrong("`logsource` is missing; write { product: tachograph }")),
        };
    };
    let members = source.map("`logsource`")?;
    let product = source.get("product");
    match product.map(|product| product.text("`product`")).transpose()? {
        Some("tachograph") => {}
        other => {
            let whom = other.unwrap_or("no product");
            return Err(source.wrong(format!(
                "it was written for {}, whose events have other fields; a rule for agents has \
                 `product: tachograph`",
                quoted(whom)
            )));
        }
    }
    for (name, value) in members {
        if !["product", "category", "service", "definition"].contains(&name.as_str()) {
            return Err(value.wrong(format!("{} is no member of `logsource`", quoted(name))));
        }
    }
    let needs = source.get("definition");
    Ok(needs.map(|it| bounded(it, "`definition`", TEXT_BYTES_MAX)).transpose()?.unwrap_or_default())
}
