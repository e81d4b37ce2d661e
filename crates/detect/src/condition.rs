//! The condition of a rule: `(injected or asked) and not 1 of allowed_*`.

use crate::problem::{Problem, quoted};

/// Parentheses and `not` within each other.
const DEPTH_MAX: usize = 20;
/// Words of one condition.
const WORDS_MAX: usize = 500;

/// Which selections must hold, by their places.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    Selection(usize),
    Not(Box<Condition>),
    All(Vec<Condition>),
    Any(Vec<Condition>),
}

impl Condition {
    /// Reads one; `names` are those of the selections.
    pub(crate) fn parse(text: &str, names: &[&str], line: usize) -> Result<Self, Problem> {
        let spaced = text.replace('(', " ( ").replace(')', " ) ");
        let words: Vec<&str> = spaced.split_whitespace().collect();
        if words.is_empty() || words.len() > WORDS_MAX {
            return Err(Problem::new(line, format!("a condition has 1 to {WORDS_MAX} words")));
        }
        if words.contains(&"|") || text.contains('|') {
            let reason = "counting in a condition (`| count() > 5`) is not understood; write a \
                          correlation";
            return Err(Problem::new(line, reason));
        }
        let mut reader = Reader { words: &words, at: 0, names, line };
        let condition = reader.any(0)?;
        match reader.peek() {
            None => Ok(condition),
            Some(word) => Err(reader.wrong(format!("{} is one too many", quoted(word)))),
        }
    }
}

struct Reader<'r> {
    words: &'r [&'r str],
    at: usize,
    names: &'r [&'r str],
    line: usize,
}

impl<'r> Reader<'r> {
    fn wrong(&self, reason: impl Into<String>) -> Problem {
        Problem::new(self.line, format!("in the condition: {}", reason.into()))
    }

    fn peek(&self) -> Option<&'r str> {
        self.words.get(self.at).copied()
    }

    fn takes(&mut self, word: &str) -> bool {
        let is_it = self.peek().is_some_and(|next| next.eq_ignore_ascii_case(word));
        self.at += usize::from(is_it);
        is_it
    }

    fn any(&mut self, depth: usize) -> Result<Condition, Problem> {
        let mut all = vec![self.all(depth)?];
        while self.takes("or") {
            all.push(self.all(depth)?);
        }
        Ok(one_or(all, Condition::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Condition, Problem> {
        let mut all = vec![self.one(depth)?];
        while self.takes("and") {
            all.push(self.one(depth)?);
        }
        Ok(one_or(all, Condition::All))
    }

    fn one(&mut self, depth: usize) -> Result<Condition, Problem> {
        if depth > DEPTH_MAX {
            return Err(self.wrong(format!("nested deeper than {DEPTH_MAX} levels")));
        }
        if self.takes("not") {
            return Ok(Condition::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.takes("(") {
            let inner = self.any(depth + 1)?;
            return match self.takes(")") {
                true => Ok(inner),
                false => Err(self.wrong("a parenthesis is not closed")),
            };
        }
        let word = self.peek().ok_or_else(|| self.wrong("it ends too early"))?;
        self.at += 1;
        let is_some = word == "1" || word.eq_ignore_ascii_case("any");
        if (is_some || word.eq_ignore_ascii_case("all")) && self.takes("of") {
            return self.some_of(is_some);
        }
        let place = self.names.iter().position(|name| *name == word);
        let place = place.ok_or_else(|| {
            let names = self.names.join(", ");
            self.wrong(format!("there is no selection {}; there are {names}", quoted(word)))
        })?;
        Ok(Condition::Selection(place))
    }

    /// `1 of them`, `all of sel_*`.
    fn some_of(&mut self, is_some: bool) -> Result<Condition, Problem> {
        let pattern = self.peek().ok_or_else(|| self.wrong("`of` what?"))?;
        self.at += 1;
        let is_meant = |name: &str| match pattern.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            // Sigma leaves names with an underscore before them out of `them`.
            None if pattern.eq_ignore_ascii_case("them") => !name.starts_with('_'),
            None => name == pattern,
        };
        let names = self.names.iter().enumerate().filter(|(_, name)| is_meant(name));
        let all: Vec<Condition> = names.map(|(place, _)| Condition::Selection(place)).collect();
        if all.is_empty() {
            return Err(self.wrong(format!("no selection is called {}", quoted(pattern))));
        }
        Ok(one_or(all, if is_some { Condition::Any } else { Condition::All }))
    }
}

fn one_or(mut all: Vec<Condition>, of: fn(Vec<Condition>) -> Condition) -> Condition {
    match all.pop() {
        Some(only) if all.is_empty() => only,
        last => {
            all.extend(last);
            of(all)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NAMES: [&str; 4] = ["a", "b", "f_x", "f_y"];

    fn holds(text: &str, true_ones: &[usize]) -> bool {
        fn of(condition: &Condition, true_ones: &[usize]) -> bool {
            match condition {
                Condition::Selection(place) => true_ones.contains(place),
                Condition::Not(inner) => !of(inner, true_ones),
                Condition::All(all) => all.iter().all(|one| of(one, true_ones)),
                Condition::Any(all) => all.iter().any(|one| of(one, true_ones)),
            }
        }
        of(&Condition::parse(text, &NAMES, 1).unwrap(), true_ones)
    }

    #[test]
    fn and_binds_before_or_and_not_before_both() {
        assert!(holds("a or b and f_x", &[0]));
        assert!(!holds("(a or b) and f_x", &[0]));
        assert!(holds("not a and b", &[1]));
        assert!(holds("a and not 1 of f_*", &[0]));
        assert!(!holds("a AND NOT 1 OF f_*", &[0, 3]));
        assert!(holds("all of them", &[0, 1, 2, 3]) && !holds("all of them", &[0, 1, 2]));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for bad in ["", "a b", "(a", "a)", "c", "1 of g_*", "not", "a or", "a | count() > 3"] {
            assert!(Condition::parse(bad, &NAMES, 1).is_err(), "{bad}");
        }
        assert!(Condition::parse(&"(".repeat(400), &NAMES, 1).is_err());
        assert!(Condition::parse(&format!("{}a", "not ".repeat(400)), &NAMES, 1).is_err());
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "(a|b|c|not|and|or|1|of|all|them|f_\\*|\\(|\\)| ){0,30}") {
            drop(Condition::parse(&text, &NAMES, 1));
        }
    }
}
