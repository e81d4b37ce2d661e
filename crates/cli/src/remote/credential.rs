//! The token that a server knows the caller by: from a file or the environment, never from the
//! command line, which others see.
//!
//! | first that is there | |
//! |---|---|
//! | `--token-file FILE` | |
//! | `TACHO_TOKEN` | |
//! | `token` in the user's configuration folder | for an address that was given |
//! | `admin-token` there | for a server on this machine, which made it |

use crate::configuration_folder::ConfigurationFolder;
use crate::environment;
use crate::failure::Failure;
use link::{Address, Token};
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

/// Bytes of a file with a token: signed tokens of issuers have some thousand.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// Which of the usual places count.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usual {
    /// The server holds our data folder, so that what it made itself is the first choice.
    pub(crate) is_ours: bool,
    /// A certificate is shown: then only a token that is named goes beside it.
    pub(crate) has_certificate: bool,
}

/// The credential for a server; `None` when there is none.
pub(crate) fn find(
    file: Option<&Path>,
    address: &Address,
    usual: Usual,
) -> Result<Option<Token>, Failure> {
    if let Some(path) = file {
        return read(path)?.map(Some).ok_or_else(|| {
            Failure::new(format!("{} (--token-file) holds no token", path.display()))
        });
    }
    if let Some(value) = environment::text("TACHO_TOKEN") {
        return Ok(Some(Token::new(value, "TACHO_TOKEN")?));
    }
    let folder = ConfigurationFolder::locate().filter(|_| !usual.has_certificate);
    let Some(folder) = folder else { return Ok(None) };
    let (own, admin) = (folder.token_path(), folder.admin_token_path());
    // What administers the server here is no other server's to know.
    let places = match (usual.is_ours, address.is_loopback()) {
        (true, _) => vec![admin, own],
        (false, true) => vec![own, admin],
        (false, false) => vec![own],
    };
    for path in places {
        match read(&path) {
            Ok(None) => {}
            Ok(Some(token)) => return Ok(Some(token)),
            Err(failure) => return Err(failure),
        }
    }
    Ok(None)
}

/// The token in a file; `None` when there is no file, or nothing in it.
fn read(path: &Path) -> Result<Option<Token>, Failure> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.map_err(Failure::io("read the token in", path))?,
    };
    let mut text = String::new();
    let read = file.take(FILE_BYTES_MAX).read_to_string(&mut text);
    read.map_err(Failure::io("read the token in", path))?;
    let place = path.display().to_string();
    match text.trim() {
        "" => Ok(None),
        token => Ok(Some(Token::new(token.to_owned(), &place)?)),
    }
}
