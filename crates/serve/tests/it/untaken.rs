//! Peers of HTTP/2 that ask and take nothing of what they asked for: each loses its stream or its
//! connection within the deadline, and what it held is free for others.

use super::*;
use crate::hostile::{LONG, Port, blocking};
use h2::client::{Builder, ResponseFuture, SendRequest};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

const EVENTS: &str = "/api/v1/logs/main/events";

/// A client that lets the server send so many bytes of an answer, and never more.
struct Miser {
    requests: SendRequest<bytes::Bytes>,
    connection: JoinHandle<Result<(), h2::Error>>,
}

impl Miser {
    async fn connect(port: &Port, window: u32) -> Self {
        let stream = TcpStream::connect(port.address).await.unwrap();
        let mut builder = Builder::new();
        let handshake = builder.initial_window_size(window).handshake(stream);
        let (requests, connection) = handshake.await.unwrap();
        Self { requests, connection: tokio::spawn(connection) }
    }

    async fn ask(&mut self, method: &str, path: &str, token: &str) -> ResponseFuture {
        let uri = format!("http://x{path}");
        let request = super::request(method, &uri, token).body(()).unwrap();
        let mut ready = timeout(LONG, self.requests.clone().ready()).await.unwrap().unwrap();
        ready.send_request(request, true).unwrap().0
    }
}

/// A server whose log `main` has a page of some MiB.
async fn with_a_large_page(change: impl FnOnce(Limits) -> Limits) -> Arc<Port> {
    let port = Arc::new(Port::with(change).await);
    let event = format!(
        "{{\"event_type\":\"a.b\",\"params\":{{\"text\":\"{}\"}}}}\n",
        "x".repeat(20 << 10)
    );
    let path = format!("{EVENTS}?ack=published");
    let answer = port.rig.post(&port.token, &path, event.repeat(100)).await;
    assert_eq!(answer.status, StatusCode::OK);
    port
}

/// The figure of this name.
async fn figure(port: &Port, name: &str) -> u64 {
    let answer = port.rig.get(&port.token, "/metrics").await;
    let text = String::from_utf8(answer.bytes).unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{text}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

/// Waits until no answer holds anything.
async fn nothing_is_held(port: &Port) {
    let free = async {
        while figure(port, "tacho_answers_held_bytes").await > 0 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LONG, free).await.expect("answers are still held");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stream_that_takes_nothing_ends_and_its_connection_and_others_go_on() {
    let port = with_a_large_page(|limits| limits).await;
    let mut miser = Miser::connect(&port, 0).await;
    let token = port.token.clone();
    let page = miser.ask("GET", EVENTS, &token).await;
    let response = timeout(LONG, page).await.unwrap().unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(figure(&port, "tacho_answers_held_bytes").await > 2_000_000);
    let mut body = response.into_body();
    let here = Arc::clone(&port);
    blocking(move || here.serves_others()).await;
    let end = timeout(LONG, body.data()).await.expect("it holds its answer for ever");
    assert!(end.unwrap().unwrap_err().is_reset());
    nothing_is_held(&port).await;
    assert_eq!(figure(&port, "tacho_answers_given_up_total").await, 1);
    // What needs no room is answered on the same connection.
    let head = miser.ask("HEAD", "/healthz", "").await;
    let answer = timeout(LONG, head).await.unwrap();
    assert_eq!(answer.unwrap().status(), StatusCode::OK);
    assert!(!miser.connection.is_finished());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_lies_behind_the_end_of_a_stream_ends_with_its_connection() {
    let port = with_a_large_page(|limits| limits).await;
    let mut miser = Miser::connect(&port, 1).await;
    // One byte of it goes; the others lie where HTTP/2 keeps what it was given whole.
    let answer = miser.ask("GET", "/healthz", "").await;
    let mut body = timeout(LONG, answer).await.unwrap().unwrap().into_body();
    assert_eq!(timeout(LONG, body.data()).await.unwrap().unwrap().unwrap().len(), 1);
    let here = Arc::clone(&port);
    blocking(move || here.serves_others()).await;
    let _ended = timeout(LONG, miser.connection).await.expect("it is kept for ever");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_takes_nothing_makes_room_for_those_who_come() {
    let limits = |limits| Limits {
        write: LONG * 10,
        answer_bytes: 3 << 20,
        connection_answer_bytes: 3 << 20,
        ..limits
    };
    let port = with_a_large_page(limits).await;
    let mut miser = Miser::connect(&port, 0).await;
    let token = port.token.clone();
    let page = miser.ask("GET", EVENTS, &token).await;
    let _response = timeout(LONG, page).await.unwrap().unwrap();
    let mut fair = Miser::connect(&port, 8 << 20).await;
    let mut refused = 0;
    let served = async {
        loop {
            let answer = fair.ask("GET", EVENTS, &token).await.await.unwrap();
            let (status, retry) = (answer.status(), answer.headers().contains_key("retry-after"));
            if status == StatusCode::OK {
                break;
            }
            assert_eq!((status, retry), (StatusCode::SERVICE_UNAVAILABLE, true));
            refused += 1;
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(LONG, served).await.expect("one who takes nothing keeps the others out");
    assert!(refused > 0, "both were held at once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn requests_are_bounded_however_few_connections_they_come_by() {
    let port = with_a_large_page(|it| Limits { requests: 4, write: LONG * 10, ..it }).await;
    let mut miser = Miser::connect(&port, 0).await;
    let mut held = Vec::new();
    for _ in 0..4 {
        let answer = miser.ask("GET", "/healthz", "").await;
        held.push(timeout(LONG, answer).await.unwrap().unwrap());
    }
    let more = miser.ask("GET", "/healthz", "").await;
    let answer = timeout(LONG, more).await.unwrap().unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers().contains_key("retry-after") && answer.body().is_end_stream());
    sleep(Duration::from_millis(1_200)).await;
    let more = miser.ask("HEAD", "/healthz", "").await;
    drop(timeout(LONG, more).await.unwrap());
    sleep(Duration::from_millis(300)).await;
    let here = Arc::clone(&port);
    blocking(move || here.serves_others()).await;
}
