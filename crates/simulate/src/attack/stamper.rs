//! A time-stamping authority as RFC 3161 has it, played by OpenSSL: it stamps whatever it is shown,
//! with the time of this machine.

use super::Files;
use anchor::{AnchorName, Label};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What OpenSSL is to do.
const SCRIPT: &str = include_str!("../../../../testdata/anchor/authority.sh");
/// How it ends where OpenSSL is not installed.
const MISSING: i32 = 127;

/// Such an authority, and where its keys are.
pub(super) struct Stamper {
    folder: PathBuf,
}

impl Stamper {
    /// A new one; `None` where OpenSSL is not installed.
    pub(super) fn make(folder: &Path) -> Result<Option<Self>, String> {
        std::fs::create_dir_all(folder).map_err(text)?;
        let made = Self { folder: folder.to_owned() };
        Ok(made.does("make")?.then_some(made))
    }

    /// The certificates by which others know its stamps.
    pub(super) fn authorities(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// Stamps a checkpoint; the two files of an anchor, by their paths in a log's folder.
    pub(super) fn stamp(&self, note: &[u8]) -> Result<Files, String> {
        let size = crate::reading::head_of(&String::from_utf8_lossy(note))?.size;
        std::fs::write(self.folder.join("note"), note).map_err(text)?;
        self.does("query")?;
        self.does("reply")?;
        let answer = std::fs::read(self.folder.join("answer")).map_err(text)?;
        let label: Label = "openssl".parse().map_err(text::<String>)?;
        Ok(Files::from([
            (AnchorName::Checkpoint(size).path(), note.to_vec()),
            (AnchorName::Stamp(size, label).path(), answer),
        ]))
    }

    /// Has it do something; `false` where there is no OpenSSL.
    fn does(&self, what: &str) -> Result<bool, String> {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "sh", what]).current_dir(&self.folder).stdin(Stdio::null());
        let output = command.output().map_err(text)?;
        match output.status.code() {
            Some(0) => Ok(true),
            Some(MISSING) => Ok(false),
            _ => {
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                Err(format!("the authority that OpenSSL plays does not {what}: {said}"))
            }
        }
    }
}

fn text<E: std::fmt::Display>(error: E) -> String {
    error.to_string()
}
