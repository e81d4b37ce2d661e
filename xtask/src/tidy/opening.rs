//! Every Rust file opens with `//!`: the doorplate that says what the room is for.

use super::Finding;
use super::tree::Tree;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let rust = tree.files.iter().filter(|file| file.is_our_rust());
    rust.filter_map(|file| {
        // Attributes such as `#![cfg_attr(fuzzing, no_main)]` have to stand first in some files.
        let mut lines = file.lines.iter().map(|line| line.text.trim());
        let first = lines.find(|line| !line.starts_with("#![") && !line.is_empty()).unwrap_or("");
        let says_something = first.strip_prefix("//!").is_some_and(|rest| !rest.trim().is_empty());
        let why = "a newcomer learns the house from its doorplates";
        let remedy = "say what the file is, what it is not, and who is next door";
        (!says_something)
            .then(|| Finding::new(&file.path, 1, "does not open with `//!`", why, remedy))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_without_a_doorplate_are_found() {
        let tree = Tree::of(&[
            ("crates/a/src/good.rs", "//! Words.\n"),
            ("fuzz/targets/good.rs", "#![no_main]\n//! Words.\n"),
            ("crates/a/src/bare.rs", "use x;\n//! Late.\n"),
            ("crates/a/src/empty.rs", "//!\n"),
            ("elsewhere/bare.rs", "use x;\n"),
        ]);
        let paths: Vec<String> = check(&tree).into_iter().map(|one| one.path).collect();
        assert_eq!(paths, ["crates/a/src/bare.rs", "crates/a/src/empty.rs"]);
    }
}
