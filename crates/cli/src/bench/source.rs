//! Events to append: deterministic, about 620 bytes each, shaped like a real multi-agent system's.
//!
//! A pool of distinct lines is made once; every line handed out gets an event id of its own, so
//! that a run of any length holds no duplicates and needs no more memory than the pool.

use std::fmt::Write as _;
use std::sync::Mutex;

/// Distinct lines in the pool: 12 MiB.
const POOL_EVENTS: usize = 20_000;
/// Bytes of buffers kept for the next batches, from which on no more are kept.
const SPARE_BYTES_TOTAL: usize = 20 << 20;
/// Sessions that the pool's events belong to.
const SESSIONS: u64 = 5_000;

const ROLES: [&str; 8] =
    ["planner", "researcher", "coder", "critic", "router", "support", "billing", "analyst"];
const TOOLS: [&str; 12] = [
    "web_search",
    "read_file",
    "run_python",
    "sql_query",
    "http_get",
    "get_order",
    "process_refund",
    "send_email",
    "vector_search",
    "create_ticket",
    "shell",
    "price_quote",
];
const MODELS: [&str; 4] = ["gpt-5-mini", "claude-sonnet-5", "gemini-3-pro", "llama-4-70b"];
const ERRORS: [(&str, &str); 4] = [
    ("TimeoutError", "upstream did not answer within 10 s"),
    ("RateLimitError", "429 too many requests, retry after 2 s"),
    ("ValidationError", "field 'amount' must be positive"),
    ("HTTPError", "503 service unavailable"),
];
const WORDS: [&str; 48] = [
    "the",
    "order",
    "customer",
    "refund",
    "invoice",
    "ticket",
    "report",
    "file",
    "query",
    "result",
    "table",
    "account",
    "payment",
    "price",
    "agent",
    "task",
    "plan",
    "step",
    "call",
    "search",
    "page",
    "document",
    "summary",
    "error",
    "retry",
    "policy",
    "check",
    "approve",
    "amount",
    "date",
    "status",
    "pending",
    "shipped",
    "late",
    "reply",
    "draft",
    "review",
    "deploy",
    "because",
    "however",
    "therefore",
    "next",
    "final",
    "update",
    "confirm",
    "compare",
    "café",
    "Zürich",
];

/// A small deterministic generator (SplitMix64, Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn pick<'t>(&mut self, table: &[&'t str]) -> &'t str {
        let place = usize::try_from(self.below(table.len() as u64)).unwrap_or(0);
        table.get(place).copied().unwrap_or_default()
    }

    fn text(&mut self, words: u64) -> String {
        let count = 1 + words / 2 + self.below(words);
        (0..count).map(|_| self.pick(&WORDS)).collect::<Vec<_>>().join(" ")
    }

    fn uuid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            a >> 32,
            a >> 16 & 0xffff,
            a & 0xfff,
            b >> 52,
            b & 0xffff_ffff_ffff
        )
    }
}

/// The pool, shared by all producers of a run.
pub(crate) struct Pool {
    lines: Vec<(String, usize)>,
    /// Buffers that nobody uses now: a producer that waits for its turn holds none.
    spare: Mutex<Vec<Vec<u8>>>,
}

/// Hands out lines of the pool with ids of their own.
pub(crate) struct Source<'p> {
    pool: &'p Pool,
    next: u64,
    run: u64,
}

impl Pool {
    /// The pool of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let mut traces: Vec<(String, u64)> = Vec::new();
        let lines = (0..POOL_EVENTS)
            .map(|number| {
                if traces.len() < 12 || random.below(10) == 0 {
                    let session = random.below(SESSIONS);
                    traces.push((random.uuid(), session));
                    if traces.len() > 20 {
                        traces.remove(0);
                    }
                }
                let place = usize::try_from(random.below(traces.len() as u64)).unwrap_or(0);
                let (trace, session) = traces[place].clone();
                let line = line(&mut random, number, &trace, session);
                let id_at = line.find("\"event_id\":\"").map_or(0, |at| at + 12);
                (line, id_at)
            })
            .collect();
        Self { lines, spare: Mutex::default() }
    }

    /// A buffer, used before if there is one.
    pub(crate) fn buffer(&self) -> Vec<u8> {
        self.spare.lock().ok().and_then(|mut spare| spare.pop()).unwrap_or_default()
    }

    /// Gives a buffer back.
    pub(crate) fn give_back(&self, buffer: Vec<u8>) {
        if let Ok(mut spare) = self.spare.lock()
            && spare.iter().map(Vec::capacity).sum::<usize>() < SPARE_BYTES_TOTAL
        {
            spare.push(buffer);
        }
    }

    /// The mean length of a line in bytes, its newline included.
    pub(crate) fn mean_bytes(&self) -> f64 {
        self.lines.iter().map(|(line, _)| line.len() + 1).sum::<usize>() as f64
            / self.lines.len() as f64
    }

    /// A source whose event ids no other `run` hands out.
    pub(crate) fn source(&self, run: u64) -> Source<'_> {
        Source { pool: self, next: 0, run }
    }
}

