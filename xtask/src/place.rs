//! Where things are: the repository's root, the build folder, a fresh temporary folder.

use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// The root of the repository. `cargo run` says where the package lies now; where it lay when it
/// was built may be another clone that shares the build folder.
pub(crate) fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    here.parent().map_or_else(|| here.clone(), Path::to_path_buf)
}

/// Cargo's build folder.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// The `tacho` binary of a build profile.
pub(crate) fn tacho(profile: &str) -> PathBuf {
    built(profile, "tacho")
}

/// Any binary of a build profile; examples lie in `examples/`.
pub(crate) fn built(profile: &str, name: &str) -> PathBuf {
    target().join(profile).join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// A folder under the system's temporary one that goes away when this value does.
pub(crate) struct Temporary {
    path: PathBuf,
    keep: bool,
}

impl Temporary {
    /// Makes an empty folder whose name says what it is for.
    pub(crate) fn new(purpose: &str) -> Result<Self, Failure> {
        let name = format!("tachograph-{purpose}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        if path.exists() {
            std::fs::remove_dir_all(&path).map_err(|e| Failure::file("empty", &path, &e))?;
        }
        std::fs::create_dir_all(&path).map_err(|e| Failure::file("create", &path, &e))?;
        Ok(Self { path, keep: false })
    }

    /// Leaves the folder behind, for somebody to look at.
    pub(crate) fn keep(&mut self) {
        self.keep = true;
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.keep {
            // Nothing depends on it: what stays behind lies in the temporary folder.
            drop(std::fs::remove_dir_all(&self.path));
        }
    }
}

/// Copies a folder with everything in it.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(to).map_err(|e| Failure::file("create", to, &e))?;
    for entry in std::fs::read_dir(from).map_err(|e| Failure::file("list", from, &e))? {
        let entry = entry.map_err(|e| Failure::file("list", from, &e))?;
        let (source, copied) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &copied)?;
        } else {
            std::fs::copy(&source, &copied).map_err(|e| Failure::file("copy", &source, &e))?;
        }
    }
    Ok(())
}
