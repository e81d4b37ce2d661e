//! Reading the table: chunk by chunk, in their order, the next ones ahead on other threads.
//!
//! The order never depends on which thread was faster, so that the same question gets the same
//! bytes again. First the columns of the condition are read; the others only where a row fulfils
//! it; texts are put together only for such rows.

use crate::columns::{Column, Columns, Field, From, Question, schema};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow_schema::{Schema, SchemaRef};
use datafusion::arrow::compute::{filter, prep_null_mask_filter};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, exec_err};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::utils::{collect_columns, reassign_expr_columns};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
    SendableRecordBatchStream,
};
use futures::{StreamExt as _, stream};
use segment::SegmentError;
use std::fmt;
use std::sync::Arc;

/// Rows of a batch that is handed on.
const BATCH_ROWS: usize = 8192;

/// The columns that a scan reads, and which rows.
#[derive(Debug)]
pub(super) struct Scan {
    work: Arc<Work>,
    chunks: Vec<usize>,
    limit: Option<usize>,
    properties: Arc<PlanProperties>,
}

/// What is done for each chunk.
#[derive(Debug)]
struct Work {
    columns: Arc<Columns>,
    wanted: Vec<Field>,
    schema: SchemaRef,
    /// What makes a row be there, and then what the statement asks of it: each is worked out only
    /// for the rows that fulfil the one before.
    conditions: Vec<Condition>,
}

/// What a row must fulfil.
#[derive(Debug)]
struct Condition {
    expression: Arc<dyn PhysicalExpr>,
    /// The columns that it mentions, which stand in this order in what it is worked out on.
    fields: Vec<Field>,
    schema: SchemaRef,
}

impl Scan {
    pub(super) fn new(
        columns: Arc<Columns>,
        wanted: Vec<Field>,
        conditions: [Option<Arc<dyn PhysicalExpr>>; 2],
        chunks: Vec<usize>,
        limit: Option<usize>,
    ) -> Result<Self> {
        let narrowed = narrowed(&wanted)?;
        let conditions = conditions.into_iter().flatten().map(Condition::new);
        let conditions = conditions.collect::<Result<_>>()?;
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&narrowed)),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let work = Arc::new(Work { columns, wanted, schema: narrowed, conditions });
        Ok(Self { work, chunks, limit, properties: Arc::new(properties) })
    }
}

/// The table's schema with only some columns.
fn narrowed(fields: &[Field]) -> Result<SchemaRef> {
    let positions: Vec<usize> = fields.iter().map(|field| field.position).collect();
    Ok(Arc::new(schema().project(&positions)?))
}

impl Condition {
    fn new(expression: Arc<dyn PhysicalExpr>) -> Result<Self> {
        let mut fields: Vec<Field> = collect_columns(&expression)
            .iter()
            .filter_map(|column| crate::columns::field(column.name()))
            .collect();
        fields.sort_by_key(|field| field.position);
        let schema = narrowed(&fields)?;
        let expression = reassign_expr_columns(expression, &schema)?;
        Ok(Self { expression, fields, schema })
    }
}

impl Work {
    /// The rows of a chunk that count, with the wanted columns.
    fn read(&self, question: Question, chunk: usize) -> Result<RecordBatch> {
        let rows = self.columns.rows_in(chunk);
        let mut mask: Option<BooleanArray> = None;
        for condition in &self.conditions {
            let before = mask.take().filter(|mask| mask.true_count() < rows);
            mask = Some(self.mask(condition, question, chunk, rows, before.as_ref())?);
        }
        let chosen = mask.as_ref().map_or(rows, BooleanArray::true_count);
        if chosen == 0 {
            return Ok(RecordBatch::new_empty(Arc::clone(&self.schema)));
        }
        let mask = mask.filter(|_| chosen < rows);
        let arrays = self.arrays(&self.wanted, question, chunk, rows, mask.as_ref())?;
        batch(&self.schema, arrays, chosen)
    }

