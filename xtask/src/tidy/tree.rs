//! The files of the repository, read once: what git tracks or would track.

use std::path::Path;

use super::lexer::{self, Line};
use crate::failure::Failure;
use crate::job::Job;

/// Folders that are never ours, for when git cannot be asked.
const FOREIGN_FOLDERS: &[&str] =
    &[".git", "target", "node_modules", ".venv", "__pycache__", "tachograph-data", "dist"];

/// Text files are read up to this size; beyond it only their size matters.
const TEXT_BYTES_MAX: u64 = 4 << 20;

/// Every file of the repository.
pub(crate) struct Tree {
    /// Sorted by path.
    pub(crate) files: Vec<File>,
}

/// One file.
pub(crate) struct File {
    /// From the root, with `/` between parts.
    pub(crate) path: String,
    pub(crate) size_bytes: u64,
    /// None where it is not UTF-8 text.
    pub(crate) text: Option<String>,
    /// For Rust files: its lines with strings and comments blanked, and what lies in tests.
    pub(crate) lines: Vec<Line>,
}

impl File {
    #[cfg(test)]
    pub(crate) fn of(path: &str, text: &str) -> Self {
        let lines = if path.ends_with(".rs") { lexer::lines(text) } else { Vec::new() };
        let size_bytes = text.len() as u64;
        Self { path: path.to_owned(), size_bytes, text: Some(text.to_owned()), lines }
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Rust of the workspace (the fuzz targets are a workspace of their own, with the same rules).
    pub(crate) fn is_our_rust(&self) -> bool {
        self.is_rust()
            && ["crates/", "xtask/", "fuzz/", "python/"].iter().any(|p| self.path.starts_with(p))
    }

    /// A file of tests alone: `tests.rs`, or anything in a folder `tests` or `benches`.
    pub(crate) fn is_test(&self) -> bool {
        let mut parts = self.path.split('/').rev();
        parts.next() == Some("tests.rs")
            || parts.any(|folder| matches!(folder, "tests" | "benches"))
    }

    /// The crate's folder name, for files under crates/.
    pub(crate) fn crate_name(&self) -> Option<&str> {
        self.path.strip_prefix("crates/")?.split('/').next()
    }
}

impl Tree {
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|(path, text)| File::of(path, text)).collect() }
    }

    /// Reads everything that git tracks or would track; without git, everything but build folders.
    pub(crate) fn read(root: &Path) -> Result<Self, Failure> {
        let mut paths = match from_git(root) {
            Some(paths) => paths,
            None => from_folder(root, "")?,
        };
        paths.sort();
        paths.dedup();
        let mut files = Vec::new();
        for path in paths {
            if let Some(file) = read_file(root, path)? {
                files.push(file);
            }
        }
        Ok(Self { files })
    }

    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.file(path)?.text.as_deref()
    }
}

fn from_git(root: &Path) -> Option<Vec<String>> {
    let job = Job::new("git").arg("-C").arg(root);
    let listed = job.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).look();
    match listed {
        Ok((0, names, _)) => {
            Some(names.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect())
        }
        _ => None,
    }
}

fn from_folder(root: &Path, folder: &str) -> Result<Vec<String>, Failure> {
    let path = root.join(folder);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&path).map_err(|e| Failure::file("list", &path, &e))? {
        let entry = entry.map_err(|e| Failure::file("list", &path, &e))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let inside = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && !FOREIGN_FOLDERS.contains(&name.as_str()) => {
                found.extend(from_folder(root, &inside)?);
            }
            Ok(kind) if kind.is_file() => found.push(inside),
            _ => {}
        }
    }
    Ok(found)
}

/// None for a file that is listed but gone, and for links.
fn read_file(root: &Path, path: String) -> Result<Option<File>, Failure> {
    let full = root.join(&path);
    let Ok(about) = full.symlink_metadata() else { return Ok(None) };
    if !about.is_file() {
        return Ok(None);
    }
    let mut text = None;
    if about.len() <= TEXT_BYTES_MAX {
        let bytes = std::fs::read(&full).map_err(|e| Failure::file("read", &full, &e))?;
        text = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
    }
    let lines = match &text {
        Some(text) if path.ends_with(".rs") => lexer::lines(text),
        _ => Vec::new(),
    };
    Ok(Some(File { path, size_bytes: about.len(), text, lines }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_files_are_recognised_by_name_and_folder() {
        for path in
            ["crates/a/src/b/tests.rs", "crates/a/tests/it/main.rs", "crates/a/benches/x.rs"]
        {
            assert!(File::of(path, "").is_test(), "{path}");
        }
        assert!(!File::of("crates/a/src/testing.rs", "").is_test());
        assert!(!File::of("tests.rs/a.rs", "").is_test());
    }

    #[test]
    fn without_git_build_folders_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["target", "src"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
            std::fs::write(folder.path().join(name).join("a.rs"), "//! x\n").unwrap();
        }
        std::fs::write(folder.path().join("blob"), [0_u8, 255]).unwrap();
        let tree = Tree { files: Vec::new() };
        assert!(tree.file("src/a.rs").is_none());
        assert_eq!(
            from_folder(folder.path(), "")
                .map(|mut p| {
                    p.sort();
                    p
                })
                .ok(),
            Some(vec!["blob".into(), "src/a.rs".into()])
        );
        let blob = read_file(folder.path(), "blob".into()).ok().flatten().unwrap();
        assert!(blob.text.is_none() && blob.size_bytes == 2);
    }
}
