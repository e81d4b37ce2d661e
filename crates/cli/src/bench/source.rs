//! Events to append: deterministic, about 620 bytes each, shaped like a real multi-agent system's.
//!
//! A pool of distinct lines is made once, and handed out again and again. What tells one lap from
//! the next is written anew each time: ids, sessions, tasks, times and references. So a run of any
//! length holds no event twice and needs no more memory than the pool, and its traces and sessions
//! stay as long as those of a real log: 3 to 45 events, and some 100.

use std::fmt::Write as _;
use std::sync::Mutex;

/// Distinct lines in the pool: 12 MiB.
const POOL_EVENTS: usize = 20_000;
/// Bytes of buffers kept for the next batches, from which on no more are kept.
const SPARE_BYTES_TOTAL: usize = 20 << 20;
/// Sessions of one lap: of 5,000,000 events, 50,000.
const SESSIONS: u64 = 200;
/// Traces that are open at the same time.
const OPEN_TRACES: std::ops::Range<usize> = 4..20;
/// Events of a trace, and what most have beyond the fewest.
const TRACE_EVENTS_MIN: u64 = 3;
const TRACE_EVENTS_MORE_MAX: u64 = 42;
const TRACE_EVENTS_MORE_MEAN: f64 = 11.0;
/// When the first event happens, in Unix seconds; two happen in a second.
const EPOCH_SECONDS: u64 = 1_767_225_600;
/// Numbers of tasks in a lap.
const TASKS: u64 = 10_000;

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

/// A trace while it goes on.
struct Trace {
    id: String,
    session: u64,
    task: u64,
    agent: String,
    /// Its newest event: place in the pool and id.
    last: Option<(usize, String)>,
    left: u64,
}

impl Trace {
    fn new(random: &mut Random, task: u64) -> Self {
        let share = (random.below(1 << 32) + 1) as f64 / (1_u64 << 32) as f64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some dozens")]
        let more = (-share.ln() * TRACE_EVENTS_MORE_MEAN) as u64;
        Self {
            id: random.uuid(),
            session: random.below(SESSIONS),
            task,
            agent: format!("{}-{:02}", random.pick(&ROLES), 1 + random.below(3)),
            last: None,
            left: TRACE_EVENTS_MIN + more.min(TRACE_EVENTS_MORE_MAX),
        }
    }
}

/// A line of the pool, and where in it stands what is written anew.
struct Line {
    text: String,
    event_at: usize,
    /// Where the id of the event before it in the trace stands, and how many events back that is.
    parent: Option<(usize, u64)>,
    trace_at: usize,
    session: (usize, u64),
    task: (usize, u64),
    time_at: usize,
    reference_at: Option<usize>,
}

/// The pool, shared by all producers of a run.
pub(crate) struct Pool {
    lines: Vec<Line>,
    mean_bytes: f64,
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
        let (mut traces, mut tasks): (Vec<Trace>, u64) = (Vec::new(), 0);
        let lines: Vec<Line> = (0..POOL_EVENTS)
            .map(|place| {
                let opens = traces.len() < OPEN_TRACES.end && random.below(11) == 0;
                if traces.len() < OPEN_TRACES.start || opens {
                    traces.push(Trace::new(&mut random, tasks));
                    tasks += 1;
                }
                let at = match opens {
                    true => traces.len() - 1,
                    false => usize::try_from(random.below(traces.len() as u64)).unwrap_or(0),
                };
                let line = Line::new(&mut random, place, &mut traces[at]);
                if traces[at].left == 0 {
                    traces.remove(at);
                }
                line
            })
            .collect();
        let bytes = lines.iter().map(|line| line.text.len() + 1).sum::<usize>();
        Self { mean_bytes: bytes as f64 / POOL_EVENTS as f64, lines, spare: Mutex::default() }
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
        self.mean_bytes
    }

    /// A source whose event ids no other `run` hands out.
    pub(crate) fn source(&self, run: u64) -> Source<'_> {
        Source { pool: self, next: 0, run }
    }
}

impl Source<'_> {
    /// Replaces `out` by `count` lines, each with its newline.
    pub(crate) fn fill(&mut self, count: usize, out: &mut Vec<u8>) {
        let events = POOL_EVENTS as u64;
        out.clear();
        for _ in 0..count {
            let happened = self.next + self.run % events * 7_919 % events;
            let place = usize::try_from(happened % events).unwrap_or(0);
            let line = &self.pool.lines[place];
            let start = out.len();
            out.extend_from_slice(line.text.as_bytes());
            line.renew(&mut out[start..], self.run, self.next, happened);
            out.push(b'\n');
            self.next += 1;
        }
    }
}

impl Line {
    fn new(random: &mut Random, place: usize, trace: &mut Trace) -> Self {
        let id = random.uuid();
        let text = text(random, &id, trace);
        let after = |member: &str| text.find(member).map(|at| at + member.len());
        let at = |member: &str| after(member).unwrap_or(0);
        let parent = after("\"parent_event_id\":\"").zip(trace.last.as_ref());
        let line = Self {
            event_at: at("\"event_id\":\""),
            parent: parent.map(|(at, (parent, _))| (at, (place - parent) as u64)),
            trace_at: at("\"trace_id\":\""),
            session: (at("\"session_id\":\"sess-"), trace.session),
            task: (at("\"task_id\":\"task-"), trace.task),
            time_at: at("\"timestamp\":"),
            reference_at: after("\"ref\":\"R"),
            text,
        };
        trace.last = Some((place, id));
        trace.left -= 1;
        line
    }

