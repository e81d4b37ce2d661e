//! The log's own records of who read what and who was refused: for those who may read them.

use super::*;
use futures::StreamExt as _;

const LOG: &str = "/api/v1/logs/main";
const NAMES: [&str; 4] = ["log.access", "log.denied", "log.export", "log.login_refused"];

/// A log in which somebody read, somebody was refused, and somebody exported.
async fn with_accesses() -> (Rig, u64) {
    let rig = Rig::new();
    let admin = rig.admin();
    let body = r#"{"event_type":"agent.tool_call","agent_name":"planner","trace_id":"t"}"#;
    rig.post(&admin, &format!("{LOG}/events?ack=published"), body).await;
    rig.get(&admin, &format!("{LOG}/events")).await;
    let producer = rig.token(Role::PRODUCER, LogNames::only(["main"]));
    assert_eq!(rig.get(&producer, &format!("{LOG}/events")).await.status, StatusCode::FORBIDDEN);
    let by = event::Principal { subject: Some("somebody".into()), ..Default::default() };
    let export = seal::Act::Export(serde_json::json!({ "to": "a file" }));
    rig.app.logs().get("main").unwrap().record(export, &by).await.unwrap();
    assert!(rig.types("main").await.iter().any(|it| it == "log.export"));
    let path = format!("{LOG}/events?type=log.denied");
    let denied = rig.get(&admin, &path).await.json()["events"][0]["index"].as_u64().unwrap();
    (rig, denied)
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_read_them_finds_none_whatever_is_asked() {
    let (rig, denied) = with_accesses().await;
    rig.types("main").await;
    let counts = async |token: &str, query: &str| -> usize {
        let answer = rig.get(token, &format!("{LOG}/events?limit=1000&{query}")).await;
        let events = answer.json()["events"].as_array().unwrap().clone();
        events.iter().filter(|it| NAMES.iter().any(|name| it["event_type"] == *name)).count()
    };
    let queries = [
        "",
        "order=oldest",
        "type=log.access",
        "type=log.export",
        "type=log.*",
        "tier=critical",
        "limit=3",
    ];
    for role in [Role::READER, Role::ANALYST] {
        let token = rig.token(role.clone(), LogNames::only(["main"]));
        for query in queries {
            assert_eq!(counts(&token, query).await, 0, "{role} {query}");
        }
        // The others are there, page by page, without a gap.
        let (mut path, mut seen) = (format!("{LOG}/events?order=oldest&limit=1"), Vec::new());
        loop {
            let page = rig.get(&token, &path).await.json();
            seen.extend(page["events"].as_array().unwrap().iter().cloned());
            let Some(next) = page["next"].as_str() else { break };
            path = format!("{LOG}/events?order=oldest&limit=1&cursor={next}");
        }
        assert!(seen.iter().any(|it| it["event_type"] == "agent.tool_call"), "{seen:?}");
        assert!(seen.iter().any(|it| it["event_type"] == "log.started"));
        // That it is there, and where, everybody may know; its proof holds.
        let found = rig.get(&token, &format!("{LOG}/events/{denied}")).await.json();
        let found = &found["events"][0];
        assert_eq!((&found["index"], &found["kind"]), (&denied.into(), &"log".into()));
        assert!(found.get("event_type").is_none() && found.get("content").is_none(), "{found}");
        let proof = rig.get(&token, &format!("{LOG}/events/{denied}/proof")).await;
        assert!(proof.bytes.starts_with(b"c2sp.org/tlog-proof@v1"));
        let evidence = rig.get(&token, &format!("{LOG}/events/{denied}/proof?evidence=1")).await;
        assert_eq!(evidence.status, StatusCode::FORBIDDEN);
    }
    let auditor = rig.token(Role::AUDITOR, LogNames::only(["main"]));
    for query in queries {
        assert!(counts(&auditor, query).await > 0, "{query}");
    }
    let evidence = rig.get(&auditor, &format!("{LOG}/events/{denied}/proof?evidence=1")).await;
    assert_eq!(evidence.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_live_feed_leaves_them_out_too() {
    let (rig, _) = with_accesses().await;
    let admin = rig.admin();
    let analyst = rig.token(Role::ANALYST, LogNames::only(["main"]));
    for (token, sees) in [(&analyst, false), (&admin, true)] {
        let feed = request("GET", &format!("{LOG}/live?from_index=0"), token);
        let feed = rig.router.clone().oneshot(feed.body(Body::empty()).unwrap()).await.unwrap();
        let mut feed = feed.into_body().into_data_stream();
        let body = r#"{"event_type":"a.last"}"#;
        rig.post(&admin, &format!("{LOG}/events"), body).await;
        let mut text = String::new();
        let read = async {
            while let Some(piece) = feed.next().await {
                text.push_str(std::str::from_utf8(&piece.unwrap()).unwrap());
                if text.contains("a.last") {
                    break;
                }
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), read).await.unwrap();
        assert_eq!(NAMES.iter().any(|name| text.contains(name)), sees, "{text}");
    }
}