impl Source<'_> {
    /// Replaces `out` by `count` lines, each with its newline.
    pub(crate) fn fill(&mut self, count: usize, out: &mut Vec<u8>) {
        out.clear();
        for _ in 0..count {
            let place =
                usize::try_from((self.next + self.run * 7_919) % POOL_EVENTS as u64).unwrap_or(0);
            let (line, id_at) = &self.pool.lines[place];
            let start = out.len();
            out.extend_from_slice(line.as_bytes());
            write_hex(&mut out[start + id_at..start + id_at + 8], self.run);
            write_hex(&mut out[start + id_at + 24..start + id_at + 36], self.next);
            out.push(b'\n');
            self.next += 1;
        }
    }
}

fn write_hex(out: &mut [u8], mut value: u64) {
    for place in out.iter_mut().rev() {
        *place = b"0123456789abcdef"[usize::try_from(value & 15).unwrap_or(0)];
        value >>= 4;
    }
}

/// What the kinds of events differ in.
#[derive(Default)]
struct Happening {
    event_type: &'static str,
    action: String,
    /// A JSON object.
    params: String,
    result: String,
    reasoning: String,
    tokens: u64,
    /// The class of an error and its message.
    error: Option<(&'static str, &'static str)>,
}

fn tool_call(random: &mut Random, tool: &str) -> Happening {
    let error = match random.below(25) {
        0 => Some(ERRORS[usize::try_from(random.below(4)).unwrap_or(0)]),
        _ => None,
    };
    Happening {
        event_type: "agent.tool_call",
        action: format!("tool_call:{tool}"),
        params: format!(
            r#"{{"query":"{}","limit":{},"ref":"R{:06}"}}"#,
            random.text(9),
            1 + random.below(50),
            random.below(1_000_000)
        ),
        result: format!("ok, {} rows", random.below(500)),
        reasoning: random.text(8),
        error,
        ..Happening::default()
    }
}

fn tool_result(random: &mut Random, tool: &str) -> Happening {
    Happening {
        event_type: "agent.tool_result",
        action: format!("tool_result:{tool}"),
        params: "{}".to_owned(),
        result: random.text(24),
        ..Happening::default()
    }
}

fn llm_response(random: &mut Random) -> Happening {
    Happening {
        event_type: "agent.llm_response",
        action: "llm_response".to_owned(),
        params: r#"{"temperature":0.2,"max_tokens":1024}"#.to_owned(),
        tokens: 80 + random.below(1800),
        result: random.text(22),
        ..Happening::default()
    }
}

fn reasoning(random: &mut Random) -> Happening {
    Happening {
        event_type: "agent.reasoning",
        action: "reasoning".to_owned(),
        params: "{}".to_owned(),
        tokens: 20 + random.below(400),
        reasoning: random.text(28),
        ..Happening::default()
    }
}

fn decision(random: &mut Random) -> Happening {
    Happening {
        event_type: "agent.decision",
        action: "decision:approve".to_owned(),
        params: r#"{"options":["approve","retry","escalate"]}"#.to_owned(),
        reasoning: random.text(18),
        ..Happening::default()
    }
}

fn line(random: &mut Random, number: usize, trace: &str, session: u64) -> String {
    let agent = format!("{}-{:02}", random.pick(&ROLES), 1 + random.below(3));
    let tool = random.pick(&TOOLS);
    let model = random.pick(&MODELS);
    let duration = random.below(9_000_000) as f64 / 1000.0;
    let happening = match random.below(100) {
        0..40 => tool_call(random, tool),
        40..58 => llm_response(random),
        58..74 => reasoning(random),
        74..88 => decision(random),
        _ => tool_result(random, tool),
    };
    let Happening { event_type, action, params, result, reasoning, tokens, error } = happening;
    let (error, error_type) = match error {
        Some((class, message)) => (format!("\"{message}\""), format!("\"{class}\"")),
        None => ("null".to_owned(), "null".to_owned()),
    };
    let mut line = String::with_capacity(700);
    // Writing to a string cannot fail.
    let _ = write!(
        line,
        r#"{{"event_id":"{}","event_type":"{event_type}","agent_name":"{agent}","task_id":"task-{:07}","session_id":"sess-{session:05}","action":"{action}","params":{params},"result":"{result}","reasoning":"{reasoning}","confidence":{},"source":"system","parent_event_id":"{}","trace_id":"{trace}","timestamp":{}.{:06},"duration_ms":{duration},"token_count":{tokens},"model":"{}","version":"1.4.2","error":{error},"error_type":{error_type}}}"#,
        random.uuid(),
        number / 11,
        random.below(1000) as f64 / 1000.0,
        random.uuid(),
        1_767_225_600 + number / 2,
        random.below(1_000_000),
        if tokens > 0 { model } else { "" },
    );
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn lines_are_valid_distinct_and_of_the_size_of_real_events() {
        let pool = Pool::new(1);
        assert!((560.0..680.0).contains(&pool.mean_bytes()), "{}", pool.mean_bytes());
        let (mut first, mut second) = (Vec::new(), Vec::new());
        pool.source(0).fill(30_000, &mut first);
        pool.source(1).fill(30_000, &mut second);
        let mut ids = HashSet::new();
        for line in first
            .split(|b| *b == b'\n')
            .chain(second.split(|b| *b == b'\n'))
            .filter(|l| !l.is_empty())
        {
            let event = event::Event::from_json(line).unwrap();
            assert!(ids.insert(event.event_id.unwrap().into_owned()));
        }
        assert_eq!(ids.len(), 60_000);
    }
}
