//! Meters below and above operators that hold rows without asking the pool, or go on without ever
//! giving their thread away.
//!
//! Window functions hold all their rows. Joins of tables without columns, as `count(*)` over a
//! cross join makes them, hold batches that weigh nothing by their count, and make new ones for
//! hours without looking at anything that could stop them.

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::coop::make_cooperative;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties,
    ReplaceChildrenOptions, SendableRecordBatchStream,
};
use futures::StreamExt as _;
use std::fmt;
use std::sync::Arc;

/// What a batch takes beside its columns.
const BATCH_BYTES: usize = 512;

/// Puts meters where they are needed.
#[derive(Debug)]
pub(super) struct Meters;

impl PhysicalOptimizerRule for Meters {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| {
            let is_window = plan.downcast_ref::<WindowAggExec>().is_some()
                || plan.downcast_ref::<BoundedWindowAggExec>().is_some();
            let is_join = plan.name().ends_with("JoinExec");
            if !is_window && !is_join {
                return Ok(Transformed::no(plan));
            }
            let charge = if is_window { Charge::Rows } else { Charge::Batches };
            let children: Vec<_> =
                plan.children().into_iter().map(|child| Metered::around(child, charge)).collect();
            let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
            let plan = plan.replace_children(children, options)?;
            Ok(Transformed::yes(Metered::around(&plan, Charge::Nothing)))
        })
        .data()
    }

    fn name(&self) -> &str {
        "meters"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// What is taken from the pool for each batch that passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Charge {
    /// Nothing: whoever takes it counts it.
    Nothing,
    /// What the batch takes beside its columns, which are counted elsewhere.
    Batches,
    /// All of it.
    Rows,
}

/// Passes everything on, takes room for it in the pool until the end, and now and then lets others
/// run.
#[derive(Debug)]
struct Metered {
    plan: Arc<dyn ExecutionPlan>,
    charge: Charge,
}

impl Metered {
    fn around(plan: &Arc<dyn ExecutionPlan>, charge: Charge) -> Arc<dyn ExecutionPlan> {
        Arc::new(Self { plan: Arc::clone(plan), charge })
    }
}

impl DisplayAs for Metered {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Metered: {:?}", self.charge)
    }
}

impl ExecutionPlan for Metered {
    fn name(&self) -> &'static str {
        "Metered"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.plan.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.plan]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let charge = self.charge;
        Ok(children.pop().map_or(self, |child| Self::around(&child, charge)))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let held = MemoryConsumer::new("meter").register(context.memory_pool());
        let (schema, charge) = (self.plan.schema(), self.charge);
        let batches = self.plan.execute(partition, context)?.map(move |batch| {
            let batch = batch?;
            let mut bytes = if charge == Charge::Nothing { 0 } else { BATCH_BYTES };
            if charge == Charge::Rows {
                for array in batch.columns() {
                    bytes += array.to_data().get_slice_memory_size()?;
                }
            }
            held.try_grow(bytes)?;
            Ok(batch)
        });
        Ok(make_cooperative(Box::pin(RecordBatchStreamAdapter::new(schema, batches))))
    }
}