    /// Writes what makes this line the `number`th of a run, the one that happens as so many have.
    fn renew(&self, out: &mut [u8], run: u64, number: u64, happened: u64) {
        let lap = happened / POOL_EVENTS as u64;
        write_id(&mut out[self.event_at..], run, number);
        if let Some((at, back)) = self.parent {
            write_id(&mut out[at..], run, number.wrapping_sub(back));
        }
        write_id(&mut out[self.trace_at..], run, lap);
        let session = Random(run << 32 ^ lap << 8 ^ self.session.1).next();
        write_decimal(&mut out[self.session.0..][..8], session);
        let task = run % 10 * 10_000_000 + lap % 1000 * TASKS + self.task.1;
        write_decimal(&mut out[self.task.0..][..8], task);
        write_decimal(&mut out[self.time_at..][..10], EPOCH_SECONDS + happened / 2);
        if let Some(at) = self.reference_at {
            write_decimal(&mut out[at..][..6], Random(run << 32 ^ number).next());
        }
    }
}

/// Writes two numbers into a UUID, of which the middle stays.
fn write_id(out: &mut [u8], run: u64, number: u64) {
    write_hex(&mut out[..8], run);
    write_hex(&mut out[24..36], number);
}

fn write_hex(out: &mut [u8], mut value: u64) {
    for place in out.iter_mut().rev() {
        *place = b"0123456789abcdef"[usize::try_from(value & 15).unwrap_or(0)];
        value >>= 4;
    }
}

fn write_decimal(out: &mut [u8], mut value: u64) {
    for place in out.iter_mut().rev() {
        *place = b'0' + u8::try_from(value % 10).unwrap_or(0);
        value /= 10;
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

fn text(random: &mut Random, id: &str, trace: &Trace) -> String {
    let Trace { id: trace_id, agent, last, .. } = trace;
    let parent = last.as_ref().map_or("null".to_owned(), |(_, id)| format!("\"{id}\""));
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
        r#"{{"event_id":"{id}","event_type":"{event_type}","agent_name":"{agent}","task_id":"task-00000000","session_id":"sess-00000000","action":"{action}","params":{params},"result":"{result}","reasoning":"{reasoning}","confidence":{},"source":"system","parent_event_id":{parent},"trace_id":"{trace_id}","timestamp":0000000000.{:06},"duration_ms":{duration},"token_count":{tokens},"model":"{}","version":"1.4.2","error":{error},"error_type":{error_type}}}"#,
        random.below(1000) as f64 / 1000.0,
        random.below(1_000_000),
        if tokens > 0 { model } else { "" },
    );
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{HashMap, HashSet};

    #[test]
    fn lines_are_valid_distinct_and_of_the_size_of_real_events() {
        let pool = Pool::new(1);
        assert!((560.0..680.0).contains(&pool.mean_bytes()), "{}", pool.mean_bytes());
        let (mut first, mut second) = (Vec::new(), Vec::new());
        pool.source(0).fill(30_000, &mut first);
        pool.source(1).fill(30_000, &mut second);
        let mut ids = HashSet::new();
        for event in events(&first).chain(events(&second)) {
            assert!(ids.insert(event.event_id.unwrap().into_owned()));
        }
        assert_eq!(ids.len(), 60_000);
    }

    fn events(lines: &[u8]) -> impl Iterator<Item = event::Event<'_>> {
        let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| event::Event::from_json(line).unwrap())
    }

    #[test]
    fn traces_and_sessions_stay_short_however_long_the_run() {
        let pool = Pool::new(1);
        let (mut out, mut source) = (Vec::new(), pool.source(3));
        let (mut traces, mut sessions) = (HashMap::new(), HashMap::new());
        let (mut seen, mut last) = (HashSet::new(), None);
        let (mut orphans, mut references) = (0, HashSet::new());
        for _ in 0..5 {
            source.fill(POOL_EVENTS, &mut out);
            for event in events(&out) {
                *traces.entry(event.trace_id.unwrap().into_owned()).or_insert(0) += 1;
                *sessions.entry(event.session_id.unwrap().into_owned()).or_insert(0) += 1;
                if let Some(parent) = &event.parent_event_id {
                    orphans += u32::from(!seen.contains(&**parent));
                }
                seen.insert(event.event_id.unwrap().into_owned());
                assert!(last < event.timestamp.map(|time| time.0 / 1_000_000_000 + 1));
                last = event.timestamp.map(|time| time.0 / 1_000_000_000);
            }
            let text = String::from_utf8(out.clone()).unwrap();
            references.extend(text.split("\"ref\":\"").skip(1).map(|it| it[..7].to_owned()));
        }
        let (most, mean) = (traces.values().max().unwrap(), 100_000 / traces.len());
        assert!(*most <= 45 && (10..18).contains(&mean), "{most}, {mean}");
        assert!((900..1_250).contains(&sessions.len()), "{}", sessions.len());
        // Those of a lap of which the run saw only the end.
        assert!(orphans < 30, "{orphans}");
        assert!(references.len() > 35_000, "{}", references.len());
    }
}
