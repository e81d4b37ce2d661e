//! Signing in to the console with an issuer: there and back, and every way in which nobody gets in.

use super::console::{of_page, send};
use super::issued::{Codes, ISSUER, Issuer};
use super::*;
use serde_json::json;
use std::collections::HashMap;
use std::sync::atomic::Ordering;

const SECTION: &str =
    "[sign_in]\nredirect = \"https://log.example/sign-in/return\"\nname = \"Example\"";

/// A server, its issuer, and what the issuer's codes become.
struct Scene {
    rig: Rig,
    issuer: Issuer,
    codes: Codes,
    clock: Arc<Hands>,
}

/// A browser that was sent to the issuer.
struct Away {
    cookie: String,
    asked: HashMap<String, String>,
}

impl Scene {
    fn new() -> Self {
        let (issuer, codes, clock) = (Issuer::new(), Codes::default(), Arc::new(Hands::default()));
        let oidc = Some(issuer.oidc_with(SECTION, Arc::clone(&codes)));
        let own_clock = Some(Arc::clone(&clock));
        let rig = Rig::made(Wishes { oidc, clock: own_clock, ..Wishes::default() });
        Self { rig, issuer, codes, clock }
    }

    async fn begin(&self, to: &str) -> Away {
        let query: String =
            form_urlencoded::Serializer::new(String::new()).append_pair("to", to).finish();
        let answer = self.rig.get("", &format!("/sign-in/0?{query}")).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
        let (bare, query) = place(&answer).split_once('?').unwrap();
        assert_eq!(bare, format!("{ISSUER}/authorize"));
        let asked = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let set = answer.headers["set-cookie"].to_str().unwrap();
        for part in ["HttpOnly", "SameSite=Lax", "Path=/sign-in/return", "Max-Age=600"] {
            assert!(set.split("; ").any(|it| it == part), "{set}");
        }
        Away { cookie: set.split(';').next().unwrap().to_owned(), asked }
    }

    /// What the issuer says of somebody who has signed in there.
    fn code(&self, away: &Away, claims: Value) -> String {
        let mut all = json!({ "nonce": away.asked["nonce"] });
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        let token = self.issuer.token("person", json!({}), all);
        let mut codes = self.codes.lock().unwrap();
        let code = format!("code-{}", codes.len());
        codes.insert(code.clone(), token);
        code
    }

    async fn come_back(&self, cookie: &str, said: &[(&str, &str)]) -> Answer {
        let query: String =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(said).finish();
        let asked = request("GET", &format!("/sign-in/return?{query}"), "");
        let asked = asked.header("sec-fetch-site", "cross-site").header(header::COOKIE, cookie);
        send(&self.rig, asked).await
    }
}

fn place(answer: &Answer) -> &str {
    answer.headers["location"].to_str().unwrap()
}

