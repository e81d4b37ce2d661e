//! `cargo xtask wasm`: the offline checker for the browser, which has no disk, clock or threads;
//! and that the module in the repository is what the sources give.

use crate::Command;
use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::job::Job;
use crate::need::{Need, need};
use crate::place;
use crate::steps::Outcome;
use flate2::read::GzDecoder;
use flate2::{Compression, GzBuilder};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

const TARGET: &str = "wasm32-unknown-unknown";
/// The module as every page of evidence carries it.
const MODULE: &str = "crates/report/src/bundle/checker.wasm.gz";

pub(crate) const COMMAND: Command = Command {
    name: "wasm",
    summary: "builds the offline checker for pages of evidence, and compares it",
    help: "\
Builds `crates/checker`, and with it `prove`, for wasm32-unknown-unknown. That it builds is the proof that no
disk, clock, thread or operating system crept into the checker; that it imports nothing is looked up in it.
The module must be the one in crates/report/src/bundle/checker.wasm.gz, which goes into `tacho`. After a
change of `prove`, `checkpoint`, `merkle` or `event`, or of a crate that they use, write it anew.

  --write      writes the module instead of comparing it

Examples:
  cargo xtask wasm
  cargo xtask wasm --write",
    run,
};

fn run(mut arguments: Arguments) -> Result<(), Failure> {
    let write = arguments.flag("--write");
    arguments.nothing_left()?;
    need(&Need::WasmTarget)?;
    let built = build()?;
    if write { store(&built) } else { compare(&built) }
}

/// Builds and compares.
pub(crate) fn step() -> Result<Outcome, Failure> {
    compare(&build()?)?;
    Ok(Outcome::Passed)
}

/// Builds the module. Where the sources and cargo's registry lie must not show in it.
fn build() -> Result<Vec<u8>, Failure> {
    let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    let flags = [remap(&cargo_home(), "/cargo"), remap(&place::root(), "/tachograph")];
    let job = Job::cargo().args(["build", "--locked", "-p", "checker", "--profile", "checker"]);
    let job = job.args(["--target", TARGET]);
    job.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}")).run()?;
    let path = place::target().join(TARGET).join("checker/checker.wasm");
    let module = std::fs::read(&path).map_err(|e| Failure::file("read", &path, &e))?;
    match imports(&module) {
        Some(false) => Ok(module),
        Some(true) => Err(failed("the checker imports something: it must only compute")),
        None => Err(failed("the checker is no WebAssembly module")),
    }
}

fn cargo_home() -> PathBuf {
    let named = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    named.unwrap_or_else(|| {
        let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        home.join(".cargo")
    })
}

/// Whether a module has a section of imports; nothing when it is none.
fn imports(module: &[u8]) -> Option<bool> {
    const IMPORTS: u8 = 2;
    let mut rest = module.strip_prefix(b"\0asm\x01\0\0\0")?;
    while let Some((section, after)) = rest.split_first() {
        if *section == IMPORTS {
            return Some(true);
        }
        let (mut length, mut after) = (0_usize, after);
        for shift in (0..35).step_by(7) {
            let (byte, more) = after.split_first()?;
            length |= usize::from(byte & 0x7f) << shift;
            after = more;
            if byte & 0x80 == 0 {
                break;
            }
        }
        rest = after.get(length..)?;
    }
    Some(false)
}

fn store(module: &[u8]) -> Result<(), Failure> {
    let path = place::root().join(MODULE);
    let mut packer = GzBuilder::new().write(Vec::new(), Compression::best());
    let packed = packer.write_all(module).and_then(|()| packer.finish());
    let packed = packed.map_err(|e| Failure::file("pack", &path, &e))?;
    std::fs::write(&path, &packed).map_err(|e| Failure::file("write", &path, &e))?;
    println!("{MODULE}: {} bytes, {} in a page", module.len(), packed.len());
    Ok(())
}

fn compare(built: &[u8]) -> Result<(), Failure> {
    let path = place::root().join(MODULE);
    let packed = std::fs::read(&path).map_err(|e| Failure::file("read", &path, &e))?;
    let mut kept = Vec::new();
    let read = GzDecoder::new(packed.as_slice()).read_to_end(&mut kept);
    read.map_err(|e| Failure::file("unpack", &path, &e))?;
    if kept == built {
        return Ok(());
    }
    let same = kept.iter().zip(built).take_while(|(one, other)| one == other).count();
    Err(failed(&format!(
        "{MODULE} is not what the sources give (from byte {same} on; {} bytes, built {})",
        kept.len(),
        built.len()
    )))
}

fn failed(what: &str) -> Failure {
    Failure::Failed(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_that_imports_is_told_from_one_that_does_not() {
        let head = b"\0asm\x01\0\0\0";
        let of = |sections: &[u8]| imports(&[head, sections].concat());
        assert_eq!(of(&[1, 2, 9, 9, 3, 0]), Some(false));
        assert_eq!(of(&[1, 2, 9, 9, 2, 1, 0]), Some(true));
        assert_eq!(of(&[1, 0x82, 0, 9, 9, 2, 0]), Some(true));
        assert_eq!(of(&[1, 9, 0]), None);
        assert_eq!(imports(b"no module"), None);
    }
}
