//! Which chunks a condition needs: those of which the footer does not say that none of their rows
//! fulfils it.

use crate::columns::{Columns, field};
use arrow_array::{Array, ArrayRef, BooleanArray, UInt64Array};
use arrow_schema::SchemaRef;
use datafusion::arrow::compute::{cast, interleave};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, ScalarValue};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use segment::Extremes;
use std::collections::HashSet;
use std::sync::Arc;

/// The chunks that may hold a row that fulfils the condition.
pub(super) fn chunks(
    columns: &Arc<Columns>,
    condition: Option<&Arc<dyn PhysicalExpr>>,
    schema: &SchemaRef,
) -> Vec<usize> {
    let all = || (0..columns.chunk_count()).collect();
    let Some(condition) = condition else { return all() };
    let predicate = PruningPredicateBuilder::new()
        .with_file_schema(Arc::clone(schema))
        .try_build(Arc::clone(condition));
    let Ok(predicate) = predicate else { return all() };
    if predicate.always_true() {
        return all();
    }
    // What cannot be told is not left out.
    match predicate.prune(&Footers { columns, schema }) {
        Ok(kept) => (0..).zip(kept).filter(|(_, kept)| *kept).map(|(chunk, _)| chunk).collect(),
        Err(_) => all(),
    }
}

struct Footers<'c> {
    columns: &'c Columns,
    schema: &'c SchemaRef,
}

impl Footers<'_> {
    /// One value of each chunk, null where nothing is known.
    fn values(&self, column: &Column, pick: impl Fn(Extremes) -> ArrayRef) -> Option<ArrayRef> {
        let name = column.name.as_str();
        // Computed columns have no values in the footer, or others.
        if field(name)?.from != crate::columns::From::Column {
            return None;
        }
        let wanted = self.schema.field_with_name(name).ok()?.data_type();
        let unknown = arrow_array::new_null_array(wanted, 1);
        let mut arrays = vec![unknown];
        let mut places = vec![None; self.columns.segments().len()];
        for (segment, place) in self.columns.segments().iter().zip(&mut places) {
            if let Some(told) = segment.extremes(name).map(&pick)
                && let Ok(told) = cast(&told, wanted)
            {
                *place = Some(arrays.len());
                arrays.push(told);
            }
        }
        let of = |chunk| {
            let (segment, group) = self.columns.group_of(chunk)?;
            Some((places.get(segment).copied().flatten()?, group))
        };
        let indices: Vec<(usize, usize)> =
            (0..self.columns.chunk_count()).map(|chunk| of(chunk).unwrap_or((0, 0))).collect();
        let arrays: Vec<&dyn Array> = arrays.iter().map(|array| &**array).collect();
        interleave(&arrays, &indices).ok()
    }
}

impl PruningStatistics for Footers<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.values(column, |extremes| extremes.least)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.values(column, |extremes| extremes.greatest)
    }

    fn num_containers(&self) -> usize {
        self.columns.chunk_count()
    }

    fn null_counts(&self, _: &Column) -> Option<ArrayRef> {
        None
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        let rows = (0..self.columns.chunk_count()).map(|chunk| self.columns.rows_in(chunk));
        Some(Arc::new(UInt64Array::from_iter_values(rows.map(|rows| rows as u64))))
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}
