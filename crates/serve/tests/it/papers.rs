//! Whole documents over HTTP: examinations of traces, packs of controls, bundles of evidence; and
//! nothing in them that the caller may not see.

use super::*;
use serde_json::json;

const LOG: &str = "/api/v1/logs/main";

/// A log with a session in which a tool came too late twice, and one record more.
async fn with_incident(rig: &Rig) -> String {
    let admin = rig.admin();
    let event = |id: u32, rest: &str| {
        format!(
            r#"{{"event_type":"agent.tool_call","event_id":"e-{id}","agent_name":"Billing","tool":"refund","trace_id":"t-1","session_id":"s-1",{rest}}}"#
        )
    };
    let late =
        r#""outcome":"timeout","error_type":"TimeoutError","error":"canary-word after 5000 ms""#;
    let body = [
        event(1, late),
        event(2, late),
        event(3, r#""outcome":"success","result":"done""#),
        r#"{"event_type":"agent.tool_call","tool":"refund","trace_id":"t-2","outcome":"failure"}"#
            .to_owned(),
    ];
    let path = format!("{LOG}/events?ack=published");
    let answer = rig.post(&admin, &path, body.join("\n")).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    admin
}

/// The questions of the accesses that the log tells of, and its exports.
async fn told(rig: &Rig) -> (Vec<Value>, Vec<Value>) {
    rig.types("main").await;
    let of = async |name: &str| -> Vec<Value> {
        let path = format!("{LOG}/events?type={name}&order=oldest&limit=1000");
        let answer = rig.get(&rig.admin(), &path).await.json();
        let events = answer["events"].as_array().unwrap().iter();
        events.map(|it| it["content"]["params"].clone()).collect()
    };
    (of("log.access").await, of("log.export").await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_is_examined_in_every_format_and_the_look_is_recorded() {
    let rig = Rig::new();
    let admin = with_incident(&rig).await;
    let path = format!("{LOG}/traces/t-1/forensics");
    let answer = rig.get(&admin, &path).await.json();
    assert_eq!(answer["root_cause"]["cause"], "tool_timeout", "{answer}");
    assert_eq!(answer["blast_radius"]["events_seen"], 1, "{answer}");
    assert_eq!(answer["evidence"][0]["leaf_hash"].as_str().unwrap().len(), 64);
    let alone = rig.get(&admin, &format!("{path}?alone=1")).await.json();
    assert!(alone["blast_radius"].is_null());
    let pdf = rig.get(&admin, &format!("{path}?format=pdf")).await;
    assert!(pdf.bytes.starts_with(b"%PDF-"));
    for (format, begins) in
        [("md", "# "), ("html", "<!doctype html>"), ("text", "Incident Forensics")]
    {
        let answer = rig.get(&admin, &format!("{path}?format={format}")).await;
        let text = String::from_utf8(answer.bytes).unwrap();
        assert!(text.starts_with(begins) && text.contains("refund"), "{format}: {text}");
        assert!(answer.headers.contains_key("tachograph-checkpoint"));
    }
    let (accesses, _) = told(&rig).await;
    let looks = accesses.iter().filter(|it| it["route"] == "forensics");
    let looks: Vec<_> = looks.map(|it| (&it["question"]["trace"], &it["records"])).collect();
    assert_eq!(looks, [(&"t-1".into(), &3.into()); 6], "{accesses:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_is_reported_with_proofs_for_those_who_may_read_them() {
    let roles = vec![Role::new("looker").unwrap()];
    let policies = r#"
        permit (principal in Role::"looker", action == Action::"ReadMetadata", resource);
    "#;
    let rig = Rig::made(Wishes { policies, roles: roles.clone(), ..Wishes::default() });
    let admin = with_incident(&rig).await;
    let path = format!("{LOG}/reports/incident?trace=t-1");
    let answer = rig.get(&admin, &path).await.json();
    assert_eq!(answer["root_cause"]["cause"], "tool_timeout", "{answer}");
    let proof = answer["proofs"][0].clone();
    let made = rig.get(&admin, &format!("{LOG}/events/{}/proof", proof["index"])).await;
    // Made at a later checkpoint, the proof may be another; its first lines are the same.
    let head = |text: &str| text.lines().take(2).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(
        head(proof["tlog_proof"].as_str().unwrap()),
        head(&String::from_utf8_lossy(&made.bytes))
    );
    for format in ["md", "html", "text", "pdf", "csv"] {
        let answer = rig.get(&admin, &format!("{path}&format={format}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{format}");
    }
    let looker = rig.token(roles[0].clone(), LogNames::only(["main"]));
    let seen = rig.get(&looker, &path).await.json();
    assert_eq!((&seen["proofs"], &seen["root_cause"]["tool"]), (&json!([]), &"refund".into()));
    assert!(!seen.to_string().contains("canary-word"), "{seen}");
    for (rest, status) in [
        ("reports/incident", 400),
        ("reports/incident?trace=none", 404),
        ("reports/incident?trace=t-1&pack=x", 400),
        ("reports/incident?trace=t-1&format=csv&table=x", 400),
    ] {
        assert_eq!(
            rig.get(&admin, &format!("{LOG}/{rest}")).await.status.as_u16(),
            status,
            "{rest}"
        );
    }
    let (accesses, _) = told(&rig).await;
    let looks = accesses.iter().filter(|it| it["question"]["report"] == "incident");
    assert_eq!(looks.count(), 6, "{accesses:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_right_to_content_nothing_of_it_is_looked_at() {
    let rig = Rig::new();
    let admin = with_incident(&rig).await;
    let reader = rig.token(Role::READER, LogNames::only(["main"]));
    let of = async |token: &str, path: &str| {
        let answer = rig.get(token, &format!("{LOG}/{path}")).await;
        (answer.status.as_u16(), String::from_utf8_lossy(&answer.bytes).into_owned())
    };
    for format in ["json", "md", "html", "text"] {
        let path = format!("traces/t-1/forensics?format={format}");
        assert!(of(&admin, &path).await.1.contains("canary-word"), "{format}");
        let (status, text) = of(&reader, &path).await;
        assert!(status == 200 && !text.contains("canary-word"), "{format}: {text}");
    }
    for format in ["json", "html"] {
        let path = format!("bundle?session=s-1&format={format}");
        assert!(of(&admin, &path).await.1.contains("canary-word"), "{format}");
        let (status, text) = of(&reader, &path).await;
        assert!(status == 200 && !text.contains("canary-word"), "{format}");
    }
    for path in [
        "traces/t-1/forensics?content=1",
        "bundle?session=s-1&content=1",
        "reports/compliance-check",
    ] {
        assert_eq!(of(&reader, path).await.0, 403, "{path}");
        let other = rig.get(&reader, &format!("/api/v1/logs/other/{path}")).await;
        assert_eq!(other.status, StatusCode::FORBIDDEN, "{path}");
    }
    let (accesses, exports) = told(&rig).await;
    assert_eq!(accesses.iter().filter(|it| it["route"] == "forensics").count(), 4);
    let metadata_only: Vec<_> = exports.iter().map(|it| it["metadata_only"] == true).collect();
    assert_eq!(
        metadata_only,
        [false, true, false, true],
        "a bundle is on record, whatever it holds"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_in_every_form_holds_and_is_recorded_with_its_hash() {
    let rig = Rig::new();
    let admin = with_incident(&rig).await;
    let mut hashes = Vec::new();
    for (subject, records) in [("session=s-1", 3), ("trace=t-1", 3), ("event=e-2", 1)] {
        for form in ["json", "html", "zip"] {
            let path = format!("{LOG}/bundle?{subject}&format={form}");
            let answer = rig.get(&admin, &path).await;
            assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
            let name = answer.headers[header::CONTENT_DISPOSITION].to_str().unwrap();
            assert!(name.starts_with("attachment; ") && name.ends_with(&format!(".{form}\"")));
            let policy = answer.headers.get(header::CONTENT_SECURITY_POLICY).unwrap();
            assert_eq!(policy, "default-src 'none'; frame-ancestors 'none'");
            let checked = report::bundle::verify(&answer.bytes, &prove::Trust::default()).unwrap();
            let failure = checked.report.findings().iter().find(|it| it.kind.is_failure());
            assert!(failure.is_none(), "{failure:?}");
            assert_eq!(checked.bundle.unwrap().records.len(), records);
            hashes.push(sha256(&answer.bytes));
        }
    }
    let by_index = rig.get(&admin, &format!("{LOG}/bundle?event=2")).await.json();
    assert_eq!(by_index["subject"]["id"], "e-1", "{by_index}");
    let (_, exports) = told(&rig).await;
    let recorded: Vec<&str> =
        exports.iter().take(9).map(|it| it["sha256"].as_str().unwrap()).collect();
    assert_eq!(recorded, hashes);
    assert_eq!(exports[0]["to"], "http");
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_is_held_against_the_log_and_the_look_is_recorded() {
    let rig = Rig::new();
    let admin = with_incident(&rig).await;
    let path = format!("{LOG}/reports/compliance-check");
    let answer = rig.get(&admin, &path).await.json();
    assert_eq!((&answer["pack"], &answer["controls"][0]["id"]).0, "governance", "{answer}");
    assert!(answer["limits"].as_str().unwrap().contains("evidence toward"));
    for format in ["md", "html", "csv", "text"] {
        let answer = rig.get(&admin, &format!("{path}?pack=eu-ai-act&format={format}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }
    let of_nothing = format!("{path}?from=2020-01-01&to=2020-01-02");
    assert_eq!(rig.get(&admin, &of_nothing).await.json()["records"], 0);
    let (accesses, _) = told(&rig).await;
    let packs = accesses.iter().filter(|it| it["question"]["report"] == "compliance-check");
    let packs: Vec<_> = packs.map(|it| it["question"]["pack"].as_str().unwrap()).collect();
    assert_eq!(packs.len(), 6);
    assert_eq!((packs[0], packs[1]), ("governance", "eu-ai-act"));
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_access_are_in_no_bundle_for_those_who_may_not_read_them() {
    let rig = Rig::new();
    let admin = with_incident(&rig).await;
    rig.get(&admin, &format!("{LOG}/events")).await;
    rig.types("main").await;
    let found = rig.get(&admin, &format!("{LOG}/events?type=log.access&limit=1")).await.json();
    let index = &found["events"][0]["index"];
    let path = format!("{LOG}/bundle?event={index}");
    let analyst = rig.token(Role::ANALYST, LogNames::only(["main"]));
    assert_eq!(rig.get(&analyst, &path).await.status, StatusCode::FORBIDDEN);
    let auditor = rig.token(Role::AUDITOR, LogNames::only(["main"]));
    assert_eq!(rig.get(&auditor, &path).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_or_makes_no_sense_is_refused() {
    let rig = Rig::new();
    let admin = with_incident(&rig).await;
    for (path, status, code) in [
        ("traces/none/forensics", 404, "not_found"),
        ("traces/t-1/forensics?format=csv", 400, "bad_parameter"),
        ("traces/t-1/forensics?alone=perhaps", 400, "bad_parameter"),
        ("traces/t-1/forensics?agent=A", 400, "unknown_parameter"),
        ("bundle", 400, "bad_parameter"),
        ("bundle?session=s-1&trace=t-1", 400, "bad_parameter"),
        ("bundle?session=none", 404, "not_found"),
        ("bundle?event=99999", 404, "not_found"),
        ("bundle?session=s-1&format=pdf", 400, "bad_parameter"),
        ("reports/compliance-check?pack=mine", 400, "bad_parameter"),
        ("reports/compliance-check?content=1", 400, "unknown_parameter"),
        ("reports/compliance-check?format=csv&table=none", 400, "bad_parameter"),
    ] {
        let answer = rig.get(&admin, &format!("{LOG}/{path}")).await;
        let told = (answer.status.as_u16(), answer.json()["code"].clone());
        assert_eq!(told, (status, code.into()), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_a_server_makes_one_answer_of_is_refused() {
    let rig = Rig::new();
    let admin = rig.admin();
    let text = "x".repeat(900 << 10);
    let event =
        format!(r#"{{"event_type":"agent.tool_result","session_id":"s","result":"{text}"}}"#);
    for _ in 0..14 {
        rig.post(&admin, &format!("{LOG}/events?ack=published"), event.clone()).await;
    }
    let answer = rig.get(&admin, &format!("{LOG}/bundle?session=s")).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let without = rig.get(&admin, &format!("{LOG}/bundle?session=s&content=0")).await;
    assert_eq!(without.status, StatusCode::OK, "{without:?}");
}
