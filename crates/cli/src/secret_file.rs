//! A secret in a file of its own, for whoever a server talks to: never in the configuration itself,
//! which is shown around.

use crate::failure::Failure;
use std::io::Read as _;
use std::path::Path;
use zeroize::Zeroizing;

/// Bytes of such a file.
const SECRET_BYTES_MAX: u64 = 4_096;

/// Its text, without the ends of lines around it.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let file = std::fs::File::open(path).map_err(Failure::io("read", path))?;
    let mut text = Zeroizing::new(String::new());
    file.take(SECRET_BYTES_MAX).read_to_string(&mut text).map_err(Failure::io("read", path))?;
    match text.trim() {
        "" => Err(Failure::new(format!("{} is empty; it is to hold a secret", path.display()))),
        secret => Ok(Zeroizing::new(secret.to_owned())),
    }
}
