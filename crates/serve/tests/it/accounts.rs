//! Refusals, and the records of them.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_no_good_credential_gets_nothing_and_is_counted() {
    let rig = Rig::new();
    let good = rig.token(Role::READER, LogNames::All);
    // The id of a token that is there, with another secret.
    let wrong = format!("{}_{}", &good[.."tacho_".len() + 16], "A".repeat(43));
    for (token, code) in [
        ("", "no_credentials"),
        (wrong.as_str(), "unknown_token"),
        ("tacho_x", "malformed"),
        ("eyJ.x.y", "malformed"),
    ] {
        let answer = rig.get(token, "/api/v1/logs/main/events").await;
        assert_eq!(
            (answer.status, answer.json()["code"].as_str()),
            (StatusCode::UNAUTHORIZED, Some(code)),
            "{token}"
        );
        assert!(answer.headers.contains_key(header::WWW_AUTHENTICATE));
    }
    let basic = Request::builder().uri("/api/v1/logs").header(header::AUTHORIZATION, "Basic YTpi");
    assert_eq!(rig.send(basic.body(Body::empty()).unwrap()).await.status, StatusCode::UNAUTHORIZED);
    let two = request("GET", "/api/v1/logs", &good).header(header::AUTHORIZATION, "Bearer x");
    assert_eq!(rig.send(two.body(Body::empty()).unwrap()).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(rig.get(&good, "/api/v1/logs/main/events").await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_too_much_is_refused_and_the_log_says_so_before_the_answer() {
    let rig = Rig::new();
    let producer = rig.token(Role::PRODUCER, LogNames::only(["main"]));
    let answer = rig.get(&producer, "/api/v1/logs/main/events").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    // Whether there is a log that it may not know of is not told.
    let there = rig.get(&producer, "/api/v1/logs/other/events").await;
    let not_there = rig.get(&producer, "/api/v1/logs/none/events").await;
    assert_eq!((there.status, &there.bytes), (not_there.status, &not_there.bytes));
    assert_eq!(there.status, StatusCode::FORBIDDEN);
    let denied = |types: Vec<String>| types.iter().filter(|it| *it == "log.denied").count();
    assert_eq!(denied(rig.types("main").await), 2, "of main, and of the one that is not there");
    assert_eq!(denied(rig.types("other").await), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_is_refused() {
    let rig = Rig::new();
    let token = rig.token(Role::READER, LogNames::All);
    assert_eq!(rig.get(&token, "/api/v1/logs").await.status, StatusCode::OK);
    let tokens = rig.app.keeper().tokens.as_ref().unwrap();
    let id = tokens.list().unwrap().last().unwrap().id;
    tokens.revoke(id, rig.app.logs().now_ms_signed()).unwrap();
    let answer = rig.get(&token, "/api/v1/logs").await;
    assert_eq!(answer.json()["code"], "revoked");
}
