//! The two files behind tokens: the server's secret, and the list with the code over it.
//!
//! The list is one JSON document, `{"version":1,"tokens":[..],"code":"<hex>"}`; the code is an
//! HMAC-SHA-256 of the exact bytes of the array. It is replaced whole, under a lock on a file
//! beside it that is never replaced.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keys::{Entropy, SecretKey};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use zeroize::{Zeroize, Zeroizing};

use super::TokenError;
use super::record::{Keys, TokenRecord};

/// Bytes of the list: ten thousand tokens of 400 bytes, four times over.
pub const FILE_BYTES_MAX: u64 = 16 << 20;

/// What the file of the secret begins with.
pub(super) const SECRET_PREFIX: &str = "tachograph-server-secret-v1:";

/// Bytes of the file of the secret: prefix, 44 characters and a line end, with room to spare.
const SECRET_BYTES_MAX: u64 = 256;

/// Permission bits that let the group or others in.
const OTHERS: u32 = 0o077;

/// What tells one state of the file from another without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    modified_ns: i128,
    bytes: u64,
    inode: u64,
}

impl From<std::fs::Metadata> for Stamp {
    fn from(metadata: std::fs::Metadata) -> Self {
        let nanoseconds = i128::from(metadata.mtime()) * 1_000_000_000;
        Self {
            modified_ns: nanoseconds + i128::from(metadata.mtime_nsec()),
            bytes: metadata.len(),
            inode: metadata.ino(),
        }
    }
}

/// What the list holds, and its stamp; no stamp when there is no list.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) tokens: Vec<TokenRecord>,
    pub(super) stamp: Option<Stamp>,
}

/// The list as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct List<T> {
    version: u64,
    tokens: T,
    code: String,
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> TokenError {
    let path = path.to_owned();
    move |source| TokenError::Io { action, path, source }
}

/// Takes the lock of the list; it is let go when the file is dropped.
pub(super) fn lock(list: &Path) -> Result<File, TokenError> {
    let path = beside(list, "lock");
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(false).mode(0o600).open(&path);
    let file = file.map_err(failed("open", &path))?;
    rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive)
        .map_err(|error| failed("lock", &path)(error.into()))?;
    Ok(file)
}

/// The stamp of the list, or none when there is none.
pub(super) fn stamp(list: &Path) -> Result<Option<Stamp>, TokenError> {
    match std::fs::metadata(list) {
        Ok(metadata) => Ok(Some(metadata.into())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("inspect", list)(error)),
    }
}

/// Reads the list and holds its code against it.
pub(super) fn read(list: &Path, keys: &Keys) -> Result<Content, TokenError> {
    let Some((bytes, stamp)) = read_private(list, FILE_BYTES_MAX)? else {
        return Ok(Content::default());
    };
    let bad = |error: serde_json::Error| TokenError::BadList {
        path: list.to_owned(),
        detail: format!("line {}, column {}", error.line(), error.column()),
    };
    let read: List<&RawValue> = serde_json::from_slice(&bytes).map_err(bad)?;
    if read.version != 1 {
        return Err(TokenError::Version { path: list.to_owned(), version: read.version });
    }
    let code = hex::decode(&read.code).unwrap_or_default();
    if !keys.seal.verify(&[read.tokens.get().as_bytes()], &code) {
        return Err(TokenError::Edited { path: list.to_owned() });
    }
    let tokens = serde_json::from_str(read.tokens.get()).map_err(bad)?;
    Ok(Content { tokens, stamp: Some(stamp) })
}

