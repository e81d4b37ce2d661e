//! The address that a running server leaves in the data folder that it holds, so that a command
//! which wants to write there finds it: `server.json`, for its owner alone, never with a token.
//!
//! The server keeps the file locked as long as it lives, and the system lets go of the lock when it
//! dies, however that comes: a file that nobody has locked is left over, and counts for nothing.

use crate::failure::Failure;
use serde::{Deserialize, Serialize};
use std::fs::{File, Metadata, OpenOptions, Permissions, TryLockError};
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The file's name in the data folder.
const NAME: &str = "server.json";
/// Bytes of the file.
const BYTES_MAX: u64 = 16 << 10;
/// Whoever looks holds the lock for a moment, so it is asked for a few times.
const TRIES: u32 = 20;
const BETWEEN: Duration = Duration::from_millis(10);

#[derive(Serialize, Deserialize)]
struct Address {
    url: String,
    pid: u32,
    version: String,
}

/// The file while the server runs; dropping it takes it away.
pub(crate) struct Held {
    path: PathBuf,
    file: File,
}

impl Held {
    /// Leaves the address.
    pub(crate) fn leave(data: &Path, url: &str) -> Result<Self, Failure> {
        let path = data.join(NAME);
        let failed = Failure::io("write the server's address to", &path);
        let write = || {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false).mode(0o600);
            let mut file = options.open(&path)?;
            lock(&file)?;
            // It may be left over from another time, and readable for others.
            file.set_permissions(Permissions::from_mode(0o600))?;
            file.set_len(0)?;
            let version = env!("CARGO_PKG_VERSION").to_owned();
            let address = Address { url: url.to_owned(), pid: std::process::id(), version };
            let mut bytes = serde_json::to_vec(&address)?;
            bytes.push(b'\n');
            file.write_all(&bytes)?;
            Ok(file)
        };
        let file = write().map_err(failed)?;
        Ok(Self { path, file })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Another server may have put its own there meanwhile.
        let ours = self.file.metadata().map(|it| (it.dev(), it.ino())).ok();
        let there = std::fs::metadata(&self.path).map(|it| (it.dev(), it.ino())).ok();
        if ours.is_some() && ours == there {
            // What cannot be taken away is not locked any more, and so counts for nothing.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn lock(file: &File) -> std::io::Result<()> {
    for _ in 0..TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => std::thread::sleep(BETWEEN),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(std::io::Error::other("another server holds this folder; stop it first"))
}

/// The address of the server that holds a data folder; `None` when none does, or none that lets us
/// know.
pub(crate) fn find(data: &Path) -> Option<String> {
    let path = data.join(NAME);
    if !is_to_be_believed(&std::fs::symlink_metadata(&path).ok()?) {
        return None;
    }
    let file = File::open(&path).ok()?;
    if !is_to_be_believed(&file.metadata().ok()?) {
        return None;
    }
    match file.try_lock_shared() {
        // Nobody holds it: it is left over.
        Ok(()) => return None,
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(_)) => return None,
    }
    let mut bytes = Vec::new();
    file.take(BYTES_MAX).read_to_end(&mut bytes).ok()?;
    let address: Address = serde_json::from_slice(&bytes).ok()?;
    Some(address.url)
}

/// Whether nobody else could have written the file: a token goes to the address in it. Another
/// user's server is named with `--url`, by root as well.
fn is_to_be_believed(file: &Metadata) -> bool {
    let is_ours = file.uid() == rustix::process::geteuid().as_raw();
    file.is_file() && is_ours && file.mode() & 0o077 == 0
}

/// What a server that listens at `address` is reached by from this machine; `name` stands in its
/// certificate.
pub(crate) fn url(address: SocketAddr, is_tls: bool, name: Option<&str>) -> String {
    let here = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    let port = address.port();
    match (is_tls, name) {
        (true, Some(name)) => format!("https://{name}:{port}"),
        (true, None) => format!("https://{}", SocketAddr::new(here, port)),
        (false, _) => format!("http://{}", SocketAddr::new(here, port)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_while_its_server_lives_and_never_after() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        assert_eq!(find(data), None);
        let held = Held::leave(data, "http://127.0.0.1:1").unwrap();
        assert_eq!(find(data).as_deref(), Some("http://127.0.0.1:1"));
        let mode = std::fs::metadata(data.join(NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(Held::leave(data, "http://127.0.0.1:2").is_err(), "only one");
        drop(held);
        assert!(!data.join(NAME).exists());
        // As after kill -9: the file is there, and nobody has it locked.
        std::fs::write(data.join(NAME), r#"{"url":"http://127.0.0.1:1","pid":1,"version":""}"#)
            .unwrap();
        assert_eq!(find(data), None);
        std::fs::set_permissions(data.join(NAME), Permissions::from_mode(0o644)).unwrap();
        let held = Held::leave(data, "http://127.0.0.1:3").unwrap();
        assert_eq!(find(data).as_deref(), Some("http://127.0.0.1:3"));
        let mode = std::fs::metadata(data.join(NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // An address that others could have written is none.
        for (mode, is_found) in [(0o620, false), (0o644, false), (0o600, true)] {
            std::fs::set_permissions(data.join(NAME), Permissions::from_mode(mode)).unwrap();
            assert_eq!(find(data).is_some(), is_found, "{mode:o}");
        }
        // Another server's file is its own.
        std::fs::remove_file(data.join(NAME)).unwrap();
        std::fs::write(data.join(NAME), "{}").unwrap();
        drop(held);
        assert!(data.join(NAME).exists());
    }

    #[test]
    fn a_server_is_reached_by_an_address_of_this_machine() {
        let at = |text: &str| text.parse().unwrap();
        assert_eq!(url(at("0.0.0.0:7"), false, None), "http://127.0.0.1:7");
        assert_eq!(url(at("[::]:7"), false, None), "http://[::1]:7");
        assert_eq!(
            url(at("10.0.0.1:7"), true, Some("log.example.org")),
            "https://log.example.org:7"
        );
    }
}
