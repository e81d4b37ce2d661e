//! What hostile clients may cost the server in memory: bombs, slow bodies and idle connections, all
//! at once and again and again, take no more than was promised (docs/server.md).
//!
//! The server is a process of its own, and what counts is the most that was ever resident, from the
//! first connection to the last bomb: nothing that comes and goes between two looks is missed. What
//! the limit leaves over is some times what two runs differ by.

use crate::program::Home;
use crate::served::Served;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Of resident memory, above what a server has that was used before.
const MEBIBYTES_MAX: u64 = 64;
/// What a body that is as large as it may be takes at least.
const MEBIBYTES_MIN: u64 = 24;
const IDLE: usize = 1_000;
const SLOW: usize = 100;
/// Bombs at a time.
const THREADS: usize = 16;
/// What one round leaves behind, the next one adds to.
const ROUNDS: usize = 2;
/// Mebibytes that bombs unfold to: two that fit, and ten thousand.
const SIZES: [usize; 3] = [10, 31, 10 << 10];
/// Bytes of a bomb: more than may be sent packed, but no more than shows it.
const PACKED_MAX: usize = 9 << 20;
const EVENTS: &str = "/api/v1/logs/main/events";
const GRPC: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
const PATIENCE: Duration = Duration::from_secs(120);

struct Target {
    port: u16,
    token: String,
    pid: u32,
}

impl Target {
    fn of(served: &Served, home: &Home) -> Self {
        let token = std::fs::read_to_string(home.path("config/tachograph/admin-token")).unwrap();
        Self { port: served.port(), token: token.trim().to_owned(), pid: served.process() }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    fn head(&self, path: &str, kind: &str, rest: &str) -> Vec<u8> {
        let token = &self.token;
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: {kind}\r\n{rest}\r\n"
        );
        head.into_bytes()
    }

    /// The status of the answer to a body in chunks, or of one length; `closed` when it is cut off.
    fn post(&self, path: &str, kind: &str, coding: &str, body: &[u8], length: Length) -> String {
        let mut stream = self.connect();
        let said = match length {
            Length::None => "Transfer-Encoding: chunked".to_owned(),
            Length::True => format!("Content-Length: {}", body.len()),
            Length::Less => format!("Content-Length: {}", body.len() / 2),
        };
        let rest = format!("Content-Encoding: {coding}\r\n{said}\r\nConnection: close\r\n");
        let mut sent = stream.write_all(&self.head(path, kind, &rest));
        for piece in body.chunks(1 << 16) {
            sent = sent.and_then(|()| match length {
                Length::None => {
                    stream.write_all(format!("{:x}\r\n", piece.len()).as_bytes())?;
                    stream.write_all(piece)?;
                    stream.write_all(b"\r\n")
                }
                _ => stream.write_all(piece),
            });
        }
        if length == Length::None {
            let _ = sent.and_then(|()| stream.write_all(b"0\r\n\r\n"));
        }
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        answer.split(' ').nth(1).unwrap_or("closed").to_owned()
    }

    /// `grpc-status` of the answer.
    fn export(&self, coding: &str, packed: &[u8]) -> String {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let address = (Ipv4Addr::LOCALHOST, self.port);
            let stream = tokio::net::TcpStream::connect(address).await.unwrap();
            let (requests, connection) = h2::client::handshake(stream).await.unwrap();
            tokio::spawn(connection);
            let request = hyper::Request::post(format!("http://x{GRPC}"))
                .header("authorization", format!("Bearer {}", self.token))
                .header("content-type", "application/grpc")
                .header("grpc-encoding", coding);
            let mut ready = requests.ready().await.unwrap();
            let (answer, mut body) = ready.send_request(request.body(()).unwrap(), false).unwrap();
            let mut framed = vec![1];
            framed.extend_from_slice(&u32::try_from(packed.len()).unwrap().to_be_bytes());
            framed.extend_from_slice(packed);
            // What is refused meanwhile is reset: then there is nobody to send the rest to.
            let _ = body.send_data(Bytes::from(framed), true);
            let answer = tokio::time::timeout(PATIENCE, answer).await.unwrap();
            let status =
                answer.ok().and_then(|answer| answer.headers().get("grpc-status").cloned());
            status.map_or("closed".to_owned(), |it| it.to_str().unwrap().to_owned())
        })
    }

    /// A body that begins and goes no further.
    fn begin(&self, packed: &[u8]) -> TcpStream {
        let mut stream = self.connect();
        let rest = "Content-Encoding: gzip\r\nContent-Length: 8000000\r\n";
        let mut begin = self.head(EVENTS, "application/x-ndjson", rest);
        begin.extend_from_slice(&packed[..10]);
        begin.resize(begin.len() + 20_000, 0);
        // A stranger who is told that there is no room may not be listened to any more.
        let _ = stream.write_all(&begin);
        stream
    }

    /// A line of `/proc/PID/status`, in MiB.
    fn mebibytes(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim_matches([':', ' ', '\t', 'k', 'B']).parse::<u64>().unwrap().div_ceil(1 << 10)
    }

    /// Begins to look for the most memory anew.
    fn forget_peak(&self) {
        std::fs::write(format!("/proc/{}/clear_refs", self.pid), "5").unwrap();
    }
}

