//! Events in.

use super::*;
use std::io::Write as _;

const EVENTS: &str = "/api/v1/logs/main/events";

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_answered_when_it_is_durable_and_bears_its_sender() {
    let rig = Rig::new();
    let token = rig.token(Role::PRODUCER, LogNames::only(["main"]));
    // What it says of its sender is a claim.
    let body = r#"{"event_id":"e1","event_type":"a.b","principal":{"subject":"somebody else"}}"#;
    let answer = rig.post(&token, EVENTS, body).await;
    assert_eq!(answer.status, StatusCode::OK);
    let document = answer.json();
    assert_eq!(document["accepted"], 1);
    assert_eq!(document["results"][0]["event_id"], "e1");
    assert_eq!(document["results"][0]["index"], 2);
    assert!(document["checkpoint"].as_str().unwrap().contains("tachograph.local/"));
    // Durable: a copy of the folder as it is now has it.
    let admin = rig.admin();
    rig.post(&admin, &format!("{EVENTS}?ack=published"), r#"{"event_type":"a.c"}"#).await;
    let event = rig.get(&admin, &format!("{EVENTS}/e1")).await.json()["events"][0].clone();
    let subject = event["principal"]["subject"].as_str().unwrap();
    assert!(subject.starts_with("somebody#"), "{event}");
    assert_eq!(event["principal"]["method"], "token");
    assert_eq!(event["assurance"], "acknowledged");
    assert_eq!(event["content"]["attributes"]["principal"]["subject"], "somebody else");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_again_is_a_duplicate_and_another_under_its_id_a_conflict() {
    let rig = Rig::new();
    let token = rig.admin();
    let one = r#"{"event_id":"e1","event_type":"a.b"}"#;
    assert_eq!(rig.post(&token, EVENTS, one).await.json()["accepted"], 1);
    let again = rig.post(&token, EVENTS, one).await;
    assert_eq!((again.status, &again.json()["duplicates"]), (StatusCode::OK, &1.into()));
    let other = rig.post(&token, EVENTS, r#"{"event_id":"e1","event_type":"a.c"}"#).await;
    assert_eq!(other.status, StatusCode::CONFLICT);
    assert_eq!(other.json()["results"][0]["error"]["code"], "id_conflict");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_makes_a_request_without_ids_safe_to_repeat() {
    let rig = Rig::new();
    let token = rig.admin();
    let send = async |body: &'static str, key: &str| {
        let builder = request("POST", EVENTS, &token).header("idempotency-key", key);
        rig.send(builder.body(Body::from(body)).unwrap()).await
    };
    let two = r#"[{"event_type":"a.b"},{"event_type":"a.b"}]"#;
    assert_eq!(send(two, "k1").await.json()["accepted"], 2);
    assert_eq!(send(two, "k1").await.json()["duplicates"], 2);
    assert_eq!(send(two, "k2").await.json()["accepted"], 2);
    let other = send(r#"{"event_type":"a.c"}"#, "k1").await;
    assert_eq!(other.status, StatusCode::CONFLICT);
    assert_eq!(send(two, "").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test(flavor = "multi_thread")]
async fn good_events_are_kept_and_each_bad_one_is_told() {
    let rig = Rig::new();
    let token = rig.admin();
    let lines = "{\"event_type\":\"a.b\"}\nnot json\n\n{\"nope\":1}\n{\"event_type\":\"a.c\"}\n";
    let answer = rig.post(&token, EVENTS, lines).await;
    assert_eq!(answer.status, StatusCode::MULTI_STATUS);
    let document = answer.json();
    let told: Vec<(u64, Option<&str>)> = document["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["line"].as_u64().unwrap(), it["error"]["code"].as_str()))
        .collect();
    assert_eq!(told, [(1, None), (2, Some("not_json")), (4, Some("missing_field")), (5, None)]);
    // All or nothing, and the whole request was nothing.
    let atomic = rig.post(&token, &format!("{EVENTS}?atomic=1"), lines).await;
    assert_eq!(atomic.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(rig.types("main").await.iter().filter(|it| it.starts_with("a.")).count(), 2);
}

/// Lines of such a size are encoded on two cores where one is idle.
#[tokio::test(flavor = "multi_thread")]
async fn events_of_a_large_request_keep_their_order_and_lines_their_numbers() {
    let rig = Rig::new();
    let token = rig.admin();
    let filler = "x".repeat(300);
    let line = |number: usize| match number {
        3 | 799 | 800 => "not json\n".to_owned(),
        _ => format!(
            "{{\"event_id\":\"e{number}\",\"event_type\":\"a.b\",\"input\":\"{filler}\"}}\n"
        ),
    };
    let answer = rig.post(&token, EVENTS, (1..=800).map(line).collect::<String>()).await;
    assert_eq!(answer.status, StatusCode::MULTI_STATUS);
    let document = answer.json();
    let results = document["results"].as_array().unwrap();
    let numbers = results.iter().map(|it| it["line"].as_u64().unwrap());
    assert!(numbers.eq(1..=800));
    let bad: Vec<_> = results.iter().filter(|it| it["error"].is_object()).collect();
    assert_eq!(bad.iter().map(|it| &it["line"]).collect::<Vec<_>>(), [3, 799, 800]);
    let sealed: Vec<_> = results.iter().filter(|it| it["index"].is_u64()).collect();
    let ids = sealed.iter().map(|it| it["event_id"].as_str().unwrap().to_owned());
    let sent = [1, 2].into_iter().chain(4..799);
    assert!(ids.eq(sent.map(|number| format!("e{number}"))));
    let first = sealed[0]["index"].as_u64().unwrap();
    let indexes = sealed.iter().map(|it| it["index"].as_u64().unwrap());
    assert!(indexes.eq(first..first + 797));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_says_published_can_be_proved_at_once() {
    let rig = Rig::new();
    let token = rig.admin();
    let answer =
        rig.post(&token, &format!("{EVENTS}?ack=published"), r#"{"event_type":"a.b"}"#).await;
    let index = answer.json()["results"][0]["index"].clone();
    let proof = rig.get(&token, &format!("{EVENTS}/{index}/proof")).await;
    assert_eq!(proof.status, StatusCode::OK, "{}", String::from_utf8_lossy(&proof.bytes));
    assert!(proof.bytes.starts_with(b"c2sp.org/tlog-proof@v1\n"));
    let evidence = rig.get(&token, &format!("{EVENTS}/{index}/proof?evidence=1")).await;
    let evidence = prove::Evidence::from_json(&evidence.bytes).unwrap();
    evidence.check(&prove::Trust::default()).unwrap();
    let witnessed = rig.post(&token, &format!("{EVENTS}?ack=witnessed"), "{}").await;
    assert_eq!(witnessed.json()["code"], "no_witness");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_with_its_proof_is_checked_by_the_log_key_alone() {
    let rig = Rig::new();
    let token = rig.token(Role::PRODUCER, LogNames::only(["main"]));
    let path = format!("{EVENTS}?proof=1");
    let lines =
        "{\"event_id\":\"e1\",\"event_type\":\"a.b\"}\n{\"nope\":1}\n{\"event_type\":\"a.c\"}\n";
    let answer = rig.post(&token, &path, lines).await;
    assert_eq!(answer.status, StatusCode::MULTI_STATUS, "{answer:?}");
    // Sent again, the first is a duplicate, and has a proof of its old place.
    let again = rig.post(&token, &path, r#"{"event_id":"e1","event_type":"a.b"}"#).await.json();
    assert_eq!(again["results"][0]["duplicate"], true);
    let document = answer.json();
    let log = rig.app.logs().get("main").unwrap();
    let identity = &log.folder().identity;
    let embedded = identity.keys.iter().map(|key| key.parse().unwrap()).collect();
    let trust = prove::Trust { embedded, ..Default::default() };
    let view = log.view().unwrap();
    let proved = [&document["results"][0], &document["results"][2], &again["results"][0]];
    for result in proved {
        let index = result["index"].as_u64().unwrap();
        let entry = view.reading().entries().at(index).unwrap().encode();
        assert_eq!(hex::encode(merkle::leaf_hash(&entry).as_bytes()), result["leaf_hash"]);
        let proof = result["proof"].as_str().unwrap().parse().unwrap();
        prove::check_entry(&entry, &proof, &identity.origin, &trust).unwrap();
    }
    let note = document["checkpoint"].as_str().unwrap();
    assert!(document["results"][0]["proof"].as_str().unwrap().ends_with(note));
    assert!(document["results"][1].get("proof").is_none());
    let many = "{\"event_type\":\"a.b\"}\n".repeat(1_001);
    assert_eq!(rig.post(&token, &path, many).await.json()["code"], "too_large");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_refused_with_its_reason() {
    let rig = Rig::new();
    let token = rig.admin();
    let many = "{\"event_type\":\"a.b\"}\n".repeat(10_001);
    for (path, body, status, code) in [
        (EVENTS, "[{]".to_owned(), 400, "not_json"),
        (EVENTS, many, 413, "too_large"),
        ("/api/v1/logs/main/events?ack=never", "{}".to_owned(), 400, "bad_parameter"),
        ("/api/v1/logs/main/events?acks=durable", "{}".to_owned(), 400, "bad_parameter"),
        ("/api/v1/logs/none/events", "{}".to_owned(), 404, "not_found"),
        ("/api/v1/logs/..%2fmain/events", "{}".to_owned(), 404, "not_found"),
    ] {
        let answer = rig.post(&token, path, body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["code"].as_str()),
            (status, Some(code)),
            "{path}"
        );
        assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json");
    }
    let kind = request("POST", EVENTS, &token).header(header::CONTENT_TYPE, "image/png");
    let answer = rig.send(kind.body(Body::from("{}")).unwrap()).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let put = rig.send(request("PUT", EVENTS, &token).body(Body::empty()).unwrap()).await;
    assert_eq!(put.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_does_not_repeat_a_secret_that_was_the_name_of_a_field() {
    let rig = Rig::new();
    let token = rig.admin();
    let body = r#"{"event_type":"a.b","password=hunter2-abc":1,"password=hunter2-abc":2}"#;
    let answer = rig.post(&token, EVENTS, format!("{body}\n{{\"event_type\":\"a.b\"}}")).await;
    let refused = &answer.json()["results"][0];
    assert_eq!(refused["error"]["code"], "duplicate_key", "{refused}");
    assert!(!refused.to_string().contains("hunter2"), "{refused}");
    assert!(refused.to_string().contains("[redacted:"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_events_packed_go_in_whole_and_in_order() {
    let rig = Rig::new();
    let token = rig.admin();
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for number in 0..1_000 {
        writeln!(
            packer,
            "{{\"event_id\":\"n{number}\",\"event_type\":\"a.b\",\"params\":{{\"text\":\"{}\"}}}}",
            "x".repeat(200)
        )
        .unwrap();
    }
    let builder = request("POST", EVENTS, &token)
        .header(header::CONTENT_ENCODING, "gzip")
        .header(header::CONTENT_TYPE, "application/x-ndjson");
    let answer = rig.send(builder.body(Body::from(packer.finish().unwrap())).unwrap()).await;
    let document = answer.json();
    assert_eq!(document["accepted"], 1_000);
    let ids: Vec<&str> = document["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["event_id"].as_str().unwrap())
        .collect();
    assert!(ids.iter().enumerate().all(|(at, id)| **id == format!("n{at}")));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_senders_at_once_lose_nothing_and_double_nothing() {
    let rig = Arc::new(Rig::new());
    let token = rig.admin();
    let senders = (0..16).map(|sender| {
        let (rig, token) = (Arc::clone(&rig), token.clone());
        tokio::spawn(async move {
            for number in 0..40 {
                let event = format!(r#"{{"event_id":"s{sender}-{number}","event_type":"a.b"}}"#);
                let answer = rig.post(&token, EVENTS, event).await;
                assert_eq!(answer.status, StatusCode::OK);
            }
        })
    });
    for sender in senders.collect::<Vec<_>>() {
        sender.await.unwrap();
    }
    let types = rig.types("main").await;
    assert_eq!(types.iter().filter(|it| *it == "a.b").count(), 640);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_is_a_line_whatever_the_first_one_begins_with() {
    let rig = Rig::new();
    let token = rig.admin();
    let send = async |key: Option<&str>| {
        let body = "[{\"event_type\":\"a.b\"}]\n\n{\n{\"event_type\":\"a.b\"}\n";
        let mut builder = request("POST", EVENTS, &token)
            .header(header::CONTENT_TYPE, "application/x-ndjson; charset=utf-8");
        if let Some(key) = key {
            builder = builder.header("idempotency-key", key);
        }
        rig.send(builder.body(Body::from(body)).unwrap()).await.json()
    };
    for (key, duplicate) in [(None, false), (Some("k"), false), (Some("k"), true)] {
        let document = send(key).await;
        let lines: Vec<&Value> =
            document["results"].as_array().unwrap().iter().map(|it| &it["line"]).collect();
        assert_eq!(lines, [1, 3, 4], "{document}");
        assert_eq!(document["refused"], 2);
        assert_eq!(document["results"][2]["duplicate"], duplicate);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_from_a_file_says_so() {
    let rig = Rig::new();
    let token = rig.admin();
    let body = r#"{"event_id":"e1","event_type":"a.b"}"#;
    rig.post(&token, &format!("{EVENTS}?imported=1&ack=published"), body).await;
    let event = rig.get(&token, &format!("{EVENTS}/e1")).await.json()["events"][0].clone();
    assert_eq!(event["assurance"], "imported");
}
