//! Which expressions a statement may hold.

use super::super::error::SqlError;
use super::super::functions;
use super::unsupported;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Value,
};

/// Checks one expression; its parts are checked by themselves.
pub(super) fn check(expression: &Expr) -> Result<(), SqlError> {
    match expression {
        Expr::Function(function) => call(function),
        Expr::BinaryOp { op, right, .. } => operator(op, right),
        Expr::SimilarTo { pattern, .. } => constant(pattern, "SIMILAR TO"),
        Expr::Like { pattern, any: false, .. } | Expr::ILike { pattern, any: false, .. } => {
            constant(pattern, "LIKE")
        }
        Expr::Value(value) if matches!(value.value, Value::Placeholder(_)) => {
            Err(unsupported("a placeholder", "write the value out"))
        }
        Expr::Substring { .. } | Expr::Trim { .. } | Expr::Position { .. } => Ok(()),
        Expr::Identifier(_)
        | Expr::CompoundIdentifier(_)
        | Expr::IsFalse(_)
        | Expr::IsNotFalse(_)
        | Expr::IsTrue(_)
        | Expr::IsNotTrue(_)
        | Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsUnknown(_)
        | Expr::IsNotUnknown(_)
        | Expr::IsDistinctFrom(..)
        | Expr::IsNotDistinctFrom(..)
        | Expr::InList { .. }
        | Expr::InSubquery { .. }
        | Expr::Between { .. }
        | Expr::UnaryOp { .. }
        | Expr::Cast { .. }
        | Expr::AtTimeZone { .. }
        | Expr::Extract { .. }
        | Expr::Ceil { .. }
        | Expr::Floor { .. }
        | Expr::Nested(_)
        | Expr::Value(_)
        | Expr::TypedString(_)
        | Expr::Case { .. }
        | Expr::Exists { .. }
        | Expr::Subquery(_)
        | Expr::Interval(_)
        | Expr::Wildcard(_)
        | Expr::QualifiedWildcard(..) => Ok(()),
        _ => Err(unsupported("one of its expressions", "docs/sql.md shows what is")),
    }
}

/// True where texts are put together to a longer one.
pub(super) fn grows(expression: &Expr) -> bool {
    match expression {
        Expr::BinaryOp { op: BinaryOperator::StringConcat, .. } => true,
        Expr::Function(function) => {
            let name = function.name.0.last().and_then(|part| part.as_ident());
            name.is_some_and(|name| functions::grows(&name.value.to_lowercase()))
        }
        _ => false,
    }
}

/// Operators whose right side is a pattern need one that is written out: a pattern from a column
/// would have to be made ready for every row.
fn operator(operator: &BinaryOperator, right: &Expr) -> Result<(), SqlError> {
    use BinaryOperator as Op;
    match operator {
        Op::PGRegexMatch | Op::PGRegexIMatch | Op::PGRegexNotMatch | Op::PGRegexNotIMatch => {
            constant(right, "a regular expression")
        }
        Op::Plus
        | Op::Minus
        | Op::Multiply
        | Op::Divide
        | Op::Modulo
        | Op::StringConcat
        | Op::Gt
        | Op::Lt
        | Op::GtEq
        | Op::LtEq
        | Op::Eq
        | Op::NotEq
        | Op::And
        | Op::Or
        | Op::Arrow
        | Op::LongArrow => Ok(()),
        other => {
            Err(unsupported(format!("the operator {other}"), "docs/sql.md lists those that are"))
        }
    }
}

/// Longest pattern.
const PATTERN_BYTES_MAX: usize = 1_000;

fn constant(pattern: &Expr, what: &str) -> Result<(), SqlError> {
    match pattern {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) if text.len() <= PATTERN_BYTES_MAX => Ok(()),
            _ => Err(unsupported(
                format!("this pattern of {what}"),
                "a pattern is a text in single quotes of at most 1,000 bytes",
            )),
        },
        _ => Err(unsupported(
            format!("a computed pattern of {what}"),
            "write the pattern out in single quotes",
        )),
    }
}

fn call(function: &Function) -> Result<(), SqlError> {
    let unknown = || SqlError::UnknownFunction { name: function.name.to_string() };
    let [part] = function.name.0.as_slice() else { return Err(unknown()) };
    let name = part.as_ident().ok_or_else(unknown)?.value.to_lowercase();
    if !functions::is_known(&name) {
        return Err(unknown());
    }
    if function.uses_odbc_syntax || !matches!(function.parameters, FunctionArguments::None) {
        return Err(unsupported("this form of a call", "write name(argument, ...)"));
    }
    let arguments = match &function.args {
        FunctionArguments::None => return Ok(()),
        FunctionArguments::Subquery(_) => {
            return Err(unsupported("a query as the arguments", "write name(argument, ...)"));
        }
        FunctionArguments::List(list) => &list.args,
    };
    if functions::takes_pattern(&name) {
        match arguments.get(1) {
            Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(pattern))) => {
                constant(pattern, &name)?;
            }
            _ => return Err(unsupported("a call without a pattern", "the second argument is one")),
        }
    }
    Ok(())
}
