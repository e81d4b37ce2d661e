//! What holds where a policy says nothing (decision 0035).

use super::{Action, FieldSetting, RuleSetting};
use serde::{Deserialize, Serialize};

/// A named set of settings to start from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// Secrets and what identifies a person for certain are masked; addresses of machines,
    /// telephone numbers, places and dates of birth stay.
    #[default]
    Default,
    /// Every rule is on and masks.
    Strict,
    /// As `default`; cards show their last four digits, and what the card's holder proves himself
    /// with goes altogether (PCI DSS 4, 3.3 and 3.4).
    Pci,
    /// Every rule is on; what identifies a person becomes a pseudonym, names go by their fields,
    /// and who is named in the metadata can be erased with the content.
    Gdpr,
}

impl Preset {
    /// Every preset.
    pub const ALL: &'static [Self] = &[Self::Default, Self::Strict, Self::Pci, Self::Gdpr];

    /// The name, as in a policy.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Strict => "strict",
            Self::Pci => "pci",
            Self::Gdpr => "gdpr",
        }
    }

    /// The preset with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|preset| preset.as_str() == name)
    }

    /// What its rules do; those that are not named mask.
    pub(crate) fn rules(self) -> Vec<RuleSetting> {
        let rule =
            |rule: &str, action| RuleSetting { rule: rule.into(), action, ..Default::default() };
        match self {
            Self::Default => vec![rule("personal", Action::Allow)],
            Self::Strict => Vec::new(),
            Self::Pci => vec![
                rule("personal", Action::Allow),
                RuleSetting { keep: 4, ..rule("card_number", Action::Mask) },
            ],
            Self::Gdpr => vec![
                rule("personal", Action::Hash),
                rule("identifier", Action::Hash),
                rule("card_number", Action::Mask),
            ],
        }
    }

    /// The paths that it takes.
    pub(crate) fn fields(self) -> Vec<FieldSetting> {
        let fields = |paths: &[&str], action| -> Vec<FieldSetting> {
            let field =
                |path: &&str| FieldSetting { path: (*path).into(), action, ..Default::default() };
            paths.iter().map(field).collect()
        };
        match self {
            Self::Default | Self::Strict => Vec::new(),
            Self::Pci => fields(CARD_PROOFS, Action::Drop),
            Self::Gdpr => {
                let mut all = fields(NAMES, Action::Hash);
                all.extend(fields(METADATA_NAMES, Action::Tokenise));
                all
            }
        }
    }
}

/// What authenticates a card's holder and may not be kept after the authorisation.
const CARD_PROOFS: &[&str] = &[
    "**.cvv",
    "**.cvv2",
    "**.cvc",
    "**.cvc2",
    "**.cid",
    "**.pin",
    "**.pin_block",
    "**.track1",
    "**.track2",
    "**.track_data",
    "**.security_code",
];

/// Where people's names stand.
const NAMES: &[&str] = &[
    "**.first_name",
    "**.firstname",
    "**.given_name",
    "**.last_name",
    "**.lastname",
    "**.family_name",
    "**.surname",
    "**.full_name",
    "**.fullname",
    "**.display_name",
    "**.customer_name",
    "**.patient_name",
    "**.contact_name",
    "**.cardholder_name",
    "**.birth_date",
    "**.date_of_birth",
    "**.dob",
];

/// Who is named in the metadata.
const METADATA_NAMES: &[&str] = &["principal.subject", "on_behalf_of", "approver"];
