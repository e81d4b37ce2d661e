//! The policy: which rules are on, what each does with what it finds, and which paths are taken
//! whatever stands there.
//!
//! Not here: where a policy comes from (a file, read by the program's door), and applying it
//! (`ruling`).

mod file;
mod path;
mod preset;

use crate::rule::Rule;
pub(crate) use file::tier;
pub(crate) use path::{Glob, Path};
pub use preset::Preset;
use serde::{Deserialize, Serialize};

/// What happens to a finding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// The member or the matched text is removed.
    Drop,
    /// Replaced by `[redacted:<rule>]`, with its last letters where the policy keeps some.
    #[default]
    Mask,
    /// Replaced by `[hash:<rule>:<16 hex digits>]`, keyed: equal values stay equal, none can be
    /// guessed without the key.
    Hash,
    /// In the metadata replaced by `[token:<rule>:<16 hex digits>]`, the original going into the
    /// content, which is erased alone; in the content left where it is.
    Tokenise,
    /// Left as it is.
    Allow,
}

impl Action {
    /// Every action, by name.
    pub const ALL: &'static [Self] =
        &[Self::Drop, Self::Mask, Self::Hash, Self::Tokenise, Self::Allow];

    /// The name, as in a policy and in a note.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Mask => "mask",
            Self::Hash => "hash",
            Self::Tokenise => "tokenise",
            Self::Allow => "allow",
        }
    }
}

/// What some rules do, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSetting {
    /// A rule ([`Rule::as_str`]), a group of rules (`secret`, `identifier`, `personal`), or `*`.
    pub rule: String,
    /// What they do with what they find.
    pub action: Action,
    /// Letters and digits at the end that a mask shows, four at most.
    #[serde(default)]
    pub keep: u8,
    /// Only in events of these tiers; all when empty.
    #[serde(default)]
    pub tiers: Vec<String>,
    /// Only in events of these types (`agent.tool_*`); all when empty.
    #[serde(default)]
    pub types: Vec<String>,
    /// Only at these paths (`params.**`); everywhere when empty.
    #[serde(default)]
    pub paths: Vec<String>,
}

/// A path whose value is taken, or left, whatever it looks like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FieldSetting {
    /// Steps between full stops; `*` is any one step, `**` any number of them (`**.ssn`).
    pub path: String,
    /// What happens to the value.
    pub action: Action,
    /// Letters and digits at the end that a mask shows, four at most.
    #[serde(default)]
    pub keep: u8,
    /// Only in events of these tiers; all when empty.
    #[serde(default)]
    pub tiers: Vec<String>,
    /// Only in events of these types; all when empty.
    #[serde(default)]
    pub types: Vec<String>,
}

/// Deviations from a preset: a rule that a policy forgets does what the preset says. Of several
/// settings that fit, the last one counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// The policy's own version, which every note of a removal shows: up to 32 letters, digits,
    /// full stops, hyphens and underscores.
    pub version: String,
    /// What holds where nothing else is said.
    pub preset: Preset,
    /// Names of rules that are switched off: short for the action `allow` everywhere.
    pub off: Vec<String>,
    /// Rules with another action.
    pub rules: Vec<RuleSetting>,
    /// Paths that are taken or left as a whole.
    pub fields: Vec<FieldSetting>,
}

/// A policy that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// A name that no rule has.
    #[error("there is no redaction rule \"{name}\"; did you mean \"{nearest}\"?")]
    UnknownRule {
        /// The name in the policy.
        name: String,
        /// The built-in rule with the most similar name.
        nearest: &'static str,
    },
    /// A key or a value that a policy file does not have.
    #[error("a redaction policy has no {kind} \"{name}\"; did you mean \"{nearest}\"?")]
    Unknown {
        /// What it would be: a key, a preset, an action, a tier.
        kind: &'static str,
        /// The word in the policy.
        name: String,
        /// The most similar word that is known.
        nearest: &'static str,
    },
    /// A rule that is named more than once under the same conditions.
    #[error("the policy names the redaction rule \"{0}\" more than once; keep one")]
    NamedTwice(String),
    /// A secret that would be kept in the content.
    #[error(
        "the redaction rule \"{0}\" takes secrets, which nothing may keep; use drop, mask or hash instead of tokenise"
    )]
    SecretKept(String),
    /// More letters shown than a mask may show.
    #[error("a mask may show {max} letters at most, not the {keep} of \"{name}\"", max = crate::marker::TAIL_MAX)]
    KeepsTooMuch {
        /// The rule or path.
        name: String,
        /// What it would show.
        keep: u8,
    },
    /// A version that could not stand in a note.
    #[error(
        "the policy's version \"{0}\" cannot be shown in records; use up to 32 letters, digits, full stops, hyphens and underscores"
    )]
    Version(String),
    /// A path without steps, or with an empty one.
    #[error(
        "\"{0}\" is no path: write steps between single full stops, as in params.password or **.ssn"
    )]
    Path(String),
    /// Text that is no TOML, or a value of the wrong kind.
    #[error("the redaction policy cannot be read: {0}")]
    Unreadable(String),
    /// A hash key that HMAC refuses.
    #[error("the key of the redaction hashes is not usable; give 32 random bytes")]
    Key,
    /// A pattern that the engine refuses.
    #[error("the patterns of the redaction rules \"{family}\" do not compile: {reason}")]
    Pattern {
        /// The family of rules.
        family: &'static str,
        /// The engine's words.
        reason: String,
    },
}

/// An action, and how much of the value a mask shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) action: Action,
    pub(crate) keep: u8,
}

impl Setting {
    pub(crate) const fn of(action: Action) -> Self {
        Self { action, keep: 0 }
    }
}

impl Policy {
    /// The policy of a preset alone.
    #[must_use]
    pub fn preset(preset: Preset) -> Self {
        Self { preset, ..Self::default() }
    }

    /// Which policy a record was redacted by: its preset, its own version, and eight digits of the
    /// SHA-256 of all that it says. Two policies that do the same may have different ids, never the
    /// other way round.
    #[must_use]
    pub fn id(&self) -> String {
        use sha2::{Digest, Sha256};
        let text = serde_json::to_string(self).unwrap_or_default();
        let digest = Sha256::new_with_prefix(RULES_REVISION).chain_update(text).finalize();
        let digits = hex::encode(digest.get(..4).unwrap_or_default());
        let version = if self.version.is_empty() { "" } else { "/" };
        format!("{}{version}{}#{digits}", self.preset.as_str(), self.version)
    }
}

/// Goes into the ids of policies, so that the same words under other built-in rules are another
/// policy. Raise it with every change of what a rule takes.
const RULES_REVISION: &[u8] = b"4\0";

/// The known word with the fewest edits away from `name`.
pub(crate) fn nearest(name: &str, known: impl Iterator<Item = &'static str>) -> &'static str {
    known.min_by_key(|known| distance(known, name)).unwrap_or_default()
}

pub(crate) fn nearest_rule(name: &str) -> &'static str {
    nearest(name, Rule::ALL.iter().map(|rule| rule.as_str()))
}

/// Edits (insert, delete, replace) between two names; only the first 64 bytes count.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<u8> = right.bytes().take(64).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, l) in left.bytes().enumerate() {
        let mut diagonal = line;
        let mut before = line + 1;
        for (r, cell) in right.iter().zip(row.iter_mut().skip(1)) {
            let cost = diagonal + usize::from(l != r.to_ascii_lowercase());
            diagonal = *cell;
            before = cost.min(*cell + 1).min(before + 1);
            *cell = before;
        }
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
