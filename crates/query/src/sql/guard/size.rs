//! How large a statement may be, so that reading and planning it ends soon, whatever is in it.
//!
//! Planning copies: a name from WITH is planned once for each place that uses it, and an expression
//! is put in wherever its name is used. Twenty lines can so become a million nodes. What they would
//! become is estimated here, from above.

use super::super::error::SqlError;
use datafusion::sql::sqlparser::ast::{Expr, Select, Visit, Visitor};
use std::collections::HashMap;
use std::ops::ControlFlow;

/// Most bytes of a statement.
pub(super) const BYTES_MAX: usize = 16 << 10;
/// Most tokens.
const TOKENS_MAX: usize = 4_000;
/// How deeply brackets, queries and functions may nest.
pub(super) const NESTING_MAX: usize = 40;
/// How deeply expressions may nest: a chain of additions or ANDs nests to the left.
const DEPTH_MAX: usize = 200;
/// Most SELECTs.
const QUERIES_MAX: usize = 32;
/// Most tables, each place where one from WITH is used counted with all that it uses itself.
const RELATIONS_MAX: usize = 64;
/// Most copies of a name that putting expressions into each other may make.
const COPIES_MAX: usize = 20_000;

/// Most places where texts are put together, each of which may make 16 MiB of a batch.
const GROWING_MAX: usize = 32;

/// Refuses more tokens than may be.
pub(super) fn check_tokens(tokens: usize) -> Result<(), SqlError> {
    most("words and signs", tokens, TOKENS_MAX)
}

fn most(what: &str, count: usize, most: usize) -> Result<(), SqlError> {
    if count <= most {
        return Ok(());
    }
    Err(SqlError::TooComplex { what: format!("there are {count} {what}"), most })
}

/// What was counted.
#[derive(Default)]
pub(super) struct Size {
    depth: usize,
    growing: usize,
    queries: usize,
    /// Places that name a table, by name.
    relations: HashMap<String, usize>,
    /// The product of the most names that one output column of each SELECT mentions.
    copies: usize,
    /// Most names in one condition.
    condition: usize,
}

impl Size {
    pub(super) fn query(&mut self) -> ControlFlow<SqlError> {
        self.queries += 1;
        broken(most("queries", self.queries, QUERIES_MAX))
    }

    pub(super) fn relation(&mut self, name: &str) -> ControlFlow<SqlError> {
        *self.relations.entry(name.to_owned()).or_default() += 1;
        ControlFlow::Continue(())
    }

    pub(super) fn enter(&mut self) -> ControlFlow<SqlError> {
        self.depth += 1;
        broken(most("levels of expressions", self.depth, DEPTH_MAX))
    }

    pub(super) fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    pub(super) fn grow(&mut self) -> ControlFlow<SqlError> {
        self.growing += 1;
        broken(most("places where texts are put together", self.growing, GROWING_MAX))
    }

    pub(super) fn select(&mut self, select: &Select) -> ControlFlow<SqlError> {
        let output = select.projection.iter().map(names_in).max().unwrap_or(0);
        let named = select.named_window.iter().map(names_in).sum::<usize>();
        self.copies = self.copies.max(1).saturating_mul(output.saturating_add(named).max(1));
        let conditions = [&select.selection, &select.having, &select.qualify];
        for condition in conditions.into_iter().flatten() {
            self.condition = self.condition.max(names_in(condition));
        }
        ControlFlow::Continue(())
    }

    /// Looks at it all together.
    pub(super) fn check(&self) -> Result<(), SqlError> {
        let places: usize = self.relations.values().sum();
        let from_with = |(name, _): &(&String, &usize)| *name != super::TABLE;
        let factor = self.relations.iter().filter(from_with).map(|(_, count)| *count);
        let factor = factor.fold(1_usize, usize::saturating_mul);
        most(
            "tables, with what those from WITH use",
            places.saturating_mul(factor),
            RELATIONS_MAX,
        )?;
        let copies = self.copies.max(1).saturating_mul(self.condition.max(1));
        most("names, with those that they stand for", copies, COPIES_MAX)
    }
}

fn broken(outcome: Result<(), SqlError>) -> ControlFlow<SqlError> {
    match outcome {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => ControlFlow::Break(error),
    }
}

/// How many names something mentions.
fn names_in(part: &impl Visit) -> usize {
    struct Counter(usize);
    impl Visitor for Counter {
        type Break = ();
        fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
            self.0 += usize::from(matches!(
                expression,
                Expr::Identifier(_) | Expr::CompoundIdentifier(_)
            ));
            ControlFlow::Continue(())
        }
    }
    let mut counter = Counter(0);
    let _ = part.visit(&mut counter);
    counter.0
}
