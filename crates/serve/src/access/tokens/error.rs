//! Why tokens could not be read or changed, by what the operator can do about it.

use std::path::PathBuf;

use keys::EntropyError;
use thiserror::Error;

use super::file::SECRET_PREFIX;
use super::record::TokenId;

/// Why tokens could not be read or changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The system refused.
    #[error("cannot {action} {}: {source}; tokens need this file, so mend that and try again", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// No regular file.
    #[error("{} is not a regular file; tokens and their secret live in files of their own", path.display())]
    NotAFile {
        /// Which.
        path: PathBuf,
    },
    /// The group or others can get at it.
    #[error("{} has mode {mode:04o}, so others can get at it: chmod 600 {}", path.display(), path.display())]
    TooOpen {
        /// Which.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// More bytes than such a file ever has.
    #[error("{} has {bytes} bytes, more than the {max} that it may have; is it the right file?", path.display())]
    TooLong {
        /// Which.
        path: PathBuf,
        /// Its length.
        bytes: u64,
        /// The limit.
        max: u64,
    },
    /// The secret is not in its form.
    #[error(
        "{} holds no server secret: one line, {SECRET_PREFIX} and 32 bytes in base64; \
         restore it from where you keep it, or remove it and the list of tokens to begin anew",
        path.display()
    )]
    BadSecret {
        /// Which.
        path: PathBuf,
    },
    /// There are tokens, and their secret is gone.
    #[error(
        "{} exists but the secret {} does not, so no token in it can be recognised; \
         restore the secret, or remove the list to begin anew",
        tokens.display(), path.display()
    )]
    SecretMissing {
        /// Where it should be.
        path: PathBuf,
        /// The list.
        tokens: PathBuf,
    },
    /// The list is no list.
    #[error("{} is not a list of tokens ({detail}); restore it from a backup", path.display())]
    BadList {
        /// Which.
        path: PathBuf,
        /// Where it went wrong; none of its content.
        detail: String,
    },
    /// The code over the list does not fit it.
    #[error(
        "{} was changed by something other than this server, or belongs to another secret: \
         its code does not fit; restore it from a backup, and ask who changed it",
        path.display()
    )]
    Edited {
        /// Which.
        path: PathBuf,
    },
    /// A newer version wrote it.
    #[error("{} is of version {version}, and this program knows 1; use the newer program", path.display())]
    Version {
        /// Which.
        path: PathBuf,
        /// Its version.
        version: u64,
    },
    /// There is no such token.
    #[error("there is no token {id}; `tacho token list` shows those that there are")]
    NoSuchToken {
        /// What was asked for.
        id: TokenId,
    },
    /// The list is full.
    #[error(
        "there are {} tokens already, the most that are kept; begin a new list",
        super::TOKENS_MAX
    )]
    TooMany,
    /// The name cannot be one.
    #[error(
        "{name:?} cannot be a token's name: 1 to 64 letters, digits and . _ @ - without spaces"
    )]
    BadName {
        /// What was wished for, shortened.
        name: String,
    },
    /// No roles, or too many.
    #[error("a token has 1 to 16 roles, not {count}; name what its holder is to do")]
    BadRoles {
        /// How many were wished for.
        count: usize,
    },
    /// It would never have counted.
    #[error(
        "the token would have expired at {expires_ms} ms, and it is {now_ms} ms now; give it a later end"
    )]
    ExpiryPassed {
        /// When it was to end.
        expires_ms: i64,
        /// What time it is.
        now_ms: i64,
    },
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}
