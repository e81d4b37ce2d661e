//! Small pieces: functions, files and lines that fit in the head. Tests are exempt from lengths.

use super::Finding;
use super::lexer::{Line, item_end};
use super::tree::{File, Tree};

const FUNCTION_LINES_MAX: usize = 70;
const FILE_LINES_MAX: usize = 600;
pub(super) const COLUMNS_MAX: usize = 100;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| file.is_our_rust()) {
        columns(file, &mut findings);
        if !file.is_test() {
            functions(file, &mut findings);
            length(file, &mut findings);
        }
    }
    findings
}

/// Strings, addresses and rows of tables may run over: breaking them would make them worse.
fn columns(file: &File, findings: &mut Vec<Finding>) {
    for (number, line) in file.lines.iter().enumerate() {
        let columns = line.text.chars().count();
        let unbreakable = line.has_string || line.text.contains("://") || is_table_row(&line.text);
        if columns > COLUMNS_MAX && !unbreakable {
            let what = format!("{columns} columns, at most {COLUMNS_MAX}");
            let remedy = "run `cargo fmt` for code, `cargo xtask tidy --wrap` for comments";
            findings.push(Finding::new(
                &file.path,
                number + 1,
                &what,
                "two files fit side by side",
                remedy,
            ));
        }
    }
}

fn is_table_row(text: &str) -> bool {
    let comment = text.trim_start().trim_start_matches('/').trim_start_matches('!').trim_start();
    text.trim_start().starts_with("//") && comment.starts_with('|')
}

fn functions(file: &File, findings: &mut Vec<Finding>) {
    for (number, line) in file.lines.iter().enumerate() {
        if line.in_test {
            continue;
        }
        let Some(name) = function_name(line) else { continue };
        let lines = item_end(&file.lines, number) + 1 - number;
        if lines > FUNCTION_LINES_MAX {
            let what = format!("function `{name}` has {lines} lines, at most {FUNCTION_LINES_MAX}");
            let remedy =
                "keep the branches here and move straight-line steps into functions with names";
            findings.push(Finding::new(
                &file.path,
                number + 1,
                &what,
                "nobody reads a long one",
                remedy,
            ));
        }
    }
}

/// The name, on a line where a function begins. `fn(u8)` is a type and has none.
fn function_name(line: &Line) -> Option<&str> {
    let code = line.code.as_str();
    let position = code.match_indices("fn ").map(|(position, _)| position).find(|&position| {
        !code[..position].ends_with(|before: char| before.is_alphanumeric() || before == '_')
    })?;
    let rest = code[position + 3..].trim_start();
    let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_')?;
    (end > 0).then(|| &rest[..end])
}

fn length(file: &File, findings: &mut Vec<Finding>) {
    let lines = file.lines.iter().filter(|line| !line.in_test).count();
    if lines > FILE_LINES_MAX {
        let what = format!("{lines} lines without tests, at most {FILE_LINES_MAX}");
        let remedy = "one file per noun or step: find the second one in here";
        findings.push(Finding::new(&file.path, 1, &what, "a room has one purpose", remedy));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        let findings = check(&Tree::of(&[(path, text)]));
        findings.into_iter().map(|one| format!("{}: {}", one.line, one.message)).collect()
    }

    fn function(lines: usize) -> String {
        format!(
            "pub fn long<'a>(\n    x: [u8; 3],\n) {{\n{}}}\n",
            "    x(\"}\");\n".repeat(lines - 4)
        )
    }

    #[test]
    fn function_at_the_limit_passes_and_one_line_more_does_not() {
        assert!(found("crates/a/src/a.rs", &function(70)).is_empty());
        let long = found("crates/a/src/a.rs", &format!("x\n{}", function(71)));
        assert_eq!(long.len(), 1, "{long:?}");
        assert!(long[0].starts_with("2: function `long` has 71 lines"), "{long:?}");
    }

    #[test]
    fn long_functions_in_tests_pass() {
        let text = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", function(200));
        assert!(found("crates/a/src/a.rs", &text).is_empty());
        assert!(found("crates/a/tests/it/a.rs", &function(200)).is_empty());
    }

    #[test]
    fn trait_methods_without_a_body_and_function_types_do_not_count() {
        let text = format!("fn a(&self) -> fn (u8);\ntype F = fn(u8);\n{}", "x\n".repeat(100));
        assert!(found("crates/a/src/a.rs", &text).is_empty());
    }

    #[test]
    fn file_length_leaves_tests_out() {
        let code = "x\n".repeat(599);
        assert!(
            found("crates/a/src/a.rs", &format!("{code}#[cfg(test)]\nmod t {{\n}}")).is_empty()
        );
        assert_eq!(found("crates/a/src/a.rs", &"x\n".repeat(600)).len(), 1);
    }

    #[test]
    fn long_lines_pass_only_with_strings_and_addresses() {
        let long = "x".repeat(101);
        assert_eq!(found("crates/a/src/a.rs", &long).len(), 1);
        assert_eq!(found("crates/a/tests/a.rs", &format!("// {long}")).len(), 1);
        assert!(found("crates/a/src/a.rs", &"é".repeat(100)).is_empty());
        assert!(found("crates/a/src/a.rs", &format!("f(\"{long}\")")).is_empty());
        assert!(found("crates/a/src/a.rs", &format!("/// https://{long}")).is_empty());
        assert!(found("crates/a/src/a.rs", &format!("//! | {long} |")).is_empty());
        assert_eq!(found("crates/a/src/a.rs", &format!("| {long} |")).len(), 1);
    }
}
