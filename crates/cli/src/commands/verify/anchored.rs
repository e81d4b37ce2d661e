//! `tacho verify --authorities`: what time-stamping authorities vouch for.

use crate::anchoring::{read_authorities, read_beside, read_kept, read_shown};
use crate::failure::Failure;
use crate::remote::Remote;
use anchor::Authorities;
use clap::Args;
use prove::Report;
use reading::verify::{Anchor, Anchored, check_anchors};
use std::path::PathBuf;
use store::Folder;

/// What is asked of anchors.
#[derive(Debug, Default, Args)]
pub(super) struct Asked {
    /// Certificates in PEM: the log must continue what authorities that lead to them have stamped
    #[arg(long, value_name = "FILE")]
    authorities: Option<PathBuf>,
    /// Stamps that were kept elsewhere, instead of those beside the log, or that the server shows
    #[arg(long, value_name = "DIR", requires = "authorities")]
    anchors: Option<PathBuf>,
    /// An authority must have seen every record within so many hours of its record time, but for
    /// the newest that nobody has stamped yet
    #[arg(long, value_name = "HOURS", requires = "authorities",
          value_parser = clap::value_parser!(u64).range(1..=87_600))]
    stamped_within: Option<u64>,
}

impl Asked {
    /// Refuses what cannot be asked of this.
    pub(super) fn refuse(&self, what: &str) -> Result<(), Failure> {
        match &self.authorities {
            None => Ok(()),
            Some(_) => Err(Failure::usage(format!(
                "{what} is not held against time stamps; leave --authorities out, or name the log"
            ))),
        }
    }

    /// What the log's folder is to be held against, if that is asked: read before the log, which
    /// goes on meanwhile.
    pub(super) fn of_folder(&self, folder: &dyn Folder) -> Result<Option<Evidence>, Failure> {
        self.evidence(|| read_beside(folder))
    }

    /// What a server's public log is to be held against, if that is asked.
    pub(super) fn of_server(&self, remote: &Remote) -> Result<Option<Evidence>, Failure> {
        self.evidence(|| read_shown(remote))
    }

    fn evidence(
        &self,
        beside: impl FnOnce() -> Result<Vec<Anchor>, Failure>,
    ) -> Result<Option<Evidence>, Failure> {
        let Some(path) = &self.authorities else { return Ok(None) };
        let authorities = read_authorities(path)?;
        let anchors = self.anchors.as_deref().map_or_else(beside, read_kept)?;
        let within_ms = self.stamped_within.map(|hours| hours.saturating_mul(3_600_000));
        Ok(Some(Evidence { authorities, anchors, within_ms }))
    }
}

/// Anchors, and whose word counts.
pub(super) struct Evidence {
    authorities: Authorities,
    anchors: Vec<Anchor>,
    within_ms: Option<u64>,
}

impl Evidence {
    /// Adds to the report of a log's folder what authorities vouch for.
    pub(super) fn hold_folder(&self, folder: &dyn Folder, report: &mut Report) {
        let read = |path: &str| match path.parse() {
            Ok(wanted) => reading::public_file(folder, wanted).ok().flatten(),
            Err(_) => folder.read(path).ok().flatten(),
        };
        self.hold(&read, report);
    }

    /// The same of a server's public log.
    pub(super) fn hold_server(&self, remote: &Remote, report: &mut Report) {
        let read = |path: &str| remote.get(&remote.public(path)).ok().map(|answer| answer.bytes);
        self.hold(&read, report);
    }

    fn hold(&self, read: &dyn Fn(&str) -> Option<Vec<u8>>, report: &mut Report) {
        let asked = Anchored { authorities: &self.authorities, within_ms: self.within_ms };
        check_anchors(&self.anchors, &asked, read, report);
    }
}