    /// Which rows fulfil the condition, of those `among` which it is asked.
    fn mask(
        &self,
        condition: &Condition,
        question: Question,
        chunk: usize,
        rows: usize,
        among: Option<&BooleanArray>,
    ) -> Result<BooleanArray> {
        let asked = among.map_or(rows, BooleanArray::true_count);
        let arrays = self.arrays(&condition.fields, question, chunk, rows, among)?;
        let batch = batch(&condition.schema, arrays, asked)?;
        let told = condition.expression.evaluate(&batch)?.into_array(asked)?;
        let Some(told) = told.as_boolean_opt() else { return exec_err!("a condition is no truth") };
        let told = if told.null_count() > 0 { prep_null_mask_filter(told) } else { told.clone() };
        let Some(among) = among else { return Ok(told) };
        let mut told = told.values().iter();
        Ok(among.values().iter().map(|asked| Some(asked && told.next() == Some(true))).collect())
    }

    fn arrays(
        &self,
        fields: &[Field],
        question: Question,
        chunk: usize,
        rows: usize,
        mask: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let is_text = |field: &&Field| matches!(field.from, From::Meta | From::Content);
        let plain: Vec<Field> = fields.iter().filter(|field| !is_text(field)).copied().collect();
        let loaded = self.columns.columns(question, chunk, &plain).map_err(damaged)?;
        let mut loaded = loaded.iter();
        let mut texts = None;
        if fields.iter().any(|field| is_text(&field)) {
            texts = Some(self.columns.texts(chunk, mask).map_err(damaged)?);
        }
        let table = schema();
        let array = |field: &Field| match (field.from, &texts) {
            (From::Meta, Some(texts)) => Ok(Arc::new(texts.meta.clone()) as ArrayRef),
            (From::Content, Some(texts)) => Ok(Arc::new(texts.content.clone()) as ArrayRef),
            _ => {
                let Some(column) = loaded.next() else { return exec_err!("a column is missing") };
                let data_type = table.field(field.position).data_type();
                let array = Column::array(column, rows, data_type);
                Ok(match mask {
                    Some(mask) => filter(&array, mask)?,
                    None => array,
                })
            }
        };
        fields.iter().map(array).collect()
    }
}

fn batch(schema: &Arc<Schema>, arrays: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options)?)
}

/// Damage as the engine passes it on; `engine.rs` finds it there.
fn damaged(error: SegmentError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

impl DisplayAs for Scan {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.work.wanted.iter().map(|field| field.name).collect();
        let of = self.work.columns.chunk_count();
        write!(
            f,
            "EventsScan: columns=[{}], chunks={} of {of}",
            names.join(", "),
            self.chunks.len()
        )?;
        for condition in &self.work.conditions {
            write!(f, ", condition={}", condition.expression)?;
        }
        if let Some(limit) = self.limit {
            write!(f, ", limit={limit}")?;
        }
        Ok(())
    }
}

impl ExecutionPlan for Scan {
    fn name(&self) -> &'static str {
        "EventsScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        see: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        for condition in &self.work.conditions {
            if see(&condition.expression)? != TreeNodeRecursion::Continue {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, _: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let question = self.work.columns.begin();
        let ahead = self.work.columns.threads();
        let work = Arc::clone(&self.work);
        let read = move |chunk| {
            let work = Arc::clone(&work);
            let task = tokio::task::spawn_blocking(move || work.read(question, chunk));
            async move {
                match task.await {
                    Ok(outcome) => outcome,
                    Err(error) => exec_err!("a reader gave up: {error}"),
                }
            }
        };
        let mut left = self.limit.unwrap_or(usize::MAX);
        let batches = stream::iter(self.chunks.clone())
            .map(read)
            .buffered(ahead)
            .flat_map(|outcome| stream::iter(pieces(outcome)))
            .map(move |piece| {
                let piece = piece?;
                let rows = piece.num_rows().min(left);
                left -= rows;
                Ok(piece.slice(0, rows))
            })
            .take_while(|piece| {
                let goes_on = piece.as_ref().map_or(true, |piece| piece.num_rows() > 0);
                std::future::ready(goes_on)
            });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.work.schema), batches)))
    }
}

/// A batch as pieces that the engine likes; none of them is empty.
fn pieces(outcome: Result<RecordBatch>) -> Vec<Result<RecordBatch>> {
    match outcome {
        Ok(batch) => {
            let rows = batch.num_rows();
            let piece = |from| Ok(batch.slice(from, BATCH_ROWS.min(rows - from)));
            (0..rows).step_by(BATCH_ROWS).map(piece).collect()
        }
        Err(error) => vec![Err(error)],
    }
}
