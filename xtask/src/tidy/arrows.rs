//! Who may import whom (ARCHITECTURE.md, "Allowed arrows"). The manifests are the truth; this is
//! the law.
//!
//! A new arrow is a change of this table, and so a change that a reviewer sees.

use std::collections::BTreeSet;

use super::Finding;
use super::tree::Tree;

/// What a crate of ours may name in its manifest.
enum Allowed {
    /// These alone.
    These(&'static [&'static str]),
    /// Any but these.
    AnyBut(&'static [&'static str]),
}

use Allowed::{AnyBut, These};

/// The house, from the ground up.
const ARROWS: &[(&str, Allowed)] = &[
    ("event", These(&[])),
    ("merkle", These(&[])),
    ("keys", These(&[])),
    ("checkpoint", These(&["merkle"])),
    ("capture", These(&["event"])),
    ("redact", These(&["event"])),
    ("detect", These(&["event"])),
    ("segment", These(&["event", "keys"])),
    ("store", These(&["keys", "merkle"])),
    ("link", These(&["event", "keys", "store", "redact"])),
    ("prove", These(&["event", "merkle", "checkpoint"])),
    ("witness", These(&["merkle", "checkpoint"])),
    ("anchor", These(&[])),
    ("seal", These(&["redact", "event", "segment", "checkpoint", "merkle", "store", "keys"])),
    ("retain", These(&["seal", "segment", "store", "keys", "event"])),
    ("query", These(&["event", "segment", "store", "checkpoint", "keys"])),
    (
        "reading",
        These(&[
            "anchor",
            "event",
            "merkle",
            "checkpoint",
            "keys",
            "segment",
            "store",
            "seal",
            "prove",
            "query",
        ]),
    ),
    ("checker", These(&["prove"])),
    ("report", These(&["query", "prove", "event"])),
    ("serve", AnyBut(&["cli", "simulate", "python"])),
    ("cli", AnyBut(&["simulate", "python"])),
    ("simulate", AnyBut(&["cli", "serve", "python"])),
    // The door inside an agent's process: as little as it can do with, because all of it is in a
    // wheel.
    (
        "python",
        These(&[
            "event",
            "checkpoint",
            "keys",
            "capture",
            "redact",
            "store",
            "link",
            "prove",
            "seal",
            "query",
            "reading",
        ]),
    ),
];

/// No crate may use these even in its tests: they are the doors and the rig.
const NEVER_IN_TESTS: &[&str] = &["cli", "simulate", "python"];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let manifests = || {
        tree.files.iter().filter_map(|file| {
            let name = match file.path.as_str() {
                // A package of Python with a crate in it, as Python's tools expect one to lie.
                "python/Cargo.toml" => "python",
                path => path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml")?,
            };
            (!name.contains('/')).then_some((name, file))
        })
    };
    let ours: BTreeSet<&str> = manifests().map(|(name, _)| name).collect();
    let mut findings = Vec::new();
    for (name, file) in manifests() {
        let text = file.text.as_deref().unwrap_or_default();
        findings.extend(check_manifest(name, &file.path, text, &ours));
    }
    findings
}

fn check_manifest(name: &str, path: &str, text: &str, ours: &BTreeSet<&str>) -> Vec<Finding> {
    let manifest: toml::Table = match text.parse() {
        Ok(manifest) => manifest,
        Err(error) => {
            let what = format!("not TOML: {}", error.message());
            return vec![Finding::new(path, 1, &what, "cargo cannot read it", "mend it")];
        }
    };
    let Some((_, allowed)) = ARROWS.iter().find(|(one, _)| *one == name) else {
        let what = format!("crate `{name}` has no place in the house");
        let remedy = "add it to xtask/src/tidy/arrows.rs and to ARCHITECTURE.md";
        return vec![Finding::new(path, 1, &what, "every arrow is a decision", remedy)];
    };
    let mut findings = Vec::new();
    let package = manifest.get("package").and_then(|package| package.get("name")?.as_str());
    if package != Some(name) {
        let what = format!("package name {package:?} in folder `{name}`");
        findings.push(Finding::new(path, 1, &what, "folder = crate", "use one name"));
    }
    for (kind, dependency) in dependencies(&manifest) {
        if !ours.contains(dependency.as_str()) {
            continue;
        }
        let fine = match (kind, allowed) {
            (Kind::Test, _) => !NEVER_IN_TESTS.contains(&dependency.as_str()),
            (Kind::Product, These(list)) => list.contains(&dependency.as_str()),
            (Kind::Product, AnyBut(list)) => !list.contains(&dependency.as_str()),
        };
        if !fine {
            let what = format!("arrow {name} -> {dependency} is not allowed");
            let remedy = "move the code, or argue for the arrow in ARCHITECTURE.md and arrows.rs";
            let line = line_of(text, &dependency);
            findings.push(Finding::new(path, line, &what, "arrows only run down", remedy));
        }
    }
    findings
}

