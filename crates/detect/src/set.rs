//! A set of rules that belong together: names are unique, and what a correlation is over is there.

use crate::correlation::Correlation;
use crate::problem::{Problem, RuleError, quoted};
use crate::rule::{About, Kind, Rule};
use crate::yaml;
use std::collections::HashMap;

/// Bytes of one file of rules.
pub const FILE_BYTES_MAX: usize = 1 << 20;
/// Rules of one set.
pub const RULES_MAX: usize = 2_000;

/// Compiled rules.
#[derive(Debug, Default)]
pub struct RuleSet {
    pub(crate) rules: Vec<Rule>,
    /// What each rule's match is used for.
    pub(crate) uses: Vec<Uses>,
}

/// Where a match of a rule counts.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    /// It is told by itself.
    pub(crate) is_told: bool,
    /// It is a step of these correlations: the correlation's place, and which of its rules this is.
    pub(crate) steps: Vec<(usize, usize)>,
    /// It takes back what these correlations saw.
    pub(crate) takes_back: Vec<usize>,
}

impl RuleSet {
    /// Compiles one file: documents of YAML, each a rule.
    ///
    /// # Errors
    /// [`RuleError`] for the first rule that cannot be used.
    pub fn parse(file: &str, text: &str) -> Result<Self, RuleError> {
        Self::of(&[(file, text)])
    }

    /// Compiles several files to one set; correlations may be over rules of another file.
    ///
    /// # Errors
    /// [`RuleError`] for the first rule that cannot be used.
    pub fn of(files: &[(&str, &str)]) -> Result<Self, RuleError> {
        let mut set = Self::default();
        let mut origins = Vec::new();
        for (file, text) in files {
            if text.len() > FILE_BYTES_MAX {
                let reason =
                    format!("a file of rules has at most {FILE_BYTES_MAX} bytes; split it");
                return Err(Problem::new(1, reason).of(file));
            }
            let documents = yaml::parse(text).map_err(|problem| problem.of(file))?;
            for document in documents.iter().filter(|document| !document.is_null()) {
                let rule = Rule::parse(document).map_err(|problem| problem.of(file))?;
                if set.rules.len() >= RULES_MAX {
                    let reason = format!("more than {RULES_MAX} rules in all");
                    return Err(Problem::new(document.line, reason).of(file));
                }
                set.rules.push(rule);
                origins.push(*file);
            }
        }
        set.link()
            .map_err(|(at, problem)| problem.of(origins.get(at).copied().unwrap_or_default()))?;
        Ok(set)
    }

    /// The same without the rules of these names, and without what only they were for.
    ///
    /// # Errors
    /// The first name that no rule has.
    pub fn without(mut self, names: &[String]) -> Result<Self, String> {
        for name in names {
            let found = self.rules.iter().position(|rule| is_called(&rule.about, name));
            let at = found.ok_or_else(|| format!("there is no rule {}", quoted(name)))?;
            match self.rules.get(at).map(|rule| &rule.kind) {
                Some(Kind::Together(_)) => {
                    for uses in &mut self.uses {
                        uses.steps.retain(|(correlation, _)| *correlation != at);
                        uses.takes_back.retain(|correlation| *correlation != at);
                    }
                }
                _ => {
                    if let Some(uses) = self.uses.get_mut(at) {
                        uses.is_told = false;
                    }
                }
            }
        }
        Ok(self)
    }

    /// The rules that tell what they find, in the order that they were written in.
    pub fn told(&self) -> impl Iterator<Item = &About> + '_ {
        let is_used = |at: usize, rule: &Rule| match rule.kind {
            Kind::Single(_) => self.uses.get(at).is_some_and(|uses| uses.is_told),
            Kind::Together(_) => self
                .uses
                .iter()
                .any(|uses| uses.steps.iter().any(|(correlation, _)| *correlation == at)),
        };
        let rules = self.rules.iter().enumerate();
        rules.filter(move |(at, rule)| is_used(*at, rule)).map(|(_, rule)| &rule.about)
    }

    /// Finds what each correlation is over.
    fn link(&mut self) -> Result<(), (usize, Problem)> {
        let mut places: HashMap<&str, usize> = HashMap::new();
        for (at, rule) in self.rules.iter().enumerate() {
            let About { name, id, .. } = &rule.about;
            let names = if name == id { vec![name] } else { vec![name, id] };
            for name in names {
                if places.insert(name, at).is_some() {
                    let reason = format!("another rule is called {} already", quoted(name));
                    return Err((at, Problem::new(rule.line, reason)));
                }
            }
        }
        let mut uses: Vec<Uses> = self.rules.iter().map(|_| Uses::default()).collect();
        let mut is_step = vec![false; self.rules.len()];
        let mut is_told = vec![false; self.rules.len()];
        for (at, rule) in self.rules.iter().enumerate() {
            let Kind::Together(correlation) = &rule.kind else { continue };
            let Correlation { rules, unless, generate, .. } = correlation;
            let all = rules.iter().enumerate().map(|(step, named)| (Some(step), named));
            for (step, (name, line)) in all.chain(unless.iter().map(|named| (None, named))) {
                let place = self
                    .single(&places, name)
                    .map_err(|reason| (at, Problem::new(*line, reason)))?;
                let (Some(uses), Some(is_step), Some(is_told)) =
                    (uses.get_mut(place), is_step.get_mut(place), is_told.get_mut(place))
                else {
                    continue;
                };
                *is_step = true;
                *is_told |= *generate && step.is_some();
                match step {
                    Some(step) => uses.steps.push((at, step)),
                    None => uses.takes_back.push(at),
                }
            }
        }
        for (uses, (is_step, is_told)) in uses.iter_mut().zip(is_step.iter().zip(is_told)) {
            uses.is_told = !is_step || is_told;
        }
        self.uses = uses;
        self.tell_needs();
        Ok(())
    }

    /// A correlation needs what its rules need.
    fn tell_needs(&mut self) {
        let mut needs: Vec<Vec<String>> = self.rules.iter().map(|_| Vec::new()).collect();
        for (uses, rule) in self.uses.iter().zip(&self.rules) {
            let of = uses.steps.iter().map(|(at, _)| at).chain(&uses.takes_back);
            for at in of {
                let Some(needs) = needs.get_mut(*at) else { continue };
                if !rule.about.needs.is_empty() && !needs.contains(&rule.about.needs) {
                    needs.push(rule.about.needs.clone());
                }
            }
        }
        for (rule, needs) in self.rules.iter_mut().zip(needs) {
            if rule.about.needs.is_empty() {
                rule.about.needs = needs.join("; ");
            }
        }
    }

    /// The place of a rule about single events.
    fn single(&self, places: &HashMap<&str, usize>, name: &str) -> Result<usize, String> {
        let place = places.get(name).copied();
        let place = place.ok_or_else(|| format!("there is no rule {}", quoted(name)))?;
        match self.rules.get(place).map(|rule| &rule.kind) {
            Some(Kind::Single(_)) => Ok(place),
            _ => Err(format!(
                "{} is a correlation, and correlations are over rules about single events",
                quoted(name)
            )),
        }
    }
}

fn is_called(about: &About, name: &str) -> bool {
    about.name == name || about.id == name
}
