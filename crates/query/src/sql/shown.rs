//! What of the table somebody may see. What they may not see is not there for them: a column that
//! no statement can name, a row that no statement counts.

use crate::columns::schema;
use crate::withheld::TYPES;
use datafusion::catalog::TableProvider;
use datafusion::common::Result;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::Expr;
use datafusion::prelude::{col, lit};
use event::Part;
use std::sync::Arc;

/// What may be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The columns of content.
    pub content: bool,
    /// The log's own records of who read what, and who was refused.
    pub access_records: bool,
}

/// Columns of content that are no [`Part`].
const OTHERS: [&str; 2] = ["attributes", "content"];

impl Shown {
    /// All of it.
    pub const ALL: Self = Self { content: true, access_records: true };

    /// What a row must fulfil to be there for them; `None` when all are.
    pub(super) fn is_there(self) -> Option<Expr> {
        if self.access_records {
            return None;
        }
        let types = TYPES.iter().map(|name| lit(*name)).collect();
        let is_one = col("kind").eq(lit("log")).and(col("event_type").in_list(types, false));
        Some(is_one.is_not_true())
    }

    /// The table with the columns that they may name.
    pub(super) fn of(
        self,
        context: &SessionContext,
        table: Arc<dyn TableProvider>,
    ) -> Result<Arc<dyn TableProvider>> {
        if self.content {
            return Ok(table);
        }
        let (frame, table) = (context.read_table(table)?, schema());
        let names = table.fields().iter().map(|field| field.name().as_str());
        let shown: Vec<&str> = names.filter(|name| !is_content(name)).collect();
        Ok(frame.select_columns(&shown)?.into_view())
    }
}

fn is_content(column: &str) -> bool {
    OTHERS.contains(&column) || Part::from_name(column).is_some()
}
