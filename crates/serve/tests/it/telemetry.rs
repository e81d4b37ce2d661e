//! What the server tells a receiver of its own requests, and what it never tells.

use super::*;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serve::telemetry::{Receiving, Telemetry};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::num::NonZeroU32;
use std::sync::mpsc::{Receiver, channel};

/// A receiver of OTLP: the heads and bodies of the requests that come.
fn receiver() -> (u16, Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, requests) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(stream);
            while let Some(request) = read(&mut reader) {
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                reader.get_mut().write_all(answer).unwrap();
                let _ = sender.send(request);
            }
        }
    });
    (port, requests)
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        head.push_str(&line.to_ascii_lowercase());
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length?.trim().parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}

fn attribute(span: &Span, name: &str) -> Option<String> {
    let found = span.attributes.iter().find(|it| it.key == name)?;
    match found.value.as_ref()?.value.as_ref()? {
        Any::StringValue(text) => Some(text.clone()),
        Any::IntValue(number) => Some(number.to_string()),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn requests_are_told_by_their_routes_and_nothing_that_was_sent_is() {
    let (port, requests) = receiver();
    let telemetry = Telemetry::new(Receiving {
        url: format!("http://127.0.0.1:{port}/v1/traces"),
        authorization: Some("Bearer of-the-receiver".to_owned().into()),
        service: "audit".to_owned(),
        one_in: NonZeroU32::MIN,
        allow_private: true,
    });
    let rig = Rig::made(Wishes { telemetry: Some(telemetry.unwrap()), ..Wishes::default() });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(serve::serve(rig.app.clone(), listener, None, async {
        let _ = stopped.await;
    }));
    let token = rig.admin();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let ask = async |path: &str, parent: &str| {
        let request = request("GET", path, &token).header("traceparent", parent);
        rig.send(request.body(Body::empty()).unwrap()).await
    };
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    ask("/api/v1/logs/main/events/canary-id?agent=canary-name", &parent).await;
    ask("/canary-nowhere", &parent).await;
    ask("/healthz", &format!("00-{trace}-00f067aa0ba902b7-00")).await;
    let odd = Request::builder().method("CANARY").uri("/healthz").body(Body::empty()).unwrap();
    rig.router.clone().oneshot(odd).await.unwrap();
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();

    let (mut spans, mut sent) = (Vec::new(), Vec::new());
    for (head, body) in requests.try_iter() {
        assert!(head.contains("authorization: bearer of-the-receiver"), "{head}");
        let message = ExportTraceServiceRequest::decode(&*body).unwrap();
        let resource = message.resource_spans[0].resource.as_ref().unwrap();
        let named = Span { attributes: resource.attributes.clone(), ..Span::default() };
        assert_eq!(attribute(&named, "service.name").as_deref(), Some("audit"));
        spans.extend(message.resource_spans[0].scope_spans[0].spans.clone());
        sent.extend(body);
    }
    let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["GET /api/v1/logs/{log}/events/{id}", "GET", "_OTHER /healthz"]);
    let status = |at: usize| attribute(&spans[at], "http.response.status_code").unwrap();
    assert_eq!([status(0), status(1), status(2)], ["404", "404", "405"]);
    assert_eq!(hex::encode(&spans[0].trace_id), trace);
    assert_eq!(hex::encode(&spans[0].parent_span_id), "00f067aa0ba902b7");
    assert!(spans[0].end_time_unix_nano >= spans[0].start_time_unix_nano);
    let text = String::from_utf8_lossy(&sent).to_lowercase();
    assert!(!text.contains("canary") && !text.contains(&token.to_lowercase()), "{text}");
    let metrics = String::from_utf8(rig.get(&token, "/metrics").await.bytes).unwrap();
    assert!(metrics.contains("tacho_spans_sent_total 3\n"), "{metrics}");
}
