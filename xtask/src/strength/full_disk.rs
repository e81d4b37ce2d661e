//! `cargo xtask strength full-disk`: a server whose disk is filled up and freed again. What is done
//! and what must hold stands in testdata/strength/full_disk.py.
//!
//! `cargo xtask test` does some rounds of it, where a disk can be mounted; where it cannot, it says
//! so. Whoever asks for it by name is told that it failed.

use crate::demo;
use crate::failure::Failure;
use crate::job::Job;
use crate::need::{Need, is_root, need};
use crate::place;
use crate::steps::Outcome;

/// What one types instead of the name of a crate.
pub(super) const NAME: &str = "full-disk";

/// Rounds when nobody says how many.
pub(super) const ROUNDS: u32 = 20;

/// The script's exit code when this machine mounts nothing: a container, most often.
const CANNOT_MOUNT: u8 = 77;

/// Why there is nothing to do.
const NOT_ROOT: &str =
    "mounting a disk to fill takes root; run it as root, or in a virtual machine";
const NO_DISK: &str = "this machine mounts no file as a disk (is it a container without loop devices?); run it \
                       as root in a virtual machine";

/// Builds the binary that the demo plays with, and fills its disk so many times.
pub(super) fn run(rounds: u32) -> Result<(), Failure> {
    match slice(rounds)? {
        Outcome::Passed => Ok(()),
        Outcome::Skipped(reason) => Err(Failure::Failed(reason)),
    }
}

/// The same, where a disk can be mounted.
pub(crate) fn slice(rounds: u32) -> Result<Outcome, Failure> {
    if !is_root() {
        return Ok(Outcome::Skipped(NOT_ROOT.to_owned()));
    }
    need(&Need::Python)?;
    need(&Need::Ext4)?;
    demo::build()?;
    let script = place::root().join("testdata/strength/full_disk.py");
    let job = Job::new("python3").arg(script).arg(place::tacho("demo"));
    told(job.arg(rounds.to_string()).run())
}

/// What the script's end means.
fn told(ended: Result<(), Failure>) -> Result<Outcome, Failure> {
    match ended {
        Ok(()) => Ok(Outcome::Passed),
        Err(Failure::Program { code: CANNOT_MOUNT, .. }) => {
            Ok(Outcome::Skipped(NO_DISK.to_owned()))
        }
        Err(failure) => Err(failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_cannot_be_mounted_is_said_and_nothing_else_is_passed_over() {
        let ended = |code| told(Job::new("sh").args(["-c", &format!("exit {code}")]).run());
        assert!(matches!(ended(0), Ok(Outcome::Passed)));
        assert!(matches!(ended(77), Ok(Outcome::Skipped(reason)) if reason.contains("mounts no")));
        assert!(ended(1).is_err());
    }
}
