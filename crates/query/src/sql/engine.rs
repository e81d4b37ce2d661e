//! The second wall, and the limits: an engine that has one table, the functions of the list, a
//! bounded pool of memory and no disk, on threads of its own that are given up when time is over.

use super::answer::{Answer, Cut};
use super::error::SqlError;
use super::functions;
use super::guard;
use super::metered::Meters;
use super::provider::Events;
use super::shown::Shown;
use crate::columns::Columns;
use datafusion::common::DataFusionError;
use datafusion::execution::context::{SQLOptions, SessionContext};
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::SessionConfig;
use datafusion::sql::parser::Statement;
use futures::StreamExt as _;
use segment::SegmentError;
use std::error::Error as _;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;
use tokio::runtime::Runtime;

/// The stack of a thread that reads, plans and runs statements. With the limits of `guard/size.rs`
/// no statement needs a quarter of it, however it nests.
pub(super) const STACK_BYTES: usize = 64 << 20;

/// What a statement may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Time from the question to the whole answer.
    pub time: Duration,
    /// Memory for sorting, grouping and joining, in bytes.
    pub memory: usize,
    /// Rows of the answer; the rest is cut off, and the answer says so.
    pub rows: usize,
    /// Bytes of the answer in memory; likewise.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time: Duration::from_secs(30), memory: 256 << 20, rows: 10_000, bytes: 64 << 20 }
    }
}

/// Answers questions in SQL about one log.
pub struct Sql {
    columns: Arc<Columns>,
    shown: Shown,
    /// Gone only while it is dropped.
    runtime: Option<Runtime>,
}

impl Sql {
    /// An engine over these records.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn new(columns: Arc<Columns>) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("sql")
            .thread_stack_size(STACK_BYTES)
            .enable_time()
            .build()?;
        Ok(Self { columns, shown: Shown::ALL, runtime: Some(runtime) })
    }

    /// The same for somebody who may see only this.
    #[must_use]
    pub fn showing(mut self, shown: Shown) -> Self {
        self.shown = shown;
        self
    }

    /// The answer to one statement.
    ///
    /// # Errors
    /// [`SqlError`], which says what to do.
    pub fn ask(&self, sql: &str, limits: &Limits) -> Result<Answer, SqlError> {
        let gone = || SqlError::Failed("the engine is being closed".to_owned());
        let runtime = self.runtime.as_ref().ok_or_else(gone)?;
        let table = (Arc::clone(&self.columns), self.shown);
        let (text, most) = (sql.to_owned(), *limits);
        let (tell, told) = sync_channel(1);
        // Reading and planning are done there too: they recurse.
        let task = runtime.spawn(async move {
            let outcome = answer(table, &text, most).await;
            // Nobody waits any more when time is over.
            let _ = tell.send(outcome);
        });
        match told.recv_timeout(limits.time) {
            Ok(outcome) => outcome,
            Err(RecvTimeoutError::Timeout) => {
                task.abort();
                Err(SqlError::Timeout(limits.time))
            }
            // The task ended without a word.
            Err(RecvTimeoutError::Disconnected) => {
                Err(SqlError::Failed("the engine gave up on it".to_owned()))
            }
        }
    }
}

impl Drop for Sql {
    fn drop(&mut self) {
        // A statement whose time is over ends at its next step; nobody waits for it.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn answer(
    table: (Arc<Columns>, Shown),
    sql: &str,
    limits: Limits,
) -> Result<Answer, SqlError> {
    let statement = guard::parse(sql)?;
    let told = |error: DataFusionError| tell(&error, &limits);
    let context = context(table, &limits).map_err(told)?;
    let state = context.state();
    let plan =
        state.statement_to_plan(Statement::Statement(Box::new(statement))).await.map_err(told)?;
    let only_read = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false);
    only_read.with_allow_statements(false).verify_plan(&plan).map_err(told)?;
    let plan = state.create_physical_plan(&plan).await.map_err(told)?;
    let schema = plan.schema();
    let mut stream = execute_stream(plan, context.task_ctx()).map_err(told)?;
    let (mut batches, mut rows, mut bytes, mut cut) = (Vec::new(), 0, 0, None);
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(told)?;
        let room = limits.rows - rows;
        if batch.num_rows() > room {
            cut = Some(Cut::Rows);
            batches.push(batch.slice(0, room));
            break;
        }
        bytes += batch.get_array_memory_size();
        if bytes > limits.bytes {
            cut = Some(Cut::Bytes);
            break;
        }
        rows += batch.num_rows();
        batches.push(batch);
    }
    Ok(Answer::new(schema, batches, cut))
}

/// An engine for one statement.
fn context(
    (columns, shown): (Arc<Columns>, Shown),
    limits: &Limits,
) -> Result<SessionContext, DataFusionError> {
    let no_disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(GreedyMemoryPool::new(limits.memory)))
        .with_disk_manager_builder(no_disk)
        .build_arc()?;
    // One partition: the order of rows, and of floating-point sums, never depends on which thread
    // was faster.
    let config = SessionConfig::new()
        .with_target_partitions(1)
        .with_information_schema(false)
        .with_create_default_catalog_and_schema(true);
    let mut rules = PhysicalOptimizer::new().rules;
    rules.push(Arc::new(Meters));
    let builder = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_physical_optimizer_rules(rules);
    let context = SessionContext::new_with_state(functions::offer(builder).build());
    let table = shown.of(&context, Arc::new(Events { columns, is_there: shown.is_there() }))?;
    context.register_table(guard::TABLE, table)?;
    Ok(context)
}

/// What the engine says, in our words.
fn tell(error: &DataFusionError, limits: &Limits) -> SqlError {
    let root = error.find_root();
    match root {
        DataFusionError::ResourcesExhausted(_) => SqlError::Memory(limits.memory),
        DataFusionError::Plan(text) | DataFusionError::NotImplemented(text) => {
            SqlError::Plan(text.clone())
        }
        DataFusionError::SchemaError(text, _) => SqlError::Plan(text.to_string()),
        DataFusionError::SQL(text, _) => SqlError::Plan(text.to_string()),
        DataFusionError::External(inner) => match inner.downcast_ref::<SegmentError>() {
            Some(damage) => SqlError::Damaged(damage.to_string()),
            None => SqlError::Failed(inner.to_string()),
        },
        DataFusionError::Execution(text) => SqlError::Failed(text.clone()),
        other => {
            let deepest = other.source().map_or_else(|| other.to_string(), ToString::to_string);
            SqlError::Failed(deepest)
        }
    }
}
