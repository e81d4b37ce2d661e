//! The description is whole, points nowhere that is not there, and is what the repository shows.

use super::*;
use std::collections::BTreeSet;
use std::path::Path;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");

fn operations() -> Vec<(String, String, &'static Value)> {
    let paths = document()["paths"].as_object().unwrap();
    let of = |(path, methods): (&String, &'static Value)| -> Vec<_> {
        let methods = methods.as_object().unwrap().iter();
        methods.map(|(method, it)| (method.to_uppercase(), path.clone(), it)).collect()
    };
    paths.iter().flat_map(of).collect()
}

#[test]
fn the_description_has_every_route_and_nothing_else() {
    let described: BTreeSet<_> =
        operations().into_iter().map(|(method, path, _)| (method, path)).collect();
    let routed: BTreeSet<_> = routes::table()
        .iter()
        .map(|route| (route.method.to_string(), route.path.replace("{*", "{")))
        .collect();
    assert_eq!(described, routed);
    assert_eq!(described.len(), routes::table().len());
}

#[test]
fn the_description_in_the_repository_is_the_one_that_is_served() {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(GOLDEN, text()).unwrap();
    }
    let golden = std::fs::read_to_string(GOLDEN).unwrap_or_default();
    let first = golden.lines().zip(text().lines()).find(|(there, here)| there != here);
    assert!(
        golden == text(),
        "docs/openapi.json is not what the routes say (first difference: {first:?}); renew it with \
         `UPDATE_GOLDEN=1 cargo test -p serve openapi`, and read what changed"
    );
    assert!(Path::new(GOLDEN).exists());
}

#[test]
fn every_operation_has_a_name_of_its_own_and_says_what_its_parameters_are() {
    let mut names = BTreeSet::new();
    for (method, path, operation) in operations() {
        assert!(names.insert(operation["operationId"].as_str().unwrap()), "{method} {path}");
        let summary = operation["summary"].as_str().unwrap();
        assert!(!summary.is_empty() && !summary.ends_with('.'), "{method} {path}: {summary}");
        let mut seen = BTreeSet::new();
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let text = parameter["description"].as_str().unwrap();
            assert!(text.ends_with('.'), "{method} {path}: {parameter}");
            assert!(
                seen.insert((parameter["in"].as_str(), parameter["name"].as_str())),
                "{parameter}"
            );
        }
        let named = path.matches('{').count();
        let in_path = seen.iter().filter(|(place, _)| *place == Some("path")).count();
        assert_eq!(named, in_path, "{path}");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Array(items) => items.iter().for_each(|it| references(it, found)),
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|it| references(it, found));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    references(document(), &mut found);
    assert!(found.len() > 100, "{}", found.len());
    for reference in found {
        assert!(document().pointer(&reference[1..]).is_some(), "{reference}");
    }
}

#[test]
fn what_a_route_needs_is_what_its_description_asks_for() {
    for route in routes::table() {
        let path = route.path.replace("{*", "{");
        let method = route.method.as_str().to_ascii_lowercase();
        let operation = &document()["paths"][&path][&method];
        let security = operation["security"].as_array().unwrap();
        let refuses = |status: &str| operation["responses"].get(status).is_some();
        assert_eq!(security.is_empty(), route.need == Need::Nothing, "{path}");
        assert_eq!(refuses("401"), route.need != Need::Nothing, "{path}");
        if let Need::Server(action) | Need::Log(action) | Need::PublicLog(action) = route.need {
            assert!(refuses("403"), "{path}");
            assert!(security.iter().any(|it| it["bearer"][0] == action.as_str()), "{path}");
        }
    }
}
