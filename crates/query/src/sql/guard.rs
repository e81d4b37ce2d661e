//! The first wall: what is allowed is listed, and everything else is refused before any engine
//! sees it.
//!
//! One statement, which reads. Its tables are `events` and what it names itself with WITH. Its
//! functions are those of `functions.rs`. Of every part of the grammar only the parts that are
//! known to be harmless pass, so that a new one of a new parser is refused until somebody has
//! looked at it. How much of it there may be stands in `guard/size.rs`.
//!
//! The second wall stands in `engine.rs`: an engine that has no files, no other tables, no other
//! functions and no right to change anything.

mod expression;
mod size;

use size::BYTES_MAX;

use super::error::SqlError;
use datafusion::sql::sqlparser::ast::{
    DescribeAlias, GroupByExpr, ObjectName, Query, Select, SetExpr, Statement, TableFactor, Visit,
    Visitor,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use std::collections::HashSet;
use std::ops::ControlFlow;

/// The table.
pub(super) const TABLE: &str = "events";

/// Reads the one statement and checks it. It recurses as deeply as the text nests, so it must run
/// on a stack of [`super::engine::STACK_BYTES`].
pub(super) fn parse(sql: &str) -> Result<Statement, SqlError> {
    if sql.len() > BYTES_MAX {
        return Err(SqlError::TooLong { bytes: sql.len(), most: BYTES_MAX });
    }
    let syntax = |error: &dyn std::fmt::Display| SqlError::Syntax(sentence(error));
    let dialect = GenericDialect {};
    let tokens = Tokenizer::new(&dialect, sql).tokenize().map_err(|error| syntax(&error))?;
    let spoken = tokens.iter().filter(|token| !matches!(token, Token::Whitespace(_))).count();
    size::check_tokens(spoken)?;
    let statements = Parser::new(&dialect)
        .with_recursion_limit(size::NESTING_MAX)
        .with_tokens(tokens)
        .parse_statements()
        .map_err(|error| syntax(&error))?;
    let count = statements.len();
    let mut statements = statements.into_iter();
    let (Some(statement), None) = (statements.next(), statements.next()) else {
        return Err(SqlError::NotOne { count });
    };
    check(&statement)?;
    Ok(statement)
}

/// The parser's words without its prefix.
fn sentence(error: &dyn std::fmt::Display) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("sql parser error: ").unwrap_or(&text);
    text.strip_prefix("sql tokenizer error: ").unwrap_or(text).to_owned()
}

fn check(statement: &Statement) -> Result<(), SqlError> {
    let query = match statement {
        Statement::Query(query) => query,
        Statement::Explain {
            describe_alias: DescribeAlias::Explain,
            analyze: false,
            query_plan: false,
            estimate: false,
            statement,
            options: None,
            ..
        } => match &**statement {
            Statement::Query(query) => query,
            other => return Err(not_read_only(other)),
        },
        Statement::Explain { analyze: true, .. } => {
            return Err(unsupported(
                "EXPLAIN ANALYZE",
                "EXPLAIN shows the plan without running it",
            ));
        }
        other => return Err(not_read_only(other)),
    };
    let mut walk = Walk { names: HashSet::new(), size: size::Size::default() };
    let named = query.visit(&mut Names(&mut walk.names));
    let outcome = match named {
        ControlFlow::Continue(()) => query.visit(&mut walk),
        ControlFlow::Break(error) => ControlFlow::Break(error),
    };
    match outcome {
        ControlFlow::Continue(()) => walk.size.check(),
        ControlFlow::Break(error) => Err(error),
    }
}

/// The statement by its first word.
fn not_read_only(statement: &Statement) -> SqlError {
    let text = statement.to_string();
    let word = text.split_whitespace().next().unwrap_or("that").to_uppercase();
    SqlError::NotReadOnly { what: word }
}

fn unsupported(what: impl Into<String>, instead: &'static str) -> SqlError {
    SqlError::NotSupported { what: what.into(), instead }
}

const ONLY_SELECT: &str = "SELECT, WITH, UNION, INTERSECT, EXCEPT and VALUES are";

/// Finds the names that WITH gives.
struct Names<'n>(&'n mut HashSet<String>);

impl Visitor for Names<'_> {
    type Break = SqlError;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<SqlError> {
        let Some(with) = &query.with else { return ControlFlow::Continue(()) };
        if with.recursive {
            return refuse("WITH RECURSIVE", "a statement must end without going round");
        }
        for cte in &with.cte_tables {
            let name = normal(&cte.alias.name.value, cte.alias.name.quote_style.is_some());
            if name == TABLE || !self.0.insert(name) {
                return refuse("the same name twice in WITH", "give each a name of its own");
            }
        }
        ControlFlow::Continue(())
    }
}

