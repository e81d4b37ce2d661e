//! One recorded run, told in every naming convention: the same facts come out.

use super::{events, testdata};
use capture::{Format, span_event_id};
use event::{Event, Outcome, Part, Phase};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};

const GENERATIONS: &[&str] =
    &["gen_ai-1.27", "gen_ai-1.36", "gen_ai-1.37", "openinference", "openllmetry", "crewai"];

fn generation(name: &str) -> Vec<u8> {
    testdata(&format!("otlp/generations/{name}.json"))
}

fn of_type<'e, 'a>(events: &'e [Event<'a>], event_type: &str) -> Vec<&'e Event<'a>> {
    events.iter().filter(|event| event.event_type == event_type).collect()
}

/// The events of one span with these attributes.
fn span(name: &str, attributes: &[(&str, Value)], more: &Value) -> Vec<Event<'static>> {
    let attributes: Vec<_> =
        attributes.iter().map(|(k, v)| json!({"key": k, "value": any(v)})).collect();
    let mut span = json!({
        "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "name": name,
        "startTimeUnixNano": "1000000000", "endTimeUnixNano": "3500000000", "attributes": attributes,
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        span[key] = value.clone();
    }
    let request = json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).to_string();
    capture_owned(&request)
}

fn log(record: &Value) -> Vec<Event<'static>> {
    capture_owned(&json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}).to_string())
}

fn capture_owned(request: &str) -> Vec<Event<'static>> {
    // The mapped events own their text; a leak keeps the borrow checker content in a test.
    events(Format::OtlpJson, Box::leak(request.to_owned().into_boxed_str()).as_bytes())
}

fn any(value: &Value) -> Value {
    match value {
        Value::String(text) => json!({"stringValue": text}),
        Value::Bool(truth) => json!({"boolValue": truth}),
        Value::Number(number) if number.is_i64() => json!({"intValue": number.to_string()}),
        Value::Number(number) => json!({"doubleValue": number}),
        Value::Array(items) => {
            json!({"arrayValue": {"values": items.iter().map(any).collect::<Vec<_>>()}})
        }
        other => other.clone(),
    }
}

#[test]
fn every_generation_gives_the_same_models_and_tokens() {
    for name in GENERATIONS {
        let bytes = generation(name);
        let events = events(Format::OtlpJson, &bytes);
        let answers = of_type(&events, "agent.llm_response");
        let tokens: Vec<_> = answers
            .iter()
            .map(|event| event.tokens.map(|tokens| (tokens.input, tokens.output, tokens.total)))
            .collect();
        let wanted = [(420, 58), (512, 31)].map(|(i, o)| Some((Some(i), Some(o), Some(i + o))));
        assert_eq!(tokens, wanted, "{name}");
        for answer in answers {
            let model = answer.model.as_ref().expect("a model");
            assert_eq!(model.provider.as_deref(), Some("openai"), "{name}");
            assert_eq!(model.responded.as_deref(), Some("gpt-4o-2024-08-06"), "{name}");
            assert!(
                answer
                    .content
                    .get(Part::Input)
                    .is_some_and(|json| json.as_str().contains("cancel order 1042")),
                "{name}"
            );
            assert!(answer.content.get(Part::Output).is_some(), "{name}");
            assert_eq!(answer.outcome, Some(Outcome::Success), "{name}");
        }
        let counted: u64 = events.iter().filter_map(|event| event.tokens?.total).sum();
        assert_eq!(counted, 478 + 543, "{name}: nothing is counted twice");
    }
}

#[test]
fn every_generation_that_names_tools_gives_the_same_calls_and_results() {
    for name in &GENERATIONS[1..] {
        let bytes = generation(name);
        let events = events(Format::OtlpJson, &bytes);
        let (calls, results) =
            (of_type(&events, "agent.tool_call"), of_type(&events, "agent.tool_result"));
        let tools = |list: &[&Event<'_>]| {
            list.iter().map(|e| e.tool.as_deref().map(str::to_owned)).collect::<Vec<_>>()
        };
        assert_eq!(
            tools(&calls),
            [Some("get_order".into()), Some("cancel_order".into())],
            "{name}"
        );
        assert_eq!(tools(&calls), tools(&results), "{name}");
        for (call, result) in calls.iter().zip(&results) {
            assert_eq!(call.phase, Some(Phase::Intent));
            assert_eq!(result.phase, Some(Phase::Result));
            assert_eq!(result.parent_event_id, call.event_id, "{name}");
            assert!(call.timestamp < result.timestamp, "{name}");
            assert_eq!(call.outcome, None, "{name}: an intent has not ended");
        }
        assert_eq!(results[0].outcome, Some(Outcome::Success), "{name}");
        assert_eq!(results[1].outcome, Some(Outcome::Failure), "{name}");
        assert_eq!(results[1].error_type.as_deref(), Some("ValueError"), "{name}");
        assert_eq!(
            results[1].content.error_message().as_deref(),
            Some("order 1042 is already delivered"),
            "{name}"
        );
    }
}

