//! What a report takes for granted that no log says: prices, thresholds, budgets.

use query::Amount;
use serde::{Deserialize, Deserializer};
use thiserror::Error;

/// What reports take for granted. Every number has a default.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// What tokens cost where events do not say.
    pub prices: Prices,
    /// When a number is worth a word.
    pub thresholds: Thresholds,
    /// What may be spent.
    pub budget: Budget,
    /// Which tools need an approval.
    pub approvals: Approvals,
}

/// Prices of models.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Prices {
    /// The currency of all of them: `USD`.
    pub currency: String,
    /// One for each model; the first whose name fits counts.
    pub models: Vec<Price>,
}

/// What a million tokens of a model cost.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// The model; with `*` at its end every one that begins so.
    pub model: String,
    /// Tokens read.
    #[serde(deserialize_with = "amount")]
    pub input: Amount,
    /// Tokens written.
    #[serde(deserialize_with = "amount")]
    pub output: Amount,
    /// Of those read, the ones from a cache; as `input` if not given.
    #[serde(default, deserialize_with = "some_amount")]
    pub cache_read: Option<Amount>,
    /// Of those read, the ones that went into a cache; as `input` if not given.
    #[serde(default, deserialize_with = "some_amount")]
    pub cache_write: Option<Amount>,
}

/// When a number is worth a word. A rule speaks when its number is greater.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Thresholds {
    /// Errors that took too long.
    pub timeouts: u64,
    /// Errors of rate limits.
    pub rate_limits: u64,
    /// Errors of validation.
    pub validation: u64,
    /// Errors of credentials and permissions.
    pub permissions: u64,
    /// Errors of services that are not there.
    pub unavailable: u64,
    /// The share of a tool's calls that fail.
    pub tool_error_rate: f64,
    /// Calls that a tool must have had before its share says anything.
    pub tool_calls_min: u64,
    /// How many times the errors of the period before.
    pub growth: f64,
    /// Errors that there must be before growth says anything.
    pub growth_min: u64,
    /// The share of invocations that go to a person, for the check of that name.
    pub escalation_rate: f64,
    /// The share of tool calls whose end must be recorded, for the check of data access.
    pub recorded_rate: f64,
    /// The share of a budget from which on it is worth a look.
    pub budget_warning: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            timeouts: 10,
            rate_limits: 5,
            validation: 3,
            permissions: 3,
            unavailable: 3,
            tool_error_rate: 0.2,
            tool_calls_min: 10,
            growth: 2.0,
            growth_min: 10,
            escalation_rate: 0.1,
            recorded_rate: 1.0,
            budget_warning: 0.8,
        }
    }
}

/// What may be spent in a day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Budget {
    /// Tokens a day (UTC).
    pub tokens_per_day: Option<u64>,
}

/// Which tools need an approval.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Approvals {
    /// Their names; with `*` at its end every one that begins so.
    pub tools: Vec<String>,
}

/// Why settings cannot be used.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// A share is no share, or a price has no currency.
    #[error("{key} is {value}; {remedy}")]
    Value {
        /// Which.
        key: &'static str,
        /// What it is; escaped.
        value: String,
        /// What it must be.
        remedy: &'static str,
    },
}

impl Settings {
    /// Looks for what cannot be meant.
    ///
    /// # Errors
    /// [`SettingsError`] with the first of it.
    pub fn check(&self) -> Result<(), SettingsError> {
        let it = &self.thresholds;
        for (key, value) in [
            ("thresholds.tool_error_rate", it.tool_error_rate),
            ("thresholds.escalation_rate", it.escalation_rate),
            ("thresholds.recorded_rate", it.recorded_rate),
            ("thresholds.budget_warning", it.budget_warning),
        ] {
            if !(0.0..=1.0).contains(&value) {
                let remedy = "it is a share and lies between 0 and 1";
                return Err(SettingsError::Value { key, value: value.to_string(), remedy });
            }
        }
        if !(it.growth.is_finite() && it.growth >= 1.0) {
            let (key, remedy) = ("thresholds.growth", "it is a factor of 1 or more");
            return Err(SettingsError::Value { key, value: it.growth.to_string(), remedy });
        }
        if !self.prices.models.is_empty() && self.prices.currency.is_empty() {
            let (key, remedy) = ("prices.currency", "say which, such as \"USD\"");
            return Err(SettingsError::Value { key, value: "not set".to_owned(), remedy });
        }
        Ok(())
    }
}

/// Whether a name is meant by a pattern.
pub(super) fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => pattern == name,
    }
}

fn amount<'de, D: Deserializer<'de>>(from: D) -> Result<Amount, D::Error> {
    let text = String::deserialize(from)?;
    Amount::parse(&text).filter(|it| it.to_f64() >= 0.0).ok_or_else(|| {
        serde::de::Error::custom("a price is a number between quotes, 0 or more: \"2.50\"")
    })
}

fn some_amount<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Amount>, D::Error> {
    amount(from).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cannot_be_meant_are_refused() {
        assert!(Settings::default().check().is_ok());
        let mut settings = Settings::default();
        settings.thresholds.recorded_rate = 1.5;
        let error = settings.check().unwrap_err().to_string();
        assert_eq!(
            error,
            "thresholds.recorded_rate is 1.5; it is a share and lies between 0 and 1"
        );
        let mut settings = Settings::default();
        settings.thresholds.growth = f64::NAN;
        assert!(settings.check().is_err());
        let price = r#"{"prices":{"models":[{"model":"m","input":"1","output":"2"}]}}"#;
        let settings: Settings = serde_json::from_str(price).unwrap();
        assert!(settings.check().is_err());
        for bad in [
            r#"{"prices":{"models":[{"model":"m","input":"-1","output":"2"}]}}"#,
            r#"{"prices":{"models":[{"model":"m","input":1,"output":"2"}]}}"#,
            r#"{"price":{}}"#,
        ] {
            assert!(serde_json::from_str::<Settings>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_pattern_means_a_name_or_a_beginning() {
        assert!(fits("gpt-4o*", "gpt-4o-2024-08-06") && fits("a", "a"));
        assert!(!fits("gpt-4o", "gpt-4o-2024-08-06") && !fits("a", "b"));
    }
}
