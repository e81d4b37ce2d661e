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
pub(super) struct Events(pub(super) Arc<Columns>);

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
        let condition = match conjunction(filters.iter().cloned()) {
            Some(condition) => {
                let named = DFSchema::try_from(Arc::clone(&table))?;
                Some(state.create_physical_expr(condition, &named)?)
            }
            None => None,
        };
        let chunks = prune::chunks(&self.0, condition.as_ref(), &table);
        let wanted: Vec<_> = match projection {
            Some(positions) => {
                positions.iter().filter_map(|at| fields().get(*at).copied()).collect()
            }
            None => fields().to_vec(),
        };
        Ok(Arc::new(Scan::new(Arc::clone(&self.0), wanted, condition, chunks, limit)?))
    }
}
