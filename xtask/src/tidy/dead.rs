//! Dead files: Rust that no `mod` leads to is compiled by nobody and rots unseen.

use std::collections::BTreeSet;

use super::Finding;
use super::tree::{File, Tree};

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut alive: BTreeSet<String> = BTreeSet::new();
    let mut next: Vec<&File> = tree.files.iter().filter(|file| is_root(&file.path)).collect();
    while let Some(file) = next.pop() {
        if alive.insert(file.path.clone()) {
            let named = named_files(file);
            next.extend(named.iter().filter_map(|path| tree.file(path)));
        }
    }
    let ours = tree.files.iter().filter(|file| file.is_our_rust() && is_compiled(&file.path));
    ours.filter(|file| !alive.contains(&file.path))
        .map(|file| {
            let remedy = "name it with `mod` in its parent, or delete it";
            Finding::new(&file.path, 1, "no `mod` leads to this file", "nobody compiles it", remedy)
        })
        .collect()
}

/// The parts of a path below its package: `crates/a/src/b.rs` gives `src`, `b.rs`.
fn inside_package(path: &str) -> Option<Vec<&str>> {
    let rest = match path.strip_prefix("crates/") {
        Some(rest) => rest.split_once('/')?.1,
        None => path.strip_prefix("xtask/").or_else(|| path.strip_prefix("python/"))?,
    };
    Some(rest.split('/').collect())
}

fn is_compiled(path: &str) -> bool {
    inside_package(path).is_some_and(|parts| matches!(parts[0], "src" | "tests" | "benches"))
}

/// Where cargo starts to read.
fn is_root(path: &str) -> bool {
    let Some(parts) = inside_package(path) else { return false };
    match parts.as_slice() {
        ["src", "lib.rs" | "main.rs"] | ["build.rs"] => true,
        ["src", "bin", file] | ["tests" | "benches" | "examples", file] => file.ends_with(".rs"),
        ["src", "bin", _, "main.rs"] | ["tests" | "benches" | "examples", _, "main.rs"] => true,
        _ => false,
    }
}

/// The files that a file brings in: `mod name;`, with or without `#[path]`, and `include!`.
fn named_files(file: &File) -> Vec<String> {
    let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
    let stem = name.strip_suffix(".rs").unwrap_or(name);
    // A root or mod.rs keeps its children beside it, any other file in a folder of its own name.
    let children = if is_root(&file.path) || stem == "mod" {
        folder.to_owned()
    } else {
        format!("{folder}/{stem}")
    };
    let mut found = Vec::new();
    let mut inline: Vec<String> = Vec::new();
    let mut depth: Vec<usize> = Vec::new();
    let mut braces = 0_usize;
    let mut path_attribute = None;
    for line in &file.lines {
        let code = line.code.trim();
        if let Some(path) = quoted_after(&line.text, code, "#[path") {
            path_attribute = Some(path);
        }
        if let Some(path) = quoted_after(&line.text, code, "include!(") {
            found.push(normal(&format!("{folder}/{path}")));
        }
        if let Some(module) = module_name(code, ';') {
            let inner: String = inline.iter().map(|outer| format!("/{outer}")).collect();
            match path_attribute.take() {
                Some(path) => found.push(normal(&format!("{folder}{inner}/{path}"))),
                None => {
                    found.push(format!("{children}{inner}/{module}.rs"));
                    found.push(format!("{children}{inner}/{module}/mod.rs"));
                }
            }
        }
        if let Some(module) = module_name(code, '{') {
            inline.push(module.to_owned());
            depth.push(braces);
        }
        braces = (braces + code.matches('{').count()).saturating_sub(code.matches('}').count());
        while depth.last().is_some_and(|&opened| braces <= opened) {
            depth.pop();
            inline.pop();
        }
    }
    found
}

/// The name in `pub(crate) mod name;` or `mod name {`.
fn module_name(code: &str, ending: char) -> Option<&str> {
    let position = code.find("mod ")?;
    if code[..position].ends_with(|before: char| before.is_alphanumeric() || before == '_') {
        return None;
    }
    let rest = code[position + 4..].trim_start();
    let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_')?;
    (end > 0 && rest[end..].trim_start().starts_with(ending)).then(|| &rest[..end])
}

/// The string after a marker; the marker is looked for in code, the string in the text.
fn quoted_after(text: &str, code: &str, marker: &str) -> Option<String> {
    if !code.contains(marker) {
        return None;
    }
    let after = &text[text.find(marker)?..];
    after.split('"').nth(1).map(str::to_owned)
}

/// Resolves `..` and `.` in a path.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dead(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::of(files)).into_iter().map(|one| one.path).collect()
    }

    #[test]
    fn files_reached_by_any_kind_of_mod_are_alive() {
        let found = dead(&[
            (
                "crates/a/src/lib.rs",
                "pub mod b;\nmod c;\n#[path = \"odd/name.rs\"]\nmod d;\nmod i { mod j; }",
            ),
            (
                "crates/a/src/b.rs",
                "#[cfg(test)]\nmod tests;\nconst X: &[u8] = include!(\"table.rs\");",
            ),
            ("crates/a/src/b/tests.rs", ""),
            ("crates/a/src/table.rs", ""),
            ("crates/a/src/c/mod.rs", "mod e;"),
            ("crates/a/src/c/e.rs", ""),
            ("crates/a/src/odd/name.rs", ""),
            ("crates/a/tests/it/main.rs", "mod f;"),
            ("crates/a/tests/it/f.rs", ""),
            ("crates/a/src/bin/g.rs", ""),
            ("xtask/src/main.rs", "mod h;"),
            ("xtask/src/h.rs", ""),
        ]);
        assert!(found.is_empty() || found == ["crates/a/src/i/j.rs"], "{found:?}");
    }

    #[test]
    fn inline_modules_lead_into_their_folder() {
        let found = dead(&[
            ("crates/a/src/lib.rs", "mod i {\n    mod j;\n}\nmod k;"),
            ("crates/a/src/i/j.rs", ""),
            ("crates/a/src/k.rs", ""),
        ]);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn files_that_nothing_names_are_dead() {
        let found = dead(&[
            ("crates/a/src/lib.rs", "// mod b;\nlet s = \"mod c;\";\nremod d;"),
            ("crates/a/src/b.rs", ""),
            ("crates/a/src/c.rs", ""),
            ("crates/a/src/d.rs", ""),
            ("crates/a/tests/it/e.rs", ""),
        ]);
        assert_eq!(found.len(), 4, "{found:?}");
    }
}
