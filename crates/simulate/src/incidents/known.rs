//! The incidents that the rules were written by: one event a step, in the words of Python
//! frameworks.

use super::Template;
use super::script::Script;
use serde_json::json;

pub(super) const TEMPLATES: &[Template] = &[
    ("503, retried, breaker, fallback, human", Some("tool_outage"), outage),
    ("connection refused", Some("tool_outage"), refused_connection),
    ("one call takes too long", Some("tool_timeout"), one_timeout),
    ("three calls take too long", Some("tool_timeout"), three_timeouts),
    ("the model answers 429", Some("rate_limit"), model_rate_limit),
    ("a tool answers 429 until retries are used up", Some("rate_limit"), tool_rate_limit),
    ("a tool answers 401", Some("authentication_failure"), unauthorized),
    ("the model's key is invalid", Some("authentication_failure"), invalid_key),
    ("the request does not pass validation", Some("bad_input"), bad_request),
    ("a tool answers 422", Some("wrong_tool_arguments"), unprocessable),
    ("an argument that the tool does not have", Some("wrong_tool_arguments"), unexpected_keyword),
    ("a tool answers 404 after a limit that passed", Some("data_not_found"), not_found),
    ("a retrieval without hits", Some("data_not_found"), no_hits),
    ("the model's filter stops", Some("model_refusal"), content_filter),
    ("the prompt is too long", Some("context_overflow"), too_long),
    ("a person denies", Some("approval_denied"), denied),
    ("a person stops the agent", Some("human_override"), stopped),
    ("an intent without outcome", Some("missing_result"), no_outcome),
    ("a worker dies and takes its callers along", Some("sub_agent_failure"), cascade),
    ("a policy refuses the tool", Some("policy_denied"), policy),
];

fn outage(s: &mut Script) {
    s.asked("Router", "Cancel my order");
    s.works("Support", "get_order");
    s.add(
        "agent.handoff",
        "Support",
        json!({
            "action": "handoff:Orders", "params": {"target": "Orders"}, "outcome": "success",
        }),
    );
    let tool = s.pick(&["cancel_order", "void_payment", "release_stock"]);
    let mut before = Vec::new();
    for attempt in 1..3 {
        s.wait(10_000, 11_000);
        before.push(s.fails(
            "Orders",
            tool,
            json!({
                "outcome": "timeout", "error_type": "TimeoutError", "duration_ms": 10_200,
                "error": "no answer within 10 s; upstream status 503 Service Unavailable",
                "caused_by": before, "params": {"timeout_s": 10},
                "attributes": {"http.response.status_code": 503, "attempt": attempt},
            }),
        ));
    }
    s.parent = before.last().cloned();
    s.add(
        "agent.decision",
        "Orders",
        json!({
            "action": "circuit_breaker:open", "outcome": "denied", "params": {"failures": 2},
        }),
    );
    s.add(
        "agent.decision",
        "Orders",
        json!({
            "action": "decision:fallback", "outcome": "success", "params": {"fallback": "queue"},
        }),
    );
    s.add(
        "agent.human_intervention",
        "Orders",
        json!({
            "action": "human_intervention:escalation", "outcome": "escalated",
        }),
    );
}

fn refused_connection(s: &mut Script) {
    s.asked("Report", "Weekly figures");
    s.works("Report", "list_sources");
    s.fails(
        "Report",
        "load_figures",
        json!({
            "outcome": "failure", "error_type": "ConnectionRefusedError",
            "error": "[Errno 111] Connection refused",
        }),
    );
    s.add(
        "agent.error",
        "Report",
        json!({
            "error_type": "RuntimeError", "error": "report failed: no figures",
        }),
    );
}

fn one_timeout(s: &mut Script) {
    s.asked("Search", "Find a cheap flight");
    s.thinks("Search", "ask the airline");
    s.fails(
        "Search",
        "airline_search",
        json!({
            "outcome": "timeout", "error_type": "TimeoutError", "error": "timed out after 8 s",
            "duration_ms": 8_003, "params": {"timeout_ms": 8_000},
        }),
    );
    s.answers("Search", "The airline did not answer. Please try again later.");
}

