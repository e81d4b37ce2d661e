//! A log in memory, and whoever asks it.

use crate::mcp::{Access, Checks, Failure, Reply, Rights, Source, Tools};
use event::Event;
use keys::{Kek, KekOrigin, SecretKey, SystemEntropy};
use reading::{LogFolder, Lookout, View};
use seal::{Batch, Identity, NewLog, Options};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use store::{Folder, MemoryFolder, Reservation};

/// The incident of the demo in eight events: a refund that runs into timeouts.
pub(in crate::mcp) fn incident() -> Vec<Value> {
    let event = |id: u32, parent: Value, agent: &str, kind: &str, more: Value| {
        let mut event = json!({
            "event_id": format!("e{id}"), "event_type": format!("agent.{kind}"),
            "timestamp": format!("2026-11-02T14:23:{id:02}Z"), "agent_name": agent,
            "task_id": "T1", "session_id": "s1",
        });
        let members = event.as_object_mut().unwrap();
        if !parent.is_null() {
            members.insert("parent_event_id".to_owned(), parent);
        }
        members.extend(more.as_object().unwrap().clone());
        event
    };
    let refund = json!({
        "tool": "process_refund", "outcome": "timeout", "error_type": "TimeoutError",
        "error": "process_refund timed out after 10s", "duration_ms": 12300,
    });
    vec![
        event(1, Value::Null, "Router", "invocation", json!({ "params": { "task": "refund" } })),
        event(2, json!("e1"), "Support", "reasoning", json!({ "reasoning": "a refund is due" })),
        event(
            3,
            json!("e1"),
            "Support",
            "tool_call",
            json!({
                "tool": "get_order", "params": { "order": "order-77" }, "outcome": "success",
            }),
        ),
        event(4, json!("e1"), "Billing", "tool_call", refund.clone()),
        event(5, json!("e1"), "Billing", "tool_call", refund),
        event(
            6,
            json!("e1"),
            "Billing",
            "error",
            json!({
                "error_type": "CircuitOpen", "error": "circuit breaker open",
            }),
        ),
        event(7, json!("gone"), "Billing", "decision", json!({ "action": "decision:fallback" })),
        event(
            8,
            json!("e1"),
            "Billing",
            "human_intervention",
            json!({ "action": "human:escalated" }),
        ),
    ]
}

/// Every tool, asked of something that is there.
pub(in crate::mcp) fn every_call(
    event: &str,
    task: &str,
    session: &str,
    agent: &str,
) -> Vec<(&'static str, Value)> {
    vec![
        ("recent_events", json!({})),
        ("search_events", json!({ "agent": agent })),
        ("get_event", json!({ "event": event, "proof": true })),
        ("trace_task", json!({ "id": task })),
        ("session_timeline", json!({ "session": session })),
        ("session_timeline", json!({})),
        ("error_summary", json!({})),
        ("audit_agent", json!({ "agent": agent })),
        ("audit_agent", json!({})),
        ("forensic_analysis", json!({ "id": task })),
        ("compliance_report", json!({})),
        ("export_events", json!({})),
        ("verify_log", json!({})),
    ]
}

struct TestLog {
    window: Lookout,
    kek: Arc<Kek>,
    rights: Mutex<Rights>,
    recorded: Mutex<Vec<Access>>,
    refuses: Mutex<bool>,
}

impl Source for TestLog {
    fn view(&self) -> Result<Arc<View>, Failure> {
        Ok(self.window.view()?)
    }

    fn rights(&self) -> Rights {
        *self.rights.lock().unwrap()
    }

    fn record(&self, access: Access) -> Result<(), Failure> {
        if *self.refuses.lock().unwrap() {
            return Err(Failure::new("the log takes no records"));
        }
        self.recorded.lock().unwrap().push(access);
        Ok(())
    }

    fn kek(&self) -> Arc<Kek> {
        Arc::clone(&self.kek)
    }

    fn now_ms(&self) -> u64 {
        1_800_000_000_000
    }
}

/// A log, and the tools over it.
pub(in crate::mcp) struct Place {
    folder: Arc<dyn Folder>,
    log: Arc<TestLog>,
    tools: Tools,
}

impl Place {
    /// A log that holds these events.
    pub(in crate::mcp) fn with(events: &[Value]) -> Self {
        let kek = Arc::new(Kek::from_secret(SecretKey::new([7; 32]), KekOrigin::Environment));
        let folder: Arc<dyn Folder> = Arc::new(MemoryFolder::default());
        let new = NewLog { name: "main".to_owned(), origin: None, post_quantum: false };
        let options = || Options { reservation: Reservation::Off, ..Options::system() };
        seal::create(&folder, &new, &kek, [1; 16], &options()).unwrap();
        let mut writer = seal::open(&folder, Arc::clone(&kek), options()).unwrap();
        let lines: Vec<String> = events.iter().map(Value::to_string).collect();
        let read = lines.iter().map(|line| {
            let event = Event::from_json(line.as_bytes());
            writer.redactor().redact(event.unwrap_or_else(|error| panic!("{error}: {line}")))
        });
        let read: Vec<_> = read.collect();
        let entropy = SystemEntropy::new();
        let batch = Batch::encode(read, writer.fingerprints(), &entropy, 0).unwrap();
        writer.commit(vec![batch]).unwrap();
        writer.publish().unwrap();
        let identity = folder.read(seal::IDENTITY_PATH).unwrap().unwrap();
        let identity = Identity::parse(&identity).unwrap();
        let log = LogFolder { path: PathBuf::new(), identity, folder: Arc::clone(&folder) };
        let log = Arc::new(TestLog {
            window: Lookout::new(log, Arc::clone(&kek)),
            kek,
            rights: Mutex::new(Rights::ALL),
            recorded: Mutex::default(),
            refuses: Mutex::default(),
        });
        let tools = Tools::new(Arc::clone(&log) as Arc<dyn Source>, Arc::new(Checks::default()));
        Self { folder, log, tools }
    }

    /// The same for a caller of these rights.
    pub(in crate::mcp) fn with_rights(self, rights: Rights) -> Self {
        *self.log.rights.lock().unwrap() = rights;
        self
    }

    pub(in crate::mcp) fn tools(&self) -> &Tools {
        &self.tools
    }

    pub(in crate::mcp) fn call(&self, tool: &str, arguments: Value) -> Result<Reply, Failure> {
        self.tools.call(tool, &arguments).unwrap()
    }

    /// Calls a tool that answers, and checks what holds of every answer.
    pub(in crate::mcp) fn ask(&self, tool: &str, arguments: Value) -> Value {
        let reply = self.call(tool, arguments).unwrap_or_else(|error| panic!("{tool}: {error}"));
        super::hostile::check(tool, &reply);
        reply.document
    }

    pub(in crate::mcp) fn size(&self) -> u64 {
        self.log.view().unwrap().as_of().size
    }

    pub(in crate::mcp) fn recorded(&self) -> Vec<Access> {
        self.log.recorded.lock().unwrap().clone()
    }

    /// From now on the log takes no records of accesses.
    pub(in crate::mcp) fn refuse_records(&self) {
        *self.log.refuses.lock().unwrap() = true;
    }

    /// Changes a byte of the tree.
    pub(in crate::mcp) fn tamper(&self) {
        let path = "tile/0";
        let folder = self.folder.list(path).unwrap();
        let file = folder.first().unwrap_or_else(|| panic!("no tile in {path}"));
        let mut bytes = self.folder.read(file).unwrap().unwrap();
        bytes[3] ^= 1;
        self.folder.replace(file, &bytes).unwrap();
    }
}