#[test]
fn agents_sessions_and_users_are_found_where_a_generation_names_them() {
    for name in &GENERATIONS[1..] {
        let bytes = generation(name);
        let events = events(Format::OtlpJson, &bytes);
        let agent =
            of_type(&events, "agent.invocation").into_iter().find(|e| e.agent_name.is_some());
        let agent = agent.unwrap_or_else(|| panic!("{name}: no agent"));
        assert_eq!(agent.agent_name.as_deref(), Some("order_desk"), "{name}");
        assert_eq!(agent.session_id.as_deref(), Some("conversation-1042"), "{name}");
        assert!(agent.principal.is_none(), "{name}: only the server says who the principal is");
        if *name != "gen_ai-1.36" {
            assert_eq!(agent.on_behalf_of.as_deref(), Some("c-2187"), "{name}");
        }
    }
}

#[test]
fn parents_named_by_events_are_events_of_the_same_request() {
    for name in GENERATIONS.iter().chain(&["mcp"]) {
        let bytes = generation(name);
        let events = events(Format::OtlpJson, &bytes);
        let ids: HashSet<_> = events.iter().filter_map(|event| event.event_id.as_deref()).collect();
        let orphans = events
            .iter()
            .filter_map(|e| e.parent_event_id.as_deref())
            .filter(|id| !ids.contains(id));
        assert_eq!(orphans.count(), 0, "{name}");
        let roots = events.iter().filter(|event| event.parent_event_id.is_none()).count();
        assert_eq!(roots, 1, "{name}");
    }
}

#[test]
fn types_are_found_in_their_order() {
    let first = |name: &str, attributes: &[(&str, Value)]| {
        span(name, attributes, &Value::Null)[0].event_type.to_string()
    };
    let op = |op: &str| first("x", &[("gen_ai.operation.name", json!(op))]);
    let kind = |kind: &str| first("x", &[("openinference.span.kind", json!(kind))]);
    for (name, wanted) in [
        ("chat", "agent.llm_response"),
        ("generate_content", "agent.llm_response"),
        ("text_completion", "agent.llm_response"),
        ("embeddings", "agent.retrieval"),
        ("retrieval", "agent.retrieval"),
        ("create_agent", "agent.invocation"),
        ("invoke_agent", "agent.invocation"),
        ("execute_tool", "agent.tool_call"),
        ("invoke_workflow", "agent.invocation"),
        ("plan", "agent.reasoning"),
        ("search_memory", "agent.retrieval"),
        ("delete_memory_store", "agent.retrieval"),
        ("await_human_input", "agent.human_intervention"),
        ("unheard_of", "agent.invocation"),
    ] {
        assert_eq!(op(name), wanted, "{name}");
    }
    for (name, wanted) in [
        ("LLM", "agent.llm_response"),
        ("TOOL", "agent.tool_call"),
        ("CHAIN", "agent.invocation"),
        ("AGENT", "agent.invocation"),
        ("RETRIEVER", "agent.retrieval"),
        ("RERANKER", "agent.retrieval"),
        ("EMBEDDING", "agent.retrieval"),
        ("GUARDRAIL", "agent.decision"),
        ("EVALUATOR", "agent.evaluation"),
        ("DECISION", "agent.decision"),
        ("PROMPT", "agent.invocation"),
        ("UNKNOWN", "agent.invocation"),
    ] {
        assert_eq!(kind(name), wanted, "{name}");
    }
    // The operation's name comes before the kind, the kind before the span's name.
    let both =
        [("openinference.span.kind", json!("TOOL")), ("gen_ai.operation.name", json!("chat"))];
    assert_eq!(first("x", &both), "agent.llm_response");
    assert_eq!(first("chat gpt-4o", &both[..1]), "agent.tool_call");
    assert_eq!(first("call llm", &[]), "agent.llm_response");
    assert_eq!(first("x", &[("traceloop.span.kind", json!("tool"))]), "agent.tool_call");
    assert_eq!(first("x", &[("ag2.span.type", json!("speaker_selection"))]), "agent.decision");
    assert_eq!(first("x", &[("mcp.method.name", json!("tools/list"))]), "mcp.tools.list");
    let unmapped = &span("GET /", &[], &Value::Null)[0];
    assert_eq!(
        unmapped.content.attribute("source.kind").map(|json| json.as_str()),
        Some("\"unmapped\"")
    );
}

