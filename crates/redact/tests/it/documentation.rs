//! The list of rules in `docs/redaction.md` is made of the rules.

use redact::{Action, Group, Rule};
use std::fmt::Write;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/redaction.md");
const END: &str = "<!-- end of rules -->";

fn table() -> String {
    let mut out = String::new();
    for (group, title) in [
        (Group::Secret, "Secrets"),
        (Group::Identifier, "Identifiers"),
        (Group::Personal, "Personal data"),
        (Group::Field, "Fields"),
    ] {
        let _ = writeln!(out, "\n### {title} (`{}`)\n", group.as_str());
        out.push_str("| rule | takes | for example |\n|---|---|---|\n");
        for rule in Rule::ALL.iter().filter(|rule| rule.group() == group) {
            let example = redact::examples().find(|examples| examples.rule == *rule);
            let example = example.and_then(|examples| examples.takes.first());
            let example = example.map_or(String::new(), |text| shown(text));
            let _ = writeln!(out, "| `{}` | {} | {example} |", rule.as_str(), rule.about());
        }
    }
    out
}

/// An example in a cell. A made-up key keeps its break: whole, it would alarm scanners.
fn shown(text: &str) -> String {
    let text = text.replace('\n', "⏎").replace('|', "\\|");
    let short: String = text.chars().take(70).collect();
    let dots = if short.len() < text.len() { "…" } else { "" };
    format!("`{short}{dots}`")
}

#[test]
fn the_list_of_rules_is_that_of_the_program() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let start = page.find("<!-- rules").unwrap();
    let start = start + page[start..].find('\n').unwrap() + 1;
    let end = page.find(END).unwrap();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let renewed = format!("{}{}\n{}", &page[..start], table(), &page[end..]);
        std::fs::write(PAGE, renewed).unwrap();
        return;
    }
    let current = page[start..end] == format!("{}\n", table());
    assert!(current, "renew it with UPDATE_GOLDEN=1 cargo test -p redact documentation");
}

#[test]
fn the_page_names_every_action() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    for action in Action::ALL {
        assert!(page.contains(&format!("| `{}` |", action.as_str())), "{action:?}");
    }
}
