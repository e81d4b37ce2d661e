//! Why a question in SQL gets no answer: a code for programs, and a sentence that says what, why
//! and what to do.

use std::time::Duration;
use thiserror::Error;

/// A refusal or a failure.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SqlError {
    /// It is no SQL.
    #[error("this is not SQL as `tacho` knows it: {0}; `tacho sql --help` shows examples")]
    Syntax(String),
    /// It does something else than asking.
    #[error("{what} is not allowed: SQL here only reads; write one SELECT over the table `events`")]
    NotReadOnly {
        /// What was tried.
        what: String,
    },
    /// More than one statement, or none.
    #[error("there must be exactly one statement, and there are {count}; send them one by one")]
    NotOne {
        /// How many.
        count: usize,
    },
    /// A table that is not there.
    #[error(
        "there is no table {name}: the only one is `events`, of the log that was opened; another \
         log is chosen with --log"
    )]
    UnknownTable {
        /// As it was written.
        name: String,
    },
    /// A function that is not offered.
    #[error(
        "there is no function {name} here; docs/sql.md lists those that are, all of which end in \
         bounded time and memory"
    )]
    UnknownFunction {
        /// As it was written.
        name: String,
    },
    /// SQL that is left out on purpose.
    #[error("{what} is not supported here; {instead}")]
    NotSupported {
        /// What was written.
        what: String,
        /// What to do.
        instead: &'static str,
    },
    /// The text is too long.
    #[error("the statement has {bytes} bytes, and at most {most} are read; shorten it")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        most: usize,
    },
    /// It would take too much work to plan.
    #[error("the statement is too complicated: {what}, and at most {most} may be; split it up")]
    TooComplex {
        /// What there is too much of, with the number.
        what: String,
        /// The limit.
        most: usize,
    },
    /// The engine cannot make a plan: an unknown column, types that do not fit.
    #[error("the statement cannot be answered: {0}")]
    Plan(String),
    /// It took too long.
    #[error(
        "no answer within {} s; narrow it down with WHERE (recorded_at, trace_id), or allow more \
         with --timeout", .0.as_secs_f64()
    )]
    Timeout(Duration),
    /// It took too much memory.
    #[error(
        "the answer needs more than the {} MiB of memory that a statement may use; narrow it down \
         with WHERE, group by less, or sort less", .0 >> 20
    )]
    Memory(usize),
    /// It failed while it ran: a division by zero, a text that is no number.
    #[error("the statement failed while it ran: {0}")]
    Failed(String),
    /// A segment does not read.
    #[error("records cannot be read: {0}; run `tacho verify`")]
    Damaged(String),
}

impl SqlError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Syntax(_) => "sql_syntax",
            Self::NotReadOnly { .. } => "sql_not_read_only",
            Self::NotOne { .. } => "sql_not_one_statement",
            Self::UnknownTable { .. } => "sql_unknown_table",
            Self::UnknownFunction { .. } => "sql_unknown_function",
            Self::NotSupported { .. } => "sql_not_supported",
            Self::TooLong { .. } => "sql_too_long",
            Self::TooComplex { .. } => "sql_too_complex",
            Self::Plan(_) => "sql_plan",
            Self::Timeout(_) => "sql_timeout",
            Self::Memory(_) => "sql_memory",
            Self::Failed(_) => "sql_failed",
            Self::Damaged(_) => "sql_damaged",
        }
    }

    /// True for what the one who asked can change; false for what the log's keeper must look at.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        !matches!(self, Self::Damaged(_))
    }
}