#[test]
fn tools_that_run_code_are_code_executions() {
    for tool in ["run_code", "run_shell_command", "code_execution", "shell"] {
        let attributes =
            [("gen_ai.operation.name", json!("execute_tool")), ("gen_ai.tool.name", json!(tool))];
        let events = span("execute_tool x", &attributes, &Value::Null);
        let types: Vec<_> = events.iter().map(|event| &*event.event_type).collect();
        assert_eq!(types, ["agent.code_execution", "agent.tool_result"], "{tool}");
    }
}

#[test]
fn a_span_that_never_ended_has_no_result() {
    let attributes = [
        ("gen_ai.operation.name", json!("execute_tool")),
        ("gen_ai.tool.name", json!("t")),
        ("odd", json!(1)),
    ];
    let events = span("execute_tool t", &attributes, &json!({"endTimeUnixNano": 0}));
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].phase, events[0].outcome), (Some(Phase::Intent), None));
    assert!(events[0].content.attribute("odd").is_some());
}

#[test]
fn a_guardrail_that_stopped_something_is_a_security_event() {
    let failed = [
        ("crewai.guardrail.success", json!(false)),
        ("gen_ai.operation.name", json!("execute_task")),
    ];
    let event = &span("evaluate guardrail", &failed, &Value::Null)[0];
    assert_eq!((&*event.event_type, event.outcome), ("agent.security", Some(Outcome::Denied)));
    let policy = [
        ("crewai.policy.decision", json!("deny")),
        ("crewai.policy.blocking", json!(true)),
        ("gen_ai.operation.name", json!("execute_tool")),
    ];
    let events = span("call tool", &policy, &Value::Null);
    assert_eq!(events[1].outcome, Some(Outcome::Denied));
}

#[test]
fn all_spellings_of_token_counts_are_one() {
    for (input, cached, reasoning) in [
        (
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.cache_read.input_tokens",
            "gen_ai.usage.reasoning.output_tokens",
        ),
        (
            "gen_ai.usage.prompt_tokens",
            "gen_ai.usage.cache_read_input_tokens",
            "gen_ai.usage.thinking_tokens",
        ),
        (
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.cache_read_input_tokens",
            "gen_ai.usage.reasoning_tokens",
        ),
        (
            "llm.token_count.prompt",
            "llm.token_count.prompt_details.cache_read",
            "llm.token_count.completion_details.reasoning",
        ),
    ] {
        let attributes = [
            ("gen_ai.operation.name", json!("chat")),
            (input, json!(11.0)),
            ("gen_ai.usage.output_tokens", json!(3)),
            (cached, json!(4)),
            (reasoning, json!(2)),
        ];
        let tokens = span("chat m", &attributes, &Value::Null)[0].tokens.expect("tokens");
        assert_eq!(
            (tokens.input, tokens.cache_read, tokens.reasoning),
            (Some(11), Some(4), Some(2)),
            "{input}"
        );
        assert_eq!(tokens.total, Some(14), "the cached input is part of the input");
    }
}

#[test]
fn repeated_usage_is_told_but_not_summed() {
    let bytes = testdata("otlp/traces.pb");
    let events = events(Format::OtlpTracesProtobuf, &bytes);
    let usage = of_type(&events, "agent.token_usage");
    assert_eq!(usage.len(), of_type(&events, "agent.llm_response").len());
    for event in usage {
        assert_eq!(event.tokens, None);
        let repeated = event.content.attribute("repeated_usage").expect("told").to_value();
        assert!(repeated["input"].as_u64().is_some_and(|input| input > 0));
    }
}

#[test]
fn usage_on_an_agents_span_sums_up_its_calls_unless_the_agent_is_remote() {
    let attributes =
        [("gen_ai.operation.name", json!("invoke_agent")), ("gen_ai.usage.input_tokens", json!(7))];
    let local = &span("invoke_agent a", &attributes, &json!({"kind": 1}))[0];
    assert_eq!(local.tokens, None);
    assert!(local.content.attribute("repeated_usage").is_some());
    let remote = &span("invoke_agent a", &attributes, &json!({"kind": 3}))[0];
    assert_eq!(remote.tokens.and_then(|tokens| tokens.input), Some(7));
}

