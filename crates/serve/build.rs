//! Lists the files of the console, so that they become part of the program (`src/console.rs`).
//!
//! Cargo is told of the folder, so that a file that was added is seen as one that was changed is.
//! Where the repository lies is not written down: another clone may share the build folder.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=console");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("console");
    let mut files = Vec::new();
    list(&root, &mut files)?;
    files.sort();
    let mut table = String::from("&[\n");
    for path in &files {
        let name = path.strip_prefix(&root).unwrap_or(path).to_string_lossy().replace('\\', "/");
        // Writing into a string does not fail.
        let bytes =
            format!("concat!(env!(\"CARGO_MANIFEST_DIR\"), {:?})", format!("/console/{name}"));
        let _ = writeln!(table, "    ({name:?}, include_bytes!({bytes})),");
    }
    table.push(']');
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("console_files.rs"), table)
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true => list(&path, files)?,
            false => files.push(path),
        }
    }
    Ok(())
}
