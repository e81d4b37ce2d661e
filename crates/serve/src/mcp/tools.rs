//! The tools: one for each thing that people ask of an audit log, and all of them only read.

use super::checks::Checks;
use super::clean;
use super::envelope::{self, Answer};
use super::source::{Access, Failure, Rights, Source};
use super::{checks, events, figures, forensics, input, traces};
use query::AsOf;
use reading::View;
use rmcp::model::{Tool, ToolAnnotations};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Bytes of a question that are recorded with the access.
const QUESTION_BYTES_MAX: usize = 4 << 10;

/// The tools over one log, for one caller. Cheap to clone.
#[derive(Clone)]
pub struct Tools {
    source: Arc<dyn Source>,
    checks: Arc<Checks>,
}

/// What a tool answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The document: `{"tool", "note", "checkpoint", "untrusted_data", ...}`.
    pub document: Value,
    /// One sentence of ours about it, with nothing of the log's in it.
    pub text: String,
}

/// One call.
pub(crate) struct Call<'c> {
    pub source: &'c dyn Source,
    pub checks: &'c Arc<Checks>,
    pub view: &'c Arc<View>,
    pub arguments: &'c Value,
    pub rights: Rights,
}

impl Call<'_> {
    /// The checkpoint of today.
    pub(crate) fn as_of(&self) -> &AsOf {
        self.view.as_of()
    }

    /// What is shown, when the caller wants metadata only.
    pub(crate) fn shown(&self, metadata_only: bool) -> Rights {
        Rights { content: self.rights.content && !metadata_only, ..self.rights }
    }
}

/// One tool.
struct Entry {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    schema: fn() -> Map<String, Value>,
    run: fn(&Call<'_>) -> Result<Answer, Failure>,
}

/// All of them.
const TABLE: &[Entry] = &[
    Entry {
        name: "recent_events",
        title: "Show me the audit log",
        description: "The newest events of the audit log, newest first: who did what, when, with \
            which tool, and how it ended. Use it for \"show me the audit log\".",
        schema: input::schema_of::<input::Recent>,
        run: events::recent,
    },
    Entry {
        name: "search_events",
        title: "Search the audit log",
        description: "Events that match filters (agent, type, session, trace, task, tool, principal, \
            outcome, error class, tier, time) and words, page by page.",
        schema: input::schema_of::<input::Search>,
        run: events::search,
    },
    Entry {
        name: "get_event",
        title: "Show one event and its proof",
        description: "One event in full, by id or index; with proof=true also what proves that the \
            log holds it.",
        schema: input::schema_of::<input::One>,
        run: events::one,
    },
    Entry {
        name: "trace_task",
        title: "Trace a task",
        description: "Everything that happened in a task, trace or session, in causal order, as a \
            tree: parents, causes, durations, errors, sums. Use it for \"trace task X\".",
        schema: input::schema_of::<input::Traced>,
        run: traces::trace,
    },
    Entry {
        name: "session_timeline",
        title: "What did the agent do?",
        description: "The timeline of a session: time, agent, action, duration, status. Without a \
            session it lists the sessions. Use it for \"what did the agent do?\".",
        schema: input::schema_of::<input::Session>,
        run: traces::session,
    },
    Entry {
        name: "error_summary",
        title: "Show error summary",
        description: "Errors of a period, counted by class, agent and tool, and the latest of them.",
        schema: input::schema_of::<input::Period>,
        run: figures::errors,
    },
    Entry {
        name: "audit_agent",
        title: "Audit an agent",
        description: "What one agent did: its figures and its newest events. Without a name it lists \
            the agents. Use it for \"audit agent X\".",
        schema: input::schema_of::<input::Agent>,
        run: events::agent,
    },
    Entry {
        name: "forensic_analysis",
        title: "Run forensic analysis",
        description: "What went wrong in a task, trace or session: what failed first and why, by rules \
            that are named, what led to it, what came after, failures by tool, what to do, and what \
            is odd (missing parents, calls without results, circles, unreadable records). It \
            reports what the log shows and names no cause that it does not.",
        schema: input::schema_of::<input::Traced>,
        run: forensics::run,
    },
    Entry {
        name: "compliance_report",
        title: "Generate compliance report",
        description: "What the log shows about a period as evidence towards an audit: events, errors, \
            decisions, handoffs, human interventions, refusals, gaps, removals, accesses, and whether \
            the log was verified. It says what it does not assess; it never says compliant.",
        schema: input::schema_of::<input::Period>,
        run: figures::compliance,
    },
    Entry {
        name: "export_events",
        title: "Export audit data",
        description: "Events in full as stored, oldest first, page by page. The log records it.",
        schema: input::schema_of::<input::Export>,
        run: events::export,
    },
    Entry {
        name: "verify_log",
        title: "Verify the audit log",
        description: "Checks the whole log: signatures, tree, every record, every file. A large log \
            takes longer than one call; call again for the outcome.",
        schema: input::schema_of::<input::Nothing>,
        run: checks::verify,
    },
];

impl Tools {
    /// The tools over a source. `checks` are shared by all who ask in this process.
    #[must_use]
    pub fn new(source: Arc<dyn Source>, checks: Arc<Checks>) -> Self {
        Self { source, checks }
    }

    /// What there is, as clients are told.
    #[must_use]
    pub fn catalogue() -> Vec<Tool> {
        let output = Arc::new(envelope::schema());
        let tool = |entry: &Entry| {
            let annotations = ToolAnnotations::with_title(entry.title)
                .read_only(true)
                .destructive(false)
                .idempotent(true)
                .open_world(false);
            Tool::new(entry.name, entry.description, Arc::new((entry.schema)()))
                .with_title(entry.title)
                .with_raw_output_schema(Arc::clone(&output))
                .with_annotations(annotations)
        };
        TABLE.iter().map(tool).collect()
    }

    /// Calls a tool; `None` when there is none of this name. It may wait, so it is to be called on
    /// a thread that may. What it hands out is recorded before it returns.
    #[must_use]
    pub fn call(&self, name: &str, arguments: &Value) -> Option<Result<Reply, Failure>> {
        let entry = TABLE.iter().find(|entry| entry.name == name)?;
        let reply = self.answer(entry, arguments);
        // What went wrong may quote the question, which a model may have from the log.
        Some(reply.map_err(|failure| Failure::new(clean::text(&failure.to_string(), 1024))))
    }

    fn answer(&self, entry: &Entry, arguments: &Value) -> Result<Reply, Failure> {
        let nothing = Value::Object(Map::new());
        let arguments = if arguments.is_null() { &nothing } else { arguments };
        let view = self.source.view()?;
        let call = Call {
            source: &*self.source,
            checks: &self.checks,
            view: &view,
            arguments,
            rights: self.source.rights(),
        };
        let answer = (entry.run)(&call)?;
        let (is_recorded, is_export) = (answer.has_content || answer.is_export, answer.is_export);
        let (size, text) = (answer.as_of.size, answer.summary.clone());
        let (document, records) = answer.wrap(entry.name);
        if is_recorded {
            let question = match clean::size(arguments) <= QUESTION_BYTES_MAX {
                true => arguments.clone(),
                false => json!({ "bytes": clean::size(arguments) }),
            };
            let tool = entry.name;
            self.source.record(Access { tool, question, records, size, is_export })?;
        }
        Ok(Reply { document, text })
    }
}
