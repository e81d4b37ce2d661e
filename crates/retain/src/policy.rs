//! Days that each tier stays, and the least that a law or rule asks for.

use event::Tier;
use serde::Deserialize;

/// Milliseconds of a day.
pub(crate) const DAY_MS: u64 = 86_400_000;

/// A named set of least days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// No law or rule: 7, 30, 365 and 730 days.
    #[default]
    Default,
    /// Regulation (EU) 2024/1689, Articles 19(1) and 26(6): six months at least.
    EuAiAct,
    /// PCI DSS v4.0.1, requirement 10.5.1: twelve months at least.
    PciDss,
    /// 45 CFR 164.316(b)(2)(i): six years.
    Hipaa,
    /// 17 CFR 240.17a-4(a): six years.
    Sec17a4,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Default, Self::EuAiAct, Self::PciDss, Self::Hipaa, Self::Sec17a4];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::EuAiAct => "eu-ai-act",
            Self::PciDss => "pci-dss",
            Self::Hipaa => "hipaa",
            Self::Sec17a4 => "sec-17a-4",
        }
    }

    /// The profile of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.as_str() == name)
    }

    /// The days that every tier must stay at least; 0 when nothing says so. Six years hold two leap
    /// days at most.
    #[must_use]
    pub fn minimum_days(self) -> u32 {
        match self {
            Self::Default => 0,
            Self::EuAiAct => 184,
            Self::PciDss => 366,
            Self::Hipaa | Self::Sec17a4 => 2192,
        }
    }
}

/// How long records stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What asks for the least days.
    pub profile: Profile,
    days: [u32; 4],
}

/// Why a policy cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// There is no such profile.
    #[error(
        "there is no retention profile {0:?}; there are default, eu-ai-act, pci-dss, hipaa and sec-17a-4"
    )]
    Profile(String),
    /// A tier would stay for less than it must.
    #[error(
        "{days} days for the tier {} are less than the {minimum} that the profile {profile} asks for",
        tier.as_str()
    )]
    TooShort {
        /// The tier.
        tier: Tier,
        /// What was asked for.
        days: u32,
        /// What it must be.
        minimum: u32,
        /// By which profile.
        profile: &'static str,
    },
    /// Days that would remove what was written a moment ago.
    #[error("0 days for the tier {}: a record must be able to be read before it goes", .0.as_str())]
    Zero(Tier),
    /// The configuration does not read.
    #[error("the section `retention` of the configuration does not read: {0}")]
    Configuration(String),
}

/// The configuration file, as far as it is read here.
#[derive(Debug, Default, Deserialize)]
struct File {
    #[serde(default)]
    retention: Section,
}

/// `[retention]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Section {
    profile: Option<String>,
    debug_days: Option<u32>,
    info_days: Option<u32>,
    compliance_days: Option<u32>,
    critical_days: Option<u32>,
}

impl Default for Policy {
    fn default() -> Self {
        Self::of(Profile::Default)
    }
}

impl Policy {
    /// The days of a profile.
    #[must_use]
    pub fn of(profile: Profile) -> Self {
        let minimum = profile.minimum_days();
        Self { profile, days: [7, 30, 365, 730].map(|days: u32| days.max(minimum)) }
    }

    /// Reads the section `retention` of a configuration file (TOML).
    ///
    /// # Errors
    /// [`PolicyError`].
    pub fn from_toml(text: &str) -> Result<Self, PolicyError> {
        let File { retention } =
            toml::from_str(text).map_err(|error| PolicyError::Configuration(error.to_string()))?;
        let profile = match &retention.profile {
            None => Profile::Default,
            Some(name) => {
                Profile::from_name(name).ok_or_else(|| PolicyError::Profile(name.clone()))?
            }
        };
        let given = [
            retention.debug_days,
            retention.info_days,
            retention.compliance_days,
            retention.critical_days,
        ];
        let days = Tier::ALL.into_iter().zip(given);
        days.filter_map(|(tier, days)| Some((tier, days?)))
            .try_fold(Self::of(profile), |policy, (tier, days)| policy.with(tier, days))
    }