#[test]
fn calls_inherit_agent_session_and_user_from_the_agents_span() {
    let bytes = generation("gen_ai-1.37");
    for event in events(Format::OtlpJson, &bytes) {
        assert_eq!(event.agent_name.as_deref(), Some("order_desk"), "{}", event.event_type);
        assert_eq!(event.session_id.as_deref(), Some("conversation-1042"), "{}", event.event_type);
        assert_eq!(event.on_behalf_of.as_deref(), Some("c-2187"), "{}", event.event_type);
    }
    let bytes = testdata("otlp/traces.pb");
    let events = events(Format::OtlpTracesProtobuf, &bytes);
    let by = |tool: &str| {
        let call =
            events.iter().find(|event| event.tool.as_deref() == Some(tool)).expect("recorded");
        call.agent_name.clone().map(|name| name.into_owned())
    };
    assert_eq!(by("process_refund").as_deref(), Some("bob"));
    assert_eq!(by("risk_score").as_deref(), Some("fay"), "the agent that another agent asked");
}

#[test]
fn links_are_causes_and_odd_span_events_are_children() {
    let (trace, other) = ("0af7651916cd43dd8448eb211c80319c", "00000000000000aa");
    let more = json!({
        "links": [{"traceId": trace, "spanId": other, "attributes": [{"key": "why", "value": {"stringValue": "x"}}]}],
        "events": [
            {"timeUnixNano": "2000000000", "name": "handoff", "attributes": [{"key": "to", "value": {"stringValue": "billing"}}]},
            {"timeUnixNano": "2000000001", "name": "cache miss"},
        ],
    });
    let events = span("invoke_agent a", &[("user.id", json!("u"))], &more);
    assert_eq!(events[0].caused_by, [span_event_id(trace, other, "start")]);
    assert!(
        events[0].content.attribute("otel.links").is_some_and(|json| json.as_str().contains("why"))
    );
    let types: Vec<_> = events.iter().map(|event| &*event.event_type).collect();
    assert_eq!(types, ["agent.invocation", "agent.handoff", "otel.event"]);
    for child in &events[1..] {
        assert_eq!(child.parent_event_id, events[0].event_id);
        assert_eq!(child.on_behalf_of.as_deref(), Some("u"));
    }
    assert_eq!(events[2].action.as_deref(), Some("cache miss"));
}

#[test]
fn errors_go_to_the_content_and_timeouts_are_told_apart() {
    let more = json!({"status": {"code": "STATUS_CODE_ERROR", "message": "secret text"}});
    let attributes =
        [("gen_ai.operation.name", json!("chat")), ("error.type", json!("TimeoutError"))];
    let event = &span("chat m", &attributes, &more)[0];
    assert_eq!(event.outcome, Some(Outcome::Timeout));
    assert_eq!(event.content.error_message().as_deref(), Some("secret text"));
    assert!(!super::meta(event).contains("secret"));
}

