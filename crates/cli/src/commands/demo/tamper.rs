//! What an attacker with the disk can do: a copy of the log in which one byte of one record is
//! another.

use crate::failure::Failure;
use event::Record;
use keys::{DataKey, Kek, KeyId, Keyring};
use reading::LogFolder;
use reading::PREVIOUS_BYTES;
use std::fs::{self, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use store::{FRAME_HEADER_BYTES, FrameFound, JOURNAL_FOLDER, JournalReader};

/// What stands before the value that is changed, in a record's content.
const AMOUNT: &[u8] = b"\"amount\":\"";

/// One byte that was changed.
pub(super) struct Tampered {
    /// The log's folder.
    pub(super) log: LogFolder,
    /// The journal file, relative to it.
    pub(super) file: String,
    /// The byte's place in the file.
    pub(super) offset: u64,
    /// The value as sealed, and as it reads now.
    pub(super) before: String,
    pub(super) after: String,
}

/// Copies a log into the data folder `into` and changes the amount in the record `index` of the
/// copy.
pub(super) fn tamper(
    log: &LogFolder,
    kek: &Kek,
    into: &Path,
    index: u64,
) -> Result<Tampered, Failure> {
    let copy = into.join(log.path.file_name().unwrap_or_default());
    copy_folder(&log.path, &copy)?;
    let log = LogFolder::at(&copy)?;
    let bytes = log.folder.read(seal::KEYRING_PATH)?.unwrap_or_default();
    let keyring = Keyring::open(&bytes, kek)?;
    for file in log.folder.list(JOURNAL_FOLDER)? {
        let Some((offset, before)) = locate(&log, &keyring, &file, index)? else { continue };
        // A digit stays a digit, and the encryption hides which: only the checks can tell.
        flip(&copy.join(&file), offset)?;
        let mut changed = before.clone().into_bytes();
        if let Some(digit) = changed.first_mut() {
            *digit ^= 1;
        }
        let after = String::from_utf8_lossy(&changed).into_owned();
        return Ok(Tampered { log, file, offset, before, after });
    }
    Err(Failure::new(format!("record {index} has no amount to tamper with")))
}

/// Where the amount of a record begins in a journal file, and the amount.
fn locate(
    log: &LogFolder,
    keyring: &Keyring,
    file: &str,
    index: u64,
) -> Result<Option<(u64, String)>, Failure> {
    let mut reader = JournalReader::open(&*log.folder, file, &log.identity.id()?)?;
    let id = KeyId::from_bytes(reader.header().key_id);
    let Some(key) = keyring.get(id).map(DataKey::new) else { return Ok(None) };
    let mut payload = Vec::new();
    while let FrameFound::Frame(located) = reader.next_frame()? {
        let header = &located.header;
        if !(header.first_index..header.end_index()).contains(&index) {
            continue;
        }
        reader.open_frame(&located, &key, &mut payload)?;
        let mut rest = payload.get(PREVIOUS_BYTES..).unwrap_or_default();
        for at in header.first_index..header.end_index() {
            let Ok((record, after)) = Record::decode(rest) else { return Ok(None) };
            if at == index {
                let Some(found) = memchr::memmem::find(record.content, AMOUNT) else {
                    return Ok(None);
                };
                let begin = found + AMOUNT.len();
                let value = record.content.get(begin..).unwrap_or_default();
                let value = value.split(|byte| *byte == b'"').next().unwrap_or_default();
                // A record ends with its content.
                let content = payload.len() - after.len() - record.content.len();
                // The cipher is a stream: a byte of the record lies at its own place in the frame.
                let offset = located.offset + (FRAME_HEADER_BYTES + content + begin) as u64;
                return Ok(Some((offset, String::from_utf8_lossy(value).into_owned())));
            }
            rest = after;
        }
    }
    Ok(None)
}

/// Flips the lowest bit of one byte.
fn flip(path: &Path, offset: u64) -> Result<(), Failure> {
    let change = || {
        let mut file = OpenOptions::new().read(true).write(true).open(path)?;
        let mut byte = [0];
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(&mut byte)?;
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(&[byte[0] ^ 1])
    };
    change().map_err(Failure::io("change a byte of", path))
}

/// Copies plain files and folders, however deep: a log's folder is ours, and shallow.
fn copy_folder(from: &Path, to: &Path) -> Result<(), Failure> {
    let mut folders = vec![(from.to_owned(), to.to_owned())];
    while let Some((from, to)) = folders.pop() {
        fs::create_dir_all(&to).map_err(Failure::io("create", &to))?;
        for entry in fs::read_dir(&from).map_err(Failure::io("read", &from))? {
            let entry = entry.map_err(Failure::io("read", &from))?;
            let (from, to) = (entry.path(), to.join(entry.file_name()));
            if from.is_dir() {
                folders.push((from, to));
            } else {
                fs::copy(&from, &to).map_err(Failure::io("copy", &from))?;
            }
        }
    }
    Ok(())
}

/// How often something is found in the bytes of every file below a folder, and how many files there
/// are.
pub(super) fn search(folder: &Path, count: &dyn Fn(&[u8]) -> u64) -> Result<(u64, u64), Failure> {
    let (mut found, mut files) = (0, 0);
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(Failure::io("read", &folder))? {
            let path = entry.map_err(Failure::io("read", &folder))?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files += 1;
                found += count(&fs::read(&path).map_err(Failure::io("read", &path))?);
            }
        }
    }
    Ok((found, files))
}