fn three_timeouts(s: &mut Script) {
    s.asked("Lab", "Run the simulation");
    s.works("Lab", "get_parameters");
    for attempt in 1..4 {
        s.fails(
            "Lab",
            "simulate",
            json!({
                "outcome": "timeout", "duration_ms": 60_000, "attributes": {"attempt": attempt},
            }),
        );
    }
    s.add("agent.error", "Lab", json!({"error_type": "GaveUp", "error": "gave up"}));
}

fn model_rate_limit(s: &mut Script) {
    s.asked("Chat", "Tell me a story");
    s.add(
        "agent.llm_response",
        "Chat",
        json!({
            "outcome": "failure", "error_type": "RateLimitError", "model": "sage-2",
            "error": "Rate limit reached for requests per minute",
            "attributes": {"http.response.status_code": 429},
        }),
    );
    s.add(
        "agent.error",
        "Chat",
        json!({
            "error_type": "RuntimeError", "error": "no answer from the model",
        }),
    );
}

fn tool_rate_limit(s: &mut Script) {
    s.asked("News", "What happened today?");
    for attempt in 1..4 {
        s.fails(
            "News",
            "news_api",
            json!({
                "outcome": "failure", "error": "Too Many Requests",
                "attributes": {"http.status_code": 429, "attempt": attempt},
            }),
        );
        s.wait(1_000, 4_000);
    }
    s.answers("News", "The news service does not take more questions now.");
}

fn unauthorized(s: &mut Script) {
    s.asked("Calendar", "Move the meeting");
    s.works("Calendar", "find_meeting");
    s.fails(
        "Calendar",
        "move_meeting",
        json!({
            "outcome": "failure", "error_type": "HTTPStatusError", "error": "401 Unauthorized",
            "attributes": {"http.response.status_code": 401},
        }),
    );
    s.answers("Calendar", "I am not allowed to move it.");
}

fn invalid_key(s: &mut Script) {
    s.asked("Summary", "Sum this up");
    s.add(
        "agent.llm_response",
        "Summary",
        json!({
            "outcome": "failure", "error_type": "AuthenticationError", "model": "sage-2",
            "error": "Incorrect API key provided",
        }),
    );
    s.add("agent.error", "Summary", json!({"error": "the run was aborted"}));
}

fn bad_request(s: &mut Script) {
    let root = s.asked("Orders", "");
    s.amend(
        &root,
        json!({
            "outcome": "failure", "error_type": "ValidationError",
            "error": "the request has no customer number",
        }),
    );
    s.answers("Orders", "Please tell me your customer number.");
}

fn unprocessable(s: &mut Script) {
    s.asked("Bank", "Transfer 20 euros");
    s.works("Bank", "get_account");
    s.fails(
        "Bank",
        "transfer",
        json!({
            "outcome": "failure", "error_type": "ValidationError",
            "error": "422 Unprocessable Entity: field 'iban' is missing",
            "attributes": {"http.response.status_code": 422},
        }),
    );
    s.answers("Bank", "The transfer was not made.");
}

fn unexpected_keyword(s: &mut Script) {
    s.asked("Maps", "How far is it?");
    s.fails(
        "Maps",
        "distance",
        json!({
            "outcome": "failure", "error_type": "TypeError",
            "error": "distance() got an unexpected keyword argument 'units'",
        }),
    );
    s.add("agent.error", "Maps", json!({"error_type": "RuntimeError", "error": "no distance"}));
}

fn not_found(s: &mut Script) {
    s.asked("Library", "Renew my book");
    let first = s.fails(
        "Library",
        "get_reader",
        json!({
            "outcome": "failure", "error_type": "RateLimitError", "attributes": {"call_id": "r1"},
        }),
    );
    s.fails(
        "Library",
        "get_reader",
        json!({
            "outcome": "success", "duration_ms": 90, "caused_by": [first],
            "attributes": {"call_id": "r2", "retry_of": "r1"},
        }),
    );
    s.fails(
        "Library",
        "get_loan",
        json!({
            "outcome": "failure", "error_type": "NotFoundError", "error": "404: no loan 4711",
            "attributes": {"http.response.status_code": 404},
        }),
    );
    s.answers("Library", "There is no such loan.");
}