fn refuse(what: impl Into<String>, instead: &'static str) -> ControlFlow<SqlError> {
    ControlFlow::Break(unsupported(what, instead))
}

/// A name as the planner reads it: without quotes in small letters.
fn normal(name: &str, is_quoted: bool) -> String {
    if is_quoted { name.to_owned() } else { name.to_lowercase() }
}

/// Checks everything in a query.
struct Walk {
    names: HashSet<String>,
    size: size::Size,
}

impl Visitor for Walk {
    type Break = SqlError;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<SqlError> {
        let plain = query.locks.is_empty()
            && query.for_clause.is_none()
            && query.settings.is_none()
            && query.format_clause.is_none()
            && query.pipe_operators.is_empty();
        if !plain {
            return refuse("FOR, SETTINGS, FORMAT or |>", ONLY_SELECT);
        }
        match body(&query.body) {
            Ok(()) => self.size.query(),
            Err(error) => ControlFlow::Break(error),
        }
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<SqlError> {
        if select.into.is_some() {
            return ControlFlow::Break(SqlError::NotReadOnly { what: "SELECT INTO".to_owned() });
        }
        let grouped = match &select.group_by {
            GroupByExpr::All(modifiers) | GroupByExpr::Expressions(_, modifiers) => modifiers,
        };
        let plain = select.lateral_views.is_empty()
            && select.optimizer_hints.is_empty()
            && select.select_modifiers.is_none()
            && select.top.is_none()
            && select.prewhere.is_none()
            && select.connect_by.is_empty()
            && select.cluster_by.is_empty()
            && select.distribute_by.is_empty()
            && select.sort_by.is_empty()
            && select.value_table_mode.is_none()
            && grouped.is_empty();
        if !plain {
            return refuse("TOP, LATERAL, CLUSTER BY and their like", "plain SELECT does the same");
        }
        self.size.select(select)
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<SqlError> {
        match table(factor) {
            Ok(Some(name)) => self.relation(name),
            Ok(None) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }

    fn pre_visit_expr(
        &mut self,
        expression: &datafusion::sql::sqlparser::ast::Expr,
    ) -> ControlFlow<SqlError> {
        self.size.enter()?;
        if expression::grows(expression) {
            self.size.grow()?;
        }
        match expression::check(expression) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }

    fn post_visit_expr(
        &mut self,
        _: &datafusion::sql::sqlparser::ast::Expr,
    ) -> ControlFlow<SqlError> {
        self.size.leave();
        ControlFlow::Continue(())
    }
}

impl Walk {
    /// A table by name.
    fn relation(&mut self, name: &ObjectName) -> ControlFlow<SqlError> {
        let known = match name.0.as_slice() {
            [part] => {
                part.as_ident().map(|ident| normal(&ident.value, ident.quote_style.is_some()))
            }
            _ => None,
        };
        match known.filter(|name| name == TABLE || self.names.contains(name)) {
            Some(known) => self.size.relation(&known),
            None => ControlFlow::Break(SqlError::UnknownTable { name: name.to_string() }),
        }
    }
}

/// What a query may consist of.
fn body(body: &SetExpr) -> Result<(), SqlError> {
    match body {
        // Their parts are visited by themselves, queries in brackets as queries.
        SetExpr::Select(_) | SetExpr::Query(_) | SetExpr::Values(_) => Ok(()),
        SetExpr::SetOperation { left, right, .. } => {
            self::body(left)?;
            self::body(right)
        }
        SetExpr::Table(_) => Err(unsupported("TABLE", ONLY_SELECT)),
        other => {
            let text = other.to_string();
            let word = text.split_whitespace().next().unwrap_or("that").to_uppercase();
            Err(SqlError::NotReadOnly { what: word })
        }
    }
}

/// What a table may be; its name if it has one.
fn table(factor: &TableFactor) -> Result<Option<&ObjectName>, SqlError> {
    match factor {
        TableFactor::Table {
            name,
            alias: _,
            args: None,
            with_hints,
            version: None,
            with_ordinality: false,
            partitions,
            json_path: None,
            sample: None,
            index_hints,
        } if with_hints.is_empty() && partitions.is_empty() && index_hints.is_empty() => {
            Ok(Some(name))
        }
        TableFactor::Table { name, args: Some(_), .. } => {
            Err(SqlError::UnknownTable { name: format!("{name}(...)") })
        }
        TableFactor::Derived { lateral: false, sample: None, .. }
        | TableFactor::NestedJoin { .. } => Ok(None),
        _ => Err(unsupported(
            "a table that is not a name or a SELECT in brackets",
            "write FROM events",
        )),
    }
}

#[cfg(test)]
mod tests;
