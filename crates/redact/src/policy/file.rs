//! A policy as a TOML file: every key is known, or refused with the one that was probably meant.

use super::{Action, Policy, PolicyError, Preset, nearest};
use event::Tier;
use toml::{Table, Value};

const KEYS: &[&str] = &["version", "preset", "off", "rules", "fields"];
const RULE_KEYS: &[&str] = &["rule", "action", "keep", "tiers", "types", "paths"];
const FIELD_KEYS: &[&str] = &["path", "action", "keep", "tiers", "types"];
const TIERS: &[Tier] = &[Tier::Debug, Tier::Info, Tier::Compliance, Tier::Critical];

impl Policy {
    /// Reads a policy file and checks every name in it.
    ///
    /// # Errors
    /// [`PolicyError`] when it is no TOML, or says something that no policy says.
    pub fn from_toml(text: &str) -> Result<Self, PolicyError> {
        let unreadable =
            |error: toml::de::Error| PolicyError::Unreadable(error.message().to_owned());
        let table: Table = text.parse().map_err(unreadable)?;
        check_keys("key", &table, KEYS)?;
        if let Some(Value::String(preset)) = table.get("preset") {
            check("preset", preset, &mut Preset::ALL.iter().map(|preset| preset.as_str()))?;
        }
        for (list, keys) in [("rules", RULE_KEYS), ("fields", FIELD_KEYS)] {
            let items = table.get(list).and_then(Value::as_array).into_iter().flatten();
            for item in items.filter_map(Value::as_table) {
                check_keys("key", item, keys)?;
                if let Some(Value::String(action)) = item.get("action") {
                    check("action", action, &mut Action::ALL.iter().map(|a| a.as_str()))?;
                }
            }
        }
        let policy: Self = table.try_into().map_err(unreadable)?;
        policy.compile()?;
        Ok(policy)
    }
}

fn check_keys(
    kind: &'static str,
    table: &Table,
    known: &[&'static str],
) -> Result<(), PolicyError> {
    table.keys().try_for_each(|key| check(kind, key, &mut known.iter().copied()))
}

fn check(
    kind: &'static str,
    name: &str,
    known: &mut dyn Iterator<Item = &'static str>,
) -> Result<(), PolicyError> {
    let known: Vec<&'static str> = known.collect();
    if known.contains(&name) {
        return Ok(());
    }
    Err(PolicyError::Unknown {
        kind,
        name: name.to_owned(),
        nearest: nearest(name, known.into_iter()),
    })
}

/// The tier with this name.
pub(crate) fn tier(name: &str) -> Result<Tier, PolicyError> {
    Tier::from_name(name).ok_or_else(|| PolicyError::Unknown {
        kind: "tier",
        name: name.to_owned(),
        nearest: nearest(name, TIERS.iter().map(|tier| tier.as_str())),
    })
}
