//! Every route, every role, the caller's log and another one: as the policies say, and nothing
//! else. Made from the table that the router is made from, so no route can be forgotten.

use super::*;
use axum::http::Method;
use serve::access::policy::{Action, Scope};
use serve::gate::Need;

/// A path with its parameters filled in.
fn filled(path: &str, log: &str) -> String {
    path.replace("{log}", log)
        .replace("{id}", "none")
        .replace("{name}", "none")
        .replace("{*rest}", "0/000")
}

/// What the built-in roles may do, by the tables of docs/access.md and not by the policies.
fn may(role: &Role, action: Action) -> bool {
    use Action::*;
    match role.as_str() {
        "producer" => action == AppendEvents,
        "reader" => matches!(action, ReadMetadata | ReadProofs),
        "analyst" => matches!(action, ReadMetadata | ReadProofs | ReadContent | RunSql),
        "auditor" => matches!(
            action,
            ReadMetadata | ReadProofs | ReadContent | RunSql | ReadRetention | ReadMetrics
        ),
        "operator" => matches!(
            action,
            ReadRetention | ManageHolds | ManageRetention | ManageKeys | CreateLog | ReadMetrics
        ),
        role => role == "admin",
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_lets_in_exactly_those_whom_the_table_names() {
    let rig = Rig::new();
    let mut checked = 0;
    let grants = [(false, LogNames::only(["main"])), (true, LogNames::All)];
    for (role, (all, logs)) in Role::BUILT_IN
        .into_iter()
        .flat_map(|role| grants.clone().map(|grant| (role.clone(), grant)))
    {
        let token = rig.token(role.clone(), logs);
        for route in routes::table() {
            for log in ["main", "other"] {
                // Feeds never end, so what they need is asked for by a parameter that is wrong.
                let live = if route.path.ends_with("/live") { "?x=1" } else { "" };
                let path = filled(route.path, log) + live;
                let mut builder = request(route.method.as_str(), &path, &token);
                if !route.path.contains("{log}") {
                    builder = builder.header("tachograph-log", log);
                }
                let body = if route.method == Method::POST { "{\"x\":" } else { "" };
                let answer = rig.send(builder.body(Body::from(body)).unwrap()).await;
                let reaches = all || log == "main";
                let expected = match route.need {
                    Need::Nothing | Need::AnyCaller => true,
                    // What is done to the server reaches every log.
                    Need::Server(action) => all && may(&role, action),
                    Need::PublicLog(_) if log == "other" => true,
                    Need::Log(action) | Need::PublicLog(action) => reaches && may(&role, action),
                };
                let let_in = answer.status != StatusCode::FORBIDDEN;
                assert_eq!(let_in, expected, "{role} {} {path}: {answer:?}", route.method);
                checked += 1;
            }
        }
    }
    assert!(checked > 500, "{checked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_credential_only_what_needs_none_is_answered() {
    let rig = Rig::new();
    for route in routes::table() {
        let path = filled(route.path, "main");
        let answer =
            rig.send(request(route.method.as_str(), &path, "").body(Body::empty()).unwrap()).await;
        let open = matches!(route.need, Need::Nothing);
        assert_eq!(answer.status != StatusCode::UNAUTHORIZED, open, "{} {path}", route.method);
    }
}

#[test]
fn a_route_needs_an_action_of_its_own_scope() {
    for route in routes::table() {
        match route.need {
            Need::Server(action) => assert_eq!(action.scope(), Scope::System, "{}", route.path),
            Need::Log(action) | Need::PublicLog(action) => {
                assert_eq!(action.scope(), Scope::Log, "{}", route.path)
            }
            Need::Nothing | Need::AnyCaller => {}
        }
    }
}
