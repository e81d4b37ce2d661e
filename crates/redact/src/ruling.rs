//! A policy, compiled, and what it says of one event: of its tier and type, and at each path.

use crate::policy::{
    Action, FieldSetting, Glob, Path, Policy, PolicyError, Preset, RuleSetting, Setting,
    nearest_rule, tier,
};
use crate::rule::{Group, Rule};
use crate::scan::Families;
use event::{Event, Tier};
use std::borrow::Cow;

const RULES: usize = Rule::ALL.len();

/// How the types of the log's own records begin; no producer may send one.
const OWN_RECORDS: &str = "log.";

/// The setting of every rule, and which entry of the policy made it.
#[derive(Clone, Debug)]
struct Settings([(Setting, usize); RULES]);

impl Settings {
    fn set(&mut self, entry: &Entry, order: usize) {
        for rule in &entry.rules {
            if let Some(slot) = self.0.get_mut(*rule as usize) {
                *slot = (entry.setting, order);
            }
        }
    }
}

/// When an entry holds; what is empty asks for nothing.
#[derive(Clone, Debug)]
struct Condition {
    tiers: Vec<Tier>,
    types: Vec<Glob>,
}

impl Condition {
    fn compile(tiers: &[String], types: &[String]) -> Result<Self, PolicyError> {
        Ok(Self {
            tiers: tiers.iter().map(|name| tier(name)).collect::<Result<_, _>>()?,
            types: types.iter().map(|pattern| Glob::new(pattern)).collect(),
        })
    }

    fn asks_nothing(&self) -> bool {
        self.tiers.is_empty() && self.types.is_empty()
    }

    fn holds(&self, tier: Tier, event_type: &str) -> bool {
        (self.tiers.is_empty() || self.tiers.contains(&tier))
            && (self.types.is_empty() || self.types.iter().any(|glob| glob.fits(event_type)))
    }
}

/// One setting of rules.
#[derive(Clone, Debug)]
struct Entry {
    rules: Vec<Rule>,
    setting: Setting,
    when: Condition,
    paths: Vec<Path>,
}

/// One setting of a path.
#[derive(Clone, Debug)]
struct Field {
    path: Path,
    setting: Setting,
    when: Condition,
}

/// A policy whose names were checked.
#[derive(Clone, Debug)]
pub(crate) struct Compiled {
    /// What holds for every event, at every path.
    base: Settings,
    /// What holds for the log's own records: the default preset, whatever the policy says. What the
    /// log says of itself is read by programs.
    own: Settings,
    /// What holds for some, in the order of the policy; the number is its place there.
    entries: Vec<(usize, Entry)>,
    fields: Vec<Field>,
    /// The families in which some rule is on somewhere.
    pub(crate) searched: Families,
    pub(crate) id: String,
}

impl Policy {
    /// Checks every name and settles what every rule does.
    ///
    /// # Errors
    /// [`PolicyError`] for a name that does not exist, a rule named twice, and settings that would
    /// keep a secret.
    pub(crate) fn compile(&self) -> Result<Compiled, PolicyError> {
        let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if self.version.len() > 32 || !self.version.chars().all(letters) {
            return Err(PolicyError::Version(self.version.clone()));
        }
        let off = self.off.iter().map(|rule| RuleSetting {
            rule: rule.clone(),
            action: Action::Allow,
            ..RuleSetting::default()
        });
        let own: Vec<RuleSetting> = off.chain(self.rules.iter().cloned()).collect();
        refuse_doubles(&own)?;
        let all: Vec<RuleSetting> = self.preset.rules().into_iter().chain(own).collect();
        let entries = all.iter().map(Entry::compile).collect::<Result<Vec<_>, _>>()?;
        let mut base = Settings([(Setting::of(Action::Mask), 0); RULES]);
        let personal_is_on = entries.iter().any(|entry| {
            entry.setting.action != Action::Allow
                && entry.rules.iter().any(|rule| rule.group() == Group::Personal)
        });
        let mut some = Vec::new();
        for (order, entry) in entries.into_iter().enumerate() {
            if entry.when.asks_nothing() && entry.paths.is_empty() {
                base.set(&entry, order + 1);
            } else {
                some.push((order + 1, entry));
            }
        }
        let personal = |rule: &&Rule| rule.group() == Group::Personal;
        let on = |rule: &Rule| base.0.get(*rule as usize).map(|(setting, _)| setting.action);
        let personal_is_on = personal_is_on
            || Rule::ALL.iter().filter(personal).any(|rule| on(rule) != Some(Action::Allow));
        let searched =
            if personal_is_on { Families::ALL } else { Families::ALL.without(Families::PERSONAL) };
        let preset = self.preset.fields();
        let fields = preset.iter().chain(&self.fields).map(Field::compile);
        let fields = fields.collect::<Result<_, _>>()?;
        let mut own = Settings([(Setting::of(Action::Mask), 0); RULES]);
        for setting in Preset::Default.rules() {
            own.set(&Entry::compile(&setting)?, 0);
        }
        Ok(Compiled { base, own, entries: some, fields, searched, id: self.id() })
    }
}

