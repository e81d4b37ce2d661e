//! Large binary files: git keeps every version of them for ever. Test vectors have their own
//! folder.

use super::Finding;
use super::tree::Tree;

const BLOB_BYTES_MAX: u64 = 512 << 10;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let blobs = tree.files.iter().filter(|file| {
        file.text.is_none()
            && file.size_bytes > BLOB_BYTES_MAX
            && !file.path.starts_with("testdata/")
    });
    blobs
        .map(|file| {
            let what = format!("binary file of {} KiB", file.size_bytes >> 10);
            let remedy = "generate it, or put a smaller one into testdata/";
            Finding::new(&file.path, 1, &what, "every clone carries it for ever", remedy)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tree::File;

    #[test]
    fn only_large_binaries_outside_testdata_are_found() {
        let file = |path: &str, size_bytes, text: Option<&str>| File {
            path: path.to_owned(),
            size_bytes,
            text: text.map(str::to_owned),
            lines: Vec::new(),
        };
        let large = BLOB_BYTES_MAX + 1;
        let tree = Tree {
            files: vec![
                file("docs/film.webm", large, None),
                file("docs/small.png", BLOB_BYTES_MAX, None),
                file("docs/long.md", large, Some("")),
                file("testdata/log.bin", large, None),
            ],
        };
        let paths: Vec<String> = check(&tree).into_iter().map(|one| one.path).collect();
        assert_eq!(paths, ["docs/film.webm"]);
    }
}