/// The session's cookie, if one was set.
fn session(answer: &Answer) -> Option<String> {
    let mut all = answer.headers.get_all("set-cookie").iter().map(|it| it.to_str().unwrap());
    let set = all.find(|set| set.starts_with("tacho_session="))?;
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict"), "{set}");
    Some(set.split(';').next().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_with_an_issuer_and_is_where_they_wanted_to_be() {
    let scene = Scene::new();
    let listed = scene.rig.get("", "/sign-in").await.json();
    assert_eq!(listed, json!({ "issuers": [{ "name": "Example", "address": "/sign-in/0" }] }));
    let away = scene.begin("/logs/main/traces/t-1?view=graph").await;
    let code = scene.code(&away, json!({}));
    let said = [("code", &*code), ("state", &*away.asked["state"]), ("iss", ISSUER)];
    let back = scene.come_back(&away.cookie, &said).await;
    assert_eq!(
        (back.status, place(&back)),
        (StatusCode::SEE_OTHER, "/logs/main/traces/t-1?view=graph")
    );
    assert_eq!(back.headers["cache-control"], "no-store");
    assert_eq!(back.headers["referrer-policy"], "no-referrer");
    let mut ends = back.headers.get_all("set-cookie").iter().map(|it| it.to_str().unwrap());
    assert!(ends.any(|set| set.starts_with("tacho_sign_in=;") && set.contains("Max-Age=0")));
    let cookie = session(&back).unwrap();
    let who = send(&scene.rig, of_page("GET", "/api/v1/session", &cookie)).await.json();
    assert_eq!((&who["method"], &who["subject"]), (&"oidc".into(), &"person".into()));
    assert_eq!((&who["issuer"], &who["roles"][0]), (&ISSUER.into(), &"reader".into()));
    let events = of_page("GET", "/api/v1/logs/main/events", &cookie);
    assert_eq!(send(&scene.rig, events).await.status, StatusCode::OK);
    // No longer than the issuer said, which is an hour.
    scene.clock.0.fetch_add(3_700_000, Ordering::Relaxed);
    let later = send(&scene.rig, of_page("GET", "/api/v1/session", &cookie)).await;
    assert_eq!(later.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_did_not_begin_here_does_not_get_in() {
    let scene = Scene::new();
    let (away, other) = (scene.begin("/").await, scene.begin("/").await);
    let state = |away: &Away| away.asked["state"].clone();
    let (own, foreign) = (state(&away), state(&other));
    let forged = away.cookie.replacen("=0.", "=00.", 1);
    for (what, cookie, state) in [
        ("no cookie", "", &own),
        ("another browser's", &*other.cookie, &own),
        ("another's answer", &*away.cookie, &foreign),
        ("no state", &*away.cookie, &String::new()),
        ("a changed cookie", &*forged, &own),
    ] {
        let code = scene.code(&away, json!({}));
        let back = scene.come_back(cookie, &[("code", &code), ("state", state)]).await;
        assert_eq!((place(&back), session(&back)), ("/?sign_in=unknown", None), "{what}");
    }
    let code = scene.code(&away, json!({}));
    let said = [("code", &*code), ("state", &*own), ("iss", "https://evil.example")];
    assert_eq!(place(&scene.come_back(&away.cookie, &said).await), "/?sign_in=unknown");
    // A code is good once, and an answer for ten minutes.
    let said = [("code", &*code), ("state", &*own)];
    let good = scene.come_back(&away.cookie, &said).await;
    assert!(place(&good) == "/" && session(&good).is_some(), "{good:?}");
    let twice = scene.come_back(&away.cookie, &said).await;
    assert_eq!((place(&twice), session(&twice)), ("/?sign_in=unavailable", None));
    scene.clock.0.fetch_add(601_000, Ordering::Relaxed);
    let code = scene.code(&away, json!({}));
    let late = scene.come_back(&away.cookie, &[("code", &code), ("state", &own)]).await;
    assert_eq!((place(&late), session(&late)), ("/?sign_in=unknown", None));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_issuer_refuses_or_says_wrongly_is_told_and_recorded() {
    let scene = Scene::new();
    let away = scene.begin("//evil.example").await;
    let state = away.asked["state"].clone();
    for (error, word) in [("access_denied", "denied"), ("server_error", "failed")] {
        let back = scene.come_back(&away.cookie, &[("error", error), ("state", &state)]).await;
        assert_eq!((place(&back), session(&back)), (&*format!("/?sign_in={word}"), None));
    }
    let code = scene.code(&away, json!({ "nonce": "of another sign-in" }));
    let back = scene.come_back(&away.cookie, &[("code", &code), ("state", &state)]).await;
    assert_eq!((place(&back), session(&back)), ("/?sign_in=refused", None));
    let now_ms = scene.rig.app.logs().now_ms_signed();
    let rows = scene.rig.app.keeper().refusals.lock().unwrap().flush(now_ms);
    let reasons: Vec<&str> = rows.iter().map(|row| row.reason.code()).collect();
    assert_eq!(reasons, ["wrong_nonce"]);
    assert_eq!(rows[0].presented, format!("{ISSUER} person"));
    // Nobody is led to another server.
    let code = scene.code(&away, json!({}));
    let back = scene.come_back(&away.cookie, &[("code", &code), ("state", &state)]).await;
    assert!(place(&back) == "/" && session(&back).is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_such_an_issuer_nobody_is_sent_anywhere() {
    let rig = Rig::new();
    assert_eq!(rig.get("", "/sign-in").await.json(), json!({ "issuers": [] }));
    for path in ["/sign-in/0", "/sign-in/x", "/sign-in/-1"] {
        assert_eq!(rig.get("", path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let scene = Scene::new();
    assert_eq!(scene.rig.get("", "/sign-in/1").await.status, StatusCode::NOT_FOUND);
    let wrong = scene.rig.get("", "/sign-in/0?goal=/").await;
    assert_eq!(wrong.json()["code"], "unknown_parameter");
}
