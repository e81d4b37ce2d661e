//! `tacho keys export-segment`: the key of one segment, for a program that reads Parquet.
//!
//! Whoever has the key can read this file for ever, also a copy of it from before an erasure. So it
//! goes to a file of the owner alone, never to a terminal or an argument, and always on record:
//! unlike an export there is no way around.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::recording::RecordingArguments;
use crate::whole_file::WholeFile;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use keys::{KeyId, Purpose, SecretKey, SecretString};
use reading::Reading;
use seal::Act;
use segment::{SEGMENT_FOLDER, Segment};
use serde_json::json;
use std::path::{Path, PathBuf};

const AFTER_HELP: &str = "\
SEGMENT is a file below segments/ in the log's folder, by its path or name. The key file holds one line, the 32
bytes in base64, and only its owner can read it. Anyone who has it can read that segment, and no other file.
docs/readers.md shows how pyarrow takes it.

Examples:
  tacho keys export-segment segments/tier=info/date=2026-11-02/*.parquet --output info.key";

/// Write the key of one segment to a file; recorded in the log
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Arguments {
    /// The segment
    #[arg(value_name = "SEGMENT")]
    segment: PathBuf,
    /// File to write; it must not exist, and not lie in the data folder
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

impl Arguments {
    pub(super) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        self.check_output(context)?;
        let reading = context.reading()?;
        let (path, key_id) = self.find(&reading)?;
        let key = key(&reading, &path, key_id)?;
        let mut file = WholeFile::begin(&self.output)?;
        let details = json!({ "path": path, "purpose": "segment", "key_id": key_id.to_string() });
        RecordingArguments::default().record(context, reading.log(), Act::KeyExport(details))?;
        // With room for all of it, so that growing leaves no copy behind.
        let mut line = String::with_capacity(64);
        STANDARD.encode_string(key.expose(), &mut line);
        line.push('\n');
        let line = SecretString::new(line);
        file.write(line.expose().as_bytes())?;
        file.sync()?;
        file.place()?;
        context.terminal.note(format!("The key of {path} is in {}.", self.output.display()));
        Ok(Exit::Fine)
    }

    /// A key beside what it opens protects nothing.
    fn check_output(&self, context: &Context) -> Result<(), Failure> {
        let path = self.output.display();
        if self.output.symlink_metadata().is_ok() {
            return Err(Failure::new(format!("{path} exists already; name a file that does not")));
        }
        let folder = match self.output.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if real(folder).starts_with(real(context.data_folder().path())) {
            return Err(Failure::new(format!(
                "{path} lies in the data folder: a copy of the folder would hold data and key; name a \
                 file outside"
            )));
        }
        Ok(())
    }

    /// The segment's path in the log's folder, and the id of its key.
    fn find(&self, reading: &Reading) -> Result<(String, KeyId), Failure> {
        let name = self.segment.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let listing = reading.log().folder.list(SEGMENT_FOLDER)?;
        let found = listing.into_iter().find(|path| path.rsplit('/').next() == Some(name));
        let key_id = name.strip_suffix(".parquet").and_then(|name| name.rsplit('-').next());
        match (found, key_id.and_then(|id| id.parse().ok())) {
            (Some(path), Some(key_id)) => Ok((path, key_id)),
            _ => Err(Failure::new(format!(
                "the log {:?} has no segment {}; segments lie below {}",
                reading.log().identity.name,
                query::escape::escape(&self.segment.to_string_lossy()),
                reading.log().path.join(SEGMENT_FOLDER).display()
            ))),
        }
    }
}

/// The key, which must open the segment.
fn key(reading: &Reading, path: &str, key_id: KeyId) -> Result<SecretKey, Failure> {
    let keyring = reading.keyring();
    let key = keyring.by_purpose(Purpose::Segment).find(|(info, _)| info.id == key_id);
    let Some((_, key)) = key else {
        return Err(Failure::new(format!(
            "the keyring has no key for {path}: it was replaced by another segment, or its records \
             expired"
        )));
    };
    let missing = || Failure::new(format!("{path} was replaced just now; run it again"));
    let bytes = reading.log().folder.read(path)?.ok_or_else(missing)?;
    Segment::open(bytes, key)?;
    Ok(key.duplicate())
}
