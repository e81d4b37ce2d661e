//! The binary as anybody runs it: in a home of its own, with the key-encryption key in its
//! environment. What it says is all that the judge of an attack goes by.

use super::Files;
use crate::kill::KEK;
use serde::Deserialize;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// `tacho`, and where its home is.
pub(super) struct Tacho {
    program: PathBuf,
    home: PathBuf,
}

/// What `tacho verify` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// The faults that mean tampering or loss; none when everything holds.
    pub(super) faults: Vec<Fault>,
}

/// One fault, as the report has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Fault {
    pub(super) kind: String,
    pub(super) index: Option<u64>,
    pub(super) count: u64,
    pub(super) file: String,
    pub(super) detail: String,
}

#[derive(Deserialize)]
struct Report {
    findings: Vec<Fault>,
}

impl Tacho {
    pub(super) fn new(program: &Path, home: &Path) -> Self {
        Self { program: program.to_owned(), home: home.to_owned() }
    }

    /// Empties its home.
    pub(super) fn forget(&self) -> Result<(), String> {
        if self.home.exists() {
            std::fs::remove_dir_all(&self.home).map_err(text_of)?;
        }
        std::fs::create_dir_all(&self.home).map_err(text_of)
    }

    /// Runs it; its exit code, and what it wrote to both outputs.
    pub(super) fn run<W: AsRef<OsStr>>(&self, words: &[W]) -> Result<(i32, String), String> {
        let mut command = Command::new(&self.program);
        command.args(words).current_dir(&self.home).stdin(Stdio::null());
        command.env_clear().env("HOME", &self.home).env("TACHO_KEK", KEK);
        let output = command.output().map_err(|error| {
            format!("{} does not start: {error}; name the binary", self.program.display())
        })?;
        let code = output.status.code().ok_or("tacho was killed")?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let told = if code == 0 { String::new() } else { text(output.stderr) };
        Ok((code, said + &told))
    }

    /// Runs it, and it must succeed; what it wrote to its output.
    pub(super) fn fine<W: AsRef<OsStr>>(&self, words: &[W]) -> Result<String, String> {
        let line = || words.iter().map(|it| it.as_ref().to_string_lossy()).collect::<Vec<_>>();
        match self.run(words)? {
            (0, said) => Ok(said),
            (code, said) => Err(format!("tacho {} gave {code}: {said}", line().join(" "))),
        }
    }

    /// What it says of a log's folder, or a document.
    pub(super) fn verify(&self, at: &Path, more: &[&OsStr]) -> Result<Verdict, String> {
        let mut words: Vec<&OsStr> = vec!["verify".as_ref(), at.as_os_str()];
        words.extend(["--format", "json"].map(OsStr::new));
        words.extend(more);
        match self.run(&words)? {
            (0, _) => Ok(Verdict { faults: Vec::new() }),
            (10, said) => {
                let line = said.lines().next().unwrap_or_default();
                let report: Report = serde_json::from_str(line)
                    .map_err(|error| format!("tacho verify said {said:?}: {error}"))?;
                let is_failure =
                    |it: &Fault| !["unreadable", "unassessed"].contains(&it.kind.as_str());
                let faults = report.findings.into_iter().filter(is_failure).collect();
                Ok(Verdict { faults })
            }
            (code, said) => Err(format!("tacho verify gave {code}: {said}")),
        }
    }
}

impl Verdict {
    /// Whether it found something.
    pub(super) fn is_found(&self) -> bool {
        !self.faults.is_empty()
    }

    /// The fault that names the lowest record, else the first.
    pub(super) fn fault(&self) -> Option<&Fault> {
        let named = self.faults.iter().filter(|fault| fault.index.is_some());
        named.min_by_key(|fault| fault.index).or(self.faults.first())
    }

    /// Whether a record is named whose index lies here.
    pub(super) fn names(&self, index: u64) -> bool {
        self.faults.iter().any(|fault| {
            fault.index.is_some_and(|first| (first..first + fault.count).contains(&index))
        })
    }
}

impl Fault {
    /// Where it is, in a few words.
    pub(super) fn place(&self) -> String {
        match self.index {
            Some(first) if self.count > 1 => {
                format!("records {first} to {}", first + self.count - 1)
            }
            Some(index) => format!("record {index}"),
            None if self.file.is_empty() => "the log".to_owned(),
            None => short(&self.file),
        }
    }
}

/// A path without the part that nobody can read aloud.
fn short(path: &str) -> String {
    match path.split_once('/') {
        Some(("segments", rest)) => {
            let tier = rest.split('/').next().unwrap_or_default();
            format!("a segment ({tier})")
        }
        Some(("ledger", _)) => "the ledger".to_owned(),
        _ => path.to_owned(),
    }
}

/// The files of a log's folder.
pub(super) fn files_of(folder: &Path) -> Result<Files, String> {
    let (mut files, mut open) = (Files::new(), vec![folder.to_owned()]);
    while let Some(path) = open.pop() {
        for entry in std::fs::read_dir(&path).map_err(text_of)? {
            let path = entry.map_err(text_of)?.path();
            let name = path.strip_prefix(folder).map_err(text_of)?.to_string_lossy().into_owned();
            // What can be made again is nobody's evidence.
            if name == store::CACHE_FOLDER {
                continue;
            }
            match path.is_dir() {
                true => open.push(path),
                false => drop(files.insert(name, std::fs::read(&path).map_err(text_of)?)),
            }
        }
    }
    Ok(files)
}

/// Puts these files in place of whatever the folder held.
pub(super) fn write_files(folder: &Path, files: &Files) -> Result<(), String> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).map_err(text_of)?;
    }
    for (name, bytes) in files {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent).map_err(text_of)?;
        std::fs::write(&path, bytes).map_err(text_of)?;
    }
    Ok(())
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

fn text_of(error: impl std::fmt::Display) -> String {
    error.to_string()
}