#[derive(Clone, Copy)]
enum Kind {
    Product,
    Test,
}

/// Every dependency that a manifest names, also those of one platform.
fn dependencies(manifest: &toml::Table) -> Vec<(Kind, String)> {
    let mut tables = vec![manifest];
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    tables.extend(targets.into_iter().flatten().filter_map(|(_, target)| target.as_table()));
    let kinds = [
        ("dependencies", Kind::Product),
        ("build-dependencies", Kind::Product),
        ("dev-dependencies", Kind::Test),
    ];
    let mut found = Vec::new();
    for table in tables {
        for (section, kind) in kinds {
            let listed = table.get(section).and_then(toml::Value::as_table);
            for (name, value) in listed.into_iter().flatten() {
                // A renamed dependency carries its real name in `package`.
                let real = value.get("package").and_then(toml::Value::as_str).unwrap_or(name);
                found.push((kind, real.to_owned()));
            }
        }
    }
    found
}

fn line_of(text: &str, dependency: &str) -> usize {
    let starts = |line: &str| {
        let rest = line.trim_start().strip_prefix(dependency);
        rest.is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
    };
    text.lines().position(starts).map_or(1, |position| position + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, dependencies: &str) -> Vec<String> {
        let manifest = format!("[package]\nname = \"{name}\"\n{dependencies}");
        let path = format!("crates/{name}/Cargo.toml");
        let tree = Tree::of(&[
            (&path, &manifest),
            ("crates/event/Cargo.toml", "[package]\nname = \"event\""),
            ("crates/store/Cargo.toml", "[package]\nname = \"store\""),
            ("crates/cli/Cargo.toml", "[package]\nname = \"cli\""),
        ]);
        check(&tree).into_iter().map(|one| format!("{}: {}", one.line, one.message)).collect()
    }

    #[test]
    fn allowed_and_foreign_dependencies_pass() {
        assert!(
            found("capture", "[dependencies]\nevent.workspace = true\nserde = \"1\"").is_empty()
        );
        assert!(found("prove", "[dev-dependencies]\nstore.workspace = true").is_empty());
    }

    #[test]
    fn forbidden_arrow_is_named_with_its_line() {
        let lines =
            found("prove", "[dependencies]\nevent.workspace = true\nstore.workspace = true");
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with("5: arrow prove -> store"), "{lines:?}");
    }

    #[test]
    fn arrow_hidden_in_target_build_or_rename_is_found() {
        for hidden in [
            "[target.'cfg(unix)'.dependencies]\nstore.workspace = true",
            "[build-dependencies]\nstore.workspace = true",
            "[dependencies]\nother = { package = \"store\", path = \"../store\" }",
            "[dev-dependencies]\ncli.workspace = true",
        ] {
            assert_eq!(found("prove", hidden).len(), 1, "{hidden}");
        }
    }

    #[test]
    fn unknown_crate_and_wrong_name_are_found() {
        assert!(found("attic", "")[0].contains("no place in the house"));
        let tree = Tree::of(&[("crates/event/Cargo.toml", "[package]\nname = \"events\"")]);
        assert_eq!(check(&tree).len(), 1);
    }

    #[test]
    fn the_table_has_no_circle() {
        // Each row may name only rows above it, doors excepted.
        for (position, (name, allowed)) in ARROWS.iter().enumerate() {
            if let These(list) = allowed {
                for below in *list {
                    let at = ARROWS.iter().position(|(one, _)| one == below);
                    assert!(at.is_some_and(|at| at < position), "{name} -> {below}");
                }
            }
        }
    }
}
