//! Why a rule is refused, and where.

/// A rule that cannot be used. Nothing of its file is: half a set of rules would be taken for the
/// whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {reason}")]
pub struct RuleError {
    /// The file, as its reader calls it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, and what to write instead.
    pub reason: String,
}

/// The same before anybody said which file it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) line: usize,
    pub(crate) reason: String,
}

impl Problem {
    pub(crate) fn new(line: usize, reason: impl Into<String>) -> Self {
        Self { line, reason: reason.into() }
    }

    pub(crate) fn of(self, file: &str) -> RuleError {
        RuleError { file: file.to_owned(), line: self.line, reason: self.reason }
    }
}

/// Text of a rule as an error repeats it: short, and on one line.
pub(crate) fn quoted(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    format!("{short:?}")
}