/// Replaces the list, durably. The caller holds the lock.
pub(super) fn write(
    list: &Path,
    keys: &Keys,
    tokens: &[TokenRecord],
) -> Result<Option<Stamp>, TokenError> {
    let bad = |error: serde_json::Error| TokenError::BadList {
        path: list.to_owned(),
        detail: error.to_string(),
    };
    let raw = serde_json::value::to_raw_value(tokens).map_err(bad)?;
    let code = hex::encode(keys.seal.sign(&[raw.get().as_bytes()]));
    let mut bytes = serde_json::to_vec(&List { version: 1, tokens: raw, code }).map_err(bad)?;
    bytes.push(b'\n');
    let fresh = beside(list, "new");
    // Left by a process that died in the middle; the lock is ours, so nobody is writing it.
    match std::fs::remove_file(&fresh) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(failed("remove", &fresh)(error));
        }
        _ => {}
    }
    create_private(&fresh, &bytes)?;
    std::fs::rename(&fresh, list).map_err(failed("replace", list))?;
    sync_folder(list)?;
    stamp(list)
}

/// The server's secret. Made when neither it nor the list exists.
pub(super) fn secret(
    path: &Path,
    list: &Path,
    entropy: &dyn Entropy,
) -> Result<SecretKey, TokenError> {
    if let Some((bytes, _)) = read_private(path, SECRET_BYTES_MAX)? {
        return parse_secret(&bytes).ok_or_else(|| TokenError::BadSecret { path: path.to_owned() });
    }
    if stamp(list)?.is_some() {
        return Err(TokenError::SecretMissing { path: path.to_owned(), tokens: list.to_owned() });
    }
    let secret = SecretKey::generate(entropy)?;
    let mut line = Zeroizing::new(String::with_capacity(SECRET_PREFIX.len() + 45));
    line.push_str(SECRET_PREFIX);
    STANDARD.encode_string(secret.expose(), &mut line);
    line.push('\n');
    create_private(path, line.as_bytes())?;
    sync_folder(path)?;
    Ok(secret)
}

fn parse_secret(bytes: &[u8]) -> Option<SecretKey> {
    let text = std::str::from_utf8(bytes).ok()?.trim_end().strip_prefix(SECRET_PREFIX)?;
    let mut secret = [0; 32];
    // One byte more, so that a longer secret is noticed and not cut.
    let mut room = Zeroizing::new([0; 36]);
    let length = STANDARD.decode_slice(text, room.as_mut_slice()).ok()?;
    if length != secret.len() {
        return None;
    }
    secret.copy_from_slice(&room[..32]);
    let key = SecretKey::take(&mut secret);
    secret.zeroize();
    Some(key)
}

/// What a private file holds, wiped when dropped: it may be the secret.
type Bytes = Zeroizing<Vec<u8>>;

/// All of a file that only its owner can get at; nothing when there is none.
fn read_private(path: &Path, max: u64) -> Result<Option<(Bytes, Stamp)>, TokenError> {
    // Looked at before opening, because opening a named pipe would wait for its writer.
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Err(TokenError::NotAFile { path: path.to_owned() }),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("inspect", path)(error)),
    }
    let file = File::open(path).map_err(failed("open", path))?;
    // The mode of what was opened, not of what the path may mean by now.
    let metadata = file.metadata().map_err(failed("inspect", path))?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & OTHERS != 0 {
        return Err(TokenError::TooOpen { path: path.to_owned(), mode });
    }
    if metadata.len() > max {
        return Err(TokenError::TooLong { path: path.to_owned(), bytes: metadata.len(), max });
    }
    let room = usize::try_from(metadata.len()).unwrap_or_default();
    let mut bytes = Zeroizing::new(Vec::with_capacity(room + 1));
    file.take(max).read_to_end(&mut bytes).map_err(failed("read", path))?;
    Ok(Some((bytes, metadata.into())))
}

fn create_private(path: &Path, bytes: &[u8]) -> Result<(), TokenError> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(failed("create", path))?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.map_err(|error| {
        // Half a file helps nobody; this call made it.
        let _ = std::fs::remove_file(path);
        failed("write", path)(error)
    })
}

fn sync_folder(path: &Path) -> Result<(), TokenError> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("sync", folder))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}
