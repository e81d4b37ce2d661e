//! The table `events` as the engine sees it.

use super::prune;
use super::scan::Scan;
use crate::columns::{Columns, fields, schema};
use arrow_schema::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use std::sync::Arc;

/// The table.
#[derive(Debug)]
pub(super) struct Events {
    pub(super) columns: Arc<Columns>,
    /// What a row must fulfil to be there at all. It is looked at before any condition of the
    /// statement, which could otherwise tell of the others by failing.
    pub(super) is_there: Option<Expr>,
}

#[async_trait]
impl TableProvider for Events {
    fn schema(&self) -> SchemaRef {
        schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// Every condition is applied while reading: what a row must hold to count is decided before
    /// the rest of the row is read.
    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Exact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let table = schema();
        let named = DFSchema::try_from(Arc::clone(&table))?;
        let physical = |expression: Option<Expr>| {
            expression.map(|it| state.create_physical_expr(it, &named)).transpose()
        };
        let condition = physical(conjunction(filters.iter().cloned()))?;
        let is_there = physical(self.is_there.clone())?;
        let chunks = prune::chunks(&self.columns, condition.as_ref(), &table);
        let wanted: Vec<_> = match projection {
            Some(positions) => {
                positions.iter().filter_map(|at| fields().get(*at).copied()).collect()
            }
            None => fields().to_vec(),
        };
        let columns = Arc::clone(&self.columns);
        Ok(Arc::new(Scan::new(columns, wanted, [is_there, condition], chunks, limit)?))
    }
}
