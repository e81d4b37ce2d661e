//! What a chore needs beyond Rust: installs it where that is safe, otherwise says what to install.
//!
//! Debian packages are installed when one is root and something is missing; cargo subcommands with
//! `cargo install --locked`. Nothing is touched that is already there.

use std::fs::File;
use std::path::Path;

use crate::failure::Failure;
use crate::job::Job;
use crate::place;

/// Something that must be there before a step can run.
pub(crate) enum Need {
    /// A C and C++ compiler and linker, for the cryptography and the fuzzer's runtime.
    Compiler,
    /// Go and the reference implementation of transparency logs.
    Go,
    /// Python 3, for the scripts that record test data.
    Python,
    /// Node.js with npm, for the console.
    Node,
    /// What makes a file a disk, and mounts it.
    Ext4,
    /// A browser that runs without a screen.
    Chromium,
    /// Rust's standard library for WebAssembly.
    WasmTarget,
    /// A cargo subcommand from its own crate, by the crate's name.
    CargoCommand(&'static str),
}

/// Debian's compiler; the version is fixed because the library's path depends on no module
/// download.
pub(crate) const GO: &str = "/usr/lib/go-1.19/bin/go";
/// Where Debian puts the sources of Go libraries.
pub(crate) const GO_PATH: &str = "/usr/share/gocode";

const WASM: &str = "wasm32-unknown-unknown";

/// Makes sure that it is there, or says what to do.
pub(crate) fn need(what: &Need) -> Result<(), Failure> {
    match what {
        Need::Compiler => {
            const PROBES: [&str; 3] = ["/usr/bin/cc", "/usr/bin/c++", "/usr/bin/make"];
            debian("a C and C++ compiler with make", &PROBES, &["build-essential"])
        }
        Need::Go => debian(
            "Go with golang.org/x/mod",
            &[GO, "/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog/tlog.go"],
            &["golang-1.19-go", "golang-1.19-src", "golang-golang-x-mod-dev"],
        ),
        Need::Python => python(),
        Need::Node => node(),
        Need::Ext4 => debian(
            "mkfs.ext4 and mount",
            &["/sbin/mkfs.ext4", "/bin/mount"],
            &["e2fsprogs", "mount"],
        ),
        Need::Chromium => debian("Chromium", &["/usr/bin/chromium"], &["chromium"]),
        Need::WasmTarget => wasm_target(),
        Need::CargoCommand(name) => cargo_command(name),
    }
}

fn debian(what: &str, probes: &[&str], packages: &[&str]) -> Result<(), Failure> {
    if probes.iter().all(|probe| Path::new(probe).exists()) {
        return Ok(());
    }
    let list = packages.join(" ");
    let by_hand = format!(
        "{what} is missing: install the Debian packages `{list}` (as root: apt-get install {list})"
    );
    if !Path::new("/usr/bin/apt-get").exists() || !is_root() {
        return Err(Failure::Failed(by_hand));
    }
    // Two lanes may want something at once, and apt-get refuses to share.
    let _one_at_a_time = lock("apt")?;
    if probes.iter().all(|probe| Path::new(probe).exists()) {
        return Ok(());
    }
    println!("{what} is missing; installing {list}");
    let apt = |words: &[&str]| {
        Job::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive").args(words.iter().copied())
    };
    let installed = apt(&["update", "-qq"]).run().and_then(|()| {
        apt(&["install", "-y", "-qq", "--no-install-recommends"])
            .args(packages.iter().copied())
            .run()
    });
    installed.map_err(|failure| Failure::Failed(format!("{by_hand}; apt-get said: {failure}")))
}

/// Waits until no other process of this build folder holds it; held until the file is dropped.
fn lock(name: &str) -> Result<File, Failure> {
    let path = place::target().join(format!("{name}.lock"));
    let held = File::create(&path).and_then(|file| file.lock().map(|()| file));
    held.map_err(|e| Failure::file("lock", &path, &e))
}

/// Wherever it comes from: a distribution, a version manager, a container.
fn python() -> Result<(), Failure> {
    match Job::new("python3").arg("--version").look() {
        Ok((0, _, _)) => Ok(()),
        _ => debian("Python 3", &["/usr/bin/python3"], &["python3", "python3-venv"]),
    }
}

/// The oldest Node.js that the console's tools run with.
const NODE_MAJOR: u32 = 20;

/// Debian 12's own is too old, so it is not installed from there.
fn node() -> Result<(), Failure> {
    let version = Job::new("node").arg("--version").look().map(|(_, text, _)| text);
    let major = version.ok().and_then(|text| {
        let (major, _) = text.trim().strip_prefix('v')?.split_once('.')?;
        major.parse::<u32>().ok()
    });
    match (major, Job::new("npm").arg("--version").look()) {
        (Some(major), Ok((0, _, _))) if major >= NODE_MAJOR => Ok(()),
        _ => Err(Failure::Failed(format!(
            "Node.js {NODE_MAJOR} or newer with npm is missing: install it from nodejs.org or your \
             distribution, or skip with `cargo xtask test --skip console`"
        ))),
    }
}

/// Whether this program may do what only root may.
pub(crate) fn is_root() -> bool {
    matches!(Job::new("id").arg("-u").look(), Ok((0, number, _)) if number.trim() == "0")
}

fn wasm_target() -> Result<(), Failure> {
    let (_, libraries, _) =
        Job::new("rustc").args(["--print", "target-libdir", "--target", WASM]).look()?;
    if Path::new(libraries.trim()).exists() {
        return Ok(());
    }
    println!("Rust's library for {WASM} is missing; asking rustup for it");
    Job::new("rustup").args(["target", "add", WASM]).run().map_err(|failure| {
        Failure::Failed(format!(
            "Rust's library for {WASM} is missing and rustup could not fetch it ({failure}): \
             run `rustup target add {WASM}` where there is a network, or skip with `cargo xtask test --skip wasm`"
        ))
    })
}

fn cargo_command(name: &'static str) -> Result<(), Failure> {
    let subcommand = name.strip_prefix("cargo-").unwrap_or(name);
    if has_cargo_command(subcommand) {
        return Ok(());
    }
    println!("`cargo {subcommand}` is missing; installing {name} (once; takes a minute or two)");
    Job::cargo().args(["install", "--locked", name]).run().map_err(|failure| {
        Failure::Failed(format!(
            "`cargo {subcommand}` is missing and could not be installed: {failure}"
        ))
    })
}

/// Whether `cargo SUBCOMMAND` exists.
pub(crate) fn has_cargo_command(subcommand: &str) -> bool {
    matches!(Job::cargo().args([subcommand, "--version"]).look(), Ok((0, _, _)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_not_installed_again() {
        assert!(debian("a root folder", &["/"], &["no-such-package"]).is_ok());
    }

    #[test]
    fn cargo_subcommands_are_recognised() {
        assert!(has_cargo_command("fmt"));
        assert!(!has_cargo_command("no-such-subcommand"));
    }
}
