//! More than the server takes: who is refused hears so while still sending, and what was begun is
//! ended.

use super::*;
use crate::hostile::{LONG, Port, blocking};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const EVENTS: &str = "/api/v1/logs/main/events";

/// One connection, which sends all of a request before it reads any of the answer.
struct Client {
    stream: BufReader<TcpStream>,
    token: String,
}

/// Status, head in lower case, and body.
type Heard = (u16, String, String);

impl Client {
    fn connect(port: &Port) -> Self {
        let stream = TcpStream::connect(port.address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream.set_write_timeout(Some(LONG)).unwrap();
        Self { stream: BufReader::new(stream), token: port.token.clone() }
    }

    /// The head of a request whose body has so many bytes.
    fn begin(&mut self, length: usize, headers: &str) -> std::io::Result<()> {
        let token = &self.token;
        let head = format!(
            "POST {EVENTS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
             Content-Length: {length}\r\n{headers}\r\n"
        );
        self.stream.get_mut().write_all(head.as_bytes())
    }

    fn say(&mut self, headers: &str, body: &[u8]) -> std::io::Result<()> {
        self.begin(body.len(), headers)?;
        self.stream.get_mut().write_all(body)
    }

    /// The next answer, or an error when the connection breaks before its end.
    fn hear(&mut self) -> std::io::Result<Heard> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.stream.read_line(&mut head)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        }
        let head = head.to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        self.stream.read_exact(&mut body)?;
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Ok((status, head, String::from_utf8(body).unwrap()))
    }

    fn ask(&mut self, headers: &str, body: &[u8]) -> std::io::Result<Heard> {
        self.say(headers, body)?;
        self.hear()
    }
}

/// Lines of so many bytes together, a few of them.
fn lines(bytes: usize) -> Vec<u8> {
    let text = "x".repeat(20 << 10);
    let line = format!("{{\"event_type\":\"a.b\",\"params\":{{\"text\":\"{text}\"}}}}\n");
    line.repeat(bytes / line.len()).into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_is_refused_early_hears_why_and_goes_on_by_the_same_connection() {
    let port = Arc::new(Port::with(|it| Limits { body: LONG, ..it }).await);
    blocking(move || {
        let mut client = Client::connect(&port);
        for _ in 0..3 {
            let wrong = client.ask("Content-Type: image/png\r\n", &lines(12 << 20));
            assert_eq!(wrong.unwrap().0, 415);
        }
        assert_eq!(client.ask("", br#"{"event_type":"a.b"}"#).unwrap().0, 200);
        // Longer than anything that is taken: it hears so as well, and that this is the end. What
        // it sent beyond that might meet a connection that is closed.
        client.begin(33 << 20, "").unwrap();
        client.stream.get_mut().write_all(&lines(1 << 20)).unwrap();
        let (status, head, _) = client.hear().unwrap();
        assert_eq!(status, 413);
        assert!(head.contains("connection: close"), "{head}");
        // A stranger is heard out as well, but not for long.
        let mut stranger = Client::connect(&port);
        stranger.token = "tacho_nobody".to_owned();
        let (status, head, _) = stranger.ask("", &lines(200 << 10)).unwrap();
        assert_eq!((status, head.contains("connection: close")), (401, false), "{head}");
        let (status, head, _) = stranger.ask("", &lines(300 << 10)).unwrap();
        assert_eq!((status, head.contains("connection: close")), (401, true), "{head}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_asks_first_is_refused_before_it_sends() {
    let port = Arc::new(Port::with(|limits| limits).await);
    blocking(move || {
        let expect = "Expect: 100-continue\r\n";
        let mut client = Client::connect(&port);
        client.begin(1_000_000, &format!("{expect}Content-Type: image/png\r\n")).unwrap();
        let (status, head, _) = client.hear().unwrap();
        assert_eq!(status, 415);
        assert!(head.contains("connection: close"), "{head}");
        // The end, and no invitation before it.
        assert_eq!(client.stream.read(&mut [0]).unwrap(), 0);
        let mut client = Client::connect(&port);
        client.say(expect, br#"{"event_type":"a.b"}"#).unwrap();
        assert_eq!(client.hear().unwrap().0, 100);
        assert_eq!(client.hear().unwrap().0, 200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_there_is_no_room_for_hears_when_to_come_again_and_is_taken_then() {
    let port = Arc::new(Port::with(|it| Limits { body: LONG, ..it }).await);
    blocking(move || {
        let (mut client, batch) = (Client::connect(&port), lines(6 << 20));
        let mut ask = || {
            let (status, head, body) = client.ask("", &batch).expect("an answer was lost");
            assert_eq!(status == 503, head.contains("retry-after: 1\r\n"), "{head}{body}");
            assert!([200, 503].contains(&status), "{head}{body}");
            status
        };
        // What they say that they will send takes all but four of the mebibytes that there are; for
        // a while, and from when the server has heard it, so others say it again until it counts.
        let announce = || {
            let begin = |_| {
                let mut client = Client::connect(&port);
                client.begin(8 << 20, "").unwrap();
                client
            };
            (0..4).map(begin).collect::<Vec<_>>()
        };
        let mut announcing = announce();
        let mut again = 0..50;
        while ask() == 200 {
            assert!(again.next().is_some(), "there was always room");
            announcing = announce();
        }
        // They send nothing, so their room is somebody else's soon.
        let begun = Instant::now();
        while ask() == 503 {
            assert!(begun.elapsed() < LONG, "there never was room");
            std::thread::sleep(Duration::from_millis(20));
        }
        drop(announcing);
    })
    .await;
}