/// Two settings of one rule under the same conditions contradict each other.
fn refuse_doubles(settings: &[RuleSetting]) -> Result<(), PolicyError> {
    for (number, one) in settings.iter().enumerate() {
        let same = |other: &&RuleSetting| {
            (&other.rule, &other.tiers, &other.types, &other.paths)
                == (&one.rule, &one.tiers, &one.types, &one.paths)
        };
        if settings.iter().skip(number + 1).any(|other| same(&other)) {
            return Err(PolicyError::NamedTwice(one.rule.clone()));
        }
    }
    Ok(())
}

impl Entry {
    fn compile(setting: &RuleSetting) -> Result<Self, PolicyError> {
        let rules = named(&setting.rule)?;
        let secret = |rule: &Rule| rule.group() == Group::Secret;
        if setting.action == Action::Tokenise && rules.iter().any(secret) {
            return Err(PolicyError::SecretKept(setting.rule.clone()));
        }
        Ok(Self {
            rules,
            setting: checked(&setting.rule, setting.action, setting.keep)?,
            when: Condition::compile(&setting.tiers, &setting.types)?,
            paths: setting.paths.iter().map(|path| Path::new(path)).collect::<Result<_, _>>()?,
        })
    }
}

impl Field {
    fn compile(setting: &FieldSetting) -> Result<Self, PolicyError> {
        Ok(Self {
            path: Path::new(&setting.path)?,
            setting: checked(&setting.path, setting.action, setting.keep)?,
            when: Condition::compile(&setting.tiers, &setting.types)?,
        })
    }
}

fn checked(name: &str, action: Action, keep: u8) -> Result<Setting, PolicyError> {
    if usize::from(keep) > crate::marker::TAIL_MAX {
        return Err(PolicyError::KeepsTooMuch { name: name.to_owned(), keep });
    }
    Ok(Setting { action, keep })
}

/// The rules that a name stands for: one, a group, or all.
fn named(name: &str) -> Result<Vec<Rule>, PolicyError> {
    if let Some(rule) = Rule::from_name(name) {
        return Ok(vec![rule]);
    }
    let all = Rule::ALL.iter().copied();
    let rules: Vec<Rule> = all.filter(|r| name == "*" || r.group().as_str() == name).collect();
    if rules.is_empty() {
        return Err(PolicyError::UnknownRule {
            name: name.to_owned(),
            nearest: nearest_rule(name),
        });
    }
    Ok(rules)
}

/// What a policy says of one event.
pub(crate) struct Ruling<'c> {
    settings: Cow<'c, Settings>,
    by_path: Vec<&'c (usize, Entry)>,
    fields: Vec<&'c Field>,
}

impl Compiled {
    /// What holds for this event.
    pub(crate) fn ruling(&self, event: &Event<'_>) -> Ruling<'_> {
        let (mut by_path, mut fields) = (Vec::new(), Vec::new());
        if event.event_type.starts_with(OWN_RECORDS) {
            return Ruling { settings: Cow::Borrowed(&self.own), by_path, fields };
        }
        let mut settings = Cow::Borrowed(&self.base);
        if self.entries.is_empty() && self.fields.is_empty() {
            return Ruling { settings, by_path, fields };
        }
        let tier = Tier::of(event);
        for numbered in &self.entries {
            let (order, entry) = numbered;
            if !entry.when.holds(tier, &event.event_type) {
                continue;
            }
            if entry.paths.is_empty() {
                settings.to_mut().set_after(entry, *order);
            } else {
                by_path.push(numbered);
            }
        }
        fields.extend(self.fields.iter().filter(|f| f.when.holds(tier, &event.event_type)));
        Ruling { settings, by_path, fields }
    }

    /// What holds for events of any tier and type.
    #[cfg(test)]
    pub(crate) fn plain(&self) -> Ruling<'_> {
        Ruling { settings: Cow::Borrowed(&self.base), by_path: Vec::new(), fields: Vec::new() }
    }
}

impl Settings {
    /// Sets what no later entry has set.
    fn set_after(&mut self, entry: &Entry, order: usize) {
        for rule in &entry.rules {
            if let Some(slot) = self.0.get_mut(*rule as usize)
                && slot.1 < order
            {
                *slot = (entry.setting, order);
            }
        }
    }
}

impl Ruling<'_> {
    /// What this rule does at this path.
    pub(crate) fn of(&self, rule: Rule, path: &str) -> Setting {
        let (setting, order) =
            self.settings.0.get(rule as usize).copied().unwrap_or((Setting::of(Action::Mask), 0));
        let here = self.by_path.iter().rev().find(|(number, entry)| {
            *number > order
                && entry.rules.contains(&rule)
                && entry.paths.iter().any(|pattern| pattern.fits(path))
        });
        here.map_or(setting, |(_, entry)| entry.setting)
    }

    /// What the policy says of whatever stands at this path.
    pub(crate) fn field(&self, path: &str) -> Option<Setting> {
        let mut fitting = self.fields.iter().rev().filter(|field| field.path.fits(path));
        fitting.next().map(|field| field.setting)
    }

    /// True when paths are spoken of at all.
    pub(crate) fn has_fields(&self) -> bool {
        !self.fields.is_empty()
    }
}
