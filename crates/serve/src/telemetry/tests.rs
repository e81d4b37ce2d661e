//! Which requests are told of, and what becomes of spans that nobody takes.

use super::*;
use axum::body::Body;

const PARENT: &str = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";

fn telemetry(port: u16, one_in: u32) -> Telemetry {
    let receiving = Receiving {
        url: format!("http://127.0.0.1:{port}/v1/traces"),
        authorization: None,
        service: "here".to_owned(),
        one_in: NonZeroU32::new(one_in).unwrap(),
        allow_private: true,
    };
    Telemetry::new(receiving).unwrap()
}

fn request(parent: Option<&str>) -> Request {
    let mut builder = Request::builder().uri("/healthz");
    if let Some(parent) = parent {
        builder = builder.header("traceparent", parent);
    }
    builder.body(Body::empty()).unwrap()
}

#[test]
fn of_requests_without_a_trace_one_in_so_many_is_told_and_of_others_what_their_sender_says() {
    let telemetry = telemetry(9, 3);
    let begins = |parent: Option<&str>| telemetry.begin(&request(parent), 1).is_some();
    let told: Vec<bool> = (0..6).map(|_| begins(None)).collect();
    assert_eq!(told, [true, false, false, true, false, false]);
    for _ in 0..6 {
        assert!(begins(Some(&format!("00-{PARENT}-01"))));
        assert!(!begins(Some(&format!("00-{PARENT}-00"))));
    }
}

#[test]
fn a_span_belongs_to_the_trace_of_its_request_and_has_an_id_of_its_own() {
    let telemetry = telemetry(9, 1);
    let span = |parent: Option<&str>| {
        let begun = telemetry.begin(&request(parent), 1).unwrap();
        telemetry.span(begun, StatusCode::OK).unwrap()
    };
    let parent = format!("00-{PARENT}-01");
    let (first, second) = (span(Some(&parent)), span(Some(&parent)));
    let (trace, sender) = PARENT.split_once('-').unwrap();
    for span in [&first, &second] {
        assert_eq!(hex::encode(span.trace_id), trace);
        assert_eq!(span.parent_id.map(hex::encode).as_deref(), Some(sender));
    }
    assert_ne!(first.span_id, second.span_id);
    let (first, second) = (span(None), span(None));
    assert!(first.parent_id.is_none() && first.trace_id != second.trace_id);
}

#[test]
fn spans_that_find_no_room_or_no_receiver_are_counted_and_nobody_waits() {
    // A port at which nobody listens.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let telemetry = Arc::new(telemetry(port, 1));
    for _ in 0..WAITING_MAX + 5 {
        let begun = telemetry.begin(&request(None), 1).unwrap();
        telemetry.end(begun, StatusCode::OK);
    }
    let lost = || telemetry.figures().lost.load(Ordering::Relaxed);
    assert_eq!(lost(), 5);
    let sending = Sending::start(Some(&telemetry));
    sending.end();
    assert_eq!(lost(), WAITING_MAX as u64 + 5);
    assert_eq!(telemetry.figures().sent.load(Ordering::Relaxed), 0);
}

#[test]
fn a_receiver_that_everybody_could_read_along_with_is_refused_unless_that_is_said() {
    for (url, allow_private, is_fine) in [
        ("https://collector.example.org/v1/traces", false, true),
        ("http://collector.example.org/v1/traces", false, false),
        ("http://127.0.0.1:4318/v1/traces", true, true),
        ("collector:4317", true, false),
    ] {
        let receiving = Receiving {
            url: url.to_owned(),
            authorization: None,
            service: "here".to_owned(),
            one_in: NonZeroU32::MIN,
            allow_private,
        };
        assert_eq!(Telemetry::new(receiving).is_ok(), is_fine, "{url}");
    }
}
