//! Incidents that no rule was written by: other frameworks' words, spans that end after their
//! children, errors that stand in events of their own. Whoever changes a rule of forensics counts
//! these and does not read which of them missed.

use super::Template;
use super::script::Script;
use serde_json::json;

pub(super) const TEMPLATES: &[Template] = &[
    ("gRPC UNAVAILABLE in a span", Some("tool_outage"), grpc_unavailable),
    ("a host name that does not resolve, below a sub-agent", Some("tool_outage"), no_such_host),
    ("a bad gateway after a hiccup that passed", Some("tool_outage"), bad_gateway),
    ("DEADLINE_EXCEEDED in a span", Some("tool_timeout"), deadline),
    ("an error event says that the call took too long", Some("tool_timeout"), late_error_event),
    ("RESOURCE_EXHAUSTED from the model", Some("rate_limit"), resource_exhausted),
    ("a throttled cloud API", Some("rate_limit"), throttled),
    ("a token that has expired", Some("authentication_failure"), expired_token),
    ("UNAUTHENTICATED behind an agent", Some("authentication_failure"), unauthenticated),
    ("a file that cannot be read comes in", Some("bad_input"), unreadable_upload),
    ("the model's arguments are not JSON", Some("wrong_tool_arguments"), arguments_not_json),
    ("a schema says that a field is required", Some("wrong_tool_arguments"), schema_refuses),
    ("no rows in result set", Some("data_not_found"), no_rows),
    ("a file that is not there", Some("data_not_found"), no_file),
    ("a model that is sorry", Some("model_refusal"), sorry),
    ("an answer cut off at its length", Some("context_overflow"), cut_off),
    ("a reviewer rejects inside the call", Some("approval_denied"), rejected),
    ("an operator takes over", Some("human_override"), takeover),
    ("the process dies in the middle of a call", Some("missing_result"), crash),
    ("a specialist fails and says nothing", Some("sub_agent_failure"), silent_specialist),
];

fn grpc_unavailable(s: &mut Script) {
    let root = s.asked("Concierge", "Book a table for four");
    s.thinks("Concierge", "look for a table");
    let tool = s.pick(&["tables.v1/Reserve", "rooms.v2/Hold"]);
    let call = s.fails("Concierge", tool, json!({}));
    s.wait(800, 2_000);
    s.amend(
        &call,
        json!({
            "outcome": "failure", "error_type": "StatusCode.UNAVAILABLE",
            "error": "failed to connect to all addresses; last error: connection refused",
            "attributes": {"rpc.grpc.status_code": 14},
        }),
    );
    s.amend(&root, json!({"outcome": "failure"}));
}

fn no_such_host(s: &mut Script) {
    let root = s.asked("Planner", "Compare three offers");
    let sub = s.enter("agent.invocation", "Scraper", json!({"source": "Planner"}));
    s.works("Scraper", "open_page");
    let call = s.fails("Scraper", "fetch_offer", json!({}));
    s.wait(100, 400);
    s.amend(
        &call,
        json!({
            "outcome": "failure", "error_type": "FetchError",
            "error": "request to https://offers.example/api failed, reason: getaddrinfo ENOTFOUND \
                      offers.example",
        }),
    );
    s.amend(&sub, json!({"outcome": "failure", "error": "Scraper did not finish"}));
    s.parent = Some(root.clone());
    s.amend(&root, json!({"outcome": "failure", "error_type": "AgentError"}));
}

fn bad_gateway(s: &mut Script) {
    s.asked("Support", "Where is my parcel?");
    let first = s.fails(
        "Support",
        "carrier_status",
        json!({
            "outcome": "timeout", "error_type": "ReadTimeout", "attributes": {"call_id": "a"},
        }),
    );
    s.fails(
        "Support",
        "carrier_status",
        json!({
            "outcome": "success", "duration_ms": 400, "caused_by": [first],
            "attributes": {"call_id": "b", "retry_of": "a", "attempt": 2},
        }),
    );
    s.thinks("Support", "now the depot");
    s.fails(
        "Support",
        "depot_search",
        json!({
            "outcome": "failure", "error_type": "HTTPError",
            "error": "502 Server Error: Bad Gateway for url: https://depot.example/search",
        }),
    );
    s.add(
        "agent.human_intervention",
        "Support",
        json!({
            "action": "human_intervention:escalation", "outcome": "escalated",
        }),
    );
}

