//! The data folder: can it be written, how much room is there, and how long does a sync take?

use super::Check;
use crate::backup;
use crate::commands::restore::RESTORING;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Writes of the measurement.
const WRITES: usize = 50;
/// Bytes of each: about a small group of events.
const WRITE_BYTES: usize = 4096;
/// A median above this makes small batches slow.
const SLOW: Duration = Duration::from_millis(20);
/// No disk syncs faster than this.
const TOO_FAST: Duration = Duration::from_micros(15);
/// Room below which something should be done, and below which the log is about to refuse events.
const ROOM_BYTES_LOW: u64 = 5 << 30;
const ROOM_BYTES_MIN: u64 = 256 << 20;

/// Every check of the folder at `path`.
pub(super) fn checks(path: &Path) -> Vec<Check> {
    if !path.is_dir() {
        let detail = format!("{} is not there", path.display());
        return vec![Check::warn("data folder", detail, "create it and a log with `tacho init`")];
    }
    let mut checks = Vec::new();
    let probe = Probe::create(path);
    match &probe {
        Ok(_) => {
            checks.push(Check::ok("data folder", format!("{} can be written", path.display())))
        }
        Err(error) => checks.push(Check::fail(
            "data folder",
            format!("cannot write to {}: {error}; check who owns it", path.display()),
        )),
    }
    checks.push(room(path));
    checks.extend(left_over(path));
    if let Ok(mut probe) = probe {
        checks.push(probe.latency());
    }
    checks
}

/// Copies of logs that nobody will finish.
fn left_over(path: &Path) -> Option<Check> {
    let found = backup::left_over(&path.join(RESTORING));
    let (first, _) = found.first()?;
    let more =
        if found.len() > 1 { format!(" and {} more", found.len() - 1) } else { String::new() };
    let detail = format!("one that was killed left a copy of a log in {}{more}", first.display());
    let advice = "no log needs it: the next `tacho restore` into this folder removes it, or you do";
    Some(Check::warn("restore", detail, advice))
}

fn room(path: &Path) -> Check {
    let free = match rustix::fs::statvfs(path) {
        Ok(found) => found.f_bavail.saturating_mul(found.f_frsize),
        Err(error) => {
            let detail = format!("cannot tell: {error}");
            return Check::warn("disk space", detail, "check the file system");
        }
    };
    let detail = format!("{:.1} GiB free", free as f64 / f64::from(1 << 30));
    if free < ROOM_BYTES_MIN {
        Check::fail("disk space", format!("{detail}: events are about to be refused; make room"))
    } else if free < ROOM_BYTES_LOW {
        Check::warn("disk space", detail, "make room before the log has to refuse events")
    } else {
        Check::ok("disk space", detail)
    }
}

/// A file to try the disk with; it goes when it is dropped.
struct Probe {
    file: File,
    path: PathBuf,
}

impl Probe {
    fn create(folder: &Path) -> std::io::Result<Self> {
        let path = folder.join(format!(".doctor-{}", std::process::id()));
        let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        Ok(Self { file, path })
    }

    /// The time that one small write and its sync take.
    fn latency(&mut self) -> Check {
        let block = [0x5a; WRITE_BYTES];
        let mut times = Vec::with_capacity(WRITES);
        for _ in 0..WRITES {
            let begun = Instant::now();
            if let Err(error) = self.file.write_all(&block).and_then(|()| self.file.sync_data()) {
                return Check::fail("sync", format!("writing and syncing failed: {error}"));
            }
            times.push(begun.elapsed());
        }
        times.sort();
        let at = |place: usize| times.get(place).copied().unwrap_or_default();
        let (median, slowest) = (at(WRITES / 2), at(WRITES - 1));
        let detail =
            format!("fdatasync takes {median:.1?} (median of {WRITES}), {slowest:.1?} at most");
        if median > SLOW {
            let advice =
                "every acknowledgement waits that long; send larger batches, or use a faster disk";
            Check::warn("sync", detail, advice)
        } else if median < TOO_FAST {
            let advice = "no disk is that fast: this file system does not survive a power cut";
            Check::warn("sync", detail, advice)
        } else {
            Check::ok("sync", detail)
        }
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        // A few kilobytes under a name that no log has; nothing more can be done about it.
        let _ = std::fs::remove_file(&self.path);
    }
}
