//! Clients that mean no good: bombs, lies about lengths, and those who take for ever. Each is
//! answered or cut off, and others are served meanwhile.

use super::*;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

const EVENTS: &str = "/api/v1/logs/main/events";
/// Far above every limit of these tests, and below what a test may take.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// A server that listens, whose limits are over soon.
pub(crate) struct Port {
    pub(crate) rig: Arc<Rig>,
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
    stop: oneshot::Sender<()>,
    serving: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Port {
    async fn open() -> Self {
        Self::with(|limits| limits).await
    }

    pub(crate) async fn with(change: impl FnOnce(Limits) -> Limits) -> Self {
        let limits = Limits {
            head: Duration::from_millis(400),
            body: Duration::from_millis(700),
            write: Duration::from_millis(700),
            ..Limits::default()
        };
        let rig = Arc::new(Rig::within(change(limits)));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let app = rig.app.clone();
        let serving = tokio::spawn(serve::serve(app, listener, None, async {
            let _ = stopped.await;
        }));
        let token = rig.admin();
        Self { rig, address, token, stop, serving }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream.set_write_timeout(Some(LONG)).unwrap();
        stream
    }

    fn head(&self, method: &str, path: &str, headers: &str) -> String {
        let token = &self.token;
        format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n{headers}\r\n"
        )
    }

    /// Everything that comes until the other side closes, and how long that took.
    fn until_closed(mut stream: TcpStream) -> (String, Duration) {
        let begun = Instant::now();
        let mut bytes = Vec::new();
        let outcome = stream.read_to_end(&mut bytes);
        if let Err(error) = outcome {
            let cut = matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe);
            assert!(cut, "it was not closed: {error}");
        }
        (String::from_utf8_lossy(&bytes).into_owned(), begun.elapsed())
    }

    /// Sends `head` and what `pieces` yields, each as a chunk; whatever is answered.
    fn chunked(&self, headers: &str, pieces: impl Iterator<Item = Vec<u8>>) -> String {
        let headers = format!("{headers}Transfer-Encoding: chunked\r\nConnection: close\r\n");
        let mut stream = self.connect();
        stream.write_all(self.head("POST", EVENTS, &headers).as_bytes()).unwrap();
        for piece in pieces {
            let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
            chunk.extend_from_slice(&piece);
            chunk.extend_from_slice(b"\r\n");
            if stream.write_all(&chunk).is_err() {
                // It has heard enough.
                return Self::until_closed(stream).0;
            }
        }
        let _ = stream.write_all(b"0\r\n\r\n");
        Self::until_closed(stream).0
    }

    /// Others are served: quickly, and by a connection of their own.
    pub(crate) fn serves_others(&self) {
        let begun = Instant::now();
        let mut stream = self.connect();
        let event = r#"{"event_type":"a.b"}"#;
        let headers = format!("Content-Length: {}\r\nConnection: close\r\n", event.len());
        let request = self.head("POST", EVENTS, &headers) + event;
        stream.write_all(request.as_bytes()).unwrap();
        let (answer, _) = Self::until_closed(stream);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
}

/// Runs what blocks, beside the server.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("closed")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