fn deadline(s: &mut Script) {
    s.asked("Analyst", "Sum up the quarter");
    s.works("Analyst", "list_tables");
    let call = s.fails("Analyst", "warehouse.query", json!({}));
    s.wait(29_000, 31_000);
    s.amend(
        &call,
        json!({
            "outcome": "failure", "error_type": "DEADLINE_EXCEEDED",
            "error": "Deadline of 30s exceeded",
        }),
    );
    s.answers("Analyst", "The figures are not there yet.");
}

fn late_error_event(s: &mut Script) {
    s.asked("Courier", "Send the contract");
    s.works("Courier", "load_contract");
    let call = s.add(
        "agent.tool_call",
        "Courier",
        json!({
            "tool": "sign_document", "phase": "intent", "attributes": {"call_id": "c9"},
        }),
    );
    s.wait(60_000, 61_000);
    s.add(
        "agent.error",
        "Courier",
        json!({
            "caused_by": [call], "tool": "sign_document", "error_type": "asyncio.TimeoutError",
            "error": "sign_document took longer than 60 seconds", "attributes": {"call_id": "c9"},
        }),
    );
}

fn resource_exhausted(s: &mut Script) {
    s.asked("Writer", "Draft the newsletter");
    s.works("Writer", "load_topics");
    s.add(
        "agent.llm_response",
        "Writer",
        json!({
            "outcome": "failure", "model": "sage-2", "error_type": "google.rpc.RESOURCE_EXHAUSTED",
            "error": "Quota exceeded for quota metric 'generate requests per minute'",
        }),
    );
    s.add("agent.error", "Writer", json!({"error": "giving up after the model call"}));
}

fn throttled(s: &mut Script) {
    let root = s.asked("Ops", "Restart the workers");
    for attempt in 1..4 {
        s.fails("Ops", "cloud.describe_instances", json!({
            "outcome": "failure", "error_type": "ClientError",
            "error": "An error occurred (Throttling) when calling DescribeInstances: Rate exceeded",
            "attributes": {"attempt": attempt},
        }));
    }
    s.amend(&root, json!({"outcome": "failure", "error_type": "MaxRetriesReached"}));
}

fn expired_token(s: &mut Script) {
    s.asked("Mail", "Answer the unread mails");
    s.thinks("Mail", "list them first");
    s.fails(
        "Mail",
        "inbox.list",
        json!({
            "outcome": "failure", "error_type": "HttpError",
            "error": {"message": "invalid_grant: Token has been expired or revoked.", "code": 400},
        }),
    );
    s.answers("Mail", "I cannot see your mails at the moment.");
}

fn unauthenticated(s: &mut Script) {
    let root = s.asked("Desk", "Open an account");
    let sub = s.enter("agent.invocation", "KYC", json!({"source": "Desk"}));
    let call = s.fails("KYC", "registry.lookup", json!({}));
    s.amend(
        &call,
        json!({
            "outcome": "failure", "error_type": "RpcError",
            "error": "UNAUTHENTICATED: request had invalid authentication credentials",
            "attributes": {"rpc.grpc.status_code": 16},
        }),
    );
    s.amend(&sub, json!({"outcome": "failure"}));
    s.parent = Some(root);
    s.add("agent.error", "Desk", json!({"error_type": "DelegationError", "error": "KYC failed"}));
}

fn unreadable_upload(s: &mut Script) {
    let root = s.asked("Claims", "Check the attached invoice");
    s.amend(
        &root,
        json!({
            "outcome": "failure", "error_type": "UnsupportedDocument",
            "error": "the uploaded file could not be parsed: not a PDF",
        }),
    );
    s.answers("Claims", "Please send the invoice again as a PDF.");
}

fn arguments_not_json(s: &mut Script) {
    s.asked("Shop", "Order two lamps");
    s.thinks("Shop", "call the tool");
    s.fails("Shop", "place_order", json!({
        "outcome": "failure", "error_type": "ToolInputParsingException",
        "error": "could not parse tool arguments as JSON: Expecting ',' delimiter: line 1 column 40",
    }));
    s.add("agent.error", "Shop", json!({"error": "the order was not placed"}));
}