#[test]
fn a_span_without_ids_is_refused() {
    let request = json!({"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "x", "traceId": "00000000000000000000000000000000"}]}]}]}).to_string();
    let refused = super::refusals(Format::OtlpJson, request.as_bytes());
    assert_eq!(refused[0].1.field, "trace_id");
}

#[test]
fn claude_codes_events_are_understood() {
    let record = |name: &str, attributes: Value| {
        let list: Vec<_> = attributes
            .as_object()
            .unwrap()
            .iter()
            .map(|(k, v)| json!({"key": k, "value": any(v)}))
            .collect();
        log(&json!({"timeUnixNano": "5", "body": {"stringValue": format!("claude_code.{name}")}, "attributes": list})).remove(0)
    };
    let request = record(
        "api_request",
        json!({"event.name": "api_request", "model": "claude", "input_tokens": "10", "output_tokens": 5, "cache_read_tokens": 90, "cost_usd": 0.25, "duration_ms": 12, "session.id": "s", "user.id": "u", "event.sequence": 7}),
    );
    assert_eq!(request.event_type, "agent.llm_response");
    let tokens = request.tokens.expect("tokens");
    assert_eq!(
        (tokens.input, tokens.total),
        (Some(100), Some(105)),
        "cached input is part of the input"
    );
    assert_eq!(request.content.attribute("input_tokens").map(|json| json.as_str()), Some("\"10\""));
    assert_eq!(request.cost.map(|cost| cost.amount.into_owned()).as_deref(), Some("0.25"));
    assert_eq!(request.session_id.as_deref(), Some("s"));
    assert_eq!(request.producer.and_then(|producer| producer.seq), Some(7));
    let decision = record(
        "tool_decision",
        json!({"event.name": "tool_decision", "tool_name": "Bash", "decision": "reject"}),
    );
    assert_eq!(
        (&*decision.event_type, decision.outcome),
        ("agent.decision", Some(Outcome::Denied))
    );
    let result = record(
        "tool_result",
        json!({"event.name": "tool_result", "tool_name": "Bash", "success": "false", "error": "boom"}),
    );
    assert_eq!(
        (&*result.event_type, result.outcome),
        ("agent.tool_result", Some(Outcome::Failure))
    );
    assert_eq!(
        record("user_prompt", json!({"prompt": "hi"}))
            .content
            .get(Part::Input)
            .map(|json| json.as_str().to_owned())
            .as_deref(),
        Some("\"hi\"")
    );
    assert_eq!(record("new_thing", json!({})).event_type, "claude_code.new_thing");
}

#[test]
fn plain_log_records_keep_their_severity_and_errors_become_errors() {
    let plain =
        &log(&json!({"timeUnixNano": "5", "severityNumber": 9, "body": {"stringValue": "hello"}}))
            [0];
    assert_eq!((&*plain.event_type, plain.outcome), ("otel.log", None));
    assert_eq!(plain.content.attribute("severity_number").map(|json| json.as_str()), Some("9"));
    let error = &log(
        &json!({"observedTimeUnixNano": "5", "severityNumber": "SEVERITY_NUMBER_FATAL", "body": {"stringValue": "it broke"}}),
    )[0];
    assert_eq!((&*error.event_type, error.outcome), ("agent.error", Some(Outcome::Failure)));
    assert_eq!(error.content.error_message().as_deref(), Some("it broke"));
    let named = &log(&json!({"eventName": "log.erasure", "body": {"stringValue": "x"}}))[0];
    assert_eq!(named.event_type, "otel.log.erasure", "nobody outside speaks for the log");
}

#[test]
fn redelivered_log_records_are_the_same_events_and_others_are_not() {
    let record = |text: &str| json!({"timeUnixNano": "5", "observedTimeUnixNano": text.len(), "body": {"stringValue": text}});
    let mut late = record("a");
    late["observedTimeUnixNano"] = json!(99);
    assert_eq!(log(&record("a"))[0].event_id, log(&late)[0].event_id);
    assert_ne!(log(&record("a"))[0].event_id, log(&record("b"))[0].event_id);
}

#[test]
fn snake_case_requests_are_read_and_unknown_fields_counted() {
    let request = json!({"resource_spans": [{"scope_spans": [{"spans": [{
        "trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331", "name": "chat m",
        "kind": "SPAN_KIND_CLIENT", "start_time_unix_nano": 1, "end_time_unix_nano": "2", "novelty": 1,
    }]}]}]}).to_string();
    let (captured, summary) = super::all(Format::OtlpJson, request.as_bytes());
    let event = captured[0].outcome.as_ref().expect("read");
    assert_eq!(event.event_type, "agent.llm_response");
    assert_eq!(event.timestamp.map(|time| time.0), Some(2));
    assert_eq!(
        event.content.attribute("otel.span_kind").map(|json| json.as_str()),
        Some("\"CLIENT\"")
    );
    assert_eq!(summary.unmapped_fields, [("span.novelty".to_owned(), 1)].into());
}

#[test]
fn one_request_a_line_is_read_and_a_broken_line_costs_only_itself() {
    let one = |id: &str| {
        json!({"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": id, "name": "chat"}]}]}]}).to_string()
    };
    let file = format!("{}\n{{\n{}\n", one("00000000000000a1"), one("00000000000000a2"));
    let (captured, summary) = super::all(Format::OtlpJson, file.as_bytes());
    assert_eq!((summary.events, summary.refused), (2, 1));
    assert!(captured[1].outcome.is_err());
}

#[test]
fn no_attribute_of_a_recorded_span_is_lost() {
    // Every attribute text stands somewhere in the events of its request.
    for name in GENERATIONS.iter().chain(&["mcp"]) {
        let bytes = generation(name);
        let stored = super::stored(&events(Format::OtlpJson, &bytes)).join("\n");
        let request: Value = serde_json::from_slice(&bytes).expect("JSON");
        let mut counts: HashMap<String, usize> = HashMap::new();
        for span in request["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().expect("spans")
        {
            for attribute in span["attributes"].as_array().into_iter().flatten() {
                if let Some(text) = attribute["value"]["stringValue"]
                    .as_str()
                    .filter(|text| !text.contains(['"', '\n']))
                {
                    *counts.entry(text.to_owned()).or_default() += 1;
                }
            }
        }
        assert!(!counts.is_empty(), "{name}");
        for text in counts.keys() {
            assert!(stored.contains(text.as_str()), "{name}: lost {text}");
        }
    }
}
