//! The words after `cargo xtask COMMAND`, taken one option at a time. Small on purpose: no crate
//! needed.

use std::str::FromStr;

use crate::failure::Failure;

/// Words not yet taken. Whatever follows `--` is kept apart, for the program that the command
/// starts.
pub(crate) struct Arguments {
    words: Vec<String>,
    passed_on: Vec<String>,
}

impl Arguments {
    pub(crate) fn new(mut words: Vec<String>) -> Self {
        let passed_on = match words.iter().position(|word| word == "--") {
            Some(position) => words.split_off(position).split_off(1),
            None => Vec::new(),
        };
        Self { words, passed_on }
    }

    /// Takes a flag; true if it was there.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let before = self.words.len();
        self.words.retain(|word| word != name);
        self.words.len() != before
    }

    /// Takes every value of an option that may be repeated: `--only a --only=b` and `--only a,b`.
    pub(crate) fn values(&mut self, name: &str) -> Result<Vec<String>, Failure> {
        let mut found = Vec::new();
        while let Some(value) = self.value(name)? {
            found.extend(value.split(',').map(str::to_owned));
        }
        Ok(found)
    }

    /// Takes the value of an option, `--name VALUE` or `--name=VALUE`.
    pub(crate) fn value(&mut self, name: &str) -> Result<Option<String>, Failure> {
        let prefix = format!("{name}=");
        let Some(position) =
            self.words.iter().position(|word| word == name || word.starts_with(&prefix))
        else {
            return Ok(None);
        };
        let word = self.words.remove(position);
        if let Some(value) = word.strip_prefix(&prefix) {
            return Ok(Some(value.to_owned()));
        }
        if position == self.words.len() || self.words[position].starts_with("--") {
            return Err(Failure::Usage(format!("{name} needs a value after it")));
        }
        Ok(Some(self.words.remove(position)))
    }

    /// Takes the value of an option as a number.
    pub(crate) fn number<N: FromStr>(&mut self, name: &str, default: N) -> Result<N, Failure> {
        match self.value(name)? {
            None => Ok(default),
            Some(text) => text
                .parse()
                .map_err(|_| Failure::Usage(format!("{name} needs a number, got `{text}`"))),
        }
    }

    /// What is left: plain words. An option that nobody took is refused by name.
    pub(crate) fn rest(self) -> Result<Vec<String>, Failure> {
        if let Some(word) = self.words.iter().find(|word| word.starts_with('-')) {
            return Err(Failure::Usage(format!("no option `{word}`")));
        }
        Ok(self.words)
    }

    /// What stood after `--`.
    pub(crate) fn passed_on(&mut self) -> Vec<String> {
        std::mem::take(&mut self.passed_on)
    }

    /// For commands that take no plain words.
    pub(crate) fn nothing_left(self) -> Result<(), Failure> {
        match self.rest()?.first() {
            Some(word) => Err(Failure::Usage(format!("did not expect `{word}`"))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(text: &str) -> Arguments {
        Arguments::new(text.split_whitespace().map(str::to_owned).collect())
    }

    #[test]
    fn options_are_taken_in_both_spellings() {
        let mut given = arguments("--seconds 7 --only=a,b --only c --list plain -- --seconds 9");
        assert_eq!(given.number("--seconds", 1_u32).ok(), Some(7));
        assert_eq!(given.values("--only").ok(), Some(vec!["a".into(), "b".into(), "c".into()]));
        assert!(given.flag("--list"));
        assert!(!given.flag("--list"));
        assert_eq!(given.passed_on(), ["--seconds", "9"]);
        assert_eq!(given.rest().ok(), Some(vec!["plain".to_owned()]));
    }

    #[test]
    fn missing_value_wrong_number_and_unknown_option_are_refused() {
        assert!(arguments("--seconds").value("--seconds").is_err());
        assert!(arguments("--seconds --list").value("--seconds").is_err());
        assert!(arguments("--seconds many").number("--seconds", 1_u32).is_err());
        assert!(arguments("--nonsense").rest().is_err());
        assert!(arguments("word").nothing_left().is_err());
        assert!(arguments("").nothing_left().is_ok());
    }
}
