//! Runs in which nothing went wrong, with words and turns that look like trouble.

use super::Template;
use super::script::Script;
use serde_json::json;

pub(super) const TEMPLATES: &[Template] = &[
    ("a question and an answer", None, plain),
    ("four tools", None, tools),
    ("an approval that was given", None, approved),
    ("a handoff by the rules", None, handed_off),
    ("talk of errors and timeouts", None, talk),
    ("a tool that answers that something failed elsewhere", None, news_of_failure),
    ("spans within spans", None, spans),
    ("calls whose framework reports no results", None, no_results),
    ("a polite decline of nothing", None, polite),
    ("a clock that jumps and a parent in another system", None, clocks),
];

fn plain(s: &mut Script) {
    s.asked("Chat", "What is the time in Oslo?");
    s.thinks("Chat", "it is noon");
    s.answers("Chat", "It is noon.");
}

fn tools(s: &mut Script) {
    s.asked("Support", "Where is my order?");
    for tool in ["get_customer", "get_order", "get_parcel", "retry_queue_status"] {
        s.works("Support", tool);
        s.thinks("Support", "go on");
    }
    s.answers("Support", "It arrives tomorrow.");
}

fn approved(s: &mut Script) {
    s.asked("Billing", "Refund 12 euros");
    s.works("Billing", "get_order");
    s.add(
        "agent.human_intervention",
        "Billing",
        json!({
            "action": "approval:granted", "outcome": "success", "approver": "j.roth",
        }),
    );
    s.works("Billing", "process_refund");
    s.answers("Billing", "Your money is on its way.");
}

fn handed_off(s: &mut Script) {
    s.asked("Router", "I want a contract");
    s.add(
        "agent.decision",
        "Router",
        json!({
            "action": "decision:escalate", "outcome": "success", "confidence": 0.8,
        }),
    );
    s.add(
        "agent.handoff",
        "Router",
        json!({
            "action": "handoff:Sales", "outcome": "success", "params": {"target": "Sales"},
        }),
    );
    s.works("Sales", "make_offer");
    s.answers("Sales", "Here is your offer.");
}

fn talk(s: &mut Script) {
    s.asked("Coder", "Explain TimeoutError, 503 and 'connection refused'");
    s.add("agent.reasoning", "Coder", json!({
        "reasoning": "An error was reported: access denied, rate limit, 404 not found. Explain it.",
        "outcome": "success",
    }));
    s.works("Coder", "search_docs");
    s.thinks("Coder", "A TimeoutError means that no answer came; 503 that a service is down.");
    s.answers("Coder", "A 503 means that a service is unavailable.");
}

fn news_of_failure(s: &mut Script) {
    s.asked("Monitor", "How are the jobs?");
    s.add(
        "agent.tool_call",
        "Monitor",
        json!({
            "tool": "list_jobs", "phase": "observation", "outcome": "success", "duration_ms": 80,
            "params": {"status": "failed", "timeout_s": 5},
            "result": {"failed": 2, "error": "ConnectionError", "status_code": 500},
        }),
    );
    s.answers("Monitor", "Two jobs failed last night.");
}

fn spans(s: &mut Script) {
    let root = s.asked("Planner", "Plan a trip");
    let sub = s.enter("agent.invocation", "Hotels", json!({"source": "Planner"}));
    s.works("Hotels", "search_hotels");
    s.amend(&sub, json!({"outcome": "success"}));
    s.parent = Some(root.clone());
    s.thinks("Planner", "fine");
    s.amend(&root, json!({"outcome": "success"}));
}

fn no_results(s: &mut Script) {
    s.asked("Classic", "Add the numbers");
    for tool in ["add", "multiply", "add"] {
        s.add("agent.tool_call", "Classic", json!({"tool": tool, "params": {"a": 1, "b": 2}}));
    }
    s.answers("Classic", "42");
}

fn polite(s: &mut Script) {
    s.asked("Chat", "Thank you!");
    s.thinks("Chat", "I'm sorry to hear that you waited. I can help with anything else.");
    s.add("agent.user_feedback", "Chat", json!({"action": "feedback", "params": {"rating": 5}}));
}

fn clocks(s: &mut Script) {
    s.parent = Some("a-span-of-the-gateway".to_owned());
    s.add(
        "agent.invocation",
        "Edge",
        json!({
            "source": "user", "params": {"task": "Ping"}, "timestamp": "2026-11-03T12:00:00Z",
            "outcome": "success",
        }),
    );
    s.works("Edge", "ping");
    s.answers("Edge", "Pong.");
}