fn no_hits(s: &mut Script) {
    s.asked("Docs", "How do I reset the device?");
    s.add(
        "agent.retrieval",
        "Docs",
        json!({
            "action": "retrieval:manuals", "outcome": "success", "context": [],
        }),
    );
    s.add(
        "agent.decision",
        "Docs",
        json!({
            "action": "decision:no_answer", "outcome": "failure", "confidence": 0.1,
        }),
    );
}

fn content_filter(s: &mut Script) {
    s.asked("Story", "Write a scene");
    s.add("agent.llm_response", "Story", json!({
        "model": "sage-2", "outcome": "failure", "attributes": {"finish_reason": "content_filter"},
    }));
    s.answers("Story", "I cannot write that.");
}

fn too_long(s: &mut Script) {
    s.asked("Reader", "Sum up the book");
    s.works("Reader", "load_book");
    s.add(
        "agent.llm_response",
        "Reader",
        json!({
            "model": "sage-2", "outcome": "failure", "error_type": "BadRequestError",
            "error": "context_length_exceeded: maximum context length is 128000 tokens",
            "attributes": {"http.response.status_code": 400},
        }),
    );
    s.add("agent.error", "Reader", json!({"error": "could not sum up"}));
}

fn denied(s: &mut Script) {
    s.asked("Payroll", "Pay the bonus");
    s.works("Payroll", "get_salary");
    s.add(
        "agent.human_intervention",
        "Payroll",
        json!({
            "action": "approval:denied", "outcome": "denied", "approver": "m.weber",
            "params": {"tool": "pay_bonus"},
        }),
    );
    s.fails(
        "Payroll",
        "pay_bonus",
        json!({
            "outcome": "denied", "error_type": "PermissionError", "error": "approval denied",
        }),
    );
}

fn stopped(s: &mut Script) {
    s.asked("Cleaner", "Delete old files");
    s.works("Cleaner", "list_files");
    s.works("Cleaner", "delete_file");
    s.add("agent.human_intervention", "Cleaner", json!({
        "action": "human_intervention:stop", "outcome": "cancelled", "params": {"by": "operator"},
    }));
    s.fails("Cleaner", "delete_file", json!({"outcome": "cancelled"}));
}

fn no_outcome(s: &mut Script) {
    s.asked("Post", "Send the letter");
    s.works("Post", "get_address");
    s.add(
        "agent.tool_call",
        "Post",
        json!({
            "tool": "send_letter", "phase": "intent", "attributes": {"call_id": "send-1"},
        }),
    );
    s.wait(30_000, 60_000);
    s.add(
        "agent.human_intervention",
        "Post",
        json!({
            "action": "human_intervention:escalation", "outcome": "escalated",
        }),
    );
}

fn cascade(s: &mut Script) {
    let root = s.asked("Manager", "Translate the site");
    let middle = s.enter("agent.invocation", "Translator", json!({"source": "Manager"}));
    let worker = s.enter("agent.invocation", "Worker", json!({"source": "Translator"}));
    s.works("Worker", "load_page");
    s.add(
        "agent.error",
        "Worker",
        json!({
            "error_type": "RuntimeError", "error": "worker died",
        }),
    );
    s.amend(&worker, json!({"outcome": "failure"}));
    s.amend(&middle, json!({"outcome": "failure", "error_type": "AgentError"}));
    s.amend(&root, json!({"outcome": "failure", "error_type": "AgentError"}));
}

fn policy(s: &mut Script) {
    s.asked("Admin", "Drop the table");
    s.works("Admin", "list_tables");
    s.add(
        "agent.security",
        "Admin",
        json!({
            "action": "guardrail:blocked", "outcome": "denied", "tool": "drop_table",
            "params": {"policy": "no-destructive-sql"},
        }),
    );
    s.fails("Admin", "drop_table", json!({"outcome": "denied"}));
    s.answers("Admin", "I may not drop tables.");
}
