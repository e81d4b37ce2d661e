//! Functions that put texts together: `concat`, `||` and `replace`, which count before they build.
//!
//! `x || x`, named and used twenty times over, is a million times `x`. The engine would build it,
//! and no limit of its own would stop it.

use super::json;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StringViewArray};
use arrow_schema::DataType;
use datafusion::common::{DFSchema, DataFusionError, Result, exec_err};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::sql::sqlparser::ast::BinaryOperator;
use std::sync::Arc;

/// Most bytes that one call makes for one batch of rows.
const BYTES_MAX: usize = 16 << 20;

/// The functions.
pub(super) fn functions() -> [Arc<ScalarUDF>; 2] {
    [text(Act::Concat), text(Act::Replace)]
}

fn text(act: Act) -> Arc<ScalarUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(ScalarUDF::from(Text { act, signature }))
}

/// What a function does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Act {
    /// Puts texts together and leaves out nulls.
    Concat,
    /// The same, but null with any null.
    Join,
    /// Replaces one text in another by a third.
    Replace,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Text {
    act: Act,
    signature: Signature,
}

impl ScalarUDFImpl for Text {
    fn name(&self) -> &str {
        match self.act {
            Act::Concat => "concat",
            Act::Join => "||",
            Act::Replace => "replace",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let fits = match self.act {
            Act::Concat => !given.is_empty(),
            Act::Join => given.len() == 2,
            Act::Replace => given.len() == 3,
        };
        if !fits {
            return exec_err!("{} has another number of arguments", self.name());
        }
        Ok(vec![DataType::Utf8View; given.len()])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_constant = call.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if is_constant { 1 } else { call.number_rows };
        let arrays: Vec<ArrayRef> =
            call.args.iter().map(|arg| arg.to_array(rows)).collect::<Result<_>>()?;
        let texts: Vec<&StringViewArray> = arrays
            .iter()
            .map(|array| array.as_string_view_opt())
            .collect::<Option<_>>()
            .ok_or_else(|| DataFusionError::Execution("a text was expected".to_owned()))?;
        let made = self.act.run(&texts, rows)?;
        json::constant_or_array(Arc::new(made), is_constant)
    }
}

impl Act {
    fn run(self, texts: &[&StringViewArray], rows: usize) -> Result<StringViewArray> {
        let mut room = BYTES_MAX;
        let mut made: Vec<Option<String>> = Vec::with_capacity(rows);
        for row in 0..rows {
            let parts = texts.iter().map(|text| text.is_valid(row).then(|| text.value(row)));
            let text = match self {
                Self::Concat => join(parts.map(|part| Some(part.unwrap_or_default())), &mut room)?,
                Self::Join => join(parts, &mut room)?,
                Self::Replace => match parts.collect::<Option<Vec<_>>>().as_deref() {
                    Some([whole, from, to]) => Some(replace(whole, from, to, &mut room)?),
                    _ => None,
                },
            };
            made.push(text);
        }
        Ok(made.into_iter().collect())
    }
}

fn take(room: &mut usize, bytes: usize) -> Result<()> {
    match room.checked_sub(bytes) {
        Some(rest) => {
            *room = rest;
            Ok(())
        }
        None => exec_err!(
            "texts put together would take more than {} MiB at once; put together fewer or shorter \
             ones",
            BYTES_MAX >> 20
        ),
    }
}

/// The parts as one text; `None` with any null.
fn join<'t>(
    parts: impl Iterator<Item = Option<&'t str>>,
    room: &mut usize,
) -> Result<Option<String>> {
    let mut whole = String::new();
    for part in parts {
        let Some(part) = part else { return Ok(None) };
        take(room, part.len())?;
        whole.push_str(part);
    }
    Ok(Some(whole))
}

fn replace(whole: &str, from: &str, to: &str, room: &mut usize) -> Result<String> {
    if from.is_empty() {
        take(room, whole.len())?;
        return Ok(whole.to_owned());
    }
    let mut made = String::new();
    let mut rest = whole;
    while let Some((before, behind)) = rest.split_once(from) {
        take(room, before.len() + to.len())?;
        made.push_str(before);
        made.push_str(to);
        rest = behind;
    }
    take(room, rest.len())?;
    made.push_str(rest);
    Ok(made)
}

/// What the operators `||`, `->` and `->>` mean.
#[derive(Debug)]
pub(super) struct Operators;

impl ExprPlanner for Operators {
    fn plan_binary_op(
        &self,
        expr: RawBinaryExpr,
        _: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        let function = match expr.op {
            BinaryOperator::StringConcat => text(Act::Join),
            BinaryOperator::Arrow => json::get(),
            BinaryOperator::LongArrow => json::get_text(),
            _ => return Ok(PlannerResult::Original(expr)),
        };
        Ok(PlannerResult::Planned(function.call(vec![expr.left, expr.right])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(texts: &[Option<&str>]) -> StringViewArray {
        texts.iter().copied().collect()
    }

    fn run(act: Act, texts: &[&StringViewArray]) -> Vec<Option<String>> {
        let made = act.run(texts, texts[0].len()).unwrap();
        made.iter().map(|text| text.map(str::to_owned)).collect()
    }

    #[test]
    fn nulls_are_left_out_or_spread() {
        let (a, b) = (view(&[Some("a"), None]), view(&[Some("b"), Some("b")]));
        assert_eq!(run(Act::Concat, &[&a, &b]), [Some("ab".into()), Some("b".into())]);
        assert_eq!(run(Act::Join, &[&a, &b]), [Some("ab".into()), None]);
    }

    #[test]
    fn texts_are_replaced_from_left_to_right() {
        let (whole, from, to) = (view(&[Some("aaab")]), view(&[Some("aa")]), view(&[Some("c")]));
        assert_eq!(run(Act::Replace, &[&whole, &from, &to]), [Some("cab".into())]);
        let nothing = view(&[Some("")]);
        assert_eq!(run(Act::Replace, &[&whole, &nothing, &to]), [Some("aaab".into())]);
    }

    #[test]
    fn what_would_be_too_long_is_not_built() {
        let long = "x".repeat(1 << 20);
        let array = view(&[Some(&long)]);
        let many = vec![&array; 17];
        let said = Act::Join.run(&many, 1).unwrap_err().to_string();
        assert!(said.contains("16 MiB"), "{said}");
        assert!(Act::Join.run(&many[..16], 1).is_ok());
        let (from, to) = (view(&[Some("x")]), view(&[Some("0123456789abcdefg")]));
        assert!(Act::Replace.run(&[&array, &from, &to], 1).is_err());
    }
}
