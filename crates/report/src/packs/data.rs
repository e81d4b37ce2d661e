//! Packs as files: what a control may say, and the packs that are shipped.

use super::predicate;
use serde::Deserialize;

/// Controls of one pack at most.
const CONTROLS_MAX: usize = 200;

/// A pack.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// Its name, as `--pack` takes it.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it is about.
    pub title: String,
    /// The text that it follows.
    pub source: Option<String>,
    /// From when on the text applies, where it says so.
    pub applies_from: Option<String>,
    /// Its controls.
    #[serde(default)]
    pub controls: Vec<Control>,
}

/// One control.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// Its id in the pack.
    pub id: String,
    /// The clause.
    pub clause: String,
    /// What the clause says.
    pub text: Option<String>,
    /// A predicate of the library, or `manual`.
    pub predicate: String,
    /// What people must answer.
    pub question: Option<String>,
    /// What to do when it fails.
    pub recommendation: Option<String>,
    /// What the predicate is asked with.
    #[serde(default)]
    pub parameters: Parameters,
}

/// What a predicate can be asked with; each takes some of these (docs/compliance.md).
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// At least this share of the events must be as asked for, 0 to 1.
    pub min_share: Option<f64>,
    /// At most this share may be, 0 to 1.
    pub max_share: Option<f64>,
    /// Fields that must be there: `agent`, `time`, `outcome`, `origin`, `resource`, `model`,
    /// `session`, `principal`.
    pub fields: Option<Vec<String>>,
    /// Tools that need an approval.
    pub tools: Option<Vec<String>>,
    /// Events with one of these tags need an approval.
    pub tags: Option<Vec<String>>,
    /// Records must stay so many days at least.
    pub min_days: Option<u64>,
    /// And at most.
    pub max_days: Option<u64>,
    /// Tiers that are meant.
    pub tiers: Option<Vec<String>>,
    /// The longest silence of a log that runs, in seconds.
    pub max_gap_s: Option<u64>,
    /// How far clocks may be apart, in milliseconds.
    pub max_offset_ms: Option<u64>,
    /// How long a record may wait for witnesses, in minutes.
    pub max_minutes: Option<u64>,
    /// At least one in so many days.
    pub every_days: Option<u64>,
    /// Tokens in a day.
    pub tokens_per_day: Option<u64>,
    /// What must not be in content: `pan`, `email`.
    pub detect: Option<Vec<String>>,
}

impl Parameters {
    /// The names of those that are given.
    fn given(&self) -> Vec<&'static str> {
        let all = [
            ("min_share", self.min_share.is_some()),
            ("max_share", self.max_share.is_some()),
            ("fields", self.fields.is_some()),
            ("tools", self.tools.is_some()),
            ("tags", self.tags.is_some()),
            ("min_days", self.min_days.is_some()),
            ("max_days", self.max_days.is_some()),
            ("tiers", self.tiers.is_some()),
            ("max_gap_s", self.max_gap_s.is_some()),
            ("max_offset_ms", self.max_offset_ms.is_some()),
            ("max_minutes", self.max_minutes.is_some()),
            ("every_days", self.every_days.is_some()),
            ("tokens_per_day", self.tokens_per_day.is_some()),
            ("detect", self.detect.is_some()),
        ];
        all.into_iter().filter(|(_, is_given)| *is_given).map(|(name, _)| name).collect()
    }
}

/// Why a pack cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// There is no such pack.
    #[error("there is no pack {0:?}; there are {1}, and any file that ends in .toml")]
    Unknown(String, String),
    /// The file does not read.
    #[error("{0} is no pack: {1}")]
    Syntax(String, String),
    /// A control cannot be asked.
    #[error("{0}, control {1:?}: {2}")]
    Control(String, String, String),
}

macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../packs/", $name, ".toml")))),*]
    };
}

/// The packs that are shipped.
const SHIPPED: &[(&str, &str)] = shipped![
    "governance",
    "eu-ai-act",
    "dora",
    "hipaa",
    "soc2",
    "pci-dss-4",
    "sec-17a-4",
    "gdpr",
    "iso-42001",
    "nist",
    "finos-mi-21",
];

impl Pack {
    /// The names of the packs that are shipped.
    pub fn names() -> impl Iterator<Item = &'static str> {
        SHIPPED.iter().map(|(name, _)| *name)
    }

    /// A pack that is shipped.
    ///
    /// # Errors
    /// [`PackError::Unknown`], with the names that there are.
    pub fn shipped(name: &str) -> Result<Self, PackError> {
        match SHIPPED.iter().find(|(known, _)| *known == name) {
            Some((name, text)) => Self::parse(name, text),
            None => {
                let names: Vec<&str> = Self::names().collect();
                Err(PackError::Unknown(name.to_owned(), names.join(", ")))
            }
        }
    }

    /// Reads a pack; `file` names it in errors.
    ///
    /// # Errors
    /// When it is not TOML, says something that no pack can say, or asks for a predicate that there
    /// is not or in a way that it cannot be asked.
    pub fn parse(file: &str, text: &str) -> Result<Self, PackError> {
        // In one line: the error's own form draws the place below the text.
        let syntax = |error: toml::de::Error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            PackError::Syntax(file.to_owned(), format!("line {line}: {}", error.message()))
        };
        let pack: Self = toml::from_str(text).map_err(syntax)?;
        if pack.controls.is_empty() || pack.controls.len() > CONTROLS_MAX {
            let many =
                format!("it has {} controls; 1 to {CONTROLS_MAX} can be", pack.controls.len());
            return Err(PackError::Syntax(file.to_owned(), many));
        }
        for (position, control) in pack.controls.iter().enumerate() {
            let is_twice = pack.controls.iter().take(position).any(|it| it.id == control.id);
            let error = if is_twice { Some("its id is there twice".to_owned()) } else { None };
            if let Some(error) = error.or_else(|| control.error()) {
                return Err(PackError::Control(file.to_owned(), control.id.clone(), error));
            }
        }
        Ok(pack)
    }
}

impl Control {
    /// What is wrong with it.
    fn error(&self) -> Option<String> {
        if self.predicate == "manual" {
            return self.question.is_none().then(|| "a manual control needs a question".to_owned());
        }
        let Some(takes) = predicate::takes(&self.predicate) else {
            return Some(format!(
                "there is no predicate {:?}; there are {}, and manual",
                self.predicate,
                predicate::names().collect::<Vec<_>>().join(", ")
            ));
        };
        let given = self.parameters.given();
        if let Some(name) = given.iter().find(|name| !takes.contains(name)) {
            let takes = if takes.is_empty() { "none".to_owned() } else { takes.join(", ") };
            return Some(format!("{} does not take {name}; it takes {takes}", self.predicate));
        }
        let shares = [self.parameters.min_share, self.parameters.max_share];
        if shares.into_iter().flatten().any(|share| !(0.0..=1.0).contains(&share)) {
            return Some("a share is a number from 0 to 1".to_owned());
        }
        let tiers = self.parameters.tiers.iter().flatten();
        let unknown = tiers.into_iter().find(|name| event::Tier::from_name(name).is_none());
        unknown.map(|name| format!("there is no tier {name:?}"))
    }
}