/// A mebibyte of lines, packed: sent over and over, both codings go on with it.
fn unit(coding: &str) -> Vec<u8> {
    let lines = b"{\"event_type\":\"a.b\"}\n".repeat((1 << 20) / 21);
    if coding == "gzip" { gzip(&lines) } else { zstd(&lines) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_bomb_is_refused_at_the_cap_whatever_it_would_unfold_to() {
    let port = Arc::new(Port::open().await);
    for coding in ["gzip", "zstd"] {
        let unit = unit(coding);
        for mebibytes in [40, 3 << 10] {
            let (here, unit) = (Arc::clone(&port), unit.clone());
            let answer = blocking(move || {
                let headers = format!("Content-Encoding: {coding}\r\n");
                here.chunked(&headers, std::iter::repeat_n(unit, mebibytes))
            });
            let answer = answer.await;
            // What is 32 MiB already when packed is cut off before its end.
            assert!(["413", "closed"].contains(&status(&answer)), "{coding} {mebibytes}: {answer}");
            let here = Arc::clone(&port);
            blocking(move || here.serves_others()).await;
        }
    }
    let types = port.rig.types("main").await;
    assert_eq!(types.iter().filter(|it| *it == "a.b").count(), 4, "only the others' events");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn bombs_over_opentelemetrys_doors_are_refused_too() {
    let rig = Rig::new();
    let token = rig.admin();
    for (coding, packed) in [("gzip", unit("gzip")), ("zstd", unit("zstd"))] {
        let bomb = packed.repeat(64);
        let http = request("POST", "/v1/traces", &token)
            .header(header::CONTENT_TYPE, "application/x-protobuf")
            .header(header::CONTENT_ENCODING, coding);
        let answer = rig.send(http.body(Body::from(bomb.clone())).unwrap()).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{coding}");
        let mut framed = vec![1];
        framed.extend_from_slice(&u32::try_from(bomb.len()).unwrap().to_be_bytes());
        framed.extend_from_slice(&bomb);
        let path = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
        let grpc = request("POST", path, &token)
            .header(header::CONTENT_TYPE, "application/grpc")
            .header("grpc-encoding", coding);
        let answer = rig.send(grpc.body(Body::from(framed)).unwrap()).await;
        assert_eq!(answer.headers["grpc-status"], "8", "{coding}: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_packed_twice_is_never_unpacked_twice() {
    let rig = Rig::new();
    let token = rig.admin();
    let once = gzip(br#"{"event_type":"a.b"}"#);
    let twice = gzip(&once);
    for (coding, body, statuses) in [
        ("gzip, gzip", &twice, &[415][..]),
        ("gzip,zstd", &twice, &[415]),
        // The inner one is no JSON: each line of it is refused.
        ("gzip", &twice, &[400, 422]),
        ("gzip", &once, &[200]),
    ] {
        let builder = request("POST", EVENTS, &token).header(header::CONTENT_ENCODING, coding);
        let answer = rig.send(builder.body(Body::from(body.clone())).unwrap()).await;
        assert!(statuses.contains(&answer.status.as_u16()), "{coding}: {answer:?}");
    }
    let builder = request("POST", EVENTS, &token)
        .header(header::CONTENT_ENCODING, "gzip")
        .header(header::CONTENT_ENCODING, "gzip");
    let answer = rig.send(builder.body(Body::from(twice)).unwrap()).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_lies_about_the_length_gains_nothing() {
    let port = Arc::new(Port::open().await);
    let here = Arc::clone(&port);
    blocking(move || {
        let event = r#"{"event_id":"lie","event_type":"a.b"}"#;
        let send = |headers: &str, body: &str| {
            let mut stream = here.connect();
            let text = here.head("POST", EVENTS, headers) + body;
            stream.write_all(text.as_bytes()).unwrap();
            Port::until_closed(stream).0
        };
        // Too long, and the rest never comes.
        assert_eq!(status(&send("Content-Length: 1000\r\n", event)), "408");
        // The same from one who goes away.
        let mut gone = here.connect();
        let text = here.head("POST", EVENTS, "Content-Length: 1000\r\n") + event;
        gone.write_all(text.as_bytes()).unwrap();
        drop(gone);
        // Longer than anything that is taken: said before any of it is sent.
        assert_eq!(status(&send("Content-Length: 99999999999\r\n", "")), "413");
        assert_eq!(status(&send("Content-Length: 99999999999999999999999\r\n", "")), "400");
        assert_eq!(status(&send("Content-Length: -1\r\n", "")), "400");
        // Two lengths, or a length and chunks: two readers could see two requests.
        assert_eq!(status(&send("Content-Length: 5\r\nContent-Length: 6\r\n", "{}")), "400");
        // Too short: what is left over is no request, and nobody is asked further.
        let short = send("Content-Length: 5\r\n", event);
        assert!(["400", "422"].contains(&status(&short)), "{short}");
        assert!(short.contains("HTTP/1.1 400"), "{short}");
        here.serves_others();
    })
    .await;
    let types = port.rig.types("main").await;
    assert_eq!(types.iter().filter(|it| *it == "a.b").count(), 1, "only the other's event");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_takes_for_ever_is_cut_off() {
    let port = Arc::new(Port::open().await);
    let here = Arc::clone(&port);
    blocking(move || {
        let begun = [
            ("nothing at all", String::new()),
            ("half of HTTP/2's first line", "PRI * HTTP/2.0\r\n".to_owned()),
            ("half a head", "GET /healthz HTTP/1.1\r\nHost: x\r\nX-".to_owned()),
            ("a request, then nothing", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".to_owned()),
            ("HTTP/2 that answers no ping", HTTP2.to_owned()),
        ];
        for (what, bytes) in begun {
            let mut stream = here.connect();
            stream.write_all(bytes.as_bytes()).unwrap();
            let (_, took) = Port::until_closed(stream);
            assert!(took < LONG / 2, "{what}: {took:?}");
        }
        // One byte at a time, for as long as it is let: first of a head, then of a body.
        for (head, answer) in [
            ("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ".to_owned(), "closed"),
            (here.head("POST", EVENTS, "Content-Length: 100000\r\n"), "408"),
        ] {
            let mut stream = here.connect();
            stream.write_all(head.as_bytes()).unwrap();
            let begun = Instant::now();
            while begun.elapsed() < LONG && stream.write_all(b"a").is_ok() {
                std::thread::sleep(Duration::from_millis(30));
                if begun.elapsed() > Duration::from_millis(1_500) {
                    break;
                }
            }
            let (told, _) = Port::until_closed(stream);
            // An answer may be lost with a connection that is reset.
            assert!([answer, "closed"].contains(&status(&told)), "{told}");
            assert!(begun.elapsed() < LONG / 2);
        }
        here.serves_others();
    })
    .await;
}

/// The preface and empty settings.
const HTTP2: &str = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_does_not_read_is_cut_off() {
    let port = Arc::new(Port::open().await);
    let here = Arc::clone(&port);
    blocking(move || {
        // More than the buffers between the two hold.
        let count = (24 << 20) / serve::openapi::text().len();
        let request = "GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n";
        let stream = here.connect();
        let mut writer = stream.try_clone().unwrap();
        let writing = std::thread::spawn(move || {
            let _ = (0..count).try_for_each(|_| writer.write_all(request.as_bytes()));
        });
        std::thread::sleep(Duration::from_secs(3));
        here.serves_others();
        let (got, _) = Port::until_closed(stream);
        writing.join().unwrap();
        let whole = count * serve::openapi::text().len();
        assert!(!got.is_empty() && got.len() < whole / 2, "{} of {whole}", got.len());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_idle_connections_leave_room_and_are_closed() {
    let port = Arc::new(Port::with(|it| Limits { connections: 100, ..it }).await);
    let here = Arc::clone(&port);
    blocking(move || {
        let idle: Vec<TcpStream> = (0..200).map(|_| here.connect()).collect();
        // It waits behind all of them, and is served when they were cut off.
        here.serves_others();
        for stream in idle {
            let (answer, _) = Port::until_closed(stream);
            assert!(answer.is_empty(), "{answer}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn only_long_answers_to_callers_with_a_credential_are_packed() {
    let rig = Rig::new();
    let admin = rig.admin();
    let many = "{\"event_type\":\"a.b\"}\n".repeat(200);
    rig.post(&admin, &format!("{EVENTS}?ack=published"), many).await;
    for (token, path, is_packed) in [
        ("", "/openapi.json", false),
        ("", EVENTS, false),
        (&*admin, "/api/v1/logs/main/events?limit=1", false),
        (&*admin, EVENTS, true),
    ] {
        let builder = request("GET", path, token).header(header::ACCEPT_ENCODING, "gzip");
        let response = rig.router.clone().oneshot(builder.body(Body::empty()).unwrap()).await;
        let packed = response.unwrap().headers().contains_key(header::CONTENT_ENCODING);
        assert_eq!(packed, is_packed, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_would_take_many_times_its_bytes_is_counted_before_it_is_built() {
    let rig = Rig::new();
    let token = rig.admin();
    // A list of nothings: two bytes each as JSON, a hundred in memory.
    for (count, status) in [(1_000, StatusCode::OK), (300_000, StatusCode::PAYLOAD_TOO_LARGE)] {
        let body = format!("{{\"resourceSpans\":[{}{{}}]}}", "{},".repeat(count));
        let builder =
            request("POST", "/v1/traces", &token).header(header::CONTENT_TYPE, "application/json");
        let answer = rig.send(builder.body(Body::from(body)).unwrap()).await;
        assert_eq!(answer.status, status, "{count}");
    }
    // A span of attributes that hold nothing: refused by itself, beside one that is taken.
    let field = |tag: u8, message: &[u8]| {
        let mut bytes = vec![tag << 3 | 2];
        let mut length = message.len();
        while length > 127 {
            bytes.push((length & 127) as u8 | 128);
            length >>= 7;
        }
        bytes.push(length as u8);
        bytes.extend_from_slice(message);
        bytes
    };
    let ids = [field(1, &[7; 16]), field(2, &[7; 8])].concat();
    let large = [ids.clone(), field(9, b"").repeat(100_000)].concat();
    let spans = [field(2, &ids), field(2, &large)].concat();
    let builder = request("POST", "/v1/traces", &token)
        .header(header::CONTENT_TYPE, "application/x-protobuf");
    let body = field(1, &field(2, &spans));
    let answer = rig.send(builder.body(Body::from(body)).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
    let told = String::from_utf8_lossy(&answer.bytes).into_owned();
    assert!(told.contains("record 2: ") && told.contains("16384 attributes"), "{told}");
    // Lines that are refused one by one, up to what a request may hold.
    let answer = rig.post(&token, EVENTS, "{}\n".repeat(1_000_000)).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_stops_the_server_is_heard_although_nobody_else_is_let_in() {
    let port = Port::with(|it| Limits { connections: 2, head: LONG * 3, ..it }).await;
    let idle: Vec<TcpStream> = (0..3).map(|_| port.connect()).collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    port.stop.send(()).unwrap();
    tokio::time::timeout(LONG, port.serving).await.unwrap().unwrap().unwrap();
    drop(idle);
}
