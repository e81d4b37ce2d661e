//! SQL over HTTP.

use super::*;

const SQL: &str = "/api/v1/logs/main/sql";

async fn with_events(rig: &Rig) -> String {
    let token = rig.admin();
    let body = r#"{"event_type":"agent.tool_call","tool":"lookup","params":{"q":"canary-word"}}
{"event_type":"agent.tool_call","tool":"lookup"}"#;
    rig.post(&token, "/api/v1/logs/main/events?ack=published", body).await;
    token
}

async fn ask(rig: &Rig, token: &str, statement: &str) -> Answer {
    rig.post(token, SQL, serde_json::json!({ "statement": statement }).to_string()).await
}

const PLAIN: &str = r#"
    permit (principal in Role::"counter", action == Action::"RunSql", resource);
    permit (principal in Role::"counter", action == Action::"ReadMetadata", resource);
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_select_is_answered_and_recorded_and_nothing_else_is_done() {
    let rig = Rig::new();
    let token = with_events(&rig).await;
    let select = "SELECT tool, count(*) AS calls FROM events WHERE tool IS NOT NULL GROUP BY tool";
    let answer = ask(&rig, &token, select).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", String::from_utf8_lossy(&answer.bytes));
    assert_eq!(answer.json()["rows"], serde_json::json!([["lookup", 2]]));
    let lines = rig
        .post(&token, &format!("{SQL}?format=ndjson"), r#"{"statement":"SELECT 1 AS one"}"#)
        .await;
    assert_eq!(lines.bytes, b"{\"one\":1}\n");
    for (statement, status, code) in [
        ("SELEC 1", 422, "sql_syntax"),
        ("DROP TABLE events", 403, "sql_not_read_only"),
        ("SELECT * FROM others", 422, "sql_unknown_table"),
        ("SELECT CAST(tool AS INT) FROM events WHERE tool IS NOT NULL", 422, "sql_failed"),
    ] {
        let answer = ask(&rig, &token, statement).await;
        let told = (answer.status.as_u16(), answer.json()["code"].clone());
        assert_eq!(told, (status, code.into()), "{statement}");
    }
    for body in
        [r#"{"statement":"SELECT 1","limit":0}"#, r#"{"statement":"SELECT 1","timeout":61}"#]
    {
        assert_eq!(rig.post(&token, SQL, body).await.json()["code"], "bad_parameter");
    }
    rig.types("main").await;
    let path = "/api/v1/logs/main/events?type=log.access&order=oldest&limit=100";
    let records = rig.get(&token, path).await.json()["events"].clone();
    let questions = records.as_array().unwrap().iter();
    let questions = questions.map(|it| it["content"]["params"]["question"].clone());
    let asked: Vec<_> = questions.filter(|it| it.get("sql").is_some()).collect();
    assert_eq!(asked.len(), 6, "{records}");
    assert_eq!((&asked[0]["sql"], &asked[2]["failed"]), (&select.into(), &"sql_syntax".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_may_not_see_is_not_in_their_table() {
    let counter = Role::new("counter").unwrap();
    let roles = vec![counter.clone()];
    let rig = Rig::made(Wishes { policies: PLAIN, roles, ..Wishes::default() });
    let admin = with_events(&rig).await;
    let token = rig.token(counter, LogNames::only(["main"]));
    let all = ask(&rig, &token, "SELECT * FROM events ORDER BY index").await;
    assert_eq!(all.status, StatusCode::OK, "{}", String::from_utf8_lossy(&all.bytes));
    assert!(!String::from_utf8_lossy(&all.bytes).contains("canary-word"));
    for column in ["content", "params", "attributes", "error"] {
        let answer = ask(&rig, &token, &format!("SELECT {column} FROM events")).await;
        assert_eq!(answer.json()["code"], "sql_plan", "{column}");
        let answer = ask(&rig, &admin, &format!("SELECT {column} FROM events")).await;
        assert_eq!(answer.status, StatusCode::OK, "{column}");
    }
    rig.types("main").await;
    let count = "SELECT count(*) FROM events WHERE event_type LIKE 'log.access%'";
    assert_eq!(ask(&rig, &token, count).await.json()["rows"][0][0], 0);
    let seen = ask(&rig, &admin, count).await.json()["rows"][0][0].as_u64().unwrap();
    assert!(seen > 5, "{seen}");
    // Nor does a condition meet them, which could tell what they say by failing.
    let condition =
        "CAST(CASE WHEN event_type LIKE 'log.access%' THEN meta ELSE '1' END AS INT) = 1";
    let probe = format!("SELECT count(*) FROM events WHERE {condition}");
    let probed = ask(&rig, &token, &probe).await;
    assert_eq!(probed.status, StatusCode::OK, "{}", String::from_utf8_lossy(&probed.bytes));
    assert_ne!(probed.json()["rows"][0][0], 0);
    assert_eq!(ask(&rig, &admin, &probe).await.json()["code"], "sql_failed");
    // The rest of what the log says of itself is there.
    let started = "SELECT count(*) FROM events WHERE event_type = 'log.started'";
    assert_eq!(ask(&rig, &token, started).await.json()["rows"][0][0], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_statement_sees_another_log() {
    let rig = Rig::new();
    let token = with_events(&rig).await;
    let body = r#"{"event_type":"agent.tool_call","tool":"elsewhere","params":{"q":"SINGS"}}"#;
    rig.post(&token, "/api/v1/logs/other/events?ack=published", body).await;
    let there = rig.get(&token, "/api/v1/logs/other/events").await;
    assert!(String::from_utf8_lossy(&there.bytes).contains("SINGS"));
    for statement in [
        "SELECT * FROM events",
        "SELECT * FROM other",
        "SELECT * FROM other.events",
        "SELECT * FROM \"other\".\"events\"",
        "SELECT * FROM logs.other.events",
        "SELECT * FROM datafusion.other.events",
        "SELECT * FROM events@other",
        "SELECT * FROM \"../other/events\"",
        "SELECT * FROM events WHERE log = 'other'",
        "SELECT * FROM events('other')",
        "SELECT * FROM log('other')",
        "USE other",
        "ATTACH 'other' AS other",
        "WITH other AS (SELECT * FROM events) SELECT * FROM other",
        "SELECT * FROM events UNION ALL SELECT * FROM other.events",
        "SELECT * FROM events, LATERAL (SELECT * FROM other.events) o",
        "SELECT content FROM events WHERE content LIKE '%SINGS%'",
        "SELECT (SELECT content FROM other.events LIMIT 1)",
        "SELECT * FROM information_schema.tables",
    ] {
        let answer = ask(&rig, &token, statement).await;
        let text = String::from_utf8_lossy(&answer.bytes);
        // What was asked may be repeated; what stands in the other log may not.
        let text = text.replace(statement, "");
        assert!(!text.contains("elsewhere"), "{statement}: {text}");
        assert!(statement.contains("SINGS") || !text.contains("SINGS"), "{statement}: {text}");
    }
}