/// What is said about a body's length.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Length {
    /// Nothing.
    None,
    True,
    /// Half of it.
    Less,
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

/// Every bomb: its coding, and a mebibyte of it with how often it comes; both codings go on with
/// it.
fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let lines = b"{\"event_type\":\"a.b\"}\n".repeat((1 << 20) / 21);
    let nothing = vec![0; 1 << 20];
    let mut bombs = Vec::new();
    for unit in [lines, nothing] {
        let zstd = zstd::encode_all(&*unit, 3).unwrap();
        for (coding, unit) in [("gzip", gzip(&unit)), ("zstd", zstd)] {
            let most = PACKED_MAX / unit.len();
            bombs.extend(SIZES.map(|mebibytes| (coding, unit.repeat(mebibytes.min(most)))));
        }
        // In one piece; for zstd it is none of its own.
        let whole = gzip(&unit.repeat(100));
        bombs.extend(["gzip", "zstd"].map(|coding| (coding, whole.clone())));
    }
    bombs
}

/// Every bomb by every door, many at a time: what is answered how often.
fn throw(target: &Target, bombs: &[(&str, Vec<u8>)]) -> BTreeMap<String, usize> {
    let mut throws: Vec<Box<dyn Fn() -> String + Send + Sync>> = Vec::new();
    let (lines, otlp) = ("application/x-ndjson", "application/x-protobuf");
    for (coding, bomb) in bombs {
        for length in [Length::None, Length::True, Length::Less] {
            throws.push(Box::new(move || target.post(EVENTS, lines, coding, bomb, length)));
        }
        throws.push(Box::new(move || target.post("/v1/traces", otlp, coding, bomb, Length::True)));
        throws.push(Box::new(move || format!("grpc {}", target.export(coding, bomb))));
    }
    let (next, answers) = (Mutex::new(throws.iter()), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let Some(throw) = next.lock().unwrap().next() else { return };
                    *answers.lock().unwrap().entry(throw()).or_default() += 1;
                }
            });
        }
    });
    answers.into_inner().unwrap()
}

/// Whether an answer says that nothing was taken.
fn is_refused(answer: &str) -> bool {
    match answer.strip_prefix("grpc ") {
        Some(status) => ["3", "8", "14", "closed"].contains(&status),
        None => ["400", "408", "413", "422", "503", "closed"].contains(&answer),
    }
}

/// Waits until a body that is as large as it may be is read to its end.
fn wait_for_room(target: &Target) {
    let large = gzip(&vec![0; 31 << 20]);
    let begun = Instant::now();
    while target.post(EVENTS, "application/x-ndjson", "gzip", &large, Length::True) == "503" {
        assert!(begun.elapsed() < PATIENCE, "there is no room any more");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "memory is read from /proc")]
fn bombs_slow_bodies_and_idle_connections_take_no_more_memory_than_was_promised() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
    let home = Home::new();
    let served = Served::start(&home);
    let target = Target::of(&served, &home);
    // What every server has once it was asked.
    let event = gzip(b"{\"event_type\":\"a.b\"}");
    for _ in 0..10 {
        assert_eq!(
            target.post(EVENTS, "application/x-ndjson", "gzip", &event, Length::True),
            "200"
        );
        assert_eq!(target.export("gzip", &gzip(b"")), "closed");
    }
    let bombs = bombs();
    let before = target.mebibytes("VmRSS");
    target.forget_peak();
    let idle: Vec<TcpStream> = (0..IDLE).map(|_| target.connect()).collect();
    let slow: Vec<TcpStream> = (0..SLOW).map(|_| target.begin(&event)).collect();
    let more = || target.mebibytes("VmHWM").saturating_sub(before);
    for round in 0..=ROUNDS {
        let answers = throw(&target, &bombs);
        println!("round {round}: {} MiB more than {before} MiB; {answers:?}", more());
        assert!(answers.keys().all(|answer| is_refused(answer)), "{answers:?}");
        // What slow ones announced has room for a while, and until then nobody else has any.
        if round == 0 {
            wait_for_room(&target);
        }
    }
    drop((idle, slow));
    wait_for_room(&target);
    let large = gzip(&vec![0; 40 << 20]);
    assert_eq!(target.post(EVENTS, "application/x-ndjson", "gzip", &large, Length::True), "413");
    assert_eq!(target.export("gzip", &large), "8");
    let more = more();
    assert!(more <= MEBIBYTES_MAX, "{more} MiB");
    assert!(more >= MEBIBYTES_MIN, "nothing unfolded: {more} MiB");
    // And it is as before.
    assert_eq!(target.post(EVENTS, "application/x-ndjson", "gzip", &event, Length::True), "200");
    served.stop();
}
