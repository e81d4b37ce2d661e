//! What a rule says about single events: selections and the condition over them.

use crate::condition::Condition;
use crate::problem::{Problem, quoted};
use crate::test::{self, Test};
use crate::view::View;
use crate::yaml::{Node, Value};

/// Selections of one rule.
const SELECTIONS_MAX: usize = 100;

/// The compiled detection of a rule.
#[derive(Debug)]
pub(crate) struct Detection {
    selections: Vec<Selection>,
    condition: Condition,
    /// The members of the metadata without which no event is meant, a bit each: most events lack
    /// one, and need not be looked at closer.
    needs: u32,
}

#[derive(Debug)]
struct Selection {
    name: String,
    /// One of these; of each all tests.
    alternatives: Vec<Vec<Test>>,
}

impl Selection {
    fn parse(name: &str, node: &Node) -> Result<Self, Problem> {
        let tests = |node: &Node| {
            let members = node.map("a selection")?;
            if members.is_empty() {
                return Err(node.wrong("a selection asks for at least one field"));
            }
            let mut tests = members
                .iter()
                .map(|(key, value)| Test::parse(key, value))
                .collect::<Result<Vec<Test>, Problem>>()?;
            tests.sort_by_key(Test::cost);
            Ok(tests)
        };
        let alternatives = match &node.value {
            Value::Map(_) => vec![tests(node)?],
            Value::List(items)
                if matches!(items.first(), Some(Node { value: Value::Map(_), .. })) =>
            {
                items.iter().map(tests).collect::<Result<_, _>>()?
            }
            _ => test::keywords(node)?.into_iter().map(|one| vec![one]).collect(),
        };
        Ok(Self { name: name.to_owned(), alternatives })
    }

    fn is_met(&self, view: &View<'_>) -> bool {
        self.alternatives.iter().any(|tests| tests.iter().all(|test| test.is_met(view)))
    }

    /// What every alternative needs.
    fn needs(&self) -> u32 {
        let of = |tests: &Vec<Test>| tests.iter().fold(0, |all, test| all | test.needs());
        self.alternatives.iter().map(of).reduce(|one, other| one & other).unwrap_or(0)
    }

    fn cost(&self) -> u32 {
        self.alternatives.iter().flatten().map(Test::cost).max().unwrap_or_default()
    }

    /// The event types without which it cannot be met.
    fn event_types(&self) -> Option<Vec<String>> {
        let of = |tests: &Vec<Test>| {
            let test = tests.iter().find(|test| test.field.name == "event_type")?;
            test.exact().map(<[String]>::to_vec)
        };
        let all: Option<Vec<Vec<String>>> = self.alternatives.iter().map(of).collect();
        all.map(|all| all.concat())
    }
}

