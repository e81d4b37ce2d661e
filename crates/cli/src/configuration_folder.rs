//! The user's configuration folder, outside every data folder: the key-encryption key, and which
//! logs were made here, so that `verify` knows their signers by itself.
//!
//! `$XDG_CONFIG_HOME/tachograph`, or `~/.config/tachograph`: `kek`, `server-secret`, `tokens.json`
//! `admin-token` and `token` (all 0600), `known-logs/<log id>.json`, and `known-heads/`: how far
//! logs came that were written to here.

use crate::environment;
use crate::failure::Failure;
use reading::Memory;
use seal::Identity;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::PathBuf;

/// The folder; it need not exist.
#[derive(Clone, Debug)]
pub(crate) struct ConfigurationFolder(PathBuf);

/// A log that was made here: its origin, and its keys as they were then or, when others took over
/// from them since and that was checked here, those.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KnownLog {
    /// The origin of its checkpoints.
    pub(crate) origin: String,
    /// Its verifier keys.
    pub(crate) vkeys: Vec<String>,
}

impl ConfigurationFolder {
    /// Where it is; `None` without `XDG_CONFIG_HOME` and `HOME`.
    pub(crate) fn locate() -> Option<Self> {
        let base = match environment::path("XDG_CONFIG_HOME").map(PathBuf::from) {
            // The XDG specification: a relative path is to be ignored.
            Some(path) if path.is_absolute() => path,
            _ => PathBuf::from(environment::path("HOME")?).join(".config"),
        };
        Some(Self(base.join("tachograph")))
    }

    /// The key-encryption key's file.
    pub(crate) fn kek_path(&self) -> PathBuf {
        self.0.join("kek")
    }

    /// The list of the server's API tokens.
    pub(crate) fn tokens_path(&self) -> PathBuf {
        self.0.join("tokens.json")
    }

    /// The secret that this list is keyed with.
    pub(crate) fn server_secret_path(&self) -> PathBuf {
        self.0.join("server-secret")
    }

    /// The token of whoever administers the server.
    pub(crate) fn admin_token_path(&self) -> PathBuf {
        self.0.join("admin-token")
    }

    /// The token that servers elsewhere know this user by; it need not exist.
    pub(crate) fn token_path(&self) -> PathBuf {
        self.0.join("token")
    }

    /// The configuration file; it need not exist.
    pub(crate) fn configuration_path(&self) -> PathBuf {
        self.0.join("tachograph.toml")
    }

    /// Where it is remembered how far logs came.
    pub(crate) fn memory(&self) -> Memory {
        Memory::new(self.0.join("known-heads"))
    }

    /// What is known of a log, if it was made here.
    pub(crate) fn known_log(&self, log_id: &str) -> Option<KnownLog> {
        serde_json::from_slice(&fs::read(self.known_path(log_id)).ok()?).ok()
    }

    /// What is known of a log by the origin of its checkpoints, if it was made here.
    pub(crate) fn known_origin(&self, origin: &str) -> Option<KnownLog> {
        let listing = fs::read_dir(self.0.join("known-logs")).ok()?;
        let paths = listing.filter_map(|entry| Some(entry.ok()?.path()));
        let mut known = paths.filter(|path| path.extension().is_some_and(|it| it == "json"));
        known.find_map(|path| {
            let known: KnownLog = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
            (known.origin == origin).then_some(known)
        })
    }

    /// Remembers a log that was made just now.
    pub(crate) fn remember(&self, identity: &Identity) -> Result<(), Failure> {
        let known = KnownLog { origin: identity.origin.clone(), vkeys: identity.keys.clone() };
        self.keep(&identity.log_id, &known)
    }

    /// Remembers the keys that took over in a log that is known, in place of those before them:
    /// they are no longer what the log is to be signed by. Does nothing for a log that is not
    /// known.
    pub(crate) fn remember_successor(&self, log_id: &str, vkeys: &[String]) -> Result<(), Failure> {
        match self.known_log(log_id) {
            Some(known) if known.vkeys != vkeys => {
                self.keep(log_id, &KnownLog { vkeys: vkeys.to_vec(), ..known })
            }
            _ => Ok(()),
        }
    }

    fn keep(&self, log_id: &str, known: &KnownLog) -> Result<(), Failure> {
        let path = self.known_path(log_id);
        let mut bytes = serde_json::to_vec_pretty(known).unwrap_or_default();
        bytes.push(b'\n');
        let folder = path.parent().unwrap_or(&self.0);
        fs::create_dir_all(folder).map_err(Failure::io("create", folder))?;
        let temporary = path.with_extension("tmp");
        fs::write(&temporary, bytes).map_err(Failure::io("write", &temporary))?;
        fs::rename(&temporary, &path).map_err(Failure::io("write", &path))
    }

    fn known_path(&self, log_id: &str) -> PathBuf {
        self.0.join("known-logs").join(format!("{log_id}.json"))
    }
}
