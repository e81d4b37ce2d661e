//! `cargo xtask strength full-disk`: a server whose disk is filled up and freed again. What is done
//! and what must hold stands in testdata/strength/full_disk.py.

use crate::demo;
use crate::failure::Failure;
use crate::job::Job;
use crate::need::{Need, need};
use crate::place;

/// What one types instead of the name of a crate.
pub(super) const NAME: &str = "full-disk";

/// Builds the binary that the demo plays with, and fills its disk twenty times.
pub(super) fn run() -> Result<(), Failure> {
    need(&Need::Python)?;
    demo::build()?;
    let script = place::root().join("testdata/strength/full_disk.py");
    Job::new("python3").arg(script).arg(place::tacho("demo")).run()
}
