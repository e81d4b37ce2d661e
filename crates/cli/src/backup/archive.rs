//! A backup as one file: a tar of the same folder.
//!
//! What is unpacked may be anybody's: only plain files, only below the one folder of a log, no path
//! that leads elsewhere.

use crate::failure::Failure;
use crate::terminal::Progress;
use crate::whole_file::WholeFile;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write as _};
use std::path::{Component, Path, PathBuf};
use store::{DiskFolder, Folder};
use tar::{Archive, Builder, EntryType, Header};

/// Packs the log in `folder`, whose id is `log_id`; then reads it back and compares.
pub(crate) fn pack(
    folder: &Path,
    log_id: &str,
    target: &Path,
    progress: &mut Progress,
) -> Result<(), Failure> {
    let file = WholeFile::begin(target)?;
    let failed = || Failure::io("write", target);
    let mut builder = Builder::new(BufWriter::new(file.writer()?));
    let paths = DiskFolder::new(folder).list("")?;
    for (done, path) in paths.iter().enumerate() {
        progress.at(done as u64, paths.len() as u64);
        let source = folder.join(path);
        let opened = File::open(&source).map_err(Failure::io("read", &source))?;
        let bytes = opened.metadata().map_err(Failure::io("read", &source))?.len();
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o600);
        header.set_size(bytes);
        builder.append_data(&mut header, format!("{log_id}/{path}"), opened).map_err(failed())?;
    }
    let mut out = builder.into_inner().map_err(failed())?;
    out.flush().map_err(failed())?;
    file.sync()?;
    compare(folder, log_id, file.temporary())?;
    file.place()
}

/// Reads an archive back: every file of the folder is in it, byte for byte.
fn compare(folder: &Path, log_id: &str, archive: &Path) -> Result<(), Failure> {
    let mut left = DiskFolder::new(folder).list("")?.len();
    each(archive, &mut |path, entry| {
        let path = folder.join(path.strip_prefix(log_id).unwrap_or(path));
        let mut original = BufReader::new(File::open(&path).map_err(Failure::io("read", &path))?);
        let mut chunks = [vec![0; 1 << 16], vec![0; 1 << 16]];
        loop {
            let [one, other] = &mut chunks;
            let count = entry.read(one).map_err(Failure::io("read", archive))?;
            let other = other.get_mut(..count.max(1)).unwrap_or_default();
            let same = match count {
                0 => matches!(original.read(other), Ok(0)),
                _ => original.read_exact(other).is_ok() && one.get(..count) == Some(&*other),
            };
            match (same, count) {
                (true, 0) => break,
                (true, _) => {}
                (false, _) => return Err(differs(archive)),
            }
        }
        left = left.saturating_sub(1);
        Ok(())
    })?;
    if left == 0 { Ok(()) } else { Err(differs(archive)) }
}

fn differs(archive: &Path) -> Failure {
    Failure::new(format!(
        "{} does not read back as it was written; is the disk all right?",
        archive.display()
    ))
}

/// Unpacks an archive into an empty folder; returns the id of the log in it.
pub(crate) fn unpack(
    archive: &Path,
    to: &Path,
    progress: &mut Progress,
) -> Result<String, Failure> {
    let total = std::fs::metadata(archive).map_or(0, |it| it.len());
    let (mut id, mut done) = (None::<String>, 0);
    each(archive, &mut |path, entry| {
        progress.at(done, total);
        let mut parts = path.iter();
        let first = parts.next().and_then(|part| part.to_str()).unwrap_or_default();
        let rest: PathBuf = parts.collect();
        if *id.get_or_insert_with(|| first.to_owned()) != first || rest.as_os_str().is_empty() {
            return Err(foreign(archive, path));
        }
        let target = to.join(rest);
        if let Some(folder) = target.parent() {
            std::fs::create_dir_all(folder).map_err(Failure::io("create", folder))?;
        }
        let mut out = File::create_new(&target).map_err(Failure::io("create", &target))?;
        done += std::io::copy(entry, &mut out).map_err(Failure::io("unpack", archive))?;
        Ok(())
    })?;
    id.ok_or_else(|| Failure::new(format!("{} is empty: not a backup", archive.display())))
}

/// Hands out every file of an archive with its path, which stays inside.
fn each(
    archive: &Path,
    found: &mut dyn FnMut(&Path, &mut dyn Read) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let file = File::open(archive).map_err(Failure::io("read", archive))?;
    let torn = |error: std::io::Error| {
        Failure::new(format!(
            "{} does not read as a backup: {error}; it is cut short, damaged or something else",
            archive.display()
        ))
    };
    let mut tar = Archive::new(BufReader::new(file));
    for entry in tar.entries().map_err(torn)? {
        let mut entry = entry.map_err(torn)?;
        let path = entry.path().map_err(torn)?.into_owned();
        let is_inside = path.components().all(|part| matches!(part, Component::Normal(_)));
        if entry.header().entry_type() != EntryType::Regular || !is_inside {
            return Err(foreign(archive, &path));
        }
        found(&path, &mut entry)?;
    }
    Ok(())
}

fn foreign(archive: &Path, path: &Path) -> Failure {
    Failure::new(format!(
        "{} holds {}, which no backup does: nothing was restored",
        archive.display(),
        query::escape::escape(&path.to_string_lossy())
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::Terminal;

    fn progress() -> Progress {
        Terminal::new(true).progress("files")
    }

    #[test]
    fn what_was_packed_unpacks_and_a_cut_archive_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("log/journal")).unwrap();
        std::fs::write(at("log/log.json"), "{}").unwrap();
        std::fs::write(at("log/journal/").join("x".repeat(120)), vec![7; 100_000]).unwrap();
        pack(&at("log"), "ab", &at("log.tar"), &mut progress()).unwrap();
        assert_eq!(unpack(&at("log.tar"), &at("out"), &mut progress()).unwrap(), "ab");
        let read = std::fs::read(at("out/journal/").join("x".repeat(120))).unwrap();
        assert_eq!(read, vec![7; 100_000]);
        let bytes = std::fs::read(at("log.tar")).unwrap();
        for cut in [1, 600, 50_000, 100_000] {
            std::fs::write(at("cut.tar"), &bytes[..cut]).unwrap();
            let out = at(&format!("out-{cut}"));
            assert!(unpack(&at("cut.tar"), &out, &mut progress()).is_err(), "{cut}");
        }
    }

    #[test]
    fn nothing_is_unpacked_outside_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("bad.tar");
        for (path, kind) in [
            ("ab/../../evil", EntryType::Regular),
            ("/evil", EntryType::Regular),
            ("ab/link", EntryType::Symlink),
            ("ab/hard", EntryType::Link),
            ("ab", EntryType::Regular),
        ] {
            let mut header = Header::new_gnu();
            header.set_entry_type(kind);
            header.set_size(0);
            // The library refuses to write such a path itself.
            let name = header.as_gnu_mut().unwrap();
            name.name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_cksum();
            let mut builder = Builder::new(File::create(&archive).unwrap());
            builder.append(&header, std::io::empty()).unwrap();
            builder.finish().unwrap();
            let to = folder.path().join("to");
            assert!(unpack(&archive, &to, &mut progress()).is_err(), "{path}");
            assert!(!folder.path().join("evil").exists());
        }
    }
}