fn schema_refuses(s: &mut Script) {
    s.asked("Travel", "Change my seat");
    s.works("Travel", "get_booking");
    for _ in 0..2 {
        s.fails("Travel", "change_seat", json!({
            "outcome": "failure", "error_type": "ZodError",
            "error": "[{\"code\":\"invalid_type\",\"path\":[\"row\"],\"message\":\"Required\"}]",
        }));
    }
    s.add(
        "agent.human_intervention",
        "Travel",
        json!({
            "action": "human_intervention:escalation", "outcome": "escalated",
        }),
    );
}

fn no_rows(s: &mut Script) {
    s.asked("Billing", "Which invoice was it?");
    s.fails(
        "Billing",
        "sql",
        json!({
            "outcome": "failure", "error_type": "*errors.errorString",
            "error": "sql: no rows in result set",
        }),
    );
    s.answers("Billing", "I do not see such an invoice.");
}

fn no_file(s: &mut Script) {
    let root = s.asked("Coder", "Fix the build");
    s.works("Coder", "list_files");
    let call = s.add("agent.code_execution", "Coder", json!({"action": "code_execution:python"}));
    s.amend(
        &call,
        json!({
            "outcome": "failure", "error_type": "FileNotFoundError",
            "error": "[Errno 2] No such file or directory: 'build/settings.yaml'",
        }),
    );
    s.amend(&root, json!({"outcome": "failure"}));
}

fn sorry(s: &mut Script) {
    s.asked("Tutor", "Write the essay for me");
    s.works("Tutor", "load_course");
    s.add(
        "agent.llm_response",
        "Tutor",
        json!({
            "model": "sage-2", "outcome": "success", "attributes": {"finish_reason": "stop"},
            "output": "I'm sorry, but I can't assist with that request.",
        }),
    );
    s.add(
        "agent.decision",
        "Tutor",
        json!({
            "action": "decision:give_up", "outcome": "failure",
        }),
    );
}

fn cut_off(s: &mut Script) {
    let root = s.asked("Legal", "List every clause of the contract");
    s.works("Legal", "load_contract");
    s.add("agent.llm_response", "Legal", json!({
        "model": "sage-2", "outcome": "success", "output": "{\"clauses\":[\"1. Parties\",\"2. Su",
        "attributes": {"gen_ai.response.finish_reasons": ["length"]},
    }));
    s.add(
        "agent.error",
        "Legal",
        json!({
            "error_type": "JSONDecodeError", "error": "Unterminated string starting at: column 28",
        }),
    );
    s.amend(&root, json!({"outcome": "failure"}));
}

fn rejected(s: &mut Script) {
    s.asked("Buyer", "Buy the server");
    let call = s.enter(
        "agent.tool_call",
        "Buyer",
        json!({
            "tool": "purchase", "params": {"amount": 12_000},
        }),
    );
    s.add(
        "agent.human_intervention",
        "Buyer",
        json!({
            "action": "human_feedback:rejected", "approver": "lena", "outcome": "denied",
        }),
    );
    s.amend(&call, json!({"outcome": "denied"}));
    s.answers("Buyer", "The purchase was not approved.");
}

fn takeover(s: &mut Script) {
    let root = s.asked("Trader", "Rebalance the fund");
    s.works("Trader", "get_positions");
    s.works("Trader", "sell");
    s.add(
        "agent.human_intervention",
        "Trader",
        json!({
            "action": "human_intervention:takeover", "source": "user", "params": {"by": "operator"},
        }),
    );
    s.amend(&root, json!({"outcome": "cancelled"}));
}

fn crash(s: &mut Script) {
    s.asked("Batch", "Move the records");
    s.works("Batch", "open_batch");
    s.works("Batch", "move_records");
    s.add(
        "agent.tool_call",
        "Batch",
        json!({
            "tool": "move_records", "phase": "intent", "attributes": {"call_id": "last"},
        }),
    );
}

fn silent_specialist(s: &mut Script) {
    let root = s.asked("Chief", "Prepare the audit");
    s.add(
        "agent.handoff",
        "Chief",
        json!({
            "action": "handoff:Specialist", "params": {"target": "Specialist"},
        }),
    );
    let sub = s.enter("agent.invocation", "Specialist", json!({"source": "Chief"}));
    s.thinks("Specialist", "read the ledger");
    s.amend(&sub, json!({"outcome": "failure"}));
    s.parent = Some(root);
    s.answers("Chief", "The audit could not be prepared.");
}