impl Detection {
    /// Reads the mapping `detection`.
    pub(crate) fn parse(node: &Node) -> Result<Self, Problem> {
        let members = node.map("`detection`")?;
        let mut selections = Vec::new();
        for (name, value) in members.iter().filter(|(name, _)| name != "condition") {
            if name == "timeframe" {
                let reason = "`timeframe` is of old Sigma; write a correlation with a `timespan`";
                return Err(value.wrong(reason));
            }
            if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                let reason =
                    format!("{} is no name for a selection: letters, digits, _", quoted(name));
                return Err(value.wrong(reason));
            }
            selections.push(Selection::parse(name, value)?);
        }
        if selections.is_empty() || selections.len() > SELECTIONS_MAX {
            return Err(node.wrong(format!("a rule has 1 to {SELECTIONS_MAX} selections")));
        }
        let condition = node
            .get("condition")
            .ok_or_else(|| node.wrong("`condition` is missing: which selections must hold?"))?;
        let names: Vec<&str> = selections.iter().map(|one| one.name.as_str()).collect();
        let parsed = Condition::parse(condition.text("`condition`")?, &names, condition.line)?;
        let mut detection = Self { selections, condition: parsed, needs: 0 };
        detection.sort();
        detection.needs = detection.needs_of(&detection.condition);
        Ok(detection)
    }

    /// Puts what costs little first.
    fn sort(&mut self) {
        fn cost(condition: &Condition, selections: &[Selection]) -> u32 {
            match condition {
                Condition::Selection(at) => selections.get(*at).map_or(0, Selection::cost),
                Condition::Not(inner) => cost(inner, selections),
                Condition::All(all) | Condition::Any(all) => {
                    all.iter().map(|one| cost(one, selections)).max().unwrap_or_default()
                }
            }
        }
        fn sort(condition: &mut Condition, selections: &[Selection]) {
            match condition {
                Condition::Selection(_) => {}
                Condition::Not(inner) => sort(inner, selections),
                Condition::All(all) | Condition::Any(all) => {
                    all.iter_mut().for_each(|one| sort(one, selections));
                    all.sort_by_key(|one| cost(one, selections));
                }
            }
        }
        sort(&mut self.condition, &self.selections);
    }

    fn needs_of(&self, condition: &Condition) -> u32 {
        match condition {
            Condition::Selection(at) => self.selections.get(*at).map_or(0, Selection::needs),
            Condition::Not(_) => 0,
            Condition::All(all) => all.iter().fold(0, |needs, one| needs | self.needs_of(one)),
            Condition::Any(all) => {
                let needs = all.iter().map(|one| self.needs_of(one));
                needs.reduce(|one, other| one & other).unwrap_or(0)
            }
        }
    }

    /// Whether an event is meant.
    pub(crate) fn is_met(&self, view: &View<'_>) -> bool {
        view.has_all(self.needs) && self.holds(&self.condition, view)
    }

    fn holds(&self, condition: &Condition, view: &View<'_>) -> bool {
        match condition {
            Condition::Selection(at) => {
                self.selections.get(*at).is_some_and(|selection| selection.is_met(view))
            }
            Condition::Not(inner) => !self.holds(inner, view),
            Condition::All(all) => all.iter().all(|one| self.holds(one, view)),
            Condition::Any(all) => all.iter().any(|one| self.holds(one, view)),
        }
    }

    /// The event types without which it cannot be met, in lower case; `None` when it may be any.
    pub(crate) fn event_types(&self) -> Option<Vec<String>> {
        let types = self.types_of(&self.condition)?;
        Some(types.iter().map(|name| name.to_ascii_lowercase()).collect())
    }

    fn types_of(&self, condition: &Condition) -> Option<Vec<String>> {
        match condition {
            Condition::Selection(at) => self.selections.get(*at)?.event_types(),
            Condition::Not(_) => None,
            Condition::All(all) => all.iter().find_map(|one| self.types_of(one)),
            Condition::Any(all) => {
                let all: Option<Vec<Vec<String>>> =
                    all.iter().map(|one| self.types_of(one)).collect();
                all.map(|all| all.concat())
            }
        }
    }

    /// Which fields made an event one that is meant, with their values where those are metadata.
    pub(crate) fn why(&self, view: &View<'_>) -> String {
        let mut told = Vec::new();
        for selection in self.selections.iter().filter(|one| one.is_met(view)) {
            let met = |tests: &&Vec<Test>| tests.iter().all(|test| test.is_met(view));
            let Some(tests) = selection.alternatives.iter().find(met) else { continue };
            for test in tests {
                let name = &test.field.name;
                told.push(match test.field.first(view) {
                    _ if test.field.is_content() => format!("{name} matches"),
                    Some(value) => format!("{name} is {}", crate::hit::shortened(&value)),
                    None => format!("{name} is absent"),
                });
            }
        }
        told.dedup();
        told.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{Item, META};
    use crate::yaml;
    use proptest::prelude::*;

    fn detection(text: &str) -> Detection {
        let documents = yaml::parse(text).unwrap();
        Detection::parse(&documents[0]).unwrap()
    }

    #[test]
    fn an_event_that_lacks_what_every_way_needs_is_not_looked_at() {
        let names = |text: &str| -> Vec<&str> {
            let needs = detection(text).needs;
            (0..META.len()).filter(|at| needs & (1 << at) != 0).map(|at| META[at]).collect()
        };
        for (text, wanted) in [
            ("{ a: { tool: x, outcome: denied }, condition: a }", vec!["tool", "outcome"]),
            (
                "{ a: { tool: x }, b: { tool: y, cost.amount|gt: 0 }, condition: a or b }",
                vec!["tool"],
            ),
            ("{ a: { tool: x }, b: { outcome: y }, condition: a and not b }", vec!["tool"]),
            ("{ a: [{ tool: x }, { outcome: y }], condition: a }", vec![]),
            ("{ a: { tool: null, approver|exists: false, params: x }, condition: a }", vec![]),
            (
                "{ a: { tool|exists: true, run: x, content|contains: y }, condition: a }",
                vec!["tool"],
            ),
        ] {
            assert_eq!(names(text), wanted, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_passed_over_would_not_have_been_met(
            members in prop::collection::btree_map("tool|outcome|approver|cost", "x|y|null", 0..4),
            condition in "(a|b|not a)( and (a|b|not b)| or (a|b|not b)){0,3}",
        ) {
            let members: Vec<String> = members.iter().map(|(name, value)| match value.as_str() {
                "null" => format!("\"{name}\":null"),
                value => format!("\"{name}\":\"{value}\""),
            }).collect();
            let meta = format!("{{{}}}", members.join(","));
            let item = Item {
                index: 0, recorded_at_ms: 0, kind: event::Kind::Event, meta: meta.as_bytes(), content: b"",
            };
            let rule = format!(
                "{{ a: [{{ tool: x, outcome|exists: true }}, {{ tool|contains: y }}], \
                 b: {{ approver: null, cost|startswith: [x, y] }}, condition: {condition} }}"
            );
            let (it, view) = (detection(&rule), View::new(item));
            prop_assert_eq!(it.is_met(&view), it.holds(&it.condition, &view));
        }
    }
}
