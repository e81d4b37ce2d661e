//! Writes the events of one trace, with names, ids and times by a seed.

use crate::Random;
use event::Timestamp;
use serde_json::{Map, Value, json};

/// 2026-11-03T09:00:00Z.
const START_MS: u64 = 1_793_696_400_000;

/// A trace that is being written.
pub(super) struct Script {
    pub(super) random: Random,
    trace_id: String,
    now_ms: u64,
    events: Vec<Value>,
    /// The event that the next one belongs under.
    pub(super) parent: Option<String>,
}

impl Script {
    pub(super) fn new(mut random: Random) -> Self {
        let trace_id = format!("{:016x}{:016x}", random.bits(), random.bits());
        let now_ms = START_MS + random.below(3_600_000);
        Self { random, trace_id, now_ms, events: Vec::new(), parent: None }
    }

    /// One of some names.
    pub(super) fn pick(&mut self, names: &[&'static str]) -> &'static str {
        self.random.one_of(names).copied().unwrap_or_default()
    }

    /// Lets time go by.
    pub(super) fn wait(&mut self, from_ms: u64, to_ms: u64) {
        self.now_ms += self.random.between(from_ms, to_ms);
    }

    /// Adds an event of this type and agent; `members` come last and may say anything. Returns its
    /// id.
    pub(super) fn add(&mut self, kind: &str, agent: &str, members: Value) -> String {
        self.wait(20, 900);
        let id = format!("{}-{:08x}", self.events.len(), self.random.below(1 << 32));
        let mut event = Map::new();
        let mut set = |key: &str, value: Value| drop(event.insert(key.to_owned(), value));
        let mut time = Vec::new();
        Timestamp::from_milliseconds(self.now_ms).write_rfc3339(&mut time);
        set("event_id", id.clone().into());
        set("event_type", kind.into());
        set("timestamp", String::from_utf8_lossy(&time).into());
        set("agent_name", agent.into());
        set("trace_id", self.trace_id.clone().into());
        if let Some(parent) = &self.parent {
            set("parent_event_id", parent.clone().into());
        }
        if let Value::Object(members) = members {
            event.extend(members.into_iter().filter(|(_, value)| !value.is_null()));
        }
        self.events.push(Value::Object(event));
        id
    }

    /// The same, and what follows belongs under it.
    pub(super) fn enter(&mut self, kind: &str, agent: &str, members: Value) -> String {
        let id = self.add(kind, agent, members);
        self.parent = Some(id.clone());
        id
    }

    /// Changes an event that was added before: what a span says when it ends.
    pub(super) fn amend(&mut self, id: &str, members: Value) {
        let now_ms = self.now_ms;
        let event = self.events.iter_mut().find(|event| event["event_id"] == id);
        let Some(Value::Object(event)) = event else { return };
        let began = event.get("timestamp").and_then(Value::as_str).and_then(Timestamp::parse);
        let began_ms = began.map_or(now_ms, Timestamp::milliseconds);
        if let Value::Object(members) = members {
            event.extend(members);
        }
        event.insert("duration_ms".to_owned(), (now_ms - began_ms + 1).into());
    }

    /// Somebody asks for something.
    pub(super) fn asked(&mut self, agent: &str, task: &str) -> String {
        let members = json!({
            "action": "invocation", "source": "user", "params": {"task": task},
        });
        self.enter("agent.invocation", agent, members)
    }

    /// A tool that answers.
    pub(super) fn works(&mut self, agent: &str, tool: &str) -> String {
        let call_id = format!("call_{}", self.events.len());
        let n = self.random.below(9_000) + 1_000;
        let call = self.add(
            "agent.tool_call",
            agent,
            json!({
                "action": format!("tool_call:{tool}"), "tool": tool, "phase": "intent",
                "params": {"id": n}, "attributes": {"call_id": call_id},
            }),
        );
        self.add(
            "agent.tool_result",
            agent,
            json!({
                "action": format!("tool_result:{tool}"), "tool": tool, "phase": "result",
                "outcome": "success", "duration_ms": 120 + n % 300, "result": {"id": n, "ok": true},
                "caused_by": [call], "attributes": {"call_id": call_id},
            }),
        )
    }

    /// A tool call that is one event and fails as `members` say.
    pub(super) fn fails(&mut self, agent: &str, tool: &str, members: Value) -> String {
        let mut event = json!({
            "action": format!("tool_call:{tool}"), "tool": tool, "phase": "observation",
            "params": {"id": self.random.below(9_000)},
        });
        if let (Value::Object(event), Value::Object(members)) = (&mut event, members) {
            event.extend(members);
        }
        self.add("agent.tool_call", agent, event)
    }

    /// A model that answers.
    pub(super) fn thinks(&mut self, agent: &str, about: &str) -> String {
        let (input, output) = (self.random.between(300, 4_000), self.random.between(20, 400));
        self.add(
            "agent.llm_response",
            agent,
            json!({
                "action": "llm_response", "outcome": "success", "duration_ms": 700 + output,
                "model": {"provider": "acme", "requested": "sage-2", "responded": "sage-2-0901"},
                "tokens": {"input": input, "output": output}, "output": about,
                "attributes": {"finish_reason": "stop"},
            }),
        )
    }

    /// The answer to whoever asked.
    pub(super) fn answers(&mut self, agent: &str, text: &str) -> String {
        let members = json!({
            "action": "decision:answer", "outcome": "success", "confidence": 0.9, "output": text,
        });
        self.add("agent.decision", agent, members)
    }

    pub(super) fn end(self) -> (String, Vec<Value>) {
        (self.trace_id, self.events)
    }
}
