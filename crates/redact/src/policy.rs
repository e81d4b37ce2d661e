//! The policy: which rules are on, and what each does with what it finds.
//!
//! Not here: where a policy comes from (a configuration file, read by the program's door).

use crate::rule::Rule;

/// What happens to a finding.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Deserialize, serde::Serialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// The member or the matched text is removed.
    Drop,
    /// Replaced by `[redacted:<rule>]`.
    #[default]
    Mask,
    /// Replaced by `[hash:<rule>:<16 hex digits>]`, keyed: equal values stay equal, none can be
    /// guessed without the key.
    Hash,
}

impl Action {
    /// The name, as in a policy and in a note.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Mask => "mask",
            Self::Hash => "hash",
        }
    }
}

/// What one rule does.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSetting {
    /// The rule's name ([`Rule::as_str`]).
    pub rule: String,
    /// What it does with what it finds.
    pub action: Action,
}

/// Deviations from the default, which is every rule on and masking: a rule that a policy forgets is
/// never off.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Rules with another action.
    pub rules: Vec<RuleSetting>,
    /// Names of rules that are switched off.
    pub off: Vec<String>,
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
    /// A rule that is named more than once.
    #[error("the policy names the redaction rule \"{0}\" more than once; keep one")]
    NamedTwice(String),
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

/// The action of every rule; `None` is off.
#[derive(Clone, Debug)]
pub(crate) struct Actions([Option<Action>; Rule::ALL.len()]);

impl Actions {
    pub(crate) fn of(&self, rule: Rule) -> Option<Action> {
        self.0.get(rule as usize).copied().flatten()
    }
}

impl Policy {
    /// Checks every name and settles the action of every rule.
    ///
    /// # Errors
    /// [`PolicyError::UnknownRule`] or [`PolicyError::NamedTwice`].
    pub(crate) fn actions(&self) -> Result<Actions, PolicyError> {
        let mut actions = [Some(Action::default()); Rule::ALL.len()];
        let mut named: Vec<Rule> = Vec::new();
        let settings = self.rules.iter().map(|setting| (&setting.rule, Some(setting.action)));
        for (name, action) in settings.chain(self.off.iter().map(|name| (name, None))) {
            let rule = Rule::from_name(name).ok_or_else(|| PolicyError::UnknownRule {
                name: name.clone(),
                nearest: nearest(name),
            })?;
            if named.contains(&rule) {
                return Err(PolicyError::NamedTwice(name.clone()));
            }
            named.push(rule);
            if let Some(slot) = actions.get_mut(rule as usize) {
                *slot = action;
            }
        }
        Ok(Actions(actions))
    }
}

/// The rule name with the fewest edits away from `name`.
fn nearest(name: &str) -> &'static str {
    let names = Rule::ALL.iter().map(|rule| rule.as_str());
    names.min_by_key(|known| distance(known, name)).unwrap_or_default()
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
mod tests {
    use super::*;

    fn setting(rule: &str, action: Action) -> RuleSetting {
        RuleSetting { rule: rule.to_owned(), action }
    }

    #[test]
    fn a_rule_that_the_policy_forgets_is_on() {
        let policy = Policy {
            rules: vec![setting("email", Action::Hash)],
            off: vec!["card_number".to_owned()],
        };
        let actions = policy.actions().unwrap();
        assert_eq!(actions.of(Rule::Email), Some(Action::Hash));
        assert_eq!(actions.of(Rule::CardNumber), None);
        assert_eq!(actions.of(Rule::Jwt), Some(Action::Mask));
    }

    #[test]
    fn unknown_names_are_refused_with_the_nearest() {
        for (wrong, right) in [
            ("emial", "email"),
            ("e-mail", "email"),
            ("OPENAI_KEY", "openai_key"),
            ("credit_card_number", "card_number"),
            ("jwts", "jwt"),
        ] {
            let policy = Policy { off: vec![wrong.to_owned()], ..Policy::default() };
            let error = policy.actions().unwrap_err();
            assert_eq!(error, PolicyError::UnknownRule { name: wrong.into(), nearest: right });
            assert!(error.to_string().contains(right));
        }
    }

    #[test]
    fn a_rule_named_twice_is_refused() {
        let policy =
            Policy { rules: vec![setting("jwt", Action::Drop)], off: vec!["jwt".to_owned()] };
        assert_eq!(policy.actions().unwrap_err(), PolicyError::NamedTwice("jwt".into()));
    }

    #[test]
    fn a_policy_reads_from_configuration_text() {
        let text = r#"{"rules":[{"rule":"email","action":"hash"}],"off":["jwt"]}"#;
        let policy: Policy = serde_json::from_str(text).unwrap();
        assert_eq!(policy.rules, [setting("email", Action::Hash)]);
        assert!(serde_json::from_str::<Policy>(r#"{"rule":[]}"#).is_err());
        assert!(
            serde_json::from_str::<Policy>(r#"{"rules":[{"rule":"x","action":"blur"}]}"#).is_err()
        );
        assert_eq!(serde_json::from_str::<Policy>("{}").unwrap(), Policy::default());
    }
}