    /// The same with other days for a tier.
    ///
    /// # Errors
    /// [`PolicyError::TooShort`], [`PolicyError::Zero`].
    pub fn with(mut self, tier: Tier, days: u32) -> Result<Self, PolicyError> {
        let minimum = self.profile.minimum_days();
        if days == 0 {
            return Err(PolicyError::Zero(tier));
        }
        if days < minimum {
            let profile = self.profile.as_str();
            return Err(PolicyError::TooShort { tier, days, minimum, profile });
        }
        if let Some(place) = self.days.get_mut(usize::from(tier as u8)) {
            *place = days;
        }
        Ok(self)
    }

    /// The days that a tier stays.
    #[must_use]
    pub fn days(&self, tier: Tier) -> u32 {
        self.days.get(usize::from(tier as u8)).copied().unwrap_or(u32::MAX)
    }

    /// When a segment may go whose newest record was taken at this time, in Unix milliseconds. A
    /// day more than the tier's days: a clock that is fast by a day then removes nothing early.
    #[must_use]
    pub fn due_ms(&self, tier: Tier, newest_ms: u64) -> u64 {
        newest_ms.saturating_add((u64::from(self.days(tier)) + 1) * DAY_MS)
    }

    /// Whether a record of this record time must still be kept, whatever anybody asks for.
    #[must_use]
    pub fn must_stay(&self, time_ms: u64, now_ms: u64) -> bool {
        let minimum = u64::from(self.profile.minimum_days()) * DAY_MS;
        minimum > 0 && now_ms < time_ms.saturating_add(minimum)
    }

    /// The policy as the log records it.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let days: serde_json::Map<_, _> = Tier::ALL
            .into_iter()
            .map(|tier| (tier.as_str().to_owned(), self.days(tier).into()))
            .collect();
        serde_json::json!({ "profile": self.profile.as_str(), "days": days })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_raises_what_is_less_and_leaves_what_is_more() {
        let days = |profile| Tier::ALL.map(|tier| Policy::of(profile).days(tier));
        assert_eq!(days(Profile::Default), [7, 30, 365, 730]);
        assert_eq!(days(Profile::EuAiAct), [184, 184, 365, 730]);
        assert_eq!(days(Profile::PciDss), [366, 366, 366, 730]);
        assert_eq!(days(Profile::Hipaa), [2192; 4]);
        for profile in Profile::ALL {
            assert_eq!(Profile::from_name(profile.as_str()), Some(profile));
        }
    }

    #[test]
    fn a_configuration_says_more_and_never_less_than_its_profile() {
        let read = |text: &str| Policy::from_toml(text);
        assert_eq!(read(""), Ok(Policy::default()));
        let policy = read("[retention]\nprofile = \"eu-ai-act\"\ninfo-days = 200").unwrap();
        assert_eq!((policy.days(Tier::Info), policy.days(Tier::Debug)), (200, 184));
        assert!(read("[other]\nx = 1").is_ok(), "other sections are others' to read");
        let error = read("[retention]\nprofile = \"hipaa\"\ndebug-days = 7").unwrap_err();
        assert!(error.to_string().contains("less than the 2192"), "{error}");
        for wrong in ["profile = \"gdpr\"", "info-days = 0", "info-days = -1", "infos = 3"] {
            assert!(read(&format!("[retention]\n{wrong}")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_day_more_than_the_days_and_a_minimum_that_nothing_overrules() {
        let policy = Policy::default();
        assert_eq!(policy.due_ms(Tier::Debug, 5), 5 + 8 * DAY_MS);
        assert!(!policy.must_stay(5, 5), "no law, no minimum");
        let policy = Policy::of(Profile::EuAiAct);
        assert!(policy.must_stay(5, 4 + 184 * DAY_MS) && !policy.must_stay(5, 5 + 184 * DAY_MS));
        assert_eq!(policy.due_ms(Tier::Debug, u64::MAX), u64::MAX);
    }
}
