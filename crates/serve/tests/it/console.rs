//! The console's page, and its sessions: what a cookie allows, whose it is, and when it ends.

use super::*;

/// A request with a session's cookie, as a page of this server sends it.
pub(crate) fn of_page(method: &str, path: &str, cookie: &str) -> axum::http::request::Builder {
    request(method, path, "").header(header::COOKIE, cookie).header("sec-fetch-site", "same-origin")
}

pub(crate) async fn send(rig: &Rig, builder: axum::http::request::Builder) -> Answer {
    rig.send(builder.body(Body::empty()).unwrap()).await
}

/// Signs in; the cookie, as it is sent back.
async fn sign_in(rig: &Rig, token: &str) -> String {
    let answer = send(rig, request("POST", "/api/v1/session", token)).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{answer:?}");
    let set = answer.headers["set-cookie"].to_str().unwrap();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"] {
        assert!(set.split("; ").any(|it| it == part), "{set}");
    }
    // Its secret may hold underscores of its own.
    let secret = token.splitn(3, '_').nth(2).unwrap();
    assert!(secret.len() == 43 && !set.contains(secret), "the token itself is in it");
    set.split(';').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_its_token_and_ends_with_it_or_by_signing_out() {
    let rig = Rig::new();
    let token = rig.token(Role::READER, LogNames::only(["main"]));
    let cookie = sign_in(&rig, &token).await;
    let who = send(&rig, of_page("GET", "/api/v1/session", &cookie)).await.json();
    assert_eq!((&who["roles"][0], &who["method"]), (&"reader".into(), &"token".into()));
    assert!(who["ends_at"].as_str().unwrap().ends_with('Z'), "{who}");
    // What the token may do and no more.
    let main = send(&rig, of_page("GET", "/api/v1/logs/main/events", &cookie)).await;
    assert_eq!(main.status, StatusCode::OK);
    let other = send(&rig, of_page("GET", "/api/v1/logs/other/events", &cookie)).await;
    assert_eq!(other.status, StatusCode::FORBIDDEN);
    let hold = of_page("POST", "/api/v1/logs/main/holds", &cookie).body(Body::from("{}")).unwrap();
    assert_eq!(rig.send(hold).await.status, StatusCode::FORBIDDEN);

    let again = sign_in(&rig, &token).await;
    let out = send(&rig, of_page("DELETE", "/api/v1/session", &cookie)).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    assert!(out.headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    let status = |cookie: String| {
        let asked = of_page("GET", "/api/v1/session", &cookie);
        let rig = &rig;
        async move { send(rig, asked).await.status }
    };
    assert_eq!(status(cookie).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(again.clone()).await, StatusCode::OK, "another session of the same token");

    let tokens = rig.app.keeper().tokens.as_ref().unwrap();
    let (now_ms, id) = (rig.app.logs().now_ms_signed(), tokens.list().unwrap()[0].id);
    tokens.revoke(id, now_ms).unwrap();
    let refused = send(&rig, of_page("GET", "/api/v1/session", &again)).await;
    assert_eq!(
        (refused.status, &refused.json()["code"]),
        (StatusCode::UNAUTHORIZED, &"revoked".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_site_sends_along_counts_for_nothing() {
    let rig = Rig::new();
    let cookie = sign_in(&rig, &rig.admin()).await;
    for site in [None, Some("cross-site"), Some("same-site"), Some("none")] {
        for (method, path) in [
            ("GET", "/api/v1/logs"),
            ("POST", "/api/v1/logs/main/events"),
            ("DELETE", "/api/v1/session"),
        ] {
            let mut asked = request(method, path, "").header(header::COOKIE, &cookie);
            if let Some(site) = site {
                asked = asked.header("sec-fetch-site", site);
            }
            let answer = send(&rig, asked).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{site:?} {method} {path}");
        }
    }
    // An older browser's console says so by a header that no other site can send.
    let asked = request("GET", "/api/v1/logs", "").header(header::COOKIE, &cookie);
    assert_eq!(send(&rig, asked.header("x-tacho-console", "1")).await.status, StatusCode::OK);
    let unknown = of_page("GET", "/api/v1/logs", "tacho_session=AAAA");
    assert_eq!(send(&rig, unknown).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_token_begins_a_session() {
    let rig = Rig::new();
    let cookie = sign_in(&rig, &rig.admin()).await;
    let of_a_session = send(&rig, of_page("POST", "/api/v1/session", &cookie)).await;
    assert_eq!(
        (of_a_session.status, &of_a_session.json()["code"]),
        (StatusCode::BAD_REQUEST, &"no_token".into())
    );
    for wrong in ["", "tacho_x", "not-a-token"] {
        let answer = send(&rig, request("POST", "/api/v1/session", wrong)).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{wrong}");
        assert!(!answer.headers.contains_key("set-cookie"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn browsers_get_the_page_wherever_they_go_and_programs_are_told() {
    let rig = Rig::new();
    let visit = |path: &str| request("GET", path, "").header(header::ACCEPT, "text/html,*/*;q=0.8");
    for path in ["/", "/logs/main/traces/t-1", "/no/such/place"] {
        let answer = rig.router.clone().oneshot(visit(path).body(Body::empty()).unwrap()).await;
        let answer = answer.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("trusted-types"));
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"));
        assert_eq!(answer.headers()["cache-control"], "no-cache");
    }
    assert_eq!(rig.get("", "/no/such/place").await.status, StatusCode::NOT_FOUND);
    let absent = send(&rig, visit("/assets/none.js")).await;
    assert_eq!(absent.status, StatusCode::NOT_FOUND, "a file that is not there is no page");
    let page = String::from_utf8(rig.get("", "/").await.bytes).unwrap();
    let script = page.split('"').find(|part| part.starts_with("/assets/")).unwrap();
    let script = rig.get("", script).await;
    assert_eq!(script.status, StatusCode::OK);
    assert!(script.headers["cache-control"].to_str().unwrap().contains("immutable"));
}
